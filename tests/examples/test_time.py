import httpx

from fake_convai import FakeConvai


def test_a_token_expires(fake_convai: FakeConvai) -> None:
    fake_convai.freeze("2026-01-01T00:00:00Z")
    with httpx.Client(base_url=fake_convai.production_url) as client:
        connected = client.post("/user/connect", headers={"CONVAI-API-KEY": fake_convai.api_key})
        client.headers["API-AUTH-TOKEN"] = connected.json()["apiAuthToken"]
        assert client.post("/character/list").status_code == 200
        fake_convai.advance(3601)
        assert client.post("/character/list").status_code == 401
