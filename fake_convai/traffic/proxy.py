"""`fake-convai proxy`: passes requests on to the real service, and writes down what was said."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlsplit

import click
import httpx
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from fake_convai.api.pipeline import CHAT_PATH
from fake_convai.backend.surface import Surface, locate
from fake_convai.domain.clock import real_time, to_iso
from fake_convai.traffic.bodies import body_of, media_type, parse
from fake_convai.traffic.recording import Exchange, Received, Recorder, Sent
from fake_convai.traffic.sockets import CREDENTIALS, relay
from fake_convai.traffic.targets import Targets, home

TIMEOUT = httpx.Timeout(120.0, connect=20.0)
"""Seconds; a character that thinks for long is no reason to hang up."""

KEPT_OF_REQUEST = (*CREDENTIALS, "content-type", "accept")
KEPT_OF_ANSWER = ("content-type", "retry-after", "location", "access-control-allow-origin")

# What belongs to one connection, and what httpx works out by itself. Answers are asked for as they are, since a packed
# one could not be read here.
_NOT_SENT_ON = {"host", "connection", "keep-alive", "transfer-encoding", "upgrade", "te", "content-length"}
_NOT_SENT_ON |= {"proxy-authorization", "proxy-connection", "accept-encoding"}
_NOT_SENT_BACK = {"connection", "keep-alive", "transfer-encoding", "content-length", "upgrade", "date", "server"}


def create_proxy(targets: Targets, recorder: Recorder) -> Starlette:
    """The proxy as an ASGI application."""
    proxy = _Proxy(targets, recorder)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with httpx.AsyncClient(timeout=TIMEOUT) as client:
            proxy.client = client
            yield
        recorder.close()

    return Starlette(routes=[Mount("/", app=proxy)], lifespan=lifespan)


class _Proxy:
    """Takes requests as the fake does, by prefix or host, and lets the targets answer."""

    client: httpx.AsyncClient

    def __init__(self, targets: Targets, recorder: Recorder) -> None:
        self._targets = targets
        self._recorder = recorder
        self._sockets: dict[str, str] = {}  # where the WebSocket of a session really is

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request, or one WebSocket."""
        named, path = locate(scope)
        surface = named or home(path)
        url = self._targets.url(surface, path, named=named is not None)
        query = scope["query_string"].decode("latin-1")
        sent = Sent(
            method=scope.get("method", "WEBSOCKET"),
            surface=surface,
            path=path,
            named=named is not None,
            query=dict(parse_qsl(query, keep_blank_values=True)),
        )
        if query:
            url += f"?{query}"
        if scope["type"] == "websocket":
            websocket = WebSocket(scope, receive, send)
            url = self._sockets.get(sent.query.get("session_id", ""), url.replace("http", "ws", 1))
            sent.headers = self._recorder.vault.headers(websocket.headers, KEPT_OF_REQUEST)
            await relay(websocket, url, sent, self._recorder)
            return
        request = Request(scope, receive)
        response = await self._pass_on(request, url, sent)
        await response(scope, receive, send)

    async def _pass_on(self, request: Request, url: str, sent: Sent) -> Response:
        at, started = to_iso(real_time()), time.perf_counter()
        raw = await request.body()
        headers = [(name, value) for name, value in request.headers.items() if name not in _NOT_SENT_ON]
        headers.append(("accept-encoding", "identity"))
        try:
            upstream = self.client.build_request(request.method, url, headers=headers, content=raw)
            answer = await self.client.send(upstream, stream=True)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return self._unreachable(url, error)
        sent.headers = self._recorder.vault.headers(request.headers, KEPT_OF_REQUEST)
        sent.body = await body_of(request, raw)
        exchange = Exchange(at=at, request=sent, response=Received(status=answer.status_code))
        exchange.response.headers = self._recorder.vault.headers(answer.headers, KEPT_OF_ANSWER)

        def record(content: bytes) -> None:
            exchange.duration_ms = round((time.perf_counter() - started) * 1000, 3)
            exchange.response.body = parse(content, answer.headers.get("content-type", ""))
            if request.method != "OPTIONS":  # a browser asking for permission, which is not the service's business
                self._recorder.add(exchange)

        if sent.path == "/connect" and media_type(answer.headers.get("content-type", "")) == "application/json":
            content = await answer.aread()
            self._note_session(content)
            record(content)
            return _answer(answer, self._through_here(content, request))

        async def stream() -> AsyncIterator[bytes]:
            parts = []
            async for part in answer.aiter_raw():
                parts.append(part)
                yield part
            record(b"".join(parts))
            await answer.aclose()

        return StreamingResponse(stream(), answer.status_code, headers=_headers(answer))

    def _unreachable(self, url: str, error: Exception) -> Response:
        host = urlsplit(url).netloc
        click.echo(f"fake-convai: not recorded: {host} does not answer ({error or type(error).__name__})", err=True)
        body = {"ERROR": f"The proxy of fake-convai gets no answer from {host}.", "detail": "Bad gateway"}
        return Response(orjson.dumps(body), 502, media_type="application/json")

    def _note_session(self, content: bytes) -> None:
        body = parse(content).value
        if isinstance(body, dict) and isinstance(body.get("session_id"), str):
            self._recorder.vault.note_session(body["session_id"])
            if _is_chat(body.get("room_url")):
                self._sockets[body["session_id"]] = body["room_url"]

    def _through_here(self, content: bytes, request: Request) -> bytes:
        """The answer to /connect with the address of the WebSocket changed to the proxy's, so that it is recorded."""
        body = parse(content).value
        if not isinstance(body, dict) or not _is_chat(body.get("room_url")):
            return content
        query = urlsplit(body["room_url"]).query
        scheme = "wss" if request.url.scheme == "https" else "ws"
        here = f"{scheme}://{request.url.netloc}/{Surface.LIVE}{CHAT_PATH}?{query}"
        return orjson.dumps({**body, "room_url": here})


def _is_chat(url: object) -> bool:
    """Whether this is the address of a WebSocket of Convai's; LiveKit's has no such path."""
    return isinstance(url, str) and urlsplit(url).path.endswith(CHAT_PATH)


def _headers(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in _NOT_SENT_BACK}


def _answer(answer: httpx.Response, content: bytes) -> Response:
    return Response(content, answer.status_code, headers=_headers(answer))
