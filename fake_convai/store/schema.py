"""Bringing a database to the newest schema, and refusing files that are not ours.

Files and PostgreSQL are migrated by Alembic. A database in memory is new every time, so it is built straight from the
tables, which spares each start the import of Alembic; a test holds the two ways together.
"""

import os
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from fake_convai.domain.errors import CannotBeDone
from fake_convai.store.statements import SCHEMA, known

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import URL

REVISION = "0005"
"""The newest migration; a test compares it with `migrations/`."""

APPLICATION_ID = 0x434F4E56
"""Stands in the header of our SQLite files ("CONV"), so that no other program's file is ever touched."""

_HEADER = struct.Struct(">16s52xI")


class UnusableDatabase(CannotBeDone):
    """The database is not ours or newer than this version; it was left untouched."""


@cache
def creation_script() -> str:
    """The whole schema as SQLite statements."""
    script: str | None = known().get(SCHEMA)
    return compiled_script() if script is None else script


def compiled_script() -> str:
    """The same, found out anew."""
    from sqlalchemy.dialects import sqlite
    from sqlalchemy.schema import CreateIndex, CreateTable

    from fake_convai.store.tables import metadata

    dialect = sqlite.dialect()
    statements = []
    for table in metadata.sorted_tables:
        statements.append(CreateTable(table).compile(dialect=dialect))
        statements += [
            CreateIndex(index).compile(dialect=dialect)
            for index in sorted(table.indexes, key=lambda index: str(index.name))
        ]
    return ";\n".join(map(str, statements))


def migrate_file(path: Path) -> None:
    """Create or upgrade a SQLite file; raises `UnusableDatabase` for one that is not ours to touch, or not to write."""
    revision = _revision_of(path)
    if revision is None:
        with suppress(FileExistsError), _in_one_line(path):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))  # keys are hashed, but people's data is not
    if revision != REVISION:
        from sqlalchemy import URL

        # Not as text: a question mark or a percent sign in the name would mean something in a URL.
        _upgrade(URL.create("sqlite", database=str(path)), str(path))
    with _in_one_line(path), closing(sqlite3.connect(path, timeout=0)) as connection:
        connection.execute("BEGIN IMMEDIATE")


@contextmanager
def _in_one_line(path: Path) -> Iterator[None]:
    """Name a file that cannot be written. Another process that writes it just now shows that it can."""
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        raise UnusableDatabase(f"{path} cannot be written: {error.strerror}") from error
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise UnusableDatabase(f"{path} cannot be written: {error}") from error


def migrate_server(url: str) -> None:
    """Create or upgrade a PostgreSQL database; replicas that start together do it one after the other."""
    from sqlalchemy import make_url

    from fake_convai.store.postgres import server_options

    try:
        server_options(url)
    except ValueError as error:
        raise UnusableDatabase(f"--database: {error}") from None
    _upgrade(url, make_url(url).render_as_string())


def alembic_config(url: "str | URL") -> "Config":
    """Alembic's configuration, without an .ini file: the scripts are beside the package or inside the wheel."""
    from alembic.config import Config

    package = Path(__file__).parent.parent
    inside, beside = package / "migrations", package.parent / "migrations"
    config = Config()
    config.set_main_option("script_location", str(inside if inside.is_dir() else beside).replace("%", "%%"))
    config.attributes["url"] = url
    return config


def _upgrade(url: "str | URL", shown: str) -> None:
    from alembic import command
    from alembic.util import CommandError
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    try:
        command.upgrade(alembic_config(url), "head")
    except CommandError as error:
        raise UnusableDatabase(
            f"{shown} was made by a newer fake-convai ({error}); it was left untouched, use that version"
        ) from error
    except (SQLAlchemyError, OSError, ValueError) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        raise UnusableDatabase(f"{shown} cannot be used: {' '.join(str(reason).split())}") from error


def _revision_of(path: Path) -> str | None:
    """The revision of our file at `path`, None for no file yet; looks without writing a byte."""
    if path.is_dir():
        raise UnusableDatabase(f"{path} is a folder; name a file")
    if not path.parent.is_dir():
        raise UnusableDatabase(f"{path.parent} is not a folder; make it first")
    if not path.exists() or path.stat().st_size == 0:
        return None
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER.size)
    except OSError as error:
        raise UnusableDatabase(f"{path} cannot be read: {error.strerror}") from error
    if len(header) < _HEADER.size or _HEADER.unpack(header) != (b"SQLite format 3\0", APPLICATION_ID):
        raise UnusableDatabase(f"{path} is not a database of fake-convai; it was left untouched")
    # A log beside the file must be read too; without one, `immutable` keeps SQLite from making its side files.
    mode = "mode=ro" if path.with_name(path.name + "-wal").exists() else "mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True)) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise UnusableDatabase(f"{path} cannot be read ({error}); it was left untouched") from error
    revision: str = row[0] if row else ""
    if not revision:
        raise UnusableDatabase(f"{path} does not say which schema it has; it was left untouched")
    if revision > REVISION:
        raise UnusableDatabase(
            f"{path} was made by a newer fake-convai (schema {revision}, this one knows {REVISION}); "
            f"it was left untouched, use that version"
        )
    return revision
