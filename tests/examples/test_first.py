import httpx

from fake_convai import FakeConvai


def remember(fact: str, npc: str, *, base_url: str, api_key: str) -> int:
    """The code under test. All it needs is a base URL and a key."""
    body = {"character_id": npc, "end_user_id": "player-42", "memories": [fact]}
    return httpx.post(f"{base_url}/memory/add", json=body, headers={"CONVAI-API-KEY": api_key}).status_code


def test_an_answer_is_lost(fake_convai: FakeConvai) -> None:
    npc = fake_convai.character()
    fake_convai.fail("/memory/add", 500, when="after")

    remember("The user likes tea.", npc, base_url=fake_convai.beta_url, api_key=fake_convai.api_key)

    assert fake_convai.requests("/memory/add")[0].status == 500
    assert fake_convai.memories(npc, "player-42")[0].memory == "The user likes tea."
