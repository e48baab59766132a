"""Which accounts a server has."""

from starlette.testclient import TestClient

from tests.api.talking import converse
from tests.conftest import Api, refused
from tests.control.conftest import Run
from tests.control.driving import Control, account

NONE = {"characters": 0, "end_users": 0, "memories": 0, "sessions": 0, "requests": 0}


def test_an_account_is_counted(api: Api, control: Control) -> None:
    npc = api.character(memory=True)
    converse(api, npc, "player-42", "I like tea.")
    converse(api, npc, None, "I like coffee.")
    api.remember(npc, "player-43", "The user has a dog.", "The user lives in Rome.")
    api.ok("/production/user/speaker/new", {"name": "Sam"})
    requests = len(control.requests())
    counts = {"characters": 1, "end_users": 2, "memories": 3, "sessions": 2, "requests": requests}
    assert control.ok("GET", "/accounts") == {"accounts": [{"last_four": api.key[-4:], **counts}]}


def test_without_a_key_there_is_every_account(client: TestClient) -> None:
    server = Control(client)
    before = server.ok("GET", "/accounts")["accounts"]
    for key in ("a-key-that-ends-in-4711", "short"):
        account(client, key)[1].state()
    new = server.ok("GET", "/accounts")["accounts"][len(before) :]
    assert new == [{"last_four": "4711", **NONE}, {"last_four": "", **NONE}]


def test_it_asks_for_the_control_key_where_there_is_one(run: Run) -> None:
    with run(control_key="let-me-in") as client:
        refused(Control(client).send("GET", "/accounts"), 403, "X-Fake-Convai-Control-Key")
        answer = Control(client).send("GET", "/accounts", **{"X-Fake-Convai-Control-Key": "let-me-in"})
        assert answer.status_code == 200
        assert list(answer.json()) == ["accounts"]
