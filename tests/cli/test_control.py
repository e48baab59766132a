"""The control plane from a shell, against a real server."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import quote

import httpx2 as httpx
import pytest

from fake_convai.cli.plane import DEFAULT_URL
from fake_convai.settings import Settings
from fake_convai.testing import FakeConvai
from tests.cli.conftest import NOON, SEED, Shell


class Elsewhere(BaseHTTPRequestHandler):
    """A server that is no fake-convai."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


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
        with FakeConvai({"control_key": "secret"}) as served:
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


def test_what_others_named_does_not_reach_the_terminal_as_it_is(shell: Shell) -> None:
    name, shown = "\x1b[31m\x9b2J", "\\x1b[31m\\x9b2J"
    shell.says("snapshot", "save", name)
    path = f"{shell.url}/beta/{quote(name)}"
    httpx.post(path, trust_env=False, headers={"CONVAI-API-KEY": shell.key})
    said = [shell.says("snapshot"), shell.says("requests"), shell.says("snapshot", "--json")]
    said.append("".join(shell("snapshot", "restore", f"{name}!")[1:]))
    assert [one for one in said if "\x1b" in one or "\x9b" in one] == []
    assert [shown in one for one in said] == [True, True, False, True]
    assert json.loads(said[2])["snapshots"] == [name]
