"""What several tests of the API run against beside the app in process."""

from collections.abc import Iterator

import pytest

from fake_convai.testing import FakeConvai


@pytest.fixture(scope="session")
def served() -> Iterator[str]:
    """The URL of a server with real sockets."""
    with FakeConvai() as server:
        yield server.url
