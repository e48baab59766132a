from fake_convai import FakeConvai


def test_what_there_is(fake_convai: FakeConvai) -> None:
    npc = fake_convai.character(memory=True, name="Safety Coach")
    fake_convai.remember(npc, "player-42", "The user likes tea.", "The user has a dog.", metadata={"source": "quiz"})
    fake_convai.session(npc, "player-42", ("Hello.", "Hello Jordan."), started_at="2026-01-01T20:00:00Z")

    first, second = fake_convai.memories(npc, "player-42")
    assert (first.memory, first.metadata) == ("The user likes tea.", {"source": "quiz"})
    assert first.created_at <= second.created_at

    assert [user.end_user_id for user in fake_convai.end_users()] == ["player-42"]
    assert fake_convai.end_user("somebody else") is None
