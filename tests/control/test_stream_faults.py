"""Faults inside what is sent: events of a stream, frames of a session, the body of an answer; delays that spread."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2 as httpx
import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import connect as dial

from fake_convai.testing import FakeConvai
from tests.api.talking import Frame, chat, connect
from tests.conftest import Api, on_sqlite, refused
from tests.control.driving import Control

KEY = {"CONVAI-API-KEY": "key", "X-API-Key": "key"}
STREAM = "/live/connect/stream"
FORM = {"character_id": "npc", "text_input": "Hello."}
REPLY = "One two three four five six seven eight nine ten eleven twelve."
SSE_KINDS = [
    "connection-started",
    "bot-llm-started",
    *["bot-llm-text"] * 3,
    "bot-transcription",
    "bot-llm-stopped",
    "connection-stoppped",
]


@pytest.fixture(scope="module")
def url(database_url: str | None) -> Iterator[str]:
    """A real server, since only a real connection can break."""
    with FakeConvai({"database": database_url}) as served:
        yield served.url


@pytest.fixture
def http(url: str) -> Iterator[httpx.Client]:
    """A client of an account that is as new."""
    with httpx.Client(base_url=url, headers=KEY, trust_env=False, timeout=120) as client:
        assert client.post("/_fake/reset").status_code == 200
        ok(client, "/_fake/seed", {"characters": [{"character_id": "npc"}]})
        assert client.put("/_fake/replies", json={"default": REPLY}).status_code == 200
        yield client


def ok(http: httpx.Client, path: str, body: Any) -> Any:
    """POST and get the answer's JSON."""
    response = http.post(path, json=body)
    assert response.status_code == 200, response.text
    return response.json()


def fault(http: httpx.Client, **members: Any) -> None:
    """Add a fault to the stream."""
    ok(http, "/_fake/faults", {"match": {"path": "/connect/stream"}, **members})


def events(text: str) -> list[Any]:
    """The types of server-sent events; what is no JSON is itself."""
    found = []
    for block in text.split("\n\n")[:-1]:
        line = block.removeprefix("data: ")
        try:
            found.append(json.loads(line)["type"])
        except json.JSONDecodeError:
            found.append(line)
    return found


