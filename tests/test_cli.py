"""The command: what it offers, and that what the user does wrong is one line and exit code 2."""

import json
import socket
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from fake_convai import __version__
from fake_convai.settings import Settings
from fake_convai.store.schema import REVISION
from tests.serving import Run


def test_the_version(run: Run) -> None:
    assert run("--version") == (0, f"fake-convai {__version__}\n", "")


@pytest.mark.parametrize("arguments", [["--help"], []], ids=["asked for", "without a command"])
def test_help_names_the_commands(run: Run, arguments: list[str]) -> None:
    code, out, error = run(*arguments)
    shown = out + error
    assert "Usage: fake-convai" in shown
    assert shown.count("\n") > 5
    for command in ("serve", "migrate"):
        assert f"\n  {command} " in shown
    assert code == (0 if arguments else 2)
    assert "..." not in shown.partition("Commands:")[2], "a command is told of in one line of 80 columns"


def test_help_of_serve_names_every_option_and_its_variable(run: Run) -> None:
    code, out, error = run("serve", "--help")
    assert (code, error) == (0, "")
    words = out.split()
    for name in Settings.model_fields:
        assert f"--{name.replace('_', '-')}" in words
        assert f"FAKE_CONVAI_{name.upper()}]" in words
    for choices in ("[observed|strict]", "[critical|error|warning|info|debug]"):
        assert choices in words


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["serve", "--port", "http"], "--port"),
        (["serve", "--port", "70000"], "--port"),
        (["serve", "--split", "loose"], "--split"),
        (["serve", "--plan", "platinum"], "--plan"),
        (["serve", "--log-level", "loud"], "--log-level"),
        (["serve", "--database", "mysql://localhost/x"], "--database"),
        (["serve", "--api-key", " "], "--api-key"),
        (["serve", "--delete-all-delay", "-1"], "--delete-all-delay"),
        (["serve", "--prot", "1"], "--prot"),
        (["serve", "--port"], "--port"),
        (["serve", "now"], "now"),
        (["sevre"], "sevre"),
        (["migrate"], "--database"),
        (["migrate", "--database", "mysql://localhost/x"], "--database"),
        (["serve", "--host", "nowhere.invalid", "--port", "0"], "nowhere.invalid"),
    ],
    ids=" ".join,
)
def test_a_bad_option_is_named(run: Run, arguments: list[str], named: str) -> None:
    assert named in run.refused(*arguments)


@pytest.mark.parametrize("name", ["PORT", "SPLIT", "DEMO"])
def test_a_bad_variable_is_named(run: Run, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"FAKE_CONVAI_{name}", "nonsense")
    line = run.refused("serve")
    assert f"FAKE_CONVAI_{name}" in line
    assert "nonsense" in line


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("missing.json", None, "missing.json"),
        ("broken.json", "{", "broken.json"),
        ("list.json", "[]", "list.json"),
        ("broken.yaml", "a: [1\nb: {", "broken.yaml"),
        ("text.yml", "just text", "text.yml"),
        ("latin.json", '{"characters": "caf\u00e9"}', "latin.json"),
        ("slip.json", '{"charcters": []}', "charcters"),
        ("id.json", '{"characters": [{"character_id": "a"}, {"character_name": "b"}]}', "characters[1].character_id"),
        ("blank.yaml", "memories: [{character_id: a, end_user_id: b, memory: ' '}]", "memories[0].memory"),
        ("date.json", '{"end_users": [{"end_user_id": "a", "last_active_ts": "soon"}]}', "end_users[0].last_active_ts"),
        ("plan.json", '{"account": {"plan": "platinum"}}', "account.plan"),
        ("name.json", '{"end_users": [{"end_user_id": "a", "end_user_metadata": {"name": 5}}]}', "end_user_metadata"),
    ],
)
def test_a_bad_seed_is_named_with_its_place(run: Run, tmp_path: Path, name: str, text: str | None, place: str) -> None:
    path = tmp_path / name
    if text is not None:
        path.write_text(text, "latin-1")
    line = run.refused("serve", "--port", "0", "--seed", str(path))
    assert str(path) in line
    assert place in line


@pytest.mark.parametrize(
    ("document", "place", "mend"),
    [
        ({"charcters": []}, "charcters", "there is no such key; the nearest is characters"),
        (
            {"characters": [{"character_idd": "npc"}]},
            "characters[0].character_idd",
            "there is no such key; the nearest is character_id",
        ),
        (
            {"account": {"replies": {"replies": [{"match": "a", "reply": "b", "pace": {"jiter": 1}}]}}},
            "account.replies.replies[0].pace.jiter",
            "there is no such key; the nearest is jitter",
        ),
        (
            {"account": {"lag": {"nonsense": 1}}},
            "account.lag.nonsense",
            "there is no such key; there are extraction, end_users, chat_history",
        ),
        ({"sessions": [{"sessionId": "a"}]}, "sessions[0].sessionId", "there is no such key; the nearest is sessionID"),
    ],
    ids=lambda value: value if isinstance(value, str) and "." not in value else "",
)
def test_a_misspelt_key_of_a_seed_is_told_from_what_is_meant(
    run: Run, tmp_path: Path, document: object, place: str, mend: str
) -> None:
    path = tmp_path / "seed.json"
    path.write_text(json.dumps(document), "utf-8")
    line = run.refused("serve", "--port", "0", "--seed", str(path))
    assert line.endswith(f"Invalid seed document at '{place}': {mend}.\n")


def test_a_host_that_is_none_of_this_machine_is_told_from_a_port(run: Run) -> None:
    assert "choose --host 127.0.0.1" in run.refused("serve", "--host", "192.0.2.1", "--port", "0")


@pytest.mark.parametrize("command", [["serve"], ["migrate"], ["exec", "--", "true"]], ids=lambda words: words[0])
@pytest.mark.parametrize("package", ["asyncpg", "greenlet"])
def test_a_package_that_is_missing_is_named_with_its_extra(
    run: Run, monkeypatch: pytest.MonkeyPatch, command: list[str], package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    name, *rest = command
    line = run.refused(name, "--database", "postgresql+asyncpg://user@127.0.0.1:1/fake", *rest)
    mend = f"a postgresql:// database needs the package {package}: pip install 'fake-convai[postgres]'"
    assert line == f"fake-convai: {mend}\n"


def test_a_file_that_is_not_ours_stops_the_start(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "diary.txt"
    path.write_text("Dear diary", "utf-8")
    for command in ("serve", "migrate"):
        assert str(path) in run.refused(command, "--database", str(path))
    assert path.read_text("utf-8") == "Dear diary"
    assert "missing" in run.refused("serve", "--database", str(tmp_path / "missing" / "data.db"))
    assert [path.name for path in tmp_path.iterdir()] == ["diary.txt"]


@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_a_server_that_does_not_answer_stops_the_start_and_shows_no_password(run: Run, command: str) -> None:
    line = run.refused(command, "--database", "postgresql+asyncpg://user:top-secret@127.0.0.1:1/fake")
    assert "127.0.0.1:1" in line
    assert "top-secret" not in line


def test_a_port_in_use_stops_the_start(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert str(port) in run.refused("serve", "--port", str(port))


def test_migrate_brings_a_file_to_the_newest_schema(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "data.db"
    for _ in range(2):
        code, out, error = run("migrate", "--database", str(path))
        assert (code, error) == (0, "")
        assert REVISION in out
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(REVISION,)]
