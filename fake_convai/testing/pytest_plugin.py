"""The pytest plugin: it registers itself when fake-convai is installed.

pytest imports this module in every run, so it imports nothing but pytest and the standard library; the fake itself is
imported by the first test that uses it.
"""

import os
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fake_convai.settings import Settings
    from fake_convai.testing import FakeConvai

    AnySettings = Settings | Mapping[str, Any]

_ACCOUNT: pytest.StashKey["FakeConvai"] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("fake-convai")
    group.addoption(
        "--fake-convai-database",
        metavar="PATH_OR_URL",
        help="SQLite file (one per xdist worker) or postgresql+asyncpg:// URL for the fake; in memory by default.",
    )
    group.addoption(
        "--fake-convai-url",
        metavar="URL",
        help="Use the fake that runs there, such as a service container, instead of starting one.",
    )


@pytest.fixture(scope="session")
def fake_convai_settings() -> "AnySettings":
    """Settings of the fake; define a session fixture of this name to choose them."""
    return {}


@pytest.fixture(scope="session")
def make_fake_convai(pytestconfig: pytest.Config) -> "Iterator[Callable[[AnySettings], FakeConvai]]":
    """Makes accounts, for fixtures that live longer than a test: `make_fake_convai(fake_convai_settings)`.

    Accounts with the same settings are on one server, which runs as long as the session, one per xdist worker. With
    `--fake-convai-url` they are all on the server that runs there, whose settings are its own.
    """
    from fake_convai.testing import FakeConvai

    url = pytestconfig.getoption("--fake-convai-url")
    database = pytestconfig.getoption("--fake-convai-database")
    servers: dict[Settings | None, FakeConvai] = {}
    with ExitStack() as running:

        def make(settings: "AnySettings") -> FakeConvai:
            wanted = None if url else _settings(settings, database)
            if wanted not in servers:
                servers[wanted] = running.enter_context(FakeConvai.attach(url) if url else FakeConvai(wanted))
            return servers[wanted].account()

        yield make


@pytest.fixture
def fake_convai(
    request: pytest.FixtureRequest,
    make_fake_convai: "Callable[[AnySettings], FakeConvai]",
    fake_convai_settings: "AnySettings",
) -> "Iterator[FakeConvai]":
    """An account of a running fake for this test alone."""
    account = make_fake_convai(fake_convai_settings)
    request.node.stash[_ACCOUNT] = account
    yield account
    del request.node.stash[_ACCOUNT]
    account.reset()


@pytest.fixture
def fake_convai_env(fake_convai: "FakeConvai", monkeypatch: pytest.MonkeyPatch) -> "FakeConvai":
    """The same account, and the environment variables by which programs usually find Convai lead to it.

    `CONVAI_API_KEY` is its key; `CONVAI_BASE_URL` and `CONVAI_API_URL` serve all surfaces together;
    `CONVAI_PRODUCTION_URL`, `CONVAI_BETA_URL` and `CONVAI_LIVE_URL` one each.
    """
    variables = {
        "CONVAI_API_KEY": fake_convai.api_key,
        "CONVAI_BASE_URL": fake_convai.url,
        "CONVAI_API_URL": fake_convai.url,
        "CONVAI_PRODUCTION_URL": fake_convai.production_url,
        "CONVAI_BETA_URL": fake_convai.beta_url,
        "CONVAI_LIVE_URL": fake_convai.live_url,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return fake_convai


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the account's journal to the report of a test that failed."""
    report = yield
    fake = item.stash.get(_ACCOUNT, None)
    if fake is not None and report.failed:
        from fake_convai.testing.report import journal_text

        report.sections.append(("fake-convai journal", journal_text(fake)))
    return report


def _settings(chosen: "AnySettings", database: str | None) -> "Settings":
    from fake_convai.settings import load_settings

    if isinstance(chosen, Mapping):
        # Characters come to rooms only where a test wants them: `"livekit": True`.
        rooms = {} if "FAKE_CONVAI_LIVEKIT" in os.environ else {"livekit": "off"}
        settings = load_settings(**rooms | dict(chosen))
    else:
        settings = chosen
    database = database or settings.database
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if database and worker and "://" not in database:
        # A SQLite file belongs to one server.
        path = Path(database)
        database = str(path.with_stem(f"{path.stem}-{worker}"))
    return settings.model_copy(update={"database": database})
