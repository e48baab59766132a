from fake_convai import FakeConvai


def test_back_to_how_it_was(fake_convai: FakeConvai) -> None:
    npc = fake_convai.character()
    fake_convai.remember(npc, "player-42", "The user likes tea.")

    before = fake_convai.snapshot()
    fake_convai.remember(npc, "player-42", "The user has a dog.")
    fake_convai.restore(before)
    assert [memory.memory for memory in fake_convai.memories(npc, "player-42")] == ["The user likes tea."]

    fake_convai.reset()
    assert fake_convai.end_users() == []
