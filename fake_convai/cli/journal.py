"""`fake-convai requests`: the journal of a running server, as it is and as it grows."""

import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

import click

from fake_convai.cli.plane import Plane, on_server, print_table
from fake_convai.domain.text import printable_json

POLL_SECONDS = 0.3


@click.command()
@click.option("--path", help="Only this path, without its surface, such as /memory/add.")
@click.option("--surface", help="Only on this surface: production, beta or live.")
@click.option("--status", help="Only with this status.")
@click.option("--follow", is_flag=True, help="Go on with what comes, a line each, until Ctrl-C.")
@on_server
def requests(plane: Plane, follow: bool, **filters: str | None) -> None:
    """Show the journal of requests, oldest first."""
    query = {name: value for name, value in filters.items() if value is not None}
    if follow:
        _follow(plane, query)
        return
    answer = plane.call("GET", "/requests", query=query)
    if plane.as_json or not answer["requests"]:
        near = answer.get("nearest")
        plane.show(answer, "There are no such requests." + (f" The nearest: {', '.join(near)}." if near else ""))
        return
    whose = [] if plane.api_key else ["Account"]
    rows = (
        [
            f"{one['at'][:10]} {one['at'][11:19]}",
            *[one.get("account") for _ in whose],
            "\n".join(_told(one)),
            one["status"],
            one["duration_ms"],
        ]
        for one in answer["requests"]
    )
    print_table(["At", *whose, "Request", "Status", "ms"], rows)
    if answer["dropped"]:
        click.echo(f"{answer['dropped']} older requests were dropped.")


def _follow(plane: Plane, query: Mapping[str, str]) -> None:
    from fake_convai.lines import line

    seen = 0
    while True:
        # All of them, since `after` counts what no filter has left out yet.
        answer = plane.call("GET", "/requests", query={"after": seen})
        for entry in answer["requests"]:
            if all(str(entry[name]) == value for name, value in query.items()):
                in_json = printable_json(entry) if plane.as_json else ""
                click.echo(in_json or line(entry, coloured=sys.stdout.isatty()))
        seen = max(seen, answer["dropped"]) + len(answer["requests"])
        time.sleep(POLL_SECONDS)


def _told(entry: Mapping[str, Any]) -> Iterator[str]:
    """The request, and a line for each thing that is to be said about it."""
    from fake_convai.lines import oddities

    yield f"{entry['method']} /{entry['surface']}{entry['path']}"
    yield from oddities(entry)
    yield from (f"{one['event']}: {one['because']}" for one in entry.get("explanations", ()))
