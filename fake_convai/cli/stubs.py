"""`fake-convai stubs`: answers from recorded traffic for routes that the fake does not emulate."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from fake_convai.cli.plane import Misuse, Plane, on_server

if TYPE_CHECKING:
    from fake_convai.traffic.har import Entry
    from fake_convai.traffic.recording import Body

Stub = dict[str, Any]


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--all", "everything", is_flag=True, help="Take routes that the fake emulates, too.")
@on_server
def stubs(plane: Plane, file: Path, everything: bool) -> None:
    """Answer as recorded in FILE, by 'fake-convai proxy' or as HAR.

    Only routes that the fake does not emulate are taken. What was stubbed before is forgotten.
    """
    from fake_convai.api.routes import ENDPOINTS
    from fake_convai.api.routing import Routes

    routes = Routes(ENDPOINTS, "observed")
    recorded = list(_read(file))
    found = [
        stub
        for stub in recorded
        if everything or not routes.at(stub["match"]["method"], stub["match"]["path"].rstrip("/") or "/")[0]
    ]
    answer = plane.call("PUT", "/stubs", {"stubs": _in_turn(found)})
    left = len(recorded) - len(found)
    more = f" The fake emulates {left} more itself; --all takes them too." if left else ""
    plane.show(answer, f"Stubbed {len(answer['stubs'])} answers.{more}")


def _read(file: Path) -> Iterator[Stub]:
    from fake_convai.traffic.har import answered
    from fake_convai.traffic.recording import Unreadable, is_recording

    content = file.read_bytes()
    try:
        yield from _from_recording(file) if is_recording(content) else map(_from_entry, answered(content))
    except Unreadable as error:
        raise Misuse(f"{file}: {error}") from None


def _from_recording(file: Path) -> Iterator[Stub]:
    from fake_convai.traffic.recording import read

    for exchange in read(file):
        sent, received = exchange.request, exchange.response
        answer = _answer(received.body, received.headers.get("content-type"))
        if sent.method == "WEBSOCKET" or answer is None:
            continue
        match: dict[str, Any] = {"path": sent.path, "method": sent.method, "surface": str(sent.surface)}
        if sent.body.kind in ("json", "form") and isinstance(sent.body.value, dict):
            match["body"] = {name: value for name, value in sent.body.value.items() if not isinstance(value, dict)}
        yield {"match": match, "status": received.status, **answer}


def _answer(body: "Body", content_type: str | None) -> Stub | None:
    """The part of a stub that says what is sent; None for sound, of which a recording has the size alone."""
    headers = {} if content_type is None else {"headers": {"content-type": content_type}}
    if body.kind == "empty":
        return {}
    if body.kind == "json":
        return {"body": body.value, **headers}
    if body.kind == "events":
        text = "".join(f"data: {json.dumps(event)}\n\n" for event in body.value)
        return {"text": text, "headers": {"content-type": "text/event-stream"}}
    return {"text": body.value, **headers} if body.kind == "text" else None


def _from_entry(entry: "Entry") -> Stub:
    from fake_convai.backend.surface import locate

    parts = urlsplit(entry.request.url)
    surface, path = locate({"path": parts.path, "headers": [(b"host", parts.netloc.encode())]})
    match = {"path": path or "/", "method": entry.request.method}
    if surface is not None:
        match["surface"] = str(surface)
    received = entry.response.content
    kind = "base64" if received.encoding == "base64" else "text"
    headers = {"headers": {"content-type": received.mimeType}} if received.mimeType else {}
    return {"match": match, "status": entry.response.status, kind: received.text, **headers}


def _in_turn(found: list[Stub]) -> list[Stub]:
    """Of answers to the same request, each but the last is given once."""
    keys = [json.dumps(stub["match"], sort_keys=True) for stub in found]
    return [
        {**stub, "times": 1} if key in keys[number + 1 :] else stub
        for number, (stub, key) in enumerate(zip(found, keys, strict=True))
    ]
