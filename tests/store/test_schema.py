"""The schema: migrations and tables agree, on both databases, and what is not ours stays as it is."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, bindparam, create_engine, delete, func, select, text
from sqlalchemy.ext.asyncio import create_async_engine
from starlette.testclient import TestClient

from fake_convai.store.database import migrate, open_database
from fake_convai.store.query import Query, Transaction
from fake_convai.store.schema import APPLICATION_ID, REVISION, UnusableDatabase, alembic_config, creation_script
from fake_convai.store.tables import activity, memories, memory_keys, metadata, partitions, speakers
from tests.conftest import SPARE_DATABASES, Api, backend_of


def test_the_newest_migration_is_the_one_we_know() -> None:
    scripts = ScriptDirectory.from_config(alembic_config("sqlite://"))
    assert scripts.get_heads() == [REVISION]


def differences(connection: Connection) -> list[Any]:
    """What would have to be migrated for a database to be as the tables say."""
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, metadata))


def test_migrations_make_the_tables_on_sqlite(tmp_path: Path) -> None:
    migrate(str(tmp_path / "data.db"))
    engine = create_engine(f"sqlite:///{tmp_path / 'data.db'}")
    with engine.connect() as connection:
        assert differences(connection) == []
    engine.dispose()


def on_postgres(url: str, work: Callable[[Connection], Any]) -> Any:
    """What some work gives that is done outside of any transaction."""

    async def run() -> Any:
        engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            result = await connection.run_sync(work)
        await engine.dispose()
        return result

    return asyncio.run(run())


@pytest.fixture(scope="session")
def spare_databases() -> Iterator[str]:
    """The names of databases that nothing has used yet."""
    return iter(SPARE_DATABASES)


@pytest.fixture
def empty_postgres(postgres_url: str, spare_databases: Iterator[str]) -> str:
    """A new database on the PostgreSQL server."""
    return postgres_url.replace("/fake_convai", f"/{next(spare_databases)}", 1)


def test_migrations_make_the_tables_on_postgresql(empty_postgres: str) -> None:
    for _ in range(2):
        migrate(empty_postgres)
        assert on_postgres(empty_postgres, differences) == []


def test_a_newer_postgresql_database_is_refused_untouched(empty_postgres: str) -> None:
    migrate(empty_postgres)
    on_postgres(empty_postgres, lambda c: c.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(UnusableDatabase, match="newer") as caught:
        migrate(empty_postgres)
    assert "\n" not in str(caught.value)
    version = on_postgres(empty_postgres, lambda c: c.execute(text("SELECT version_num FROM alembic_version")).scalar())
    assert version == "9999"
    assert on_postgres(empty_postgres, differences) == []


@pytest.mark.parametrize(
    "url",
    ["postgresql+asyncpg://nobody@127.0.0.1:1/nothing", "postgresql+asyncpg://nobody@/nothing?host=/nowhere"],
    ids=["port", "socket"],
)
def test_a_server_that_does_not_answer_is_named_in_one_line(url: str) -> None:
    with pytest.raises(UnusableDatabase) as caught:
        migrate(url)
    assert "\n" not in str(caught.value)


def schema(connection: sqlite3.Connection) -> dict[str, Any]:
    """Everything SQLite knows about the tables, except the one of Alembic itself."""

    def rows(pragma: str) -> list[Any]:
        return [tuple(row) for row in connection.execute(f"PRAGMA {pragma}")]

    found: dict[str, Any] = {}
    for kind, name, sql in connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall():
        if kind == "table" and name != "alembic_version":
            indexes = sorted(row[1:] for row in rows(f"index_list({name})"))
            found[name] = {
                "columns": rows(f"table_xinfo({name})"),
                "references": sorted(row[2:] for row in rows(f"foreign_key_list({name})")),
                "indexes": {index: rows(f"index_xinfo({index[0]})") for index in indexes},
                "options": ["AUTOINCREMENT" in sql, "WITHOUT ROWID" in sql],
            }
        elif kind == "index" and sql is not None and "alembic" not in name:
            found[name] = " ".join(sql.split())
    return found


def test_a_database_in_memory_is_the_same_as_a_migrated_one(tmp_path: Path) -> None:
    migrate(str(tmp_path / "data.db"))
    with (
        contextlib.closing(sqlite3.connect(tmp_path / "data.db")) as migrated,
        contextlib.closing(sqlite3.connect(":memory:")) as in_memory,
    ):
        in_memory.executescript(creation_script())
        assert schema(in_memory) == schema(migrated)
        assert set(metadata.tables) < set(schema(migrated))
        assert migrated.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)


def other_sqlite(path: Path) -> None:
    """A file of another program."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE notes (note TEXT); INSERT INTO notes VALUES ('mine')")


def foreign_alembic(path: Path) -> None:
    """A file of another program that uses Alembic, and whose newest migration is called as ours."""
    other_sqlite(path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            f"CREATE TABLE alembic_version (version_num TEXT); INSERT INTO alembic_version VALUES ('{REVISION}')"
        )


