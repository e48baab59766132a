"""Writing down the frames of live sessions, at next to no cost for the session itself.

As with requests (`journal.py`): a frame only leaves a note, and notes become entries when somebody reads them, a moment
later in a file, and at once in a database that replicas share.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal

import orjson

from fake_convai.backend.redact import redacted, storable
from fake_convai.backend.waiting import Bell
from fake_convai.domain.clock import real_time, to_iso
from fake_convai.domain.errors import Unavailable
from fake_convai.store import clocks, messages
from fake_convai.store.database import Database
from fake_convai.store.messages import Entry
from fake_convai.store.query import Transaction

logger = logging.getLogger("fake_convai")

FLUSH_SECONDS = 0.2
MAX_KEPT = 16 * 1024
"""Bytes; of a larger frame only its size is kept."""

Direction = Literal["in", "out"]


@dataclass(frozen=True, slots=True)
class Frame:
    """What was sent or received, and when by the machine's clock."""

    at: int
    account_id: int
    session_id: str
    direction: Direction
    type: str | None
    raw: bytes


class Frames:
    """Collects frames and writes them to the database in batches."""

    def __init__(self, database: Database, keep: int) -> None:
        """`keep` is how many frames are kept of an account."""
        self.added = Bell()
        self._database = database
        self._keep = keep
        self._notes: dict[int, deque[Frame]] = {}
        self._dropped: Counter[int] = Counter()
        self._writing = asyncio.Lock()

    def note(self, account_id: int, session_id: str, direction: Direction, kind: str | None, raw: bytes) -> None:
        """A frame was received, or is sent."""
        if len(raw) > MAX_KEPT:
            raw = orjson.dumps(f"({len(raw)} bytes, not kept)")
        notes = self._notes.get(account_id)
        if notes is None:
            notes = self._notes[account_id] = deque(maxlen=self._keep)
        elif len(notes) == self._keep:
            self._dropped[account_id] += 1
        notes.append(Frame(real_time(), account_id, session_id, direction, kind, raw))
        self.added.ring()

    async def share(self) -> None:
        """Write down what was noted if other replicas could be asked for it."""
        if self._notes and self._database.shared:
            with suppress(Unavailable):  # the session does not depend on it
                await self.flush()

    async def flush(self) -> None:
        """Write down what has been noted so far, by the clocks as they stand."""
        async with self._writing:
            if not self._notes:
                return
            notes, self._notes = self._notes, {}
            dropped, self._dropped = self._dropped, Counter()
            try:
                await self._database.write(lambda tx: self._write_down(tx, notes, dropped))
            except Unavailable:
                newer, self._notes = self._notes, notes
                self._dropped += dropped
                for frame in chain.from_iterable(newer.values()):
                    self._notes.setdefault(frame.account_id, deque(maxlen=self._keep)).append(frame)
                raise

    def _write_down(self, tx: Transaction, notes: dict[int, deque[Frame]], dropped: Counter[int]) -> None:
        for account_id, frames in notes.items():
            clock = clocks.get(tx, account_id)
            whose = {one: messages.whose(tx, one) for one in {frame.session_id for frame in frames}}
            messages.add(tx, [_entry(frame, clock.at(frame.at), whose[frame.session_id]) for frame in frames])
            messages.trim(tx, account_id, self._keep, dropped[account_id])

    async def run(self) -> None:
        """Flush now and then until cancelled, for a database that outlives the process."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            try:
                await self.flush()
            except Unavailable:
                pass  # the notes stay for the next time
            except Exception:
                logger.exception("Cannot write the frames of sessions")  # the next flush must come all the same


def _entry(frame: Frame, at: int, whose: Mapping[str, str | None]) -> Entry:
    kind = None if frame.type is None else storable(frame.type)
    content: dict[str, Any] = {
        "at": to_iso(at),
        "session_id": frame.session_id,
        **whose,
        "direction": frame.direction,
        "type": kind,
        "message": _shown(frame.raw),
    }
    return Entry(frame.account_id, frame.session_id, frame.direction, kind, orjson.dumps(content).decode())


def _shown(raw: bytes) -> Any:
    """A frame as it may be kept: JSON where it is JSON, without secrets."""
    try:
        return redacted(orjson.loads(raw))
    except orjson.JSONDecodeError:
        return storable(raw.decode("utf-8", "replace"))
