"""SQLite: a transaction a call."""

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from fake_convai.domain.errors import Unavailable
from fake_convai.domain.long_work import aside, undisturbed
from fake_convai.store.query import Query, Row, Transaction

T = TypeVar("T")

BUSY_SECONDS = 30.0
"""How long to wait for another process that holds the same file."""
_STATEMENTS = 256  # that the driver keeps prepared: more than there are
# What a file may be at any time and is no fault of a statement; anything else is raised as it is.
_REASONS = {
    sqlite3.SQLITE_BUSY: "another process keeps it locked",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_CORRUPT: "it is damaged",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "reading or writing it failed",
    sqlite3.SQLITE_LOCKED: "another process keeps it locked",
    sqlite3.SQLITE_NOTADB: "it is damaged",
    sqlite3.SQLITE_READONLY: "it is read-only",
}


class _SqliteTransaction:
    shared = False

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

    def insert(self, query: Query, **parameters: Any) -> int:
        sql, fixed = query.sqlite
        number = self._cursor.execute(sql, {**fixed, **parameters} if fixed else parameters).lastrowid
        assert number is not None
        return number

    def run(self, query: Query, **parameters: Any) -> int:
        sql, fixed = query.sqlite
        return self._cursor.execute(sql, {**fixed, **parameters} if fixed else parameters).rowcount

    def run_many(self, query: Query, rows: Iterable[dict[str, Any]]) -> None:
        sql, fixed = query.sqlite
        self._cursor.executemany(sql, ({**fixed, **row} for row in rows) if fixed else rows)


def _transact(cursor: sqlite3.Cursor, begin: str, work: Callable[[Transaction], T]) -> T:
    cursor.execute(begin)
    try:
        result = work(_SqliteTransaction(cursor))
        cursor.execute("COMMIT")
    except BaseException:
        if cursor.connection.in_transaction:
            cursor.execute("ROLLBACK")
        raise
    return result


class MemoryDatabase:
    """A database in memory. Nothing in it ever waits, so the event loop runs a transaction itself: a worker thread
    would cost several times what the statements do. Only long work leaves the loop, and the rest waits for it."""

    shared = False
    lasting = False

    def __init__(self) -> None:
        self._cursor: sqlite3.Cursor | None = None
        self._away: asyncio.Task[Any] | None = None

    async def open(self) -> None:
        """Make the database, with its schema."""
        from fake_convai.store.schema import creation_script

        # A fixture closes it from the thread that has stopped the loop.
        connection = sqlite3.connect(
            ":memory:", isolation_level=None, cached_statements=_STATEMENTS, check_same_thread=False
        )
        connection.executescript(creation_script())
        self._cursor = connection.execute("PRAGMA foreign_keys = ON")

    async def close(self) -> None:
        """Forget everything."""
        await self._alone()
        if self._cursor is not None:
            self._cursor.connection.close()
            self._cursor = None

    async def read(self, work: Callable[[Transaction], T], *, long: bool = False) -> T:
        """Run `work`; nothing else runs meanwhile, so what it sees is one state of the data without a transaction."""
        if self._away is not None:
            await self._alone()
        cursor = self._opened()
        if long:
            return await self._leave_the_loop(lambda: work(_SqliteTransaction(cursor)))
        return work(_SqliteTransaction(cursor))

    async def write(self, work: Callable[[Transaction], T], *, long: bool = False) -> T:
        """Run `work` in a transaction; no other one runs meanwhile."""
        if self._away is not None:
            await self._alone()
        cursor = self._opened()
        if long:
            return await self._leave_the_loop(lambda: _transact(cursor, "BEGIN", work))
        return _transact(cursor, "BEGIN", work)

    def _opened(self) -> sqlite3.Cursor:
        if self._cursor is None:
            raise _closed()
        return self._cursor

    async def _alone(self) -> None:
        while self._away is not None:
            await asyncio.wait([self._away])

    async def _leave_the_loop(self, work: Callable[[], T]) -> T:
        self._away = task = asyncio.create_task(aside(work))
        task.add_done_callback(self._back)
        return await asyncio.shield(task)  # a caller who is cancelled leaves it running

    def _back(self, task: asyncio.Task[Any]) -> None:
        self._away = None


