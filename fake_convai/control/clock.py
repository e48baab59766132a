"""The account's clock: freeze it, move it, shift it (docs/control-plane.md)."""

from typing import Any

from fake_convai.control import answers
from fake_convai.control.plane import ControlCall
from fake_convai.domain.clock import SECOND, Clock, parse_moment, to_iso
from fake_convai.domain.errors import Invalid
from fake_convai.store import clocks

_YEAR = 365 * 24 * 3600 * SECOND
_HELP = 'send one of {"now": "2026-01-01T00:00:00Z"}, {"advance": 3600} and {"offset": 86400}'


async def show(call: ControlCall) -> answers.Clock:
    """The time, and whether it stands still or is shifted."""
    return describe(await call.backend.database.read(lambda tx: clocks.get(tx, call.account_id)))


async def change(call: ControlCall) -> answers.Clock:
    """Freeze the clock at `now`, move it by `advance` seconds, or let it run `offset` seconds ahead."""
    if len(call.body) != 1:
        raise Invalid(f"Invalid clock: {_HELP}.")
    changed = await call.backend.database.write(
        lambda tx: clocks.change(tx, call.account_id, lambda clock: _changed(clock, call.body))
    )
    call.backend.time.moved()
    await call.hub.sweep()  # what the new time ends has ended when this is answered
    return describe(changed)


async def run_on(call: ControlCall) -> answers.Clock:
    """Back to real time."""
    changed = await call.backend.database.write(lambda tx: clocks.change(tx, call.account_id, lambda _: Clock()))
    call.backend.time.moved()
    await call.hub.sweep()
    return describe(changed)


def describe(clock: Clock) -> answers.Clock:
    """A clock as the control plane shows it; `offset` in seconds."""
    return {"now": to_iso(clock.now()), "frozen": clock.frozen is not None, "offset": clock.offset / SECOND}


def _changed(clock: Clock, wish: dict[str, Any]) -> Clock:
    ((name, value),) = wish.items()
    if name == "now":
        if not isinstance(value, str):
            raise Invalid(f"Invalid clock at 'now': {_HELP}.")
        changed = Clock(frozen=parse_moment(value, "now"))
    elif name == "advance" and clock.frozen is not None:
        changed = Clock(frozen=clock.frozen + _microseconds(name, value))
    elif name == "advance":
        changed = Clock(offset=clock.offset + _microseconds(name, value))
    elif name == "offset":
        changed = Clock(offset=_microseconds(name, value))
    else:
        raise Invalid(f"Invalid clock at '{name}': {_HELP}.")
    try:
        to_iso(changed.now())
        to_iso(changed.now() + _YEAR)  # what is handed out now expires later
    except OverflowError:
        raise Invalid(f"Invalid clock at '{name}': the year must be from 1 to 9998.") from None
    return changed


def _microseconds(name: str, seconds: Any) -> int:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or abs(seconds) > 1e12:
        raise Invalid(f"Invalid clock at '{name}': send a number of seconds.")
    return round(seconds * SECOND)
