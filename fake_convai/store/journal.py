"""The journal: what was asked and answered, the newest so many of each account."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import and_, bindparam, delete, insert, select, update

from fake_convai.store.query import Query, Transaction
from fake_convai.store.tables import accounts, journal

_account = bindparam("account_id", type_=journal.c.account_id.type)
_mine = journal.c.account_id.is_not_distinct_from(_account)
_names = ("account_id", "surface", "path", "status", "entry")
_values: dict[str, Any] = {name: bindparam(name) for name in _names}
_ADD = Query(insert(journal).values(_values))
_oldest_kept = (
    select(journal.c.journal_seq)
    .where(_mine)
    .order_by(journal.c.journal_seq.desc())
    .limit(1)
    .offset(bindparam("keep"))
    .scalar_subquery()
)
_TRIM = Query(delete(journal).where(_mine, journal.c.journal_seq <= _oldest_kept))
_COUNT_DROPPED = Query(
    update(accounts)
    .where(accounts.c.account_id == bindparam("the_account"))
    .values(journal_dropped=accounts.c.journal_dropped + bindparam("more"))
)
_DROPPED = Query(select(accounts.c.journal_dropped).where(accounts.c.account_id == bindparam("account_id")))
_DROPPED_BY_ALL = Query(select(accounts.c.journal_dropped))
_FORGET_DROPPED = Query(
    update(accounts).where(accounts.c.account_id == bindparam("the_account")).values(journal_dropped=0)
)
_FORGET_ALL_DROPPED = Query(update(accounts).values(journal_dropped=0))
_CLEAR = Query(delete(journal).where(_mine))
_CLEAR_ALL = Query(delete(journal))


@dataclass(frozen=True, slots=True)
class Entry:
    """A request and its answer; `content` is the rest of it as JSON."""

    account_id: int | None
    surface: str
    path: str
    status: int
    content: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries; what is None is not filtered by."""

    path: str | None = None
    surface: str | None = None
    status: int | None = None


def add(tx: Transaction, entries: Iterable[Entry], keep: int) -> None:
    """Write entries down, and drop the oldest of each account that has more than `keep`."""
    batch = list(entries)
    tx.run_many(
        _ADD,
        [
            {"account_id": e.account_id, "surface": e.surface, "path": e.path, "status": e.status, "entry": e.content}
            for e in batch
        ],
    )
    for account_id in {entry.account_id for entry in batch}:
        dropped = tx.run(_TRIM, account_id=account_id, keep=keep)
        if dropped and account_id is not None:
            tx.run(_COUNT_DROPPED, the_account=account_id, more=dropped)


def read(tx: Transaction, account_id: int | None, wanted: Wanted) -> list[dict[str, Any]]:
    """Entries, oldest first: an account's own, or everybody's when it is None."""
    query, parameters = _filtered(account_id is not None, wanted)
    return [orjson.loads(entry) for (entry,) in tx.all(query, account_id=account_id, **parameters)]


def dropped(tx: Transaction, account_id: int | None) -> int:
    """How many entries had to go."""
    rows = tx.all(_DROPPED_BY_ALL) if account_id is None else tx.all(_DROPPED, account_id=account_id)
    return sum(row[0] for row in rows)


def paths(tx: Transaction, account_id: int | None) -> list[str]:
    """The paths there are entries of, each once."""
    return sorted({entry["path"] for entry in read(tx, account_id, Wanted())})


def clear(tx: Transaction, account_id: int | None) -> None:
    """Empty an account's journal, or every one when it is None."""
    if account_id is None:
        tx.run(_CLEAR_ALL)
        tx.run(_FORGET_ALL_DROPPED)
    else:
        tx.run(_CLEAR, account_id=account_id)
        tx.run(_FORGET_DROPPED, the_account=account_id)


def _filtered(one_account: bool, wanted: Wanted) -> tuple[Query, dict[str, Any]]:
    parameters = {
        name: value
        for name, value in (("path", wanted.path), ("surface", wanted.surface), ("status", wanted.status))
        if value is not None
    }
    conditions = [journal.c[name] == bindparam(name) for name in parameters]
    if one_account:
        conditions.append(_mine)
    return Query(select(journal.c.entry).where(and_(True, *conditions)).order_by(journal.c.journal_seq)), parameters
