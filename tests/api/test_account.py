"""Section 11 of the contract: what SDKs ask before any other call, with the bytes that they send."""

import pytest

from tests.conftest import Api, refused


@pytest.mark.parametrize("surface", ["production", "beta"])
@pytest.mark.parametrize("body", [b"", b"{}"])
def test_a_key_is_good_for_unity_and_unreal(api: Api, surface: str, body: bytes) -> None:
    answer = api.raw(f"/{surface}/user/referral-source-status", body)
    assert answer.status_code == 200
    assert answer.json() == {"referral_source_status": "fake-convai", "status": "success"}


@pytest.mark.parametrize("path", ["/user/referral-source-status", "/user/user-api-usage", "/user/update-source"])
def test_a_bad_key_is_not(api: Api, path: str) -> None:
    response = api.client.post(f"/production{path}", headers={"CONVAI-API-KEY": "invalid-key"})
    refused(response, 401, "Invalid API key provided.")


def test_the_usage_is_what_unity_reads(api: Api) -> None:
    api.freeze("2026-01-01T00:00:00Z")
    usage = api.ok("/production/user/user-api-usage")
    metrics = ("interactions", "provider_pool_1", "core-api", "pixel_streaming")
    assert usage == {
        "usage_v2": {
            "plan_name": "enterprise",
            "expiry_ts": "2026-01-31T00:00:00.000000Z",
            "metrics": [{"id": name, "usage_details": [{"limit": 0.0, "usage": 0.0}]} for name in metrics],
        }
    }
    api.client.post("/_fake/seed", json={"account": {"plan": "gamer"}}, headers={"CONVAI-API-KEY": api.key})
    assert api.ok("/production/user/user-api-usage")["usage_v2"]["plan_name"] == "gamer"


def test_where_one_heard_of_it_is_taken(api: Api) -> None:
    body = {"referral_source": "Unity Asset Store"}
    assert api.ok("/production/user/update-source", body) == {"status": "success"}


@pytest.mark.parametrize(
    "path", ["/production/health", "/beta/health", "/live/healthz", "/health", "/healthz", "/health/"]
)
def test_health_is_for_everybody(api: Api, path: str) -> None:
    response = api.client.get(path)
    assert (response.status_code, response.json()) == (200, {"status": "healthy"})
