"""An answer before it is bytes."""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.responses import Response, StreamingResponse


class Json(Response):
    """A JSON answer."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Write with orjson."""
        return orjson.dumps(content)


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, JSON body and extra headers."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        """The answer as Starlette sends it."""
        return Json(self.body, self.status, self.headers)


def event_stream(events: Iterable[Any]) -> StreamingResponse:
    """Server-sent events, a `data:` line each."""

    async def lines() -> AsyncIterator[bytes]:
        for event in events:
            yield b"data: " + orjson.dumps(event) + b"\n\n"

    return StreamingResponse(lines(), media_type="text/event-stream", headers={"cache-control": "no-cache"})
