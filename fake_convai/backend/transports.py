"""Uvicorn's protocols as `server.py` and the fixture run them: they hand their transport to the application."""

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from fake_convai.backend.errors import NOT_GRPC
from fake_convai.backend.sockets import TRANSPORT

_HTTP2 = b"PRI * HTTP/2.0\r\n"
_PATIENCE = 1.0
"""Seconds in which a client may still read what was sent last; a transport that is closed would wait for ever."""


class HttpProtocol(HttpToolsProtocol):
    """Uvicorn's protocol, with the transport in the scope of each request."""

    def data_received(self, data: bytes) -> None:
        """Bytes came; those that begin HTTP/2 come from a gRPC client, which is told what this is."""
        if data.startswith(_HTTP2):
            self.logger.warning(NOT_GRPC)
            self.send_400_response(NOT_GRPC)
        else:
            super().data_received(data)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self.scope["extensions"] = {TRANSPORT: self.transport}  # type: ignore[dict-item]


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
            self.loop.call_later(self.close_timeout + _PATIENCE, self.transport.abort)

    def shutdown(self) -> None:
        """The server stops."""
        super().shutdown()
        self.loop.call_later(_PATIENCE, self.transport.abort)

    def keepalive_timeout(self) -> None:
        """Pings are not answered."""
        super().keepalive_timeout()
        self.loop.call_later(_PATIENCE, self.transport.abort)