class _Worker:
    """A connection and the thread that it lives in, which does one thing after the other."""

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._connection: sqlite3.Connection | None = None
        # The thread must not keep a process alive whose loop was killed in the middle of a test.
        self._thread = threading.Thread(target=self._run, name="fake-convai-sqlite", daemon=True)
        self._thread.start()

    async def open(self, path: str) -> None:
        """Connect to a file."""
        self._connection = await self._call(lambda: _connect(path))

    async def close(self) -> None:
        """Finish what was begun, then disconnect."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await self._call(connection.close)
        self._work.put(None)

    async def transact(self, begin: str, work: Callable[[Transaction], T]) -> T:
        """Run `work` in a transaction that is begun like this."""
        connection = self._connection
        if connection is None:
            raise _closed()
        return await self._call(lambda: _transact(connection.cursor(), begin, work))

    async def _call(self, function: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def work() -> None:
            result: Any = None
            failure: BaseException | None = None
            try:
                result = function()
            except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
                failure = error
            with suppress(RuntimeError):  # the loop was closed meanwhile
                loop.call_soon_threadsafe(_settle, future, result, failure)

        self._work.put(work)
        return await future

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            work()


def _settle(future: "asyncio.Future[Any]", result: Any, error: BaseException | None) -> None:
    if future.done():  # whoever waited was cancelled
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


class FileDatabase:
    """A database in a file, which survives `kill -9`: every commit is in the write-ahead log before it is acknowledged.

    Another process may hold the file, so waiting is left to threads: one that writes, and one whose reads do not wait
    for long writes.
    """

    shared = False
    lasting = True

    def __init__(self, path: str) -> None:
        self._path = path
        self._writer: _Worker | None = None
        self._reader: _Worker | None = None

    async def open(self) -> None:
        """Connect; the file has been migrated before."""
        self._writer, self._reader = _Worker(), _Worker()
        for worker in (self._writer, self._reader):
            await worker.open(self._path)

    async def close(self) -> None:
        """Finish what was begun, then close."""
        workers = [worker for worker in (self._reader, self._writer) if worker is not None]
        self._reader = self._writer = None
        for worker in workers:
            await worker.close()

    async def read(self, work: Callable[[Transaction], T], *, long: bool = False) -> T:
        """Run `work` in a transaction that sees one state of the data."""
        return await _answering(self._reader, "BEGIN", work, long=long)

    async def write(self, work: Callable[[Transaction], T], *, long: bool = False) -> T:
        """Run `work` in a transaction that holds the write lock from its first statement on."""
        return await _answering(self._writer, "BEGIN IMMEDIATE", work, long=long)


async def _answering(worker: _Worker | None, begin: str, work: Callable[[Transaction], T], *, long: bool) -> T:
    if worker is None:
        raise _closed()
    try:
        return await worker.transact(begin, (lambda tx: undisturbed(lambda: work(tx))) if long else work)
    except sqlite3.Error as error:
        reason = reason_of(error)
        if reason is None:
            raise
        raise Unavailable(f"The database does not answer: {reason}.") from error


def reason_of(error: sqlite3.Error) -> str | None:
    """What is the matter with the file; None when the statement was wrong."""
    code = getattr(error, "sqlite_errorcode", None)  # the lowest byte is the kind, the rest says more
    return None if code is None else _REASONS.get(code & 0xFF)


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS, cached_statements=_STATEMENTS)
    _use_write_ahead_log(connection)
    # Safe against a killed process; only a power cut may lose the last commits, never damage the file.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch the file over. Statements wait for other processes, this switch does not: it has to be tried again."""
    give_up = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            busy = (error.sqlite_errorcode & 0xFF) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
            if not busy or time.monotonic() > give_up:
                raise
            time.sleep(0.01)
        else:
            return


def _closed() -> Unavailable:
    return Unavailable("The database is closed: the server is starting or stopping.")
