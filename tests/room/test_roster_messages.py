"""What a room of several characters reads and says, without a room: the models, and the document made of them."""

import base64
import json
import uuid
from typing import Any

import pytest

from fake_convai.api.published import published
from fake_convai.backend.surface import Surface
from fake_convai.domain.roster import CommandRefused, Roster
from fake_convai.live.group_parts import Parts
from fake_convai.live.roster_messages import MAX_PARTS, check
from tests.openapi.contract import value_departures

ROOM = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
ADA = str(uuid.UUID(int=1, version=4))
LIVE = published(Surface.LIVE)
ANY_COMMAND = {"$ref": "#/components/schemas/RosterCommand"}


def target(command_id: object = "1", **data: Any) -> dict[str, Any]:
    """The command that makes a member the active one."""
    data = {"room_session_id": ROOM, "target_membership_id": ADA, "expected_route_epoch": 0, **data}
    return {"type": "interaction-target", "id": command_id, "data": data}


def update(**data: Any) -> dict[str, Any]:
    """The command that changes who is in the room."""
    return {
        "type": "character-roster-update",
        "id": "1",
        "data": {"room_session_id": ROOM, "expected_roster_epoch": 0, **data},
    }


def address(mode: str = "all", **data: Any) -> dict[str, Any]:
    """A message to the group."""
    data = {"room_session_id": ROOM, "mode": mode, "expected_route_epoch": 0, "text": "Hello.", **data}
    return {"type": "group-address", "label": "rtvi-ai", "id": "1", "data": data}


def part(**data: Any) -> dict[str, Any]:
    """A slice of a message to the group."""
    return {"type": "group-address-part", "id": "1", "data": {"index": 0, "count": 2, "payload": "e30=", **data}}


def refusal(command: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The extras of the refusal."""
    with pytest.raises(CommandRefused) as caught:
        check(command, Roster(ROOM, [], **{"group_chat": True, **fields}))
    return caught.value.extras


@pytest.mark.parametrize(
    "command",
    [
        target(),
        target(target_membership_id=None),
        update(),
        update(add=None, remove_membership_ids=None, replacement_target_membership_id=None),
        update(add=[{"character_id": "c"}], remove_membership_ids=[ADA], replacement_target_membership_id=ADA),
        address(),
        address("open"),
        address("tagged", target_membership_ids=[ADA]),
        part(),
        part(command_id="1"),
    ],
    ids=str,
)
def test_a_command_is_read_as_it_is_published(command: dict[str, Any]) -> None:
    assert value_departures(LIVE, ANY_COMMAND, command) == []
    if command["type"] == "group-address-part":
        assert Parts().take(command) is None
    else:
        check(command, Roster(ROOM, [], group_chat=True))


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (target(None), "invalid_command"),
        (target(""), "invalid_command"),
        (target("x" * 129), "invalid_command"),
        ({"type": "interaction-target", "id": "a", "data": []}, "invalid_command"),
        ({"type": "group-address", "id": "a"}, "invalid_command"),
        (target(room_session_id=None), "wrong_room"),
        (target(expected_route_epoch="0"), "invalid_route_epoch"),
        (target(expected_route_epoch=True), "invalid_route_epoch"),
        (update(expected_roster_epoch=None), "invalid_roster_epoch"),
        (update(add=["c"]), "invalid_command"),
        (update(add={"character_id": "c"}), "invalid_command"),
        (update(add=[{}]), "invalid_command"),
        (update(remove_membership_ids=5), "invalid_command"),
        (address("some"), "invalid_command"),
        (address(text=" "), "empty_message"),
        (address(text=5), "empty_message"),
        (address("tagged"), "empty_target_set"),
        (address("tagged", target_membership_ids=[]), "empty_target_set"),
    ],
    ids=str,
)
def test_what_never_reaches_the_room_has_a_code_only(command: dict[str, Any], code: str) -> None:
    assert refusal(command) == {"code": code}
    assert value_departures(LIVE, ANY_COMMAND, command)


def test_a_command_is_for_this_room() -> None:
    assert refusal(target(room_session_id=str(uuid.uuid4()))) == {"code": "wrong_room"}
    assert refusal(address(), group_chat=False) == {"code": "not_group_chat_room"}


@pytest.mark.parametrize(
    "data",
    [
        {"count": 0},
        {"count": MAX_PARTS + 1},
        {"count": "2"},
        {"index": -1},
        {"index": 2},
        {"payload": 5},
        {"command_id": "2"},
        {"count": 1, "payload": "no base64"},
        {"count": 1, "payload": base64.b64encode(b"[]").decode()},
    ],
    ids=str,
)
def test_a_part_that_cannot_be_right_is_refused_and_forgotten(data: dict[str, Any]) -> None:
    parts = Parts()
    assert parts.take(part()) is None
    with pytest.raises(CommandRefused) as caught:
        parts.take(part(**data))
    assert caught.value.extras == {"code": "invalid_command", "command_id": "1"}
    payload = base64.b64encode(json.dumps(address()).encode()).decode()
    assert parts.take(part(count=1, payload=payload)) == address()


def test_a_part_without_an_id_is_dropped() -> None:
    assert Parts().take({**part(), "id": ""}) is None
