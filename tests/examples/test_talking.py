from fake_convai import FakeConvai


def test_remembers_what_was_said(fake_convai: FakeConvai) -> None:
    npc = fake_convai.character(memory=True)
    turn = fake_convai.talk(npc, "player-42", "I'm a nurse.")
    assert turn.text.startswith("This is Character")
    assert turn.events[-1].type == "bot-turn-completed"
    assert [memory.memory for memory in turn.memories] == ["The user is a nurse."]

    with fake_convai.conversation(npc, "player-42") as conversation:
        conversation.say("My name is Jordan.")
        conversation.say("I have a dog.")
    assert fake_convai.wait_until_remembered(npc, "player-42", "dog").memory == "The user has a dog."
