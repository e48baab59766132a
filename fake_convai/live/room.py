"""A room: one character, the people in it, and the sessions that they hold (docs/contract.md section 9, "The room").

A `Seat` is a person's session and the connection that carries it; a `Room` is where the seats share a character. The
conversation itself is that of every transport (`conversation.py`); what clients read is in `shapes.py`, and what
LiveKit needs in `participant.py`.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from fake_convai.backend.backend import Backend
from fake_convai.domain import voice
from fake_convai.domain.clock import real_time, to_iso
from fake_convai.domain.replies import UNHEARD
from fake_convai.live import shapes
from fake_convai.live.conversation import Conversation, Over
from fake_convai.live.hearing import Change
from fake_convai.live.hub import Hub
from fake_convai.live.livekit import participant_token
from fake_convai.live.livekit_server import LiveKit
from fake_convai.live.messages import Event, kind_of, response, wrapped
from fake_convai.live.room_service import NoAnswer, RoomService
from fake_convai.store.sessions import Session

if TYPE_CHECKING:
    from fake_convai.live.participant import Participant

T = TypeVar("T")
logger = logging.getLogger("fake_convai")

SETTLE_SECONDS = 0.3
"""Between the first sign of a person and `bot-ready`. The Web SDK forgets one that comes before its room is connected,
which is up to 60 ms after the server takes it for connected."""

_LOOK_SECONDS, _AWAITED_SECONDS = 1.0, 0.25
"""How often the room is looked at: LiveKit tells of people who publish nothing, and of their leaving, up to three
seconds late. More often for ten seconds after somebody got a token."""
_AWAITED_LOOKS = 40
_MOST_LOOKS = 100
"""Looks for the first person, before the character goes and comes back with them: 70 seconds."""
_CERTAIN_SECONDS = 0.15
"""Who joins anew, after a bad connection, is away for a moment."""
_MAX_INBOX = 1_000
_FOR_ONE = ("server-response", "user-idle-warning", "interaction-created")
"""Events that concern one person; all else is for everybody in the room."""
_CUTS = (b"interrupt-bot", b"user_text_message")


class Seat:
    """A person's place in a room: their session, and the connection that carries it."""

    def __init__(
        self, room: "Room", backend: Backend, hub: Hub, session: Session, identity: str, sound: shapes.Sound
    ) -> None:
        self.identity = identity
        self.is_here = False
        self._room = room
        self._hub = hub
        self._session = session
        self._sound = sound
        self._store = backend.account_store(session.account_id)
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
            self._was_cut = not await self._room.finish(voice.seconds(self._line))
            if self._audio is not None:
                self._audio.flush()
        elif kind == "bot-turn-completed" and self._was_cut:
            event = wrapped({"type": "bot-turn-completed", "was_interrupted": True})
        self._follow(kind, event)
        to = self.identity if kind in _FOR_ONE else None
        at = to_iso(await self._store.read(lambda tx: tx.now)) if kind == "final-user-transcription" else ""
        for message in self._shapes.of(event, at):
            self._room.send(message, to)

    async def close(self, code: int, reason: str) -> None:
        """The session is over: its person is sent out."""
        if self._carrying is not asyncio.current_task():
            self._carrying.cancel()
        self._room.vacate(self)

    async def leave(self) -> None:
        """End the session, since the person has left or is lost; what was said is remembered."""
        self._carrying.cancel()
        await asyncio.wait([self._carrying])
        await self._end()

    def receive(self, packet: bytes) -> None:
        """Take a packet of the person."""
        if len(packet) > shapes.MAX_PACKET:
            words = f"A packet of {len(packet)} bytes is over the {shapes.MAX_PACKET} that Convai's data channel takes."
            for message in self._shapes.of(response("validation-error", "error", words), ""):
                self._room.send(message, self.identity)
            return
        if any(kind in packet for kind in _CUTS):
            self._room.hush()
        self._put(packet)

    def hear(self, change: Change) -> None:
        """The person begins to speak, or has finished: their words are unknown, and answered all the same."""
        if self._is_muted and change == "started":
            return
        if change == "started":
            self._room.hush()
            self._room.send(shapes.USER_STARTED_SPEAKING, None)
        else:
            self._room.send(shapes.USER_STOPPED_SPEAKING, None)
            self._put(None)

    def _put(self, packet: bytes | None) -> None:
        try:
            self._inbox.put_nowait(packet)
        except asyncio.QueueFull:
            logger.warning("A person in a room sends more than a character can take, and loses some of it")

    async def _carry(self) -> None:
        while True:
            packet = await self._inbox.get()
            try:
                await (self._conversation.hear(UNHEARD) if packet is None else self._conversation.receive(packet))
            except Over as over:
                await self.over(over.code)
                return

    async def over(self, code: int) -> None:
        """The session is over, for a reason in the codes of a WebSocket."""
        await self._end()

    async def _end(self) -> None:
        await self._hub.leave(self._session.account_id, self._session.session_id)
        self._room.vacate(self)

    def _begin_to_sound(self) -> None:
        wanted = self._sound
        self._audio = None
        if wanted.data:
            self._audio = shapes.AudioData(
                lambda message: self._room.send(message, self.identity), wanted.chunk_ms, with_header=wanted.wav_header
            )
        self._room.sound(track=wanted.track, tap=None if self._audio is None else self._audio.add)

    def _follow(self, kind: str, event: Mapping[str, Any]) -> None:
        """Note what an event means for the room itself."""
        if kind == "bot-llm-started":
            self._line, self._was_cut = "", False
        elif kind == "bot-llm-text":
            self._line += event["data"]["text"]
        elif kind == "server-response" and event["status"] == "success":
            if event["event_type"] == "stt-toggle":
                self._is_muted = event["extras"]["muted"]
            if event["event_type"] == "force-user-stopped-speaking" or self._is_muted:
                self._room.finished_speaking(self.identity)


