"""`--fake-convai-coverage`: what a suite has met of the contract."""

import json
from pathlib import Path

import pytest

from fake_convai import FakeConvai
from tests.testing.conftest import OURS, App

pytest_plugins = ["pytester"]

SUITE = """
    import httpx
    import pytest

    def post(fake, path, status):
        headers = {"CONVAI-API-KEY": fake.api_key}
        assert httpx.post(fake.url + path, headers=headers, json={"character_id": "x"}).status_code == status

    def test_one(fake_convai):
        post(fake_convai, "/beta/memory/list", 400)
        post(fake_convai, "/production/character/list", 200)
        fake_convai.talk(fake_convai.character(), None, "Hello.")

    def test_two(fake_convai):
        post(fake_convai, "/beta/memory/list", 400)
        assert httpx.post(fake_convai.url + "/beta/memory/list").status_code == 401

    @pytest.fixture(scope="session")
    def shared(make_fake_convai):
        return make_fake_convai()

    def test_three(shared):
        post(shared, "/beta/user/end-users/list", 200)

    def test_four(shared):
        pass
"""


def test_the_control_plane_says_what_was_met(app: App, fake: FakeConvai) -> None:
    app.ok("/beta/user/end-users/list")
    app.post("/beta/memory/list")
    met = fake._call("GET", "/coverage")
    assert (met["met"], met["of"]) == (2, len(met["operations"]))
    found = {one["path"]: one["met"] for one in met["operations"] if one["met"]}
    assert found == {"/user/end-users/list": [200], "/memory/list": [400]}
    assert sum(one["requests"] for one in met["operations"]) == 2
    assert {one["met"] for one in met["messages"]} == {0}
    (listed,) = [one for one in met["operations"] if one["path"] == "/memory/list"]
    assert {"id": "memory-order", "says": "Oldest first, and a page past the end is empty."} in listed["assumptions"]


@pytest.mark.usefixtures("no_other_plugins")
@pytest.mark.parametrize("workers", [(), ("-p", "xdist.plugin", "-n", "2")], ids=["alone", "with workers"])
def test_the_report(pytester: pytest.Pytester, tmp_path: Path, workers: tuple[str, ...]) -> None:
    pytester.makepyfile(SUITE)
    path = tmp_path / "met.json"
    result = pytester.runpytest_subprocess(
        *OURS, "--fake-convai-coverage", f"--fake-convai-coverage-json={path}", *workers
    )
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(
        [
            "*= fake-convai coverage =*",
            "5 of * operations; no 403, 404, 429, 500, 503 ever met; 11 of * messages",
            "never met: *",
            "2 tests rest on: Oldest first, and a page past the end is empty. (memory-order)",
        ]
    )
    report = json.loads(path.read_text())
    assert report["met"] == 5
    assert report["operations"]["POST /beta/memory/list"] == ["400", "401"]
    assert not [one for one in report["rests_on"] if one["id"].startswith("room-")], "nobody was in a room"
    (order,) = [one for one in report["rests_on"] if one["id"] == "memory-order"]
    assert order["tests"] == ["test_the_report.py::test_one", "test_the_report.py::test_two"]
    (walk,) = [one for one in report["rests_on"] if one["id"] == "people-walk"]
    assert walk["tests"] == ["test_the_report.py::test_three"], "of an account that lives longer, only what is new"
    assert report["messages"]["in"]["user_text_message"] == 1
    assert report["messages"]["out"]["bot-turn-completed"] == 1
    assert report["messages"]["in"]["interrupt-bot"] == 0
    assert report["messages_met"] == 11


def test_messages_are_counted_by_direction_and_type(fake: FakeConvai) -> None:
    with fake.conversation(fake.character()) as conversation:
        conversation.send("tts-toggle", enabled=False)
        conversation.send("tts-toggle", enabled=True)
        conversation.send("no-message-of-the-contract")
    met = {(one["direction"], one["type"]): one["met"] for one in fake._call("GET", "/coverage")["messages"]}
    assert {kind: times for kind, times in met.items() if times} == {
        ("in", "tts-toggle"): 2,
        ("out", "server-response"): 3,
    }
    assert ("in", "interrupt-bot") in met
    assert ("out", "server-message") not in met, "an envelope is called by what is in it"


@pytest.mark.usefixtures("no_other_plugins")
def test_too_little_fails_the_run(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SUITE)
    result = pytester.runpytest_subprocess(*OURS, "--fake-convai-coverage-fail-under=50")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["FAIL: * % of the operations were met, wanted are 50 %"])


@pytest.mark.usefixtures("no_other_plugins")
def test_a_suite_without_the_fake(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(): pass")
    pytester.runpytest_subprocess(*OURS, "--fake-convai-coverage").stdout.fnmatch_lines(["No test used the fake."])
