"""The journal: what was asked and answered, the newest so many of each account."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Text,
    and_,
    bindparam,
    cast,
    delete,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from fake_convai.store.query import Query, Transaction, insert_or_ignore
from fake_convai.store.tables import accounts, journal, server

_METHOD_AT, _METHOD_LENGTH = 38, 32

_mine = journal.c.account_id == bindparam("account_id")
_nobodys_entry = journal.c.account_id.is_(None)  # a condition of its own: "is not distinct from" uses no index
_names = ("account_id", "surface", "path", "status", "entry", "size")
_values: dict[str, Any] = {name: bindparam(name) for name in _names}
_ADD = Query(insert(journal).values(_values))


@dataclass(frozen=True, slots=True)
class _Bounds:
    """What is over the bounds: how much there is, and the statement that drops the oldest."""

    size: Query
    trim: Query


def _bounds(of_account: ColumnElement[bool]) -> _Bounds:
    newest_first = journal.c.journal_seq.desc()
    counted = (
        select(
            journal.c.journal_seq,
            func.row_number().over(order_by=newest_first).label("entries"),
            func.sum(journal.c.size).over(order_by=newest_first).label("bytes"),
        )
        .where(of_account)
        .subquery()
    )
    over = or_(counted.c.entries > bindparam("keep"), counted.c.bytes > bindparam("most_bytes"))
    newest_to_go = select(func.max(counted.c.journal_seq)).where(over).scalar_subquery()
    return _Bounds(
        Query(select(func.count(), func.coalesce(func.sum(journal.c.size), 0)).where(of_account)),
        Query(delete(journal).where(of_account, journal.c.journal_seq <= newest_to_go)),
    )


_MINE, _NOBODYS = _bounds(_mine), _bounds(_nobodys_entry)
_SIZE_OF_ALL = Query(select(func.coalesce(func.sum(journal.c.size), 0)))
_HOLD = Query(
    select(accounts.c.account_id)
    .where(accounts.c.account_id == bindparam("account_id"))
    .with_for_update(key_share=True)
)
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
# What could not be attributed to an account is counted beside the accounts.
_nobodys = server.c.name == "journal_dropped"
_NOBODYS_DROPPED = Query(select(server.c.value).where(_nobodys))
_ADD_NOBODYS_DROPPED = insert_or_ignore(server, "name", "value")
_COUNT_NOBODYS_DROPPED = Query(
    update(server)
    .where(_nobodys)
    .values(value=cast(cast(server.c.value, BigInteger) + bindparam("more", type_=BigInteger()), Text))
)
_FORGET_NOBODYS_DROPPED = Query(update(server).where(_nobodys).values(value="0"))
# The method stands at the same place of each entry of a surface: it tells them apart without reading them.
_kind = (journal.c.surface, journal.c.path, journal.c.status, func.substr(journal.c.entry, _METHOD_AT, _METHOD_LENGTH))
_met = select(*_kind[:3], func.min(journal.c.entry)).group_by(*_kind)
_MET, _MET_BY_ALL = Query(_met.where(_mine)), Query(_met)
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
    end_user_id: str | None = None
    """Whom the body of the request names."""
    after: int | None = None
    """How many entries, of those that there have been, come before the first that is wanted."""
    limit: int | None = None
    """How many, at most."""


def add(tx: Transaction, entries: Iterable[Entry]) -> None:
    """Write entries down."""
    tx.run_many(
        _ADD,
        [
            {
                "account_id": e.account_id,
                "surface": e.surface,
                "path": e.path,
                "status": e.status,
                "entry": e.content,
                "size": len(e.content),
            }
            for e in entries
        ],
    )


def trim(tx: Transaction, account_id: int | None, keep: int, most_bytes: int, dropped_before: int) -> None:
    """Drop the oldest entries of an account that has more than `keep` or more than `most_bytes`, and count them.

    `dropped_before` is how many were dropped before they could be written down.
    """
    bounds = _NOBODYS if account_id is None else _MINE
    row = tx.first(bounds.size, account_id=account_id)
    fits = row is None or (row[0] <= keep and row[1] <= most_bytes)
    if fits and not dropped_before:
        return
    if account_id is not None and tx.shared:
        tx.first(_HOLD, account_id=account_id)
    more = dropped_before
    if not fits:
        more += tx.run(bounds.trim, account_id=account_id, keep=keep, most_bytes=most_bytes)
    if account_id is not None:
        tx.run(_COUNT_DROPPED, the_account=account_id, more=more)
    else:
        tx.run(_ADD_NOBODYS_DROPPED, name="journal_dropped", value="0")
        tx.run(_COUNT_NOBODYS_DROPPED, more=more)


def read(tx: Transaction, account_id: int | None, wanted: Wanted) -> list[dict[str, Any]]:
    """Entries, oldest first: an account's own, or everybody's when it is None."""
    conditions, parameters = _conditions(account_id is not None, wanted)
    if wanted.after is not None:
        parameters["passed"] = max(0, wanted.after - dropped(tx, account_id))
        numbers = select(journal.c.journal_seq).where(true() if account_id is None else _mine)
        first = numbers.order_by(journal.c.journal_seq).limit(1).offset(bindparam("passed"))
        conditions.append(journal.c.journal_seq >= first.scalar_subquery())
    if wanted.end_user_id is not None:
        escaped = re.sub("[/%_]", r"/\g<0>", orjson.dumps(wanted.end_user_id).decode())
        parameters["like"] = f"%{escaped}%"  # most others need not be parsed then
        conditions.append(journal.c.entry.like(bindparam("like"), escape="/"))
    statement = select(journal.c.entry).where(and_(True, *conditions)).order_by(journal.c.journal_seq)
    if wanted.limit is not None and wanted.end_user_id is None:
        statement = statement.limit(bindparam("row_limit"))
        parameters["row_limit"] = wanted.limit
    entries = [orjson.loads(entry) for (entry,) in tx.all(Query(statement), account_id=account_id, **parameters)]
    if wanted.end_user_id is None:
        return entries
    return [one for one in entries if _is_about(one, wanted.end_user_id)][: wanted.limit]


def _is_about(entry: Mapping[str, Any], end_user_id: str) -> bool:
    body = entry["body"]
    return isinstance(body, dict) and body.get("end_user_id") == end_user_id


def size(tx: Transaction, account_id: int | None) -> int:
    """How many bytes the entries have: an account's own, or everybody's when it is None."""
    row = tx.first(_SIZE_OF_ALL) if account_id is None else tx.first(_MINE.size, account_id=account_id)
    return 0 if row is None else int(row[-1])


def dropped(tx: Transaction, account_id: int | None) -> int:
    """How many entries had to go."""
    rows = tx.all(_DROPPED_BY_ALL) if account_id is None else tx.all(_DROPPED, account_id=account_id)
    more = _nobodys_dropped(tx) if account_id is None else 0
    return more + sum(int(row[0]) for row in rows)


def _nobodys_dropped(tx: Transaction) -> int:
    row = tx.first(_NOBODYS_DROPPED)
    return 0 if row is None else int(row[0])


def values(tx: Transaction, account_id: int | None, name: str, wanted: Wanted) -> list[str]:
    """The values of `path`, `surface` or `status` among the entries, each once."""
    conditions, parameters = _conditions(account_id is not None, wanted)
    query = Query(select(journal.c[name]).where(and_(True, *conditions)).distinct().order_by(journal.c[name]))
    return [str(value) for (value,) in tx.all(query, account_id=account_id, **parameters)]


def met(tx: Transaction, account_id: int | None) -> Iterator[tuple[str, str, str, int]]:
    """Surface, method, path and status of what was asked: each once, but for routes that take several methods."""
    rows = tx.all(_MET_BY_ALL) if account_id is None else tx.all(_MET, account_id=account_id)
    for surface, path, status, entry in rows:
        yield surface, orjson.loads(entry)["method"], path, status


def clear(tx: Transaction, account_id: int | None) -> None:
    """Empty an account's journal, or every one when it is None."""
    if account_id is None:
        tx.run(_CLEAR_ALL)
        tx.run(_FORGET_ALL_DROPPED)
        tx.run(_FORGET_NOBODYS_DROPPED)
    else:
        tx.run(_CLEAR, account_id=account_id)
        tx.run(_FORGET_DROPPED, the_account=account_id)


def _conditions(one_account: bool, wanted: Wanted) -> tuple[list[ColumnElement[bool]], dict[str, Any]]:
    parameters = {
        name: value
        for name, value in (("path", wanted.path), ("surface", wanted.surface), ("status", wanted.status))
        if value is not None
    }
    conditions: list[ColumnElement[bool]] = [journal.c[name] == bindparam(name) for name in parameters]
    return [*conditions, _mine] if one_account else conditions, parameters
