"""PostgreSQL through asyncpg, for a fake that outgrows one process.

SQLAlchemy writes the statements and bridges from plain functions to the event loop; asyncpg runs them, which costs a
fraction of what SQLAlchemy's own execution does.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from functools import lru_cache
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.util import await_only, greenlet_spawn

from fake_convai.domain.errors import Unavailable
from fake_convai.domain.long_work import aside
from fake_convai.store.query import Query, Row, Transaction

T = TypeVar("T")

POOL_SIZE = 20
"""Connections of a process at most."""
CONNECT_SECONDS = 10
"""Until a request stops waiting for a connection."""
STATEMENT_SECONDS = 30
"""Until a request stops waiting for one statement, be it for a lock or for a network that has gone silent."""

_DIALECT = make_url("postgresql+asyncpg://").get_dialect()()
_NO_ANSWER = "The database does not answer."
_CONTENDED = "Too many requests change the same data at the same moment: send it again."
_REASONS = {
    "25006": "The database does not answer: it is read-only.",
    "53100": "The database does not answer: its disk is full.",
}
_ATTEMPTS = 10
_PAUSE = 0.01
# Serialization failure and deadlock; and what was found has been deleted, or what was missing has been made.
_CONFLICTS = frozenset({"40001", "40P01", "23503", "23505"})
_GONE = ("08", "25006", "28", "3D", "53", "57")
"""SQLSTATE: connection, read-only, refused, no such database, no room for more, shutdown."""

Connect = Callable[[], AbstractAsyncContextManager[Any]]


def _text(value: object) -> str:
    if not isinstance(value, str):  # SQLAlchemy collects what is said twice
        raise TypeError
    return value


_OPTIONS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    **{
        name: (name, _text)
        for name in (
            "database",
            "passfile",
            "password",
            "service",
            "servicefile",
            "ssl",
            "target_session_attrs",
            "user",
        )
    },
    "application_name": ("server_settings", lambda name: {"application_name": _text(name)}),
    "command_timeout": ("command_timeout", float),
    "host": ("host", lambda host: host),
    "port": ("port", lambda port: port),
    "prepared_statement_cache_size": ("statement_cache_size", int),
    "sslmode": ("ssl", _text),
    "statement_cache_size": ("statement_cache_size", int),
    "timeout": ("timeout", float),
}
"""Options of a URL, of SQLAlchemy's, asyncpg's and libpq's: what asyncpg calls each, and how its text is read."""


class _TryAgain(Unavailable):
    """Nothing of the transaction has happened, and the next attempt may well succeed."""


class _PostgresTransaction:
    shared = True

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def all(self, query: Query, **parameters: Any) -> Sequence[Row]:
        sql, names = _compiled(query)
        rows: Sequence[Row] = await_only(self._connection.fetch(sql, *_in_order(names, parameters)))
        return rows

    def first(self, query: Query, **parameters: Any) -> Row | None:
        sql, names = _compiled(query)
        row: Row | None = await_only(self._connection.fetchrow(sql, *_in_order(names, parameters)))
        return row

    def insert(self, query: Query, **parameters: Any) -> int:
        row = self.first(query, **parameters)
        assert row is not None
        number: int = row[0]
        return number

    def run(self, query: Query, **parameters: Any) -> int:
        sql, names = _compiled(query)
        status: str = await_only(self._connection.execute(sql, *_in_order(names, parameters)))
        return int(status.rpartition(" ")[2])  # such as "INSERT 0 1" or "DELETE 2"

    def run_many(self, query: Query, rows: Iterable[dict[str, Any]]) -> None:
        sql, names = _compiled(query)
        await_only(self._connection.executemany(sql, [_in_order(names, row) for row in rows]))


