"""What was written appears a while later: by the clock, by being read, or when a test lets it settle."""

from typing import Any

import httpx2 as httpx
import pytest

from tests.api.talking import MY_NAME, NAME_FACT, converse, facts, history
from tests.conftest import Api, refused
from tests.control.driving import NOON, Control

LAG = {"extraction": {"seconds": 5}, "end_users": {"reads": 2}, "chat_history": {"reads": 1}}


@pytest.fixture
def npc(api: Api) -> str:
    """A character that remembers."""
    return api.character(memory=True)


@pytest.fixture
def control(api: Api) -> Control:
    """The control plane of its account, whose clock stands still."""
    control = Control(api.client, api.key)
    control.freeze()
    return control


def advance(control: Control, seconds: float) -> None:
    """Move the clock."""
    control.ok("PUT", "/clock", {"advance": seconds})


def added(api: Api, npc: str) -> list[bool]:
    """Which sessions have become memory."""
    return [one["is_added_to_memory"] for one in history(api, npc)]


def get_end_user(api: Api, end_user_id: str) -> httpx.Response:
    """Ask for a record."""
    return api.post("/beta/user/end-users/get", {"end_user_id": end_user_id})


def test_it_is_set_shown_and_cleared(control: Control) -> None:
    assert control.ok("GET", "/lag") == {}
    assert control.ok("PUT", "/lag", LAG) == LAG
    assert control.ok("GET", "/lag") == LAG
    assert control.ok("DELETE", "/lag") == {}
    assert (control.ok("GET", "/lag"), control.ok("POST", "/settle")) == ({}, {"settled": 0})


@pytest.mark.parametrize(
    ("place", "lag"),
    [
        ("extraction", {"extraction": {}}),
        ("extraction", {"extraction": {"seconds": 1, "reads": 1}}),
        ("extraction.seconds", {"extraction": {"seconds": -1}}),
        ("end_users.reads", {"end_users": {"reads": 1.5}}),
        ("memories", {"memories": {"reads": 1}}),
    ],
)
def test_a_bad_one_names_the_place(control: Control, place: str, lag: dict[str, Any]) -> None:
    refused(control.send("PUT", "/lag", lag), 400, f"'{place}'")


class TestMemory:
    def test_appears_by_the_clock(self, api: Api, control: Control, npc: str) -> None:
        control.ok("PUT", "/lag", {"extraction": {"seconds": 5}})
        converse(api, npc, "player-42", MY_NAME)
        assert (facts(api, npc, "player-42"), added(api, npc)) == ([], [False])
        advance(control, 4.999999)
        assert (facts(api, npc, "player-42"), added(api, npc)) == ([], [False])
        advance(control, 60)
        (memory,) = api.memories(npc, "player-42")
        assert (memory["memory"], memory["created_at"]) == (NAME_FACT, NOON.replace("00.000", "05.000"))
        assert added(api, npc) == [True]

    def test_appears_after_so_many_reads_of_the_person(self, api: Api, control: Control, npc: str) -> None:
        control.ok("PUT", "/lag", {"extraction": {"reads": 2}})
        converse(api, npc, "player-42", MY_NAME)
        converse(api, npc, "player-43", MY_NAME)
        assert [facts(api, npc, "player-42") for _ in range(4)] == [[], [], [NAME_FACT], [NAME_FACT]]
        assert added(api, npc) == [False, True]
        assert [facts(api, npc, "player-43") for _ in range(3)] == [[], [], [NAME_FACT]]

    def test_settles_at_once(self, api: Api, control: Control, npc: str) -> None:
        control.ok("PUT", "/lag", {"extraction": {"seconds": 3600}})
        converse(api, npc, "player-42", MY_NAME)
        assert control.ok("POST", "/settle") == {"settled": 1}
        assert (facts(api, npc, "player-42"), added(api, npc)) == ([NAME_FACT], [True])
        control.ok("DELETE", "/lag")
        converse(api, npc, "player-42", "I live in Oslo.")
        assert facts(api, npc, "player-42") == [NAME_FACT, "The user lives in Oslo."]

    def test_that_waits_still_comes_when_lag_is_cleared(self, api: Api, control: Control, npc: str) -> None:
        control.ok("PUT", "/lag", {"extraction": {"seconds": 5}})
        converse(api, npc, "player-42", MY_NAME)
        control.ok("DELETE", "/lag")
        assert facts(api, npc, "player-42") == []
        advance(control, 5)
        assert len(control.state()["memories"]) == 1

    def test_added_by_hand_does_not_wait(self, api: Api, control: Control, npc: str) -> None:
        control.ok("PUT", "/lag", LAG)
        api.remember(npc, "player-42", NAME_FACT)
        assert facts(api, npc, "player-42") == [NAME_FACT]

    def test_of_a_deleted_person_never_comes(self, api: Api, control: Control, npc: str) -> None:
        control.ok("PUT", "/lag", {"extraction": {"seconds": 5}})
        converse(api, npc, "player-42", MY_NAME)
        api.ok("/beta/user/end-users/delete", {"end_user_id": "player-42"})
        advance(control, 5)
        assert (control.state()["memories"], api.end_users()) == ([], [])

    def test_outlives_its_conversation(self, api: Api, control: Control, npc: str) -> None:
        control.ok("PUT", "/lag", {"extraction": {"seconds": 5}})
        session = converse(api, npc, "player-42", MY_NAME)
        body = {"charID": npc, "sessionIDs": [session["character_session_id"]]}
        api.ok("/production/character/chatHistory/delete", body)
        advance(control, 5)
        assert (facts(api, npc, "player-42"), history(api, npc)) == ([NAME_FACT], [])


