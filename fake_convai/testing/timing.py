"""The clock of an account, and how long what happens takes by it."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from fake_convai.testing.driving import Driven, checked, given

__tracebackhide__ = True

Late = float | timedelta | Mapping[str, float]
"""How late something appears."""


@checked
class Timing(Driven):
    """The part of the handle that moves time."""

    def now(self) -> datetime:
        """The time by the account's clock."""
        return datetime.fromisoformat(self._call("GET", "/clock")["now"])

    def freeze(self, at: datetime | str | None = None) -> None:
        """Let the account's clock stand still, at this moment (UTC unless it says otherwise) or as it is."""
        self._call("PUT", "/clock", {"now": iso(self.now() if at is None else at)})

    def advance(self, seconds: float | timedelta) -> None:
        """Move the account's clock, frozen or not; what expires meanwhile has expired when this returns."""
        self._call("PUT", "/clock", {"advance": _seconds(seconds)})

    def offset(self, seconds: float | timedelta) -> None:
        """Let the account's clock run so far ahead of real time, or behind it."""
        self._call("PUT", "/clock", {"offset": _seconds(seconds)})

    def unfreeze(self) -> None:
        """Back to real time."""
        self._call("DELETE", "/clock")

    def pace(
        self,
        *,
        first_token_ms: float | None = None,
        tokens_per_second: float | None = None,
        jitter: float | None = None,
        words_per_minute: float | None = None,
    ) -> None:
        """Let characters take their time, in place of the pace before; what is left out takes none.

        `jitter` is the share, 0 to 1, by which each wait may be shorter or longer.
        """
        members = {
            "first_token_ms": first_token_ms,
            "tokens_per_second": tokens_per_second,
            "jitter": jitter,
            "words_per_minute": words_per_minute,
        }
        self._call("PUT", "/pace", given(members))

    def lag(
        self, *, extraction: Late | None = None, end_users: Late | None = None, chat_history: Late | None = None
    ) -> None:
        """Let what is written from now on appear later, in place of the lag before; what is left out appears at once.

        A number is in seconds of the account's clock; `{"reads": 2}` is two reads that do not show it yet.
        """
        parts = {"extraction": extraction, "end_users": end_users, "chat_history": chat_history}
        self._call("PUT", "/lag", {part: _late(late) for part, late in given(parts).items()})

    def settle(self) -> None:
        """Let everything that is late appear now."""
        self._call("POST", "/settle")


def iso(moment: datetime | str | None) -> str | None:
    """A moment as it is sent."""
    return moment.isoformat() if isinstance(moment, datetime) else moment


def _seconds(duration: float | timedelta) -> float:
    return duration.total_seconds() if isinstance(duration, timedelta) else duration


def _late(late: Late) -> Mapping[str, float]:
    return late if isinstance(late, Mapping) else {"seconds": _seconds(late)}
