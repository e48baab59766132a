"""A person's place in a room: their session, and the connection that carries it."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol

import orjson

from fake_convai.backend.backend import Backend
from fake_convai.domain import voice
from fake_convai.domain.clock import to_iso
from fake_convai.live import shapes
from fake_convai.live.conversation import Conversation, Over
from fake_convai.live.hearing import Change
from fake_convai.live.hub import Hub
from fake_convai.live.messages import Event, kind_of, response, wrapped
from fake_convai.store.sessions import Session

logger = logging.getLogger("fake_convai")

_MAX_INBOX = 1_000
_FOR_ONE = ("bot-ready", "server-response", "user-idle-warning", "interaction-created")
"""Events that concern one person; all else is for everybody in the room."""
_CUTS = (b"interrupt-bot", b"user_text_message")


class Stage(Protocol):
    """The room (`room.py`, which explains each of these), as a seat in it sees it."""

    def send(self, message: shapes.Message, to: str | None) -> None: ...
    def send_packet(self, data: bytes, to: str | None) -> None: ...
    def sound(self, *, track: bool, tap: Callable[[bytes], None] | None) -> None: ...
    async def finish(self, seconds: float) -> bool: ...
    def hush(self) -> None: ...
    def finished_speaking(self, identity: str) -> None: ...
    def start(self, work: Coroutine[Any, Any, Any]) -> None: ...
    def vacate(self, seat: "Seat") -> None: ...
    async def desert(self) -> None: ...


class Seat:
    """A person's place in a room: their session, and the connection that carries it."""

    def __init__(
        self, stage: Stage, backend: Backend, hub: Hub, session: Session, identity: str, sound: shapes.Sound
    ) -> None:
        self.identity = identity
        self.is_here = False
        self._stage = stage
        self._hub = hub
        self._session = session
        self._sound = sound
        self._store = backend.account_store(session.account_id)
        self._frames = backend.frames
        self._conversation = Conversation(backend, hub, session, self, speaks=sound.speaks)
        self._shapes = shapes.Shapes()
        self._audio: shapes.AudioData | None = None
        self._line = ""
        self._was_cut = False
        self._is_muted = not sound.hears
        self._inbox: asyncio.Queue[bytes | None] = asyncio.Queue(_MAX_INBOX)
        hub.attach(session.session_id, self)
        self._carrying = asyncio.create_task(self._carry())

    async def send(self, event: Event) -> None:
        """Send an event in the shapes of the room. Between its two moments of speaking the character sounds."""
        kind = kind_of(event)
        if kind == "bot-started-speaking":
            self._begin_to_sound()
        elif kind == "bot-stopped-speaking":
            is_heard = await self._stage.finish(voice.seconds(self._line))
            self._was_cut = not is_heard and self._line != ""  # who says nothing cannot be interrupted
            if self._audio is not None:
                self._audio.flush()
        elif kind == "bot-turn-completed" and self._was_cut:
            event = wrapped({"type": "bot-turn-completed", "was_interrupted": True})
        self._follow(kind, event)
        to = self.identity if kind in _FOR_ONE else None
        at = to_iso(await self._store.read(lambda tx: tx.now)) if kind == "final-user-transcription" else ""
        for message in self._shapes.of(event, at):
            self._stage.send(message, to)

    async def send_raw(self, data: bytes) -> None:
        """Send what a fault has made of an event: in the shapes of the room if it still is one, else as it is."""
        try:
            event = orjson.loads(data)
        except orjson.JSONDecodeError:
            self._stage.send_packet(data, None)
        else:
            await self.send(event)

    async def reset(self) -> None:
        """Break off: what a room has of it is that the character leaves, which comes with the end of the session."""

    async def close(self, code: int, reason: str) -> None:
        """The session is over: its person is sent out."""
        if self._carrying is not asyncio.current_task():
            self._carrying.cancel()
        self._stage.start(self._finish())  # by itself: it may be the turn that closes, and it is waited for

    async def leave(self) -> None:
        """End the session, since the person has left or is lost; what was said is remembered."""
        self._carrying.cancel()
        await asyncio.wait([self._carrying])
        await self._end()

    async def greet(self) -> None:
        """Tell the person that the character is there. A fault may keep it from them."""
        try:
            await self._conversation.open(shapes.BOT_READY)
        except Over:
            await self._stage.desert()

    def receive(self, packet: bytes) -> None:
        """Take a packet of the person."""
        if len(packet) > shapes.MAX_PACKET:
            words = f"A packet of {len(packet)} bytes is over the {shapes.MAX_PACKET} that Convai's data channel takes."
            for message in self._shapes.of(response("validation-error", "error", words), ""):
                self._stage.send(message, self.identity)
            return
        if any(kind in packet for kind in _CUTS):
            self._stage.hush()
        self._put(packet)

    def hear(self, change: Change) -> None:
        """The person begins to speak, or has finished: their words are unknown, and answered all the same."""
        if self._is_muted and change == "started":
            return
        if change == "started":
            self._stage.hush()
            self._tell(shapes.USER_STARTED_SPEAKING)
            self._stage.start(self._conversation.interrupt())
        else:
            self._tell(shapes.USER_STOPPED_SPEAKING)
            self._put(None)

    def _tell(self, message: shapes.Message) -> None:
        """Send a message that only a room has; it is in the journal of messages like all others."""
        session = self._session
        self._frames.note(session.account_id, session.session_id, "out", message["type"], orjson.dumps(message))
        self._stage.send(message, None)

    def _put(self, packet: bytes | None) -> None:
        try:
            self._inbox.put_nowait(packet)
        except asyncio.QueueFull:
            logger.warning("A person in a room sends more than a character can take, and loses some of it")

    async def _carry(self) -> None:
        while True:
            packet = await self._inbox.get()
            try:
                await (self._conversation.hear() if packet is None else self._conversation.receive(packet))
            except Over as over:
                await self.over(over.code)
                return

    async def over(self, code: int) -> None:
        """The session is over, for a reason in the codes of a WebSocket."""
        await self._end()

    async def _end(self) -> None:
        self._stage.hush()
        await self._conversation.leave()
        await self._hub.leave(self._session.account_id, self._session.session_id)
        self._stage.vacate(self)

    async def _finish(self) -> None:
        self._stage.hush()
        await self._conversation.leave()
        self._stage.vacate(self)

    def _begin_to_sound(self) -> None:
        wanted = self._sound
        self._audio = None
        if wanted.data:
            self._audio = shapes.AudioData(
                lambda message: self._stage.send(message, self.identity), wanted.chunk_ms, with_header=wanted.wav_header
            )
        self._stage.sound(track=wanted.track, tap=None if self._audio is None else self._audio.add)

    def _follow(self, kind: str, event: Mapping[str, Any]) -> None:
        """Note what an event means for the room itself."""
        if kind in ("bot-llm-started", "bot-turn-completed"):  # not every turn has the first
            self._line, self._was_cut = "", False
        elif kind == "bot-llm-text":
            self._line += event["data"]["text"]
        elif kind == "server-response" and event["status"] == "success":
            if event["event_type"] == "stt-toggle":
                self._is_muted = event["extras"]["muted"]
            if event["event_type"] == "force-user-stopped-speaking" or self._is_muted:
                self._stage.finished_speaking(self.identity)
