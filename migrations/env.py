"""Runs the migrations on the URL that `fake_convai.store.schema` hands over, in one transaction."""

from typing import Any

from alembic import context
from sqlalchemy import Connection, create_engine, event, pool, text

from fake_convai.store.schema import APPLICATION_ID
from fake_convai.store.tables import metadata

_LOCK = APPLICATION_ID  # replicas that start together take turns


def _run(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    context.configure(connection=connection, target_metadata=metadata)
    context.run_migrations()


def _run_async(url: str) -> None:
    import asyncio

    import asyncpg
    from sqlalchemy.ext.asyncio import create_async_engine

    from fake_convai.store.postgres import server_options

    options = server_options(url)

    async def connect(*_: Any, **__: Any) -> Any:
        return await asyncpg.connect(**options)

    async def run() -> None:
        engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=pool.NullPool)
        async with engine.begin() as connection:
            await connection.run_sync(_run)
        await engine.dispose()

    asyncio.run(run())


def _run_sync(url: str) -> None:
    engine = create_engine(url, poolclass=pool.NullPool)

    # The driver would commit before each CREATE TABLE: it is told to keep out, so that a migration is all or nothing.
    @event.listens_for(engine, "connect")
    def take_over(connection: Any, _: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    with engine.begin() as connection:
        _run(connection)
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")


url = context.config.attributes["url"]
if "+asyncpg" in url:
    _run_async(url)
else:
    _run_sync(url)
