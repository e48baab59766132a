"""A conversation in a room, with LiveKit's own client: what each SDK waits for comes, in a shape that it reads."""

import asyncio
import base64
import io
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

pytest.importorskip("livekit.rtc", reason="the package livekit is not installed, so no room is tried")

from fake_convai.testing import FakeConvai
from tests.room.person import Person
from tests.room.test_livekit_server import soon


async def connect(fake: FakeConvai, npc: str, person: str | None = "player-42", **wish: Any) -> dict[str, Any]:
    body = {"character_id": npc, **wish} if person is None else {"character_id": npc, "end_user_id": person, **wish}
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{fake.live_url}/connect", json=body, headers={"X-API-Key": fake.api_key})
    assert answer.status_code == 200, answer.text
    connected: dict[str, Any] = answer.json()
    return connected


@asynccontextmanager
async def joined(
    fake: FakeConvai, npc: str, person: str | None = "player-42", *, listens: bool = True, **wish: Any
) -> AsyncIterator[Person]:
    """Somebody in a room with a character that is ready."""
    connected = await connect(fake, npc, person, **wish)
    somebody = Person(listens=listens)
    try:
        await somebody.join(connected["room_url"], connected["token"])
        await somebody.message("bot-ready")
        yield somebody
    finally:
        await somebody.leave()


def told(fake: FakeConvai, npc: str, person: str = "player-42") -> list[str]:
    return [memory.memory for memory in fake.memories(npc, person)]


async def remembered(fake: FakeConvai, npc: str, *facts: str, person: str = "player-42") -> None:
    """Wait until a character remembers this, and nothing else."""
    await soon(lambda: told(fake, npc, person) == list(facts))


async def disconnect(fake: FakeConvai, session_id: str) -> None:
    async with httpx.AsyncClient() as client:
        url = f"{fake.live_url}/disconnect"
        (await client.post(url, params={"session_id": session_id})).raise_for_status()


def test_a_turn_says_everything_in_the_shapes_that_are_read(fake: FakeConvai) -> None:
    npc = fake.character(memory=True)

    async def run() -> None:
        async with joined(fake, npc) as person:
            assert person.kinds() == ["bot-ready"]
            await person.say("My name is Jordan.")
            await person.turn()
            assert not person.errors
            assert person.kinds("top") == [
                "bot-ready",
                "user-transcription",
                "bot-llm-started",
                *["bot-llm-text"] * person.kinds().count("bot-llm-text"),
                "bot-transcription",
                "bot-llm-stopped",
                "bot-tts-started",
                "bot-started-speaking",
                "bot-tts-stopped",
                "bot-stopped-speaking",
                "bot-turn-completed",
            ]
            assert person.kinds("nested") == [
                "server-response",
                "interaction-created",
                "final-user-transcription",
                "bot-started-speaking",
                "bot-stopped-speaking",
                "bot-turn-completed",
            ]
            assert person.kinds("flat") == ["server-response"]
            said = await person.message("user-transcription")
            assert (said.data["text"], said.data["final"]) == ("My name is Jordan.", True)
            line = await person.message("bot-transcription")
            assert line.data == {"text": person.line()}
            assert len(person.senders) == 1
            assert person.topics == {"rtvi"}
        await remembered(fake, npc, "The user's name is Jordan.")

    asyncio.run(run())


def test_the_voice_is_as_long_as_the_speaking_events_say(fake: FakeConvai) -> None:
    npc = fake.character()
    fake.set_replies({"story": "Once upon a time. " * 40}, default="Yes.")

    async def run() -> None:
        async with joined(fake, npc) as person:
            await soon(lambda: person.levels != [])
            await person.say("Tell me a story.")
            await person.turn()
            began, ended = await person.message("bot-started-speaking"), await person.message("bot-stopped-speaking")
            assert ended.at > began.at
            await soon(lambda: len(person.sound()) > 20 and person.levels[-1][1] < 100)

            person.levels.clear()
            await person.send("tts-toggle", {"enabled": False})
            await person.say("Are you there?")
            await person.turn(2)
            assert person.kinds("top").count("bot-started-speaking") == 1
            await soon(lambda: len(person.levels) > 10)
            assert person.sound() == []

    asyncio.run(run())


def test_speech_stands_for_what_is_scripted_to_be_heard(fake: FakeConvai) -> None:
    npc = fake.character(memory=True)
    fake.set_replies({"Jordan": "Hello, Jordan."}, heard=["My name is Jordan."])

    async def run() -> None:
        async with joined(fake, npc) as person:
            await person.speak(0.6, rest=1.5)
            await person.turn()
            assert (await person.message("user-transcription")).data["text"] == "My name is Jordan."
            assert person.line() == "Hello, Jordan."
        await remembered(fake, npc, "The user's name is Jordan.")

    asyncio.run(run())


def test_speech_is_told_from_silence_and_answered(fake: FakeConvai) -> None:
    npc = fake.character()

    async def run() -> None:
        async with joined(fake, npc) as person:
            await person.speak(0.6, rest=1.5)
            await person.turn()
            kinds = person.kinds("top")
            assert kinds[1:5] == [
                "user-started-speaking",
                "user-stopped-speaking",
                "user-transcription",
                "bot-llm-started",
            ]
            assert "does not recognise speech" in (await person.message("user-transcription")).data["text"]

            person.messages.clear()
            await person.send("stt-toggle", {"muted": True})
            await person.message("server-response", "flat")
            await person.speak(0.4, rest=1.0)
            await person.say("Did you hear that?")
            await person.turn()
            assert "user-started-speaking" not in person.kinds()

    asyncio.run(run())


