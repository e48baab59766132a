import httpx
import pytest

from fake_convai import FakeConvai

fastapi = pytest.importorskip("fastapi")


def test_an_endpoint_that_asks_convai(fake_convai: FakeConvai) -> None:
    from fastapi.testclient import TestClient

    app = fastapi.FastAPI()

    @app.get("/players")  # type: ignore[untyped-decorator, unused-ignore]
    async def players() -> int:
        async with httpx.AsyncClient(base_url=fake_convai.beta_url) as client:
            answer = await client.post("/user/end-users/list", headers={"CONVAI-API-KEY": fake_convai.api_key})
        count: int = answer.json()["total_count"]
        return count

    assert TestClient(app).get("/players").json() == 0
    assert fake_convai.requests("/user/end-users/list")[0].status == 200
