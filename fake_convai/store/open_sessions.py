"""Open sessions of all accounts, as the sweep, the rooms and the keys look for them."""

from dataclasses import dataclass

from fake_convai.domain.clock import real_time
from fake_convai.store.query import Query, Transaction, insert_or_ignore
from fake_convai.store.sessions import COLUMNS, IS_OPEN, Session
from fake_convai.store.statements import (
    accounts,
    bindparam,
    case,
    delete,
    func,
    live_sessions,
    select,
    server,
    tuple_,
    update,
)

_ACCOUNT_OF_OPEN = Query(
    select(live_sessions.c.account_id).where(live_sessions.c.session_id == bindparam("the_session"), IS_OPEN)
)
_ABANDONED = Query(
    select(live_sessions.c.session_id, live_sessions.c.account_id).where(IS_OPEN, live_sessions.c.holder.is_not(None))
)
_now = case(
    (accounts.c.clock_frozen.is_not(None), accounts.c.clock_frozen),
    else_=bindparam("real_now") + accounts.c.clock_offset,
)
_IDLE = Query(
    select(
        live_sessions.c.session_id,
        live_sessions.c.account_id,
        _now - live_sessions.c.last_seen_at,
    )
    .join(accounts, accounts.c.account_id == live_sessions.c.account_id)
    .where(IS_OPEN, _now - live_sessions.c.last_seen_at >= bindparam("at_least"))
)
_JOINED = Query(
    select(*COLUMNS).where(
        live_sessions.c.session_id.like(bindparam("beginning")),
        live_sessions.c.transport == "livekit",
        live_sessions.c.holder.is_(None),
        IS_OPEN,
    )
)
_HELD = Query(select(live_sessions.c.session_id).where(live_sessions.c.holder == bindparam("by"), IS_OPEN))
_SET_BEAT = Query(update(server).where(server.c.name == bindparam("by")).values(value=bindparam("beat")))
_ADD_BEAT = insert_or_ignore(server, "name", "value")
_FORGET_BEAT = Query(delete(server).where(server.c.name == bindparam("by")))
_OTHERS = Query(
    select(live_sessions.c.holder, func.max(server.c.value))
    .outerjoin(server, server.c.name == live_sessions.c.holder)
    .where(IS_OPEN, live_sessions.c.holder != bindparam("by"))
    .group_by(live_sessions.c.holder)
)
_IN_ITS_ROOMS = Query(
    select(live_sessions.c.session_id, live_sessions.c.account_id).where(
        IS_OPEN,
        func.coalesce(live_sessions.c.holder, bindparam("by")) == bindparam("by"),
        tuple_(live_sessions.c.account_id, live_sessions.c.room_name).in_(
            select(live_sessions.c.account_id, live_sessions.c.room_name).where(
                live_sessions.c.holder == bindparam("by"), IS_OPEN
            )
        ),
    )
)


@dataclass(frozen=True, slots=True)
class Idle:
    """An open session and how long it has been quiet, in microseconds of its account's clock."""

    session_id: str
    account_id: int
    quiet_for: int


def joined(tx: Transaction, beginning: str) -> Session | None:
    """The open session of a room that begins like this and that nobody holds."""
    row = tx.first(_JOINED, beginning=f"{beginning}%")
    return None if row is None else Session(*row)


def account_of(tx: Transaction, session_id: str) -> int | None:
    """The account of a session that has not ended; None when it has, or never was."""
    row = tx.first(_ACCOUNT_OF_OPEN, the_session=session_id)
    return None if row is None else row[0]


def idle(tx: Transaction, at_least: int) -> list[Idle]:
    """Open sessions of all accounts that have been quiet for `at_least` microseconds."""
    return [Idle(*row) for row in tx.all(_IDLE, real_now=real_time(), at_least=at_least)]


def held(tx: Transaction, holder: str) -> set[str]:
    """The open sessions whose WebSocket this process has."""
    return {row[0] for row in tx.all(_HELD, by=holder)}


def beat(tx: Transaction, holder: str) -> None:
    """Say that this process, which has connections, is there."""
    now = str(real_time())
    if tx.run(_SET_BEAT, by=holder, beat=now) == 0:
        tx.run(_ADD_BEAT, name=holder, value=now)


def others(tx: Transaction, holder: str) -> dict[str, str | None]:
    """The other processes that have connections, and when each last said that it is there, by its own clock."""
    return {row[0]: row[1] for row in tx.all(_OTHERS, by=holder)}


def forget(tx: Transaction, holder: str) -> list[tuple[str, int]]:
    """A process is gone: the open sessions, with their accounts, of its connections and in its rooms."""
    tx.run(_FORGET_BEAT, by=holder)
    return [(row[0], row[1]) for row in tx.all(_IN_ITS_ROOMS, by=holder)]


def abandoned(tx: Transaction) -> list[tuple[str, int]]:
    """Open sessions, with their accounts, whose WebSocket some process had."""
    return [(row[0], row[1]) for row in tx.all(_ABANDONED)]
