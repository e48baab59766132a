"""Section 10 of the contract: temporary access tokens."""

import pytest

from tests.conftest import Api, refused

START = "2026-01-01T00:00:00.000000Z"
INVALID = {"ERROR": "Invalid API key provided."}


def connect(api: Api) -> str:
    """A new token of an account whose clock stands at the start."""
    api.freeze(START)
    answer = api.ok("/production/user/connect")
    token: str = answer["apiAuthToken"]
    assert answer == {"apiAuthToken": token, "expirationTime": "2026-01-01T01:00:00.000000Z"}
    assert token
    return token


def works(api: Api, token: str) -> bool:
    """Whether the token stands in for the key."""
    response = api.client.post("/beta/user/end-users/list", headers={"API-AUTH-TOKEN": token})
    assert response.status_code == 200 or (response.status_code, response.json()) == (401, INVALID)
    return response.status_code == 200


def test_a_token_works_for_an_hour(api: Api) -> None:
    token = connect(api)
    assert works(api, token)
    api.freeze("2026-01-01T00:59:59.999999Z")
    assert works(api, token)
    api.freeze("2026-01-01T01:00:00Z")
    assert not works(api, token)


def test_a_token_opens_the_account_of_its_key(api: Api) -> None:
    npc = api.character()
    api.remember(npc, "player-42", "The user has a dog.")
    token = connect(api)
    for headers in ({"API-AUTH-TOKEN": token}, {"CONVAI-API-KEY": token}, {"api-auth-token": token}):
        response = api.client.post("/beta/user/end-users/list", json={}, headers=headers)
        assert [user["end_user_id"] for user in response.json()["end_users"]] == ["player-42"]
    response = api.client.post("/production/character/list", headers={"API-AUTH-TOKEN": token})
    assert [character["character_id"] for character in response.json()["characters"]] == [npc]


def test_older_tokens_stay_valid(api: Api) -> None:
    older = connect(api)
    newer = connect(api)
    assert older != newer
    assert works(api, older)
    assert works(api, newer)


def test_a_token_can_be_extended(api: Api) -> None:
    token = connect(api)
    api.freeze("2026-01-01T00:30:00Z")
    answer = api.ok("/production/user/extend-token", {"apiAuthToken": token})
    assert answer == {"expirationTime": answer["expirationTime"]}
    assert answer["expirationTime"] > "2026-01-01T01:00:00.000000Z"
    api.freeze("2026-01-01T01:00:00Z")
    assert works(api, token)
    api.freeze(answer["expirationTime"])
    assert not works(api, token)


def test_a_revoked_token_works_no_longer(api: Api) -> None:
    token, kept = connect(api), connect(api)
    assert api.ok("/production/user/revoke-token", {"apiAuthToken": token}) == {"status": "success"}
    assert not works(api, token)
    assert works(api, kept)
    for route in ("extend-token", "revoke-token"):
        refused(api.post(f"/production/user/{route}", {"apiAuthToken": token}), 400, "apiAuthToken")
    assert not works(api, token)


@pytest.mark.parametrize("route", ["extend-token", "revoke-token"])
def test_only_ones_own_live_tokens_can_be_changed(api: Api, other: Api, route: str) -> None:
    token = connect(api)
    for wrong in ("ghost", api.key):
        refused(api.post(f"/production/user/{route}", {"apiAuthToken": wrong}), 400, "apiAuthToken")
    refused(other.post(f"/production/user/{route}", {"apiAuthToken": token}), 400, "apiAuthToken")
    assert works(api, token)
    api.freeze("2026-01-01T01:00:00Z")
    refused(api.post(f"/production/user/{route}", {"apiAuthToken": token}), 400, "apiAuthToken")
    assert not works(api, token)


@pytest.mark.parametrize("header", ["API-AUTH-TOKEN", "CONVAI-API-KEY"])
@pytest.mark.parametrize("route", ["connect", "extend-token", "revoke-token"])
def test_all_three_need_the_key(api: Api, route: str, header: str) -> None:
    token = connect(api)
    response = api.client.post(f"/production/user/{route}", json={"apiAuthToken": token}, headers={header: token})
    assert (response.status_code, response.json()) == (401, INVALID)
    assert works(api, token)
