"""SQLite: a transaction is whole or nothing, also between processes."""

import asyncio
import multiprocessing
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import bindparam, func, insert, select, update

from fake_convai.domain.errors import Unavailable
from fake_convai.store.database import open_database
from fake_convai.store.query import Query, Transaction
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
        connection = database._connection
        assert connection is not None
        try:
            return [
                await connection.call(lambda sync, name=name: sync.execute(f"PRAGMA {name}").fetchone()[0])  # type: ignore[misc]
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
