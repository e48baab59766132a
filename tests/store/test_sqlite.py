"""SQLite: a transaction is whole or nothing, also between processes."""

import asyncio
import multiprocessing
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import bindparam, func, insert, select, text, update

from fake_convai.domain.errors import Unavailable
from fake_convai.store.database import migrate, open_database
from fake_convai.store.query import Query, Transaction
from fake_convai.store.schema import UnusableDatabase
from fake_convai.store.sqlite import FileDatabase, MemoryDatabase
from fake_convai.store.tables import server

T = TypeVar("T")

_ADD = Query(insert(server).values(name=bindparam("name"), value=bindparam("value")))
_COUNT = Query(select(func.count()).select_from(server))
_GET = Query(select(server.c.value).where(server.c.name == bindparam("name")))
_SET = Query(update(server).where(server.c.name == bindparam("the_name")).values(value=bindparam("value")))
PROCESSES, STEPS = 3, 25


def on(path: Path | None, *work: Callable[[Transaction], Any]) -> list[Any]:
    """What each piece of work gives, one transaction each; an error in its place when it raised."""

    async def run() -> list[Any]:
        database = await open_database(None if path is None else str(path))
        try:
            results: list[Any] = []
            for piece in work:
                try:
                    results.append(await database.write(piece))
                except (ZeroDivisionError, sqlite3.IntegrityError) as error:
                    results.append(error)
            return results
        finally:
            await database.close()

    return asyncio.run(run())


def add(tx: Transaction) -> int:
    """Add a row."""
    return tx.run(_ADD, name="a", value="1")


def count(tx: Transaction) -> int:
    """How many rows there are."""
    row = tx.first(_COUNT)
    assert row is not None
    return int(row[0])


