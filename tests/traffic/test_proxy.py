"""`fake-convai proxy`: passes traffic on as it is, and keeps no secret of it."""

import re
import stat
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from fake_convai import FakeConvai
from fake_convai.backend.surface import Surface
from fake_convai.traffic.recording import Recorder, read
from fake_convai.traffic.targets import BadTarget, read_targets
from tests.serving import Run
from tests.traffic.conftest import KEY, lines, listening, recorded


class TestSecrets:
    def test_none_is_in_the_recording(self, recording: Path) -> None:
        text = recording.read_text("utf-8")
        assert KEY not in text
        assert "invalid-key-of-old" not in text
        assert set(re.findall(r'"(?:token|apiAuthToken)":"([^"]*)"', text)) <= {"", *placeholders(text)}
        assert stat.S_IMODE(recording.stat().st_mode) == 0o600

    def test_the_same_one_is_always_called_the_same(self, recording: Path) -> None:
        exchanges = read(recording)
        keys = [exchange.request.headers.get("convai-api-key") for exchange in exchanges]
        refused = next(
            e.request.headers for e in exchanges if e.response.body.value == {"ERROR": "Invalid API key provided."}
        )
        assert keys[0] == "secret-1"
        assert refused["convai-api-key"] != "secret-1"
        (given,) = {e.response.body.value["apiAuthToken"] for e in exchanges if e.request.path == "/user/connect"}
        by_token = [e for e in exchanges if given in e.request.headers.values()]
        assert [e.request.path for e in by_token] == ["/user/end-users/list"] * 3
        assert [e.response.status for e in by_token] == [200, 200, 401]
        (revoked,) = [e.request.body.value for e in exchanges if e.request.path == "/user/revoke-token"]
        assert revoked == {"apiAuthToken": given}

    def test_the_id_of_a_session_is_kept_where_it_stands_for_a_token(self, recording: Path) -> None:
        exchanges = [exchange for exchange in read(recording) if exchange.request.path == "/connect"]
        given = exchanges[0].response.body.value["session_id"]
        assert exchanges[1].request.headers["api-auth-token"] == given

    def test_wherever_they_stand(self, tmp_path: Path) -> None:
        path = tmp_path / "traffic.jsonl"
        other = "another-secret-77"
        with FakeConvai() as real, recorded(real.url, path) as client:
            client.post(f"/beta/memory/list?apiKey={other}&note={KEY}", {"api_key": other, "note": f"my key is {KEY}"})
            client.post("/live/connect/stream", files={"token": (None, other), "text_input": (None, f"I say {other}")})
            client.post("/beta/memory/list", content=b"no JSON but " + KEY.encode(), headers={"Cookie": other})
            client.http.post(
                "/beta/x?key=in-the-query-1&access_token=in-the-query-2", content=b"apiKey=in-the-text-3&a=1"
            )
            client.http.post("/beta/x", json={"refresh_token": "in-json-4"}, headers={"api-auth-token": "in-json-5"})
            client.http.post("/beta/x", content=b'{"apiKey": "in-text-6", "X-API-Key":"in-text-7", ')
        text = path.read_text("utf-8")
        assert KEY not in text
        assert other not in text
        assert re.findall(r"in-[a-z-]+\d", text) == []
        first, second, third, *_ = lines(path)
        assert first["request"]["query"] == {"apiKey": "secret-2", "note": "secret-1"}
        assert first["request"]["body"]["value"] == {"api_key": "secret-2", "note": "my key is secret-1"}
        assert second["request"]["body"]["value"] == {"token": "secret-2", "text_input": "I say secret-2"}
        assert third["request"]["body"] == {"kind": "text", "value": "no JSON but secret-1"}


def placeholders(text: str) -> set[str]:
    """What stands in place of secrets."""
    return set(re.findall(r"secret-\d+", text))


def test_answers_are_passed_on_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "traffic.jsonl"
    with FakeConvai(api_key=KEY) as real, recorded(real.url, path) as client:
        real.fail("/memory/get", status=429)
        for place, body in (
            ("/beta/memory/get", {}),
            ("/beta/user/end-users/list", {"limit": 5}),
            ("/beta/no/such", {}),
        ):
            through, direct = (
                httpx.post(f"{base}{place}", json=body, headers={"CONVAI-API-KEY": KEY, "Origin": "https://a.example"})
                for base in (str(client.http.base_url), real.url)
            )
            if place == "/beta/memory/get":
                assert (through.status_code, "retry-after" in through.headers) == (429, True)
                continue
            assert (through.status_code, through.content) == (direct.status_code, direct.content)
            assert through.headers["content-type"] == direct.headers["content-type"]
            assert through.headers["access-control-allow-origin"] == "*"
        asked = httpx.options(
            f"{client.http.base_url}/beta/memory/list",
            headers={"Origin": "https://a.example", "Access-Control-Request-Method": "POST"},
        )
        assert asked.status_code == 200
        hosted = httpx.post(f"{client.http.base_url}/connect", headers={"Host": "api.localhost", "CONVAI-API-KEY": KEY})
        assert "/live/connect" in hosted.json()["ERROR"]
    written = [
        (line["request"]["method"], line["request"]["surface"], line["response"]["status"]) for line in lines(path)
    ]
    assert written == [("POST", "beta", 429), ("POST", "beta", 200), ("POST", "beta", 404), ("POST", "production", 404)]


