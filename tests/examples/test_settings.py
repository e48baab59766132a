import pytest

from fake_convai import FakeConvai


@pytest.fixture(scope="session")
def fake_convai_settings() -> dict[str, object]:
    return {"plan": "free", "auto_create_characters": True}


def test_a_character_is_made_when_it_is_used(fake_convai: FakeConvai) -> None:
    assert fake_convai.talk("coach", "player-42", "Hello.").text.startswith("This is Character")
