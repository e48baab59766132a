"""The frames of live sessions that were sent and received, the newest so many of each account."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import orjson

from fake_convai.store.newest import Newest
from fake_convai.store.query import Query, Transaction, named
from fake_convai.store.statements import (
    ColumnElement,
    and_,
    bindparam,
    characters,
    conversations,
    func,
    insert,
    live_sessions,
    messages,
    select,
    speakers,
)

_mine = messages.c.account_id == bindparam("account_id")
_ADD = Query(insert(messages).values(named("account_id", "session_id", "direction", "type", "entry", "size")))
_held = conversations.join(live_sessions, live_sessions.c.conversation_seq == conversations.c.conversation_seq)
_OF_SESSION = Query(
    select(conversations.c.character_session_id, characters.c.character_id, speakers.c.end_user_id)
    .select_from(_held)
    .join(characters, characters.c.character_seq == conversations.c.character_seq)
    .join(speakers, speakers.c.speaker_id == live_sessions.c.speaker_id, isouter=True)
    .where(live_sessions.c.session_id == bindparam("session_id"))
)
_of_conversation = messages.c.session_id.in_(
    select(live_sessions.c.session_id)
    .select_from(_held)
    .where(conversations.c.character_session_id == bindparam("character_session_id"))
)
_met = select(messages.c.direction, messages.c.type, func.count()).group_by(messages.c.direction, messages.c.type)
_MET, _MET_BY_ALL = Query(_met.where(_mine)), Query(_met)
KEPT = Newest(messages, "messages_dropped")


class Entry(NamedTuple):
    """A frame; `entry` is what is shown of it, as JSON."""

    account_id: int
    session_id: str
    direction: str
    type: str | None
    entry: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which frames; what is None is not filtered by."""

    session_id: str | None = None
    character_session_id: str | None = None
    type: str | None = None
    direction: str | None = None


def whose(tx: Transaction, session_id: str) -> dict[str, str | None]:
    """The conversation that a session carries, its character and its person; None when they are gone."""
    row = tx.first(_OF_SESSION, session_id=session_id) or (None, None, None)
    return dict(zip(("character_session_id", "character_id", "end_user_id"), row, strict=True))


def add(tx: Transaction, entries: Iterable[Entry]) -> None:
    """Write frames down."""
    tx.run_many(_ADD, [{**one._asdict(), "size": len(one.entry.encode())} for one in entries])


def read(tx: Transaction, account_id: int | None, wanted: Wanted) -> list[dict[str, Any]]:
    """Frames, oldest first: an account's own, or everybody's when it is None."""
    parameters: dict[str, Any] = {name: value for name, value in asdict(wanted).items() if value is not None}
    conditions: list[ColumnElement[bool]] = [
        _of_conversation if name == "character_session_id" else messages.c[name] == bindparam(name)
        for name in parameters
    ]
    if account_id is not None:
        conditions.append(_mine)
        parameters["account_id"] = account_id
    query = Query(select(messages.c.entry).where(and_(True, *conditions)).order_by(messages.c.message_seq))
    return [orjson.loads(entry) for (entry,) in tx.all(query, **parameters)]


def met(tx: Transaction, account_id: int | None) -> dict[tuple[str, str | None], int]:
    """How many frames there are of each direction and type."""
    rows = tx.all(_MET_BY_ALL) if account_id is None else tx.all(_MET, account_id=account_id)
    return {(direction, kind): count for direction, kind, count in rows}
