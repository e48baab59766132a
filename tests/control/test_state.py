"""The account as a seed document."""

import pytest
from starlette.testclient import TestClient

from tests.api.talking import converse
from tests.conftest import Api, refused
from tests.control.driving import NOON, Control, account, use_everything


def test_a_new_account_has_every_part_and_nothing_in_it(control: Control) -> None:
    assert control.state() == {"characters": [], "end_users": [], "memories": [], "sessions": []}


def test_seeded_into_another_account_it_is_the_same(client: TestClient) -> None:
    (api, control), (_, copy) = account(client), account(client)
    use_everything(api)
    state = control.state()
    assert [part for part in state.values() if not part] == []
    copy.ok("POST", "/seed", state)
    assert copy.state() == state


def test_it_survives_odd_names_and_lists(api: Api, control: Control, other: Api) -> None:
    api.character(charName="  Coach \u00e9 ", languageCodes=[], characterActions=[], backstory="")
    copy = Control(other.client, other.key)
    copy.ok("POST", "/seed", control.state())
    assert copy.state() == control.state()


def test_somebody_who_was_never_an_end_user_comes_along(api: Api, control: Control, other: Api) -> None:
    npc = api.character(memory=True)
    speaker = api.ok("/production/user/speaker/new", {"name": "Jordan"})["speaker_id"]
    api.ok("/production/user/speaker/new", {"name": "Sam"})
    control.freeze()
    converse(api, npc, None, "My name is Jordan.", speaker_id=speaker)
    assert api.end_users() == []
    state = control.state()
    assert [memory["end_user_id"] for memory in state["memories"]] == [speaker]
    assert state["end_users"] == [
        {"end_user_id": speaker, "end_user_metadata": {}, "last_active_ts": NOON, "last_ltm_usage_ts": NOON}
    ]
    copy = Control(other.client, other.key)
    copy.ok("POST", "/seed", state)
    assert copy.state() == state


def test_what_hangs_from_anothers_character_is_left_out(api: Api, control: Control, other: Api) -> None:
    npc = other.character(listing="public")
    api.remember(npc, "player-42", "The user has a dog.")
    assert (control.state()["characters"], control.state()["memories"]) == ([], [])
    assert [user["end_user_id"] for user in control.state()["end_users"]] == ["player-42"]
    assert Control(other.client, other.key).state()["memories"] == []


def test_looking_at_it_is_no_use_of_memory(api: Api, control: Control) -> None:
    control.freeze()
    api.remember(api.character(), "player-42", "The user has a dog.")
    before = control.state()
    control.ok("PUT", "/clock", {"advance": 60})
    assert control.state() == before
    assert before["end_users"][0]["last_ltm_usage_ts"] == NOON


def test_a_state_needs_an_account(client: TestClient) -> None:
    refused(Control(client).send("GET", "/state"), 400, "CONVAI-API-KEY")


def test_the_state_of_one_person(api: Api, control: Control) -> None:
    npc = api.character(memory=True)
    for person in ("player-42", "player-43"):
        api.remember(npc, person, "The user has a dog.")
        converse(api, npc, person, "I like tea.")
    converse(api, npc, None, "I like coffee.")
    state = control.state()
    assert control.ok("GET", "/state?end_user_id=%20player-42") == {
        "characters": state["characters"],
        **{
            part: [one for one in state[part] if one["end_user_id"] == "player-42"]
            for part in ("end_users", "memories", "sessions")
        },
    }
    assert [len(state[part]) for part in ("end_users", "memories", "sessions")] == [2, 4, 3]
    speaker = api.ok("/production/user/speaker/new", {"name": "Jordan", "deviceId": "a-device"})["speaker_id"]
    assert control.ok("GET", f"/state?end_user_id={speaker}")["end_users"] == []
    converse(api, npc, "a-device", "Hello.")
    assert control.ok("GET", f"/state?end_user_id={speaker}") == control.ok("GET", "/state?end_user_id=a-device")
    assert len(control.ok("GET", "/state?end_user_id=a-device")["sessions"]) == 1


def test_a_stranger_has_nothing(api: Api, control: Control) -> None:
    api.remember(api.character(), "player-42", "The user has a dog.")
    assert control.ok("GET", "/state?end_user_id=nobody") == {
        "characters": control.state()["characters"],
        "end_users": [],
        "memories": [],
        "sessions": [],
    }


def test_only_some_parts(api: Api, control: Control) -> None:
    npc = api.character(memory=True)
    converse(api, npc, "player-42", "I like tea.")
    empty: dict[str, list[object]] = {"characters": [], "end_users": [], "memories": [], "sessions": []}
    state = control.state()
    assert [part for part in state.values() if not part] == []
    for part, held in state.items():
        assert control.ok("GET", f"/state?parts={part}") == {**empty, part: held}
    assert control.ok("GET", "/state?parts=sessions,memories&end_user_id=player-42") == {
        **empty,
        "memories": state["memories"],
        "sessions": state["sessions"],
    }


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("parts=", "parts"),
        ("parts=characters,people", "parts"),
        ("end_user_id=", "end_user_id"),
        ("end_user_id=a%00", "end_user_id"),
        ("who=me", "who"),
    ],
)
def test_a_query_that_means_nothing_is_refused(control: Control, query: str, named: str) -> None:
    refused(control.send("GET", f"/state?{query}"), 400, f"'{named}'")
