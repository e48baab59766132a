"""Rooms with several characters in a state, in snapshots and in seeds; nobody comes to them here."""

import uuid
from typing import Any

import pytest

from fake_convai.store import rosters
from tests.conftest import Api, refused
from tests.control.driving import Control


def make(api: Api, *npcs: str, **wish: Any) -> dict[str, Any]:
    """Connect to a room with these characters."""
    body = {"characters": [{"character_id": npc} for npc in npcs], "end_user_id": "player-42", **wish}
    made: dict[str, Any] = api.ok("/live/connect", body)
    return made


def join(api: Api, person: str, **locator: str) -> dict[str, Any]:
    """Connect to a room that is there."""
    joined: dict[str, Any] = api.ok("/live/connect", {"mode": "join", "end_user_id": person, **locator})
    return joined


def test_a_room_is_joined_by_the_name_that_the_answer_gave_it(api: Api, control: Control) -> None:
    made = make(api, api.character(), max_num_participants=2)
    assert join(api, "player-43", room_name=made["room_name"])["room_session_id"] == made["room_session_id"]
    [room] = control.state()["rooms"]
    assert [one["end_user_id"] for one in room["participants"]] == ["player-42", "player-43"]


def test_a_room_of_one_character_is_joined_by_that_name_too(api: Api, other: Api) -> None:
    first = {"character_id": api.character(), "end_user_id": "player-42", "max_num_participants": 2}
    made = api.ok("/live/connect", first)
    assert join(api, "player-43", room_name=made["room_name"])["room_name"] == made["room_name"]
    theirs = {"mode": "join", "end_user_id": "player-44", "room_name": made["room_name"]}
    assert other.post("/live/connect", theirs).status_code == 404


def test_a_state_shows_who_is_in_a_room(api: Api, control: Control) -> None:
    coach, guide = api.character(), api.character()
    made = make(api, coach, guide, group_chat=True, max_num_participants=2, shared_session_key="raid-7")
    join(api, "player-43", shared_session_key="raid-7")
    [room] = control.state()["rooms"]
    people = room.pop("participants")
    assert [one["end_user_id"] for one in people] == ["player-42", "player-43"]
    assert all(one["participant_identity"].startswith(one["end_user_id"]) for one in people)
    names = ("membership_id", "character_id", "character_session_id", "participant_identity", "is_initial")
    assert room == {
        **{name: made[name] for name in ("room_session_id", "room_name", "active_membership_id")},
        "shared_session_key": "raid-7",
        "max_num_participants": 2,
        "group_chat": True,
        "route_epoch": 0,
        "roster_epoch": 0,
        "characters": [
            {
                **{name: entry[name] for name in names},
                "display_name": name,
                "status": "dispatch_accepted",
                "failure_code": None,
            }
            for entry, name in zip(made["characters"], ("Coach", "Coach (2)"), strict=True)
        ],
    }
    assert len(control.ok("GET", "/state?end_user_id=player-43")["rooms"]) == 1
    assert "rooms" not in control.ok("GET", "/state?end_user_id=stranger")


def test_a_seed_makes_a_room_that_people_then_join(api: Api, control: Control) -> None:
    coach = api.character()
    [fallen, standing] = [str(uuid.uuid4()) for _ in range(2)]
    characters = [
        {"character_id": coach, "membership_id": fallen, "status": "dispatch_failed", "failure_code": "quota"},
        {"character_id": coach, "membership_id": standing},
    ]
    room = {"characters": characters, "shared_session_key": "hall", "route_epoch": 3, "group_chat": True}
    control.ok("POST", "/seed", {"rooms": [room]})
    assert [one["participants"] for one in control.state()["rooms"]] == [[]]
    joined = join(api, "player-42", shared_session_key="hall")
    assert (joined["active_membership_id"], joined["route_epoch"]) == (standing, 3)
    assert joined["partial_dispatch"] is True
    entries = [(one["membership_id"], one["provisioning_status"], one["failure_code"]) for one in joined["characters"]]
    assert entries == [(fallen, "dispatch_failed", "quota"), (standing, "dispatch_accepted", None)]
    full = api.post("/live/connect", {"mode": "join", "end_user_id": "player-43", "shared_session_key": "hall"})
    refused(full, 409, key="detail")


