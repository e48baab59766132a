"""What several tests of the API run against beside the app in process."""

from collections.abc import Iterator

import pytest

from tests.serving import serve


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    """The URL of a server with real sockets."""
    with serve() as server:
        yield server.url
