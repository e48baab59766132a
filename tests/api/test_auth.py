"""Section 1 of the contract: which header opens which account, and section 2's 401s."""

import uuid

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from fake_convai.app import create_app
from fake_convai.settings import Settings
from fake_convai.store.query import Query, Transaction
from fake_convai.store.tables import metadata
from tests.conftest import Api, backend_of

INVALID, MISSING = "Invalid API key provided.", "The request is missing an API key."


def missing(path: str) -> str:
    """What a route says to a request without a key."""
    return "api_key not found." if path.endswith(("/create", "/update")) else MISSING


LIST, CHARACTERS, CLONE = "/beta/user/end-users/list", "/production/character/list", "/production/user/clone_character"


@pytest.mark.parametrize("header", ["CONVAI-API-KEY", "convai-api-key", "Convai-Api-Key"])
def test_header_names_are_case_insensitive(api: Api, header: str) -> None:
    assert api.client.post(LIST, headers={header: api.key}).status_code == 200


@pytest.mark.parametrize(
    ("path", "member"),
    [
        (LIST, "ERROR"),
        ("/beta/memory/add", "ERROR"),
        ("/beta/user/speaker/list", "ERROR"),
        ("/production/user/speaker/list", "ERROR"),
        ("/production/user/connect", "ERROR"),
        (CLONE, "ERROR"),
        (CHARACTERS, "API_ERROR"),
        ("/production/character/get", "API_ERROR"),
        ("/production/character/create", "API_ERROR"),
        ("/production/character/update", "API_ERROR"),
        ("/production/character/delete", "API_ERROR"),
        ("/user/end-users/list", "ERROR"),
        ("/character/get", "API_ERROR"),
    ],
)
class TestRefusal:
    def test_without_a_key(self, client: TestClient, path: str, member: str) -> None:
        response = client.post(path, json={})
        assert (response.status_code, response.json()) == (401, {member: missing(path)})

    def test_with_an_empty_key(self, client: TestClient, path: str, member: str) -> None:
        response = client.post(path, json={}, headers={"CONVAI-API-KEY": " "})
        assert (response.status_code, response.json()) == (401, {member: missing(path)})

    @pytest.mark.parametrize("key", ["invalid", "invalid-key-1"])
    def test_with_a_key_that_is_always_refused(self, client: TestClient, path: str, member: str, key: str) -> None:
        response = client.post(path, json={}, headers={"CONVAI-API-KEY": key})
        assert (response.status_code, response.json()) == (401, {member: INVALID})

    def test_comes_before_the_body_is_looked_at(self, client: TestClient, path: str, member: str) -> None:
        response = client.post(path, content=b"{not json")
        assert (response.status_code, response.json()) == (401, {member: missing(path)})


def test_a_get_is_refused_too(client: TestClient) -> None:
    response = client.get("/production/character/get", params={"character_id": "x"})
    assert (response.status_code, response.json()) == (401, {"API_ERROR": MISSING})


def test_each_key_opens_its_own_account(api: Api, other: Api) -> None:
    npc = api.character()
    assert [character["character_id"] for character in api.ok(CHARACTERS)["characters"]] == [npc]
    assert other.ok(CHARACTERS) == {"characters": []}


def test_the_key_wins_over_a_token(api: Api, other: Api) -> None:
    npc, token = api.character(), other.ok("/production/user/connect")["apiAuthToken"]
    headers = {"CONVAI-API-KEY": api.key, "API-AUTH-TOKEN": token}
    listed = api.client.post(CHARACTERS, headers=headers).json()["characters"]
    assert [character["character_id"] for character in listed] == [npc]
    refused = api.client.post(LIST, headers={"CONVAI-API-KEY": "invalid", "API-AUTH-TOKEN": token})
    assert (refused.status_code, refused.json()) == (401, {"ERROR": INVALID})


def test_a_token_nobody_gave_out_is_refused(client: TestClient) -> None:
    for token in (str(uuid.uuid4()), "invalid"):
        response = client.post(LIST, headers={"API-AUTH-TOKEN": token})
        assert (response.status_code, response.json()) == (401, {"ERROR": INVALID})


def test_the_live_header_is_not_for_the_other_surfaces(api: Api) -> None:
    for path, member in ((LIST, "ERROR"), (CHARACTERS, "API_ERROR")):
        response = api.client.post(path, headers={"X-API-Key": api.key})
        assert (response.status_code, response.json()) == (401, {member: missing(path)})


def test_either_header_works_where_all_surfaces_are_together(api: Api) -> None:
    npc = api.character()
    for header in ("X-API-Key", "CONVAI-API-KEY"):
        response = api.client.post("/character/list", headers={header: api.key})
        assert [character["character_id"] for character in response.json()["characters"]] == [npc]


def test_with_keys_given_only_those_open_an_account() -> None:
    with TestClient(create_app(Settings(api_key=("first-key", "second-key")))) as client:
        for key in ("first-key", "second-key"):
            assert client.post(LIST, headers={"CONVAI-API-KEY": key}).status_code == 200
        for key in ("third-key", "first-key2", "demo", "FIRST-KEY"):
            response = client.post(LIST, headers={"CONVAI-API-KEY": key})
            assert (response.status_code, response.json()) == (401, {"ERROR": INVALID})
        token = client.post("/production/user/connect", headers={"CONVAI-API-KEY": "first-key"}).json()["apiAuthToken"]
        assert client.post(LIST, headers={"API-AUTH-TOKEN": token}).status_code == 200


def test_no_key_is_stored(client: TestClient, api: Api) -> None:
    token = api.ok("/production/user/connect")["apiAuthToken"]
    api.remember(api.character(), "player-42", "The user has a dog.")

    def rows(tx: Transaction) -> str:
        return str([[tuple(row) for row in tx.all(Query(select(table)))] for table in metadata.sorted_tables])

    assert client.portal is not None
    stored = client.portal.call(backend_of(client).database.read, rows)
    assert "The user has a dog." in stored
    assert api.key[-4:] in stored
    assert api.key not in stored
    assert token not in stored
