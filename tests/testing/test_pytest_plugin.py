"""The plugin, in test runs of its own."""

import os
from importlib.metadata import entry_points
from pathlib import Path
from textwrap import dedent

import httpx
import pytest

import fake_convai.testing.pytest_plugin
from fake_convai import FakeConvai
from fake_convai.testing.report import journal_text
from tests.testing.conftest import OURS

pytest_plugins = ["pytester"]

HEAVY = ("starlette", "sqlalchemy", "pydantic", "uvicorn", "httpx", "orjson", "fake_convai.app")


@pytest.fixture(scope="module", autouse=True)
def everything_imported(http: httpx.Client) -> None:
    """pytester forgets, after each run inside this one, the modules that were imported there first: let none be."""
    with FakeConvai() as fake:
        http.get(f"{fake.url}/_fake/health")
        assert "No request" in journal_text(fake)


@pytest.fixture(autouse=True)
def no_outer_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the run around this one has told its workers is not meant for the runs in it."""
    for name in [name for name in os.environ if name.startswith(("PYTEST_", "FAKE_CONVAI_"))]:
        monkeypatch.delenv(name)


def test_it_registers_itself() -> None:
    (entry,) = entry_points(group="pytest11", name="fake_convai")
    assert entry.load() is fake_convai.testing.pytest_plugin


@pytest.mark.usefixtures("no_other_plugins")
def test_it_costs_nothing_when_unused(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        f"""
        import sys

        def test_nothing_is_imported(request):
            assert request.config.pluginmanager.hasplugin("fake_convai.testing.pytest_plugin")
            assert [name for name in {HEAVY} if name in sys.modules] == []
        """
    )
    result = pytester.runpytest_subprocess(*OURS)
    result.assert_outcomes(passed=1)


ISOLATED = """
    import pytest

    seen = []

    @pytest.mark.parametrize("number", range(4))
    def test_starts_empty(fake_convai, number):
        seen.append((fake_convai.url, fake_convai.api_key))
        assert fake_convai.state()["characters"] == fake_convai.requests() == []
        fake_convai.character("coach")
        fake_convai.fail(times=None, optional=True)
        fake_convai.freeze()

    def test_shares_the_server(fake_convai):
        urls, keys = zip(*seen)
        assert set(urls) == {fake_convai.url}
        assert len({*keys, fake_convai.api_key}) == 5

    def test_finds_the_others_cleared(fake_convai):
        for _, key in seen:
            account = fake_convai.account(key)
            assert account.state()["characters"] == account.faults() == []
"""


def test_each_test_has_an_account_of_its_own(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(ISOLATED)
    pytester.runpytest("-W", "error").assert_outcomes(passed=6)


@pytest.mark.usefixtures("no_other_plugins")
def test_each_worker_has_a_server_and_a_database_of_its_own(pytester: pytest.Pytester, tmp_path: Path) -> None:
    pytester.makepyfile(test_one=ISOLATED, test_two=ISOLATED)
    database = f"--fake-convai-database={tmp_path / 'fake.db'}"
    result = pytester.runpytest_subprocess(*OURS, "-p", "xdist.plugin", "-n2", "--dist=loadfile", "-Werror", database)
    result.assert_outcomes(passed=12)
    assert {path.name for path in tmp_path.iterdir()} == {"fake-gw0.db", "fake-gw1.db"}


def test_the_journal_of_a_failed_test_is_printed(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import httpx

        def post(fake, path):
            httpx.post(fake.url + path, json={"limi": 1}, headers={"CONVAI-API-KEY": fake.api_key})

        def test_passes(fake_convai):
            post(fake_convai, "/production/character/list")

        def test_fails(fake_convai):
            for _ in range(51):
                post(fake_convai, "/production/user/speaker/list")
            fake_convai.fail(status=503)
            post(fake_convai, "/beta/user/end-users/list")
            assert False
        """
    )
    result = pytester.runpytest()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*- fake-convai journal -*",
            "(2 earlier requests)",
            "POST /production/user/speaker/list -> 200 (* ms)",
            '    body: {"limi": 1}',
            "POST /beta/user/end-users/list -> 503 (* ms)",
            '    body: {"limi": 1}',
            '    response: {"ERROR": "Service unavailable."}',
            "    fault: {*",
            '    unknown_fields: ["limi"]',
        ]
    )
    result.stdout.no_fnmatch_line("*/character/list*")


