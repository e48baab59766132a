"""The names under which the control plane answers, so that no web page binds a name of its own to this machine."""

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient

from fake_convai.app import create_app
from fake_convai.settings import Settings

GOOD = (
    "127.0.0.1:2668",
    "[::1]:2668",
    "192.168.1.7",
    "localhost:2668",
    "fake-convai:2668",
    "beta.localhost",
    "mac.local",
    "host.docker.internal",
    "box.lan",
    "ci.test",
    "nas.home.arpa",
    "api.convai.com",
    "ours.example.com",
    "bound.example.net.",
    "",
)
BAD = ("evil.example", "evil.example:2668", "local.evil.example", "notconvai.com", "127.0.0.1.evil.example", "1.2.3")


@pytest.fixture(scope="module")
def fake() -> TestClient:
    """A fake that is told of two names."""
    return TestClient(create_app(Settings(host="bound.example.net", allowed_host=("Ours.Example.com",))))


@pytest.mark.parametrize("host", GOOD)
def test_it_answers_as_what_no_stranger_can_register(fake: TestClient, host: str) -> None:
    with fake:
        assert fake.get("/_fake/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/_fake/health", "/_fake/", "/beta/_fake/state", "/_fake/reset"])
@pytest.mark.parametrize("host", BAD)
def test_any_other_name_is_refused_and_told(fake: TestClient, host: str, path: str) -> None:
    with fake:
        answer = fake.post(path, headers={"Host": host})
    name = host.removesuffix(":2668")
    assert answer.status_code == 403
    assert answer.json() == {
        "ERROR": f"The control plane does not answer as '{host}', a name that any web page could have: use an address "
        f"or a local name, or start the fake with --allowed-host {name}."
    }


def test_the_surfaces_answer_as_anybody(fake: TestClient) -> None:
    headers = {"Host": "evil.example", "CONVAI-API-KEY": "key"}
    with fake:
        assert fake.post("/beta/user/end-users/list", json={}, headers=headers).status_code == 200


def test_a_public_page_may_ask_whether_it_may_call_a_private_network(fake: TestClient) -> None:
    headers = {
        "Origin": "https://game.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "convai-api-key",
        "Access-Control-Request-Private-Network": "true",
    }
    with fake:
        answer: httpx.Response = fake.options("/beta/memory/add", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-private-network"] == "true"
