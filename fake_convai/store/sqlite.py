"""SQLite: one connection, one thread, a transaction a call."""

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import aiosqlite

from fake_convai.domain.errors import Unavailable
from fake_convai.store.query import DialectName, Query, Row, Transaction

T = TypeVar("T")

MEMORY = ":memory:"
_BUSY_SECONDS = 30.0  # how long to wait for another process that holds the same file


class _SqliteTransaction:
    dialect: DialectName = "sqlite"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._execute = connection.execute
        self._executemany = connection.executemany

    def all(self, query: Query, **parameters: Any) -> Sequence[Row]:
        sql, names = query.sqlite
        return self._execute(sql, [parameters.get(name, default) for name, default in names]).fetchall()

    def first(self, query: Query, **parameters: Any) -> Row | None:
        sql, names = query.sqlite
        row: Row | None = self._execute(sql, [parameters.get(name, default) for name, default in names]).fetchone()
        return row

    def run(self, query: Query, **parameters: Any) -> int:
        sql, names = query.sqlite
        return self._execute(sql, [parameters.get(name, default) for name, default in names]).rowcount

    def run_many(self, query: Query, rows: Iterable[dict[str, Any]]) -> None:
        sql, names = query.sqlite
        self._executemany(sql, ([row.get(name, default) for name, default in names] for row in rows))


class _Connection(aiosqlite.Connection):
    """aiosqlite's connection, which also runs a whole function in its thread.

    Its public methods hop to the thread once per statement. `_execute` is how they do it; the version is pinned below
    the next minor release because it is not public, and `tests/store/test_sqlite.py` would notice a change.
    """

    async def call(self, function: Callable[[sqlite3.Connection], T]) -> T:
        result: T = await self._execute(lambda: function(self._conn))  # type: ignore[no-untyped-call]
        return result


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch the file over. Statements wait for other processes, this switch does not: it has to be tried again."""
    give_up = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.01)
        else:
            return


class SqliteDatabase:
    """A database in memory or in a file. A file survives `kill -9`: every commit is in the write-ahead log before it is
    acknowledged."""

    dialect: DialectName = "sqlite"

    def __init__(self, path: str = MEMORY) -> None:
        self._path = path
        self._connection: _Connection | None = None

    async def open(self) -> None:
        """Connect; the schema is there afterwards (a file has been migrated before)."""
        connection = _Connection(self._connect, iter_chunk_size=64)
        # The thread must not keep a process alive whose loop was killed in the middle of a test.
        connection._thread.daemon = True
        await connection
        if self._path == MEMORY:
            from fake_convai.store.schema import creation_script

            await connection.executescript(creation_script())
        self._connection = connection

    async def close(self) -> None:
        """Finish what was begun, then close."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction that sees one state of the data."""
        return await self._transact("BEGIN", work)

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction that holds the write lock from its first statement on."""
        return await self._transact("BEGIN IMMEDIATE", work)

    async def _transact(self, begin: str, work: Callable[[Transaction], T]) -> T:
        if self._connection is None:
            raise Unavailable("The database is closed: the server is starting or stopping.")

        def run(connection: sqlite3.Connection) -> T:
            connection.execute(begin)
            try:
                result = work(_SqliteTransaction(connection))
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            return result

        try:
            return await self._connection.call(run)
        except sqlite3.OperationalError as error:
            raise Unavailable(f"The database does not answer: {error}.") from error

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, timeout=_BUSY_SECONDS)
        if self._path != MEMORY:
            _use_write_ahead_log(connection)
            # Safe against a killed process; only a power cut may lose the last commits, never damage the file.
            connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection
