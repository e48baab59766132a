"""`fake-convai compare`: the same service gives no differences, and each change of it is found."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send
from websockets.sync.client import connect

from fake_convai import FakeConvai
from fake_convai.app import create_app
from fake_convai.settings import Settings
from tests.traffic.conftest import KEY, compare, recorded

Found = set[tuple[str, str, str]]


def found(recording: Path, *options: str, **variables: str) -> Found:
    """What a comparison reports: call, kind and place of each difference."""
    result = compare(recording, "--json", *options, **variables)
    differences = json.loads(result.output)["differences"]
    assert result.exit_code == (1 if differences else 0)
    return {(one["call"].partition(" ")[2], one["kind"], one["place"]) for one in differences}


def test_a_recording_of_the_same_fake_has_no_differences(recording: Path) -> None:
    result = compare(recording)
    number = len(recording.read_text("utf-8").splitlines()) - 1
    assert (result.exit_code, result.output) == (0, f"{number} exchanges, 0 differences in 0 of them.\n")


def test_it_can_be_compared_twice_with_a_server_that_runs(recording: Path) -> None:
    with FakeConvai() as fake:
        assert found(recording, "--url", f"{fake.url}/") == set()
        assert found(recording, "--url", fake.url) == set()


def test_other_deduplication(recording: Path) -> None:
    reported = found(recording, FAKE_CONVAI_DEDUP="exact")
    assert {
        ("/beta/memory/add", "meaning", "memories[2].event"),
        ("/beta/memory/add", "meaning", "memories[2].id"),
        ("/beta/memory/list", "meaning", "total_count"),
        ("/beta/memory/get", "meaning", "memory"),
    } <= reported
    assert {call for call, _, _ in reported} == {"/beta/memory/add", "/beta/memory/list", "/beta/memory/get"}


def test_another_plan(recording: Path) -> None:
    places = ("list", "details", "delete")
    expected = {(f"/production/character/chatHistory/{place}", "status", "status") for place in places}
    assert found(recording, FAKE_CONVAI_PLAN="free") == expected


def test_a_strict_split(recording: Path) -> None:
    assert found(recording, FAKE_CONVAI_SPLIT="strict") == {("/production/memory/list", "status", "status")}


class _Altered:
    """The fake, but for its JSON answers on one path."""

    def __init__(self, app: Starlette, path: str, change: Callable[[Any], Any]) -> None:
        self._app, self._path, self._change = app, path, change
        self.router = app.router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != self._path:
            await self._app(scope, receive, send)
            return
        started: list[Message] = []

        async def altered(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.append(message)
                return
            start = started.pop()
            body = json.dumps(self._change(json.loads(message["body"]))).encode() if start["status"] == 200 else b""
            body = body or message["body"]
            kept = [(name, value) for name, value in start["headers"] if name != b"content-length"]
            await send({**start, "headers": [*kept, (b"content-length", str(len(body)).encode())]})
            await send({"type": "http.response.body", "body": body})

        await self._app(scope, receive, altered)


def each(members: str, name: str, value: Any) -> Callable[[Any], Any]:
    """A change of a member of each item; a function gets what was there."""

    def change(answer: Any) -> Any:
        for item in answer[members] if members else answer:
            item[name] = value(item[name]) if callable(value) else value
        return answer

    return change


def renamed(old: str, new: str) -> Callable[[Any], Any]:
    """A change of the name of a member."""
    return lambda answer: {new if name == old else name: value for name, value in answer.items()}


LIST, ADD, PEOPLE = "/beta/memory/list", "/beta/memory/add", "/beta/user/end-users/list"
HISTORY = "/production/character/chatHistory"
CHANGES: dict[str, tuple[str, Callable[[Any], Any], set[tuple[str, str]]]] = {
    "a member is renamed": (LIST, renamed("page", "pages"), {("shape", "page"), ("shape", "pages")}),
    "a number is text": (LIST, lambda a: {**a, "page": "1"}, {("shape", "page")}),
    "a count": (LIST, lambda a: {**a, "total_count": 9}, {("meaning", "total_count")}),
    "a flag": ("/beta/memory/delete", lambda a: {**a, "deleted": not a["deleted"]}, {("meaning", "deleted")}),
    "an event": (ADD, each("memories", "event", "NONE"), {("meaning", f"memories[{n}].event") for n in range(3)}),
    "null for nothing": (PEOPLE, lambda a: {**a, "next_cursor": a["next_cursor"] or ""}, {("shape", "next_cursor")}),
    "the order": (PEOPLE, lambda a: {**a, "end_users": a["end_users"][::-1]}, {("meaning", "order of end_users")}),
    "fewer": (PEOPLE, lambda a: {**a, "end_users": a["end_users"][:1]}, {("meaning", "number of end_users")}),
    "times without zone": (
        LIST,
        each("memories", "created_at", lambda text: text.removesuffix("Z")),
        {("shape", "memories[0].created_at"), ("shape", "memories[1].created_at")},
    ),
    "ids with hyphens": (
        f"{HISTORY}/list",
        each("", "sessionID", lambda text: "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))),
        {("shape", f"[{number}].sessionID") for number in range(5)},
    ),
    "what the client said": (
        f"{HISTORY}/details",
        lambda a: [{**one, "interaction": one["interaction"][::-1]} for one in a],
        {("meaning", "order of [0].interaction")},
    ),
    "an id that is another fact's": (
        ADD,
        lambda a: {"memories": [{**one, "id": a["memories"][0]["id"]} for one in a["memories"]]},
        {("meaning", "memories[1].id")},
    ),
}


@pytest.mark.parametrize(("path", "change", "expected"), CHANGES.values(), ids=CHANGES.keys())
def test_a_change_of_an_answer_is_found(
    recording: Path,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    change: Callable[[Any], Any],
    expected: set[tuple[str, str]],
) -> None:
    with altered(monkeypatch, path, change) as fake:
        reported = found(recording, "--url", fake.url)
    assert {(kind, place) for call, kind, place in reported if call == path} == expected


def altered(monkeypatch: pytest.MonkeyPatch, path: str, change: Callable[[Any], Any]) -> FakeConvai:
    """A server that changes its answers on one path."""

    def create(settings: Settings) -> _Altered:
        return _Altered(create_app(settings), path, change)

    monkeypatch.setattr("fake_convai.testing.server_thread.create_app", create)
    return FakeConvai()


def test_the_report_shows_what_was_sent_and_what_either_side_said(recording: Path) -> None:
    result = compare(recording, FAKE_CONVAI_SPLIT="strict")
    line, sent, status, recorded, fake, empty, summary = result.output.splitlines()
    assert line.startswith("line ")
    assert line.endswith(": POST /production/memory/list")
    assert sent.startswith('  sent {"character_id": "')
    assert status == "  status: status"
    assert recorded.startswith('    recorded  400 {"ERROR": "Missing required parameter \'end_user_id\'')
    assert fake.startswith('    fake      404 {"ERROR": "/memory/list is not on the production surface')
    assert empty == ""
    assert summary.endswith(" exchanges, 1 differences in 1 of them.")
    assert result.exit_code == 1


def test_the_json_report(recording: Path) -> None:
    report = json.loads(compare(recording, "--json", FAKE_CONVAI_SPLIT="strict").output)
    (difference,) = report["differences"]
    number = next(
        number
        for number, line in enumerate(recording.read_text("utf-8").splitlines(), start=1)
        if '"surface":"production","path":"/memory/list"' in line
    )
    assert difference.pop("recorded").startswith("400 {")
    assert difference.pop("fake").startswith("404 {")
    assert difference == {"line": number, "call": "POST /production/memory/list", "kind": "status", "place": "status"}


def test_a_character_that_was_there_before_is_made_up(tmp_path: Path) -> None:
    path = tmp_path / "traffic.jsonl"
    with FakeConvai(api_key=KEY) as real:
        for npc in ("coach", "guide"):
            real.seed({"characters": [{"character_id": npc, "character_name": npc.title()}]})
        real.seed({"characters": [{"character_id": "muse", "memory_settings": {"enabled": True}}]})
        with recorded(real.url, path) as client:
            client.ok("/production/character/get", {"charID": "guide"})
            client.ok("/production/character/list")
            client.ok("/beta/memory/add", {"character_id": "muse", "end_user_id": "player-42", "memories": ["A fact."]})
            client.ok("/beta/memory/list", {"character_id": "muse", "end_user_id": "player-42"})
    reported = found(path)
    assert reported == {("/production/character/list", "meaning", "number of characters")}


def test_a_character_remembers_when_somebody_asks_what(tmp_path: Path) -> None:
    path = tmp_path / "traffic.jsonl"
    who = {"character_id": "muse", "end_user_id": "player-42"}
    with FakeConvai(api_key=KEY) as real:
        real.seed({"characters": [{"character_id": "muse", "memory_settings": {"enabled": True}}]})
        with recorded(real.url, path) as client:
            opened = client.ok("/live/connect", {**who, "transport": "websocket"})
            with connect(opened["room_url"]) as socket:
                socket.send(json.dumps({"type": "user_text_message", "data": {"text": "I have a dog."}}))
                while "bot-turn-completed" not in str(socket.recv(timeout=60)):
                    pass
                socket.send('{"type": "kill-pipeline"}')
                assert list(socket), "it ends when the server hangs up"
            assert client.ok("/beta/memory/list", who)["total_count"] == 1
    assert found(path) == set()


def test_the_clock_stands_where_it_stood(tmp_path: Path) -> None:
    path = tmp_path / "traffic.jsonl"
    with FakeConvai(api_key=KEY) as real:
        real.seed({"characters": [{"character_id": "coach"}]})
        real.freeze("2020-01-01T00:00:00Z")
        with recorded(real.url, path) as client:
            client.ok("/live/connect", {"character_id": "coach", "end_user_id": "player-42"})
            listed = client.ok("/beta/user/end-users/list", {"active_before": "2021-01-01"})
            assert listed["total_count"] == 1
    this_year = re.compile(r'"at":"\d{4}')
    path.write_text(this_year.sub('"at":"2020', path.read_text("utf-8")), "utf-8")
    assert found(path) == set()


def test_lines_are_replayed_in_the_order_the_exchanges_began(recording: Path, tmp_path: Path) -> None:
    first, *lines = recording.read_text("utf-8").splitlines()
    path = tmp_path / "traffic.jsonl"
    path.write_text("\n".join([first, *reversed(lines)]), "utf-8")
    assert found(path) == set()


def test_a_seed_document_says_what_was_there_before(tmp_path: Path) -> None:
    path, seed = tmp_path / "traffic.jsonl", tmp_path / "seed.json"
    who = {"character_id": "coach", "end_user_id": "player-42"}
    document = {
        "characters": [{"character_id": "coach", "character_name": "Coach", "backstory": "", "voice_type": "MALE"}],
        "memories": [{**who, "memory": "The user has a dog.", "created_at": "2026-01-01T00:00:00Z"}],
    }
    seed.write_text(json.dumps(document))
    with FakeConvai(api_key=KEY) as real:
        real.seed(document)
        with recorded(real.url, path) as client:
            client.ok("/beta/memory/list", who)
            client.ok("/production/character/list")
    assert found(path) == {("/beta/memory/list", "status", "status")}
    assert found(path, "--seed", str(seed)) == set()


def changed(recording: Path, path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """The recording as if the service had behaved otherwise on its first WebSocket."""
    first, *lines = recording.read_text("utf-8").splitlines()
    exchanges = [json.loads(line) for line in lines]
    change(next(one for one in exchanges if one["request"]["method"] == "WEBSOCKET"))
    path.write_text("\n".join([first, *map(json.dumps, exchanges)]))
    return path


def test_a_websocket_that_said_more_and_hung_up(recording: Path, tmp_path: Path) -> None:
    def change(chat: dict[str, Any]) -> None:
        chat["frames"].append({"from": "server", "body": {"kind": "json", "value": {"type": "farewell"}}})
        chat["close"] = {"by": "server", "code": 1000, "reason": "Session ended"}

    result = compare(changed(recording, tmp_path / "traffic.jsonl", change))
    assert result.exit_code == 1
    assert "    recorded  farewell\n    fake      nothing more\n" in result.output
    assert "    recorded  by the server: 1000 Session ended\n    fake      by the client\n" in result.output


def test_a_websocket_that_was_refused(recording: Path, tmp_path: Path) -> None:
    def change(chat: dict[str, Any]) -> None:
        chat["response"]["status"] = 403
        del chat["frames"], chat["close"]

    result = compare(changed(recording, tmp_path / "traffic.jsonl", change))
    assert "  status: status\n    recorded  403\n    fake      101\n" in result.output


def test_a_websocket_that_the_fake_refuses(recording: Path, tmp_path: Path) -> None:
    def change(chat: dict[str, Any]) -> None:
        chat["request"]["surface"] = "beta"

    result = compare(changed(recording, tmp_path / "traffic.jsonl", change))
    assert "  status: status\n    recorded  101\n    fake      404\n" in result.output
    alike = changed(recording, tmp_path / "again.jsonl", lambda chat: chat.update(_REFUSED))
    assert "WEBSOCKET /beta/chat" not in compare(alike).output


_REFUSED = {
    "request": {"method": "WEBSOCKET", "surface": "beta", "path": "/chat", "query": {"session_id": "1"}},
    "response": {"status": 404},
    "frames": [],
    "close": None,
}


def test_nobody_at_the_address_is_a_misuse(recording: Path) -> None:
    result = compare(recording, "--url", "http://127.0.0.1:1")
    assert (result.exit_code, "no fake-convai answers at http://127.0.0.1:1" in result.output) == (2, True)


def test_a_server_that_wants_its_control_key(recording: Path) -> None:
    with FakeConvai(Settings(control_key="mine")) as fake:
        refused = compare(recording, "--url", fake.url)
        assert (refused.exit_code, "--control-key" in refused.output) == (2, True)
        assert found(recording, "--url", fake.url, "--control-key", "mine") == set()


def test_a_bad_variable_is_a_misuse(recording: Path) -> None:
    result = compare(recording, FAKE_CONVAI_PLAN="platinum")
    assert (result.exit_code, "FAKE_CONVAI_PLAN" in result.output) == (2, True)


PAGE = (Path(__file__).parents[2] / "docs" / "record-and-compare.md").read_text("utf-8")


def test_the_page_shows_a_real_report(tmp_path: Path) -> None:
    path = tmp_path / "traffic.jsonl"
    who = {"character_id": "coach", "end_user_id": "player-42"}
    with FakeConvai(Settings(dedup="off"), api_key=KEY) as real:
        real.seed({"characters": [{"character_id": "coach"}]})
        with recorded(real.url, path) as client:
            for name in ("Jordan", "Jordan Kim"):
                client.ok("/beta/memory/add", {**who, "memories": [f"The user's name is {name}."]})
            client.ok("/beta/user/end-users/list")
    report = compare(path).output.strip()
    shown = next(block for block in re.findall(r"^```\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL) if "line" in block)
    assert _without_ids(report) == _without_ids(shown.strip()), report


def _without_ids(text: str) -> str:
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<id>", text)
