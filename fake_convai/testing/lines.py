"""What carries a conversation from the test's side: a WebSocket, or a place in a LiveKit room."""

import asyncio
import importlib.util
import json
import queue
import threading
from collections.abc import Coroutine
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from livekit import rtc
    from websockets.sync.client import ClientConnection

__tracebackhide__ = True

T = TypeVar("T")

JOIN_SECONDS = 20.0
_COPIES = ("bot-started-speaking", "bot-stopped-speaking", "bot-turn-completed")
"""Events that a room sends a second time at the top level; each is given once, in the shape of `/chat`."""


class Line(Protocol):
    """Carries messages as text, both ways."""

    def send(self, text: str) -> None:
        """Send a message."""

    def receive(self, patience: float) -> str:
        """The next message. Raises `TimeoutError`, and `ConnectionError` with the reason when the line is closed."""
        ...

    def close(self) -> None:
        """Hang up."""


class SocketLine:
    """A WebSocket."""

    def __init__(self, url: str) -> None:
        try:
            from websockets.sync.client import connect
        except ModuleNotFoundError:
            raise ModuleNotFoundError("Talking needs the package websockets: pip install websockets") from None
        self._open = ExitStack()
        self._socket: ClientConnection = self._open.enter_context(connect(url, proxy=None, max_size=None))

    def send(self, text: str) -> None:
        """Send a text frame."""
        self._socket.send(text)

    def receive(self, patience: float) -> str:
        """The next frame."""
        from websockets.exceptions import ConnectionClosed

        try:
            return str(self._socket.recv(timeout=max(0.0, patience)))
        except ConnectionClosed as error:
            reason = f"{error.rcvd.code} {error.rcvd.reason}" if error.rcvd else "without a word"
            raise ConnectionError(reason) from None

    def close(self) -> None:
        """Close the socket."""
        self._open.close()


class RoomLine:
    """A participant of a LiveKit room, in an event loop and a thread of its own."""

    def __init__(self, url: str, token: str) -> None:
        need_livekit()
        self._inbox: queue.Queue[str | None] = queue.Queue()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fake-convai room", daemon=True)
        self._thread.start()
        self._room: rtc.Room | None = None
        try:
            self._run(self._join(url, token))
        except BaseException:
            self.close()
            raise

    def send(self, text: str) -> None:
        """Send a packet."""
        self._run(self._publish(text))

    def receive(self, patience: float) -> str:
        """The next packet of a character."""
        try:
            text = self._inbox.get(timeout=max(0.0, patience))
        except queue.Empty:
            raise TimeoutError from None
        if text is None:
            self._inbox.put(None)  # it stays closed
            raise ConnectionError("the room is closed")
        return text

    def close(self) -> None:
        """Leave the room."""
        try:
            if self._room is not None:
                self._run(self._room.disconnect())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(JOIN_SECONDS)

    async def _join(self, url: str, token: str) -> None:
        from livekit import rtc

        room = rtc.Room()
        room.on("data_received", self._received)
        room.on("disconnected", lambda reason: self._inbox.put(None))
        policy = rtc.ContinualGatheringPolicy.GATHER_ONCE
        options = rtc.RoomOptions(rtc_config=rtc.RtcConfiguration(continual_gathering_policy=policy))
        await room.connect(url, token, options)
        self._room = room

    async def _publish(self, text: str) -> None:
        assert self._room is not None
        await self._room.local_participant.publish_data(text, topic="rtvi")

    def _received(self, packet: "rtc.DataPacket") -> None:
        from livekit import rtc

        sender, agent = packet.participant, rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        if sender is not None and sender.kind != agent:
            return  # what other people say to the characters
        message = json.loads(packet.data)
        is_copy = message["type"] in _COPIES or (
            message["type"] == "server-message" and message["data"]["type"] == "server-response"
        )
        if not is_copy:
            self._inbox.put(packet.data.decode())


def need_livekit() -> None:
    """Raise `ModuleNotFoundError` with what to do when LiveKit's client is not installed."""
    try:
        found = importlib.util.find_spec("livekit.rtc")
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise ModuleNotFoundError("A room needs LiveKit's client: pip install 'fake-convai[livekit]'")
