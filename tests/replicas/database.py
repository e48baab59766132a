"""The database as the tests of replicas see it: a connection of their own to lock and look with, and a bad network."""

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import asyncpg
from anyio.from_thread import BlockingPortal, start_blocking_portal

T = TypeVar("T")

DEADLINE = 180
"""Seconds until a test gives up waiting for something to happen: on a busy machine the start of two replicas took more
than thirty."""


def eventually(happened: Callable[[], T | None]) -> T:
    """The first thing that is not None or False, asked for again and again."""
    give_up = time.monotonic() + DEADLINE
    while not (result := happened()):
        assert time.monotonic() < give_up, "it did not happen"
        time.sleep(0.01)
    return result


class Watcher:
    """A connection past all replicas."""

    def __init__(self, portal: BlockingPortal, connection: Any) -> None:
        self._portal = portal
        self._connection = connection

    def rows(self, sql: str, *arguments: Any) -> list[tuple[Any, ...]]:
        """What a query finds."""
        return [tuple(row) for row in self._portal.call(self._connection.fetch, sql, *arguments)]

    def value(self, sql: str, *arguments: Any) -> Any:
        """The one value that a query finds."""
        return self._portal.call(self._connection.fetchval, sql, *arguments)

    def blocked(self) -> set[int]:
        """The backends that wait for a lock."""
        return {pid for (pid,) in self.rows("SELECT DISTINCT pid FROM pg_locks WHERE NOT granted")}

    @contextmanager
    def holding(self, sql: str, *arguments: Any) -> Iterator[None]:
        """Keep the locks that a statement takes until the block ends; it must find something to lock."""
        self._portal.call(self._connection.execute, "BEGIN")
        try:
            assert self.rows(sql, *arguments)
            yield
        finally:
            self._portal.call(self._connection.execute, "ROLLBACK")

    def race(self, lock: tuple[Any, ...], *requests: Callable[[], T]) -> list[T]:
        """The answers to requests that all wait for the same lock before it is let go, having come in this order."""
        with ThreadPoolExecutor(len(requests)) as pool:
            with self.holding(*lock):
                answers = []
                for number, request in enumerate(requests, 1):
                    answers.append(pool.submit(request))
                    eventually(lambda number=number: len(self.blocked()) == number)  # type: ignore[misc]
            return [answer.result(DEADLINE) for answer in answers]

    def orphans(self) -> list[tuple[Any, ...]]:
        """Rows whose parent is gone, by table."""
        return self.rows(
            """
            SELECT 'partitions', partition FROM partitions WHERE speaker_id NOT IN (SELECT speaker_id FROM speakers)
                OR character_seq NOT IN (SELECT character_seq FROM characters)
            UNION SELECT 'memories', memory FROM memories
                WHERE partition_seq NOT IN (SELECT partition_seq FROM partitions)
            UNION SELECT 'memory_keys', key FROM memory_keys
                WHERE partition_seq NOT IN (SELECT partition_seq FROM partitions)
                OR memory_seq NOT IN (SELECT memory_seq FROM memories)
            UNION SELECT 'activity', speaker_id FROM activity WHERE speaker_id NOT IN (SELECT speaker_id FROM speakers)
            """
        )


@contextmanager
def watch(url: str) -> Iterator[Watcher]:
    """Connect to a database given by its SQLAlchemy URL."""
    with start_blocking_portal() as portal:
        connection = portal.call(asyncpg.connect, url.replace("+asyncpg", "", 1))
        try:
            yield Watcher(portal, connection)
        finally:
            portal.call(connection.close)


class Network:
    """What lies between a replica and PostgreSQL: a port of this machine that can be cut off, or swallow all that is
    sent."""

    def __init__(self, portal: BlockingPortal, socket_path: str) -> None:
        self._portal = portal
        self._socket_path = socket_path
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self._carrying: set[asyncio.Task[None] | None] = set()
        self._flows = asyncio.Event()
        self.port = 0

    def restore(self) -> None:
        """Let everything through."""
        self._portal.call(self._restore)

    def cut(self) -> None:
        """Break every connection and refuse new ones."""
        self._portal.call(self._cut)

    def close(self) -> None:
        """Cut it for good, and wait until nothing is open any more."""
        self.restore()
        self.cut()
        self._portal.call(self._wait)

    def stall(self) -> None:
        """Keep every connection, accept new ones, and let nothing through."""
        self._portal.call(self._flows.clear)

    async def _restore(self) -> None:
        self._flows.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _cut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _wait(self) -> None:
        await asyncio.gather(*filter(None, self._carrying), return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._carrying.add(asyncio.current_task())
        self._writers.append(writer)
        from_server, to_server = await asyncio.open_unix_connection(self._socket_path)
        self._writers.append(to_server)
        await asyncio.gather(self._pump(reader, to_server), self._pump(from_server, writer))
        for each in (writer, to_server):
            with suppress(OSError):
                await each.wait_closed()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        writer.close()


@contextmanager
def network(socket_path: str) -> Iterator[Network]:
    """A network that works, to the server with this socket."""
    with start_blocking_portal() as portal:
        between = Network(portal, socket_path)
        between.restore()
        try:
            yield between
        finally:
            between.close()
