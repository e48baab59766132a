"""HAR files in and out: what one tool records, the others read."""

import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from fake_convai import FakeConvai
from fake_convai.cli.main import cli
from fake_convai.traffic.har import HarRecorder, read_traffic
from fake_convai.traffic.recording import Exchange, Recorder
from tests.serving import serve
from tests.traffic.conftest import COACH, KEY, Client, recorded


def run(*arguments: str) -> Result:
    """Run a command."""
    return CliRunner().invoke(cli, list(arguments))


def converse(client: Client) -> None:
    """A session with everything that a recording may hold."""
    npc = client.ok("/production/character/create", COACH)["charID"]
    client.ok("/production/character/update", {"charID": npc, "memorySettings": {"enabled": True}})
    who = {"character_id": npc, "end_user_id": "player-42"}
    client.ok("/beta/memory/add", {**who, "memories": ["The user has a dog."]})
    client.ok("/beta/memory/list", who)
    client.post("/beta/memory/list", {"character_id": npc})
    form = {"charID": (None, npc), "userText": (None, "Hello.")}
    client.ok("/production/character/getResponse", files=form)
    form = {"character_id": (None, npc), "text_input": (None, "Hello.")}
    client.post("/live/connect/stream", files=form)
    session = client.ok("/live/connect", {**who, "transport": "websocket"})
    socket_says(session["room_url"], "My name is Jordan.")
    client.http.post("/live/disconnect", params={"session_id": session["session_id"]})


def socket_says(url: str, text: str) -> None:
    """One turn over a WebSocket."""
    from websockets.sync.client import connect

    with connect(url, proxy=None) as socket:
        socket.send(json.dumps({"type": "user_text_message", "data": {"text": text}}))
        while "bot-turn-completed" not in str(socket.recv(timeout=60)):
            pass


@pytest.fixture
def both(fake_convai: FakeConvai, tmp_path: Path) -> tuple[Path, Path]:
    """The same session as a recording and as a HAR file."""
    files = tmp_path / "traffic.jsonl", tmp_path / "traffic.har"
    for recorder, file in zip((Recorder, HarRecorder), files, strict=True):
        with recorded(fake_convai.url, file, recorder) as client:
            converse(client)
    return files


def shape(exchange: Exchange) -> Any:
    """What two sessions have in common."""
    request = exchange.request
    return (
        (request.method, request.place, sorted(request.headers), request.body.kind),
        (exchange.response.status, exchange.response.body.kind, len(exchange.response.event_ms)),
        [(frame.sender, frame.body.kind) for frame in exchange.frames],
        exchange.close and (exchange.close.by, exchange.close.code),
    )


def test_a_har_file_holds_what_a_recording_holds(both: tuple[Path, Path]) -> None:
    (recorded, number), (har, in_har) = map(read_traffic, both)
    assert number == in_har == len(har) == 10
    assert list(map(shape, har)) == list(map(shape, recorded))
    assert KEY not in both[1].read_text()
    assert both[1].stat().st_mode & 0o777 == 0o600


def test_every_command_takes_either(both: tuple[Path, Path]) -> None:
    for file in map(str, both):
        checked = run("check", file)
        assert checked.output.splitlines()[-1].startswith("10 requests, 9 of them checked, 1 violations."), (
            checked.output
        )
        compared = run("compare", file)
        assert compared.output.splitlines()[-1] == "10 exchanges, 0 differences in 0 of them.", compared.output
        pace = run("pace", file)
        assert pace.exit_code == 0, pace.output
        assert json.loads(pace.stdout).keys() >= {"first_token_ms"}


def test_other_tools_read_it(both: tuple[Path, Path]) -> None:
    log = json.loads(both[1].read_text())["log"]
    assert (log["version"], log["creator"]["name"]) == ("1.2", "fake-convai")
    for entry in log["entries"]:
        assert entry.keys() >= {"startedDateTime", "time", "request", "response", "cache", "timings"}
        assert entry["request"].keys() >= {"method", "url", "httpVersion", "cookies", "headers", "queryString"}
        assert entry["response"].keys() >= {"status", "statusText", "content", "redirectURL", "headersSize"}
    first = log["entries"][0]
    assert first["request"]["url"] == "https://api.convai.com/character/create"
    assert json.loads(first["request"]["postData"]["text"]) == COACH
    (chat,) = [entry for entry in log["entries"] if "_webSocketMessages" in entry]
    assert chat["request"]["url"].startswith("wss://live.convai.com/chat?session_id=")
    assert {message["type"] for message in chat["_webSocketMessages"]} == {"send", "receive"}