class PostgresDatabase:
    """A database that several replicas share. Work that must not meet takes locks, in the order that docs/design.md
    gives."""

    shared = True
    lasting = True

    def __init__(self, url: str) -> None:
        self._options = server_options(url)
        self._pool: Any = None

    async def open(self) -> None:
        """Make the pool; connections are opened when first needed, the schema has been migrated before."""
        self._pool = await asyncpg.create_pool(
            **{"command_timeout": STATEMENT_SECONDS, **self._options}, min_size=0, max_size=POOL_SIZE, reset=_leave
        )

    async def close(self) -> None:
        """Close every connection of the pool."""
        pool, self._pool = self._pool, None
        if pool is not None:
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    await pool.close()
            except TimeoutError:
                pool.terminate()

    async def read(self, work: Callable[[Transaction], T], *, long: bool = False) -> T:
        """Run `work` in a transaction."""
        return await self.write(work, long=long)

    async def write(self, work: Callable[[Transaction], T], *, long: bool = False) -> T:
        """Run `work` in a transaction; a lost connection is `Unavailable`, and the next call gets a new one.

        It is run again when another transaction came in its way, and when its connection turned out to be lost before
        it began. Long work gets an event loop of its own, in a thread, and so a connection of its own.
        """
        if self._pool is None:
            raise Unavailable("The database is closed: the server is starting or stopping.")
        if long:
            return await aside(lambda: asyncio.run(self._insist(self._connection_of_its_own, work)))
        return await self._insist(self._connection_of_the_pool, work)

    def _connection_of_the_pool(self) -> AbstractAsyncContextManager[Any]:
        acquired: AbstractAsyncContextManager[Any] = self._pool.acquire(timeout=CONNECT_SECONDS)
        return acquired

    @asynccontextmanager
    async def _connection_of_its_own(self) -> AsyncIterator[Any]:
        connection = await asyncpg.connect(**{**self._options, "timeout": CONNECT_SECONDS})
        try:
            yield connection
        finally:
            connection.terminate()

    async def _insist(self, connect: Connect, work: Callable[[Transaction], T]) -> T:
        for attempt in range(1, _ATTEMPTS):
            with suppress(_TryAgain):
                return await self._attempt(connect, work)
            # Whoever came in the way has the right of way; two that met do not meet again.
            await asyncio.sleep(random.uniform(0, _PAUSE * attempt))
        try:
            return await self._attempt(connect, work)
        except _TryAgain as error:
            raise Unavailable(error.message) from error.__cause__

    async def _attempt(self, connect: Connect, work: Callable[[Transaction], T]) -> T:
        lost_while_idle = False
        try:
            async with connect() as connection:
                lost_while_idle = True
                with _hang_up_on_failure(connection):
                    async with connection.transaction():
                        lost_while_idle = False
                        with _hang_up_on_failure(connection):  # which would not answer the ROLLBACK either
                            return await greenlet_spawn(work, _PostgresTransaction(connection))
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
            unavailable = _unavailable(error, lost_while_idle=lost_while_idle)
            if unavailable is None:
                raise
            raise unavailable from error


@contextmanager
def _hang_up_on_failure(connection: Any) -> Iterator[None]:
    """Give up a connection that is silent, or that asyncpg no longer understands; the pool makes another."""
    try:
        yield
    except (TimeoutError, asyncpg.InternalClientError):
        connection.terminate()
        raise
    except asyncpg.InterfaceError as error:  # a misused driver, unless the connection has gone
        if _is_gone(connection):
            raise asyncpg.ConnectionDoesNotExistError(str(error)) from error
        raise


def _is_gone(connection: Any) -> bool:
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:  # the pool takes back what breaks
        return True


async def _leave(connection: Any) -> None:
    """What the pool does to a connection that is given back: nothing, since a transaction leaves nothing behind."""


def _unavailable(error: Exception, *, lost_while_idle: bool) -> Unavailable | None:
    """What an error means to the caller; None when the statement was wrong."""
    sqlstate = getattr(error, "sqlstate", None) or ""
    if sqlstate in _CONFLICTS:
        return _TryAgain(_CONTENDED)
    lost = sqlstate.startswith(_GONE) or not (sqlstate or isinstance(error, asyncpg.InterfaceError))
    if lost and lost_while_idle and not isinstance(error, TimeoutError):
        return _TryAgain(_NO_ANSWER)
    return Unavailable(_REASONS.get(sqlstate, _NO_ANSWER)) if lost else None


@lru_cache(maxsize=1_000)
def _compiled(query: Query) -> tuple[str, tuple[tuple[str, Any], ...]]:
    """SQL for the driver and its parameters in order, each with the value it has when none is given."""
    statement = query.postgresql
    assert isinstance(statement, ClauseElement)
    compiled = statement.compile(dialect=_DIALECT)
    assert isinstance(compiled, SQLCompiler)
    return str(compiled), tuple((name, compiled.params[name]) for name in compiled.positiontup or ())


def server_options(url: str) -> dict[str, Any]:
    """What asyncpg is to be told by a SQLAlchemy URL; `ValueError`, in one line, for what it cannot be told."""
    try:
        parsed = make_url(url)
        _, options = _DIALECT.create_connect_args(parsed)
    except (ArgumentError, ValueError) as error:
        raise ValueError(f"not a URL of a PostgreSQL database ({error})") from None
    for name in parsed.query:
        if name not in _OPTIONS:
            raise ValueError(f"the option {name} is not known: there are {', '.join(sorted(_OPTIONS))}")
    told: dict[str, Any] = {}
    for name, value in options.items():
        known, read = _OPTIONS[name]
        try:
            told[known] = read(value)
        except (TypeError, ValueError):
            raise ValueError(f"the option {name} cannot be {value!r}") from None
    return told


def _in_order(names: tuple[tuple[str, Any], ...], parameters: dict[str, Any]) -> list[Any]:
    return [parameters.get(name, default) for name, default in names]
