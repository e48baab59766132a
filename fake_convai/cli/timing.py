"""`fake-convai pace`, `lag` and `settle`: how long a running server takes, as the real service does."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from fake_convai.cli.plane import Misuse, Plane, WithDefault, finite, on_server
from fake_convai.progress import Progress


class _OrRecording(WithDefault):
    """A group that takes what is none of its commands for a recording."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        is_file = bool(args) and not args[0].startswith("-") and args[0] not in self.commands
        return super().parse_args(ctx, ["of", *args] if is_file else args)


@click.group(cls=_OrRecording, default="show")
def pace() -> None:
    """Show and set how fast characters answer, or did in a recording."""


@pace.command("show")
@on_server
def show_pace(plane: Plane) -> None:
    """Show it."""
    _show_pace(plane, plane.call("GET", "/pace"))


@pace.command("set")
@click.option("--first-token-ms", type=finite, help="Milliseconds until the first token.")
@click.option("--tokens-per-second", type=finite, help="Tokens a second of the text.")
@click.option("--words-per-minute", type=finite, help="Words a minute of speech.")
@click.option("--jitter", type=finite, help="By which share each wait may differ, 0 to 1.")
@on_server
def set_pace(plane: Plane, **given: float | None) -> None:
    """Let characters take their time; what is not given takes none."""
    members = {name: value for name, value in given.items() if value is not None}
    if not members:
        raise click.UsageError("say how fast, such as --first-token-ms 300; 'fake-convai pace clear' is at once")
    _show_pace(plane, plane.call("PUT", "/pace", members))


@pace.command("clear")
@on_server
def clear_pace(plane: Plane) -> None:
    """Let characters answer at once."""
    _show_pace(plane, plane.call("DELETE", "/pace"))


@pace.command("of")
@click.argument("recording", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def pace_of(recording: Path) -> None:
    """Print how fast the real service answered in RECORDING, as the body of PUT /_fake/pace."""
    from fake_convai.traffic.har import read_traffic
    from fake_convai.traffic.timing import pace as measured

    with Progress(f"Reading {recording}"):
        found = measured(read_traffic(recording)[0])
    if not found:
        raise Misuse(f"{recording} has no turn with times: record one over a WebSocket or as a stream")
    click.echo(json.dumps(found))


def _show_pace(plane: Plane, answer: Mapping[str, Any]) -> None:
    told = ", ".join(f"{name} {value:g}" for name, value in answer.items())
    plane.show(answer, told or "Characters answer at once.")


@click.group(cls=WithDefault, default="show")
def lag() -> None:
    """Show and set how late what is written appears."""


@lag.command("show")
@on_server
def show_lag(plane: Plane) -> None:
    """Show it."""
    _show_lag(plane, plane.call("GET", "/lag"))


def _late(text: str) -> dict[str, float | int]:
    found = re.fullmatch(r"(?:(\d{1,12}(?:\.\d{1,9})?) ?s|(\d{1,12}) ?reads?)", text.strip())
    if found is None:
        raise click.BadParameter(f"{text!r} is neither of the form 5s nor 2reads.")
    return {"seconds": float(found[1])} if found[1] else {"reads": int(found[2])}


_late.__name__ = "late"


@lag.command("set")
@click.option("--extraction", type=_late, metavar="LATE", help="Memory that a session leaves.")
@click.option("--end-users", type=_late, metavar="LATE", help="People who were not seen before.")
@click.option("--chat-history", type=_late, metavar="LATE", help="Sessions in the chat history.")
@on_server
def set_lag(plane: Plane, **given: dict[str, Any] | None) -> None:
    """Let what is written from now on appear later; what is not given appears at once.

    LATE is such as 5s, by the account's clock, or 2reads, which do not show it yet.
    """
    parts = {name: late for name, late in given.items() if late is not None}
    if not parts:
        raise click.UsageError("say what is late, such as --extraction 5s; 'fake-convai lag clear' is nothing")
    _show_lag(plane, plane.call("PUT", "/lag", parts))


@lag.command("clear")
@on_server
def clear_lag(plane: Plane) -> None:
    """Let what is written from now on appear at once; what waits still waits."""
    _show_lag(plane, plane.call("DELETE", "/lag"))


def _show_lag(plane: Plane, answer: Mapping[str, Any]) -> None:
    told = (f"{part} after {count:g} {unit}" for part, late in answer.items() for unit, count in late.items())
    plane.show(answer, ", ".join(told) or "Everything appears at once.")


@click.command()
@on_server
def settle(plane: Plane) -> None:
    """Let everything that is late appear now."""
    answer = plane.call("POST", "/settle")
    plane.show(answer, f"{answer['settled']} {'change has' if answer['settled'] == 1 else 'changes have'} appeared.")
