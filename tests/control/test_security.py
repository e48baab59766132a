"""Who may use the control plane: no foreign web page, and only those who know the control key."""

import pytest
from starlette.testclient import TestClient

from fake_convai import __version__
from fake_convai.cli.main import main
from fake_convai.control.routes import ROUTES
from tests.conftest import Api, on_sqlite, refused
from tests.control.conftest import Run
from tests.control.driving import Control, account

CALLS = sorted(
    (method, route.path.removeprefix("/_fake").replace("{name}", "any"))
    for route in ROUTES
    for method in route.methods or ()
    if method != "HEAD" and route.path != "/_fake/health" and "{surface}" not in route.path
)
FOREIGN = ("https://evil.example", "http://localhost:1", "null", "", "http://localhost.evil.example", "localhost")
KEY = "correct horse battery staple"


@on_sqlite
@pytest.mark.parametrize("origin", FOREIGN)
def test_a_foreign_page_is_refused(control: Control, origin: str) -> None:
    for method, path in CALLS:
        response = control.send(method, path, None, Origin=origin, Host="localhost:2668")
        refused(response, 403, "origin", "outside the browser")
        assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("path", ["/_fake/reset", "/beta/_fake/reset", "/production/_fake/reset"])
def test_a_foreign_page_wipes_nothing(api: Api, control: Control, path: str) -> None:
    npc = api.character()
    headers = {**api.headers("/beta/"), "Origin": "https://evil.example"}
    refused(api.client.post(path, headers=headers), 403, "evil.example")
    assert [one["character_id"] for one in control.state()["characters"]] == [npc]


@on_sqlite
@pytest.mark.parametrize("host", ["localhost:2668", "127.0.0.1:2668", "[::1]:2668", "fake-convai", "beta.localhost:80"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_its_own_pages_may(control: Control, scheme: str, host: str) -> None:
    assert control.send("GET", "/state", None, Origin=f"{scheme}://{host}", Host=host).status_code == 200


def test_a_browser_gets_no_leave_to_ask_from_elsewhere(client: TestClient) -> None:
    wanted = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    response = client.options("/_fake/reset", headers=wanted)
    assert response.status_code == 405
    assert [name for name in response.headers if name.startswith("access-control")] == []


def test_with_a_control_key_all_but_health_needs_it(run: Run) -> None:
    with run(control_key=KEY) as client:
        api, control = account(client)
        for method, path in CALLS:
            for given in ({}, {"X-Fake-Convai-Control-Key": KEY[:-1]}, {"X-Fake-Convai-Control-Key": f"{KEY}\u00e9"}):
                headers = {**api.headers("/beta/"), **given}
                raw = [(name.encode(), value.encode()) for name, value in headers.items()]
                response = client.request(method, f"/_fake{path}", headers=raw)
                refused(response, 403, "X-Fake-Convai-Control-Key")
                assert KEY not in response.text
        assert client.get("/_fake/health").json() == {"status": "ready", "version": __version__}
        assert control.send("GET", "/state", None, **{"X-Fake-Convai-Control-Key": KEY}).status_code == 200
        assert api.post("/beta/user/end-users/list").status_code == 200


@pytest.mark.parametrize("header", ["CONVAI-API-KEY", "X-API-Key"])
def test_the_account_is_named_in_either_header(api: Api, header: str) -> None:
    npc = api.character()
    response = api.client.get("/_fake/state", headers={header: api.key})
    assert [one["character_id"] for one in response.json()["characters"]] == [npc]


@pytest.mark.parametrize(
    ("headers", "word"), [({"CONVAI-API-KEY": "invalid"}, "Invalid"), ({"X-API-Key": " "}, "missing")]
)
def test_a_key_that_is_not_accepted_acts_on_nothing(
    api: Api, control: Control, headers: dict[str, str], word: str
) -> None:
    npc = api.character()
    refused(api.client.post("/_fake/reset", headers=headers), 401, word)
    assert [one["character_id"] for one in control.state()["characters"]] == [npc]


def test_only_valid_keys_open_accounts_here_too(run: Run) -> None:
    with run(api_key=("good-key",)) as client:
        assert Control(client, "good-key").send("GET", "/state").status_code == 200
        refused(Control(client, "other-key").send("GET", "/state"), 401, "Invalid API key")


@on_sqlite
@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "/nothing", 404, ["/_fake/nothing", "/_fake/state", "/_fake/snapshots/{name}"]),
        ("POST", "/state", 405, ["/_fake/state does not take POST", "GET"]),
        ("GET", "/reset", 405, ["/_fake/reset does not take GET", "POST"]),
        ("PATCH", "/clock", 405, ["/_fake/clock does not take PATCH", "PUT"]),
    ],
)
def test_an_unknown_route_is_told(control: Control, method: str, path: str, status: int, words: list[str]) -> None:
    refused(control.send(method, path), status, *words)


@pytest.mark.parametrize(
    ("options", "warned"),
    [
        (["--host", "0.0.0.0"], True),
        (["--host", "0.0.0.0", "--control-key", KEY], False),
        (["--host", "127.0.0.1"], False),
        (["--host", "localhost"], False),
    ],
)
def test_a_server_that_others_reach_is_told_to_have_a_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: list[str], *, warned: bool
) -> None:
    monkeypatch.setattr("uvicorn.Server.run", lambda self, sockets: [one.close() for one in sockets])
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setattr("sys.argv", ["fake-convai", "serve", "--port", "0", *options])
    with pytest.raises(SystemExit):
        main()
    error = capsys.readouterr().err
    assert ("--control-key" in error, error.count("\n")) == (warned, int(warned))
    assert KEY not in error


def test_a_document_over_the_limit_is_refused(control: Control) -> None:
    headers = {"CONVAI-API-KEY": control.key or "", "content-length": str(64 * 1024 * 1024 + 1)}
    refused(control.client.post("/_fake/seed", content=b"{}", headers=headers), 413, "64 MiB")
