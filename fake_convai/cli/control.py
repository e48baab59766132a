"""`fake-convai seed`, `export`, `reset` and others: the control plane of a running server from a shell, over HTTP."""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

DEFAULT_URL = "http://127.0.0.1:2668"
TIMEOUT = 60.0
"""Seconds; a large seed document takes a while."""


@dataclass(frozen=True)
class Plane:
    """The control plane of a server, for one account or, without an `api_key`, for the whole server."""

    url: str
    api_key: str | None
    control_key: str | None
    as_json: bool

    def call(self, method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The answer to `method /_fake{path}`; whatever goes wrong is a `ClickException` of one line."""
        import ssl

        import httpx

        keys = {"CONVAI-API-KEY": self.api_key, "X-Fake-Convai-Control-Key": self.control_key}
        headers = [(name.encode(), key.encode()) for name, key in keys.items() if key]
        address = f"{self.url.rstrip('/')}/_fake{path}"
        try:
            # The fake is next door: a proxy of the environment is meant for elsewhere. SSL_CERT_FILE counts all the
            # same, since `serve --tls` has an authority of its own.
            with httpx.Client(trust_env=False, timeout=TIMEOUT, verify=ssl.create_default_context()) as client:
                response = client.request(method, address, json=body, params=query, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise click.ClickException(
                f"no fake-convai answers at {self.url} ({error}): start it with 'fake-convai serve', or name another "
                f"with --url"
            ) from None
        try:
            answer = response.json()
            if response.status_code == 200 and isinstance(answer, dict):
                return answer
            reason = answer["ERROR"]
        except (ValueError, LookupError, TypeError):
            reason = f"{address} answered {response.status_code}: is that fake-convai?"
        raise click.ClickException(reason)

    def show(self, answer: Mapping[str, Any], *lines: str) -> None:
        """Print what was answered: these lines, or all of it as JSON if that is wanted."""
        click.echo(_as_json(answer) if self.as_json else "\n".join(lines))


def _finite(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise click.BadParameter(f"{text!r} is not a number.")
    return number


_finite.__name__ = "number"  # which is how click calls it


def _as_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns)
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(cell), overflow="fold") for cell in row))
    Console().print(table)


def on_server(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which server and which account; the command gets a `Plane` first."""

    @click.option(
        "--url",
        envvar="FAKE_CONVAI_URL",
        default=DEFAULT_URL,
        show_default=True,
        show_envvar=True,
        help="Where the server is.",
    )
    @click.option(
        "--api-key",
        envvar="FAKE_CONVAI_ACCOUNT_KEY",
        show_envvar=True,
        help="API key of the account; without it, the whole server is meant.",
    )
    @click.option(
        "--control-key",
        envvar="FAKE_CONVAI_CONTROL_KEY",
        show_envvar=True,
        help="What the server was given as --control-key.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @wraps(command)
    def run(url: str, api_key: str | None, control_key: str | None, as_json: bool, **given: Any) -> None:
        command(Plane(url, api_key, control_key, as_json), **given)

    return run


class _WithDefault(click.Group):
    """A group that runs one of its commands when none is named."""

    def __init__(self, *args: Any, default: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        named = bool(args) and (not args[0].startswith("-") or args[0] == "--help")
        return super().parse_args(ctx, args if named else [self._default, *args])


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@on_server
def seed(plane: Plane, file: Path) -> None:
    """Add a seed document (JSON, or YAML by its ending) to an account."""
    from fake_convai.control.seed_document import read_document
    from fake_convai.domain.errors import Invalid

    try:
        document = read_document(file)
    except Invalid as error:
        raise click.ClickException(error.message) from None
    answer = plane.call("POST", "/seed", document)
    parts = ("characters", "end_users", "memories", "sessions")
    counted = ", ".join(f"{answer[part]} {part.replace('_', ' ')}" for part in parts)
    plane.show(answer, f"Seeded {counted}.")


@click.command()
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write to.")
@on_server
def export(plane: Plane, output: Path | None) -> None:
    """Print an account as a seed document, or write it to a file."""
    text = _as_json(plane.call("GET", "/state"))
    if output is None:
        click.echo(text)
        return
    try:
        output.write_text(text + "\n", "utf-8")
    except OSError as error:
        raise click.ClickException(f"cannot write {output}: {error.strerror}") from None


@click.command()
@on_server
def reset(plane: Plane) -> None:
    """Make an account, or the whole server, as new."""
    answer = plane.call("POST", "/reset")
    plane.show(answer, f"The {'account' if plane.api_key else 'whole server'} is as new.")


@click.group(cls=_WithDefault, default="list")
def snapshot() -> None:
    """Save an account under a name, and put it back."""


@snapshot.command("save")
@click.argument("name")
@on_server
def save_snapshot(plane: Plane, name: str) -> None:
    """Save the account."""
    plane.show(plane.call("PUT", _snapshot_path(name)), f"Saved {name}.")


@snapshot.command("restore")
@click.argument("name")
@on_server
def restore_snapshot(plane: Plane, name: str) -> None:
    """Put the account back as it was saved."""
    plane.show(plane.call("POST", f"{_snapshot_path(name)}/restore"), f"Restored {name}.")


@snapshot.command("delete")
@click.argument("name")
@on_server
def delete_snapshot(plane: Plane, name: str) -> None:
    """Forget a snapshot."""
    plane.show(plane.call("DELETE", _snapshot_path(name)), f"Deleted {name}.")


@snapshot.command("list")
@on_server
def list_snapshots(plane: Plane) -> None:
    """List the names."""
    answer = plane.call("GET", "/snapshots")
    plane.show(answer, *(answer["snapshots"] or ["There are no snapshots."]))


def _snapshot_path(name: str) -> str:
    return f"/snapshots/{quote(name, safe='')}"


@click.group(cls=_WithDefault, default="show")
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
@click.argument("seconds", type=_finite)
@on_server
def advance_clock(plane: Plane, seconds: float) -> None:
    """Move it by SECONDS."""
    _show_clock(plane, plane.call("PUT", "/clock", {"advance": seconds}))


@clock.command("offset", context_settings={"ignore_unknown_options": True})
@click.argument("seconds", type=_finite)
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


@click.group(cls=_WithDefault, default="list")
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
        [*(one["match"].get(name, "any") for name in columns), _what(one), one["when"], one["times"] or "always"]
        for one in answer["faults"]
    )
    _print_table(["Surface", "Path", "Character", "End user", "What", "When", "Times"], rows)


def _what(fault: Mapping[str, Any]) -> str:
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
@click.option("--rate", type=_finite, help="The share of matching requests it happens to, such as 0.1.")
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
    plane.show(answer, f"Added: {_what(answer)}.")


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


@click.command()
@click.option("--path", help="Only this path, without its surface, such as /memory/add.")
@click.option("--surface", help="Only on this surface: production, beta or live.")
@click.option("--status", help="Only with this status.")
@on_server
def requests(plane: Plane, **filters: str | None) -> None:
    """Show the journal of requests, oldest first."""
    answer = plane.call("GET", "/requests", query={name: value for name, value in filters.items() if value is not None})
    if plane.as_json or not answer["requests"]:
        near = answer.get("nearest")
        plane.show(answer, "There are no such requests." + (f" The nearest: {', '.join(near)}." if near else ""))
        return
    rows = (
        [f"{one['at'][:10]} {one['at'][11:19]}", "\n".join(_told(one)), one["status"], one["duration_ms"]]
        for one in answer["requests"]
    )
    _print_table(["At", "Request", "Status", "ms"], rows)
    if answer["dropped"]:
        click.echo(f"{answer['dropped']} older requests were dropped.")


def _told(entry: Mapping[str, Any]) -> Iterator[str]:
    """The request, and a line for each thing that is to be said about it."""
    yield f"{entry['method']} /{entry['surface']}{entry['path']}"
    if entry["fault"]:
        yield f"fault: {_what(entry['fault'])}"
    yield from (f"nobody reads '{name}'" for name in entry["unknown_fields"])
    yield from entry["violations"]


commands = (seed, export, reset, snapshot, clock, faults, requests)
"""What `fake-convai` offers beside running a server."""
