"""Statements compiled once per database, and the transaction that runs them.

A transaction is a plain function of a `Transaction`. In memory it simply runs, on a SQLite file it is one call in a
worker thread, on PostgreSQL it runs in a greenlet beside the event loop: each time it commits as a whole or not at all,
and the queries read as ordinary code. A hop between threads for each statement would cost more than all.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, Protocol

import orjson
from sqlalchemy import Select, Table, Text, bindparam, cast, func, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import ClauseElement, Executable
from sqlalchemy.sql.compiler import SQLCompiler

Row = Sequence[Any]


class Query:
    """A statement with named parameters, the same for both databases unless it is made from two."""

    def __init__(self, statement: Executable, *, postgresql: Callable[[], Executable] | None = None) -> None:
        self._statement = statement
        self._postgresql = postgresql

    @cached_property
    def postgresql(self) -> Executable:
        """The statement for SQLAlchemy to compile; its PostgreSQL parts are imported only when it is used."""
        return self._statement if self._postgresql is None else self._postgresql()

    @cached_property
    def sqlite(self) -> tuple[str, dict[str, Any]]:
        """SQL for the driver, and the parameters that are part of the statement itself."""
        assert isinstance(self._statement, ClauseElement)
        compiled = self._statement.compile(dialect=sqlite.dialect(paramstyle="named"))
        assert isinstance(compiled, SQLCompiler)
        given = {name for name, bind in compiled.binds.items() if bind.required}
        return str(compiled), {name: value for name, value in compiled.params.items() if name not in given}


def insert_or_ignore(table: Table, *columns: str) -> Query:
    """Insert a row with these columns, unless it clashes with one that is there."""
    values: dict[str, Any] = {column: bindparam(column) for column in columns}

    def on_postgresql() -> Executable:
        from sqlalchemy.dialects.postgresql import insert

        return insert(table).values(values).on_conflict_do_nothing()

    return Query(sqlite.insert(table).values(values).on_conflict_do_nothing(), postgresql=on_postgresql)


def for_each(parameter: str, make: Callable[[Select[Any], Any], Executable]) -> Query:
    """A statement made from the texts of a parameter, which is a JSON array, and from the dialect's `insert`: the same
    statement for any number of them, and one to run it."""
    array = bindparam(parameter, type_=Text())

    def on_postgresql() -> Executable:
        from sqlalchemy.dialects.postgresql import JSONB, insert

        return make(select(func.jsonb_array_elements_text(cast(array, JSONB)).table_valued("value").c.value), insert)

    return Query(
        make(select(func.json_each(array).table_valued("value").c.value), sqlite.insert), postgresql=on_postgresql
    )


def array(texts: Iterable[str]) -> str:
    """Texts as a parameter of `for_each`."""
    return orjson.dumps(list(texts)).decode()


class Transaction(Protocol):
    """What a unit of work may do with the database."""

    @property
    def shared(self) -> bool:
        """Whether other transactions may run at the same time."""

    def all(self, query: Query, **parameters: Any) -> Sequence[Row]:
        """Every row of the result."""

    def first(self, query: Query, **parameters: Any) -> Row | None:
        """The first row, or None."""

    def run(self, query: Query, **parameters: Any) -> int:
        """Run a statement that changes rows; returns how many."""

    def run_many(self, query: Query, rows: Iterable[dict[str, Any]]) -> None:
        """Run a statement once for each set of parameters."""
