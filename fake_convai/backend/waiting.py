"""Waiting for something to happen, and for an account's time to pass."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from fake_convai.domain.clock import SECOND
from fake_convai.store import clocks
from fake_convai.store.database import Database

POLL_SECONDS = 0.05
"""How often a database is asked in which another replica may have changed something."""

_LATEST = 3600.0
"""Seconds after which a clock is looked at again, since the machine's own may jump."""


class Bell:
    """Wakes those who wait for something; it does not say what, so they look again."""

    def __init__(self) -> None:
        self._listening: set[asyncio.Event] = set()

    def ring(self) -> None:
        """Wake everybody who listens."""
        for heard in self._listening:
            heard.set()

    @contextmanager
    def listen(self, *others: "Bell") -> Iterator[asyncio.Event]:
        """Listen to this bell and to others. Look at what is waited for only after this has begun, or miss a ring."""
        heard = asyncio.Event()
        bells = (self, *others)
        for bell in bells:
            bell._listening.add(heard)
        try:
            yield heard
        finally:
            for bell in bells:
                bell._listening.discard(heard)


async def rung(heard: asyncio.Event, seconds: float | None) -> None:
    """Wait until a bell has rung, at most so many seconds, and be ready for the next ring."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await heard.wait()
    heard.clear()


class Cut:
    """Tells one who waits that it is in vain."""

    def __init__(self) -> None:
        self.bell = Bell()
        self.is_made = False

    def make(self) -> None:
        """Stop the waiting, now and from now on."""
        self.is_made = True
        self.bell.ring()


class Timekeeper:
    """Waits for moments of an account's clock: for real time to pass, or for a test to move a clock that stands."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # Other replicas may move the clock.
        self._alone = not database.shared
        self._moved = Bell()

    def moved(self) -> None:
        """Some account's clock was set."""
        self._moved.ring()

    async def now(self, account_id: int) -> int:
        """The account's time in microseconds."""
        return (await self._database.read(lambda tx: clocks.get(tx, account_id))).now()

    async def until(self, account_id: int, moment: int, cut: Cut | None = None) -> bool:
        """Wait until the account's clock shows `moment`; False when the waiting was cut before."""
        bells = () if cut is None else (cut.bell,)
        with self._moved.listen(*bells) as heard:
            while cut is None or not cut.is_made:
                clock = await self._database.read(lambda tx: clocks.get(tx, account_id))
                left = moment - clock.now()
                if left <= 0:
                    return True
                seconds = _LATEST if clock.frozen is not None else min(left / SECOND, _LATEST)
                await rung(heard, seconds if self._alone else min(seconds, POLL_SECONDS))
        return False

    async def delay(self, account_id: int, milliseconds: float) -> None:
        """Wait so many milliseconds of real time, or until a test has moved the account's clock past them."""
        moment = await self.now(account_id) + round(milliseconds * 1000)
        with suppress(TimeoutError):
            # The event loop counts whole milliseconds, and may be early by one.
            async with asyncio.timeout((milliseconds + 1) / 1000):
                await self.until(account_id, moment)