class Room:
    """A LiveKit room with a character in it, whose participant it listens to."""

    def __init__(
        self,
        name: str,
        character: tuple[str, str],
        livekit: LiveKit,
        service: RoomService,
        emptied: Callable[["Room"], None],
        stranger: Callable[["Room", str], None],
    ) -> None:
        """`character` is its identity and its name.

        `emptied` is called when the last session in the room is over, and when nobody comes; `stranger` once for each
        person who is there without a seat.
        """
        self.name = name
        self.seats: dict[str, Seat] = {}
        self._character = character
        self._livekit = livekit
        self._service = service
        self._emptied = emptied
        self._stranger = stranger
        self._strangers: set[str] = set()
        self._participant: Participant | None = None
        self._awaited = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def has_people(self) -> bool:
        """Whether anybody has come."""
        return any(seat.is_here for seat in self.seats.values())

    async def open(self) -> None:
        """Let the character join. Raises `CannotJoin`."""
        from fake_convai.live.participant import Participant  # loads LiveKit, which many never need

        participant = self._participant = Participant(self)
        livekit = self._livekit
        token = participant_token(
            livekit.key,
            livekit.secret,
            identity=self._character[0],
            name=self._character[1],
            room_name=self.name,
            now=real_time(),
            agent=True,
        )
        try:
            await participant.join(livekit.url, token)
        except BaseException:
            self._participant = None
            await participant.leave()
            raise
        self._start(self._look_after())

    async def close(self) -> None:
        """Let the character leave, and close the room."""
        await self.retire()
        await self._ask(self._service.close(self.name))

    async def retire(self) -> None:
        """Let the character leave."""
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        participant, self._participant = self._participant, None
        if participant is not None:
            await participant.leave()

    def take(self, seat: Seat) -> None:
        """Give somebody a place who has got their token."""
        self.seats[seat.identity] = seat
        self._awaited = _AWAITED_LOOKS

    def vacate(self, seat: Seat) -> None:
        """Somebody's session is over. With the last one the character leaves."""
        if self.seats.pop(seat.identity, None) is None:
            return
        if self.seats:
            self._start(self._ask(self._service.remove(self.name, seat.identity)))
        else:
            self._emptied(self)

    # What seats need

    def send(self, message: shapes.Message, to: str | None) -> None:
        """Send a message to one person, or to everybody."""
        if self._participant is not None:
            self._participant.send(shapes.packet(message), to)

    def sound(self, *, track: bool, tap: Callable[[bytes], None] | None) -> None:
        """Let the character begin to sound."""
        if self._participant is not None:
            self._participant.voice.start(audible=track, tap=tap)

    async def finish(self, seconds: float) -> bool:
        """Let the character sound for so long in all; False when it was cut short."""
        return self._participant is None or await self._participant.voice.finish(seconds)

    def hush(self) -> None:
        """Cut the character short."""
        if self._participant is not None:
            self._participant.voice.cut()

    def finished_speaking(self, identity: str) -> None:
        """Take somebody's speech for finished."""
        if self._participant is not None:
            self._participant.finished_speaking(identity)

    def greet(self, identity: str) -> None:
        """Tell somebody that the character is there."""
        self.send(shapes.BOT_READY, identity)

    # What the participant tells

    def came(self, identity: str | None) -> None:
        """Somebody is there, or more of them than were known."""
        if identity is None and len(self.seats) == 1:
            [seat] = self.seats.values()  # of several, a sign of one who is here already must not be taken for another
        elif identity is None:
            self._start(self._look())
            return
        elif identity in self.seats:
            seat = self.seats[identity]
        else:
            if identity not in self._strangers:
                self._strangers.add(identity)
                self._stranger(self, identity)
            return
        if not seat.is_here:
            seat.is_here = True
            self._start(self._welcome(seat))

    def left(self, identity: str) -> None:
        """Somebody has left."""
        if identity in self.seats:
            self._start(self.seats[identity].leave())

    def packet(self, identity: str | None, data: bytes) -> None:
        """Somebody sent a packet."""
        seat = self.sender(identity)
        if seat is not None:
            seat.receive(data)

    def sender(self, identity: str | None) -> Seat | None:
        """Who sent a packet: whoever is hidden from the character so far, where it is not known who."""
        if identity is None and self._participant is not None:
            hidden = [one for one in self.seats if not self._participant.knows(one)]
            identity = hidden[0] if len(hidden) == 1 else None
        if identity not in self.seats:
            return None
        self.came(identity)
        return self.seats[identity]

    def voice(self, identity: str, change: Change) -> None:
        """Somebody begins to speak, or has finished."""
        if identity in self.seats:
            self.seats[identity].hear(change)

    def lost(self) -> None:
        """The room is gone, or its server: all sessions in it end."""
        for seat in list(self.seats.values()):
            self._start(seat.leave())

    # Inside

    async def _look_after(self) -> None:
        """See who comes and goes, for as long as the character is there."""
        looks = 0
        while looks < _MOST_LOOKS or self.has_people:
            awaited = self._awaited > 0 and not all(seat.is_here for seat in self.seats.values())
            self._awaited -= awaited
            await asyncio.sleep(_AWAITED_SECONDS if awaited else _LOOK_SECONDS)
            await self._look()
            looks += 1
        self._emptied(self)

    async def _look(self) -> None:
        people = await self._ask(self._service.people(self.name))
        if people is None:
            return
        for identity, is_connected in people.items():
            if is_connected and identity != self._character[0]:
                self.came(identity)
        missing = {one.identity for one in self.seats.values() if one.is_here} - people.keys()
        if missing:
            await asyncio.sleep(_CERTAIN_SECONDS)
            still_there = await self._ask(self._service.people(self.name))
            for identity in missing - (missing if still_there is None else still_there.keys()):
                self.left(identity)

    async def _welcome(self, seat: Seat) -> None:
        await self._ask(self._service.show(self.name, seat.identity))
        if self._participant is not None:
            await self._participant.wait_heard()
        await asyncio.sleep(SETTLE_SECONDS)
        self.greet(seat.identity)

    async def _ask(self, call: Coroutine[Any, Any, T]) -> T | None:
        """What the server's own API says; None when it does not answer, which the participant learns by itself."""
        with suppress(NoAnswer):
            return await call
        return None

    def _start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
