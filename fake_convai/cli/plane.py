"""What the commands that act on a running server share: which server, which account, and how an answer is printed."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from fake_convai.domain.text import printable, printable_json
from fake_convai.progress import Progress

DEFAULT_URL = "http://127.0.0.1:2668"


class Misuse(click.ClickException):
    """What was asked cannot be done; the message is one line."""

    exit_code = 2


@dataclass(frozen=True)
class Plane:
    """The control plane of a server, for one account or, without an `api_key`, for the whole server."""

    url: str
    api_key: str | None
    control_key: str | None
    as_json: bool

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        doing: str = "Waiting for the server",
    ) -> dict[str, Any]:
        """The answer to `method /_fake{path}`; whatever goes wrong is a `Misuse`.

        A terminal shows what is being done meanwhile.
        """
        from fake_convai.control.client import ControlClient, ControlError

        try:
            with Progress(doing), ControlClient(self.url, self.control_key) as client:
                return client.call(method, path, body, query, api_key=self.api_key)
        except ControlError as error:
            if error.status == 400 and not self.api_key and "one account" in str(error):
                raise Misuse("this acts on one account: name it with --api-key KEY") from None
            hint = "" if error.status else " Start it with 'fake-convai serve', or name another with --url."
            raise Misuse(f"{error}{hint}") from None

    def show(self, answer: Mapping[str, Any], *lines: str) -> None:
        """Print what was answered: these lines, or all of it as JSON if that is wanted."""
        click.echo(printable_json(answer, 2) if self.as_json else "\n".join(map(printable, lines)))


def finite(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise click.BadParameter(f"{text!r} is not a number.")
    return number


finite.__name__ = "number"  # which is how click calls it


def write_json(path: Path, value: Any) -> None:
    try:
        path.write_text(printable_json(value, 2) + "\n", "utf-8")
    except OSError as error:
        raise Misuse(f"cannot write {path}: {error.strerror}") from error


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns)
    for row in rows:
        table.add_row(
            *(
                Text("" if cell is None else "\n".join(map(printable, str(cell).split("\n"))), overflow="fold")
                for cell in row
            )
        )
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


class WithDefault(click.Group):
    """A group that runs one of its commands when none is named."""

    def __init__(self, *args: Any, default: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        named = bool(args) and (not args[0].startswith("-") or args[0] == "--help")
        return super().parse_args(ctx, args if named else [self._default, *args])
