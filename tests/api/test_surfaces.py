"""Section 1 of the contract: three surfaces, by path prefix, by host, or all together; and section 2's 404s."""

import re
from collections.abc import Iterator

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient

from fake_convai import __version__
from fake_convai.api.routes import ENDPOINTS
from fake_convai.app import create_app
from fake_convai.backend.surface import Surface
from fake_convai.settings import Settings
from tests.conftest import Api, on_sqlite, refused

ORIGIN = {"Origin": "https://game.example"}

# Each path that takes POST with the surfaces it lives on.
ROUTES = {
    endpoint.path: tuple(map(str, endpoint.surfaces))
    for endpoint in ENDPOINTS
    if endpoint.access != "anybody" and endpoint.method == "POST"
}
SURFACES = tuple(map(str, Surface))
LABELS = {"production": "api", "beta": "beta", "live": "live"}
HOSTS = {
    "api.convai.test": "production",
    "API.localhost:2668": "production",
    "api2-stg.convai.test": "production",
    "api-eu.localhost": "production",
    "beta.convai.test": "beta",
    "beta.localhost:2668": "beta",
    "live.convai.test": "live",
    "realtime-api.convai.test": "live",
}


@pytest.fixture(scope="module")
def strict() -> Iterator[TestClient]:
    """An app with the split of the documents."""
    with TestClient(create_app(Settings(split="strict"))) as client:
        yield client


def served(client: TestClient, prefix: str = "", host: str = "localhost") -> set[str]:
    """The routes that are served there: without a key they say so before anything else."""
    responses = {route: client.post(prefix + route, headers={"Host": host}) for route in ROUTES}
    assert {response.status_code for response in responses.values()} <= {401, 404}
    return {route for route, response in responses.items() if response.status_code == 401}


def at_home(surface: str) -> set[str]:
    """The routes that the documents place on a surface."""
    return {route for route, surfaces in ROUTES.items() if surface in surfaces}


def on(surface: str) -> set[str]:
    """The routes that a surface serves: both of REST all of REST."""
    return at_home("live") if surface == "live" else at_home("production") | at_home("beta")


@on_sqlite
@pytest.mark.parametrize("surface", SURFACES)
def test_a_prefix_names_the_surface(client: TestClient, surface: str) -> None:
    assert served(client, f"/{surface}") == on(surface)


@on_sqlite
@pytest.mark.parametrize(("host", "surface"), HOSTS.items())
def test_a_host_names_the_surface(client: TestClient, host: str, surface: str) -> None:
    assert served(client, host=host) == on(surface)


@on_sqlite
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:2668", "[::1]:2668", "fake-convai", "beta", "fake.beta.test"])
def test_without_a_name_all_are_together(client: TestClient, host: str) -> None:
    assert served(client, host=host) == set(ROUTES)


@on_sqlite
@pytest.mark.parametrize("host", HOSTS)
def test_the_prefix_beats_the_host(client: TestClient, host: str) -> None:
    assert served(client, "/beta", host) == on("beta")


@pytest.mark.parametrize("surface", SURFACES)
def test_strictly_each_surface_serves_its_own(strict: TestClient, surface: str) -> None:
    assert served(strict, f"/{surface}") == served(strict, host=f"{LABELS[surface]}.localhost") == at_home(surface)


@on_sqlite
@pytest.mark.parametrize("surface", SURFACES)
def test_a_foreign_route_says_where_it_lives(api: Api, strict: TestClient, surface: str) -> None:
    key = "detail" if surface == "live" else "ERROR"
    for one, there in ((api, on(surface)), (Api(strict, "key"), at_home(surface))):
        assert set(ROUTES) - there != set()
        for route in set(ROUTES) - there:
            homes = [f"/{home}{route}" for home in ROUTES[route]]
            response = one.post(f"/{surface}{route}")
            refused(response, 404, *ROUTES[route], *homes, key=key)
            assert "fake-convai-off-surface" not in response.headers


@on_sqlite
@pytest.mark.parametrize(("surface", "other"), [("production", "beta"), ("beta", "production")])
def test_a_route_asked_off_its_surface_is_marked(api: Api, surface: str, other: str) -> None:
    for route in ROUTES:
        response = api.post(f"/{surface}{route}", {"limit": "wrong"})
        off = route in at_home(other) - at_home(surface)
        assert response.headers.get("fake-convai-off-surface") == (other if off else None)
    journal = api.client.get("/_fake/requests", headers={"CONVAI-API-KEY": api.key}).json()["requests"]
    marked = {entry["path"] for entry in journal if entry["off_surface"]}
    assert marked == at_home(other) - at_home(surface)
    assert {entry["surface"] for entry in journal if entry["path"] in ROUTES} <= {surface, "live"}


def test_the_same_account_is_on_every_surface(api: Api) -> None:
    npc = api.character()
    api.remember(npc, "player-42", "The user has a dog.")
    body = {"character_id": npc, "end_user_id": "player-42"}
    expected = api.memories(npc, "player-42")
    for path, host in (("/memory/list", "localhost"), ("/memory/list", "beta.localhost"), ("/beta/memory/list", "x")):
        response = api.client.post(path, json=body, headers={"Host": host, "CONVAI-API-KEY": api.key})
        assert (response.status_code, response.json()["memories"]) == (200, expected)