@pytest.fixture(params=["memory", "file"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    """Where the data is kept."""
    return tmp_path / "data.db" if request.param == "file" else None


def test_a_transaction_that_raises_leaves_nothing(path: Path | None) -> None:
    def add_and_fail(tx: Transaction) -> None:
        add(tx)
        raise ZeroDivisionError

    before, error, after, added, last = on(path, count, add_and_fail, count, add, count)
    assert isinstance(error, ZeroDivisionError)
    assert (before, after, added, last) == (0, 0, 1, 1)


def test_a_statement_that_fails_undoes_those_before_it(path: Path | None) -> None:
    def add_twice(tx: Transaction) -> None:
        tx.run(_ADD, name="b", value="1")
        add(tx)
        add(tx)

    error, left = on(path, add_twice, count)
    assert isinstance(error, sqlite3.IntegrityError)
    assert left == 0


@pytest.mark.parametrize("database", [MemoryDatabase(), FileDatabase("data.db")], ids=["memory", "file"])
def test_a_closed_database_says_so(database: MemoryDatabase | FileDatabase) -> None:
    with pytest.raises(Unavailable, match="closed"):
        asyncio.run(database.read(count))


def test_a_file_is_safe_against_a_kill_and_checks_its_references(tmp_path: Path) -> None:
    async def pragmas() -> list[Any]:
        database = await open_database(str(tmp_path / "data.db"))
        assert isinstance(database, FileDatabase)
        worker = database._writer
        assert worker is not None
        connection = worker._connection
        assert connection is not None
        try:
            return [
                await worker._call(lambda name=name: connection.execute(f"PRAGMA {name}").fetchone()[0])  # type: ignore[misc]
                for name in ("journal_mode", "synchronous", "foreign_keys")
            ]
        finally:
            await database.close()

    journal_mode, synchronous, foreign_keys = asyncio.run(pragmas())
    assert journal_mode == "wal"
    assert synchronous >= 1
    assert foreign_keys == 1


def count_up(path: Path, start: Any, errors: Any) -> None:
    """Open the file and count a number up, step by step, beside other processes that do the same."""

    def step(tx: Transaction) -> None:
        row = tx.first(_GET, name="counter")
        if row is None:
            tx.run(_ADD, name="counter", value="1")
        else:
            tx.run(_SET, the_name="counter", value=str(int(row[0]) + 1))

    async def run() -> None:
        database = await open_database(str(path))
        for _ in range(STEPS):
            await database.write(step)
            await database.read(lambda tx: tx.first(_GET, name="counter"))
        await database.close()

    start.wait()
    try:
        asyncio.run(run())
    except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
        errors.put(repr(error))


def test_processes_share_a_file_from_its_making_on(tmp_path: Path) -> None:
    path = tmp_path / "data.db"
    context = multiprocessing.get_context("spawn")
    start, errors = context.Barrier(PROCESSES), context.Queue()
    processes = [context.Process(target=count_up, args=(path, start, errors)) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [errors.get() for _ in range(PROCESSES) if not errors.empty()] == []
    assert [process.exitcode for process in processes] == [0] * PROCESSES
    (row,) = on(path, lambda tx: tx.first(_GET, name="counter"))
    assert row[0] == str(PROCESSES * STEPS)


WRONG = Query(text("SELECT 1 FROM nowhere"))


def test_wrong_sql_is_an_error_and_no_silent_database(path: Path | None) -> None:
    async def run() -> None:
        database = await open_database(None if path is None else str(path))
        try:
            await database.read(lambda tx: tx.all(WRONG))
        finally:
            await database.close()

    with pytest.raises(sqlite3.OperationalError, match="no such table: nowhere"):
        asyncio.run(run())


def test_long_work_leaves_the_loop_and_the_rest_waits_for_it(path: Path | None) -> None:
    async def run() -> list[int]:
        database = await open_database(None if path is None else str(path))
        go_on, order = threading.Event(), []

        def long_work(tx: Transaction) -> int:
            add(tx)
            assert go_on.wait(30)
            order.append("long")
            return threading.get_ident()

        def short_work(tx: Transaction) -> int:
            order.append("short")
            return count(tx)

        long = asyncio.create_task(database.write(long_work, long=True))
        await asyncio.sleep(0)
        short = asyncio.create_task(database.write(short_work))
        await asyncio.sleep(0)  # the loop runs all the while
        go_on.set()
        thread, found = await asyncio.gather(long, short)
        await database.close()
        assert order == ["long", "short"]
        return [thread, found]

    thread, found = asyncio.run(run())
    assert thread != threading.get_ident()
    assert found == 1


def test_whoever_is_cancelled_leaves_long_work_running(path: Path | None) -> None:
    async def run() -> int:
        database = await open_database(None if path is None else str(path))
        started, go_on = threading.Event(), threading.Event()

        def work(tx: Transaction) -> None:
            started.set()
            assert go_on.wait(30)
            add(tx)

        task = asyncio.create_task(database.write(work, long=True))
        await asyncio.to_thread(started.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        found = await database.write(count)
        await database.close()
        return found

    assert asyncio.run(run()) == 1


def test_a_file_that_the_fake_makes_is_for_its_owner_alone(tmp_path: Path) -> None:
    migrate(str(tmp_path / "data.db"))
    assert (tmp_path / "data.db").stat().st_mode & 0o777 == 0o600


def test_a_file_that_cannot_be_written_is_named_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "data.db"
    migrate(str(path))
    connect = sqlite3.connect

    def read_only(database: Any, **options: Any) -> sqlite3.Connection:  # whoever tests as root is stopped by no mode
        connection: sqlite3.Connection = connect(database, **options)
        connection.execute("PRAGMA query_only = ON")
        return connection

    monkeypatch.setattr(sqlite3, "connect", read_only)
    with pytest.raises(UnusableDatabase) as caught:
        migrate(str(path))
    assert str(caught.value) == f"{path} cannot be written: attempt to write a readonly database"


def test_a_file_that_turns_read_only_is_said_to_be(tmp_path: Path) -> None:
    async def run() -> None:
        database = await open_database(str(tmp_path / "data.db"))
        assert isinstance(database, FileDatabase)
        try:
            await database.write(lambda tx: tx.all(Query(text("PRAGMA query_only = ON"))))
            await database.write(add)
        finally:
            await database.close()

    with pytest.raises(Unavailable, match="The database does not answer: it is read-only"):
        asyncio.run(run())
