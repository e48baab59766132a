from datetime import UTC, datetime

import httpx

from fake_convai import FakeConvai


def test_a_token_expires(fake_convai: FakeConvai) -> None:
    fake_convai.freeze("2026-01-01T00:00:00Z")
    key = {"CONVAI-API-KEY": fake_convai.api_key}
    token = httpx.post(f"{fake_convai.production_url}/user/connect", headers=key).json()["apiAuthToken"]

    def status() -> int:
        url = f"{fake_convai.production_url}/character/list"
        return httpx.post(url, headers={"API-AUTH-TOKEN": token}).status_code

    assert status() == 200
    fake_convai.advance(3601)
    assert status() == 401
    assert fake_convai.now() == datetime(2026, 1, 1, 1, 0, 1, tzinfo=UTC)
