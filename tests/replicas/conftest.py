"""Two replicas: processes of their own on one PostgreSQL database, which no other test uses."""

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import cast

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient

from fake_convai.app import create_app
from fake_convai.settings import Settings
from fake_convai.store.schema import APPLICATION_ID
from tests.conftest import REPLICAS_DATABASE, Api
from tests.control.driving import Control
from tests.replicas.database import DEADLINE, Watcher, eventually, watch
from tests.serving import Served, serve


@dataclass(frozen=True)
class Replica:
    """A running replica and a client of it."""

    served: Served
    client: TestClient

    def account(self, key: str) -> Api:
        """An account as this replica serves it."""
        return Api(self.client, key)

    def control(self, key: str | None = None) -> Control:
        """The control plane of an account or, without a key, of the whole server."""
        return Control(self.client, key)


@contextmanager
def replica(database_url: str, *options: str) -> Iterator[Replica]:
    """Run a replica."""
    with (
        serve("--database", database_url, *options) as served,
        # Nothing to verify on a server of plain HTTP: loading the certificates would be most of the work.
        httpx.Client(base_url=served.url, timeout=DEADLINE, verify=False) as client,
    ):
        yield Replica(served, cast(TestClient, client))


@dataclass(frozen=True)
class Replicas:
    """Replicas that were started at once, while the database was still empty."""

    one: Replica
    two: Replica
    waited: int
    """How many of them waited for their turn to migrate."""


@pytest.fixture(scope="session")
def replicas_url(postgres_url: str) -> str:
    """The database that the replicas share."""
    return postgres_url.replace("/fake_convai", f"/{REPLICAS_DATABASE}", 1)


@pytest.fixture(scope="session")
def watcher(replicas_url: str) -> Iterator[Watcher]:
    """A connection to it past all replicas."""
    with watch(replicas_url) as watching:
        yield watching


@pytest.fixture(scope="session")
def replicas(replicas_url: str, watcher: Watcher) -> Iterator[Replicas]:
    """Two replicas; both found the database empty, and were kept from migrating it until the other had come too."""
    with ExitStack() as stack:
        with ThreadPoolExecutor(2) as pool:
            with watcher.holding("SELECT pg_advisory_xact_lock($1)", APPLICATION_ID):
                started = [pool.submit(stack.enter_context, replica(replicas_url)) for _ in range(2)]
                waited = eventually(lambda: len(watcher.blocked()) == 2 and 2)
            one, two = (each.result(DEADLINE) for each in started)
        yield Replicas(one, two, waited)


@pytest.fixture
def both(replicas: Replicas) -> tuple[Api, Api]:
    """A new account as each of the replicas serves it."""
    key = f"key-{uuid.uuid4()}"
    return replicas.one.account(key), replicas.two.account(key)


@pytest.fixture
def inside(replicas: Replicas, replicas_url: str, both: tuple[Api, Api]) -> Iterator[tuple[Api, Api]]:
    """The account at two more replicas, in the process of the test, so that it may hold up their transactions."""
    settings = Settings(database=replicas_url)
    with TestClient(create_app(settings)) as three, TestClient(create_app(settings)) as four:
        yield Api(three, both[0].key), Api(four, both[0].key)


@pytest.fixture
def controls(replicas: Replicas, both: tuple[Api, Api]) -> tuple[Control, Control]:
    """The control plane of the same account, at each of the replicas."""
    key = both[0].key
    return replicas.one.control(key), replicas.two.control(key)
