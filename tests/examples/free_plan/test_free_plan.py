import httpx

from fake_convai import FakeConvai


def test_has_no_chat_history(fake_convai: FakeConvai) -> None:
    npc = fake_convai.character()
    response = httpx.post(
        f"{fake_convai.production_url}/character/chatHistory/list",
        json={"charID": npc},
        headers={"CONVAI-API-KEY": fake_convai.api_key},
    )
    assert response.status_code == 403
