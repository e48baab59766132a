"""Uvicorn's protocols as `server.py` and the fixture run them: they hand their transport to the application."""

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from fake_convai.backend.errors import NOT_GRPC
from fake_convai.backend.sockets import TRANSPORT

MAX_HEAD = 64 * 1024
"""Bytes of a request's first line and headers."""

_TOO_LARGE = b"The request's first line and headers are over the limit of 65536 bytes (64 KiB)."
_HTTP2 = b"PRI * HTTP/2.0\r\n"
_PATIENCE = 1.0
"""Seconds in which a client may still read what was sent last; a transport that is closed would wait for ever."""

_UNCLOSED = 10.0 + _PATIENCE
"""Seconds until a client that does not close in turn is left; newer versions of uvicorn wait for ten themselves."""


class HttpProtocol(HttpToolsProtocol):
    """Uvicorn's protocol, with the transport in the scope of each request, and a limit to its head."""

    _head = 0
    """Bytes of the first line and of the headers and trailers that are read."""
    _unread = 0
    """Bytes since the parser last came to the end of something: those of a header that does not end."""

    def data_received(self, data: bytes) -> None:
        """Bytes came; those that begin HTTP/2 come from a gRPC client, which is told what this is."""
        if data.startswith(_HTTP2):
            self.logger.warning(NOT_GRPC)
            self.send_400_response(NOT_GRPC)
            return
        self._unread += len(data)
        super().data_received(data)
        if self._unread > MAX_HEAD and not self.transport.is_closing():
            self._head = self._unread
            self.send_400_response("")

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request, or has too large a head, and hang up."""
        if self._head <= MAX_HEAD:
            super().send_400_response(msg)
            return
        self.transport.write(
            b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
            b"content-length: %d\r\nconnection: close\r\n\r\n%b" % (len(_TOO_LARGE), _TOO_LARGE)
        )
        self.transport.close()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._head = 0
        self.scope["extensions"] = {TRANSPORT: self.transport}  # type: ignore[dict-item]

    def on_url(self, url: bytes) -> None:
        """A part of the first line came."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header came, or a trailer."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def _count(self, size: int) -> None:
        self._head += size
        if self._head > MAX_HEAD:
            raise ValueError  # which the parser makes its own error of

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._unread = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body came."""
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._unread = 0
        super().on_message_complete()


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """Uvicorn's protocol, with the transport in the scope of each connection."""

    def handle_connect(self, event: Any) -> None:
        """A handshake begins; the application runs from the next turn of the event loop on."""
        super().handle_connect(event)
        if not self.close_sent:
            self.scope["extensions"][TRANSPORT] = self.transport  # type: ignore[assignment]

    async def send(self, message: Any) -> None:
        """Send a message of the application; after a close, wait only so long for what was sent to be read."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True  # by a refusal, which uvicorn would take for a crash
        if message["type"] == "websocket.close":
            self.loop.call_later(_UNCLOSED, self.transport.abort)

    def shutdown(self) -> None:
        """The server stops."""
        super().shutdown()
        self.loop.call_later(_PATIENCE, self.transport.abort)

    def keepalive_timeout(self) -> None:
        """Pings are not answered."""
        super().keepalive_timeout()
        self.loop.call_later(_PATIENCE, self.transport.abort)
