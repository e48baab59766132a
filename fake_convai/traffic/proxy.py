"""`fake-convai proxy`: passes requests on to the real service, and writes down what was said."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, quote, urlsplit

import click
import httpx
import orjson
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from fake_convai.api.routing import CHAT_PATH
from fake_convai.backend.surface import Surface, locate
from fake_convai.domain.clock import real_time, to_iso
from fake_convai.traffic.bodies import Passing, media_type, parse
from fake_convai.traffic.recording import KEPT_OF_ANSWER, KEPT_OF_REQUEST, Body, Exchange, Received, Recorder, Sent
from fake_convai.traffic.sockets import relay
from fake_convai.traffic.targets import Targets, home

TIMEOUT = httpx.Timeout(120.0, connect=20.0)
"""Seconds; a character that thinks for long is no reason to hang up."""

# What belongs to one connection (RFC 9110, section 7.6.1).
_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer"}
_HOP |= {"proxy-authorization", "proxy-authenticate", "proxy-connection"}
# Answers are asked for as they are, since a packed one could not be read here; httpx names the host.
_NOT_SENT_ON = _HOP | {"host", "accept-encoding"}
_NOT_SENT_BACK = _HOP | {"content-length", "date", "server"}


_AS_IT_IS = "".join(map(chr, range(0x21, 0x7F)))

Headers = list[tuple[bytes, bytes]]
Record = Callable[[Passing], Awaitable[None]]


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
        surface, path = named or home(path), _as_sent(scope, path)
        url = self._targets.url(surface, path, named=named is not None)
        query = scope["query_string"].decode("latin-1")
        sent = Sent.model_construct(
            method=scope.get("method", "WEBSOCKET"),
            surface=surface,
            path=path,
            named=named is not None,
            query=dict(parse_qsl(query, keep_blank_values=True)),
            headers={},
            body=Body(),
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
        body = Passing()
        has_body = "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0"
        headers = [*_end_to_end(request.headers.raw, _NOT_SENT_ON), (b"accept-encoding", b"identity")]
        try:
            upstream = self.client.build_request(
                request.method,
                url.partition("?")[0],
                headers=headers,
                content=body.watch(request.stream()) if has_body else None,
                # As it was sent: httpx would write some escapes otherwise.
                extensions={"target": url[url.index("/", len("https://")) :].encode()},
            )
            answer = await self.client.send(upstream, stream=True)
        except ClientDisconnect:
            return Response(status_code=400)  # which nobody hears
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return self._unreachable(url, error)
        sent.headers = self._recorder.vault.headers(request.headers, KEPT_OF_REQUEST)
        exchange = Exchange(at=at, request=sent, response=Received(status=answer.status_code))
        exchange.response.headers = self._recorder.vault.headers(answer.headers, KEPT_OF_ANSWER)

        async def record(answered: Passing) -> None:
            exchange.duration_ms = round((time.perf_counter() - started) * 1000, 3)
            sent.body = await body.of_request(request)
            exchange.response.body = answered.of_answer(answer.headers.get("content-type", ""))
            if exchange.response.body.kind == "events":
                exchange.response.event_ms = answered.event_ms(started)
            if request.method != "OPTIONS":  # a browser asking for permission, which is not the service's business
                self._recorder.add(exchange)

        return await self._pass_back(request, sent.path, answer, record)

    async def _pass_back(self, request: Request, path: str, answer: httpx.Response, record: Record) -> Response:
        response: Response
        passing = Passing()
        if path == "/connect" and media_type(answer.headers.get("content-type", "")) == "application/json":
            content = b"".join([part async for part in passing.watch(answer.aiter_raw())])
            await answer.aclose()
            self._note_session(content)
            await record(passing)
            response = Response(self._through_here(content, request), answer.status_code)
            length = [pair for pair in response.raw_headers if pair[0] == b"content-length"]
        else:

            async def stream() -> AsyncIterator[bytes]:
                try:
                    async for part in passing.watch(answer.aiter_raw()):
                        yield part
                finally:
                    await answer.aclose()
                await record(passing)

            response, length = StreamingResponse(stream(), answer.status_code), []
        response.raw_headers = [*_end_to_end(answer.headers.raw, _NOT_SENT_BACK), *length]
        return response

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
            elif body.get("room_url"):
                room = body.get("room_name") or body["room_url"]
                click.echo(f"fake-convai: not recorded: what is said in the LiveKit room {room}", err=True)

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


def _as_sent(scope: Scope, path: str) -> str:
    """The path on the surface with its escapes as the client wrote them: `%3f` is no question mark."""
    raw = quote(scope["raw_path"].decode("latin-1"), safe=_AS_IT_IS, encoding="latin-1")
    if path == scope["path"]:
        return raw
    _, slash, rest = raw[1:].partition("/")  # without the prefix of the surface
    return slash + rest


def _end_to_end(headers: Headers, dropped: set[str]) -> Headers:
    """The headers that are meant for the other end; those that `Connection` names are not."""
    named = [value for name, value in headers if name.lower() == b"connection"]
    of_connection = {one.strip().lower() for one in b",".join(named).decode("latin-1").split(",")}
    unwanted = dropped | of_connection
    return [(name.lower(), value) for name, value in headers if name.decode("latin-1").lower() not in unwanted]
