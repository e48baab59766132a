"""The contract is the same over both databases, which tests/api holds to each other: here SQLite does."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from fake_convai.app import create_app
from fake_convai.settings import Settings


@pytest.fixture(scope="package")
def client() -> Iterator[TestClient]:
    """The app, running in process."""
    with TestClient(create_app(Settings())) as test_client:
        yield test_client
