"""An answer before it is bytes."""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.responses import Response, StreamingResponse


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, JSON body and extra headers."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """The answer as Starlette sends it."""
        if self.headers:
            return Response(orjson.dumps(self.body), self.status, self.headers, "application/json")
        return PlainJson(self.body, self.status)


class PlainJson(Response):
    """JSON without headers of its own, which nearly every answer is: Starlette need not put the usual ones together."""

    def __init__(self, body: Any, status: int = 200) -> None:
        self.body, self.status_code, self.background = orjson.dumps(body), status, None
        self.raw_headers = [(b"content-length", b"%d" % len(self.body)), (b"content-type", b"application/json")]


def event_stream(events: Iterable[Any]) -> StreamingResponse:
    """Server-sent events, a `data:` line each."""

    async def lines() -> AsyncIterator[bytes]:
        for event in events:
            yield b"data: " + orjson.dumps(event) + b"\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream", headers={"cache-control": "no-cache"})
