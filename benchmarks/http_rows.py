"""The fake against the ceiling, request by request."""

import sys
from collections.abc import Iterator

from benchmarks.load import Load, running, running_fake
from benchmarks.rows import Row, show

ROUNDS = 5
CEILING_PORT, FAKE_PORT = 7801, 7802

LIST = Load("/beta/memory/list", body='{"character_id": "npc", "end_user_id": "player-42", "page_size": 10}')
GET = Load("/beta/user/end-users/get", body='{"end_user_id": "player-42"}')


def add(name: str) -> Load:
    """One new fact a request, for a person of that name."""
    fact = "The trainee completed step {n} of the valve check."
    return Load("/beta/memory/add", body=f'{{"character_id": "npc", "end_user_id": "{name}", "memories": ["{fact}"]}}')


_WORK = (
    ("`/memory/list`, 10 of 50 records", 0.50),
    ("`/user/end-users/get`", 0.55),
    ("`/memory/add`, one new fact", 0.35),
)


def rows() -> Iterator[Row]:
    """Ceiling and fake in turns, so that what else the machine does falls on both."""
    ceiling = [sys.executable, "-m", "uvicorn", "--log-level", "error", "--no-access-log", "--port", str(CEILING_PORT)]
    with (
        running([*ceiling, "benchmarks.ceiling:app"], f"http://127.0.0.1:{CEILING_PORT}") as top,
        running_fake(FAKE_PORT) as fake,
    ):
        for number, (work, wanted) in enumerate(_WORK):
            ratios, reached, possible = [], 0.0, 0.0
            for attempt in range(ROUNDS):
                load = (LIST, GET, add(f"trainee-{attempt}"))[number]
                possible, reached = top.requests_a_second(load), fake.requests_a_second(load)
                ratios.append(reached / possible)
            detail = f"last round: {show(reached)} of {show(possible)} requests a second"
            yield Row(work, "at least", wanted, ratios, detail=detail)
