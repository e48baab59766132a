import asyncio

import httpx

from fake_convai import FakeConvai


def test_an_unchanged_client(fake_convai: FakeConvai) -> None:
    headers = {"CONVAI-API-KEY": fake_convai.api_key}
    with httpx.Client(base_url="https://beta.convai.com", headers=headers, transport=fake_convai.transport) as client:
        assert client.post("/user/end-users/list").json()["total_count"] == 0


def test_an_asynchronous_client(fake_convai: FakeConvai) -> None:
    async def count_players() -> int:
        async with httpx.AsyncClient(base_url=fake_convai.beta_url, transport=fake_convai.transport) as client:
            response = await client.post("/user/end-users/list", headers={"CONVAI-API-KEY": fake_convai.api_key})
            count: int = response.json()["total_count"]
            return count

    assert asyncio.run(count_players()) == 0
