"""Rooms with several characters: who is in them, found by every process (docs/contract.md section 9).

Each person has a session with each instance; an instance has one conversation, whoever talks to it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import orjson

from fake_convai.domain.errors import Conflict, NotFound
from fake_convai.domain.faults import ROOM_PATH
from fake_convai.domain.roster import Member, Roster, unique_names
from fake_convai.store import characters, conversations, faults, people, sessions, shared_rooms
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.characters import Character
from fake_convai.store.people import Person
from fake_convai.store.query import Query, named
from fake_convai.store.sessions import Session, Wish
from fake_convai.store.statements import (
    ColumnElement,
    bindparam,
    delete,
    insert,
    live_sessions,
    rosters,
    select,
    update,
)

INJECTED = "injected_fault"
"""Why an instance never came that a fault kept away."""

_COLUMNS = (
    rosters.c.room_session_id,
    rosters.c.room_name,
    rosters.c.shared_session_key,
    rosters.c.max_num_participants,
    rosters.c.roster,
    rosters.c.people,
)
_is_mine = rosters.c.account_id == bindparam("account_id")
_is_open = rosters.c.ended_at.is_(None)


def _find_by(locator: ColumnElement[bool]) -> Query:
    return Query(select(*_COLUMNS).where(_is_mine, locator, _is_open))


_FIND = {
    "room_session_id": _find_by(rosters.c.room_session_id == bindparam("locator")),
    "shared_session_key": _find_by(rosters.c.shared_session_key == bindparam("locator")),
    "room_name": _find_by(rosters.c.room_name == bindparam("locator")),
}
_INSERT = Query(insert(rosters).values(named("account_id", *(column.name for column in _COLUMNS))))
_SAVE = Query(
    update(rosters)
    .where(_is_mine, rosters.c.room_session_id == bindparam("the_room"))
    .values(roster=bindparam("roster"), people=bindparam("people"))
)
_CLOSE = Query(
    update(rosters).where(_is_mine, rosters.c.room_session_id == bindparam("the_room")).values(ended_at=bindparam("at"))
)
_TAKEN = Query(select(rosters.c.room_session_id).where(rosters.c.room_session_id == bindparam("room_session_id")))
_FORGET = Query(delete(rosters).where(_is_mine, rosters.c.room_session_id == bindparam("the_room")))
_OPEN_SESSIONS = Query(
    select(live_sessions.c.session_id).where(
        live_sessions.c.account_id == bindparam("account_id"),
        live_sessions.c.transport == "livekit",
        live_sessions.c.ended_at.is_(None),
    )
)
_OPEN = Query(select(*_COLUMNS).where(_is_mine, _is_open).order_by(rosters.c.room_session_id))


@dataclass(slots=True)
class RosterRoom:
    """A room with several characters, and the people in it: their sessions by membership, by their identity."""

    room_session_id: str
    room_name: str
    shared_session_key: str | None
    size: int
    roster: Roster
    people: dict[str, dict[str, str]]

    @classmethod
    def of(cls, row: Sequence[Any]) -> Self:
        """The room of a row."""
        room_session_id, room_name, key, size, roster, who = row
        return cls(room_session_id, room_name, key, size, Roster.load(orjson.loads(roster)), orjson.loads(who))

    def copy(self) -> "RosterRoom":
        """Another one like it."""
        people = {who: dict(mine) for who, mine in self.people.items()}
        return replace(self, roster=Roster.load(self.roster.dump()), people=people)

    def entries(self, identity: str) -> list[dict[str, Any]]:
        """The characters, as `/connect` says them to one person."""
        mine = self.people[identity]
        return [
            {**member.entry(), "session_id": mine.get(member.membership_id, member.session_id)}
            for member in self.roster.members
        ]


@dataclass(frozen=True, slots=True)
class Entered:
    """What `/connect` hands out for such a room."""

    room: RosterRoom
    identity: str
    end_user_id: str
    session_id: str
    request_trace_id: str
    now: int


@dataclass(frozen=True, slots=True)
class Part:
    """Whom an instance plays, and which conversation it goes on with."""

    character: Character
    character_session_id: str | None


def create(
    tx: AccountTransaction, wish: Wish, cast: Sequence[Part], max_sessions: int | None, *, group_chat: bool
) -> Entered:
    """Make a room with these characters, and let its first person in.

    Raises `NotFound` or `Forbidden` for a conversation to resume, `TooMany`, and `Conflict` for a locator in use.
    """
    tx.take_turn()
    sessions.check_limit(tx, max_sessions)
    for name, value in (("shared_session_key", wish.shared_session_key), ("room_name", wish.room_name)):
        if value is not None and (find(tx, name, value) or shared_rooms.is_shared(tx, name, value)):
            raise Conflict(f"{name} '{value}' is in use by an open room: join it with mode 'join'.")
    person = people.seen(tx, wish.end_user_id or "")
    room = empty_room(
        tx,
        room_session_id=None,
        room_name=wish.room_name,
        shared_session_key=wish.shared_session_key,
        size=wish.max_num_participants,
        group_chat=group_chat,
    )
    roster = room.roster
    roster.members = new_members(tx, room, cast, person)
    roster.members[0].is_initial = True
    roster.active_membership_id = roster.members[0].membership_id
    insert_room(tx, room)
    return _enter(tx, room, wish, person, is_new=True)


def empty_room(
    tx: AccountTransaction,
    *,
    room_session_id: str | None,
    room_name: str | None,
    shared_session_key: str | None,
    size: int,
    group_chat: bool,
) -> RosterRoom:
    """A room without characters and people. An id that another account's room has is made anew."""
    if room_session_id is None or tx.first(_TAKEN, room_session_id=room_session_id) is not None:
        room_session_id = tx.new_id()
    name = room_name or sessions.made_name(room_session_id)
    return RosterRoom(
        room_session_id, name, shared_session_key, size, Roster(room_session_id, [], group_chat=group_chat), {}
    )


