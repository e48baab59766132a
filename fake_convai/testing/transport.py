"""An httpx transport that calls the running fake without a socket, from any thread and any event loop."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.types import ASGIApp, Message


class InProcessTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """For `httpx.Client` and `httpx.AsyncClient`, under asyncio and trio, to the accounts that the socket speaks to.

    The app runs in the server's event loop, since its database connections belong to that loop. As with a socket, the
    `Host` header selects the surface, a client that runs out of patience gets `ReadTimeout` while the server goes on,
    and an answer that breaks off is a `RemoteProtocolError`.
    """

    def __init__(self, app: ASGIApp, loop: asyncio.AbstractEventLoop) -> None:
        self._app = app
        self._loop = loop
        self._process_id = os.getpid()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request of `httpx.Client`."""
        request.read()
        answer = self._submit(request)
        try:
            return answer.result(_patience(request)).response()
        except TimeoutError:
            raise httpx.ReadTimeout("The fake has not answered in time.", request=request) from None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request of `httpx.AsyncClient`."""
        await request.aread()
        try:
            asyncio.get_running_loop()
        except RuntimeError:  # trio: its own way to wait for a thread
            import anyio.to_thread

            return await anyio.to_thread.run_sync(self.handle_request, request, abandon_on_cancel=True)
        answer = asyncio.shield(asyncio.wrap_future(self._submit(request)))
        try:
            return (await asyncio.wait_for(answer, _patience(request))).response()
        except TimeoutError:
            raise httpx.ReadTimeout("The fake has not answered in time.", request=request) from None

    def _submit(self, request: httpx.Request) -> "Future[_Answer]":
        if os.getpid() != self._process_id:
            raise httpx.ConnectError(
                "A forked child has no in-process transport: the server's thread stayed behind. Use the URL.",
                request=request,
            )
        if self._loop.is_closed():
            raise httpx.ConnectError("The fake was stopped.", request=request)
        return asyncio.run_coroutine_threadsafe(_call(self._app, request), self._loop)


def _patience(request: httpx.Request) -> float | None:
    seconds: float | None = request.extensions.get("timeout", {}).get("read")
    return seconds


@dataclass(slots=True)
class _Answer:
    """What the app has sent."""

    request: httpx.Request
    status: int | None = None
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    parts: list[bytes] = field(default_factory=list)
    complete: bool = False

    async def send(self, message: Message) -> None:
        """Take a message of the app."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], message["headers"]
        else:
            self.parts.append(message.get("body", b""))
            self.complete = not message.get("more_body", False)

    def response(self) -> httpx.Response:
        """The answer as httpx sees it; `RemoteProtocolError` when there was none."""
        if self.status is None:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.", request=self.request)
        return httpx.Response(self.status, headers=self.headers, stream=_Body(self))


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The parts of a body as they came; one that broke off breaks off again."""

    def __init__(self, answer: _Answer) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.parts
        if not self._answer.complete:
            raise httpx.RemoteProtocolError(
                "peer closed connection without sending complete message body", request=self._answer.request
            )

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self:
            yield part


async def _call(app: ASGIApp, request: httpx.Request) -> _Answer:
    answer = _Answer(request)
    messages: list[Message] = [{"type": "http.request", "body": request.content, "more_body": False}]

    async def receive() -> Message:
        if not messages:
            await asyncio.Event().wait()  # the client stays until the app is done
        return messages.pop()

    await app(_scope(request), receive, answer.send)
    return answer


def _scope(request: httpx.Request) -> dict[str, Any]:
    url = request.url
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": url.raw_path.partition(b"?")[0],
        "query_string": url.query,
        "root_path": "",
        "server": (url.host, url.port),
        "client": ("127.0.0.1", 0),
    }