def test_end_users_appear_after_so_many_reads(api: Api, control: Control, npc: str) -> None:
    converse(api, npc, "player-41", "Hello.")
    control.ok("PUT", "/lag", {"end_users": {"reads": 2}})
    converse(api, npc, "player-42", "Hello.")
    converse(api, npc, "player-41", "Hello.")
    refused(get_end_user(api, "player-42"), 404, "player-42")
    assert api.ok("/beta/user/end-users/list")["total_count"] == 1
    assert api.end_users() == ["player-41", "player-42"]
    assert get_end_user(api, "player-42").status_code == 200


def test_chat_history_appears_by_the_clock(api: Api, control: Control, npc: str) -> None:
    control.ok("PUT", "/lag", {"chat_history": {"seconds": 5}})
    session = converse(api, npc, "player-42", "Hello.")
    form = {"charID": npc, "userText": "Hello.", "sessionID": "-1"}
    api.client.post("/production/character/getResponse", data=form, headers=api.headers("/production/"))
    details = {"charID": npc, "sessionID": session["character_session_id"]}
    assert history(api, npc) == []
    refused(api.post("/production/character/chatHistory/details", details), 404)
    advance(control, 5)
    assert len(history(api, npc)) == 2
    assert len(api.ok("/production/character/chatHistory/details", details)) == 1


def test_it_is_part_of_state_and_snapshots(api: Api, other: Api, control: Control, npc: str) -> None:
    control.ok("PUT", "/lag", {"extraction": {"seconds": 5}})
    state = control.state()
    assert state["account"] == {"lag": {"extraction": {"seconds": 5}}}
    copy = Control(other.client, other.key)
    copy.ok("POST", "/seed", {"account": state["account"]})
    assert copy.ok("GET", "/lag") == {"extraction": {"seconds": 5}}
    converse(api, npc, "player-42", MY_NAME)
    control.ok("PUT", "/snapshots/waiting", None)
    control.ok("POST", "/settle")
    control.ok("DELETE", "/lag")
    control.ok("POST", "/snapshots/waiting/restore", None)
    assert facts(api, npc, "player-42") == []
    advance(control, 5)
    assert facts(api, npc, "player-42") == [NAME_FACT]
    control.ok("POST", "/reset")
    assert control.ok("GET", "/lag") == {}


def test_each_account_has_its_own(api: Api, other: Api, control: Control) -> None:
    control.ok("PUT", "/lag", LAG)
    npc = other.character(memory=True)
    converse(other, npc, "player-42", MY_NAME)
    assert (facts(other, npc, "player-42"), other.end_users()) == ([NAME_FACT], ["player-42"])
