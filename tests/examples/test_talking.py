import asyncio

from fake_convai import FakeConvai
from fake_convai.testing import AsyncFakeConvai


def test_remembers_what_was_said(fake_convai: FakeConvai) -> None:
    npc = fake_convai.character(memory=True)
    turn = fake_convai.talk(npc, "player-42", "I'm a nurse.")
    assert turn.text.startswith("This is Character")
    assert turn.events[-1].type == "bot-turn-completed"
    assert [memory.memory for memory in turn.memories] == ["The user is a nurse."]


def test_a_session_of_many_turns(fake_convai: FakeConvai) -> None:
    npc = fake_convai.character(memory=True)
    with fake_convai.conversation(npc, "player-42") as conversation:
        conversation.say("My name is Jordan.")
        conversation.say("I have a dog.")
        conversation.interrupt()
    assert fake_convai.wait_until_remembered(npc, "player-42", "dog").memory == "The user has a dog."


def test_asynchronously(afake_convai: AsyncFakeConvai) -> None:
    async def hold() -> str:
        npc = await afake_convai.character(memory=True)
        async with afake_convai.conversation(npc, "player-42") as conversation:
            await conversation.say("I have a dog.")
        return (await afake_convai.memories(npc, "player-42"))[0].memory

    assert asyncio.run(hold()) == "The user has a dog."
