"""What a room with several characters says by itself: it is kept like every frame, and faults happen to it."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any
from weakref import WeakValueDictionary

import orjson

from fake_convai.backend.backend import Backend
from fake_convai.backend.disturbing import Broken, Disturber
from fake_convai.domain.faults import ROOM_PATH
from fake_convai.live.messages import kind_of
from fake_convai.live.mishaps import CHAT_PATH, Mishaps

Write = Callable[[dict[str, Any]], None]


class Announcer:
    """Says what it is given, in each session in that order."""

    def __init__(self, backend: Backend, account_id: int) -> None:
        self._frames = backend.frames
        self._account_id = account_id
        self._mishaps = Mishaps(backend, account_id)
        self._orders = WeakValueDictionary[str, asyncio.Lock]()

    def heard(self, session_id: str, kind: str, data: bytes) -> None:
        """A person has sent a command to the room."""
        self._frames.note(self._account_id, session_id, "in", kind, data)

    async def say(
        self, event: Any, session_id: str, write: Write, characters: Iterable[str], end_user_id: str | None = None
    ) -> None:
        """Say something about these characters, in a session; `write` sends it.

        A fault may keep it back, double or delay it, and is matched by any of the characters and by the person. What
        would end a stream only loses the message here, since the room goes on.
        """
        kind, raw = kind_of(event), orjson.dumps(event)
        async with self._orders.setdefault(session_id, asyncio.Lock()):
            self._frames.note(self._account_id, session_id, "out", kind, raw)
            who = [{"character_id": one, "end_user_id": end_user_id} for one in dict.fromkeys(characters)]
            disturber: Disturber | None = None
            if await self._mishaps.are_waiting():
                disturber = await self._mishaps.among_frames(who, (ROOM_PATH, CHAT_PATH))
            if disturber is None:
                write(event)
            else:
                await self._disturbed(disturber, kind, raw, write, session_id)
        await self._frames.share()

    async def _disturbed(self, disturber: Disturber, kind: str, raw: bytes, write: Write, session_id: str) -> None:
        async def send(data: bytes) -> None:
            with suppress(orjson.JSONDecodeError):  # half of a message is no message
                write(orjson.loads(data))

        with suppress(Broken):
            await disturber.send(kind, raw, send)
            await disturber.finish(send)
        for fault in disturber.happened:
            await self._mishaps.note(fault, {"session_id": session_id, "type": kind})
