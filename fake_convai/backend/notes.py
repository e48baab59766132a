"""Notes of what happened, which wait in memory and are written to the database in batches."""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import Generic, Protocol, TypeVar

from fake_convai.backend.waiting import Bell
from fake_convai.domain.errors import Unavailable
from fake_convai.store.database import Database
from fake_convai.store.newest import Newest
from fake_convai.store.query import Transaction

logger = logging.getLogger("fake_convai")

FLUSH_SECONDS = 0.2


class Noted(Protocol):
    """What every note has."""

    @property
    def account_id(self) -> int | None:
        """Whose it is, if anybody's."""

    @property
    def size(self) -> int:
        """Bytes of what is kept, about."""

    @property
    def ended(self) -> int:
        """When it was over, by a clock that nobody sets."""


N = TypeVar("N", bound=Noted)


class Notes(Generic[N]):
    """The newest notes of each account, here until they are written down, and there afterwards."""

    def __init__(self, database: Database, kept: Newest, keep: int, most_bytes: int) -> None:
        """`keep` is how many entries are kept of an account, and `most_bytes` how large they may be together."""
        self.added = Bell()
        self._database = database
        self._kept = kept
        self._keep = keep
        self._most_bytes = most_bytes
        self._notes: dict[int | None, deque[N]] = {}
        self._waiting: Counter[int | None] = Counter()
        """Bytes of the notes of each account, about."""
        self._dropped: Counter[int | None] = Counter()
        self._to_trim: set[int | None] = set()
        self._writing = asyncio.Lock()

    def keep(self, note: N) -> None:
        """Keep a note; the oldest go when there are too many."""
        notes = self._notes.get(note.account_id)
        if notes is None:
            notes = self._notes[note.account_id] = deque()
        notes.append(note)
        self._waiting[note.account_id] += note.size
        while len(notes) > self._keep or (self._waiting[note.account_id] > self._most_bytes and len(notes) > 1):
            self._waiting[note.account_id] -= notes.popleft().size
            self._dropped[note.account_id] += 1
        self.added.ring()

    async def share(self) -> None:
        """Write down what was noted if other replicas could be asked for it."""
        if self._notes and self._database.shared:
            with suppress(Unavailable):  # what is going on does not depend on it
                await self._write(trim=False)

    async def flush(self) -> None:
        """Write down what has been noted so far, by the clocks as they stand; all of it is written afterwards.

        When the database does not answer, the notes stay for the next time.
        """
        await self._write(trim=True)

    async def _write(self, *, trim: bool) -> None:
        """Trimming reads all entries of an account, so it is not done for each note."""
        async with self._writing:
            if not self._notes and not (trim and self._to_trim):
                return
            notes = sorted(chain.from_iterable(self._notes.values()), key=lambda note: note.ended)
            self._to_trim.update(self._notes)
            self._notes, dropped, self._dropped = {}, self._dropped, Counter()
            self._waiting.clear()
            to_trim = self._to_trim | dropped.keys() if trim else dropped.keys()
            try:
                await self._database.write(
                    lambda tx: self._write_and_trim(tx, notes, {one: dropped[one] for one in to_trim})
                )
            except Unavailable:
                newer, self._notes, self._dropped = self._notes, {}, self._dropped + dropped
                self._waiting.clear()
                for note in chain(notes, *newer.values()):
                    self.keep(note)
                raise
            self._to_trim -= to_trim

    def _write_and_trim(self, tx: Transaction, notes: Sequence[N], dropped: Mapping[int | None, int]) -> None:
        self._write_down(tx, notes)
        for account_id, dropped_before in dropped.items():
            self._kept.trim(tx, account_id, self._keep, self._most_bytes, dropped_before)

    def _write_down(self, tx: Transaction, notes: Sequence[N]) -> None:
        raise NotImplementedError

    async def run(self) -> None:
        """Flush now and then until cancelled, for a database that outlives the process."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            try:
                await self.flush()
            except Unavailable:
                pass  # the notes stay for the next time
            except Exception:
                logger.exception("Cannot write the journal")  # the next flush must come all the same
