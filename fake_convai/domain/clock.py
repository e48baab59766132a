"""Time: whole microseconds since 1970 in UTC inside, ISO 8601 with `Z` on the wire (docs/contract.md section 3)."""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import Any, NamedTuple

from fake_convai.domain.errors import Invalid

SECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)


def _unfrozen(name: str) -> Callable[[], Any]:
    """A function of the module `time` that freezegun cannot replace, or has not: it looks for those held by name."""
    found: Callable[[], Any] = getattr(sys.modules.get("freezegun.api"), f"real_{name}", getattr(time, name))
    return partial(found)


real_monotonic: Callable[[], float] = _unfrozen("monotonic")
_time_ns: Callable[[], int] = _unfrozen("time_ns")


def real_time() -> int:
    """The machine's time in microseconds, whatever a test does to the module `time`."""
    return _time_ns() // 1000


class Clock(NamedTuple):
    """An account's clock: real time, shifted by `offset` microseconds, or standing still at `frozen`."""

    frozen: int | None = None
    offset: int = 0

    def now(self) -> int:
        """The account's time in microseconds."""
        return self.at(real_time())

    def at(self, moment: int) -> int:
        """What this clock showed at a moment of the machine's time."""
        return moment + self.offset if self.frozen is None else self.frozen


@lru_cache(4096)
def to_iso(moment: int) -> str:
    """Microseconds to `2026-01-01T00:00:00.000000Z`."""
    return (_NAIVE_EPOCH + timedelta(microseconds=moment)).isoformat(timespec="microseconds") + "Z"


def to_datetime(moment: int) -> datetime:
    """Microseconds to an aware UTC datetime."""
    return _EPOCH + timedelta(microseconds=moment)


def parse_moment(text: str, parameter: str) -> int:
    """ISO 8601 to microseconds; a date alone is midnight, a time without offset is UTC (docs/contract.md section 5).

    Raises `Invalid` naming `parameter` when the text is no date.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return (moment - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError):
        raise Invalid(
            f"Invalid parameter '{parameter}': send an ISO 8601 date or time such as 2026-01-31 or "
            f"2026-01-31T12:00:00Z.",
        ) from None
