"""`fake-convai requests`: the journal of a running server."""

from collections.abc import Iterator, Mapping
from typing import Any

import click

from fake_convai.cli.faults import what
from fake_convai.cli.plane import Plane, on_server, print_table


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
    print_table(["At", "Request", "Status", "ms"], rows)
    if answer["dropped"]:
        click.echo(f"{answer['dropped']} older requests were dropped.")


def _told(entry: Mapping[str, Any]) -> Iterator[str]:
    """The request, and a line for each thing that is to be said about it."""
    yield f"{entry['method']} /{entry['surface']}{entry['path']}"
    if entry["fault"]:
        yield f"fault: {what(entry['fault'])}"
    yield from (f"nobody reads '{name}'" for name in entry["unknown_fields"])
    yield from entry["violations"]
