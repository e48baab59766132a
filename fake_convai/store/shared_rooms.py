"""Rooms with one character that several people share, each with a session of their own."""

from dataclasses import dataclass

from fake_convai.domain.errors import Conflict, NotFound
from fake_convai.store import characters
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.characters import Character
from fake_convai.store.query import Query
from fake_convai.store.statements import ColumnElement, bindparam, live_sessions, select


def _participants(locator: ColumnElement[bool]) -> Query:
    """The open sessions of a room, the one that made it first."""
    return Query(
        select(live_sessions.c.room_name, live_sessions.c.max_num_participants, live_sessions.c.conversation_seq)
        .where(live_sessions.c.account_id == bindparam("account_id"), locator, live_sessions.c.ended_at.is_(None))
        .order_by(live_sessions.c.started_at, live_sessions.c.session_id)
    )


_BY = {
    name: _participants(live_sessions.c[name] == bindparam("locator")) for name in ("shared_session_key", "room_name")
}


@dataclass(frozen=True, slots=True)
class Room:
    """An open room that people share."""

    name: str
    size: int
    conversation_seq: int


def is_shared(tx: AccountTransaction, locator: str, value: str) -> bool:
    """Whether an open room has this `shared_session_key` or `room_name`."""
    return bool(tx.all(_BY[locator], locator=value))


def find(tx: AccountTransaction, locator: str, value: str, *, character: Character | None, join: bool) -> Room | None:
    """The room to join, None when it is to be made (docs/contract.md section 9).

    Raises `NotFound` for one to join that is not there, `Conflict` for one that does not fit.
    """
    called = f"{locator} '{value}'"
    participants = tx.all(_BY[locator], locator=value)
    if not join:
        if participants:
            raise Conflict(f"{called} is in use by an open room: join it with mode 'join'.")
        return None
    if not participants:
        raise NotFound(f"{called} has no open room: make it with mode 'create'.")
    room = Room(*participants[0])
    if character is not None:
        present = characters.of_conversation(tx, room.conversation_seq)
        if present.character_seq != character.character_seq:
            raise Conflict(f"{called} belongs to a room of another character.")
    if len(participants) >= room.size:
        raise Conflict(f"The room of {called} is full: it takes {room.size} participants.")
    return room
