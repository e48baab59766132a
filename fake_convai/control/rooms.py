"""Rooms with several characters in a state and in a seed (docs/rooms.md)."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from fake_convai.control.seed_document import RoomCharacterPart, RoomPart
from fake_convai.domain.errors import Forbidden, Invalid, NotFound
from fake_convai.domain.roster import Roster
from fake_convai.store import conversations, rosters
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.characters import Character
from fake_convai.store.rosters import Part, RosterRoom

_OF_THE_ROSTER = ("group_chat", "active_membership_id", "route_epoch", "roster_epoch")


def export(tx: AccountTransaction, own: Collection[str], end_user_id: str | None) -> list[dict[str, Any]]:
    """The open rooms, with those of their characters that are the account's own; of a person those that they are in."""
    rooms = [_described(room, own) for room in rosters.all_open(tx)]
    return [
        room
        for room in rooms
        if room["characters"]
        and (end_user_id is None or end_user_id in [one["end_user_id"] for one in room["participants"]])
    ]


def _described(room: RosterRoom, own: Collection[str]) -> dict[str, Any]:
    roster = room.roster
    return {
        "room_session_id": room.room_session_id,
        "room_name": room.room_name,
        "shared_session_key": room.shared_session_key,
        "max_num_participants": room.size,
        **{name: getattr(roster, name) for name in _OF_THE_ROSTER},
        "characters": [
            {name: getattr(member, name) for name in RoomCharacterPart.model_fields}
            for member in roster.members
            if member.character_id in own
        ],
        "participants": [
            {"participant_identity": identity, "end_user_id": rosters.end_user_of(identity)} for identity in room.people
        ],
    }


def plant(tx: AccountTransaction, parts: Sequence[RoomPart], own: Mapping[str, Character]) -> None:
    """Make rooms that nobody is in so far; one that people are in stays as it is.

    Raises `Invalid`, naming the place.
    """
    for number, part in enumerate(parts):
        try:
            _plant(tx, part, own)
        except (Invalid, NotFound, Forbidden) as error:
            raise Invalid(f"Invalid seed document at 'rooms[{number}]': {error.message}") from error


def _plant(tx: AccountTransaction, part: RoomPart, own: Mapping[str, Character]) -> None:
    locators = {name: getattr(part, name) for name in ("room_session_id", "shared_session_key", "room_name")}
    there = [room for name, value in locators.items() if value and (room := rosters.find(tx, name, value))]
    if any(room.people for room in there):
        return
    room_session_id = part.room_session_id or (there[0].room_session_id if there else None)
    for room in there:
        rosters.forget(tx, room.room_session_id)
    room = rosters.empty_room(
        tx,
        room_session_id=room_session_id,
        room_name=part.room_name,
        shared_session_key=part.shared_session_key,
        size=part.max_num_participants,
        group_chat=part.group_chat,
    )
    _cast(tx, part, room, own)
    rosters.insert_room(tx, room)


def _cast(tx: AccountTransaction, part: RoomPart, room: RosterRoom, own: Mapping[str, Character]) -> None:
    roster: Roster = room.roster
    cast = []
    for one in part.characters:
        character = own.get(one.character_id)
        if character is None:
            raise NotFound(f"no character '{one.character_id}' in the document or the account.")
        session_id = one.character_session_id
        if session_id is not None and not conversations.characters_of(tx, [session_id]):
            conversations.begin(tx, character.character_seq, None, session_id=session_id)
        cast.append(Part(character, session_id))
    roster.members = rosters.new_members(tx, room, cast, None)
    for member, one in zip(roster.members, part.characters, strict=True):
        member.membership_id = one.membership_id or member.membership_id
        member.participant_identity = rosters.identity_of(member.membership_id)
        if one.status in ("failed", "dispatch_failed"):
            member.status, member.failure_code = one.status, one.failure_code
    initial = [one.is_initial for one in part.characters]
    roster.members[initial.index(True) if True in initial else 0].is_initial = True
    if len({member.membership_id for member in roster.members}) < len(roster.members):
        raise Invalid("two characters have the same membership_id.")
    roster.route_epoch, roster.roster_epoch = part.route_epoch, part.roster_epoch
    active = next((member.membership_id for member in roster.members if member.live), None)
    if "active_membership_id" in part.model_fields_set:
        active = part.active_membership_id
        if active is not None and roster.member(active) is None:
            raise Invalid("active_membership_id is that of none of its characters.")
    roster.active_membership_id = active
