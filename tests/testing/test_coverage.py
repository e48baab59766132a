"""`--fake-convai-coverage`: what a suite has met of the contract."""

import json
from pathlib import Path

import pytest

from fake_convai import FakeConvai
from tests.testing.conftest import App

pytest_plugins = ["pytester"]

SUITE = """
    import httpx

    def post(fake, path, status):
        headers = {"CONVAI-API-KEY": fake.api_key}
        assert httpx.post(fake.url + path, headers=headers, json={"character_id": "x"}).status_code == status

    def test_one(fake_convai):
        post(fake_convai, "/beta/memory/list", 400)
        post(fake_convai, "/production/character/list", 200)

    def test_two(fake_convai):
        post(fake_convai, "/beta/memory/list", 400)
"""


def test_the_control_plane_says_what_was_met(app: App, fake: FakeConvai) -> None:
    app.ok("/beta/user/end-users/list")
    app.post("/beta/memory/list")
    met = fake._call("GET", "/coverage")
    assert (met["met"], met["of"]) == (2, len(met["operations"]))
    found = {one["path"]: one["met"] for one in met["operations"] if one["met"]}
    assert found == {"/user/end-users/list": [200], "/memory/list": [400]}
    (listed,) = [one for one in met["operations"] if one["path"] == "/memory/list"]
    assert {"id": "memory-order", "says": "Oldest first, and a page past the end is empty."} in listed["assumptions"]


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_the_report(pytester: pytest.Pytester, tmp_path: Path, workers: tuple[str, ...]) -> None:
    pytester.makepyfile(SUITE)
    path = tmp_path / "met.json"
    result = pytester.runpytest_subprocess("--fake-convai-coverage", f"--fake-convai-coverage-json={path}", *workers)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        [
            "*= fake-convai coverage =*",
            "2 of * operations; no 401, 403, 404, 429, 500, 503 ever met; 0 kinds of messages",
            "never met: *",
            "2 tests rest on: Oldest first, and a page past the end is empty. (memory-order)",
        ]
    )
    report = json.loads(path.read_text())
    assert report["met"] == 2
    assert report["operations"]["POST /beta/memory/list"] == ["400"]
    (order,) = [one for one in report["rests_on"] if one["id"] == "memory-order"]
    assert order["tests"] == ["test_the_report.py::test_one", "test_the_report.py::test_two"]


def test_too_little_fails_the_run(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SUITE)
    result = pytester.runpytest_subprocess("--fake-convai-coverage-fail-under=50")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["FAIL: * % of the operations were met, wanted are 50 %"])


def test_a_suite_without_the_fake(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(): pass")
    pytester.runpytest_subprocess("--fake-convai-coverage").stdout.fnmatch_lines(["No test used the fake."])
