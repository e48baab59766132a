"""What is set at one replica holds at the other, at once."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from starlette.testclient import TestClient

from fake_convai.app import create_app
from fake_convai.domain.identity import hash_secret
from fake_convai.settings import Settings
from fake_convai.store import memories, snapshots
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.query import Query
from tests.api.talking import events_in
from tests.conftest import Api, refused
from tests.control.driving import NOON, Control
from tests.replicas.conftest import Replicas
from tests.replicas.database import Watcher

DOG = "The user has a dog."
LIST = "/production/character/list"
Both = tuple[Api, Api]
Controls = tuple[Control, Control]


def with_token(api: Api, token: str) -> Api:
    """The account by a token instead of its key."""
    return Api(api.client, token)


@pytest.mark.parametrize("before", [memories._LIST_ALL, snapshots._SELECT["memories"]], ids=["state", "snapshot"])
def test_what_is_saved_is_of_one_moment(
    inside: Both, both: Both, monkeypatch: pytest.MonkeyPatch, before: Query
) -> None:
    npc = both[0].character()
    both[0].remember(npc, "player-42", DOG)
    read, deleted = AccountTransaction.all, threading.Event()

    def meanwhile(tx: AccountTransaction, query: Query, **parameters: Any) -> Any:
        """Somebody is deleted elsewhere when they have been read, and their memories have not."""
        if query is before and not deleted.is_set():
            deleted.set()
            both[1].ok("/beta/user/end-users/delete", {"end_user_id": "player-42"})
        return read(tx, query, **parameters)

    control = Control(inside[0].client, both[0].key)
    monkeypatch.setattr(AccountTransaction, "all", meanwhile)
    if before is memories._LIST_ALL:
        state = control.state()
    else:
        control.ok("PUT", "/snapshots/one")
        assert both[1].end_users() == []
        control.ok("POST", "/snapshots/one/restore")
        state = control.state()
    assert deleted.is_set()
    assert [len(state[part]) for part in ("end_users", "memories")] == [1, 1]


def test_a_token_of_one_works_at_the_other_until_either_revokes_it(both: Both) -> None:
    one, two = both
    npc = one.character()
    token: str = one.ok("/production/user/connect")["apiAuthToken"]
    for api in both:
        (listed,) = with_token(api, token).ok(LIST)["characters"]
        assert listed["character_id"] == npc
    two.ok("/production/user/revoke-token", {"apiAuthToken": token})
    for api in both:
        response = with_token(api, token).post(LIST)
        assert (response.status_code, response.json()) == (401, {"API_ERROR": "Invalid API key provided."})


def test_the_clock_stands_still_at_both(both: Both, controls: Controls) -> None:
    one, two = both
    npc = one.character()
    controls[0].freeze(NOON)
    two.remember(npc, "player-42", DOG)
    assert [memory["created_at"] for memory in one.memories(npc, "player-42")] == [NOON]
    controls[1].ok("PUT", "/clock", {"advance": 3600})
    one.remember(npc, "player-43", DOG)
    later = NOON.replace("T12", "T13")
    assert [memory["created_at"] for memory in two.memories(npc, "player-43")] == [later]


def test_a_fault_of_one_happens_at_the_other(both: Both, controls: Controls) -> None:
    controls[0].fault(status=503, times=None)
    for api in reversed(both):
        refused(api.post("/beta/user/end-users/list"), 503)
    controls[1].ok("DELETE", "/faults")
    for api in both:
        assert api.end_users() == []


def test_a_snapshot_of_one_is_restored_at_the_other(both: Both, controls: Controls) -> None:
    one, two = both
    npc = one.character()
    one.remember(npc, "player-42", DOG)
    before = controls[0].state()
    assert controls[0].ok("PUT", "/snapshots/before") == {"name": "before"}
    two.ok("/beta/user/end-users/delete", {"end_user_id": "player-42"})
    assert one.end_users() == []
    assert controls[1].ok("GET", "/snapshots") == {"snapshots": ["before"]}
    assert controls[1].ok("POST", "/snapshots/before/restore") == {"name": "before"}
    assert controls[0].state() == before


def test_a_reset_at_one_is_a_reset_at_the_other(both: Both, controls: Controls) -> None:
    one, two = both
    npc = one.character()
    two.remember(npc, "player-42", DOG)
    assert controls[1].ok("POST", "/reset") == {"status": "reset"}
    assert controls[0].state() == {"characters": [], "end_users": [], "memories": [], "sessions": []}
    refused(one.post("/beta/memory/list", {"character_id": npc, "end_user_id": "player-42"}), 404, npc)


def test_characters_say_at_one_what_the_other_was_told(both: Both, controls: Controls) -> None:
    one, two = both
    script = {"replies": [{"match": "hello", "reply": "Goodbye."}], "default": "What?"}
    assert controls[0].ok("PUT", "/replies", script) == script
    form = {"character_id": one.character(), "text_input": "hello"}
    response = two.client.post("/live/connect/stream", data=form, headers=two.headers("/live/"))
    said = [event["data"]["text"] for event in events_in(response) if event["type"] == "bot-llm-text"]
    assert said == ["Goodbye."]


def test_the_journal_has_what_either_has_answered(both: Both, controls: Controls) -> None:
    for number in range(6):
        assert both[number % 2].end_users() == []
        found = controls[(number + 1) % 2].requests()  # at the other one
        assert [(entry["path"], entry["status"]) for entry in found] == [("/user/end-users/list", 200)] * (number + 1)
    assert controls[0].ok("DELETE", "/requests") == {"requests": [], "dropped": 0}
    assert controls[1].requests() == []


def test_a_cursor_of_one_goes_on_at_the_other(both: Both) -> None:
    one, two = both
    npc = one.character()
    for number in range(3):
        one.remember(npc, f"player-{number}", DOG)
    page = one.ok("/beta/user/end-users/list", {"limit": 2})
    assert [user["end_user_id"] for user in page["end_users"]] == ["player-0", "player-1"]
    assert two.end_users(cursor=page["next_cursor"]) == ["player-2"]


@pytest.fixture
def limited(replicas: Replicas, replicas_url: str) -> Iterator[Both]:
    """An account at two more replicas, which let it make four requests a second."""
    settings = Settings(database=replicas_url, rate_limit="4/s")
    with ExitStack() as stack:
        one, two = (stack.enter_context(TestClient(create_app(settings))) for _ in range(2))
        yield Api(one, "limited"), Api(two, "limited")


def test_a_rate_limit_counts_the_requests_of_both(limited: Both, watcher: Watcher) -> None:
    one, two = limited
    control = Control(one.client, one.key)
    assert one.end_users() == []
    control.freeze()
    lock = ("SELECT 1 FROM accounts WHERE key_hash = $1 FOR UPDATE", hash_secret(one.key))

    def ask(api: Api) -> int:
        return api.post("/beta/user/end-users/list").status_code

    answers = watcher.race(lock, *[lambda: ask(one), lambda: ask(two)] * 3)
    assert sorted(answers) == [200, 200, 200, 200, 429, 429]
