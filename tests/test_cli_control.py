"""The control plane from a shell, against a real server."""

import json
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2 as httpx
import pytest

from fake_convai.cli.main import main
from fake_convai.cli.plane import DEFAULT_URL
from fake_convai.settings import Settings
from tests.serving import serve

NOON = "2026-01-01T12:00:00.000000Z"
SEED = {
    "characters": [{"character_id": "npc", "character_name": "[red]Coach \u00e9"}],
    "end_users": [{"end_user_id": "player-42"}, {"end_user_id": "player-43"}],
    "memories": [{"character_id": "npc", "end_user_id": "player-42", "memory": "Tall.", "created_at": NOON}],
}
LIST = "/beta/user/end-users/list"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server."""
    with serve() as served:
        yield served.url


class Shell:
    """Runs `fake-convai` in this process, for an account of its own."""

    def __init__(self, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.url, self.key = url, f"key-{uuid.uuid4()}"
        self._capsys = capsys
        self._monkeypatch = monkeypatch
        self.set(FAKE_CONVAI_URL=url, FAKE_CONVAI_ACCOUNT_KEY=self.key, COLUMNS="200", HTTP_PROXY="http://127.0.0.1:1")

    def set(self, **variables: str) -> None:
        """Set environment variables."""
        for name, value in variables.items():
            self._monkeypatch.setenv(name, value)

    def run(self, *arguments: str) -> tuple[object, str, str]:
        """Exit code, standard output and standard error of a command."""
        self._monkeypatch.setattr("sys.argv", ["fake-convai", *arguments])
        code: object = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code
        said = self._capsys.readouterr()
        return code, said.out, said.err

    def says(self, *arguments: str) -> str:
        """What a command prints that works."""
        code, out, error = self.run(*arguments)
        assert (code, error) == (0, "")
        return out

    def json(self, *arguments: str) -> Any:
        """The same with `--json`, parsed."""
        return json.loads(self.says(*arguments, "--json"))

    def refused(self, *arguments: str) -> str:
        """The one line that a command says which does not work."""
        code, out, error = self.run(*arguments)
        assert (code, out) == (2, "")
        assert error.startswith("fake-convai: ")
        assert error.endswith("\n")
        assert error.count("\n") == 1
        return error

    def ask(self, path: str, body: Any = None) -> httpx.Response:
        """A request to Convai's own routes."""
        return httpx.post(f"{self.url}{path}", json=body, headers={"CONVAI-API-KEY": self.key}, trust_env=False)


