"""The words that statements are made of: SQLAlchemy's, and our tables.

To import SQLAlchemy and to put two hundred statements together took as long as all else of a start. So until it has
to be compiled a statement is only its own text, from which it can be made. What it is for SQLite is known before, by
that text: `statements.json` beside this module, which `python -m docs.generate` writes. What is not there is compiled.
"""

import hashlib
import operator
import threading
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

KNOWN = Path(__file__).with_suffix(".json")
SCHEMA = "schema"
"""What the statements that make the tables are known by."""
_TABLES = Path(__file__).with_name("tables.py")

if TYPE_CHECKING:
    from sqlalchemy import BigInteger as BigInteger
    from sqlalchemy import BindParameter as BindParameter
    from sqlalchemy import ColumnElement as ColumnElement
    from sqlalchemy import FromClause as FromClause
    from sqlalchemy import ScalarSelect as ScalarSelect
    from sqlalchemy import Select as Select
    from sqlalchemy import Table as Table
    from sqlalchemy import Text as Text
    from sqlalchemy import and_ as and_
    from sqlalchemy import bindparam as bindparam
    from sqlalchemy import case as case
    from sqlalchemy import cast as cast
    from sqlalchemy import delete as delete
    from sqlalchemy import exists as exists
    from sqlalchemy import func as func
    from sqlalchemy import insert as insert
    from sqlalchemy import not_ as not_
    from sqlalchemy import or_ as or_
    from sqlalchemy import select as select
    from sqlalchemy import text as text
    from sqlalchemy import true as true
    from sqlalchemy import tuple_ as tuple_
    from sqlalchemy import update as update

    from fake_convai.store.tables import accounts as accounts
    from fake_convai.store.tables import activity as activity
    from fake_convai.store.tables import characters as characters
    from fake_convai.store.tables import conversations as conversations
    from fake_convai.store.tables import faults as faults
    from fake_convai.store.tables import journal as journal
    from fake_convai.store.tables import live_sessions as live_sessions
    from fake_convai.store.tables import ltm_usage as ltm_usage
    from fake_convai.store.tables import memories as memories
    from fake_convai.store.tables import memory_keys as memory_keys
    from fake_convai.store.tables import messages as messages
    from fake_convai.store.tables import partitions as partitions
    from fake_convai.store.tables import pending as pending
    from fake_convai.store.tables import rosters as rosters
    from fake_convai.store.tables import server as server
    from fake_convai.store.tables import snapshots as snapshots
    from fake_convai.store.tables import speakers as speakers
    from fake_convai.store.tables import stubs as stubs
    from fake_convai.store.tables import tokens as tokens
    from fake_convai.store.tables import turns as turns


_MAKING = threading.RLock()
"""A part that several statements share is made by one thread, and once."""


class Later:
    """A part of a statement that is not made yet: its text, and how to make it, once."""

    __slots__ = ("_made", "_make", "_text")

    def __init__(self, text: str, make: Callable[[], Any]) -> None:
        self._text = text
        self._make = make
        self._made: Any = None

    def __getattr__(self, name: str) -> "Later":
        if name.startswith("_"):
            raise AttributeError(name)
        return Later(f"{self._text}.{name}", lambda: getattr(made(self), name))

    def __getitem__(self, key: Any) -> "Later":
        return Later(f"{self._text}[{_text(key)}]", lambda: made(self)[made(key)])

    def __call__(self, *arguments: Any, **named: Any) -> "Later":
        listed = [*map(_text, arguments), *(f"{name}={_text(value)}" for name, value in named.items())]
        return Later(f"{self._text}({', '.join(listed)})", lambda: made(self)(*made(arguments), **made(named)))

    def __iter__(self) -> Iterator[Any]:
        return iter(made(self))

    def __invert__(self) -> "Later":
        return Later(f"~{self._text}", lambda: ~made(self))

    __hash__ = object.__hash__


def _operation(sign: str, function: Callable[[Any, Any], Any]) -> Callable[[Later, Any], Later]:
    def operate(self: Later, other: Any) -> Later:
        return Later(f"({self._text} {sign} {_text(other)})", lambda: function(made(self), made(other)))

    return operate


for _name, _sign, _function in (
    ("__eq__", "==", operator.eq),
    ("__ne__", "!=", operator.ne),
    ("__lt__", "<", operator.lt),
    ("__le__", "<=", operator.le),
    ("__gt__", ">", operator.gt),
    ("__ge__", ">=", operator.ge),
    ("__add__", "+", operator.add),
    ("__sub__", "-", operator.sub),
):
    setattr(Later, _name, _operation(_sign, _function))


UNKNOWN = "\0"
"""In the text of a statement that holds something already made: it is compiled each time."""


def _text(value: Any) -> str:
    """The text of a value, which tells it from every other."""
    if isinstance(value, Later):
        return value._text
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_text(name)}: {_text(one)}' for name, one in value.items())}}}"
    if value is None or isinstance(value, str | int | float):
        return repr(value)
    return f"{UNKNOWN}{id(value)}"


def made(value: Any) -> Any:
    """A value with all that is in it made."""
    if isinstance(value, Later):
        with _MAKING:
            if value._made is None:
                value._made = value._make()
        return value._made
    if isinstance(value, list | tuple):
        return type(value)(map(made, value))
    if isinstance(value, dict):
        return {made(name): made(one) for name, one in value.items()}
    return value


def key_of(statement: object) -> str | None:
    """What a statement is known by; None for one that is made already, or holds something that is."""
    if not isinstance(statement, Later) or UNKNOWN in statement._text:
        return None
    return hashlib.sha1(statement._text.encode()).hexdigest()[:16]


@cache
def known() -> dict[str, Any]:
    """What is known of the statements for SQLite, and of the schema; nothing once the tables are others."""
    try:
        found: dict[str, Any] = orjson.loads(KNOWN.read_bytes())
        return found["statements"] if found["tables"] == tables_digest() else {}
    except (OSError, ValueError, LookupError):
        return {}


def tables_digest() -> str:
    """What tells these tables from others."""
    return hashlib.sha1(_TABLES.read_bytes()).hexdigest()


def _find(name: str) -> Any:
    import sqlalchemy

    from fake_convai.store.tables import metadata

    table = metadata.tables.get(name)
    return getattr(sqlalchemy, name) if table is None else table


def of_dialect(dialect: str, name: str) -> Any:
    """A word that only one of the databases knows."""
    return Later(f"{dialect}.{name}", lambda: getattr(import_module(f"sqlalchemy.dialects.{dialect}"), name))


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Later:
        if name.startswith("_"):
            raise AttributeError(name)
        return Later(name, lambda: _find(name))
