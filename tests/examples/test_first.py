import httpx

from fake_convai import FakeConvai


def forget_player(player: str, *, base_url: str, api_key: str) -> None:
    """The code under test. All it needs is a base URL and a key."""
    headers = {"CONVAI-API-KEY": api_key}
    httpx.post(f"{base_url}/user/end-users/delete", json={"end_user_id": player}, headers=headers).raise_for_status()


def test_forgets_a_player(fake_convai: FakeConvai) -> None:
    npc = fake_convai.character(memory=True)
    fake_convai.remember(npc, "player-42", "Jordan is a night-shift safety officer.")

    forget_player("player-42", base_url=fake_convai.beta_url, api_key=fake_convai.api_key)

    assert fake_convai.memories(npc, "player-42") == []
    assert fake_convai.requests(path="/user/end-users/delete")[0].status == 200
