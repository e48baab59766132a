"""Faults and answers that a test plans through the handle."""

from typing import Any

import httpx
import pytest

from fake_convai import FakeConvai
from fake_convai.testing import ControlError
from tests.testing.conftest import App


def test_fail_once(fake: FakeConvai, app: App) -> None:
    fake.fail("/character/list")
    assert fake.faults()[0].times == 1

    response = app.post("/production/character/list")
    assert (response.status_code, list(response.json())) == (429, ["ERROR"])
    assert app.post("/production/character/list").status_code == 200
    assert [request.fault is not None for request in fake.requests()] == [True, False]
    assert fake.faults() == []


def test_fail_until_cleared(fake: FakeConvai, app: App) -> None:
    fake.fail(status=503, times=None)
    assert {app.post("/beta/user/end-users/list").status_code for _ in range(3)} == {503}
    assert fake.end_users() == [], "what the test does is spared"
    fake.clear_faults()
    assert app.post("/beta/user/end-users/list").status_code == 200


@pytest.mark.parametrize(
    "match",
    [{"end_user_id": "player-42"}, {"surface": "beta"}, {"path": "/memory/list"}, {"character_id": "coach"}],
    ids=lambda match: str(*match),
)
def test_fail_only_what_matches(fake: FakeConvai, app: App, match: dict[str, Any]) -> None:
    fake.character("coach")
    fake.character("guide")
    fake.remember("coach", "player-42", "Likes tea.")
    fake.fail(**match, times=None)
    assert app.post("/production/character/get", {"charID": "guide"}).status_code == 200
    assert app.post("/beta/memory/list", {"character_id": "coach", "end_user_id": "player-42"}).status_code == 429


def test_fail_with_an_answer_of_ones_own(fake: FakeConvai, app: App) -> None:
    fake.fail("/character/list", 418, body={"teapot": True}, headers={"X-Tea": "green"}, delay_ms=1)
    response = app.post("/production/character/list")
    assert (response.status_code, response.json(), response.headers["X-Tea"]) == (418, {"teapot": True}, "green")


def test_fail_after_the_change(fake: FakeConvai, app: App) -> None:
    npc = fake.character()
    fake.fail("/memory/add", 500, when="after")
    body = {"character_id": npc, "end_user_id": "player-42", "memories": ["Likes tea."]}
    assert app.post("/beta/memory/add", body).status_code == 500
    assert [memory.memory for memory in fake.memories(npc, "player-42")] == ["Likes tea."]


def test_fail_by_breaking_the_connection(fake: FakeConvai, app: App) -> None:
    fake.fail("/character/list", disconnect=True)
    with pytest.raises(httpx.RemoteProtocolError):
        app.post("/production/character/list")
    assert app.post("/production/character/list").status_code == 200


def test_delay_alone_is_no_error(fake: FakeConvai, app: App) -> None:
    fake.fail("/character/list", status=None, delay_ms=20)
    app.ok("/production/character/list")
    assert fake.requests()[0].duration_ms >= 20


def test_fail_needs_something_to_happen(fake: FakeConvai) -> None:
    with pytest.raises(ControlError, match="status"):
        fake.fail("/character/list", status=None)
    assert fake.faults() == []


def test_the_newest_stub_answers_first(fake: FakeConvai, app: App) -> None:
    fake.stub("/tts", text="old")
    fake.stub("/tts", body={"audio": None}, times=1, match_body={"transcript": "Hello."})
    said = [app.post("/tts", {"transcript": "Hello."}).text for _ in range(2)]
    assert said == ['{"audio":null}', "old"]
    assert [request.stub for request in fake.requests("/tts")] == [
        {"path": "/tts", "body": {"transcript": "Hello."}},
        {"path": "/tts"},
    ]
    fake.clear_stubs()
    assert app.post("/tts").status_code == 501


def test_a_stub_of_bytes(fake: FakeConvai, app: App) -> None:
    fake.stub("/tts", body=b"RIFF\xff", headers={"Content-Type": "audio/wav"})
    answer = app.post("/production/tts")
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, b"RIFF\xff", "audio/wav")


def test_a_stub_of_nothing_has_no_body(fake: FakeConvai, app: App) -> None:
    fake.stub("/production/voices", 204, headers={"X-Voices": "none"}, method="post", delay_ms=1)
    answer = app.post("/production/voices")
    assert (answer.status_code, answer.content, answer.headers["x-voices"]) == (204, b"", "none")
