"""The journal: what was asked and answered, the newest so many of each account."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from fake_convai.store.newest import Newest
from fake_convai.store.query import Query, Transaction, named
from fake_convai.store.statements import ColumnElement, and_, bindparam, func, insert, journal, select, true

_METHOD_AT, _METHOD_LENGTH = 38, 32

_mine = journal.c.account_id == bindparam("account_id")
_ADD = Query(insert(journal).values(named("account_id", "surface", "path", "status", "entry", "size")))

KEPT = Newest(journal, "journal_dropped")
# The method stands at the same place of each entry of a surface: it tells them apart without reading them.
_kind = (journal.c.surface, journal.c.path, journal.c.status, func.substr(journal.c.entry, _METHOD_AT, _METHOD_LENGTH))
_met = select(*_kind[:3], func.min(journal.c.entry), func.count()).group_by(*_kind)
_MET, _MET_BY_ALL = Query(_met.where(_mine)), Query(_met)


class Entry(NamedTuple):
    """A request and its answer; `entry` is the rest of it as JSON."""

    account_id: int | None
    surface: str
    path: str
    status: int
    entry: str


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
    tx.run_many(_ADD, [{**one._asdict(), "size": len(one.entry.encode())} for one in entries])


def read(tx: Transaction, account_id: int | None, wanted: Wanted) -> list[dict[str, Any]]:
    """Entries, oldest first: an account's own, or everybody's when it is None."""
    conditions, parameters = _conditions(account_id is not None, wanted)
    if wanted.after is not None:
        parameters["passed"] = max(0, wanted.after - KEPT.dropped(tx, account_id))
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


def values(tx: Transaction, account_id: int | None, name: str, wanted: Wanted) -> list[str]:
    """The values of `path`, `surface` or `status` among the entries, each once."""
    conditions, parameters = _conditions(account_id is not None, wanted)
    query = Query(select(journal.c[name]).where(and_(True, *conditions)).distinct().order_by(journal.c[name]))
    return [str(value) for (value,) in tx.all(query, account_id=account_id, **parameters)]


def met(tx: Transaction, account_id: int | None) -> Iterator[tuple[str, str, str, int, int]]:
    """Surface, method, path and status of what was asked, and how often."""
    rows = tx.all(_MET_BY_ALL) if account_id is None else tx.all(_MET, account_id=account_id)
    for surface, path, status, entry, count in rows:
        yield surface, orjson.loads(entry)["method"], path, status, count


def _conditions(one_account: bool, wanted: Wanted) -> tuple[list[ColumnElement[bool]], dict[str, Any]]:
    parameters = {
        name: value
        for name, value in (("path", wanted.path), ("surface", wanted.surface), ("status", wanted.status))
        if value is not None
    }
    conditions: list[ColumnElement[bool]] = [journal.c[name] == bindparam(name) for name in parameters]
    return [*conditions, _mine] if one_account else conditions, parameters