def test_what_others_record_is_read(tmp_path: Path) -> None:
    key = [{"name": "CONVAI-API-KEY", "value": KEY}]
    url = "https://api.convai.com/character/getResponse"
    kind = "application/x-www-form-urlencoded"
    sound = base64.b64encode(b"\xff\xfe\x00").decode()
    entries: list[dict[str, Any]] = [
        {"request": {"method": "POST", "url": url, "headers": key, "postData": {"mimeType": kind, "text": "a=1&b="}}},
        {"request": {"method": "POST", "url": url, "postData": {"mimeType": "multipart/form-data", "params": [
            {"name": "file", "fileName": "a.wav"}, {"name": "charID", "value": "npc"}]}}},
        {"request": {"method": "GET", "url": "http://localhost:2668/character/get?character_id=npc"}},
        {"request": {"method": "GET", "url": "https://api.example.com/nothing"}},
    ]  # fmt: skip
    content = {"mimeType": "audio/wav", "text": sound, "encoding": "base64"}
    for entry in entries:
        entry["response"] = {"status": 200, "content": content}
    path = tmp_path / "browser.har"
    path.write_text(json.dumps({"log": {"entries": entries}}))
    exchanges, seen = read_traffic(path)
    assert (len(exchanges), seen) == (3, 4)
    assert [one.request.body.value for one in exchanges] == [
        {"a": "1", "b": ""},
        {"file": {"file": "a.wav", "size": 0}, "charID": "npc"},
        None,
    ]
    assert exchanges[0].request.headers == {"convai-api-key": "secret-1", "content-type": kind}
    assert [one.request.named for one in exchanges] == [True, True, False]
    assert {(one.response.body.kind, one.response.body.value) for one in exchanges} == {("binary", 3)}


@pytest.mark.parametrize("options", [[], ["--record", "a", "--har", "b"]])
def test_one_kind_of_file_is_given(options: list[str]) -> None:
    result = run("proxy", "--target", "http://127.0.0.1:9", *options)
    assert (result.exit_code, "give either --record or --har" in result.output) == (2, True)


def test_the_pace_of_a_recording_can_be_set(tmp_path: Path) -> None:
    say, text = {"type": "user_text_message", "data": {"text": "Hi."}}, "bot-llm-text"
    started, stopped = (
        {"type": "server-message", "data": {"type": f"bot-{word}-speaking"}} for word in ("started", "stopped")
    )
    frames = [
        ("client", 1000, say),
        ("server", 1400, {"type": text, "data": {"text": "One two "}}),
        ("server", 1500, {"type": text, "data": {"text": "three."}}),
        ("server", 1600, {"type": text, "data": {"text": " Four."}}),
        ("server", 1700, started),
        ("server", 3700, stopped),
    ]
    exchange = {
        "at": "2026-01-01T00:00:00Z",
        "request": {"method": "WEBSOCKET", "surface": "live", "path": "/chat"},
        "response": {"status": 101},
        "frames": [{"from": who, "at_ms": at, "body": {"kind": "json", "value": what}} for who, at, what in frames],
    }
    path = tmp_path / "traffic.jsonl"
    path.write_text('{"fake_convai_recording":1}\n' + json.dumps(exchange))
    result = run("pace", str(path))
    assert json.loads(result.stdout) == {"first_token_ms": 400.0, "tokens_per_second": 10.0, "words_per_minute": 120.0}


def test_a_recording_without_times_has_no_pace(tmp_path: Path) -> None:
    path = tmp_path / "traffic.jsonl"
    path.write_text('{"fake_convai_recording":1}\n')
    result = run("pace", str(path))
    assert (result.exit_code, "has no turn with times" in result.output) == (2, True)


def test_a_stream_is_recorded_with_its_times(both: tuple[Path, Path]) -> None:
    exchanges, _ = read_traffic(both[0])
    (stream,) = [one for one in exchanges if one.response.event_ms]
    assert len(stream.response.event_ms) == len(stream.response.body.value)
    assert sorted(stream.response.event_ms) == stream.response.event_ms
    assert 0 < stream.response.event_ms[-1] <= stream.duration_ms


def test_a_proxy_speaks_https_for_clients_with_fixed_hosts(fake_convai: FakeConvai, tmp_path: Path) -> None:
    har = tmp_path / "traffic.har"
    options = ("--target", fake_convai.url, "--har", str(har), "--tls", "--tls-folder", str(tmp_path / "authority"))
    with serve(*options, command="proxy") as proxy:
        assert proxy.url.startswith("https://")
        verify = str(next((tmp_path / "authority").glob("*.pem")))
        headers = {"CONVAI-API-KEY": fake_convai.api_key, "Host": "api.convai.com"}
        with httpx.Client(verify=_trusting(verify), base_url=proxy.url) as http:
            response = http.post("/character/list", json={}, headers=headers)
        assert (response.status_code, response.json()) == (200, {"characters": []})
    exchanges, _ = read_traffic(har)
    assert [one.request.place for one in exchanges] == ["/production/character/list"]


def _trusting(authority: str) -> Any:
    import ssl

    return ssl.create_default_context(cafile=authority)


def test_a_room_is_named_as_not_recorded(
    fake_convai: FakeConvai, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with recorded(fake_convai.url, tmp_path / "traffic.jsonl") as client:
        npc = client.ok("/production/character/create", COACH)["charID"]
        room = client.ok("/live/connect", {"character_id": npc})["room_name"]
    assert capsys.readouterr().err == f"fake-convai: not recorded: what is said in the LiveKit room {room}\n"


def test_a_target_that_leads_back_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.getaddrinfo", lambda host, port: [(0, 0, 0, "", ("127.0.0.1", port))])
    result = run("proxy", "--target", "https://convai.com", "--har", "never.har")
    assert (result.exit_code, "api.convai.com leads to this machine" in result.output) == (2, True)
