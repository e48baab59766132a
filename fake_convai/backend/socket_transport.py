"""Uvicorn's protocol for WebSockets, which hands its transport to the application."""

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from fake_convai.backend.sockets import TRANSPORT

_PATIENCE = 1.0
"""Seconds in which a client may still read what was sent last; a transport that is closed would wait for ever."""

_UNCLOSED = 10.0 + _PATIENCE
"""Seconds until a client that does not close in turn is left; newer versions of uvicorn wait for ten themselves."""


class WebSocketTransport(WebSocketsSansIOProtocol):
    """Uvicorn's protocol, with the transport in the scope of each connection."""

    def handle_connect(self, event: Any) -> None:
        """A handshake begins; the application runs from the next turn of the event loop on."""
        super().handle_connect(event)
        if not self.close_sent:
            self.scope["extensions"][TRANSPORT] = {"transport": self.transport}

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
