"""What the store's statements are for SQLite: `fake_convai/store/statements.json`."""

import importlib
import json
import pkgutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from fake_convai import store
from fake_convai.store import end_users, journal, messages
from fake_convai.store.query import Query, Row
from fake_convai.store.schema import compiled_script
from fake_convai.store.statements import SCHEMA, tables_digest

OPTIONAL = ("fake_convai.store.postgres",)
"""Modules that need an extra, and have no statements."""


class _Asked:
    """A transaction that only notes what it is asked; nothing is there."""

    shared = True

    def __init__(self) -> None:
        self.queries: list[Query] = []

    def all(self, query: Query, **parameters: Any) -> Sequence[Row]:
        self.queries.append(query)
        return []

    def first(self, query: Query, **parameters: Any) -> Row | None:
        self.queries.append(query)
        return None

    def insert(self, query: Query, **parameters: Any) -> int:
        return self.run(query)

    def run(self, query: Query, **parameters: Any) -> int:
        self.queries.append(query)
        return 0

    def run_many(self, query: Query, rows: Iterable[dict[str, Any]]) -> None:
        self.queries.append(query)


def _put_together_when_asked() -> list[Query]:
    """Those that depend on what is filtered by: what the fixture asks for."""
    tx = _Asked()
    for account, path, surface, status in product((1, None), ("/", None), ("beta", None), (200, None)):
        journal.read(tx, account, journal.Wanted(path=path, surface=surface, status=status))
    for account, session_id, kind, direction in product((1, None), ("a", None), ("b", None), ("in", None)):
        messages.read(tx, account, messages.Wanted(session_id=session_id, type=kind, direction=direction))
    for given in product((True, False), repeat=4):
        tx.queries += end_users._list_queries(*given)
    return tx.queries


def _in(value: Any) -> Iterator[Query]:
    """The statements that a value of a module holds: whatever else this process has made does not count."""
    if isinstance(value, Query):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _in(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _in(one)
    elif type(value).__module__.startswith(store.__name__) and hasattr(value, "__dict__"):
        yield from _in(vars(value))


def statements() -> str:
    """The file."""
    names = {module.name for module in pkgutil.iter_modules(store.__path__, f"{store.__name__}.")} - {*OPTIONAL}
    there = [query for name in names for query in _in(vars(importlib.import_module(name)))]
    found = {query.key: query.compiled() for query in [*there, *_put_together_when_asked()] if query.key is not None}
    made: dict[str, Any] = {SCHEMA: compiled_script(), **dict(sorted(found.items()))}
    return json.dumps({"tables": tables_digest(), "statements": made}, indent=0) + "\n"
