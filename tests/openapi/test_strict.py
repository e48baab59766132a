"""`--strict`: what the default only writes down in the journal is refused."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from fake_convai.app import create_app
from fake_convai.settings import Settings
from tests.conftest import Api, refused


@pytest.fixture(scope="module")
def strict_client() -> Iterator[TestClient]:
    """A strict server."""
    with TestClient(create_app(Settings(strict=True))) as client:
        yield client


@pytest.fixture
def strict(strict_client: TestClient) -> Api:
    """An account of it."""
    return Api(strict_client, f"key-{uuid.uuid4()}")


LOOSE = [
    ("/beta/user/end-users/list", {"limit": "50"}, "limit"),
    ("/beta/user/end-users/list", {"limt": 50}, "limt"),
    ("/beta/memory/list", {"character_id": "npc", "end_user_id": "p", "page": " 1 "}, "page"),
    ("/production/character/create", {"charName": "A", "voiceType": "B", "backstory": "", "voice": 1}, "voice"),
]


@pytest.mark.parametrize(("path", "body", "parameter"), LOOSE)
def test_loose_requests_are_refused(strict: Api, path: str, body: dict[str, Any], parameter: str) -> None:
    key = "INTERNAL_ERROR" if path.endswith("/create") else "ERROR"
    refused(strict.post(path, body), 400, f"'{parameter}'", "--strict", key=key)


def test_on_live_too(strict: Api) -> None:
    body = {"character_id": strict.character(), "endUserId": "player-42"}
    refused(strict.post("/live/connect", body), 400, "'endUserId'", key="detail")


def test_nothing_was_done(strict: Api) -> None:
    npc = strict.character()
    body = {"character_id": npc, "end_user_id": "player-42", "memories": ["The user has a dog."], "user": "x"}
    refused(strict.post("/beta/memory/add", body), 400, "'user'")
    assert strict.end_users() == []


def test_what_is_wrong_anyway_is_answered_as_ever(strict: Api, api: Api) -> None:
    body = {"limit": 0, "limt": 5}
    assert strict.post("/beta/user/end-users/list", body).json() == api.post("/beta/user/end-users/list", body).json()


def test_what_sdks_and_samples_send_is_taken(strict: Api) -> None:
    npc = strict.character(memory=True)
    unity = {
        "character_id": npc,
        "transport": "livekit",
        "connection_type": "audio",
        "llm_provider": "dynamic",
        "core_service_url": "https://live.convai.com/connect",
        "invocation_metadata": {"source": "unity_sdk"},
        "spawn_agent": True,
        "blendshape_provider": "none",
        "emotion_config": None,
    }
    strict.ok("/live/connect", unity)
    strict.ok("/production/character/chatHistory/list", {"charID": npc, "limit": "-1"})
    strict.ok("/production/character/update", {"charID": npc, "displayName": "Guide"})
    strict.ok("/beta/user/end-users/list", {"limit": 200, "cursor": None})


def test_by_default_it_is_only_written_down(api: Api) -> None:
    api.ok("/beta/user/end-users/list", {"limit": "50", "limt": 5})
    (entry,) = api.client.get("/_fake/requests", headers={"X-API-Key": api.key}).json()["requests"]
    assert (entry["unknown_fields"], len(entry["violations"])) == (["limt"], 1)