def ours(path: Path, revision: str, *, damage: bool = False) -> None:
    """A file of ours, at another revision."""
    migrate(str(path))
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        connection.commit()
        if damage:
            connection.execute("DROP TABLE alembic_version")
            connection.commit()


def in_wal_mode(path: Path) -> None:
    """A newer file of ours with the log of a program that was killed beside it."""
    ours(path, "0001")
    made = path.with_name("made.db")
    path.rename(made)
    with contextlib.closing(sqlite3.connect(made)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
        for suffix in ("", "-wal"):
            path.with_name(path.name + suffix).write_bytes(made.with_name(made.name + suffix).read_bytes())
    made.unlink()


NOT_OURS: dict[str, Callable[[Path], object]] = {
    "a text file": lambda path: path.write_text("Dear diary\n" * 50, "utf-8"),
    "a short text file": lambda path: path.write_text("x", "utf-8"),
    "another program's SQLite file": other_sqlite,
    "another program's Alembic file": foreign_alembic,
    "a file that is cut off": lambda path: path.write_bytes(b"SQLite format 3\0"),
    "a newer file": lambda path: ours(path, "9999"),
    "a newer file with its log": in_wal_mode,
    "a file of a revision nobody knows": lambda path: ours(path, "zzzz"),
    "a file of ours that is damaged": lambda path: ours(path, REVISION, damage=True),
    "a folder": lambda path: path.mkdir(),
}


@pytest.mark.parametrize("make", NOT_OURS.values(), ids=NOT_OURS.keys())
def test_what_is_not_ours_is_refused_untouched(tmp_path: Path, make: Callable[[Path], object]) -> None:
    path = tmp_path / "data.db"
    make(path)
    before = contents(tmp_path)
    for refuse in (lambda: migrate(str(path)), lambda: asyncio.run(open_database(str(path)))):
        with pytest.raises(UnusableDatabase) as caught:
            refuse()
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
        assert contents(tmp_path) == before


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Names, times and bytes of what is in a folder. SQLite may make its empty index of a log it reads."""
    return {
        path.name: (path.stat().st_mtime_ns, b"" if path.is_dir() else path.read_bytes())
        for path in folder.iterdir()
        if not path.name.endswith("-shm")
    }


def test_a_file_in_a_missing_folder_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "data.db"
    with pytest.raises(UnusableDatabase, match="missing"):
        migrate(str(path))
    assert list(tmp_path.iterdir()) == []


def test_an_empty_file_is_a_new_one_and_a_migrated_one_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "data.db"
    path.touch()
    migrate(str(path))
    before = contents(tmp_path)
    assert before["data.db"][1].startswith(b"SQLite format 3\0")
    migrate(str(path))
    assert contents(tmp_path) == before


@pytest.mark.parametrize("name", ["what?.db", "50%.db", "a b#c.db", "caf\u00e9.db", "x.db?mode=memory", "%41.db"])
def test_a_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    async def tables() -> int:
        database = await open_database(str(tmp_path / name))
        try:
            rows = await database.read(lambda tx: tx.all(Query(select(speakers.c.speaker_seq))))
        finally:
            await database.close()
        return len(rows)

    for _ in range(2):
        assert asyncio.run(tables()) == 0
        assert [path.name for path in tmp_path.iterdir()] == [name]


def test_deleting_a_person_cascades_in_the_database_itself(client: TestClient, api: Api) -> None:
    npc = api.character()
    for user in ("player-42", "player-43"):
        api.was_active(user, "2026-01-01")
        api.remember(npc, user, "The user has a dog.", "The user has a cat.")
    their_own = [
        select(speakers.c.speaker_id),
        select(activity.c.speaker_id),
        select(partitions.c.speaker_id),
        select(partitions.c.speaker_id).join(memories),
        select(partitions.c.speaker_id)
        .join(memories)
        .join(memory_keys, memory_keys.c.memory_seq == memories.c.memory_seq),
    ]
    first, second = (speaker["speaker_id"] for speaker in api.ok("/beta/user/speaker/list"))

    def rows(tx: Transaction) -> list[tuple[int, int]]:
        found = [[row[0] for row in tx.all(Query(query))] for query in their_own]
        return [(ids.count(first), ids.count(second)) for ids in found]

    def orphans(tx: Transaction) -> int:
        counts = [
            select(func.count())
            .select_from(memories)
            .where(memories.c.partition_seq.not_in(select(partitions.c.partition_seq))),
            select(func.count())
            .select_from(memory_keys)
            .where(memory_keys.c.memory_seq.not_in(select(memories.c.memory_seq))),
        ]
        return sum(tx.all(Query(count))[0][0] for count in counts)

    database, portal = backend_of(client).database, client.portal
    assert portal is not None
    before = portal.call(database.read, rows)
    assert before[:4] == [(1, 1), (1, 1), (1, 1), (2, 2)]
    assert before[4][0] == before[4][1] > 0
    gone = Query(delete(speakers).where(speakers.c.speaker_id == bindparam("the_speaker")))
    portal.call(database.write, lambda tx: tx.run(gone, the_speaker=first))
    assert portal.call(database.read, rows) == [(0, theirs) for _, theirs in before]
    assert portal.call(database.read, orphans) == 0
