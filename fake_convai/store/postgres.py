"""PostgreSQL through asyncpg, for a fake that outgrows one process.

SQLAlchemy writes the statements and bridges from plain functions to the event loop; asyncpg runs them, which costs a
fraction of what SQLAlchemy's own execution does.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import make_url
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.util import await_only, greenlet_spawn

from fake_convai.domain.errors import Unavailable
from fake_convai.store.query import DialectName, Query, Row, Transaction

T = TypeVar("T")

POOL_SIZE = 20
"""Connections of a process at most."""
CONNECT_SECONDS = 10
"""Until a request stops waiting for a connection."""
STATEMENT_SECONDS = 30
"""Until a request stops waiting for one statement, be it for a lock or for a network that has gone silent."""

_DIALECT = make_url("postgresql+asyncpg://").get_dialect()()
_NO_ANSWER = "The database does not answer."
_ATTEMPTS = 5
_CONFLICTS = frozenset({"40001", "40P01"})  # serialization failure, deadlock
_GONE = ("08", "3D", "53", "57")  # classes of SQLSTATE: connection, no such database, too many connections, shutdown


class _TryAgain(Unavailable):
    """Nothing of the transaction has happened, and the next attempt may well succeed."""


class _PostgresTransaction:
    dialect: DialectName = "postgresql"

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

    def run(self, query: Query, **parameters: Any) -> int:
        sql, names = _compiled(query)
        status: str = await_only(self._connection.execute(sql, *_in_order(names, parameters)))
        return int(status.rpartition(" ")[2])  # such as "INSERT 0 1" or "DELETE 2"

    def run_many(self, query: Query, rows: Iterable[dict[str, Any]]) -> None:
        sql, names = _compiled(query)
        await_only(self._connection.executemany(sql, [_in_order(names, row) for row in rows]))


class PostgresDatabase:
    """A database that several replicas share. Work that must not meet locks the rows it starts from."""

    dialect: DialectName = "postgresql"

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: Any = None

    async def open(self) -> None:
        """Make the pool; connections are opened when first needed, the schema has been migrated before."""
        _, options = _DIALECT.create_connect_args(make_url(self._url))
        self._pool = await asyncpg.create_pool(
            **options, min_size=0, max_size=POOL_SIZE, command_timeout=STATEMENT_SECONDS, reset=_leave
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

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction."""
        return await self.write(work)

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction; a lost connection is `Unavailable`, and the next call gets a new one.

        It is run again when PostgreSQL ended it because two transactions waited for each other, and when its
        connection turned out to be lost before it began.
        """
        for _ in range(_ATTEMPTS - 1):
            with suppress(_TryAgain):
                return await self._attempt(work)
        return await self._attempt(work)

    async def _attempt(self, work: Callable[[Transaction], T]) -> T:
        if self._pool is None:
            raise Unavailable("The database is closed: the server is starting or stopping.")
        lost_while_idle = False
        try:
            async with self._pool.acquire(timeout=CONNECT_SECONDS) as connection:
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


async def _leave(connection: Any) -> None:
    """What the pool does to a connection that is given back: nothing, since a transaction leaves nothing behind."""


def _unavailable(error: Exception, *, lost_while_idle: bool) -> Unavailable | None:
    """What an error of the connection means to the caller; None for an error of a statement."""
    sqlstate = getattr(error, "sqlstate", None) or ""
    # asyncpg's InterfaceError is a ValueError as well when a parameter cannot be sent.
    lost = sqlstate.startswith(_GONE) or (not sqlstate and not isinstance(error, ValueError))
    if sqlstate in _CONFLICTS or (lost and lost_while_idle and not isinstance(error, TimeoutError)):
        return _TryAgain(_NO_ANSWER)
    return Unavailable(_NO_ANSWER) if lost else None


@lru_cache(maxsize=1_000)
def _compiled(query: Query) -> tuple[str, tuple[tuple[str, Any], ...]]:
    """SQL for the driver and its parameters in order, each with the value it has when none is given."""
    statement = query.postgresql
    assert isinstance(statement, ClauseElement)
    compiled = statement.compile(dialect=_DIALECT)
    assert isinstance(compiled, SQLCompiler)
    return str(compiled), tuple((name, compiled.params[name]) for name in compiled.positiontup or ())


def _in_order(names: tuple[tuple[str, Any], ...], parameters: dict[str, Any]) -> list[Any]:
    return [parameters.get(name, default) for name, default in names]
