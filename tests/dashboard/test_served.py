"""How the page and its files are served; no browser is needed for this."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from fake_convai.app import create_app
from fake_convai.settings import Settings


def serve(**settings: object) -> TestClient:
    return TestClient(create_app(Settings(**settings)), follow_redirects=False)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with serve() as running:
        yield running


@pytest.mark.parametrize("path", ["/_fake/", "/beta/_fake/", "/production/_fake/", "/live/_fake/"])
def test_the_page_needs_no_key_on_any_surface(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "Long-Term Memory" in response.text


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/_fake/", "text/html; charset=utf-8"),
        ("/_fake/assets/main.js", "text/javascript; charset=utf-8"),
        ("/_fake/assets/page.css", "text/css; charset=utf-8"),
        ("/_fake/assets/icon.svg", "image/svg+xml"),
    ],
)
def test_headers_keep_data_from_becoming_code(client: TestClient, path: str, kind: str) -> None:
    headers = client.get(path).headers
    assert headers["content-type"] == kind
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"].split("; ") == [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]


@pytest.mark.parametrize("name", ["nothing.js", "index.html", "..%2froutes.py"])
def test_only_the_files_of_the_page_are_served(client: TestClient, name: str) -> None:
    response = client.get(f"/_fake/assets/{name}")
    assert response.status_code == 404
    assert list(response.json()) == ["ERROR"]


def test_without_its_slash_the_address_leads_to_the_page(client: TestClient) -> None:
    assert client.get("/_fake").headers["location"] == "/_fake/"
    assert client.get("/_fake?key=a%26b").headers["location"] == "/_fake/?key=a%26b"


def test_the_page_is_not_in_the_way_of_the_control_plane(client: TestClient) -> None:
    assert client.get("/_fake/health").json()["status"] == "ready"
    unknown = client.get("/_fake/nothing")
    assert unknown.status_code == 404
    assert "/_fake/state" in unknown.json()["ERROR"]


def test_the_demo_account_is_linked_when_there_is_one(client: TestClient) -> None:
    assert '<a class="demo" href="?key=" hidden>' in client.get("/_fake/").text
    with serve(demo=True) as with_demo:
        assert '<a class="demo" href="?key=demo" >' in with_demo.get("/_fake/").text


def test_the_control_key_is_asked_for_by_the_page_and_not_needed_to_see_it() -> None:
    with serve(control_key="secret") as guarded:
        page = guarded.get("/_fake/")
        assert page.status_code == 200
        assert '<div class="field" >\n          <label for="control-key">' in page.text
        assert "secret" not in page.text.replace('class="secret"', "")


BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def test_a_browser_gets_the_page_at_the_root(client: TestClient) -> None:
    page = client.get("/?key=demo", headers=BROWSER)
    assert (page.status_code, page.text) == (200, client.get("/_fake/").text)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["vary"] == "accept"


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/", {}),
        ("GET", "/", {"accept": "application/json"}),
        ("POST", "/", BROWSER),
        ("GET", "/memory/list", BROWSER),
    ],
)
def test_a_client_of_the_api_gets_json(client: TestClient, method: str, path: str, headers: dict[str, str]) -> None:
    response = client.request(method, path, headers=headers)
    assert response.status_code in (404, 405)
    assert list(response.json()) == ["ERROR"]
