"""The control plane as the tests of this folder drive it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from starlette.testclient import TestClient

from fake_convai.app import create_app
from fake_convai.settings import Settings
from tests.conftest import Api
from tests.control.driving import Control

Run = Callable[..., AbstractContextManager[TestClient]]


@pytest.fixture
def control(api: Api) -> Control:
    """The control plane of the test's account."""
    return Control(api.client, api.key)


@pytest.fixture
def server(client: TestClient) -> Iterator[Control]:
    """The control plane of the whole server, which is as new before and after the test."""
    whole = Control(client)
    whole.ok("POST", "/reset")
    yield whole
    whole.ok("POST", "/reset")


@pytest.fixture
def run(database_url: str | None) -> Run:
    """Runs an app with other settings, on the database of the test."""

    @contextmanager
    def running(**settings: Any) -> Iterator[TestClient]:
        with TestClient(create_app(Settings(database=database_url, **settings))) as client:
            yield client

    return running