def insert_room(tx: AccountTransaction, room: RosterRoom) -> None:
    """Write down a room that is new."""
    tx.run(
        _INSERT,
        room_session_id=room.room_session_id,
        room_name=room.room_name,
        shared_session_key=room.shared_session_key,
        max_num_participants=room.size,
        roster=orjson.dumps(room.roster.dump()).decode(),
        people=orjson.dumps(room.people).decode(),
    )


def forget(tx: AccountTransaction, room_session_id: str) -> None:
    """Take a room away, as if it had never been."""
    tx.run(_FORGET, the_room=room_session_id)


def join(tx: AccountTransaction, room: RosterRoom, wish: Wish, max_sessions: int | None) -> Entered:
    """Let somebody into a room. Raises `TooMany`, and `Conflict` when it is full."""
    sessions.check_limit(tx, max_sessions)
    if len(room.people) >= room.size:
        raise Conflict(f"The room of {room.room_session_id} is full: it takes {room.size} participants.")
    return _enter(tx, room, wish, people.seen(tx, wish.end_user_id or ""))


def find(tx: AccountTransaction, locator: str, value: str) -> RosterRoom | None:
    """The open room with this `room_session_id`, `shared_session_key` or `room_name`, under the account's turn: whoever
    asks is about to change it, and who is in it."""
    tx.take_turn()
    room = _living(tx, map(RosterRoom.of, tx.all(_FIND[locator], locator=value)))
    return room[0] if room else None


def together(tx: AccountTransaction, session: Session) -> list[str]:
    """The sessions that end when this one does: those of its person with each instance of the room."""
    room = None if session.transport != "livekit" else tx.first(_FIND["room_name"], locator=session.room_name)
    people = [] if room is None else RosterRoom.of(room).people.values()
    return next((list(mine.values()) for mine in people if session.session_id in mine.values()), [session.session_id])


def all_open(tx: AccountTransaction) -> list[RosterRoom]:
    """The open rooms of the account."""
    return _living(tx, map(RosterRoom.of, tx.all(_OPEN)))


def _living(tx: AccountTransaction, rooms: Iterable[RosterRoom]) -> list[RosterRoom]:
    """Rooms without the people whose sessions are over, as they are when the process that had them was killed; a room
    that only such people were in is over as well."""
    rooms = list(rooms)
    still = {session_id for (session_id,) in tx.all(_OPEN_SESSIONS)} if any(room.people for room in rooms) else set()
    living = []
    for room in rooms:
        here = {who: mine for who, mine in room.people.items() if still & set(mine.values())}
        if here or not room.people:
            living.append(replace(room, people=here))
    return living


