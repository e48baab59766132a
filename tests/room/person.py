"""A person in a room: LiveKit's own client, whose core is the one that Unity uses, with a reader after Unity's tables.

`TOP` and `NESTED` are the shapes in which the SDKs read each message (docs/contract.md section 9, "The room"). What
the reader does not know, or finds in a shape that nobody reads, is an error.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy
from livekit import rtc

TOP: Mapping[str, frozenset[str]] = {
    "bot-ready": frozenset(),
    "user-started-speaking": frozenset(),
    "user-transcription": frozenset({"text", "final", "timestamp"}),
    "user-stopped-speaking": frozenset(),
    "bot-llm-started": frozenset(),
    "bot-llm-text": frozenset({"text"}),
    "bot-llm-stopped": frozenset(),
    "bot-transcription": frozenset({"text"}),
    "bot-tts-started": frozenset(),
    "bot-tts-text": frozenset({"text"}),
    "bot-tts-stopped": frozenset(),
    "bot-started-speaking": frozenset(),
    "bot-stopped-speaking": frozenset(),
    "bot-turn-completed": frozenset({"was_interrupted"}),
    "error": frozenset({"error", "fatal"}),
}
NESTED: Mapping[str, frozenset[str]] = {
    "final-user-transcription": frozenset({"text"}),
    "bot-emotion": frozenset({"emotion", "scale"}),
    "action-response": frozenset({"actions"}),
    "behavior-tree-response": frozenset({"bt_code", "bt_constants", "narrative_section_id"}),
    "moderation-response": frozenset({"result", "user_input", "reason"}),
    "visemes": frozenset({"visemes"}),
    "interaction-created": frozenset({"interaction_id", "character_session_id"}),
    "llm-no-response": frozenset(),
    "user-idle-warning": frozenset({"remaining_seconds", "message"}),
    "server-response": frozenset({"event_type", "status"}),
    "audio-data": frozenset({"sample_rate", "channels", "audio", "includes_wav_header"}),
    "bot-started-speaking": frozenset(),
    "bot-stopped-speaking": frozenset(),
    "bot-turn-completed": frozenset({"was_interrupted"}),
    # of a room with several characters
    "character-status": frozenset({"status", "membership_id", "failure_code"}),
    "character-removed": frozenset({"membership_id", "roster_epoch"}),
    "turn-complete": frozenset({"data"}),
}
LIMIT = 15_360
PATIENCE = 120.0


@dataclass(frozen=True)
class Message:
    """A message as a client understands it: what it is called, in which shape it came, what it says."""

    kind: str
    shape: str
    data: dict[str, Any]
    at: float


def read(packet: bytes, at: float = 0.0) -> Message:
    """A packet as the SDKs read it; `AssertionError` for what none of them would."""
    assert len(packet) <= LIMIT
    message = json.loads(packet)
    if message["type"] == "server-response":  # flat, as the pages say; for clients that read it so
        assert {"event_type", "status"} <= message.keys()
        return Message("server-response", "flat", message, at)
    assert ("label" not in message) == (message["data"].get("type") == "turn-complete")
    assert message.get("label", "rtvi-ai") == "rtvi-ai"
    data = message["data"]
    assert isinstance(data, dict)
    if message["type"] == "server-message":
        kind, shape, wanted = data["type"], "nested", NESTED
    else:
        kind, shape, wanted = message["type"], "top", TOP
    assert kind in wanted, f"nobody reads {kind} {shape}"
    assert wanted[kind] <= data.keys()
    for name in ("final", "fatal", "was_interrupted", "scale", "result", "remaining_seconds"):
        assert name not in data or data[name] is not None  # Unity throws
    if (kind, shape) == ("bot-turn-completed", "top"):
        assert message["was_interrupted"] is data["was_interrupted"]  # where Unity reads it
    return Message(kind, shape, data, at)


@dataclass
class Person:
    """Somebody in a room. `join` first, `leave` last."""

    identity: str = ""
    messages: list[Message] = field(default_factory=list)
    senders: set[str] = field(default_factory=set)
    topics: set[str | None] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)
    levels: list[tuple[float, float]] = field(default_factory=list)
    """When a piece of 20 ms was heard, and how loud it was."""
    ended: bool = False
    listens: bool = True
    """Whether the voice is measured, which costs too much for many people in one process."""

    def __post_init__(self) -> None:
        """Make the room, in the running loop."""
        self.room = rtc.Room()
        self._changed = asyncio.Event()
        self._listening: list[asyncio.Task[None]] = []
        self._source: rtc.AudioSource | None = None
        self.room.on("data_received", self._received)
        self.room.on("track_subscribed", self._subscribed)
        self.room.on("disconnected", self._disconnected)
        self.room.on("participant_disconnected", lambda _: self._changed.set())

    async def join(self, url: str, token: str) -> None:
        """Join with what `/connect` gave."""
        policy = rtc.ContinualGatheringPolicy.GATHER_ONCE
        options = rtc.RoomOptions(rtc_config=rtc.RtcConfiguration(continual_gathering_policy=policy))
        await self.room.connect(url, token, options)
        self.identity = self.room.local_participant.identity

    async def send(self, kind: str, data: dict[str, Any] | None = None, *, topic: str = "") -> None:
        """Send a client message, without a topic as the Web SDK does."""
        message = {"type": kind} if data is None else {"type": kind, "data": data}
        await self.room.local_participant.publish_data(json.dumps(message), topic=topic)

    async def say(self, text: str) -> None:
        """Send typed text."""
        await self.send("user_text_message", {"text": text})

    async def cut_in(self, how: str) -> None:
        """Interrupt the character: by "interrupt-bot", by "text", or by "speech"."""
        if how == "interrupt-bot":
            await self.send("interrupt-bot")
        elif how == "text":
            await self.say("Enough.")
        else:
            await self.speak(0.4, rest=1.0)

    async def speak(self, seconds: float, *, amplitude: int = 8_000, rest: float = 1.2) -> None:
        """Publish a microphone, make a sound, and be quiet for a while."""
        if self._source is None:
            self._source = rtc.AudioSource(48_000, 1, queue_size_ms=10_000)
            track = rtc.LocalAudioTrack.create_audio_track("microphone", self._source)
            options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
            await self.room.local_participant.publish_track(track, options)
        for length, loudness in ((seconds, amplitude), (rest, 0)):
            samples = (numpy.sin(numpy.arange(int(48_000 * length)) / 17.0) * loudness).astype(numpy.int16)
            frame = rtc.AudioFrame(samples.tobytes(), 48_000, 1, len(samples))
            await self._source.capture_frame(frame)
        await self._source.wait_for_playout()

    async def wait(self, condition: Callable[[], bool]) -> None:
        """Until something holds, looked at with every message."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                assert not self.errors, self.errors
                self._changed.clear()
                try:
                    await asyncio.wait_for(self._changed.wait(), 0.1)
                except TimeoutError:
                    continue

    async def message(self, kind: str, shape: str | None = None, *, nth: int = 1) -> Message:
        """The nth message of a kind."""

        def found() -> list[Message]:
            return [one for one in self.messages if one.kind == kind and shape in (None, one.shape)]

        await self.wait(lambda: len(found()) >= nth)
        return found()[nth - 1]

    async def turn(self, nth: int = 1) -> list[Message]:
        """All messages so far, once the nth turn is over."""
        await self.message("bot-turn-completed", "top", nth=nth)
        return list(self.messages)

    def kinds(self, shape: str | None = None) -> list[str]:
        """What came, in order."""
        return [one.kind for one in self.messages if shape in (None, one.shape)]

    def line(self) -> str:
        """What the character said, put together from its pieces."""
        return "".join(one.data["text"] for one in self.messages if one.kind == "bot-llm-text")

    def sound(self) -> list[float]:
        """When something other than silence was heard."""
        return [at for at, level in self.levels if level > 100]

    async def leave(self) -> None:
        """Leave the room, and leave nothing behind."""
        for task in self._listening:
            task.cancel()
        await asyncio.gather(*self._listening, return_exceptions=True)
        await self.room.disconnect()
        if self._source is not None:
            await self._source.aclose()

    def _received(self, packet: rtc.DataPacket) -> None:
        assert packet.participant is not None
        if packet.participant.kind != rtc.ParticipantKind.PARTICIPANT_KIND_AGENT:
            return  # what other people say to the character
        self.senders.add(packet.participant.identity)
        self.topics.add(packet.topic)
        try:
            self.messages.append(read(packet.data, asyncio.get_running_loop().time()))
        except (AssertionError, KeyError, TypeError, ValueError) as error:
            self.errors.append(f"{error}: {packet.data[:300]!r}")
        self._changed.set()

    def _subscribed(self, track: rtc.Track, *_: Any) -> None:
        if self.listens:
            self._listening.append(asyncio.create_task(self._listen(track)))

    async def _listen(self, track: rtc.Track) -> None:
        stream = rtc.AudioStream(track, sample_rate=16_000, num_channels=1, frame_size_ms=20)
        try:
            async for event in stream:
                samples = numpy.frombuffer(event.frame.data, dtype=numpy.int16).astype(numpy.float64)
                self.levels.append((asyncio.get_running_loop().time(), float(numpy.sqrt(numpy.mean(samples**2)))))
        finally:
            await stream.aclose()

    def _disconnected(self, *_: Any) -> None:
        self.ended = True
        self._changed.set()
