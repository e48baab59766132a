"""Each link of the documents, followed once: what a call gives is what the next one takes."""

from typing import Any

import pytest

from fake_convai.api.routes import ENDPOINTS
from fake_convai.contract.links import LINKS, Link
from tests.conftest import Api
from tests.openapi.contract import problems
from tests.openapi.test_statuses import make_world, send, valid

BY_ID = {endpoint.operation_id: endpoint for endpoint in ENDPOINTS}
NOTHING_LEFT = {("memory_delete", "memory_get"), ("end_users_delete", "end_users_get")}


def evaluate(expression: str, request: Any, answer: Any) -> Any:
    """The value of a runtime expression of OpenAPI, such as $response.body#/memories/0/id."""
    place, _, pointer = expression.partition("#/")
    value = {"$request.body": request, "$response.body": answer}[place]
    for part in pointer.split("/"):
        value = value[int(part) if isinstance(value, list) else part]
    return value


@pytest.mark.parametrize("link", LINKS, ids=lambda link: f"{link.origin} {link.target}")
def test_a_link_can_be_followed(api: Api, other: Api, link: Link) -> None:
    requests = valid(make_world(api, other))
    origin, target = BY_ID[link.origin], BY_ID[link.target]
    body = requests[link.origin]
    if link.origin == "memory_delete":
        body["memory_id"] = api.memories(body["character_id"], body["end_user_id"])[0]["id"]
    first = send(api.client, api.key, origin.home, origin, body)
    assert first.status_code in (200, 201), first.text
    values = {name: evaluate(expression, body, first.json()) for name, expression in link.values.items()}
    changed = {**requests[link.target], **values}
    second = send(api.client, api.key, target.home, target, changed)
    assert second.status_code == (404 if (link.origin, link.target) in NOTHING_LEFT else 200), second.text
    assert problems(target.home, target.method, target.path, second) == []
