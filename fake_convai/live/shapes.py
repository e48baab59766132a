"""The shapes in which a room's clients read what a session says (docs/contract.md section 9, "The room").

`/chat` sends each event in the one shape of Convai's pages. The Web SDK, Unity and Unreal agree among each other, but
not always with the pages: what they read only elsewhere is sent in both shapes, and some messages are theirs alone.
"""

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from fake_convai.domain import voice
from fake_convai.live.messages import LABEL, Event, StreamedEvent

MAX_PACKET = 15_360
"""Bytes that a data packet may have."""

_MAX_LINE = 2_500
"""Characters of a line in one packet: at up to six bytes each (escaped), with room for the envelope."""

VOICE_RATE = 24_000
"""Samples a second of the voice in a room."""
_MAX_AUDIO = 230 * VOICE_RATE // 1000 * 2
"""Bytes of sound in one packet: base64 makes four of three."""

Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sound:
    """How a person wants to hear the character, and to be heard (`audio_config.output` and others of `/connect`, D)."""

    track: bool = True
    data: bool = False
    chunk_ms: int = 100
    wav_header: bool = False
    speaks: bool = True
    hears: bool = True


class Shapes:
    """Shapes the events of one conversation, of which it remembers the line that is being said."""

    def __init__(self) -> None:
        self._line: list[str] = []

    def of(self, event: Event | StreamedEvent, at: str) -> Iterator[Message]:
        """The messages that stand for an event in a room; `at` is the time in ISO 8601."""
        kind, data = _unwrapped(event)
        match kind:
            case "server-response":
                yield event
                yield _nested(kind, {name: value for name, value in event.items() if name != "type"})
            case "final-user-transcription":
                for part in _parts(data["text"]):
                    yield _top("user-transcription", {"text": part, "final": True, "timestamp": at})
                yield event
            case "bot-llm-started":
                self._line.clear()
                yield event
            case "bot-llm-text":
                self._line.append(data["text"])
                yield event
            case "bot-llm-stopped":
                yield from self._spoken_line()
                yield event
            case "bot-started-speaking" | "bot-stopped-speaking":
                if kind == "bot-stopped-speaking":
                    yield _top("bot-tts-stopped", {})
                yield event
                yield _top(kind, {name: value for name, value in data.items() if name not in ("type", "label")})
            case "bot-turn-completed":
                yield from self._spoken_line()  # of a turn that was cut
                yield event
                rest = {name: value for name, value in data.items() if name != "type"}
                yield {**_top(kind, rest), "was_interrupted": data["was_interrupted"]}  # Unity reads it there
            case _:
                yield event

    def _spoken_line(self) -> Iterator[Message]:
        line = "".join(self._line)
        self._line.clear()
        for part in _parts(line):
            yield _top("bot-transcription", {"text": part})


def packet(message: Message) -> bytes:
    """A message as a data packet. What does not fit, of an acknowledgement's extras, is left out and said."""
    data = orjson.dumps(message)
    if len(data) <= MAX_PACKET:
        return data
    if "extras" in message:
        words = f"{message.get('message', '')} (fake-convai leaves out extras of {len(data)} bytes: a packet has room "
        return packet({**{k: v for k, v in message.items() if k != "extras"}, "message": f"{words}for {MAX_PACKET})"})
    inner = message.get("data")
    if isinstance(inner, Mapping) and "extras" in inner:
        return packet({**message, "data": orjson.loads(packet(inner))})
    refusal = (
        f"fake-convai cannot send a {message.get('type')} of {len(data)} bytes: a packet has room for {MAX_PACKET}"
    )
    return orjson.dumps(_top("error", {"error": refusal, "fatal": False}))


class AudioData:
    """The voice as `audio-data` messages, each of so many milliseconds and never more than a packet holds."""

    def __init__(self, send: Callable[[Message], None], chunk_ms: int, *, with_header: bool) -> None:
        self._send = send
        self._with_header = with_header
        chunk_ms = -(-chunk_ms // 10) * 10
        self._size = min(chunk_ms * VOICE_RATE // 1000 * 2, _MAX_AUDIO)
        self._pcm = bytearray()

    def add(self, frame: bytes) -> None:
        """A frame of the voice."""
        self._pcm += frame
        while len(self._pcm) >= self._size:
            self._send_first(self._size)

    def flush(self) -> None:
        """Send what is left of it."""
        if self._pcm:
            self._send_first(len(self._pcm))

    def _send_first(self, size: int) -> None:
        pcm = bytes(self._pcm[:size])
        del self._pcm[:size]
        data = {
            "sample_rate": VOICE_RATE,
            "channels": 1,
            "audio": base64.b64encode(
                (voice.wav_header(size, VOICE_RATE) if self._with_header else b"") + pcm
            ).decode(),
            "includes_wav_header": self._with_header,
        }
        self._send(_nested("audio-data", data))


def _unwrapped(event: Any) -> tuple[str, Any]:
    inner = event["data"] if event["type"] == "server-message" else event
    return inner["type"], inner if event["type"] == "server-message" else event.get("data", {})


def _parts(text: str) -> Iterator[str]:
    """A line, in as many pieces as it takes; none of an empty one."""
    for start in range(0, len(text), _MAX_LINE):
        yield text[start : start + _MAX_LINE]


def _top(kind: str, data: Message) -> Message:
    return {"label": LABEL, "type": kind, "data": data}


def _nested(kind: str, data: Message) -> Message:
    return {"label": LABEL, "type": "server-message", "data": {"type": kind, **data}}


BOT_READY = _top("bot-ready", {"version": "1.0.0", "about": {"library": "fake-convai"}})
"""The character is there, and hears."""
USER_STARTED_SPEAKING = _top("user-started-speaking", {})
"""Sound is heard of the person."""
USER_STOPPED_SPEAKING = _top("user-stopped-speaking", {})
"""The person has finished."""
