"""Statements compiled once per database, and the transaction that runs them.

A transaction is a plain function of a `Transaction`. In memory it simply runs, on a SQLite file it is one call in a
worker thread, on PostgreSQL it runs in a greenlet beside the event loop: each time it commits as a whole or not at all,
and the queries read as ordinary code. A hop between threads for each statement would cost more than all.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from fake_convai.store.statements import (
    Select,
    Table,
    Text,
    bindparam,
    case,
    cast,
    func,
    key_of,
    known,
    made,
    of_dialect,
    select,
)

if TYPE_CHECKING:
    from sqlalchemy import BindParameter, Case, Column, Insert
    from sqlalchemy.sql import Executable

Row = Sequence[Any]


class Query:
    """A statement with named parameters, the same for both databases unless it is made from two."""

    def __init__(self, statement: "Executable", *, postgresql: "Callable[[], Executable] | None" = None) -> None:
        self._statement = statement
        self._postgresql = postgresql

    @cached_property
    def postgresql(self) -> "Executable":
        """The statement for SQLAlchemy to compile; its PostgreSQL parts are imported only when it is used."""
        statement: Executable = made(self._statement if self._postgresql is None else self._postgresql())
        return statement

    @cached_property
    def key(self) -> str | None:
        """What the statement is known by."""
        return key_of(self._statement)

    @cached_property
    def sqlite(self) -> tuple[str, dict[str, Any]]:
        """SQL for the driver, and the parameters that are part of the statement itself."""
        found = known().get(self.key or "")
        return self.compiled() if found is None else (found[0], found[1])

    def compiled(self) -> tuple[str, dict[str, Any]]:
        """The same, found out anew."""
        from sqlalchemy.dialects import sqlite
        from sqlalchemy.sql import ClauseElement
        from sqlalchemy.sql.compiler import SQLCompiler

        statement = made(self._statement)
        assert isinstance(statement, ClauseElement)
        compiled = statement.compile(dialect=sqlite.dialect(paramstyle="named"))
        assert isinstance(compiled, SQLCompiler)
        given = {name for name, bind in compiled.binds.items() if bind.required}
        return str(compiled), {name: value for name, value in compiled.params.items() if name not in given}


def named(*columns: str) -> "dict[str, BindParameter[Any]]":
    """Values for these columns: a parameter for each, of its name."""
    return {column: bindparam(column) for column in columns}


def insert_numbered(statement: "Insert", number: "Column[Any]") -> Query:
    """Insert a row for `Transaction.insert`, which tells its `number`: SQLite knows that without a RETURNING, which
    would cost as much as the row."""
    return Query(statement, postgresql=lambda: made(statement).returning(made(number)))


def insert_or_ignore(table: Table, *columns: str) -> Query:
    """Insert a row with these columns, unless it clashes with one that is there."""
    values = named(*columns)

    def of(dialect: str) -> Any:
        return of_dialect(dialect, "insert")(table).values(values).on_conflict_do_nothing()

    return Query(of("sqlite"), postgresql=lambda: of("postgresql"))


def for_each(parameters: str, make: "Callable[..., Executable]") -> Query:
    """A statement made from the texts of each parameter, which is a JSON array, and from the dialect's `insert`: the
    same statement for any number of them, and one to run it."""
    arrays = [bindparam(parameter, type_=Text()) for parameter in parameters.split()]

    def on_postgresql() -> "Executable":
        texts = [func.jsonb_array_elements_text(cast(array, of_dialect("postgresql", "JSONB"))) for array in arrays]
        return make(*map(_values, texts), of_dialect("postgresql", "insert"))

    return Query(
        make(*map(_values, map(func.json_each, arrays)), of_dialect("sqlite", "insert")), postgresql=on_postgresql
    )


def _values(texts: Any) -> "Select[Any]":
    return select(texts.table_valued("value").c.value)


IN_PASSING = 20_000
"""Characters of a text of which a page has many; longer ones would hold up everybody."""


def in_passing(column: Any) -> "Case[Any]":
    """A text that is never null, or null where it is too long to be read in passing."""
    return case((func.substr(column, IN_PASSING, 1) == "", column))


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

    def insert(self, query: Query, **parameters: Any) -> int:
        """Insert a row by a statement made with `insert_numbered`; returns its number."""

    def run(self, query: Query, **parameters: Any) -> int:
        """Run a statement that changes rows; returns how many."""

    def run_many(self, query: Query, rows: Iterable[dict[str, Any]]) -> None:
        """Run a statement once for each set of parameters."""
