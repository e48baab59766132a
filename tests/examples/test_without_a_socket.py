import httpx

from fake_convai import FakeConvai


def test_an_unchanged_client(fake_convai: FakeConvai) -> None:
    headers = {"CONVAI-API-KEY": fake_convai.api_key}
    with httpx.Client(base_url="https://beta.convai.com", headers=headers, transport=fake_convai.transport) as client:
        assert client.post("/user/end-users/list").json()["total_count"] == 0
