"""Reset: an account as new, proved against one that is."""

import uuid

from starlette.testclient import TestClient

from fake_convai.app import create_app
from fake_convai.settings import Settings
from tests.api.talking import chat, connect
from tests.conftest import Api
from tests.control.conftest import Run
from tests.control.driving import Control, account, play, use_everything

NEW = {
    "/state": {"characters": [], "end_users": [], "memories": [], "sessions": []},
    "/snapshots": {"snapshots": []},
    "/faults": {"faults": []},
    "/requests": {"requests": [], "dropped": 0},
    "/replies": {"replies": [], "default": None},
}
SEED = 2668


def everything_of(control: Control) -> dict[str, object]:
    """What the control plane shows of an account, without the time."""
    shown = {path: control.ok("GET", path) for path in NEW}
    clock = control.ok("GET", "/clock")
    return {**shown, "/clock": {name: value for name, value in clock.items() if name != "now"}}


def test_an_account_after_a_reset_is_as_in_a_fresh_process(run: Run) -> None:
    key = f"key-{uuid.uuid4()}"
    with TestClient(create_app(Settings(random_seed=SEED))) as fresh:
        expected = play(Api(fresh, key), cursors=False)
    with run(random_seed=SEED) as client:
        api, control = account(client, key)
        new = everything_of(control)
        assert new == {**NEW, "/clock": {"frozen": False, "offset": 0.0}}
        assert play(api, cursors=False) == expected
        use_everything(api)
        used = everything_of(control)
        assert [path for path in new if used[path] == new[path]] == []
        assert control.ok("POST", "/reset") == {"status": "reset"}
        assert everything_of(control) == new
        assert play(api, cursors=False) == expected


def test_chances_begin_anew_as_well(run: Run) -> None:
    with run(random_seed=SEED) as client:
        api, control = account(client)
        histories = []
        for _ in range(2):
            control.ok("POST", "/reset")
            control.fault(status=503, rate=0.5, times=None)
            histories.append([api.post("/beta/user/end-users/list").status_code for _ in range(20)])
        assert histories[0] == histories[1]
        assert set(histories[0]) == {200, 503}


def test_tokens_and_sessions_of_before_are_refused(api: Api, control: Control) -> None:
    token = api.ok("/production/user/connect")["apiAuthToken"]
    session = connect(api, api.character())
    control.ok("POST", "/reset")
    for header, path in ((token, "/beta/user/end-users/list"), (session["session_id"], "/live/connect")):
        assert api.client.post(path, json={}, headers={"API-AUTH-TOKEN": header}).status_code == 401
    with chat(api, session) as talk:
        assert talk.closed() == (1008, "Session not found in cache or database")


def test_open_connections_are_closed_and_nothing_of_them_is_kept(api: Api, control: Control) -> None:
    npc = api.character(memory=True)
    with chat(api, connect(api, npc, "player-42")) as talk:
        talk.say("My name is Jordan.")
        control.ok("POST", "/reset")
        assert talk.closed() == (1008, "Session not found in cache or database")
    assert control.state() == NEW["/state"]


def test_other_accounts_stay_as_they_are(api: Api, control: Control, other: Api) -> None:
    theirs = Control(other.client, other.key)
    other.remember(other.character(), "player-42", "The user has a dog.")
    theirs.fault(status=503, times=None)
    theirs.freeze()
    before = everything_of(theirs)
    control.ok("POST", "/reset")
    assert everything_of(theirs) == before


def test_without_a_key_the_whole_server_is_as_new(server: Control) -> None:
    client = server.client
    accounts = [account(client) for _ in range(2)]
    for api, _ in accounts:
        use_everything(api)
    client.post("/beta/memory/list")
    server.fault(status=503, times=None)
    server.freeze()
    assert server.requests(status=401) != []
    assert server.ok("POST", "/reset") == {"status": "reset"}
    new = {**NEW, "/clock": {"frozen": False, "offset": 0.0}}
    assert [everything_of(control) for _, control in [*accounts, account(client)]] == [new, new, new]
    assert [server.ok("GET", path) for path in ("/requests", "/faults")] == [NEW["/requests"], NEW["/faults"]]
