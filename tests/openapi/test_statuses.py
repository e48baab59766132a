"""Every status that a document lists really happens, with the body that it describes, and no other does."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient

from fake_convai.api.endpoint import Endpoint
from fake_convai.api.published import published
from fake_convai.api.routes import ENDPOINTS
from fake_convai.app import create_app
from fake_convai.backend.surface import Surface
from fake_convai.settings import Settings
from tests.conftest import Api
from tests.openapi.contract import problems

ON_SURFACES = [(surface, endpoint) for endpoint in ENDPOINTS for surface in endpoint.surfaces]
each_operation = pytest.mark.parametrize(
    ("surface", "endpoint"), ON_SURFACES, ids=[f"{surface}-{one.operation_id}" for surface, one in ON_SURFACES]
)
NOBODY = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True)
class World:
    """Ids of what an account has, and of what another one has."""

    npc: str
    session: str
    token: str
    foreign_npc: str
    foreign_session: str


def make_world(api: Api, other: Api) -> World:
    """A character with a person, a memory, a conversation and a token; and another account's."""
    npc, foreign = api.character(memory=True), other.character()
    api.remember(npc, "player-42", "The user has a dog.")
    token = api.ok("/production/user/connect")["apiAuthToken"]
    api.ok("/live/connect", {"character_id": npc, "end_user_id": "player-42", "shared_session_key": "raid-7"})
    return World(npc, _talk(api, npc), token, foreign, _talk(other, foreign))


def _talk(api: Api, npc: str) -> str:
    form = {"charID": (None, npc), "userText": (None, "Hello.")}
    path = "/production/character/getResponse"
    session_id: str = api.client.post(path, files=form, headers=api.headers(path)).json()["sessionID"]
    return session_id


def valid(world: World) -> dict[str, dict[str, Any]]:
    """A request that each operation answers with 200."""
    person = {"end_user_id": "player-42"}
    partition = {"character_id": world.npc, **person}
    which = {"charID": world.npc}
    return {
        "memory_add": {**partition, "memories": ["The user has a cat."], "metadata": {"a": 1}},
        "memory_list": {**partition, "page": 1, "page_size": 10},
        "memory_get": {**partition, "memory_id": NOBODY},
        "memory_delete": {**partition, "memory_id": NOBODY},
        "memory_delete_all": partition,
        "end_users_list": {"limit": 10},
        "end_users_get": person,
        "end_users_update": {**person, "end_user_metadata": {"name": "Jordan"}},
        "end_users_delete": person,
        "speakers_new": {"deviceId": "headset"},
        "speakers_list": {},
        "speakers_delete": {"speakerId": NOBODY},
        "characters_get": which,
        "characters_get_by_query": {"character_id": world.npc},
        "characters_update": {**which, "backstory": "None."},
        "characters_create": {"charName": "Coach", "voiceType": "MALE", "backstory": ""},
        "characters_list": {},
        "characters_list_page": {"limit": 10},
        "characters_delete_by_path": {"character_id": world.npc},
        "characters_delete": which,
        "characters_clone": which,
        "chat_history_list": {**which, "limit": "-1"},
        "chat_history_details": {**which, "sessionID": world.session},
        "chat_history_delete": {**which, "sessionIDs": [world.session]},
        "tokens_connect": {},
        "tokens_extend": {"apiAuthToken": world.token},
        "tokens_revoke": {"apiAuthToken": world.token},
        "account_referral_status": {},
        "account_update_source": {"referral_source": "A friend"},
        "account_usage": {},
        "account_health": {},
        "account_healthz": {},
        "interaction_get_response": {**which, "userText": "Hello."},
        "sessions_connect": {"character_id": world.npc, "end_user_id": "player-42"},
        "sessions_disconnect": {"session_id": NOBODY},
        "sessions_stream": {"character_id": world.npc, "text_input": "Hello."},
    }


def changed(world: World, endpoint: Endpoint, status: int) -> dict[str, Any]:
    """What to change in a valid request for one of the endpoint's own statuses."""
    live = endpoint.home is Surface.LIVE
    if status == 403:
        return {"character_session_id": world.foreign_session} if live else _character(endpoint, world.foreign_npc)
    if status == 404:
        if "speakerId" in endpoint.fields:
            return {"speakerId": NOBODY}
        return _character(endpoint, NOBODY) or {"end_user_id": "nobody"}
    if status == 422:
        return {"mode": "join"}
    assert status == 409
    return {"shared_session_key": "raid-7"}


def _character(endpoint: Endpoint, character_id: str) -> dict[str, Any]:
    return {name: character_id for name in ("charID", "character_id") if name in endpoint.fields}