@pytest.mark.parametrize("routing", ["data_only", "both"])
def test_the_voice_also_comes_as_data(fake: FakeConvai, routing: str) -> None:
    npc = fake.character()
    output = {"audio_routing": routing, "max_chunk_duration_ms": 95, "add_wav_header": routing == "both"}

    async def run() -> None:
        async with joined(fake, npc, audio_config={"output": output}) as person:
            await soon(lambda: person.levels != [])
            await person.say("Hello")
            await person.turn()
            chunks = [one.data for one in person.messages if one.kind == "audio-data"]
            raw = [base64.b64decode(one["audio"]) for one in chunks]
            with_header = routing == "both"
            assert {(one["sample_rate"], one["channels"], one["includes_wav_header"]) for one in chunks} == {
                (24_000, 1, with_header)
            }
            if with_header:
                with wave.open(io.BytesIO(raw[0])) as first:
                    assert (first.getframerate(), first.getnframes()) == (24_000, 2_400)
            pcm = b"".join(one[44:] if with_header else one for one in raw)
            assert 0.15 < len(pcm) / 48_000 < 1
            await soon(lambda: person.sound() != [] if with_header else len(person.levels) > 20)
            assert (person.sound() != []) is with_header

    asyncio.run(run())


def test_packets_of_any_kind_are_answered(fake: FakeConvai) -> None:
    npc = fake.character()

    async def run() -> None:
        async with joined(fake, npc) as person:
            for packet in (b"{", b"[]", b'{"type": "dance"}', b'{"type": "user_text_message"}'):
                await person.room.local_participant.publish_data(packet)
            for nth, event_type in enumerate(("parse-error", "validation-error", "dance", "user_text_message"), 1):
                for shape in ("flat", "nested"):
                    answer = await person.message("server-response", shape, nth=nth)
                    assert (answer.data["event_type"], answer.data["status"]) == (event_type, "error")
            await person.send("user_text_message", {"text": "long " * 4_000})
            refused = await person.message("server-response", "nested", nth=5)
            assert "15360" in refused.data["message"]
            await person.send("context-update", {"text": "word " * 2_500})
            await person.send("context-update", {"text": "word " * 2_500})
            full = await person.message("server-response", "flat", nth=7)
            assert full.data["status"] == "success"
            assert "extras" not in full.data
            assert "leaves out" in full.data["message"]
            fake.set_replies({}, default="é" * 9_000)
            await person.say("Hello")
            await person.turn()
            lines = [one.data["text"] for one in person.messages if one.kind == "bot-transcription"]
            assert "".join(lines) == "é" * 9_000

    asyncio.run(run())


@pytest.mark.parametrize("how", ["disconnect", "kill-pipeline", "idle"])
def test_a_session_that_ends_sends_its_person_out_and_is_remembered(fake: FakeConvai, how: str) -> None:
    npc = fake.character(memory=True)

    async def run() -> None:
        connected = await connect(fake, npc)
        person = Person()
        await person.join(connected["room_url"], connected["token"])
        await person.message("bot-ready")
        await person.say("My name is Jordan.")
        await person.turn()
        if how == "disconnect":
            await disconnect(fake, connected["session_id"])
            assert told(fake, npc) == ["The user's name is Jordan."]
        elif how == "kill-pipeline":
            await person.send("kill-pipeline")
            killed = await person.message("server-response", "flat", nth=2)
            assert killed.data["event_type"] == "kill-pipeline"
        else:
            fake.advance(400)
            await person.message("user-idle-warning")
            fake.advance(400)
        await person.wait(lambda: person.ended)
        await person.leave()
        await remembered(fake, npc, "The user's name is Jordan.")

    asyncio.run(run())


def test_people_share_a_room_and_each_is_remembered(fake: FakeConvai) -> None:
    npc = fake.character(memory=True)

    async def run() -> None:
        key: dict[str, Any] = {"shared_session_key": "party", "max_num_participants": 2}
        async with joined(fake, npc, "first", **key) as first:
            second_wish: dict[str, Any] = {"shared_session_key": "party", "mode": "join"}
            async with joined(fake, npc, "second", **second_wish) as second:
                assert first.kinds().count("bot-ready") == 1
                assert second.kinds() == ["bot-ready"]
                await first.say("My name is Ada.")
                await first.turn()
                await second.turn()
                assert "server-response" not in second.kinds()
                await second.say("My name is Bob.")
                await first.turn(2)
                await second.turn(2)
                assert first.line() == second.line()
                assert first.senders == second.senders
            await remembered(fake, npc, "The user's name is Bob.", person="second")
            await first.say("Are you still there?")
            await first.turn(3)
        await remembered(fake, npc, "The user's name is Ada.", person="first")

    asyncio.run(run())


def test_a_stranger_in_the_room_is_not_listened_to(fake: FakeConvai) -> None:
    """Somebody with a token whose session has ended."""
    npc = fake.character()

    async def run() -> None:
        key: dict[str, Any] = {"shared_session_key": "open-house", "max_num_participants": 3}
        async with joined(fake, npc, "host", **key) as host:
            wish: dict[str, Any] = {"character_id": npc, "shared_session_key": "open-house", "mode": "join"}
            over = await connect(fake, npc, "guest", **wish)
            await disconnect(fake, over["session_id"])
            guest = Person()
            await guest.join(over["room_url"], over["token"])
            await guest.say("Hello?")
            await host.say("Hello")
            await host.turn()
            assert host.kinds().count("user-transcription") == 1
            assert "bot-ready" not in guest.kinds()
            await guest.leave()

    asyncio.run(run())
