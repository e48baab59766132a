"""`fake-convai faults`: errors, delays and broken connections on a running server."""

import json
from collections.abc import Mapping
from typing import Any

import click

from fake_convai.cli.plane import Plane, WithDefault, finite, on_server, print_table


@click.group(cls=WithDefault, default="list")
def faults() -> None:
    """Let errors, delays and broken connections happen."""


@faults.command("list")
@on_server
def list_faults(plane: Plane) -> None:
    """List the faults that wait to happen."""
    answer = plane.call("GET", "/faults")
    if plane.as_json or not answer["faults"]:
        plane.show(answer, "No fault is waiting.")
        return
    columns = ("surface", "path", "character_id", "end_user_id")
    rows = (
        [*(one["match"].get(name, "any") for name in columns), what(one), one["when"], one["times"] or "always"]
        for one in answer["faults"]
    )
    print_table(["Surface", "Path", "Character", "End user", "What", "When", "Times"], rows)


def what(fault: Mapping[str, Any]) -> str:
    told = {
        "rate": "{:.0%} of requests",
        "delay_ms": "delay {} ms",
        "status": "status {}",
        "disconnect": "disconnect",
    }
    return ", ".join(words.format(fault[name]) for name, words in told.items() if fault.get(name))


@faults.command("add")
@click.option("--surface", help="Only on this surface: production, beta or live.")
@click.option("--path", help="Only this path, such as /memory/add.")
@click.option("--character-id", help="Only requests with this character.")
@click.option("--end-user-id", help="Only requests about this end user.")
@click.option("--status", type=int, help="Answer with this status, 400 to 599.")
@click.option("--body", help="Answer with this JSON instead of Convai's own body.")
@click.option(
    "--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="Answer with this header; repeatable."
)
@click.option("--delay-ms", type=int, help="Wait so many milliseconds first.")
@click.option("--disconnect", is_flag=True, default=None, help="Break the connection.")
@click.option("--when", help="before anything happened (the default), or after the change was committed.")
@click.option("--times", type=int, help="How often it happens; once unless said otherwise.")
@click.option("--always", is_flag=True, help="Happen until cleared.")
@click.option("--rate", type=finite, help="The share of matching requests it happens to, such as 0.1.")
@on_server
def add_fault(plane: Plane, body: str | None, headers: tuple[str, ...], always: bool, **given: Any) -> None:
    """Add a fault. Unless it is narrowed down, it happens to the next request, whichever that is."""
    match = {name: given.pop(name) for name in ("surface", "path", "character_id", "end_user_id")}
    fault: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    fault["match"] = {name: value for name, value in match.items() if value is not None}
    fault["headers"] = dict(map(_header, headers))
    if body is not None:
        fault["body"] = _json_option("--body", body)
    if always and "times" in fault:
        raise click.UsageError("give --times or --always, not both")
    if always:
        fault["times"] = None
    answer = plane.call("POST", "/faults", fault)
    plane.show(answer, f"Added: {what(answer)}.")


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise click.BadParameter(f"{text!r} is not of the form 'NAME: VALUE'", param_hint="--header")
    return name.strip(), value.strip()


def _json_option(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no JSON: {error}", param_hint=name) from None


@faults.command("clear")
@on_server
def clear_faults(plane: Plane) -> None:
    """Forget the faults that wait."""
    plane.show(plane.call("DELETE", "/faults"), "No fault is waiting.")
