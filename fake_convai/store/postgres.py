"""PostgreSQL through SQLAlchemy and asyncpg, for a fake that outgrows one process."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, exc
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from fake_convai.domain.errors import Unavailable
from fake_convai.store.query import DialectName, Query, Row, Transaction

T = TypeVar("T")

_TRY_AGAIN = frozenset({"40001", "40P01"})  # serialization failure, deadlock
_ATTEMPTS = 5


class _PostgresTransaction:
    dialect: DialectName = "postgresql"

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def all(self, query: Query, **parameters: Any) -> Sequence[Row]:
        return self._connection.execute(query.postgresql, parameters).fetchall()

    def first(self, query: Query, **parameters: Any) -> Row | None:
        return self._connection.execute(query.postgresql, parameters).first()

    def run(self, query: Query, **parameters: Any) -> int:
        return self._connection.execute(query.postgresql, parameters).rowcount

    def run_many(self, query: Query, rows: Iterable[dict[str, Any]]) -> None:
        if batch := list(rows):
            self._connection.execute(query.postgresql, batch)


class PostgresDatabase:
    """A database that several replicas share. Work that must not meet locks the rows it starts from."""

    dialect: DialectName = "postgresql"

    def __init__(self, url: str) -> None:
        self._url = url
        self._engine: AsyncEngine | None = None

    async def open(self) -> None:
        """Make the pool; connections are opened when first needed, the schema has been migrated before."""
        self._engine = create_async_engine(self._url, pool_size=10, max_overflow=10, pool_pre_ping=True)

    async def close(self) -> None:
        """Close every connection of the pool."""
        if self._engine is not None:
            await self._engine.dispose()
            self._engine = None

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction."""
        return await self.write(work)

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction; a lost connection is `Unavailable`, and the next call gets a new one.

        When two transactions wait for each other, PostgreSQL ends one of them, which is then run again.
        """
        for _ in range(_ATTEMPTS - 1):
            try:
                return await self._attempt(work)
            except exc.DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in _TRY_AGAIN:
                    raise
        return await self._attempt(work)

    async def _attempt(self, work: Callable[[Transaction], T]) -> T:
        if self._engine is None:
            raise Unavailable("The database is closed: the server is starting or stopping.")
        try:
            async with self._engine.begin() as connection:
                return await connection.run_sync(lambda sync: work(_PostgresTransaction(sync)))
        except (exc.InterfaceError, exc.OperationalError, OSError) as error:
            raise Unavailable("The database does not answer.") from error
        except exc.DBAPIError as error:
            if error.connection_invalidated:
                raise Unavailable("The database does not answer.") from error
            raise
