"""A character's part in a LiveKit room: it joins, hears, sends packets, sounds, and leaves without a trace.

One `Participant` is one character; what it says and to whom is decided elsewhere. Needs the extra `livekit`, which is
imported here and nowhere else: this module is for those who really open a room.

What was measured, and shapes the code: the default way of gathering candidates leaks sockets with the square of the
rooms; a silent track with a queue of its own costs seven times one without; a participant who joins after its person
costs memory; sending to a server that has died never returns.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Protocol

import numpy
from livekit import rtc

from fake_convai.domain import voice
from fake_convai.live.hearing import Change, Hearing
from fake_convai.live.shapes import VOICE_RATE

logger = logging.getLogger("fake_convai")
logging.getLogger("livekit").setLevel(logging.CRITICAL)  # it warns of what is expected here: servers that go

TOPIC = "rtvi"
"""The documented topic. The SDKs that send without one read any."""
FRAME_SECONDS = 0.01

_FRAME = round(VOICE_RATE * FRAME_SECONDS)
_HEARD_RATE, _HEARD_MS = 16_000, 100
_JOIN_SECONDS, _SEND_SECONDS, _LEAVE_SECONDS = 20.0, 5.0, 3.0
_RECONNECT_SECONDS = 6.0
_MAX_WAITING = 10_000
_FLUSH_SECONDS, _ON_ITS_WAY_SECONDS = 1.0, 0.1
"""What waits to be sent when the character leaves is sent before, and has a moment to arrive."""
_HEARD_SECONDS = 3.0
"""Who subscribes to no sound is not waited for any longer."""
_TRAILING_SILENCE = 10


class CannotJoin(Exception):
    """The room cannot be joined. The message is without the token, which LiveKit's own may hold."""


class Listener(Protocol):
    """Whoever is told what happens in the room. Its methods return at once."""

    def came(self, identity: str | None) -> None:
        """Somebody is there; None when it is not known who. Said more than once of the same person."""

    def left(self, identity: str) -> None:
        """Somebody has left."""

    def packet(self, identity: str | None, data: bytes) -> None:
        """Somebody sent a packet; None when it is not known who."""

    def voice(self, identity: str, change: Change) -> None:
        """Somebody began to speak, or has finished."""

    def lost(self) -> None:
        """The character is out of the room, and not by its own will."""


