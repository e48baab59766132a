"""Waiting until so many entries of a journal match: `?wait=SECONDS&count=N`."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from difflib import SequenceMatcher
from typing import Any

from fake_convai.backend.waiting import POLL_SECONDS, Bell, rung
from fake_convai.domain.errors import Invalid

MAX_WAIT = 300.0
"""Seconds."""
_NEAREST = 3
_MOST_COMPARED = 300

Entries = list[dict[str, Any]]


class Patience:
    """How long a reader of a journal waits, and for how many entries; None when it does not wait."""

    def __init__(self, seconds: float, count: int) -> None:
        self.seconds = seconds
        self.count = count

    @staticmethod
    def of(query: dict[str, str]) -> "Patience | None":
        """Take `wait` and `count` out of a query; `Invalid` for what is no number."""
        wait, count = query.pop("wait", None), query.pop("count", None)
        if wait is None and count is None:
            return None
        try:
            seconds, number = float(wait or 0), int(count or 1)
        except ValueError:
            seconds, number = -1.0, 0
        if not 0 <= seconds <= MAX_WAIT or number < 1:
            raise Invalid(f"Invalid filter 'wait' or 'count': send at most {MAX_WAIT:.0f} seconds and a whole number.")
        return Patience(seconds, number)

    async def wait(self, bell: Bell, read: Callable[[], Awaitable[Entries]]) -> Entries:
        """What `read` finds as soon as it is enough, or when the time is over. Others ring the bell or write unseen."""
        end = asyncio.get_running_loop().time() + self.seconds
        with bell.listen() as heard:
            while True:
                found = await read()
                left = end - asyncio.get_running_loop().time()
                if len(found) >= self.count or left <= 0:
                    return found
                await rung(heard, min(left, POLL_SECONDS))


def nearest(entries: Iterable[Mapping[str, Any]], wanted: Mapping[str, Any]) -> Entries:
    """The entries that differ least from what was wanted, the newest first among equals, each with what differed."""
    alike: dict[tuple[str, Any], float] = {}
    ranked = []
    for number, entry in enumerate(entries):
        differed = {name: value for name, value in wanted.items() if entry.get(name) != value}
        if differed:
            apart = sum(1 - _likeness(entry.get(name), value, name, alike) for name, value in differed.items())
            ranked.append((len(differed), apart, -number, entry, differed))
    ranked.sort(key=lambda one: one[:3])
    return [
        {
            **entry,
            "differed": [
                f"{name} is {_shown(entry.get(name))}, not {_shown(value)}" for name, value in differed.items()
            ],
        }
        for *_, entry, differed in ranked[:_NEAREST]
    ]


def _likeness(value: Any, wanted: Any, name: str, known: dict[tuple[str, Any], float]) -> float:
    """How alike two texts are, from 0 to 1; looked at for so many texts only, as it takes its time."""
    if not isinstance(value, str) or not isinstance(wanted, str):
        return 0.0
    if (name, value) not in known and len(known) < _MOST_COMPARED:
        known[name, value] = SequenceMatcher(None, value[:100], wanted[:100]).ratio()
    return known.get((name, value), 0.0)


def _shown(value: Any) -> str:
    text = "absent" if value is None else str(value)
    return text if len(text) <= 100 else text[:97] + "..."
