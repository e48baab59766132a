"""An answer before it is bytes."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from fake_convai.backend.sockets import abort
from fake_convai.domain.long_work import aside


class Json(Response):
    """A JSON answer."""

    media_type = "application/json"

    def __init__(self, content: Any, status_code: int = 200, headers: Mapping[str, str] | None = None) -> None:
        if headers:
            super().__init__(content, status_code, headers)
            return
        # What Starlette would find out, which is the same for nearly every answer.
        self.status_code, self.background = status_code, None
        self.body = self.render(content)
        self.raw_headers = [(b"content-length", b"%d" % len(self.body)), (b"content-type", b"application/json")]

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


async def large(body: Mapping[str, Any]) -> Response:
    """A JSON object with lists that may be long: encoded beside the event loop, one member of a list at a time."""
    return Response(await aside(lambda: _in_pieces(body)), media_type="application/json")


def _in_pieces(body: Mapping[str, Any]) -> bytes:
    pieces: list[bytes] = []
    for name, value in body.items():
        pieces += (b"," if pieces else b"{", orjson.dumps(name), b":")
        if isinstance(value, list) and value:
            for at, member in enumerate(value):  # the encoder lets nobody else run until it is done
                pieces += (b"," if at else b"[", orjson.dumps(member))
            pieces.append(b"]")
        else:
            pieces.append(orjson.dumps(value))
    return b"".join((*pieces, b"}"))


SEND_SECONDS = 10.0
"""How long a client may leave unread what was sent before it is dropped."""


AT_ONCE = 20
"""Events or frames after which everybody else has a turn: sending waits only for a client that is slow."""


class EventStream(Response):
    """Server-sent events, a `data:` line each. A client that has gone, or does not read, gets no more of them."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncIterator[tuple[str, Any]]) -> None:
        """`events` are names, which only faults care for, and what is sent."""
        super().__init__(headers={"cache-control": "no-cache"})
        self.pieces = _lines(events)
        self.raw_headers = [header for header in self.raw_headers if header[0] != b"content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events as they come, until they end or the client has gone."""
        sending = asyncio.current_task()
        assert sending is not None
        watching = asyncio.create_task(_until_gone(receive, sending))
        try:
            await self._send_all(scope, send)
        except asyncio.CancelledError:
            if not watching.done() or watching.cancelled():
                raise  # the server stops
            sending.uncancel()
        finally:
            watching.cancel()

    async def _send_all(self, scope: Scope, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            sent = 0
            async for _, piece in self.pieces:
                sent += 1
                if sent % AT_ONCE == 0:
                    await asyncio.sleep(0)
                async with asyncio.timeout(SEND_SECONDS):
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            async with asyncio.timeout(SEND_SECONDS):
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            abort(scope)


async def _until_gone(receive: Receive, sending: asyncio.Task[Any]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    sending.cancel()


async def _lines(events: AsyncIterator[tuple[str, Any]]) -> AsyncIterator[tuple[str, bytes]]:
    async for kind, event in events:
        yield kind, b"data: " + orjson.dumps(event) + b"\n\n"
