"""The frames of live sessions that were sent and received, the newest so many of each account."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import ColumnElement, and_, bindparam, delete, insert, select, update

from fake_convai.store.query import Query, Transaction
from fake_convai.store.tables import accounts, characters, conversations, live_sessions, messages, speakers

_mine = messages.c.account_id == bindparam("account_id")
_names = ("account_id", "session_id", "direction", "type", "entry")
_values: dict[str, Any] = {name: bindparam(name) for name in _names}
_ADD = Query(insert(messages).values(_values))
_OF_SESSION = Query(
    select(conversations.c.character_session_id, characters.c.character_id, speakers.c.end_user_id)
    .join(live_sessions, live_sessions.c.conversation_seq == conversations.c.conversation_seq)
    .join(characters, characters.c.character_seq == conversations.c.character_seq)
    .join(speakers, speakers.c.speaker_id == live_sessions.c.speaker_id, isouter=True)
    .where(live_sessions.c.session_id == bindparam("session_id"))
)
_oldest_kept = select(messages.c.message_seq).where(_mine).order_by(messages.c.message_seq.desc())
_TRIM = Query(
    delete(messages).where(
        _mine, messages.c.message_seq <= _oldest_kept.limit(1).offset(bindparam("keep")).scalar_subquery()
    )
)
_COUNT_DROPPED = Query(
    update(accounts)
    .where(accounts.c.account_id == bindparam("the_account"))
    .values(messages_dropped=accounts.c.messages_dropped + bindparam("more"))
)
_DROPPED = Query(select(accounts.c.messages_dropped).where(accounts.c.account_id == bindparam("account_id")))
_DROPPED_BY_ALL = Query(select(accounts.c.messages_dropped))
_CLEAR, _CLEAR_ALL = Query(delete(messages).where(_mine)), Query(delete(messages))
_FORGET_DROPPED = Query(
    update(accounts).where(accounts.c.account_id == bindparam("the_account")).values(messages_dropped=0)
)
_FORGET_ALL_DROPPED = Query(update(accounts).values(messages_dropped=0))


@dataclass(frozen=True, slots=True)
class Entry:
    """A frame; `content` is what is shown of it, as JSON."""

    account_id: int
    session_id: str
    direction: str
    type: str | None
    content: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which frames; what is None is not filtered by."""

    session_id: str | None = None
    type: str | None = None
    direction: str | None = None


def whose(tx: Transaction, session_id: str) -> dict[str, str | None]:
    """The conversation that a session carries, its character and its person; None when they are gone."""
    row = tx.first(_OF_SESSION, session_id=session_id) or (None, None, None)
    return dict(zip(("character_session_id", "character_id", "end_user_id"), row, strict=True))


def add(tx: Transaction, entries: Iterable[Entry]) -> None:
    """Write frames down."""
    tx.run_many(
        _ADD,
        [
            {
                "account_id": entry.account_id,
                "session_id": entry.session_id,
                "direction": entry.direction,
                "type": entry.type,
                "entry": entry.content,
            }
            for entry in entries
        ],
    )


def trim(tx: Transaction, account_id: int, keep: int, dropped_before: int) -> None:
    """Drop the oldest frames of an account that has more than `keep`, and count them."""
    more = tx.run(_TRIM, account_id=account_id, keep=keep) + dropped_before
    if more:
        tx.run(_COUNT_DROPPED, the_account=account_id, more=more)


def read(tx: Transaction, account_id: int | None, wanted: Wanted) -> list[dict[str, Any]]:
    """Frames, oldest first: an account's own, or everybody's when it is None."""
    given = {name: getattr(wanted, name) for name in ("session_id", "type", "direction")}
    parameters = {name: value for name, value in given.items() if value is not None}
    conditions: list[ColumnElement[bool]] = [messages.c[name] == bindparam(name) for name in parameters]
    if account_id is not None:
        conditions.append(_mine)
        parameters["account_id"] = account_id
    query = Query(select(messages.c.entry).where(and_(True, *conditions)).order_by(messages.c.message_seq))
    return [orjson.loads(entry) for (entry,) in tx.all(query, **parameters)]


def dropped(tx: Transaction, account_id: int | None) -> int:
    """How many frames had to go."""
    rows = tx.all(_DROPPED_BY_ALL) if account_id is None else tx.all(_DROPPED, account_id=account_id)
    return sum(int(row[0]) for row in rows)


def clear(tx: Transaction, account_id: int | None) -> None:
    """Forget an account's frames, or all when it is None."""
    if account_id is None:
        tx.run(_CLEAR_ALL)
        tx.run(_FORGET_ALL_DROPPED)
    else:
        tx.run(_CLEAR, account_id=account_id)
        tx.run(_FORGET_DROPPED, the_account=account_id)
