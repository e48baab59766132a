"""`/connect` for rooms with several characters (docs/contract.md section 9)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fake_convai.api.endpoint import Call
from fake_convai.domain.errors import Conflict, Forbidden, Invalid, NotFound
from fake_convai.live.guest import Guest
from fake_convai.live.shapes import Sound
from fake_convai.store import rosters, sessions
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.rosters import Entered
from fake_convai.store.sessions import Wish

CHARACTER_NOT_FOUND = "Character not found or doesn't belong to user"
ROOM_ELSEWHERE = "The room is held by another replica: give all replicas one LiveKit server, with --livekit-url."
MISSING_END_USER_ID = "Missing end_user_id. end_user_id is required to share a room or to join one."


@dataclass(frozen=True, slots=True)
class RosterWish:
    """What a client asks of `/connect` that may concern a room with several characters."""

    cast: Sequence[Mapping[str, Any]] | None
    joins: tuple[str, str] | None
    """The locator of the room to join, and its value."""
    wish: Wish
    group_chat: bool
    sound: Sound
    name: str


async def enter(call: Call, wanted: RosterWish) -> dict[str, Any] | None:
    """Make a room with several characters, or join one; None when it is not about one."""
    if wanted.cast is None and wanted.joins is None:
        return None
    if wanted.wish.end_user_id is None:
        raise Invalid(MISSING_END_USER_ID)
    rooms = call.running.rooms
    place = await rooms.place()
    entered = await call.store.write(_enter, wanted, call.backend.settings.max_sessions)
    if entered is None:
        return None
    room, account_id = entered.room, call.store.account_id
    is_elsewhere = len(room.people) > 1 and not rooms.has_roster(room.room_session_id)
    for member in room.roster.members:
        if not member.live:
            because = f"{member.membership_id} of {member.character_id} does not come: {member.failure_code}"
            call.note.explain({"event": "instance", "because": because})
    token = place.token(account_id, room.room_name, entered.now, identity=entered.identity, name=wanted.name)
    if place.is_ours and is_elsewhere:
        await call.store.write(_leave, entered)
        raise Conflict(ROOM_ELSEWHERE)
    if place.nobody_comes is None and not is_elsewhere:
        seats = await call.store.write(rosters.held, room.people[entered.identity], call.hub.holder)
        rooms.perform(room, account_id, entered.identity, Guest(wanted.wish, wanted.sound, seats))
    elif place.nobody_comes is not None:
        call.note.explain({"event": "room", "because": place.nobody_comes})
    entries = room.entries(entered.identity)
    return {
        "session_id": entered.session_id,
        "request_trace_id": entered.request_trace_id,
        "character_session_id": entries[0]["character_session_id"],
        "room_url": rooms.address(place, call.request),
        "room_name": room.room_name,
        "token": token,
        "end_user_id": wanted.wish.end_user_id,
        "room_session_id": room.room_session_id,
        "active_membership_id": room.roster.active_membership_id,
        "route_epoch": room.roster.route_epoch,
        "roster_epoch": room.roster.roster_epoch,
        "partial_dispatch": any(not member.live for member in room.roster.members),
        "characters": entries,
    }


def _leave(tx: AccountTransaction, entered: Entered) -> None:
    for session_id in entered.room.people.pop(entered.identity).values():
        sessions.end(tx, session_id)
    rosters.save(tx, entered.room)


def _enter(tx: AccountTransaction, wanted: RosterWish, max_sessions: int | None) -> Entered | None:
    if wanted.cast is None:
        assert wanted.joins is not None
        room = rosters.find(tx, *wanted.joins)
        if room is None:
            return None
        return rosters.join(tx, room, wanted.wish, max_sessions)
    try:
        cast = [rosters.part(tx, one) for one in wanted.cast]
    except (NotFound, Forbidden):
        raise NotFound(CHARACTER_NOT_FOUND) from None
    return rosters.create(tx, wanted.wish, cast, max_sessions, group_chat=wanted.group_chat)