def send(
    client: TestClient, key: str | None, surface: Surface, endpoint: Endpoint, body: dict[str, Any], **headers: str
) -> httpx.Response:
    """Make a request as the endpoint reads it."""
    path = f"/{surface}{endpoint.path.format_map({'character_id': NOBODY} | body)}"
    key_header = {} if key is None else {"X-API-Key" if surface is Surface.LIVE else "CONVAI-API-KEY": key}
    how: dict[str, Any] = {"json": body}
    if endpoint.reads == "query":
        how = {"params": {name: value for name, value in body.items() if f"{{{name}}}" not in endpoint.path}}
    if endpoint.reads == "form":
        how = {"files": {name: (None, value) for name, value in body.items()}}
    return client.request(endpoint.method, path, headers=key_header | headers, **how)


def broken(client: TestClient, key: str, surface: Surface, endpoint: Endpoint) -> httpx.Response:
    """A request that cannot be read."""
    path, headers = f"/{surface}{endpoint.path}", {"X-API-Key": key, "CONVAI-API-KEY": key}
    if endpoint.reads == "query":
        return client.request(endpoint.method, f"{path}?session_id=%00&limit=x", headers=headers)
    kind = {"content-type": "application/json" if endpoint.reads == "json" else "multipart/form-data"}
    return client.post(path, content=b"[1, 2]", headers=headers | kind)


def listed(surface: Surface, endpoint: Endpoint) -> list[int]:
    """The statuses in the document."""
    operation = published(surface)["paths"][endpoint.path][endpoint.method.lower()]
    return sorted(map(int, operation["responses"]))


def provoked(api: Api, other: Api, surface: Surface, endpoint: Endpoint) -> Iterator[httpx.Response]:
    """An answer of each status that a running server can be brought to."""
    world = make_world(api, other)
    body = valid(world)[endpoint.operation_id]
    yield broken(api.client, api.key, surface, endpoint)
    if endpoint.access != "anybody":
        yield send(api.client, None, surface, endpoint, body)
        yield send(api.client, "invalid", surface, endpoint, body)
    if endpoint.reads != "query":
        yield send(api.client, api.key, surface, endpoint, body, **{"content-length": "99999999"})
        yield send(api.client, api.key, surface, endpoint, body, **{"content-encoding": "br"})
    if surface is Surface.LIVE and endpoint.reads != "query":
        yield send(api.client, api.key, surface, endpoint, {"unknown": "x"})
    for status in endpoint.errors:
        yield send(api.client, api.key, surface, endpoint, body | changed(world, endpoint, status))
    if endpoint.operation_id == "memory_get":
        body["memory_id"] = api.memories(world.npc, "player-42")[0]["id"]
    if endpoint.operation_id == "speakers_delete":
        body["speakerId"] = api.ok("/beta/user/speaker/new", {"name": "Jordan"})["speaker_id"]
    yield send(api.client, api.key, surface, endpoint, body)


@each_operation
def test_what_a_running_server_answers_is_documented(
    api: Api, other: Api, surface: Surface, endpoint: Endpoint
) -> None:
    responses = list(provoked(api, other, surface, endpoint))
    for response in responses:
        assert problems(surface, endpoint.method, endpoint.path, response) == [], response.text
    never = {429, 503, 500}  # the tests below bring these about
    assert sorted({response.status_code for response in responses}) == [
        status for status in listed(surface, endpoint) if status not in never
    ]


@pytest.fixture(scope="module")
def limited() -> Iterator[TestClient]:
    """A server that takes one request a second."""
    with TestClient(create_app(Settings(rate_limit="1/s"))) as client:
        yield client


@pytest.fixture(scope="module")
def crashing() -> Iterator[TestClient]:
    """A server whose every handler has a bug."""

    async def crash(*_: Any) -> None:
        raise RuntimeError("a bug")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fake_convai.app.ENDPOINTS", [replace(endpoint, handler=crash) for endpoint in ENDPOINTS])
        app = create_app(Settings())
    with TestClient(app) as client:
        yield client


@pytest.fixture(scope="module")
def stopped() -> TestClient:
    """A server that has not started."""
    return TestClient(create_app(Settings()))


def _frozen(client: TestClient) -> str:
    """The key of an account whose clock stands still."""
    key = f"key-{uuid.uuid4()}"
    client.put("/_fake/clock", json={"now": "2026-01-01T00:00:00Z"}, headers={"X-API-Key": key}).raise_for_status()
    return key


@each_operation
def test_trouble_is_documented(
    limited: TestClient, crashing: TestClient, stopped: TestClient, surface: Surface, endpoint: Endpoint
) -> None:
    body = valid(World(NOBODY, NOBODY, "token", NOBODY, NOBODY))[endpoint.operation_id]
    ask: Callable[[TestClient, str], httpx.Response] = lambda client, key: send(client, key, surface, endpoint, body)  # noqa: E731
    responses = [ask(crashing, "some-key"), ask(stopped, "some-key")]
    if endpoint.access != "anybody":
        key = _frozen(limited)
        ask(limited, key)
        responses.append(ask(limited, key))
    for response in responses:
        assert problems(surface, endpoint.method, endpoint.path, response) == [], response.text
    assert [response.status_code for response in responses] == [
        status for status in (500, 503, 429) if status in listed(surface, endpoint)
    ]