class Participant:
    """A character in one room. `join` once, then `leave` once, whatever happened between."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._room = rtc.Room()
        self._source: rtc.AudioSource | None = None
        self._outgoing: asyncio.Queue[tuple[bytes, list[str]]] = asyncio.Queue(_MAX_WAITING)
        self._hearings: dict[str, Hearing] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._connecting: asyncio.Task[None] | None = None
        self._reconnecting: asyncio.TimerHandle | None = None
        self._is_heard = asyncio.Event()
        self._has_sent = self._over = False
        self.voice = Voice(self._capture)
        for event, handler in self._handlers().items():
            self._room.on(event, handler)

    async def join(self, url: str, token: str) -> None:
        """Join, and publish the voice. Raises `CannotJoin`."""
        options = rtc.RoomOptions(
            auto_subscribe=False,
            rtc_config=rtc.RtcConfiguration(continual_gathering_policy=rtc.ContinualGatheringPolicy.GATHER_ONCE),
        )
        # Never cancelled: LiveKit's library ends the whole process when nobody waits for the end of its connecting.
        self._connecting = asyncio.create_task(self._room.connect(url, token, options))
        try:
            async with asyncio.timeout(_JOIN_SECONDS):
                await asyncio.shield(self._connecting)
                await self._publish()
        except TimeoutError:
            raise CannotJoin(f"no way into the room within {_JOIN_SECONDS:g} s") from None
        except (rtc.ConnectError, rtc.participant.PublishTrackError):
            raise CannotJoin("the LiveKit server refuses the character") from None
        self._start(self._send_all())
        for person in self._room.remote_participants.values():
            for publication in person.track_publications.values():
                self._published(publication, person)

    def send(self, data: bytes, to: str | None = None) -> None:
        """Send a packet to one person, or to everybody; packets arrive in the order of their sending."""
        if self._over:
            return
        try:
            self._outgoing.put_nowait((data, [] if to is None else [to]))
        except asyncio.QueueFull:
            self._lost()

    async def wait_sent(self) -> None:
        """Return once what waits to be sent has been, or can no longer be."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_FLUSH_SECONDS):
                await self._outgoing.join()

    async def wait_heard(self) -> None:
        """Return once somebody receives what the character sends. What it sends to people who were there before it
        is lost until then."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_HEARD_SECONDS):
                await self._is_heard.wait()

    def knows(self, identity: str) -> bool:
        """Whether the server lets on that somebody is there."""
        return identity in self._room.remote_participants

    def finished_speaking(self, identity: str) -> None:
        """Take somebody's speech for finished, whatever their microphone says."""
        self._change(identity, self._hearings.get(identity, Hearing()).stop())

    async def leave(self) -> None:
        """Leave the room, when what was sent has arrived; nothing of it is left behind."""
        is_lost, self._over = self._over, True
        if not is_lost:
            await self._flush()
        self._forget_reconnecting()
        self.voice.cut()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(self.voice.silent(), *tasks, return_exceptions=True)
        if self._connecting is not None:
            await asyncio.gather(self._connecting, return_exceptions=True)
        try:
            async with asyncio.timeout(_LEAVE_SECONDS):
                await self._room.disconnect()
        except TimeoutError:
            logger.warning("A LiveKit room was left without its server's consent")
        if self._source is not None:
            await self._source.aclose()

    async def _flush(self) -> None:
        if self._outgoing.empty() and not self._has_sent:
            return
        await self.wait_sent()
        await asyncio.sleep(_ON_ITS_WAY_SECONDS)

    async def _publish(self) -> None:
        # Without a queue nothing is sent while the character is silent, and `Voice` makes the frames one by one.
        self._source = rtc.AudioSource(VOICE_RATE, 1, queue_size_ms=0)
        track = rtc.LocalAudioTrack.create_audio_track("voice", self._source)
        await self._room.local_participant.publish_track(
            track, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        )

    async def _capture(self, frame: bytes) -> None:
        if self._source is not None and not self._over:
            await self._source.capture_frame(rtc.AudioFrame(frame, VOICE_RATE, 1, _FRAME))

    async def _send_all(self) -> None:
        while True:
            data, to = await self._outgoing.get()
            self._has_sent = True
            try:
                async with asyncio.timeout(_SEND_SECONDS):
                    await self._room.local_participant.publish_data(data, destination_identities=to, topic=TOPIC)
            except (TimeoutError, rtc.participant.PublishDataError):
                self._lost()
                return
            finally:
                self._outgoing.task_done()

    def _handlers(self) -> dict[Any, Callable[..., None]]:
        return {
            "participant_active": self._came,
            "participant_disconnected": self._left,
            "local_track_subscribed": self._heard,
            "data_received": self._received,
            "track_published": self._published,
            "track_subscribed": self._subscribed,
            "track_unsubscribed": lambda track, publication, person: self.finished_speaking(person.identity),
            "track_muted": lambda person, publication: self.finished_speaking(person.identity),
            "reconnecting": self._wait_for_reconnection,
            "reconnected": self._forget_reconnecting,
            "disconnected": lambda reason: self._lost(),
        }

    def _heard(self, track: rtc.Track) -> None:
        self._is_heard.set()
        self._listener.came(None)

    def _came(self, person: rtc.RemoteParticipant) -> None:
        if not _is_agent(person):
            self._listener.came(person.identity)

    def _left(self, person: rtc.RemoteParticipant) -> None:
        self._hearings.pop(person.identity, None)
        if not _is_agent(person):
            self._listener.left(person.identity)

    def _received(self, packet: rtc.DataPacket) -> None:
        sender = packet.participant
        if sender is None or not _is_agent(sender):
            self._listener.packet(None if sender is None else sender.identity, packet.data)

    def _published(self, publication: rtc.RemoteTrackPublication, person: rtc.RemoteParticipant) -> None:
        if publication.kind == rtc.TrackKind.KIND_AUDIO and not _is_agent(person):
            publication.set_subscribed(True)

    def _subscribed(
        self, track: rtc.Track, publication: rtc.RemoteTrackPublication, person: rtc.RemoteParticipant
    ) -> None:
        self._start(self._listen(track, person.identity))

    async def _listen(self, track: rtc.Track, identity: str) -> None:
        hearing = self._hearings.setdefault(identity, Hearing())
        stream = rtc.AudioStream(track, sample_rate=_HEARD_RATE, num_channels=1, frame_size_ms=_HEARD_MS)
        try:
            async for event in stream:
                self._change(identity, hearing.hear(_level(event.frame), event.frame.duration))
        finally:
            await stream.aclose()
            self._change(identity, hearing.stop())

    def _change(self, identity: str, change: Change | None) -> None:
        if change is not None and not self._over:
            self._listener.voice(identity, change)

    def _wait_for_reconnection(self) -> None:
        if self._reconnecting is None:
            self._reconnecting = asyncio.get_running_loop().call_later(_RECONNECT_SECONDS, self._lost)

    def _forget_reconnecting(self) -> None:
        if self._reconnecting is not None:
            self._reconnecting.cancel()
            self._reconnecting = None

    def _lost(self) -> None:
        if not self._over:
            self._over = True
            self._listener.lost()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Voice:
    """A tone for as long as the character speaks, made of frames of ten milliseconds."""

    def __init__(self, capture: Callable[[bytes], Coroutine[Any, Any, None]]) -> None:
        self._capture = capture
        self._sounding: asyncio.Task[None] | None = None
        self._began = 0.0
        self._cut = False

    def start(self, *, audible: bool = True, tap: Callable[[bytes], None] | None = None) -> None:
        """Begin to sound, in place of what sounded before. `tap` gets each frame, the track only when `audible`."""
        self.cut()
        self._cut = False
        self._began = asyncio.get_running_loop().time()
        self._sounding = asyncio.create_task(self._sound(self._sounding, audible, tap))

    async def finish(self, seconds: float) -> bool:
        """Sound on until it has been so many seconds, then be silent; False when it was cut before."""
        sounding = self._sounding
        if sounding is None:
            return True
        rest = self._began + seconds - asyncio.get_running_loop().time()
        done, _ = await asyncio.wait([sounding], timeout=max(0.0, rest))
        if done:
            return False
        sounding.cancel()
        await asyncio.wait([sounding])
        return True

    def cut(self) -> None:
        """Be silent at once."""
        if self._sounding is not None:
            self._sounding.cancel()

    async def silent(self) -> None:
        """Return once nothing sounds any more."""
        if self._sounding is not None:
            await asyncio.wait([self._sounding])

    async def _sound(
        self, before: "asyncio.Task[None] | None", audible: bool, tap: Callable[[bytes], None] | None
    ) -> None:
        if before is not None:
            await asyncio.wait([before])
        loop = asyncio.get_running_loop()
        began, sent = loop.time(), 0
        try:
            while True:
                frame = _TONE[sent % len(_TONE)]
                if audible:
                    await self._capture(frame)
                if tap is not None:
                    tap(frame)
                sent += 1
                await asyncio.sleep(max(0.0, began + sent * FRAME_SECONDS - loop.time()))
        finally:
            if audible:
                with suppress(asyncio.CancelledError):
                    for _ in range(_TRAILING_SILENCE):  # or the other side goes on with what it heard last
                        await self._capture(_SILENCE)


_PERIODS = 5
_tone = voice.tone(_FRAME * _PERIODS, VOICE_RATE)  # after five frames the tone begins anew
_TONE = [_tone[start : start + 2 * _FRAME] for start in range(0, len(_tone), 2 * _FRAME)]
_SILENCE = bytes(2 * _FRAME)


def _is_agent(person: rtc.RemoteParticipant) -> bool:
    """Whether it is a character, this one or another; characters hear nothing of each other."""
    return person.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT


def _level(frame: rtc.AudioFrame) -> float:
    """How loud a frame is, in dBFS."""
    samples = numpy.frombuffer(frame.data, dtype=numpy.int16).astype(numpy.float64)
    power = float(numpy.mean(samples * samples)) if samples.size else 0.0
    return 20 * math.log10(max(math.sqrt(power), 1e-1) / 32_768)