def test_a_large_body_is_cut_in_the_report(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import httpx

        def test_fails(fake_convai):
            url = fake_convai.production_url + "/character/list"
            httpx.post(url, json={"padding": "x" * 1000}, headers={"CONVAI-API-KEY": fake_convai.api_key})
            assert False
        """
    )
    result = pytester.runpytest()
    result.stdout.fnmatch_lines(['    body: {"padding": "xxx*xxx... (1015 characters)'])


def test_a_test_that_reached_nothing_is_told_so(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture
        def broken(fake_convai):
            raise RuntimeError

        def test_fails_in_a_fixture(broken):
            pass
        """
    )
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*- fake-convai journal -*", "No request reached http://127.0.0.1:* (it ends in ????)."]
    )


def test_a_journal_that_cannot_be_read_hides_no_failure(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_fails(fake_convai):
            assert False, "the reason"
        """
    )
    result = pytester.runpytest("--fake-convai-url", "http://127.0.0.1:1")
    result.stdout.fnmatch_lines(["*the reason*", "The journal cannot be read: *http://127.0.0.1:1*is it running?"])


def test_settings_are_those_of_the_nearest_conftest(pytester: pytest.Pytester) -> None:
    override = """
        import pytest
        from fake_convai import Settings

        @pytest.fixture(scope="session")
        def fake_convai_settings():
            return {settings}
    """
    test = """
        import httpx

        def test_plan(fake_convai):
            url = fake_convai.production_url + "/character/chatHistory/list"
            body = {{"charID": fake_convai.character()}}
            status = httpx.post(url, json=body, headers={{"CONVAI-API-KEY": fake_convai.api_key}}).status_code
            assert status == {status}
    """
    for folder, settings, status in (
        ("a_default", "{}", 200),
        ("b_mapping", "{'plan': 'free'}", 403),
        ("c_object", "Settings(plan='gamer')", 403),
        ("d_default", "{}", 200),
    ):
        inside = pytester.mkpydir(folder)
        (inside / "conftest.py").write_text(dedent(override.format(settings=settings)))
        (inside / "test_plan.py").write_text(dedent(test.format(status=status)))
    pytester.runpytest("-W", "error").assert_outcomes(passed=4)


def test_bad_settings_are_named(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import pytest

        @pytest.fixture(scope="session")
        def fake_convai_settings():
            return {"plan": "gold"}
        """
    )
    pytester.makepyfile("def test_nothing(fake_convai): pass")
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*BadSetting: --plan*gold*"])


def test_a_database_of_ones_choice(pytester: pytest.Pytester, tmp_path: Path) -> None:
    pytester.makepyfile("def test_writes(fake_convai): fake_convai.character()")
    pytester.runpytest(f"--fake-convai-database={tmp_path / 'fake.db'}").assert_outcomes(passed=1)
    assert [path.name for path in tmp_path.iterdir()] == ["fake.db"]


def test_a_fake_that_runs_elsewhere(pytester: pytest.Pytester, process_url: str) -> None:
    pytester.makepyfile(f"def test_url(fake_convai): assert fake_convai.url == {process_url!r}", test_isolated=ISOLATED)
    pytester.runpytest("-W", "error", "--fake-convai-url", process_url).assert_outcomes(passed=7)


def test_the_environment_leads_to_the_account(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVAI_API_KEY", "real")
    pytester.makepyfile(
        """
        import os

        def test_during(fake_convai_env, fake_convai):
            assert fake_convai_env is fake_convai
            assert {name: value for name, value in os.environ.items() if name.startswith("CONVAI_")} == {
                "CONVAI_API_KEY": fake_convai.api_key,
                "CONVAI_BASE_URL": fake_convai.url,
                "CONVAI_API_URL": fake_convai.url,
                "CONVAI_PRODUCTION_URL": fake_convai.production_url,
                "CONVAI_BETA_URL": fake_convai.beta_url,
                "CONVAI_LIVE_URL": fake_convai.live_url,
            }

        def test_afterwards():
            assert os.environ["CONVAI_API_KEY"] == "real"
            assert "CONVAI_BASE_URL" not in os.environ
        """
    )
    pytester.runpytest().assert_outcomes(passed=2)


def test_a_fixture_may_outlive_a_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture(scope="module")
        def museum(make_fake_convai, fake_convai_settings):
            return make_fake_convai(fake_convai_settings)

        def test_one(museum):
            museum.character("guide")

        def test_two(museum, fake_convai):
            assert len(museum.state()["characters"]) == 1
            assert museum.url == fake_convai.url
        """
    )
    pytester.runpytest().assert_outcomes(passed=2)
