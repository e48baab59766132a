"""Uvicorn's protocols as `server.py` and the fixture run them: they hand their transport to the application."""

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from fake_convai.backend.errors import NOT_GRPC
from fake_convai.backend.sockets import TRANSPORT

MAX_HEAD = 64 * 1024
"""Bytes of a request's first line and headers."""

_TOO_LARGE = b"The request's first line and headers are over the limit of 65536 bytes (64 KiB)."
_HTTP2 = b"PRI * HTTP/2.0\r\n"


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
        self.scope["extensions"] = {TRANSPORT: {"transport": self.transport}}

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


def _web_socket(**how: Any) -> Any:
    from fake_convai.backend.socket_transport import WebSocketTransport

    return WebSocketTransport(**how)


WebSocketProtocol: Any = _web_socket
"""A protocol as far as uvicorn knows; its own, and the package that it needs, are loaded with the first WebSocket."""
