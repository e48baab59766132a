"""What must not grow with the data, and what a test pays for an account."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import httpx

from benchmarks.load import seed_of
from benchmarks.rows import Row
from fake_convai import FakeConvai
from fake_convai.app import create_app
from fake_convai.backend.surface import Surface
from fake_convai.control.seed import plant
from fake_convai.control.seed_document import SeedDocument
from fake_convai.live.running import Running
from fake_convai.settings import Settings
from fake_convai.store import memories
from fake_convai.store.accounts import AccountStore, AccountTransaction

ROUNDS = 5
SMALL, LARGE, PROBES = 100, 10_000, 200
RECORDS, PAGES = 5_000, 1_000
ACCOUNTS = 200

_TEMPLATES = (
    "The user visited gallery {number} of the {word} museum.",
    "The user likes {word} number {number}.",
    "The trainee completed step {number} of the {word} check.",
    "The user's friend {word}{number} lives in town {number}.",
    "The user owns {number} {word} books.",
)
_WORDS = ("roman", "egyptian", "valve", "pressure", "red", "green", "harbour", "north", "crane", "pump")
_GROWTH = "With the data"


def fact(number: int) -> str:
    """One of very many facts that look alike."""
    template = _TEMPLATES[number % len(_TEMPLATES)]
    return template.format(number=number, word=_WORDS[number // len(_TEMPLATES) % len(_WORDS)])


def _fill(tx: AccountTransaction, end_user_id: str, count: int) -> None:
    for start in range(0, count, 100):
        memories.add(tx, "npc", end_user_id, [fact(number) for number in range(start, start + 100)], {})


def _probe(tx: AccountTransaction, end_user_id: str, first: int) -> float:
    """Microseconds to add one more fact, on average."""
    started = time.perf_counter()
    for number in range(first, first + PROBES):
        memories.add(tx, "npc", end_user_id, [fact(number)], {})
    return (time.perf_counter() - started) / PROBES * 1e6


async def _growth() -> tuple[list[float], str]:
    app = create_app(Settings())
    async with app.router.lifespan_context(app):
        running = Running.of(app)
        assert running is not None
        backend = running.backend
        caller = await backend.authenticator.caller({b"convai-api-key": b"growth"}, Surface.BETA)
        assert caller.account_id is not None
        store: AccountStore = backend.account_store(caller.account_id)
        await store.write(plant, SeedDocument.model_validate({"characters": [{"character_id": "npc"}]}))
        await store.write(_fill, "small", SMALL)
        await store.write(_fill, "large", LARGE)
        ratios, detail = [], ""
        for number in range(ROUNDS):
            first = LARGE * 10 + number * PROBES
            small, large = await store.write(_probe, "small", first), await store.write(_probe, "large", first)
            ratios.append(large / small)
            detail = f"last round: {large:.0f} against {small:.0f} microseconds"
        return ratios, detail


def _milliseconds(client: httpx.Client, path: str, body: Any) -> float:
    """The quickest of several calls."""
    best = float("inf")
    for _ in range(20):
        started = time.perf_counter()
        client.post(path, json=body).raise_for_status()
        best = min(best, time.perf_counter() - started)
    return best * 1000


def _pagination(fake: FakeConvai, client: httpx.Client) -> Iterator[Row]:
    fake.seed(seed_of(RECORDS, "reader"))
    fake.seed({"end_users": [{"end_user_id": f"person-{number}"} for number in range(RECORDS)]})
    body = {"character_id": "npc", "end_user_id": "reader", "page_size": 50}
    ratios, first, late = [], 0.0, 0.0
    for _ in range(ROUNDS):
        first = _milliseconds(client, "/memory/list", {**body, "page": 1})
        late = _milliseconds(client, "/memory/list", {**body, "page": 100})
        ratios.append(late / first)
    detail = f"{late:.2f} against {first:.2f} ms"
    yield Row(f"page 100 against page 1 of {RECORDS:,} memories", "at most", 2, ratios, detail=detail, section=_GROWTH)
    limit, cursor = RECORDS // PAGES, None
    for _ in range(PAGES - 1):
        cursor = client.post("/user/end-users/list", json={"limit": limit, "cursor": cursor}).json()["next_cursor"]
    ratios = []
    for _ in range(ROUNDS):
        first = _milliseconds(client, "/user/end-users/list", {"limit": limit})
        late = _milliseconds(client, "/user/end-users/list", {"limit": limit, "cursor": cursor})
        ratios.append(late / first)
    detail = f"{late:.2f} against {first:.2f} ms"
    yield Row(
        f"cursor page {PAGES:,} of end users against page 1", "at most", 2, ratios, detail=detail, section=_GROWTH
    )


def _fixture(server: FakeConvai) -> Row:
    rounds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(ACCOUNTS):
            fake = server.account()
            npc = fake.character(memory=True)
            headers = {"CONVAI-API-KEY": fake.api_key}
            with httpx.Client(transport=fake.transport, base_url=fake.beta_url, headers=headers) as client:
                body = {"character_id": npc, "end_user_id": "player-42", "memories": ["The user likes tea."]}
                client.post("/memory/add", json=body).raise_for_status()
        rounds.append((time.perf_counter() - started) / ACCOUNTS * 1000)
    work = "fixture: a new account with a character, and one call in process"
    return Row(work, "at most", 3, rounds, "ms", section="What a test pays")


def rows() -> Iterator[Row]:
    """Growth of a partition and of lists, then the fixture."""
    ratios, detail = asyncio.run(_growth())
    work = f"`/memory/add` at {LARGE:,} facts in the partition against {SMALL}"
    yield Row(work, "at most", 2, ratios, detail=detail, section=_GROWTH)
    with FakeConvai() as fake:
        headers = {"CONVAI-API-KEY": fake.api_key}
        # Without a socket and a server's own work, so that the ratio is of what may grow.
        with httpx.Client(transport=fake.transport, base_url=fake.beta_url, headers=headers) as client:
            yield from _pagination(fake, client)
        yield _fixture(fake)
