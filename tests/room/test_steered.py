"""Pace and faults in a room: the same settings as on every transport, and what they come to there."""

import asyncio
from typing import Any

import pytest

pytest.importorskip("livekit.rtc", reason="the package livekit is not installed, so no room is tried")

from fake_convai.testing import FakeConvai
from tests.room.person import Person
from tests.room.test_livekit_server import soon
from tests.room.test_room import connect, joined, remembered

STORY = "Once upon a time there was a lighthouse keeper who counted every ship that passed."


def disturb(fake: FakeConvai, event: str, do: str, **more: Any) -> None:
    fault = {"match": {"path": "/chat"}, "at": {"event": event, **more.pop("at", {})}, "do": do, **more}
    fake._call("POST", "/faults", fault)


@pytest.mark.parametrize("how", ["interrupt-bot", "text", "speech"])
def test_a_turn_that_takes_time_is_cut_and_kept_as_far_as_it_was_said(fake: FakeConvai, how: str) -> None:
    npc = fake.character()
    fake.set_replies({"story": STORY}, default="Yes.")
    fake._call("PUT", "/pace", {"words_per_minute": 60})

    async def run() -> None:
        async with joined(fake, npc) as person:
            await soon(lambda: person.levels != [])
            await person.say("Tell me a story.")
            await soon(lambda: len(person.sound()) > 75)
            await person.cut_in(how)
            cut = await person.message("bot-turn-completed", "top")
            assert cut.data["was_interrupted"] is True
            assert person.kinds("top").index("bot-stopped-speaking") < person.kinds("top").index("bot-turn-completed")
            assert (await person.message("bot-transcription")).data["text"] == STORY

    asyncio.run(run())
    [session] = fake.state()["sessions"]
    said = session["interactions"][0]["character"]
    assert said != ""
    assert said != STORY
    assert STORY.startswith(said)


def test_the_voice_lasts_as_long_as_the_words(fake: FakeConvai) -> None:
    npc = fake.character()
    fake.set_replies({}, default="One two three four.")
    fake._call("PUT", "/pace", {"words_per_minute": 120})

    async def run() -> None:
        async with joined(fake, npc) as person:
            await soon(lambda: person.levels != [])
            await person.say("Count.")
            await person.turn()
            await soon(lambda: person.sound() != [] and person.levels[-1][1] < 100)
            sound = person.sound()
            assert 1 < sound[-1] - sound[0] < 60

    asyncio.run(run())


def test_no_character_comes(fake: FakeConvai) -> None:
    npc = fake.character()
    disturb(fake, "bot-ready", "end")

    async def run() -> None:
        connected = await connect(fake, npc)
        person = Person()
        await person.join(connected["room_url"], connected["token"])
        await soon(lambda: fake.faults() == [])
        await soon(lambda: len(person.room.remote_participants) == 0)
        await person.say("Hello?")
        assert person.messages == []
        assert not person.ended
        await person.leave()

    asyncio.run(run())


def test_the_character_comes_late(fake: FakeConvai) -> None:
    npc = fake.character()
    fake.freeze()
    disturb(fake, "bot-ready", "stall", delay_ms=60_000)

    async def run() -> None:
        connected = await connect(fake, npc)
        person = Person()
        await person.join(connected["room_url"], connected["token"])
        await soon(lambda: fake.faults() == [])
        assert person.messages == []
        fake.advance(60)
        await person.message("bot-ready")
        await person.leave()

    asyncio.run(run())


@pytest.mark.parametrize("how", ["end", "reset"])
def test_the_character_leaves_in_mid_sentence(fake: FakeConvai, how: str) -> None:
    npc = fake.character(memory=True)
    fake.set_replies({"name": STORY})

    async def run() -> None:
        connected = await connect(fake, npc)
        person = Person()
        await person.join(connected["room_url"], connected["token"])
        await person.message("bot-ready")
        disturb(fake, "bot-llm-text", how, at={"nth": 2})
        await person.say("My name is Jordan.")
        await person.wait(lambda: person.ended)
        assert person.kinds().count("bot-llm-text") == 1
        await person.leave()
        await remembered(fake, npc, "The user's name is Jordan.")

    asyncio.run(run())


def test_packets_are_lost_doubled_and_broken(fake: FakeConvai) -> None:
    npc = fake.character()
    fake.set_replies({}, default=STORY)

    async def run() -> None:
        async with joined(fake, npc) as person:
            disturb(fake, "bot-llm-text", "drop", at={"nth": 2})
            await person.say("Hello")
            await person.turn()
            lost = person.line()
            person.messages.clear()
            await person.say("Hello")
            await person.turn()
            pieces = [one.data["text"] for one in person.messages if one.kind == "bot-llm-text"]
            assert lost == "".join(pieces[:1] + pieces[2:])
            person.messages.clear()
            disturb(fake, "bot-llm-stopped", "duplicate")
            await person.say("Hello")
            await person.turn()
            assert person.kinds().count("bot-llm-stopped") == 2
            assert person.kinds().count("bot-transcription") == 1
            disturb(fake, "bot-llm-stopped", "malformed")
            await person.say("Hello")
            await soon(lambda: person.errors != [])
            assert "Unterminated string" in person.errors[0]
            person.errors.clear()
            await person.turn(2)

    asyncio.run(run())
