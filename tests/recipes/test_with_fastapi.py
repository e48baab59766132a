import httpx
import pytest

from fake_convai import FakeConvai

fastapi = pytest.importorskip("fastapi")


def test_an_endpoint_that_asks_convai(fake_convai: FakeConvai) -> None:
    from fastapi.testclient import TestClient

    app = fastapi.FastAPI()
    key = {"CONVAI-API-KEY": fake_convai.api_key}

    @app.get("/players")  # type: ignore[untyped-decorator, unused-ignore]
    async def players() -> object:
        async with httpx.AsyncClient(base_url=fake_convai.beta_url, headers=key) as convai:
            return (await convai.post("/user/end-users/list")).json()

    assert TestClient(app).get("/players").json()["total_count"] == 0
