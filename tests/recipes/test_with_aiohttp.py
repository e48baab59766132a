import asyncio

import pytest

from fake_convai import FakeConvai

aiohttp = pytest.importorskip("aiohttp")


async def count_players(base_url: str, api_key: str) -> int:
    async with (
        aiohttp.ClientSession(headers={"CONVAI-API-KEY": api_key}) as session,
        session.post(f"{base_url}/user/end-users/list", json={}) as answer,
    ):
        count: int = (await answer.json())["total_count"]
        return count


def test_a_client_of_aiohttp(fake_convai: FakeConvai) -> None:
    npc = fake_convai.character()
    fake_convai.remember(npc, "player-42", "The user likes tea.")
    assert asyncio.run(count_players(fake_convai.beta_url, fake_convai.api_key)) == 1
