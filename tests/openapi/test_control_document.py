"""openapi/control.json: every route under `/_fake`, and what it really answers."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from fake_convai.api.published import published
from fake_convai.contract.control import routes
from tests.openapi.contract import value_departures

CONTROL = published("control")
KEY = {"X-API-Key": "key-of-the-control-document"}
SEED = {
    "characters": [{"character_id": "npc", "memory_settings": {"enabled": True}}],
    "end_users": [{"end_user_id": "player-42", "last_active_ts": "2026-01-01"}],
    "memories": [{"character_id": "npc", "end_user_id": "player-42", "memory": "The user has a dog."}],
    "sessions": [
        {"character_id": "npc", "started_at": "2026-01-01", "interactions": [{"user": "Hello.", "character": "Hi."}]}
    ],
}
FAULT = {"match": {"path": "/memory/list"}, "status": 429, "times": None, "headers": {"x-a": "b"}, "body": [1]}
CALLS: list[tuple[str, str, Any]] = [
    ("GET", "/health", None),
    ("POST", "/reset", None),
    ("POST", "/seed", SEED),
    ("GET", "/state", None),
    ("PUT", "/snapshots/{name}", None),
    ("GET", "/accounts", None),
    ("GET", "/snapshots", None),
    ("POST", "/snapshots/{name}/restore", None),
    ("DELETE", "/snapshots/{name}", None),
    ("PUT", "/clock", {"now": "2026-01-01T00:00:00Z"}),
    ("PUT", "/clock", {"advance": 60}),
    ("PUT", "/clock", {"offset": 0.5}),
    ("GET", "/clock", None),
    ("DELETE", "/clock", None),
    ("POST", "/faults", FAULT),
    ("GET", "/faults", None),
    ("DELETE", "/faults", None),
    ("PUT", "/stubs", {"stubs": [{"match": {"path": "/tts"}, "text": "x", "times": 2}]}),
    ("GET", "/stubs", None),
    ("DELETE", "/stubs", None),
    ("POST", "/compare", {"existing": "The user has a dog.", "new": "The user has a black dog."}),
    ("GET", "/requests", None),
    ("GET", "/requests?path=/nothing", None),
    ("DELETE", "/requests", None),
    ("PUT", "/replies", {"replies": [{"match": "hi", "reply": "Hello."}, {"match": "a", "actions": ["Wave"]}]}),
    ("POST", "/faults", {"do": "stall", "at": {"event": "a"}, "delay_ms": {"min": 1, "max": 2}}),
    ("GET", "/replies", None),
    ("PUT", "/pace", {"first_token_ms": 300, "jitter": 0.5}),
    ("GET", "/pace", None),
    ("DELETE", "/pace", None),
    ("PUT", "/lag", {"extraction": {"seconds": 5}, "end_users": {"reads": 2}}),
    ("GET", "/lag", None),
    ("DELETE", "/lag", None),
    ("POST", "/settle", None),
    ("GET", "/messages?wait=0", None),
    ("DELETE", "/messages", None),
    ("GET", "/requests?path=/nothing&wait=0", None),
    ("GET", "/coverage", None),
    ("GET", "/openapi/{surface}.json", None),
]


def test_every_route_is_described() -> None:
    described = {
        (method.upper(), path.removeprefix("/_fake")) for path, item in CONTROL["paths"].items() for method in item
    }
    assert described == routes().keys()
    assert {(method, path.partition("?")[0]) for method, path, _ in CALLS} == described


def test_names_of_operations_are_told_apart() -> None:
    names = [operation["operationId"] for item in CONTROL["paths"].values() for operation in item.values()]
    assert len(set(names)) == len(names)


def test_what_is_sent_and_answered_fits(client: TestClient) -> None:
    client.post("/beta/memory/add", json={"character_id": "npc"}, headers=KEY)  # something for the journal
    for method, path, body in CALLS:
        operation = CONTROL["paths"][f"/_fake{path.partition('?')[0]}"][method.lower()]
        if body is not None:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            assert value_departures(CONTROL, schema, body) == [], path
        url = f"/_fake{path}".replace("{name}", "before").replace("{surface}", "beta")
        response = client.request(method, url, json=body, headers=KEY)
        assert response.status_code == 200, response.text
        answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
        if path != "/openapi/{surface}.json":
            assert value_departures(CONTROL, answer, response.json()) == [], path


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/seed", {"nonsense": []}, 400),
        ("PUT", "/clock", {"now": 5}, 400),
        ("GET", "/requests?nonsense=1", None, 400),
        ("POST", "/snapshots/never/restore", None, 404),
    ],
)
def test_refusals_are_described(client: TestClient, method: str, path: str, body: Any, status: int) -> None:
    response = client.request(method, f"/_fake{path}", json=body, headers=KEY)
    assert response.status_code == status
    template = path.partition("?")[0].replace("never", "{name}")
    assert str(status) in CONTROL["paths"][f"/_fake{template}"][method.lower()]["responses"]
    assert value_departures(CONTROL, {"$ref": "#/components/schemas/Error"}, response.json()) == []