def test_seeded_into_another_account_an_empty_room_is_the_same(api: Api, control: Control, other: Api) -> None:
    npc = api.character()
    room = {"characters": [{"character_id": npc}, {"character_id": npc}], "room_name": "hall"}
    control.ok("POST", "/seed", {"rooms": [{**room, "active_membership_id": None}]})
    state = control.state()
    assert state["rooms"][0]["active_membership_id"] is None
    control.ok("POST", "/seed", state)
    assert control.state() == state
    copy = Control(other.client, other.key)
    copy.ok("POST", "/seed", state)
    copied = copy.state()
    # An id is the room's own on the whole server.
    assert copied["rooms"][0].pop("room_session_id") != state["rooms"][0].pop("room_session_id")
    assert copied == state


def test_a_room_with_people_in_it_stays_as_it_is(api: Api, control: Control) -> None:
    npc = api.character()
    make(api, npc, npc, room_name="hall")
    state = control.state()
    control.ok("POST", "/seed", {"rooms": [{"characters": [{"character_id": npc}], "room_name": "hall"}]})
    assert control.state() == state


def test_a_room_is_gone_when_its_people_are_gone(api: Api, control: Control) -> None:
    made = make(api, api.character(), api.character(), shared_session_key="hall")
    api.client.post(
        "/live/disconnect", params={"session_id": made["session_id"]}, headers=api.headers("/live/disconnect")
    )
    assert "rooms" not in control.state()
    again = make(api, made["characters"][0]["character_id"], shared_session_key="hall")
    assert again["room_session_id"] != made["room_session_id"]


def test_a_snapshot_has_the_target_of_a_room(api: Api, control: Control) -> None:
    made = make(api, api.character(), api.character())
    control.ok("PUT", "/snapshots/before")

    def retarget(tx: Any) -> None:
        room = rosters.find(tx, "room_session_id", made["room_session_id"])
        assert room is not None
        room.roster.active_membership_id = made["characters"][1]["membership_id"]
        rosters.save(tx, room)

    api.write(retarget)
    assert control.state()["rooms"][0]["active_membership_id"] == made["characters"][1]["membership_id"]
    control.ok("POST", "/snapshots/before/restore")
    assert control.state()["rooms"][0]["active_membership_id"] == made["characters"][0]["membership_id"]


@pytest.mark.parametrize(
    ("room", "words"),
    [
        ({}, "rooms[0].characters': Field required"),
        ({"characters": []}, "rooms[0].characters'"),
        ({"characters": [{"character_id": "nobody"}]}, "rooms[0]': no character 'nobody'"),
        (
            {"characters": [{"character_id": "npc"}], "active_membership_id": "x"},
            "active_membership_id is that of none",
        ),
        ({"characters": [{"character_id": "npc", "membership_id": "x"}] * 2}, "the same membership_id"),
        (
            {"characters": [{"character_id": "npc", "character_session_id": "b0e4b0e4-0000-4000-8000-000000000000"}]},
            "it was held with another character",
        ),
    ],
)
def test_what_is_no_room(api: Api, control: Control, room: dict[str, Any], words: str) -> None:
    held = {"character_id": "else", "sessionID": "b0e4b0e4-0000-4000-8000-000000000000"}
    document = {"characters": [{"character_id": "npc"}, {"character_id": "else"}], "sessions": [held]}
    control.ok("POST", "/seed", document)
    before = control.state()
    answer = control.client.post("/_fake/seed", json={"rooms": [room]}, headers=api.headers("/_fake"))
    assert answer.status_code == 400
    assert words in answer.json()["ERROR"]
    assert control.state() == before
