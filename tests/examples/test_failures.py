import httpx

from fake_convai import FakeConvai


def remember(fake: FakeConvai, npc: str) -> int:
    body = {"character_id": npc, "end_user_id": "player-42", "memories": ["The user likes tea."]}
    headers = {"CONVAI-API-KEY": fake.api_key}
    return httpx.post(f"{fake.beta_url}/memory/add", json=body, headers=headers).status_code


def test_an_answer_that_is_lost(fake_convai: FakeConvai) -> None:
    npc = fake_convai.character()
    fake_convai.fail("/memory/add")  # 429, once
    fake_convai.fail("/memory/add", 500, when="after", end_user_id="player-42")
    assert [remember(fake_convai, npc), remember(fake_convai, npc)] == [429, 500]
    assert len(fake_convai.memories(npc, "player-42")) == 1  # does the app notice?
