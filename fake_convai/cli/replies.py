"""`fake-convai replies`: what characters say on a running server."""

import json
from pathlib import Path
from typing import Any

import click

from fake_convai.cli.plane import Misuse, Plane, WithDefault, on_server
from fake_convai.domain.text import printable_json


@click.group(cls=WithDefault, default="show")
def replies() -> None:
    """Show and set what characters say."""


@replies.command("show")
@on_server
def show_replies(plane: Plane) -> None:
    """Show it, as JSON."""
    click.echo(printable_json(plane.call("GET", "/replies"), 2))


@replies.command("set")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@on_server
def set_replies(plane: Plane, file: Path) -> None:
    """Let characters say what is in FILE (JSON, or YAML by its ending), in place of what was set before."""
    answer = plane.call("PUT", "/replies", _read(file))
    plane.show(answer, f"Set {len(answer['replies'])} replies.")


@replies.command("clear")
@on_server
def clear_replies(plane: Plane) -> None:
    """Let characters say what they would without."""
    plane.show(plane.call("PUT", "/replies", {}), "There are no scripted replies any more.")


def _read(file: Path) -> Any:
    from fake_convai.control.client import document_of

    try:
        return document_of(file)
    except (OSError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise Misuse(f"{file} cannot be read: {error}") from None