def new_members(tx: AccountTransaction, room: RosterRoom, cast: Iterable[Part], person: Person | None) -> list[Member]:
    """Instances that are to come, each with a conversation of its own. Raises `NotFound` or `Forbidden`."""
    cast = list(cast)
    taken = [member.display_name for member in room.roster.members]
    names = unique_names((part.character.character_name for part in cast), taken)
    members = []
    for part, name in zip(cast, names, strict=True):
        seq = part.character.character_seq
        conversation = (
            conversations.begin(tx, seq, None if person is None else person.speaker_id)
            if part.character_session_id is None
            else conversations.find(tx, part.character_session_id, seq)
        )
        membership_id = tx.new_id()
        members.append(
            Member(
                membership_id=membership_id,
                character_id=part.character.character_id,
                session_id="",
                character_session_id=conversation.character_session_id,
                participant_identity=identity_of(membership_id),
                display_name=name,
            )
        )
    return members


def seat(tx: AccountTransaction, room: RosterRoom, identity: str, members: Iterable[Member], wish: Wish) -> None:
    """Give a person of the room a session with each of these instances."""
    person = people.seen(tx, wish.end_user_id or "")
    mine = room.people.setdefault(identity, {})
    for member in members:
        character = characters.usable(tx, member.character_id)
        conversation = conversations.find(tx, member.character_session_id, character.character_seq)
        session_id = tx.new_id()
        sessions.begin(tx, session_id, person, character, conversation, wish, room_name=room.room_name, size=room.size)
        mine[member.membership_id] = session_id
        member.session_id = member.session_id or session_id


def let_some_fail(tx: AccountTransaction, room: RosterRoom, members: Iterable[Member], end_user_id: str | None) -> None:
    """Faults of the path /room: instances that never come, whose sessions are over at once.

    The body of a fault may have a `failure_code`.
    """
    for member in members:
        who = {"character_id": member.character_id, "end_user_id": end_user_id}
        fault = faults.take(tx, "live", ROOM_PATH, who)
        if fault is None:
            continue
        code = fault.body.get("failure_code") if isinstance(fault.body, dict) else None
        code = code if isinstance(code, str) else INJECTED
        room.roster.fail(member.membership_id, code)
        if member.live:  # it is no member of the roster so far
            member.break_down(code)
        for mine in room.people.values():
            sessions.end(tx, mine.pop(member.membership_id))


def save(tx: AccountTransaction, room: RosterRoom) -> None:
    """Write down who is in the room."""
    tx.run(
        _SAVE,
        the_room=room.room_session_id,
        roster=orjson.dumps(room.roster.dump()).decode(),
        people=orjson.dumps(room.people).decode(),
    )


def close(tx: AccountTransaction, room_session_id: str) -> None:
    """The room is over."""
    tx.run(_CLOSE, the_room=room_session_id, at=tx.now)


def identity_of(membership_id: str) -> str:
    """What an instance is called in the LiveKit room."""
    return f"character-{membership_id}"


def end_user_of(identity: str) -> str:
    """Who a person of the room is, by what they are called in it."""
    return identity.rpartition("-")[0]


def part(tx: AccountTransaction, wanted: Mapping[str, Any]) -> Part:
    """The part of an entry of `characters`. Raises `NotFound` or `Forbidden`."""
    session_id = str(wanted.get("character_session_id") or "").strip() or None
    return Part(characters.usable(tx, str(wanted.get("character_id") or "").strip()), session_id)


def held(tx: AccountTransaction, mine: Mapping[str, str], holder: str) -> dict[str, Session]:
    """The open sessions of a person with each instance, which this process holds from now on."""
    found = {}
    for membership_id, session_id in mine.items():
        sessions.hold(tx, session_id, holder)
        session = sessions.find(tx, session_id)
        if session is not None and session.ended_at is None:
            found[membership_id] = session
    return found


def _enter(tx: AccountTransaction, room: RosterRoom, wish: Wish, person: Person, *, is_new: bool = False) -> Entered:
    identity = f"{wish.end_user_id}-{tx.new_id()[:8]}"
    alive = [member for member in room.roster.members if member.live]
    if not alive:
        raise NotFound("Nobody in the room can be talked to.")
    seat(tx, room, identity, alive, wish)
    session_id = room.people[identity][alive[0].membership_id]
    sessions.welcome(tx, person, wish, [characters.usable(tx, member.character_id) for member in alive])
    if is_new:
        let_some_fail(tx, room, alive, wish.end_user_id)
        session_id = next(iter(room.people[identity].values()), session_id)
    save(tx, room)
    return Entered(room, identity, wish.end_user_id or "", session_id, sessions.new_trace_id(tx), tx.now)
