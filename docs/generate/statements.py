"""What the store's statements are for SQLite: `fake_convai/store/statements.json`."""

import gc
import importlib
import json
import pkgutil
from collections.abc import Iterable, Sequence
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
    for given in product((True, False), repeat=3):
        tx.queries += end_users._list_queries(*given)
    return tx.queries


def statements() -> str:
    """The file."""
    for module in pkgutil.iter_modules(store.__path__, f"{store.__name__}."):
        if module.name not in OPTIONAL:
            importlib.import_module(module.name)
    there = [one for one in gc.get_objects() if isinstance(one, Query)]
    found = {query.key: query.compiled() for query in [*there, *_put_together_when_asked()] if query.key is not None}
    made: dict[str, Any] = {SCHEMA: compiled_script(), **dict(sorted(found.items()))}
    return json.dumps({"tables": tables_digest(), "statements": made}, indent=0) + "\n"
