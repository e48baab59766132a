"""The character's part in a room, without a session behind it."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import pytest

pytest.importorskip("livekit.rtc", reason="the package livekit is not installed, so no room is tried")

from fake_convai.domain.clock import real_time
from fake_convai.live.hearing import Change
from fake_convai.live.livekit import participant_token
from fake_convai.live.livekit_server import LiveKit
from fake_convai.live.participant import CannotJoin, Participant
from fake_convai.live.room_service import RoomService
from tests.room.person import Person
from tests.room.test_livekit_server import running, soon


@dataclass
class Told:
    """What a participant tells its listener."""

    coming: list[str | None] = field(default_factory=list)
    leaving: list[str] = field(default_factory=list)
    packets: list[tuple[str | None, Any]] = field(default_factory=list)
    voices: list[tuple[str, Change]] = field(default_factory=list)
    is_lost: bool = False

    def came(self, identity: str | None) -> None:
        self.coming.append(identity)

    def left(self, identity: str) -> None:
        self.leaving.append(identity)

    def packet(self, identity: str | None, data: bytes) -> None:
        self.packets.append((identity, json.loads(data)))

    def voice(self, identity: str, change: Change) -> None:
        self.voices.append((identity, change))

    def lost(self) -> None:
        self.is_lost = True


def token(livekit: LiveKit, identity: str, *, agent: bool = False) -> str:
    return participant_token(
        livekit.key, livekit.secret, identity=identity, name=identity, room_name="room", now=real_time(), agent=agent
    )


def test_it_hears_and_is_heard(livekit_program: str) -> None:
    async def run() -> None:
        async with running(livekit_program) as (_, livekit):
            told, person = Told(), Person()
            character = Participant(told)
            await character.join(livekit.url, token(livekit, "character", agent=True))
            await person.join(livekit.url, token(livekit, "person"))
            await soon(lambda: told.coming != [])
            service = RoomService(livekit)

            async def both_are_there() -> bool:
                return await service.people("room") == {"character": True, "person": True}

            await soon(both_are_there)
            await service.show("room", "person")
            await soon(lambda: "person" in told.coming)

            await person.say("Hello")
            await soon(lambda: told.packets == [("person", {"type": "user_text_message", "data": {"text": "Hello"}})])
            for number in range(50):
                piece = {"label": "rtvi-ai", "type": "bot-llm-text", "data": {"text": f"{number} "}}
                character.send(json.dumps(piece).encode(), "person")
            await person.wait(lambda: len(person.messages) == 50)
            assert person.line() == "".join(f"{number} " for number in range(50))

            await soon(lambda: len(person.levels) > 5)
            character.voice.start()
            assert await character.voice.finish(1.0)
            await soon(lambda: person.sound() != [] and person.levels[-1][1] < 100)
            sound = person.sound()
            assert 0.5 < sound[-1] - sound[0] < 60

            person.levels.clear()
            character.voice.start()
            await person.wait(lambda: person.sound() != [])
            finishing = asyncio.create_task(character.voice.finish(60))
            await asyncio.sleep(0)
            character.voice.cut()
            assert not await finishing
            await soon(lambda: len(person.levels) > 25 and person.levels[-1][1] < 100)

            await person.speak(0.5, rest=1.5)
            # A busy machine makes gaps of its own.
            await soon(lambda: told.voices[-1:] == [("person", "stopped")])
            assert told.voices[0] == ("person", "started")
            await person.leave()
            await soon(lambda: told.leaving == ["person"])
            await character.leave()
            assert not told.is_lost
            await service.aclose()
            assert len(asyncio.all_tasks()) == 1

    asyncio.run(run())


def test_a_closed_room_and_a_wrong_token_are_told(livekit_program: str) -> None:
    async def run() -> None:
        async with running(livekit_program) as (_, livekit):
            told = Told()
            character = Participant(told)
            await character.join(livekit.url, token(livekit, "character", agent=True))
            service = RoomService(livekit)
            await service.close("room")
            await soon(lambda: told.is_lost)
            await character.leave()
            await service.aclose()
            character = Participant(told)
            with pytest.raises(CannotJoin, match="refuses") as refused:
                await character.join(livekit.url, "not.a.token")
            await character.leave()
            assert "not.a.token" not in str(refused.value)

    asyncio.run(run())
