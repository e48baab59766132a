"""`fake-convai seed`, `export`, `reset` and `snapshot`: what an account of a running server holds."""

from pathlib import Path
from urllib.parse import quote

import click

from fake_convai.cli.plane import Plane, WithDefault, on_server, write_json
from fake_convai.domain.text import printable_json
from fake_convai.progress import Progress


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@on_server
def seed(plane: Plane, file: Path) -> None:
    """Add a seed document to an account.

    It is JSON, or YAML by its ending; - is standard input.
    """
    from fake_convai.control.seed_document import read_document

    with Progress(f"Reading {file}"):
        document = read_document(file)
    answer = plane.call("POST", "/seed", document, doing="Seeding")
    parts = ("characters", "end_users", "memories", "sessions")
    counted = ", ".join(f"{answer[part]} {part.replace('_', ' ')}" for part in parts)
    plane.show(answer, f"Seeded {counted}.")


@click.command()
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write to.")
@on_server
def export(plane: Plane, output: Path | None) -> None:
    """Print an account as a seed document, or write it to a file."""
    state = plane.call("GET", "/state", doing="Exporting")
    if output is None:
        click.echo(printable_json(state, 2))
    else:
        write_json(output, state)


@click.command()
@on_server
def reset(plane: Plane) -> None:
    """Make an account, or the whole server, as new."""
    answer = plane.call("POST", "/reset")
    plane.show(answer, f"The {'account' if plane.api_key else 'whole server'} is as new.")


@click.group(cls=WithDefault, default="list")
def snapshot() -> None:
    """Save an account under a name, and put it back."""


@snapshot.command("save")
@click.argument("name")
@on_server
def save_snapshot(plane: Plane, name: str) -> None:
    """Save the account."""
    plane.show(plane.call("PUT", _snapshot_path(name), doing=f"Saving {name}"), f"Saved {name}.")


@snapshot.command("restore")
@click.argument("name")
@on_server
def restore_snapshot(plane: Plane, name: str) -> None:
    """Put the account back as it was saved."""
    plane.show(plane.call("POST", f"{_snapshot_path(name)}/restore", doing=f"Restoring {name}"), f"Restored {name}.")


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
