"""The database as everything above the store sees it, and the one place that chooses which kind it is."""

import asyncio
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Protocol, TypeVar

from fake_convai.store.query import Transaction

T = TypeVar("T")


class Database(Protocol):
    """Runs units of work, each one transaction: all of it happens, or none.

    Work that may take more than a moment is `long`: it runs where it does not hold up the event loop.
    """

    shared: bool
    """Whether other processes may use it at the same time."""
    lasting: bool
    """Whether it outlives the process."""

    async def open(self) -> None:
        """Connect."""

    async def close(self) -> None:
        """Disconnect."""

    async def read(self, work: Callable[[Transaction], T], *, long: bool = False) -> T:
        """Run work that changes nothing."""

    async def write(self, work: Callable[[Transaction], T], *, long: bool = False) -> T:
        """Run work that may change data; nothing of it stays when it raises."""


def is_server_url(database: str) -> bool:
    """Whether the setting names a PostgreSQL server rather than a file."""
    return database.startswith("postgresql")


def migrate(database: str) -> None:
    """Bring a file or a server to the newest schema; raises `UnusableDatabase`, changing nothing, if it is not ours."""
    from fake_convai.store.schema import migrate_file, migrate_server

    if is_server_url(database):
        for package in ("asyncpg", "greenlet"):  # SQLAlchemy would miss the second in the middle of things
            import_module(package)
        migrate_server(database)
    else:
        migrate_file(Path(database))


async def open_database(database: str | None) -> Database:
    """Open the database that the setting names, migrated; None is a new one in memory."""
    if database is not None:
        # In a thread: Alembic is synchronous, and PostgreSQL's migration runs an event loop of its own.
        await asyncio.to_thread(migrate, database)
    opened: Database
    if database is not None and is_server_url(database):
        from fake_convai.store.postgres import PostgresDatabase

        opened = PostgresDatabase(database)
    else:
        from fake_convai.store.sqlite import FileDatabase, MemoryDatabase

        opened = MemoryDatabase() if database is None else FileDatabase(database)
    await opened.open()
    return opened
