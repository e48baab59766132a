"""Passing on a WebSocket, message by message in both directions."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress

from starlette.responses import Response
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from fake_convai.domain.clock import real_time, to_iso
from fake_convai.traffic.bodies import parse
from fake_convai.traffic.recording import CREDENTIALS, Close, Exchange, Frame, Received, Recorder, Sent

_NORMAL = 1000


async def relay(client: WebSocket, url: str, sent: Sent, recorder: Recorder) -> None:
    """Connect to `url` for the client, carry messages until either side hangs up, and record all of it."""
    exchange = Exchange(at=to_iso(real_time()), request=sent, response=Received(status=101))
    started = time.perf_counter()
    headers = {name: client.headers[name] for name in CREDENTIALS if name in client.headers}
    try:
        async with connect(url, additional_headers=headers, max_size=None) as server:
            await client.accept()
            exchange.close = await _carry(client, server, exchange, started)
    except InvalidStatus as error:
        refusal = error.response
        exchange.response.status = refusal.status_code
        kind = refusal.headers.get("content-type", "text/plain")
        await client.send_denial_response(Response(bytes(refusal.body or b""), refusal.status_code, media_type=kind))
    except (OSError, WebSocketException):
        await client.close()
        return  # nobody there: nothing to record
    exchange.duration_ms = _since(started)
    recorder.add(exchange)


async def _carry(client: WebSocket, server: ClientConnection, exchange: Exchange, started: float) -> Close:
    to_server = asyncio.create_task(_to_server(client, server, exchange, started))
    to_client = asyncio.create_task(_to_client(client, server, exchange, started))
    await asyncio.wait((to_server, to_client), return_when=asyncio.FIRST_COMPLETED)
    if to_client.done():
        to_server.cancel()
        close = Close(by="server", code=server.close_code or _NORMAL, reason=server.close_reason or "")
        await client.close(close.code if close.code != 1006 else 1011, close.reason)
        return close
    code = to_server.result()
    await server.close(code if code in (1000, 1001) or 3000 <= code < 5000 else _NORMAL)
    await to_client  # what was still on its way belongs to the recording, though the client is gone
    return Close(by="client", code=code)


async def _to_server(client: WebSocket, server: ClientConnection, exchange: Exchange, started: float) -> int:
    async for message in _messages(client):
        if isinstance(message, int):
            return message
        exchange.frames.append(Frame(sender="client", body=parse(message), at_ms=_since(started)))
        with suppress(ConnectionClosed):  # the other task sees it too, and ends this one
            await server.send(message)
    return _NORMAL


async def _messages(client: WebSocket) -> AsyncIterator[str | bytes | int]:
    """What the client sends, at last the code that it hangs up with."""
    while True:
        message = await client.receive()
        if message["type"] == "websocket.disconnect":
            yield message.get("code") or _NORMAL
            return
        text = message.get("text")
        yield message["bytes"] if text is None else text


async def _to_client(client: WebSocket, server: ClientConnection, exchange: Exchange, started: float) -> None:
    with suppress(ConnectionClosed):
        async for message in server:
            exchange.frames.append(Frame(sender="server", body=parse(message), at_ms=_since(started)))
            with suppress(RuntimeError, OSError):  # the client has just gone, as the other task sees too
                await (client.send_text(message) if isinstance(message, str) else client.send_bytes(message))


def _since(started: float) -> float:
    """Milliseconds."""
    return round((time.perf_counter() - started) * 1000, 3)