@on_sqlite
@pytest.mark.parametrize(
    ("path", "key", "nearest"),
    [
        ("/beta/memory/lists", "ERROR", "/beta/memory/list"),
        ("/beta/memorys/add", "ERROR", "/beta/memory/add"),
        ("/beta/Memory/Add", "ERROR", "/beta/memory/add"),
        ("/user/end-user/list", "ERROR", "/beta/user/end-users/list"),
        ("/user/end-user/delete", "ERROR", "/user/end-users/"),
        ("/production/character/gett", "ERROR", "/production/character/get"),
        ("/live/user/conect", "detail", "/production/user/connect"),
        ("/", "ERROR", "/memory/list"),
        ("/beta", "ERROR", "/beta/memory/list"),
        ("/live", "detail", "/live/connect"),
        ("/live/", "detail", "/live/connect"),
        ("/production/", "ERROR", "/production/character/get"),
        ("/beta/%F0%9F%98%80", "ERROR", ""),
    ],
)
def test_an_unknown_route_names_the_nearest(api: Api, path: str, key: str, nearest: str) -> None:
    response = api.post(path)
    refused(response, 404, "Unknown route", nearest, key=key)
    assert not re.search("delete(?! is)", response.text.partition("nearest")[2])


@on_sqlite
@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/beta/memory/list", "POST"),
        ("PUT", "/production/character/get", "GET, POST"),
        ("DELETE", "/user/end-users/delete", "POST"),
        ("PATCH", "/beta/user/end-users/update", "POST"),
    ],
)
def test_another_method_names_the_right_one(api: Api, method: str, path: str, allowed: str) -> None:
    response = api.client.request(method, path, headers=api.headers(path))
    refused(response, 405, method, allowed)
    assert response.headers["allow"] == allowed


@on_sqlite
@pytest.mark.parametrize("path", ["/beta/memory/add", "/production/character/get", "/memory/list"])
def test_a_page_of_any_origin_may_ask(client: TestClient, path: str) -> None:
    wanted = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,convai-api-key"}
    response = client.options(path, headers={**ORIGIN, **wanted})
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == "*"
    assert "POST" in response.headers["access-control-allow-methods"]
    assert response.headers["access-control-allow-headers"] == "content-type,convai-api-key"


def test_a_page_of_any_origin_may_read_answers_and_errors(api: Api) -> None:
    key = {"CONVAI-API-KEY": api.key}
    for path, headers, status in (
        ("/beta/user/end-users/list", key, 200),
        ("/beta/memory/list", key, 400),
        ("/beta/memory/list", {}, 401),
        ("/beta/nothing", key, 404),
    ):
        response = api.client.post(path, headers={**ORIGIN, **headers})
        assert response.status_code == status
        assert cross_origin(response) == {"access-control-allow-origin": "*", "access-control-expose-headers": "*"}
        assert response.headers["vary"] == "Origin"
        response = api.client.post(path, headers=headers)
        assert (response.status_code, cross_origin(response), response.headers["vary"]) == (status, {}, "Origin")


def test_options_that_asks_for_no_origin_is_a_method_that_no_route_takes(api: Api) -> None:
    response = api.client.options("/beta/memory/list", headers={**ORIGIN, "CONVAI-API-KEY": api.key})
    refused(response, 405, "OPTIONS", "POST")
    assert cross_origin(response) == {"access-control-allow-origin": "*", "access-control-expose-headers": "*"}


def cross_origin(response: httpx.Response) -> dict[str, str]:
    """What a response says to a browser about pages of other origins."""
    return {name: value for name, value in response.headers.items() if name.startswith("access-control")}


@on_sqlite
@pytest.mark.parametrize("path", ["/_fake/health", *(f"/{surface}/_fake/health" for surface in SURFACES)])
@pytest.mark.parametrize("host", ["localhost", "beta.localhost", "live.localhost"])
def test_the_control_plane_is_on_every_surface(client: TestClient, path: str, host: str) -> None:
    response = client.get(path, headers={"Host": host, **ORIGIN})
    assert (response.status_code, response.json()) == (200, {"status": "ready", "version": __version__})
    assert "access-control-allow-origin" not in response.headers


def test_without_its_lifespan_the_app_says_that_it_is_not_ready() -> None:
    client = TestClient(create_app(Settings()))
    refused(client.post("/beta/memory/list", headers={"CONVAI-API-KEY": "key"}), 503, "lifespan")
    response = client.get("/_fake/health")
    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "version": __version__, "reason": response.json()["reason"]}


@pytest.mark.parametrize(
    "path",
    ["/beta/memory/lst", "/production/connect", "/live/memory/list"],
    ids=["unknown", "of another surface", "and with the other key header"],
)
def test_a_request_that_leads_nowhere_is_in_the_journal_of_its_sender(api: Api, path: str) -> None:
    assert api.post(path, {}).status_code == 404
    journal = api.client.get("/_fake/requests", headers={"CONVAI-API-KEY": api.key}).json()["requests"]
    assert [(entry["path"], entry["status"]) for entry in journal] == [
        (path.removeprefix("/" + path.split("/")[1]), 404)
    ]