@on_sqlite
class TestInServerSentEvents:
    def test_none_leaves_the_stream_as_it_is(self, http: httpx.Client) -> None:
        fault(http, at={"event": "bot-llm-text", "nth": 9}, do="end")
        assert events(http.post(STREAM, data=FORM).text) == SSE_KINDS
        (waiting,) = http.get("/_fake/faults").json()["faults"]
        assert (waiting["times"], "happened" in waiting) == (1, False)

    def test_it_ends_as_if_nothing_was_missing(self, http: httpx.Client) -> None:
        fault(http, at={"event": "bot-llm-text", "nth": 2}, do="end")
        assert events(http.post(STREAM, data=FORM).text) == SSE_KINDS[:3]
        (used,) = http.get("/_fake/faults?used_up=true").json()["faults"]
        assert (used["times"], used["happened"]) == (0, 1)
        assert events(http.post(STREAM, data=FORM).text) == SSE_KINDS

    def test_its_connection_is_reset(self, http: httpx.Client) -> None:
        fault(http, at={"event": "bot-llm-text", "nth": 2}, do="reset")
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            http.post(STREAM, data=FORM)

    @pytest.mark.parametrize(
        ("do", "expected"),
        [
            ("duplicate", [*SSE_KINDS[:2], "bot-llm-started", *SSE_KINDS[2:]]),
            ("reorder", [SSE_KINDS[0], "bot-llm-text", "bot-llm-started", *SSE_KINDS[3:]]),
            ("error", [SSE_KINDS[0], "error"]),
            ("malformed", [SSE_KINDS[0], 'data: {"label":"rtvi-ai', *SSE_KINDS[2:]]),
        ],
    )
    def test_an_event_is_not_as_it_should_be(self, http: httpx.Client, do: str, expected: list[str]) -> None:
        fault(http, at={"event": "bot-llm-started"}, do=do)
        found = events(http.post(STREAM, data=FORM).text)
        if do == "malformed":
            assert found[1].startswith('{"label"')
            found[1] = expected[1]
        assert found == expected

    def test_the_last_event_that_should_change_places_still_comes(self, http: httpx.Client) -> None:
        fault(http, at={"event": "connection-stoppped"}, do="reorder")
        assert events(http.post(STREAM, data=FORM).text) == SSE_KINDS

    def test_an_error_may_be_worded(self, http: httpx.Client) -> None:
        fault(http, at={"event": "*", "nth": 2}, do="error", body={"type": "oops"})
        assert events(http.post(STREAM, data=FORM).text) == ["connection-started", "oops"]

    def test_it_stops_at_a_byte(self, http: httpx.Client) -> None:
        whole = http.post(STREAM, data=FORM).content
        fault(http, at={"bytes": 200}, do="end")
        part = http.post(STREAM, data=FORM).content
        assert len(part) == 200
        assert len(whole) > 300

    @pytest.mark.parametrize(
        "members",
        [{"do": "stall", "delay_ms": 200}, {"do": "trickle", "bytes_per_second": 4000}],
        ids=["stall", "drip"],
    )
    def test_it_takes_its_time(self, http: httpx.Client, members: Frame) -> None:
        fault(http, at={"bytes": 10}, **members)
        started = time.monotonic()
        assert events(http.post(STREAM, data=FORM).text) == SSE_KINDS
        assert time.monotonic() - started >= 0.15

    def test_a_stall_ends_when_a_test_moves_the_clock(self, http: httpx.Client) -> None:
        assert http.put("/_fake/clock", json={"now": "2026-01-01"}).status_code == 200
        fault(http, do="stall", delay_ms=600_000)
        with http.stream("POST", STREAM, data=FORM) as response, ThreadPoolExecutor(1) as pool:
            reading = pool.submit(response.read)
            while not reading.done():  # the head of the answer comes before the stall begins
                assert http.put("/_fake/clock", json={"advance": 600}).status_code == 200
            assert events(reading.result().decode()) == SSE_KINDS


@on_sqlite
class TestInAnAnswer:
    LIST = "/production/character/list"

    def test_the_body_breaks_off(self, http: httpx.Client) -> None:
        ok(http, "/_fake/faults", {"at": {"bytes": 20}, "do": "end"})
        assert http.post(self.LIST).content == b'{"characters":[{"cha'
        assert http.post(self.LIST).json()["characters"]

    def test_the_body_is_no_json(self, http: httpx.Client) -> None:
        ok(http, "/_fake/faults", {"do": "malformed"})
        with pytest.raises(json.JSONDecodeError):
            http.post(self.LIST).json()

    def test_before_it_there_is_not_a_byte(self, http: httpx.Client) -> None:
        ok(http, "/_fake/faults", {"disconnect": True})
        with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
            http.post(self.LIST)

    def test_delays_spread_and_repeat_with_a_seed(self, http: httpx.Client) -> None:
        for delay in ({"min": 1, "max": 2}, {"mean": 2, "deviation": 1}):
            ok(http, "/_fake/faults", {"delay_ms": delay})
            assert http.get("/_fake/faults").json()["faults"][0]["delay_ms"] == delay
            assert http.post(self.LIST).status_code == 200


def socket_url(http: httpx.Client) -> str:
    """The address of a new session's WebSocket."""
    answer = ok(http, "/live/connect", {"character_id": "npc", "transport": "websocket"})
    room_url: str = answer["room_url"]
    return room_url


