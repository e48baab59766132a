"""Faults inside what is being sent: events of a stream, frames of a session, the body of an answer.

Each knows where it happens and what it does there, and nothing else knows of it (docs/control-plane.md, "Faults").
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Literal

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from fake_convai.backend import responses
from fake_convai.backend.faults import Faults, Wait
from fake_convai.backend.responses import EventStream
from fake_convai.backend.sockets import abort
from fake_convai.domain.faults import Fault

ANY = "*"
"""Stands for events of every type in `at`."""

Write = Callable[[bytes], Awaitable[None]]
_SLICES_A_SECOND = 10


class Broken(Exception):
    """The stream is over before its end: it `end`s as if nothing was missing, or its connection is `reset`."""

    def __init__(self, how: Literal["end", "reset"]) -> None:
        super().__init__(how)
        self.how = how


class Disturber:
    """Lets planned faults happen to one stream, whose pieces pass through `send` in order."""

    def __init__(self, faults: Faults, account_id: int, planned: list[Fault], wait: Wait, *, divides: bool) -> None:
        """`divides` tells whether a piece may go out in parts: a frame of a WebSocket may not."""
        self._faults = faults
        self._account_id = account_id
        self._planned = planned
        self._wait = wait
        self._divides = divides
        self._seen: Counter[str] = Counter()
        self._bytes = 0
        self._held: bytes | None = None
        self._bytes_per_second: int | None = None
        self.happened: list[Fault] = []

    async def send(self, kind: str, piece: bytes, write: Write) -> None:
        """Send a piece, or what is to happen instead. Raises `Broken` when nothing more may follow."""
        self._seen.update((kind, ANY))
        begins, self._bytes = self._bytes, self._bytes + len(piece)
        held, self._held = self._held, None
        fault = next((one for one in self._planned if self._is_due(one, kind, begins)), None)
        if fault is not None:
            self._planned.remove(fault)
            if not await self._faults.use(self._account_id, fault):
                fault = None
        if fault is None:
            await self._write(piece, write)
        else:
            self.happened.append(fault)
            offset = fault.at["bytes"] - begins if fault.at and "bytes" in fault.at and self._divides else 0
            await self._happen(fault, piece, offset, write)
        if held is not None:
            await self._write(held, write)

    async def finish(self, write: Write) -> None:
        """The stream has ended: send what was to change places with a piece that did not come."""
        held, self._held = self._held, None
        if held is not None:
            await self._write(held, write)

    def _is_due(self, fault: Fault, kind: str, begins: int) -> bool:
        at = fault.at or {"event": ANY}
        if "bytes" in at:
            return begins <= int(at["bytes"]) < self._bytes
        event: str = at["event"]
        return event in (kind, ANY) and self._seen[event] == int(at.get("nth", 1))

    async def _happen(self, fault: Fault, piece: bytes, offset: int, write: Write) -> None:
        if offset:
            await self._write(piece[:offset], write)
        rest = piece[offset:]
        await self._wait(fault.waits_ms)
        match fault.do:
            case "end" | "reset":
                raise Broken("end" if fault.do == "end" else "reset")
            case "malformed":
                # An event of a stream keeps the empty line at its end, so that the reader goes on with the next.
                end = b"\n\n" if rest.endswith(b"\n\n") else b""
                await self._write(rest[: len(rest) // 2] + end, write)
            case "error":
                await self._write(_error(fault, rest), write)
                raise Broken("end")
            case "duplicate":
                await self._write(rest, write)
                await self._write(rest, write)
            case "reorder":
                self._held = rest
            case "drop":
                pass
            case "trickle":
                self._bytes_per_second = fault.bytes_per_second
                await self._write(rest, write)
            case _:
                await self._write(rest, write)

    async def _write(self, piece: bytes, write: Write) -> None:
        if self._bytes_per_second is None:
            await write(piece)
            return
        size = max(1, self._bytes_per_second // _SLICES_A_SECOND) if self._divides else max(1, len(piece))
        for start in range(0, len(piece), size):
            part = piece[start : start + size]
            await self._wait(1000 * len(part) / self._bytes_per_second)
            await write(part)


def _error(fault: Fault, piece: bytes) -> bytes:
    event = fault.body
    if event is None:
        event = {"label": "rtvi-ai", "type": "error", "data": {"error": "Injected fault", "fatal": False}}
    return (b"data: %b\n\n" if piece.startswith(b"data: ") else b"%b") % orjson.dumps(event)


class Disturbed(Response):
    """An answer of which something goes wrong on its way."""

    def __init__(self, whole: Response, disturber: Disturber) -> None:
        super().__init__()
        self.status_code = whole.status_code
        # How long it will be is not known, so the server sends it in chunks.
        self.raw_headers = [header for header in whole.raw_headers if header[0] != b"content-length"]
        self.body = whole.body if hasattr(whole, "body") else b""
        self._whole = whole
        self._disturber = disturber

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what is left of it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})

        async def write(piece: bytes) -> None:
            async with asyncio.timeout(responses.SEND_SECONDS):
                await send({"type": "http.response.body", "body": piece, "more_body": True})

        try:
            if isinstance(self._whole, EventStream):
                async for kind, piece in self._whole.pieces:
                    await self._disturber.send(kind, piece, write)
            else:
                await self._disturber.send("answer", bytes(self.body), write)
            await self._disturber.finish(write)
        except TimeoutError:
            abort(scope)
            return
        except Broken as broken:
            if broken.how == "reset":
                abort(scope, reset=True)
                return
        with suppress(OSError):
            await send({"type": "http.response.body", "body": b"", "more_body": False})
