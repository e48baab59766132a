"""An account to drive, of a server in this process and of one in its own."""

from collections.abc import Iterator
from typing import Any

# A pytest within a test forgets what was imported there first: what registers itself, or is compared, is so before.
import alembic.command  # noqa: F401
import httpcore  # noqa: F401
import httpx
import pytest
import websockets.sync.client  # noqa: F401

from fake_convai import FakeConvai
from tests.serving import serve


@pytest.fixture(scope="session")
def process_url() -> Iterator[str]:
    """Where a server in a process of its own answers."""
    with serve() as served:
        yield served.url


@pytest.fixture(params=["thread", "process"])
def fake(request: pytest.FixtureRequest) -> Iterator[FakeConvai]:
    """An account: one of the plugin's, and one of a server that runs elsewhere."""
    if request.param == "thread":
        yield request.getfixturevalue("fake_convai")
    else:
        with FakeConvai.attach(request.getfixturevalue("process_url")) as attached:
            yield attached


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    """A client that every test shares: making one takes longer than most tests."""
    with httpx.Client() as client:
        yield client


class App:
    """The code under test: calls the API as an app would."""

    def __init__(self, http: httpx.Client, fake: FakeConvai) -> None:
        self._http = http
        self._fake = fake

    def post(self, path: str, body: Any = None) -> httpx.Response:
        """POST a JSON body to a path that names its surface."""
        header = "X-API-Key" if path.startswith("/live/") else "CONVAI-API-KEY"
        return self._http.post(f"{self._fake.url}{path}", json=body or {}, headers={header: self._fake.api_key})

    def ok(self, path: str, body: Any = None) -> Any:
        """The answer's JSON, after making sure that it is a 200."""
        response = self.post(path, body)
        assert response.status_code in (200, 201), response.text
        return response.json()


@pytest.fixture
def app(http: httpx.Client, fake: FakeConvai) -> App:
    """An app that uses the account."""
    return App(http, fake)


OURS = ("-p", "fake_convai.testing.pytest_plugin")


@pytest.fixture
def no_other_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the plugins that are named are loaded: others import what they like, and take their time."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
