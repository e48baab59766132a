"""Faults that break connections: before anything was done, after it was, in the middle of a stream or of a turn."""

from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import pytest

from fake_convai.testing import FakeConvai
from tests.api.talking import MY_NAME, NAME_FACT, Chat, chat, connect, facts, said_in
from tests.conftest import Api, on_sqlite
from tests.control.driving import Control

KEY = {"CONVAI-API-KEY": "key", "X-API-Key": "key"}
LIST = "/beta/user/end-users/list"


@pytest.fixture(scope="module")
def url(database_url: str | None) -> Iterator[str]:
    """A real server, since only a real connection can break."""
    with FakeConvai({"database": database_url}) as served:
        yield served.url


@pytest.fixture
def http(url: str) -> Iterator[httpx.Client]:
    """A client of an account that is as new."""
    with httpx.Client(base_url=url, headers=KEY, trust_env=False, timeout=120) as client:
        ok(client, "POST", "/_fake/reset")
        ok(client, "POST", "/_fake/seed", {"characters": [{"character_id": "npc"}]})
        yield client


def ok(http: httpx.Client, method: str, path: str, body: Any = None) -> Any:
    """The answer's JSON, after making sure that it is a 200."""
    response = http.request(method, path, json=body)
    assert response.status_code == 200, response.text
    return response.json()


def add(http: httpx.Client) -> httpx.Response:
    """Add a fact."""
    body = {"character_id": "npc", "end_user_id": "player-42", "memories": ["Tall."]}
    return http.post("/beta/memory/add", json=body)


def known(http: httpx.Client) -> int:
    """How many facts there are."""
    return len(ok(http, "GET", "/_fake/state")["memories"])


def read_until_it_breaks(response: httpx.Response) -> str:
    """What came of a stream before its connection broke."""
    read = ""
    try:
        for part in response.iter_text():
            read += part
    except httpx.RemoteProtocolError:
        return read
    raise AssertionError("the stream was whole")


@on_sqlite
class TestOverHttp:
    @pytest.mark.parametrize(("when", "stored"), [("before", 0), ("after", 1)])
    def test_the_connection_breaks_before_or_after_the_write(self, http: httpx.Client, when: str, stored: int) -> None:
        fault = {"match": {}, "times": 1, "disconnect": True, "when": when}
        assert ok(http, "POST", "/_fake/faults", fault) == fault
        with pytest.raises(httpx.RemoteProtocolError):
            add(http)
        assert known(http) == stored
        assert add(http).status_code == 200
        entries = ok(http, "GET", "/_fake/requests")["requests"]
        assert [(entry["path"], entry["fault"]) for entry in entries] == [("/memory/add", fault), ("/memory/add", None)]

    def test_a_delay_comes_first(self, http: httpx.Client) -> None:
        ok(http, "POST", "/_fake/faults", {"disconnect": True, "delay_ms": 1})
        with pytest.raises(httpx.RemoteProtocolError):
            add(http)
        assert ok(http, "GET", "/_fake/requests")["requests"][0]["duration_ms"] >= 1

    def test_a_client_that_loses_patience_gets_no_answer(self, http: httpx.Client) -> None:
        ok(http, "POST", "/_fake/faults", {"delay_ms": 300})
        with pytest.raises(httpx.ReadTimeout):
            http.post(LIST, timeout=0.05)


