"""The clock of an account."""

from datetime import datetime, timedelta

from fake_convai.testing.driving import Driven, checked

__tracebackhide__ = True


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


def iso(moment: datetime | str | None) -> str | None:
    """A moment as it is sent."""
    return moment.isoformat() if isinstance(moment, datetime) else moment


def _seconds(duration: float | timedelta) -> float:
    return duration.total_seconds() if isinstance(duration, timedelta) else duration
