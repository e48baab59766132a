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

    _unread = 0
    """Bytes since the parser last came to the end of something: those of a head, or of trailers, that do not end."""

    def data_received(self, data: bytes) -> None:
        """Bytes came; those that begin HTTP/2 come from a gRPC client, which is told what this is."""
        if data.startswith(_HTTP2):
            self.logger.warning(NOT_GRPC)
            self.send_400_response(NOT_GRPC)
            return
        self._unread += len(data)
        super().data_received(data)
        if self._unread > MAX_HEAD and not self.transport.is_closing():
            self._refuse_head()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request, unless it has been refused already, and hang up."""
        if not self.transport.is_closing():
            super().send_400_response(msg)

    def _refuse_head(self) -> None:
        self.transport.write(
            b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
            b"content-length: %d\r\nconnection: close\r\n\r\n%b" % (len(_TOO_LARGE), _TOO_LARGE)
        )
        self.transport.close()

    def on_headers_complete(self) -> None:
        """The head is whole; only one that came with more than the limit has to be counted."""
        if self._unread > MAX_HEAD and len(self.url) + sum(len(a) + len(b) for a, b in self.headers) > MAX_HEAD:
            self._refuse_head()
            raise ValueError  # which the parser makes its own error of
        self._unread = 0
        self.scope["extensions"] = {TRANSPORT: {"transport": self.transport}}
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body came."""
        self._unread = 0
        super().on_body(body)


def _web_socket(**how: Any) -> Any:
    from fake_convai.backend.socket_transport import WebSocketTransport

    return WebSocketTransport(**how)


WebSocketProtocol: Any = _web_socket
"""A protocol as far as uvicorn knows; its own, and the package that it needs, are loaded with the first WebSocket."""
