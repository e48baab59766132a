import os

import pytest

from fake_convai import FakeConvai


@pytest.mark.skipif("FAKE_CONVAI_URL" not in os.environ, reason="no fake runs elsewhere")
def test_in_a_container() -> None:
    with FakeConvai.attach(os.environ["FAKE_CONVAI_URL"]) as fake:
        npc = fake.character(memory=True)
        assert fake.memories(npc, "player-42") == []
