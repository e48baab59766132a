"""What it costs to add one fact to a partition as it grows, through the store: python benchmarks/growth.py

Prints microseconds per added fact for a small and a large partition, in turns, and their ratio.
"""

import asyncio
import statistics
import time

from fake_convai.app import create_app
from fake_convai.control.seed import plant
from fake_convai.control.seed_document import parse_seed
from fake_convai.settings import Settings
from fake_convai.store import memories
from fake_convai.store.accounts import AccountTransaction

SMALL, LARGE = 100, 10_000
ROUNDS, PROBES = 5, 200

_TEMPLATES = (
    "The user visited gallery {number} of the {word} museum.",
    "The user likes {word} number {number}.",
    "The trainee completed step {number} of the {word} check.",
    "The user's friend {word}{number} lives in town {number}.",
    "The user owns {number} {word} books.",
)
_WORDS = ("roman", "egyptian", "valve", "pressure", "red", "green", "harbour", "north", "crane", "pump")


def fact(number: int) -> str:
    """One of very many facts that look alike."""
    template = _TEMPLATES[number % len(_TEMPLATES)]
    return template.format(number=number, word=_WORDS[number // len(_TEMPLATES) % len(_WORDS)])


def fill(tx: AccountTransaction, end_user_id: str, count: int) -> None:
    """Bring a partition to `count` facts."""
    for start in range(0, count, 100):
        memories.add(tx, "npc", end_user_id, [fact(number) for number in range(start, start + 100)], {})


def probe(tx: AccountTransaction, end_user_id: str, first: int) -> float:
    """Microseconds to add one more fact, on average."""
    started = time.perf_counter()
    for number in range(first, first + PROBES):
        memories.add(tx, "npc", end_user_id, [fact(number)], {})
    return (time.perf_counter() - started) / PROBES * 1e6


async def main() -> None:
    """Fill two partitions of one account and add to them in turns."""
    app = create_app(Settings())
    async with app.router.lifespan_context(app):
        backend = app.state.backend
        account_id = await backend.authenticator.account({"convai-api-key": "growth"}, "beta", named=True)
        store = backend.account_store(account_id)
        await store.write(plant, parse_seed({"characters": [{"character_id": "npc"}]}))
        await store.write(fill, "small", SMALL)
        await store.write(fill, "large", LARGE)
        ratios = []
        for number in range(ROUNDS):
            first = LARGE * 10 + number * PROBES
            small, large = await store.write(probe, "small", first), await store.write(probe, "large", first)
            ratios.append(large / small)
            print(f"{SMALL:>6} facts {small:6.0f} us   {LARGE:>6} facts {large:6.0f} us   ratio {ratios[-1]:.2f}")
        print(f"median ratio {statistics.median(ratios):.2f}, at most 2 is wanted")


if __name__ == "__main__":
    asyncio.run(main())