def test_what_a_websocket_carries_is_recorded_in_both_directions(recording: Path) -> None:
    chats = [exchange for exchange in read(recording) if exchange.request.method == "WEBSOCKET"]
    first, again = chats
    assert (first.response.status, first.request.path, list(first.request.query)) == (101, "/chat", ["session_id"])
    said = [frame.body for frame in first.frames if frame.sender == "client"]
    assert [(body.kind, body.value) for body in said] == [
        ("json", {"type": "user_text_message", "data": {"text": "My cat is called Mia."}}),
        ("text", "no JSON"),
        ("binary", 2),
    ]
    answers = [frame.body.value["type"] for frame in first.frames if frame.sender == "server"]
    assert answers[-1] == "server-response"
    assert "bot-llm-text" in answers
    assert first.close is not None
    assert first.close.by == "client"
    assert again.close is not None
    assert (again.close.by, again.close.code) == ("server", 1008)
    assert again.close.reason == "Session expired. Please reconnect via /connect"


def test_a_handshake_that_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "traffic.jsonl"
    with FakeConvai() as real, recorded(real.url, path) as client:
        url = str(client.http.base_url).replace("http", "ws", 1)
        with pytest.raises(InvalidStatus, match="404"):
            connect(f"{url}/beta/chat?session_id=1")
    (line,) = lines(path)
    assert line["response"] == {"status": 404}


class _Slow(BaseHTTPRequestHandler):
    """Streams one event, and the next when the client has got the first."""

    heard = threading.Event()

    def do_POST(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b'data: {"type":"connection-started"}\n\n')
        self.wfile.flush()
        assert self.heard.wait(30)
        self.wfile.write(b'data: {"type":"connection-stoppped"}\n\n')

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class calls it
        """Say nothing."""


def test_a_stream_is_passed_on_as_it_comes(tmp_path: Path) -> None:
    path = tmp_path / "traffic.jsonl"
    with (
        listening(_Slow) as url,
        recorded(url, path) as client,
        client.http.stream("POST", "/live/connect/stream") as response,
    ):
        parts = response.iter_bytes()
        assert next(parts) == b'data: {"type":"connection-started"}\n\n'
        _Slow.heard.set()
        assert b"".join(parts) == b'data: {"type":"connection-stoppped"}\n\n'
    (line,) = lines(path)
    assert line["response"]["body"] == {
        "kind": "events",
        "value": [{"type": "connection-started"}, {"type": "connection-stoppped"}],
    }


def test_sound_is_not_kept(recording: Path, tmp_path: Path) -> None:
    (exchange,) = [one for one in read(recording) if one.request.path == "/character/getResponse"]
    assert exchange.request.body.value["file"] == {"file": "hello.wav", "size": 64}
    exchange.response.body.value["audio"] = "x" * 30_000
    recorder = Recorder(tmp_path / "traffic.jsonl")
    recorder.add(exchange)
    recorder.close()
    (line,) = lines(tmp_path / "traffic.jsonl")
    assert line["response"]["body"]["value"]["audio"] == "(30000 characters, not kept)"


def test_a_service_that_does_not_answer_is_said_and_not_recorded(tmp_path: Path) -> None:
    path = tmp_path / "traffic.jsonl"
    with recorded("http://127.0.0.1:1", path) as client:
        response = client.post("/beta/memory/list")
        assert (response.status_code, response.json()) == (
            502,
            {"ERROR": "The proxy of fake-convai gets no answer from 127.0.0.1:1.", "detail": "Bad gateway"},
        )
    assert lines(path) == []


MISUSES = {
    "no target": ([], "--target"),
    "no address": (["--target", "convai"], "--target"),
    "a password": (["--target", "https://me:secret@convai.com"], "--target"),
    "a surface left out": (["--target", "beta=http://localhost:1"], "production and live"),
    "no folder": (["--target", "https://convai.com", "--record", "/nowhere/t.jsonl"], "/nowhere/t.jsonl"),
    "a file that is there": (["--target", "https://convai.com", "--record", __file__], "exists already"),
}


@pytest.mark.parametrize(("options", "named"), MISUSES.values(), ids=MISUSES.keys())
def test_what_is_wrong_is_one_line(run: Run, tmp_path: Path, options: list[str], named: str) -> None:
    record = [] if "--record" in options else ["--record", str(tmp_path / "traffic.jsonl")]
    said = run.refused("proxy", "--port", "0", *options, *record)
    assert named in said
    assert "secret" not in said.replace("secrets", "")


URLS = {
    "convai.com": (
        ["https://convai.com"],
        ["https://api.convai.com", "https://beta.convai.com", "https://live.convai.com"],
    ),
    "one of its hosts": (
        ["https://api.convai.com/"],
        ["https://api.convai.com", "https://beta.convai.com", "https://live.convai.com"],
    ),
    "one host elsewhere": (
        ["https://api.convai.com", "live=https://realtime-api.convai.com"],
        ["https://api.convai.com", "https://beta.convai.com", "https://realtime-api.convai.com"],
    ),
    "a fake": (["http://localhost:1"], [f"http://localhost:1/{surface}" for surface in Surface]),
    "each": (
        [f"{surface}=http://{surface}.example/x/" for surface in Surface],
        [f"http://{s}.example/x" for s in Surface],
    ),
}


@pytest.mark.parametrize(("given", "expected"), URLS.values(), ids=URLS.keys())
def test_each_surface_has_its_target(given: list[str], expected: list[str]) -> None:
    targets = read_targets(given)
    assert [targets.url(surface, "/x", named=True) for surface in Surface] == [f"{url}/x" for url in expected]


def test_a_client_that_names_no_surface() -> None:
    assert read_targets(["http://localhost:1"]).url(Surface.BETA, "/x", named=False) == "http://localhost:1/x"
    assert read_targets(["https://convai.com"]).url(Surface.BETA, "/x", named=False) == "https://beta.convai.com/x"
    with pytest.raises(BadTarget):
        read_targets(["ftp://localhost"])
