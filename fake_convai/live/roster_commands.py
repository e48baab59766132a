"""What commands to a room with several characters do in the database, each in one transaction."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from fake_convai.domain.errors import Forbidden, NotFound
from fake_convai.domain.roster import CommandRefused, Member, Roster
from fake_convai.live import roster_messages
from fake_convai.live.guest import Guest
from fake_convai.live.shapes import Sound
from fake_convai.store import rosters, sessions
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.rosters import RosterRoom
from fake_convai.store.sessions import Session, Wish


@dataclass(frozen=True, slots=True)
class Carried:
    """What came of a command, the room afterwards, and the sessions in it."""

    outcome: object
    room: RosterRoom
    sessions: Mapping[str, Mapping[str, Session]]


def carry_out(
    tx: AccountTransaction,
    here: RosterRoom,
    guests: Mapping[str, Guest],
    left: Collection[str],
    message: Mapping[str, Any],
    identity: str,
    holder: str,
) -> Carried:
    """Carry out a command on a copy of the room, which counts once it is committed. Raises `CommandRefused`."""
    roster_messages.check(message, here.roster)
    room = here.copy()

    def make(entries: list[dict[str, Any]]) -> list[Member]:
        try:
            members = rosters.new_members(tx, room, [rosters.part(tx, entry) for entry in entries], None)
        except (NotFound, Forbidden) as error:
            raise CommandRefused("character_not_found", error.message) from error
        for who, guest in guests.items():
            rosters.seat(tx, room, who, members, guest.wish)
        asker = guests.get(identity)
        rosters.let_some_fail(tx, room, members, None if asker is None else asker.wish.end_user_id)
        return members

    try:
        outcome = room.roster.heard(message, make)
    except CommandRefused:
        here.roster.commands = room.roster.commands
        raise
    save(tx, room, left)
    seats = {who: rosters.held(tx, mine, holder) for who, mine in room.people.items() if who in guests}
    return Carried(outcome, room, seats)


def save(tx: AccountTransaction, room: RosterRoom, left: Collection[str]) -> None:
    """Write down who is in the room, but for those who have `left`: also whom another replica has let in meanwhile."""
    stored = rosters.find(tx, "room_session_id", room.room_session_id)
    if stored is not None:
        room.people |= {who: mine for who, mine in stored.people.items() if who not in room.people and who not in left}
    rosters.save(tx, room)


def admitted(tx: AccountTransaction, room: RosterRoom, identity: str, holder: str) -> tuple[RosterRoom, Guest] | None:
    """A person whom another replica let into the room, and the room with them."""
    stored = rosters.find(tx, "room_session_id", room.room_session_id)
    if stored is None or identity not in stored.people:
        return None
    key = room.shared_session_key
    wish = Wish(None, rosters.end_user_of(identity), None, {}, None, "livekit", shared_session_key=key)
    return stored, Guest(wish, Sound(), rosters.held(tx, stored.people[identity], holder))


def touch(tx: AccountTransaction, session_ids: Sequence[str]) -> None:
    """Who talks to one instance is there for all of them."""
    for session_id in session_ids:
        with suppress(sessions.SessionGone):
            sessions.touch(tx, session_id)


def concerned(message: Mapping[str, Any], roster: Roster) -> list[str]:
    """The characters that a command is about: those it names, else the whole group, else the active one."""
    data = message.get("data")
    data = data if isinstance(data, Mapping) else {}
    named = [data.get("target_membership_id")]
    for name in ("target_membership_ids", "remove_membership_ids"):
        named += data[name] if isinstance(data.get(name), list) else []
    found = [member.character_id for member in roster.members if member.membership_id in named]
    added = [one for one in data["add"] if isinstance(one, Mapping)] if isinstance(data.get("add"), list) else []
    found += [str(one.get("character_id")) for one in added]
    if not found and data.get("mode") in ("all", "open"):
        return [member.character_id for member in roster.members]
    active = [] if roster.active is None else [roster.active.character_id]
    return found or active
