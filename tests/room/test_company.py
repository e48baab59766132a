"""A room with several characters from a test's own side: `fake.conversation(npcs=[...], person=...)`."""

import asyncio
import importlib.util
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("livekit.rtc", reason="the package livekit is not installed, so no room is tried")

from fake_convai import FakeConvai
from fake_convai.testing import AsyncFakeConvai, ControlError


def said(fake: FakeConvai, npc: str, person: str = "player-42") -> list[str]:
    return [memory.memory for memory in fake.memories(npc, person)]


def test_each_character_hears_what_is_said_to_it(fake: FakeConvai) -> None:
    nurse, doctor = fake.character(memory=True), fake.character(memory=True)
    fake.set_replies({"name": "Hello, Jordan.", "dog": "A dog!"})
    with fake.conversation(npcs=[nurse, doctor], person="player-42") as room:
        assert [one.character_id for one in room.characters] == [nurse, doctor]
        assert room.say("My name is Jordan.").text == "Hello, Jordan."
        assert room.target(doctor)["extras"]["active_membership_id"] == room.active
        assert (room.active, room.route_epoch) == (room.characters[1].membership_id, 1)
        turn = room.say("I have a dog.")
        assert turn.text == "A dog!"
        assert {event.data["character_id"] for event in turn.events if event.type == "bot-llm-text"} == {doctor}
        kinds = [event.type for event in turn.events]
        assert (kinds.count("server-response"), kinds.count("bot-turn-completed")) == (1, 1)
    assert said(fake, nurse) == ["The user's name is Jordan."]
    assert said(fake, doctor) == ["The user has a dog."]
    with pytest.raises(RuntimeError, match="has ended"):
        room.address("Hello?")


def test_the_group_is_addressed(fake: FakeConvai) -> None:
    nurse, doctor = fake.character(), fake.character()
    replies = [
        {"match": "who", "reply": "The nurse.", "characters": [nurse]},
        {"match": "who", "pass": True, "characters": [doctor]},
    ]
    fake.seed({"account": {"replies": {"replies": replies, "default": "Hm."}}})
    with fake.conversation(npcs=[nurse, doctor, nurse], person="player-42") as room:
        turn = room.address("Who are you?", mode="open")
        assert (turn.answered, turn.passed, turn.failed) == ((nurse, nurse), (doctor,), ())
        assert turn.text == "The nurse.\nThe nurse."
        assert turn.said_by(room.characters[2].membership_id) == "The nurse."
        assert turn.response["extras"]["passed_membership_ids"] == [room.characters[1].membership_id]
        assert [event.type for event in turn.events].count("turn-complete") == 1
        tagged = room.address("Well? " * 3_000, doctor)  # longer than a packet
        assert (tagged.answered, tagged.text) == ((doctor,), "Hm.")


def test_characters_come_and_go(fake: FakeConvai) -> None:
    nurse, doctor = fake.character(), fake.character()
    with fake.conversation(npcs=[nurse], person="player-42") as room:
        changed = room.change(add=[doctor])
        assert [one["character_id"] for one in changed["extras"]["added"]] == [doctor]
        assert room.change(remove=[nurse], then=doctor)["status"] == "success"
        assert [one.character_id for one in room.characters] == [doctor]
        assert (room.roster_epoch, room.route_epoch, room.active) == (2, 1, room.characters[0].membership_id)
        refused = room.target(None, epoch=0)
        assert (refused["status"], refused["extras"]["code"]) == ("error", "stale_route_epoch")


def test_somebody_else_joins(fake: FakeConvai) -> None:
    nurse = fake.character(memory=True)
    with fake.conversation(npcs=[nurse], person="player-42", max_num_participants=2) as room:
        with fake.conversation(person="player-43", mode="join", room_session_id=room.room_session_id) as other:
            other.say("I have a cat.")
            room.wait_for("bot-turn-completed")
        assert said(fake, nurse, "player-43") == ["The user has a cat."]


def test_asynchronously(fake: FakeConvai) -> None:
    async def hold() -> None:
        afake = AsyncFakeConvai(fake)
        nurse, doctor = await afake.character(), await afake.character()
        async with afake.conversation(npcs=[nurse, doctor], person="player-42") as room:
            assert (await room.target(doctor))["status"] == "success"
            assert room.room.active == room.room.characters[1].membership_id
            assert (await room.address("Hello.")).answered == (nurse, doctor)
            assert (await room.change(remove=[nurse]))["status"] == "success"
        async with afake.conversation(nurse, "player-42") as alone:
            with pytest.raises(TypeError, match="begin it with npcs"):
                await alone.address("Hello.")

    asyncio.run(hold())


def test_a_character_that_is_never_ready(fake: FakeConvai, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fake_convai.testing.company.PATIENCE", 1.0)
    nurse = fake.character(name="Ada")
    fake.fail("/room", character_id=nurse, at={"event": "bot-ready"}, do="drop")
    with pytest.raises(TimeoutError, match=r"No bot-ready of Ada \(.*\) came in time; the last events: character-st"):
        fake.conversation(npcs=[nurse], person="player-42")
    assert "rooms" not in fake.state()


def test_without_a_server(fake_convai: FakeConvai) -> None:
    nurse = fake_convai.character()
    with pytest.raises(ControlError, match=r"since --livekit is off\. A fixture has rooms with livekit=True"):
        fake_convai.conversation(npcs=[nurse], person="player-42")
    assert "rooms" not in fake_convai.state()


def test_without_the_client(fake_convai: FakeConvai, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str) -> None:
        raise ModuleNotFoundError(name)

    for found in (nothing, lambda name: None):
        monkeypatch.setattr(importlib.util, "find_spec", found)
        with pytest.raises(ModuleNotFoundError, match=r"pip install 'fake-convai\[livekit\]'"):
            fake_convai.conversation(npcs=["nurse"], person="player-42")
    assert fake_convai.requests() == []


@pytest.mark.parametrize("how", [{}, {"npcs": ["a"], "character_id": "a"}, {"npcs": ["a"], "mode": "join"}])
def test_what_is_no_conversation(fake_convai: FakeConvai, how: dict[str, Any]) -> None:
    talk: Callable[..., Any] = fake_convai.conversation
    with pytest.raises(TypeError, match="wants a character_id, or npcs for a room of several, or mode='join'"):
        talk(end_user_id="player-42", **how)
