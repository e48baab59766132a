import httpx

from fake_convai import FakeConvai


class MyApp:
    """The code under test. All it needs is a key and a base URL."""

    def __init__(self, api_key: str, beta_url: str) -> None:
        self.api_key = api_key
        self.beta_url = beta_url

    def forget_player(self, player: str) -> None:
        url = f"{self.beta_url}/user/end-users/delete"
        response = httpx.post(url, json={"end_user_id": player}, headers={"CONVAI-API-KEY": self.api_key})
        response.raise_for_status()


def test_forgets_a_player(fake_convai: FakeConvai) -> None:
    npc = fake_convai.character(memory=True)
    fake_convai.remember(npc, "player-42", "Jordan is a night-shift safety officer.")

    my_app = MyApp(api_key=fake_convai.api_key, beta_url=fake_convai.beta_url)
    my_app.forget_player("player-42")

    assert fake_convai.memories(npc, "player-42") == []
    assert fake_convai.requests(path="/user/end-users/delete")[0].status == 200