class TestInASession:
    def test_a_handshake_is_refused(self, http: httpx.Client) -> None:
        ok(http, "/_fake/faults", {"handshake": 503})
        address = socket_url(http)
        with pytest.raises(InvalidStatus) as refusal:
            dial(address)
        response = refusal.value.response
        assert (response.status_code, json.loads(response.body)) == (503, {"detail": "Service unavailable."})
        with dial(address) as socket:
            socket.send('{"type": "reset-idle-timer"}')
            assert json.loads(socket.recv())["status"] == "success"
        (entry,) = http.get("/_fake/requests?status=503").json()["requests"]
        assert (entry["method"], entry["path"], entry["fault"]["handshake"]) == ("WEBSOCKET", "/chat", 503)

    def test_the_connection_is_reset(self, http: httpx.Client) -> None:
        ok(http, "/_fake/faults", {"match": {"path": "/chat"}, "at": {"event": "bot-llm-text"}, "do": "reset"})
        with dial(socket_url(http)) as socket:
            socket.send('{"type": "user_text_message", "data": {"text": "Hello."}}')
            with pytest.raises(ConnectionClosedError):
                list(socket)

    @pytest.mark.parametrize(
        ("do", "texts"), [("duplicate", [0, 1, 1, 2]), ("reorder", [0, 2, 1]), ("malformed", [0, None, 2])]
    )
    def test_a_frame_is_not_as_it_should_be(self, api: Api, do: str, texts: list[int | None]) -> None:
        control = Control(api.client, api.key)
        control.ok("PUT", "/replies", {"default": REPLY})
        control.fault(match={"path": "/chat"}, at={"event": "bot-llm-text", "nth": 2}, do=do)
        pieces = ["One two three four five ", "six seven eight nine ten ", "eleven twelve."]
        with chat(api, connect(api, api.character())) as talk:
            talk.socket.send_json({"type": "user_text_message", "data": {"text": "Hello."}})
            heard: list[int | None] = []
            while True:
                try:
                    frame = talk.receive()
                except json.JSONDecodeError:
                    heard.append(None)
                    continue
                if frame["type"] == "bot-llm-text":
                    heard.append(pieces.index(frame["data"]["text"]))
                if frame.get("data", {}).get("type") == "bot-turn-completed":
                    break
            assert heard == texts
            assert talk.say("Hello.") == REPLY
        assert [entry["fault"]["do"] for entry in control.requests(path="/chat")] == [do]

    def test_an_error_or_an_end_closes_it(self, api: Api) -> None:
        control = Control(api.client, api.key)
        for do, last in (("error", "error"), ("end", "bot-llm-started")):
            control.fault(match={"path": "/chat"}, at={"event": "bot-llm-text"}, do=do)
            with chat(api, connect(api, api.character())) as talk:
                talk.socket.send_json({"type": "user_text_message", "data": {"text": "Hello."}})
                frame: Frame = {}
                while frame.get("type") != last:
                    frame = talk.receive()
                assert talk.closed() == (1000, "Injected fault")


@on_sqlite
@pytest.mark.parametrize(
    ("place", "members"),
    [
        ("at", {"at": {"event": "a"}}),
        ("at", {"at": {"event": "a", "bytes": 1}, "do": "end"}),
        ("at", {"at": {}, "do": "end"}),
        ("at.nth", {"at": {"event": "a", "nth": 0}, "do": "end"}),
        ("do", {"do": "explode"}),
        ("do", {"do": "end", "status": 500}),
        ("do", {"do": "end", "disconnect": True}),
        ("bytes_per_second", {"do": "trickle"}),
        ("bytes_per_second", {"do": "end", "bytes_per_second": 5}),
        ("delay_ms", {"do": "stall"}),
        ("delay_ms", {"delay_ms": {"min": 2, "max": 1}}),
        ("delay_ms", {"delay_ms": {"min": 2}}),
        ("handshake", {"handshake": 200}),
        ("handshake", {"handshake": 503, "status": 500}),
        ("match", {"handshake": 503, "match": {"path": "/memory/add"}}),
        ("body", {"body": {}, "delay_ms": 1}),
    ],
    ids=str,
)
def test_what_does_not_go_together_is_refused(api: Api, place: str, members: Frame) -> None:
    refused(Control(api.client, api.key).send("POST", "/faults", members), 400, f"'{place}'")
