import asyncio

import pytest

from fake_convai import FakeConvai

aiohttp = pytest.importorskip("aiohttp")


async def count_players(url: str, api_key: str) -> object:
    async with aiohttp.ClientSession(url, headers={"CONVAI-API-KEY": api_key}) as convai:
        return (await (await convai.post("/beta/user/end-users/list")).json())["total_count"]


def test_a_client_of_aiohttp(fake_convai: FakeConvai) -> None:
    assert asyncio.run(count_players(fake_convai.url, fake_convai.api_key)) == 0
