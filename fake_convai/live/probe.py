"""Whether a LiveKit server that somebody else runs is fit for rooms: it answers, takes the key, and offers TURN."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

import websockets

from fake_convai.domain.clock import real_time
from fake_convai.live.livekit import participant_token
from fake_convai.live.livekit_server import LiveKit
from fake_convai.live.room_service import NoAnswer, RoomService

_ROOM = "fake-convai-probe"
_SECONDS = 5.0
_LENGTH_DELIMITED = 2
_JOIN, _ICE_SERVERS, _URLS = 1, 5, 1
"""Field numbers of LiveKit's SignalResponse, JoinResponse and ICEServer."""


async def complaint(livekit: LiveKit) -> str | None:
    """What is wrong with the server, in one sentence; None when nothing is."""
    token = participant_token(
        livekit.key, livekit.secret, identity="fake-convai-probe", name="", room_name=_ROOM, now=real_time()
    )
    url = f"{livekit.url.rstrip('/')}/rtc?protocol=9&auto_subscribe=0&access_token={token}"
    try:
        async with asyncio.timeout(_SECONDS), websockets.connect(url, proxy=None) as socket:
            first = await socket.recv()
    except websockets.InvalidStatus as error:
        return f"The LiveKit server at {livekit.url} refuses --livekit-key and --livekit-secret: " + (
            f"it answers {error.response.status_code}."
        )
    except (OSError, TimeoutError, websockets.WebSocketException):
        return f"The LiveKit server at {livekit.url} does not answer: no character can come to rooms."
    service = RoomService(livekit)
    with suppress(NoAnswer):
        await service.close(_ROOM)
    await service.aclose()
    if isinstance(first, bytes) and any(url.startswith("turn") for url in _ice_urls(first)):
        return None
    return f"The LiveKit server at {livekit.url} has TURN off, and Convai's Web SDK talks through TURN only."


def _ice_urls(signal: bytes) -> Iterator[str]:
    for join in _fields(signal, _JOIN):
        for server in _fields(join, _ICE_SERVERS):
            for url in _fields(server, _URLS):
                yield url.decode("utf-8", "replace")


def _fields(message: bytes, wanted: int) -> Iterator[bytes]:
    """The values of a field of a protobuf message, where they have a length; nothing of what is no protobuf."""
    at = 0
    with suppress(IndexError):
        while at < len(message):
            key, at = _varint(message, at)
            kind = key & 7
            if kind == _LENGTH_DELIMITED:
                length, at = _varint(message, at)
                if key >> 3 == wanted:
                    yield message[at : at + length]
                at += length
            elif kind == 0:
                _, at = _varint(message, at)
            else:
                at += {1: 8, 5: 4}.get(kind, len(message))


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (message[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if not message[at - 1] & 0x80:
            return value, at
