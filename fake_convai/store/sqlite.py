"""SQLite: one connection, a transaction a call."""

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import aiosqlite

from fake_convai.domain.errors import Unavailable
from fake_convai.store.query import DialectName, Query, Row, Transaction

T = TypeVar("T")

_BUSY_SECONDS = 30.0  # how long to wait for another process that holds the same file
_STATEMENTS = 256  # that the driver keeps prepared: more than there are


class _SqliteTransaction:
    dialect: DialectName = "sqlite"

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        # One for all statements, each of which is done before the next: making cursors costs more than some queries.
        self._cursor = cursor

    def all(self, query: Query, **parameters: Any) -> Sequence[Row]:
        sql, fixed = query.sqlite
        return self._cursor.execute(sql, {**fixed, **parameters} if fixed else parameters).fetchall()

    def first(self, query: Query, **parameters: Any) -> Row | None:
        sql, fixed = query.sqlite
        row: Row | None = self._cursor.execute(sql, {**fixed, **parameters} if fixed else parameters).fetchone()
        return row

    def run(self, query: Query, **parameters: Any) -> int:
        sql, fixed = query.sqlite
        return self._cursor.execute(sql, {**fixed, **parameters} if fixed else parameters).rowcount

    def run_many(self, query: Query, rows: Iterable[dict[str, Any]]) -> None:
        sql, fixed = query.sqlite
        self._cursor.executemany(sql, ({**fixed, **row} for row in rows) if fixed else rows)


def _transact(connection: sqlite3.Connection, begin: str, work: Callable[[Transaction], T]) -> T:
    cursor = connection.cursor()
    cursor.execute(begin)
    try:
        result = work(_SqliteTransaction(cursor))
        cursor.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            cursor.execute("ROLLBACK")
        raise
    return result


class MemoryDatabase:
    """A database in memory. Nothing in it ever waits, so the event loop runs a transaction itself: a worker thread
    would cost several times what the statements do."""

    dialect: DialectName = "sqlite"

    def __init__(self) -> None:
        self._connection: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Make the database, with its schema."""
        from fake_convai.store.schema import creation_script

        # A fixture closes it from the thread that has stopped the loop.
        self._connection = sqlite3.connect(
            ":memory:", isolation_level=None, cached_statements=_STATEMENTS, check_same_thread=False
        )
        self._connection.executescript(creation_script())
        self._connection.execute("PRAGMA foreign_keys = ON")

    async def close(self) -> None:
        """Forget everything."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work`; nothing else runs meanwhile, so what it sees is one state of the data without a transaction."""
        if self._connection is None:
            raise _closed()
        return work(_SqliteTransaction(self._connection.cursor()))

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction; no other one runs meanwhile."""
        if self._connection is None:
            raise _closed()
        return _transact(self._connection, "BEGIN", work)


class _Connection(aiosqlite.Connection):
    """aiosqlite's connection, which also runs a whole function in its thread.

    Its public methods hop to the thread once per statement. `_execute` is how they do it; the version is pinned below
    the next minor release because it is not public, and `tests/store/test_sqlite.py` would notice a change.
    """

    async def call(self, function: Callable[[sqlite3.Connection], T]) -> T:
        result: T = await self._execute(lambda: function(self._conn))  # type: ignore[no-untyped-call]
        return result


class FileDatabase:
    """A database in a file, which survives `kill -9`: every commit is in the write-ahead log before it is acknowledged.

    Another process may hold the file, so waiting is left to a thread.
    """

    dialect: DialectName = "sqlite"

    def __init__(self, path: str) -> None:
        self._path = path
        self._connection: _Connection | None = None

    async def open(self) -> None:
        """Connect; the file has been migrated before."""
        connection = _Connection(self._connect, iter_chunk_size=64)
        # The thread must not keep a process alive whose loop was killed in the middle of a test.
        connection._thread.daemon = True
        await connection
        self._connection = connection

    async def close(self) -> None:
        """Finish what was begun, then close."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction that sees one state of the data."""
        return await self._call("BEGIN", work)

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction that holds the write lock from its first statement on."""
        return await self._call("BEGIN IMMEDIATE", work)

    async def _call(self, begin: str, work: Callable[[Transaction], T]) -> T:
        if self._connection is None:
            raise _closed()
        try:
            return await self._connection.call(lambda connection: _transact(connection, begin, work))
        except sqlite3.OperationalError as error:
            raise Unavailable(f"The database does not answer: {error}.") from error

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, isolation_level=None, timeout=_BUSY_SECONDS, cached_statements=_STATEMENTS
        )
        _use_write_ahead_log(connection)
        # Safe against a killed process; only a power cut may lose the last commits, never damage the file.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection


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


def _closed() -> Unavailable:
    return Unavailable("The database is closed: the server is starting or stopping.")