@pytest.fixture
def shell(url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """A shell whose variables name the server and an account."""
    return Shell(url, monkeypatch, capsys)


@pytest.fixture
def seeded(shell: Shell, tmp_path: Path) -> Shell:
    """The same with something in the account."""
    file = tmp_path / "seed.json"
    file.write_text(json.dumps(SEED))
    shell.says("seed", str(file))
    return shell


class Elsewhere(BaseHTTPRequestHandler):
    """A server that is no fake-convai."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def cells(table: str) -> list[list[str]]:
    """The rows of a table, heading first, whatever the lines between them look like."""
    lines = (line.replace("\u2503", "\u2502").strip().strip("\u2502") for line in table.splitlines())
    return [[cell.strip() for cell in line.split("\u2502")] for line in lines if "\u2502" in line]


def test_the_default_url_is_where_serve_listens_by_default() -> None:
    settings = Settings()
    assert f"http://{settings.host}:{settings.port}" == DEFAULT_URL


class TestSeedAndExport:
    def test_a_file_goes_in_and_comes_out(self, shell: Shell, tmp_path: Path) -> None:
        file, copy = tmp_path / "seed.json", tmp_path / "copy.json"
        file.write_text(json.dumps(SEED))
        assert shell.says("seed", str(file)) == "Seeded 1 characters, 2 end users, 1 memories, 0 sessions.\n"
        state = json.loads(shell.says("export"))
        assert [one["character_name"] for one in state["characters"]] == ["[red]Coach \u00e9"]
        assert [one["memory"] for one in state["memories"]] == ["Tall."]
        assert shell.json("export") == state
        assert shell.says("export", "--output", str(copy)) == ""
        assert json.loads(copy.read_text("utf-8")) == state
        shell.says("reset")
        assert shell.json("seed", str(copy)) == {
            "status": "seeded",
            "characters": 1,
            "end_users": 2,
            "memories": 1,
            "sessions": 0,
        }
        assert shell.json("export") == state

    def test_yaml_too(self, shell: Shell, tmp_path: Path) -> None:
        file = tmp_path / "seed.yaml"
        file.write_text("end_users:\n- {end_user_id: player-42, last_active_ts: 2026-01-01T12:00:00Z}\n")
        shell.says("seed", str(file))
        assert shell.json("export")["end_users"][0]["last_active_ts"] == NOON

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            ("{", ["seed.json", "JSON"]),
            ('{"memories": [{}]}', ["memories[0].character_id"]),
            ('{"memories": [{"character_id": "x", "end_user_id": "y", "memory": "z"}]}', ["memories[0]", "'x'"]),
        ],
    )
    def test_a_bad_file_is_named_with_the_place(
        self, shell: Shell, tmp_path: Path, content: str, words: list[str]
    ) -> None:
        file = tmp_path / "seed.json"
        file.write_text(content)
        error = shell.refused("seed", str(file))
        assert [word for word in words if word not in error] == []

    def test_a_missing_file_is_named(self, shell: Shell, tmp_path: Path) -> None:
        assert "ghost.json" in shell.refused("seed", str(tmp_path / "ghost.json"))

    def test_a_file_that_cannot_be_written_is_named(self, shell: Shell, tmp_path: Path) -> None:
        assert "No such file" in shell.refused("export", "--output", str(tmp_path / "ghost" / "state.json"))


def test_reset_makes_an_account_as_new(seeded: Shell) -> None:
    assert seeded.says("reset") == "The account is as new.\n"
    assert seeded.json("export") == {"characters": [], "end_users": [], "memories": [], "sessions": []}
    assert seeded.json("reset") == {"status": "reset"}


def test_without_an_api_key_reset_means_the_whole_server(seeded: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAKE_CONVAI_ACCOUNT_KEY")
    assert seeded.says("reset") == "The whole server is as new.\n"
    assert seeded.json("export", "--api-key", seeded.key)["characters"] == []


def test_snapshots_are_saved_restored_listed_and_deleted(seeded: Shell) -> None:
    before = seeded.json("export")
    assert seeded.says("snapshot") == "There are no snapshots.\n"
    assert seeded.says("snapshot", "save", "b ?") == "Saved b ?.\n"
    assert seeded.json("snapshot", "save", "c") == {"name": "c"}
    assert seeded.says("snapshot", "list") == "b ?\nc\n"
    seeded.ask("/beta/user/end-users/delete", {"end_user_id": "player-42"})
    assert seeded.says("snapshot", "restore", "b ?") == "Restored b ?.\n"
    assert seeded.json("export") == before
    assert seeded.says("snapshot", "delete", "b ?") == "Deleted b ?.\n"
    assert seeded.json("snapshot", "list") == {"snapshots": ["c"]}
    assert "'ghost'" in seeded.refused("snapshot", "restore", "ghost")
    assert "Missing argument" in seeded.refused("snapshot", "save")


def test_the_clock_is_shown_frozen_and_moved(shell: Shell) -> None:
    assert shell.says("clock").endswith("Z (real time)\n")
    assert shell.says("clock", "freeze", "2026-01-01T12:00:00Z") == f"{NOON} (frozen)\n"
    assert shell.says("clock", "advance", "3600") == "2026-01-01T13:00:00.000000Z (frozen)\n"
    assert shell.says("clock", "advance", "-3600") == f"{NOON} (frozen)\n"
    assert shell.json("clock") == {"now": NOON, "frozen": True, "offset": 0.0}
    assert shell.says("clock", "offset", "-86400").endswith("Z (-86400 s from real time)\n")
    assert shell.says("clock", "show").endswith("Z (-86400 s from real time)\n")
    assert shell.says("clock", "real").endswith("Z (real time)\n")
    assert "'now'" in shell.refused("clock", "freeze", "noon")
    for seconds in ("soon", "nan", "inf"):
        assert f"'{seconds}'" in shell.refused("clock", "advance", seconds)


def test_the_pace_is_shown_set_and_cleared(shell: Shell) -> None:
    assert shell.says("pace") == "Characters answer at once.\n"
    options = ("--first-token-ms", "300", "--tokens-per-second", "20", "--words-per-minute", "150", "--jitter", "0.2")
    told = "first_token_ms 300, tokens_per_second 20, jitter 0.2, words_per_minute 150\n"
    assert shell.says("pace", "set", *options) == told
    assert shell.says("pace", "show") == told
    assert shell.says("pace", "set", "--first-token-ms", "1.5") == "first_token_ms 1.5\n"
    assert shell.json("pace") == {"first_token_ms": 1.5}
    assert shell.says("pace", "clear") == "Characters answer at once.\n"
    assert "--first-token-ms 300" in shell.refused("pace", "set")
    assert "'jitter'" in shell.refused("pace", "set", "--jitter", "2")
    assert "'gone.har' does not exist" in shell.refused("pace", "gone.har")


def test_the_lag_is_shown_set_settled_and_cleared(seeded: Shell) -> None:
    assert seeded.says("lag") == "Everything appears at once.\n"
    options = ("--extraction", "5s", "--end-users", "2reads", "--chat-history", "1 read")
    told = "extraction after 5 seconds, end_users after 2 reads, chat_history after 1 reads\n"
    assert seeded.says("lag", "set", *options) == told
    assert seeded.says("lag", "show") == told
    assert seeded.says("lag", "set", "--extraction", "0.5 s") == "extraction after 0.5 seconds\n"
    assert seeded.json("lag") == {"extraction": {"seconds": 0.5}}
    assert seeded.says("settle") == "0 changes have appeared.\n"
    assert seeded.says("lag", "set", "--end-users", "2reads") == "end_users after 2 reads\n"
    seeded.ask("/beta/memory/add", {"character_id": "npc", "end_user_id": "new", "memories": ["Tall."]})
    assert seeded.json("settle") == {"settled": 1}
    assert seeded.says("lag", "clear") == "Everything appears at once.\n"
    assert "--extraction 5s" in seeded.refused("lag", "set")
    assert "'soon' is neither of the form 5s nor 2reads" in seeded.refused("lag", "set", "--end-users", "soon")


def test_replies_are_set_shown_and_cleared(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "talk.yaml"
    file.write_text("replies:\n  - {match: cube, reply: On my way.}  # a comment\ndefault: Tell me more.\n")
    script = {"replies": [{"match": "cube", "reply": "On my way."}], "default": "Tell me more."}
    assert shell.says("replies", "set", str(file)) == "Set 1 replies.\n"
    assert json.loads(shell.says("replies")) == script
    assert shell.says("replies", "clear") == "There are no scripted replies any more.\n"
    assert json.loads(shell.says("replies", "show")) == {"replies": [], "default": None}
    file = file.with_suffix(".json")
    file.write_text(json.dumps(script))
    assert shell.json("replies", "set", str(file)) == script
    file.write_text("{")
    assert "talk.json cannot be read" in shell.refused("replies", "set", str(file))


class TestFaults:
    def test_are_added_listed_and_cleared(self, shell: Shell) -> None:
        assert shell.says("faults") == "No fault is waiting.\n"
        where = ("--path", "/memory/add", "--surface", "beta", "--character-id", "npc", "--end-user-id", "player-42")
        what = ("--status", "429", "--delay-ms", "200", "--when", "after", "--always", "--rate", "0.1")
        answer = ("--body", '{"ERROR": "Slow."}', "--header", "Retry-After: 30", "--header", "X-Time: 12:00")
        added = shell.json("faults", "add", *where, *what, *answer)
        assert added == {
            "match": {"surface": "beta", "path": "/memory/add", "character_id": "npc", "end_user_id": "player-42"},
            "times": None,
            "rate": 0.1,
            "status": 429,
            "headers": {"retry-after": "30", "x-time": "12:00"},
            "delay_ms": 200,
            "body": {"ERROR": "Slow."},
            "when": "after",
        }
        assert shell.says("faults", "add", "--disconnect", "--times", "2") == "Added: disconnect.\n"
        assert cells(shell.says("faults", "list")) == [
            ["Surface", "Path", "Character", "End user", "What", "When", "Times"],
            ["beta", "/memory/add", "npc", "player-42", "10% of requests, delay 200 ms, status 429", "after", "always"],
            ["any", "any", "any", "any", "disconnect", "before", "2"],
        ]
        assert [one["when"] for one in shell.json("faults")["faults"]] == ["after", "before"]
        assert shell.says("faults", "clear") == "No fault is waiting.\n"
        assert shell.json("faults", "list") == {"faults": []}

    def test_happen(self, shell: Shell) -> None:
        assert shell.says("faults", "add", "--status", "503") == "Added: status 503.\n"
        assert [shell.ask(LIST).status_code for _ in range(2)] == [503, 200]

    @pytest.mark.parametrize(
        ("arguments", "word"),
        [
            (["--status", "200"], "'status'"),
            (["--status", "many"], "--status"),
            (["--status", "429", "--surface", "gamma"], "'match.surface'"),
            (["--status", "429", "--body", "{"], "--body"),
            (["--status", "429", "--header", "Retry-After"], "--header"),
            (["--status", "429", "--times", "2", "--always"], "--always"),
            (["--status", "429", "--rate", "nan"], "--rate"),
            ([], "'status'"),
        ],
    )
    def test_bad_ones_are_refused(self, shell: Shell, arguments: list[str], word: str) -> None:
        assert word in shell.refused("faults", "add", *arguments)
        assert shell.json("faults") == {"faults": []}


class TestRequests:
    def test_are_a_table_for_people_and_json_for_scripts(self, shell: Shell) -> None:
        shell.says("clock", "freeze", NOON)
        shell.ask(LIST, {"limit": "5", "[red]": 1})
        shell.says("faults", "add", "--status", "503")
        shell.ask("/beta/user/speaker/list")
        entries = shell.json("requests")["requests"]
        assert [entry["path"] for entry in entries] == ["/user/end-users/list", "/user/speaker/list"]
        assert cells(shell.says("requests")) == [
            ["At", "Account", "Request", "Status", "ms"],
            [
                "2026-01-01 12:00:00",
                entries[0]["account"],
                "POST /beta/user/end-users/list",
                "200",
                str(entries[0]["duration_ms"]),
            ],
            ["", "", "nobody reads '[red]'", "", ""],
            ["", "", "Invalid parameter 'limit': send a whole number from 1 to 200, not '5'.", "", ""],
            [
                "2026-01-01 12:00:00",
                entries[0]["account"],
                "POST /beta/user/speaker/list",
                "503",
                str(entries[1]["duration_ms"]),
            ],
            ["", "", "fault: status 503", "", ""],
        ]

    def test_are_filtered(self, shell: Shell) -> None:
        for path in (LIST, "/beta/user/speaker/list", "/production/user/speaker/list"):
            shell.ask(path)
        filters = ("--path", "/user/speaker/list", "--surface", "production", "--status", "200")
        assert [entry["surface"] for entry in shell.json("requests", *filters)["requests"]] == ["production"]
        nothing = "There are no such requests. The nearest: /user/speaker/list, /user/end-users/list.\n"
        assert shell.says("requests", "--path", "/user/speaker/new") == nothing
        assert shell.json("requests", "--status", "429") == {"requests": [], "dropped": 0, "nearest": ["200"]}
        assert "'surface'" in shell.refused("requests", "--surface", "gamma")

    def test_may_be_none_yet(self, shell: Shell) -> None:
        assert shell.says("requests") == "There are no such requests.\n"


def test_dropped_requests_are_counted(shell: Shell) -> None:
    with serve("--journal-size", "1") as served:
        shell.url = served.url
        shell.set(FAKE_CONVAI_URL=served.url)
        for _ in range(3):
            assert shell.ask(LIST).status_code == 200
        assert shell.says("requests").endswith("2 older requests were dropped.\n")


class TestWhichServer:
    @pytest.mark.parametrize("suffix", ["/", "/beta", "/live/"])
    def test_options_beat_variables(self, seeded: Shell, suffix: str) -> None:
        seeded.set(FAKE_CONVAI_URL="http://127.0.0.1:1", FAKE_CONVAI_ACCOUNT_KEY="another-key")
        state = seeded.json("export", "--url", seeded.url + suffix, "--api-key", seeded.key)
        assert [one["character_id"] for one in state["characters"]] == ["npc"]

    @pytest.mark.parametrize("url", ["http://127.0.0.1:1", "localhost:2668", "http://[", "ftp://localhost"])
    @pytest.mark.parametrize("command", [["export"], ["clock"], ["faults", "clear"], ["requests"]], ids=" ".join)
    def test_one_that_does_not_answer_is_named_with_a_way_out(self, shell: Shell, url: str, command: list[str]) -> None:
        error = shell.refused(*command, "--url", url)
        assert [word for word in (url, "fake-convai serve", "--url") if word not in error] == []

    def test_something_else_that_answers_is_noticed(self, shell: Shell) -> None:
        with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            other = f"http://127.0.0.1:{server.server_port}"
            error = shell.refused("export", "--url", other)
            server.shutdown()
        assert error == f"fake-convai: {other}/_fake/state answered 501: is that fake-convai?\n"
        assert "Unknown route GET /nothing/_fake/state" in shell.refused("export", "--url", f"{shell.url}/nothing")

    def test_a_key_that_is_refused(self, shell: Shell) -> None:
        assert "Invalid API key provided." in shell.refused("export", "--api-key", "invalid")
        assert shell.refused("export", "--api-key", "a\nb").count("a\nb") == 0

    def test_what_needs_an_account_says_so(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("FAKE_CONVAI_ACCOUNT_KEY")
        assert "--api-key KEY" in shell.refused("export")

    def test_a_control_key(self, shell: Shell) -> None:
        with serve("--control-key", "secret") as served:
            shell.set(FAKE_CONVAI_URL=served.url)
            assert "X-Fake-Convai-Control-Key" in shell.refused("export")
            assert "X-Fake-Convai-Control-Key" in shell.refused("export", "--control-key", "wr\u00f6ng")
            shell.set(FAKE_CONVAI_CONTROL_KEY="secret")
            assert shell.json("export")["characters"] == []


@pytest.mark.parametrize(
    "command",
    [
        ["seed"],
        ["export"],
        ["reset"],
        ["snapshot", "list"],
        ["clock", "show"],
        ["pace", "set"],
        ["lag", "set"],
        ["settle"],
        ["faults", "add"],
        ["requests"],
    ],
    ids=" ".join,
)
def test_help_names_the_options_that_all_have(shell: Shell, command: list[str]) -> None:
    text = shell.says(*command, "--help")
    wanted = ("--url", "--api-key", "--control-key", "--json", "FAKE_CONVAI_URL", "FAKE_CONVAI_ACCOUNT_KEY")
    assert [word for word in wanted if word not in text] == []


class TestStubs:
    def test_are_made_of_a_recording(self, shell: Shell, tmp_path: Path) -> None:
        def exchange(path: str, answer: dict[str, Any], body: dict[str, Any] | None = None, **request: Any) -> str:
            sent = {
                "method": "POST",
                "surface": "production",
                "path": path,
                "body": body or {"kind": "empty"},
                **request,
            }
            return json.dumps({"at": NOON, "request": sent, "response": {"status": 200, **answer}})

        kinds = [
            exchange("/tts", {"body": {"kind": "json", "value": 1}}, {"kind": "json", "value": {"a": 1}}),
            exchange("/tts", {"body": {"kind": "json", "value": 2}}, {"kind": "json", "value": {"a": 1}}),
            exchange("/stt/", {"body": {"kind": "text", "value": "heard"}, "headers": {"content-type": "text/x"}}),
            exchange("/xp/stream", {"body": {"kind": "events", "value": [{"b": 2}]}}, method="GET"),
            exchange("/xp/sound", {"body": {"kind": "binary", "value": 5}}),
            exchange("/memory/list", {"body": {"kind": "empty"}}),
        ]
        file = tmp_path / "traffic.jsonl"
        file.write_text("\n".join([json.dumps({"fake_convai_recording": 1}), *kinds]))
        assert shell.says("stubs", str(file)) == "Stubbed 4 answers.\n"
        headers = {"CONVAI-API-KEY": shell.key}
        asked = [
            httpx.post(f"{shell.url}/tts", json={"a": 1, "b": 2}, trust_env=False, headers=headers).json()
            for _ in range(3)
        ]
        heard = httpx.post(f"{shell.url}/production/stt", trust_env=False, headers=headers)
        streamed = httpx.get(f"{shell.url}/production/xp/stream", trust_env=False, headers=headers)
        assert (asked, heard.text, heard.headers["content-type"]) == ([1, 2, 2], "heard", "text/x")
        assert (streamed.text, streamed.headers["content-type"]) == ('data: {"b": 2}\n\n', "text/event-stream")
        assert shell.says("stubs", "--all", str(file)) == "Stubbed 5 answers.\n"

    def test_are_made_of_a_har_file(self, shell: Shell, tmp_path: Path) -> None:
        def entry(url: str, method: str = "POST", status: int = 200, **content: str) -> dict[str, Any]:
            return {"request": {"method": method, "url": url}, "response": {"status": status, "content": content}}

        entries = [
            entry("https://api.convai.com/tts/", text="UklGRg==", encoding="base64", mimeType="audio/wav"),
            entry("https://api.convai.com/tts/", "OPTIONS"),
            entry("https://api.convai.com/xp/blocked", status=0),
            entry("https://live.convai.com/connect", text="{}"),
        ]
        file = tmp_path / "traffic.har"
        file.write_text(json.dumps({"log": {"entries": entries}}))
        assert shell.says("stubs", str(file)) == "Stubbed 1 answers.\n"
        answer = httpx.post(f"{shell.url}/production/tts", trust_env=False, headers={"CONVAI-API-KEY": shell.key})
        assert (answer.content, answer.headers["content-type"]) == (b"RIFF", "audio/wav")

    @pytest.mark.parametrize("content", ['{"log": 1}', "hello", "", '{"log": ' + "[" * 100_000], ids=len)
    def test_of_another_file_are_refused(self, shell: Shell, tmp_path: Path, content: str) -> None:
        file = tmp_path / "traffic.txt"
        file.write_text(content)
        code, out, error = shell.run("stubs", str(file))
        assert (code, out, str(file) in error) == (2, "", True)


def test_what_others_named_does_not_reach_the_terminal_as_it_is(shell: Shell) -> None:
    name, shown = "\x1b[31m\x9b2J", "\\x1b[31m\\x9b2J"
    shell.says("snapshot", "save", name)
    path = f"{shell.url}/beta/{quote(name)}"
    httpx.post(path, trust_env=False, headers={"CONVAI-API-KEY": shell.key})
    said = [shell.says("snapshot"), shell.says("requests"), shell.says("snapshot", "--json")]
    said.append("".join(shell.run("snapshot", "restore", f"{name}!")[1:]))
    assert [one for one in said if "\x1b" in one or "\x9b" in one] == []
    assert [shown in one for one in said] == [True, True, False, True]
    assert json.loads(said[2])["snapshots"] == [name]
