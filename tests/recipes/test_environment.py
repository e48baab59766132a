import os
from collections.abc import Iterator

import httpx
import pytest

from fake_convai import FakeConvai


@pytest.fixture
def client(fake_convai_env: FakeConvai) -> Iterator[httpx.Client]:
    """A client that finds Convai by the environment; built after the variables are set."""
    headers = {"CONVAI-API-KEY": os.environ["CONVAI_API_KEY"]}
    with httpx.Client(base_url=os.environ["CONVAI_BASE_URL"], headers=headers) as client:
        yield client


def test_finds_the_fake(client: httpx.Client, fake_convai: FakeConvai) -> None:
    assert client.post("/character/list").status_code == 200
    assert [request.path for request in fake_convai.requests()] == ["/character/list"]
