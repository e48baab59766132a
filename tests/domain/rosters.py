"""A room of several characters, and the commands that it takes."""

import uuid
from typing import Any

import pytest

from fake_convai.domain.roster import (
    CommandRefused,
    Member,
    Roster,
)

ROOM = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"


def member(number: int, **fields: Any) -> Member:
    """A member that is ready."""
    return Member(
        membership_id=str(uuid.UUID(int=number, version=4)),
        character_id=f"character-{number % 2}",
        session_id=f"session-{number}",
        character_session_id=f"conversation-{number}",
        participant_identity=f"identity-{number}",
        display_name=f"Ada ({number})",
        **{"status": "ready", **fields},
    )


def room(*members: Member, **fields: Any) -> Roster:
    """A room whose first member is active."""
    everybody = list(members or (member(1, is_initial=True), member(2), member(3)))
    return Roster(ROOM, everybody, active_membership_id=everybody[0].membership_id, **{"group_chat": True, **fields})


def make(entries: list[dict[str, Any]]) -> list[Member]:
    """Members of what is to be added."""
    if any("character_id" not in entry for entry in entries):
        raise CommandRefused("character_not_found", "Unknown character.")
    return [member(100 + number, status="dispatch_accepted") for number, _ in enumerate(entries)]


def target(membership_id: object, epoch: object = 0, command_id: object = "command-1", **data: Any) -> dict[str, Any]:
    """The command that makes a member the active one."""
    data = {"room_session_id": ROOM, "target_membership_id": membership_id, "expected_route_epoch": epoch, **data}
    return {"type": "interaction-target", "id": command_id, "data": data}


def update(epoch: object = 0, command_id: str = "command-1", **data: Any) -> dict[str, Any]:
    """The command that changes who is in the room."""
    data = {"room_session_id": ROOM, "expected_roster_epoch": epoch, **data}
    return {"type": "character-roster-update", "id": command_id, "data": data}


def address(mode: str = "all", epoch: object = 0, command_id: str = "turn-1", **data: Any) -> dict[str, Any]:
    """A message to the group."""
    data = {"room_session_id": ROOM, "mode": mode, "expected_route_epoch": epoch, "text": "Hello.", **data}
    return {"type": "group-address", "label": "rtvi-ai", "id": command_id, "data": data}


def refusal(roster: Roster, command: dict[str, Any]) -> dict[str, Any]:
    """The extras of the refusal, which leaves the room as it was."""
    before = {**roster.dump(), "commands": None}
    with pytest.raises(CommandRefused) as caught:
        roster.heard(command, make)
    assert {**roster.dump(), "commands": None} == before
    return caught.value.extras


def ids(*numbers: int) -> list[str]:
    """Membership ids."""
    return [member(number).membership_id for number in numbers]
