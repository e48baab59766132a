"""The pytest plugin: it registers itself when fake-convai is installed.

pytest imports this module in every run, so it imports nothing but pytest and the standard library; the fake itself is
imported by the first test that uses it.
"""

import os
import sys
import weakref
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fake_convai.testing import watching
from fake_convai.testing.coverage import Coverage

if TYPE_CHECKING:
    from fake_convai.settings import Settings
    from fake_convai.testing import AsyncFakeConvai, FakeConvai

    AnySettings = Settings | Mapping[str, Any]

_COVERAGE: pytest.StashKey[Coverage] = pytest.StashKey()
_OLDER: "weakref.WeakSet[FakeConvai]" = weakref.WeakSet()
"""Accounts that were made before the running test: those of fixtures that live longer."""


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
    group.addoption(
        "--fake-convai-command",
        metavar="COMMAND",
        help="Start the fake with this command, such as 'uvx fake-convai', instead of in this process.",
    )
    group.addoption(
        "--fake-convai-coverage",
        action="store_true",
        help="Print which operations, statuses and messages of Convai's contract the tests met, and what is guessed.",
    )
    group.addoption("--fake-convai-coverage-json", metavar="PATH", help="Write that as JSON.")
    group.addoption(
        "--fake-convai-coverage-fail-under",
        metavar="PERCENT",
        type=float,
        help="Fail the run when fewer of the contract's operations were met.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Begin to count, if that is wanted."""
    wanted = ("coverage", "coverage_json", "coverage_fail_under")
    if any(config.getoption(f"fake_convai_{name}", None) not in (None, False) for name in wanted):
        config.stash[_COVERAGE] = Coverage()


@pytest.fixture(scope="session")
def fake_convai_settings() -> "AnySettings":
    """Settings of the fake; define a fixture of this name to choose them."""
    return {}


@pytest.fixture(scope="session")
def make_fake_convai(pytestconfig: pytest.Config) -> "Iterator[Callable[..., FakeConvai]]":
    """Makes accounts, for fixtures that live longer than a test: `make_fake_convai()`, or with settings.

    Accounts with the same settings are on one server, which runs as long as the session, one per xdist worker. With
    `--fake-convai-url` they are all on the server that runs there, whose settings are its own.
    """
    from fake_convai.testing import FakeConvai

    url = pytestconfig.getoption("--fake-convai-url")
    command = pytestconfig.getoption("--fake-convai-command")
    database = pytestconfig.getoption("--fake-convai-database")
    if not url and not command:
        # Now, while the file system and the clock are still real: a test may replace either before it asks for us.
        from fake_convai.testing.server_thread import read_files

        if "pyfakefs" in sys.modules:
            read_files()
    servers: dict[Any, FakeConvai] = {}
    with ExitStack() as running:

        def start(settings: Mapping[str, Any]) -> FakeConvai:
            if url:
                return FakeConvai.attach(url)
            return FakeConvai.run(command, settings) if command else FakeConvai(settings)

        def make(settings: "AnySettings" = {}) -> FakeConvai:  # noqa: B006 - never changed
            values = dict(settings) if isinstance(settings, Mapping) else settings.model_dump(exclude_defaults=True)
            values = _with_database(values, database)
            wanted = "" if url else repr(sorted(values.items()))
            if wanted not in servers:
                watched, watching.watched = watching.watched, None  # the server is nobody's account
                try:
                    servers[wanted] = running.enter_context(start(values))
                finally:
                    watching.watched = watched
            return servers[wanted].account()

        yield make


@pytest.fixture
def fake_convai(
    make_fake_convai: "Callable[[AnySettings], FakeConvai]", fake_convai_settings: "AnySettings"
) -> "Iterator[FakeConvai]":
    """An account of a running fake for this test alone."""
    account = make_fake_convai(fake_convai_settings)
    yield account
    account.reset()


@pytest.fixture
def afake_convai(fake_convai: "FakeConvai") -> "AsyncFakeConvai":
    """The same account for asynchronous tests, under pytest-asyncio and anyio: `await afake_convai.talk(...)`."""
    from fake_convai.testing import AsyncFakeConvai

    return AsyncFakeConvai(fake_convai)


@pytest.fixture
def fake_convai_env(fake_convai: "FakeConvai", monkeypatch: pytest.MonkeyPatch) -> "FakeConvai":
    """The same account, and the environment variables by which programs find Convai lead to it (`fake_convai.env`)."""
    for name, value in fake_convai.env.items():
        monkeypatch.setenv(name, value)
    return fake_convai


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Look on while the test runs: which accounts it makes."""
    around, watching.watched = watching.watched, []
    made = watching.watched
    try:
        return (yield)
    finally:
        _OLDER.update(made)
        watching.watched = around


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test whose faults and stubs never happened, and note what of the contract it met."""
    try:
        result = yield
    finally:
        coverage = item.config.stash.get(_COVERAGE, None)
        if coverage is not None:
            coverage.note(item.nodeid, [*(watching.watched or []), *_OLDER])
    planning = [account for account in watching.watched or [] if account.is_running and account._planned]
    unhappened = [text for account in planning for text in account.unhappened()]
    for account in planning:
        account._planned.clear()  # said here, and not beside the journal again
    if unhappened:
        pytest.fail("\n".join(unhappened), pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the journal of each account that the test made, or had from a fixture, to the report when it failed."""
    report = yield
    if report.failed and (watching.watched or _OLDER):
        from fake_convai.testing.report import sections

        report.sections.extend(sections(watching.watched or [], list(_OLDER), since=call.start))
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Take what a worker of pytest-xdist has met."""
    coverage = node.config.stash.get(_COVERAGE, None)
    handed_over = getattr(node, "workeroutput", {}).get("fake_convai_coverage")
    if coverage is not None and handed_over is not None:  # a worker that has crashed leaves nothing
        coverage.add(handed_over)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand what was met to the controller of pytest-xdist, write it down, and look at the threshold."""
    coverage = session.config.stash.get(_COVERAGE, None)
    if coverage is None:
        return
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["fake_convai_coverage"] = coverage.handed_over()
        return
    path = session.config.getoption("--fake-convai-coverage-json")
    if path:
        coverage.write(Path(path))
    threshold = session.config.getoption("--fake-convai-coverage-fail-under")
    if threshold is not None and coverage.percent < threshold and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print what was met."""
    coverage = config.stash.get(_COVERAGE, None)
    if coverage is not None:
        terminalreporter.section("fake-convai coverage")
        for line in coverage.lines(config.getoption("--fake-convai-coverage-fail-under")):
            terminalreporter.line(line)


def _with_database(values: dict[str, Any], database: str | None) -> dict[str, Any]:
    database = database or values.get("database")
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if database and worker and "://" not in database:
        # A SQLite file belongs to one server.
        path = Path(database)
        database = str(path.with_stem(f"{path.stem}-{worker}"))
    return {**values, "database": database} if database else values
