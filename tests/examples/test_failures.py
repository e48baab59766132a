import httpx

from fake_convai import FakeConvai


def list_players(fake: FakeConvai) -> httpx.Response:
    return httpx.post(f"{fake.beta_url}/user/end-users/list", headers={"CONVAI-API-KEY": fake.api_key})


def test_too_many_requests(fake_convai: FakeConvai) -> None:
    fake_convai.fail("/user/end-users/list")  # 429, once
    assert list_players(fake_convai).status_code == 429
    assert list_players(fake_convai).status_code == 200


def test_an_answer_that_is_lost(fake_convai: FakeConvai) -> None:
    npc = fake_convai.character()
    fake_convai.fail("/memory/add", 500, when="after", end_user_id="player-42")
    response = httpx.post(
        f"{fake_convai.beta_url}/memory/add",
        json={"character_id": npc, "end_user_id": "player-42", "memories": ["The user likes tea."]},
        headers={"CONVAI-API-KEY": fake_convai.api_key},
    )
    assert response.status_code == 500
    assert len(fake_convai.memories(npc, "player-42")) == 1  # does the app notice?
