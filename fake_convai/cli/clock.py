"""`fake-convai clock`: the time of an account of a running server."""

from collections.abc import Mapping
from typing import Any

import click

from fake_convai.cli.plane import Plane, WithDefault, finite, on_server


@click.group(cls=WithDefault, default="show")
def clock() -> None:
    """Show, freeze and move the clock."""


@clock.command("show")
@on_server
def show_clock(plane: Plane) -> None:
    """Show the time."""
    _show_clock(plane, plane.call("GET", "/clock"))


@clock.command("freeze")
@click.argument("at")
@on_server
def freeze_clock(plane: Plane, at: str) -> None:
    """Let it stand still at AT, such as 2026-01-01T12:00:00Z."""
    _show_clock(plane, plane.call("PUT", "/clock", {"now": at}))


@clock.command("advance", context_settings={"ignore_unknown_options": True})
@click.argument("seconds", type=finite)
@on_server
def advance_clock(plane: Plane, seconds: float) -> None:
    """Move it by SECONDS."""
    _show_clock(plane, plane.call("PUT", "/clock", {"advance": seconds}))


@clock.command("offset", context_settings={"ignore_unknown_options": True})
@click.argument("seconds", type=finite)
@on_server
def offset_clock(plane: Plane, seconds: float) -> None:
    """Let it run SECONDS ahead of real time."""
    _show_clock(plane, plane.call("PUT", "/clock", {"offset": seconds}))


@clock.command("real")
@on_server
def real_clock(plane: Plane) -> None:
    """Back to real time."""
    _show_clock(plane, plane.call("DELETE", "/clock"))


def _show_clock(plane: Plane, answer: Mapping[str, Any]) -> None:
    shift = f"{answer['offset']:+g} s from real time" if answer["offset"] else "real time"
    plane.show(answer, f"{answer['now']} ({'frozen' if answer['frozen'] else shift})")