@on_sqlite
@pytest.mark.parametrize(
    ("path", "form", "first"),
    [
        ("/live/connect/stream", {"character_id": "npc", "text_input": "Hello."}, '{"type":"connection-started"'),
        (
            "/production/character/getResponse",
            {"charID": "npc", "userText": "Hello.", "sessionID": "-1", "stream": "True"},
            '{"charID":"npc"',
        ),
    ],
)
class TestInAStream:
    def test_it_breaks_off_in_the_middle(self, http: httpx.Client, path: str, form: dict[str, str], first: str) -> None:
        ok(http, "PUT", "/_fake/replies", {"default": "A long answer. " * 20})
        whole = http.post(path, data=form).text
        ok(http, "POST", "/_fake/faults", {"disconnect": True, "when": "after"})
        with http.stream("POST", path, data=form) as response:
            assert (response.status_code, response.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
            read = read_until_it_breaks(response)
        assert read.startswith(f"data: {first}")
        assert read.count("data: ") == 2 < whole.count("data: ")
        assert len(ok(http, "GET", "/_fake/state")["sessions"]) == 2

    def test_it_never_begins(self, http: httpx.Client, path: str, form: dict[str, str], first: str) -> None:
        ok(http, "POST", "/_fake/faults", {"disconnect": True})
        with pytest.raises(httpx.RemoteProtocolError):
            http.post(path, data=form)
        assert ok(http, "GET", "/_fake/state")["sessions"] == []
        assert first in http.post(path, data=form).text

    @pytest.mark.parametrize(("when", "sessions"), [("before", 0), ("after", 1)])
    def test_an_error_takes_its_place(
        self, http: httpx.Client, path: str, form: dict[str, str], first: str, when: str, sessions: int
    ) -> None:
        ok(http, "POST", "/_fake/faults", {"status": 503, "when": when})
        response = http.post(path, data=form)
        assert response.status_code == 503
        assert first not in response.text
        assert len(ok(http, "GET", "/_fake/state")["sessions"]) == sessions


class TestInAWebSocketTurn:
    @staticmethod
    def say(talk: Chat) -> None:
        """Say something."""
        talk.socket.send_json({"type": "user_text_message", "data": {"text": MY_NAME}})

    @staticmethod
    def ask(talk: Chat) -> None:
        """Say something and read the acknowledgement."""
        assert talk.send("user_text_message", text=MY_NAME)["status"] == "success"

    def test_before_nothing_was_heard(self, api: Api, control: Control) -> None:
        session = connect(api, npc := api.character(memory=True), "player-42")
        control.fault(disconnect=True, match={"path": "/chat"})
        with chat(api, session) as talk:
            self.say(talk)
            assert talk.closed() == (1011, "Injected fault")
        assert said_in(api, npc, session["character_session_id"]) == []
        assert facts(api, npc, "player-42") == []

    def test_after_it_was_heard_and_remembered(self, api: Api, control: Control) -> None:
        session = connect(api, npc := api.character(memory=True), "player-42")
        control.fault(disconnect=True, match={"path": "/chat"}, when="after")
        with chat(api, session) as talk:
            self.ask(talk)
            heard = [talk.receive()["type"] for _ in range(3)]
            assert heard == ["server-message", "server-message", "bot-llm-started"]
            assert talk.closed() == (1011, "Injected fault")
        assert said_in(api, npc, session["character_session_id"]) == [MY_NAME]
        assert facts(api, npc, "player-42") == [NAME_FACT]

    @pytest.mark.parametrize(("when", "frames", "stored"), [("before", 0, []), ("after", 4, [NAME_FACT])])
    def test_an_error_ends_the_turn_and_not_the_connection(
        self, api: Api, control: Control, when: str, frames: int, stored: list[str]
    ) -> None:
        npc = api.character(memory=True)
        control.fault(status=500, match={"path": "/chat"}, when=when)
        with chat(api, connect(api, npc, "player-42")) as talk:
            self.say(talk)
            for _ in range(frames):
                talk.receive()
            assert talk.receive() == {
                "type": "server-response",
                "event_type": "user_text_message",
                "status": "error",
                "message": "Injected fault: 500",
            }
            talk.say("Hello.")
        assert facts(api, npc, "player-42") == stored

    @pytest.mark.parametrize(
        ("message", "body", "extras"),
        [
            ({"type": "user_text_message", "data": {"text": "Hi."}}, {"error": "busy"}, {"error": "busy"}),
            ({"type": "trigger-message", "data": {"trigger_name": "alarm"}}, ["busy"], {"body": ["busy"]}),
            ({"type": "context-update", "data": {"text": "Rain.", "run_llm": "true"}}, None, None),
        ],
    )
    def test_the_error_is_about_the_message_and_has_the_faults_body(
        self, api: Api, control: Control, message: dict[str, Any], body: Any, extras: Any
    ) -> None:
        control.fault(status=503, match={"path": "/chat"}, body=body)
        with chat(api, connect(api, api.character())) as talk:
            talk.socket.send_json(message)
            assert talk.receive() == {
                "type": "server-response",
                "event_type": message["type"],
                "status": "error",
                "message": "Injected fault: 503",
                **({} if extras is None else {"extras": extras}),
            }

    def test_a_delay_alone_changes_nothing(self, api: Api, control: Control) -> None:
        control.fault(delay_ms=1)
        with chat(api, connect(api, api.character())) as talk:
            assert talk.say("Hello.") != ""

    @pytest.mark.parametrize(
        ("match", "hit"),
        [
            ({}, True),
            ({"surface": "live"}, True),
            ({"surface": "beta"}, False),
            ({"path": "/connect"}, False),
            ({"character_id": "npc"}, True),
            ({"character_id": "other"}, False),
            ({"end_user_id": "player-42"}, True),
            ({"end_user_id": "player-43"}, False),
            ({"character_id": "npc", "end_user_id": "player-42", "path": "/chat"}, True),
            ({"character_id": "npc", "end_user_id": "player-43"}, False),
        ],
    )
    def test_it_is_matched_by_whom_the_session_is_with(
        self, api: Api, control: Control, match: dict[str, str], *, hit: bool
    ) -> None:
        control.ok("POST", "/seed", {"characters": [{"character_id": "npc"}]})
        session = connect(api, "npc", "player-42")
        control.fault(status=503, match=match)
        with chat(api, session) as talk:
            self.say(talk)
            assert (talk.receive()["status"] == "error") == hit
        assert len(control.ok("GET", "/faults")["faults"]) == (0 if hit else 1)

    def test_an_anonymous_session_is_nobodys(self, api: Api, control: Control) -> None:
        session = connect(api, api.character())
        control.fault(status=503, match={"end_user_id": "player-42"})
        with chat(api, session) as talk:
            talk.say("Hello.")

    @pytest.mark.parametrize("when", ["before", "after"])
    def test_each_is_in_the_journal(self, api: Api, control: Control, when: str) -> None:
        control.freeze()
        session = connect(api, api.character())
        fault = control.fault(disconnect=True, match={"path": "/chat"}, when=when)
        with chat(api, session) as talk:
            self.say(talk)
            while talk.socket.receive()["type"] != "websocket.close":
                pass
        (entry,) = control.requests(path="/chat")
        assert entry == {
            "at": "2026-01-01T12:00:00.000000Z",
            "surface": "live",
            "method": "WEBSOCKET",
            "path": "/chat",
            "body": {"session_id": session["session_id"], "text": MY_NAME},
            "status": 101,
            "response": None,
            "duration_ms": entry["duration_ms"],
            "account": None,
            "fault": fault,
            "stub": None,
            "off_surface": False,
            "credential": "session",
            "headers": {},
            "trace_id": entry["trace_id"],
            "unknown_fields": [],
            "violations": [],
            "explanations": [],
        }
        assert control.requests(status=101) == control.requests(surface="live")[-1:] == [entry]
