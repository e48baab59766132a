"""Programs like those on the vendor's pages, written anew, run against the fake with nothing changed but the base URL.

Each file of `programs/` is such a program: chat history with `requests` and `curl`, characters with both, the stream of
`/connect/stream` with `httpx`, `curl` and `fetch`, memories with Mono's HttpClient and `fetch`, and a form by hand.
They send what the pages show, a JSON body in `data=` and a form that `httpx` encodes as a URL among it.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fake_convai import FakeConvai

PROGRAMS = Path(__file__).parent / "programs"
RUNNERS = {".py": sys.executable, ".sh": "bash", ".mjs": "node", ".cs": "mono"}
TOLD, KNEW = "Pleased to meet you.", "Your name is Alice."


def run(name: str, fake: FakeConvai, folder: Path, **variables: str) -> str:
    """What a program prints, once its hosts are the fake's."""
    runner = shutil.which(RUNNERS[Path(name).suffix])
    if runner is None:
        pytest.skip(f"{RUNNERS[Path(name).suffix]} is not installed, so {name} is not run")
    text = (PROGRAMS / name).read_text("utf-8")
    for host, url in (("api", fake.production_url), ("beta", fake.beta_url), ("live", fake.live_url)):
        text = text.replace(f"https://{host}.convai.com", url)
    (folder / name).write_text(text, "utf-8")
    if name.endswith(".cs"):
        compiler = shutil.which("mcs") or pytest.skip(f"mcs is not installed, so {name} is not run: mono-mcs")
        subprocess.run([compiler, "-r:System.Net.Http", name, "-out:program.exe"], cwd=folder, check=True)
        (folder / "program.exe").replace(folder / name)
    done = subprocess.run(
        [runner, str(folder / name)],
        env={**os.environ, "CONVAI_API_KEY": fake.api_key, **variables},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture
def museum(fake_convai: FakeConvai) -> dict[str, str]:
    """A character with one conversation in its history, as variables of a program."""
    fake_convai.freeze("2026-01-01T20:52:57.123456Z")
    npc = fake_convai.character()
    session = fake_convai.session(npc, None, ("Hi there.", "Welcome to the museum."))
    return {"CHARACTER_ID": npc, "SESSION_ID": session.session_id.replace("-", "")}


@pytest.fixture
def polite(fake_convai: FakeConvai) -> dict[str, str]:
    """A character that answers an introduction, as variables of a program."""
    fake_convai.set_replies({"My name is": TOLD})
    return {"CHARACTER_ID": fake_convai.character()}


def history(museum: dict[str, str]) -> list[object]:
    """The answers about that conversation: the list of sessions, and what was said."""
    summary = {"sessionID": museum["SESSION_ID"], "date": "01-01-2026", "time": "20:52:57", "is_added_to_memory": False}
    said = [
        {"speaker": "User", "message": "Hi there."},
        {"speaker": "Character", "message": "Welcome to the museum."},
    ]
    turn = {"timestamp": "2026-01-01 20:52:57.123456", "interaction": said, "is_trigger_input": False}
    return [[summary], [turn]]


def test_chat_history_with_requests(fake_convai: FakeConvai, museum: dict[str, str], tmp_path: Path) -> None:
    printed = run("chat_history.py", fake_convai, tmp_path, **museum).splitlines()
    assert [json.loads(line) for line in printed] == [*history(museum), {"status": "SUCCESSFULLY DELETED"}]
    assert fake_convai.state()["sessions"] == []


def test_chat_history_with_curl(fake_convai: FakeConvai, museum: dict[str, str], tmp_path: Path) -> None:
    printed = run("chat_history.sh", fake_convai, tmp_path, **museum).splitlines()
    assert [json.loads(line) for line in printed] == history(museum)


def test_characters_with_requests(fake_convai: FakeConvai, tmp_path: Path) -> None:
    found = "Ada Byron | US FEMALE 1 | She built one herself, alone in a caf\u00e9.\n"
    assert run("characters.py", fake_convai, tmp_path) == '{"STATUS": "SUCCESS"}\n' + 2 * found


def test_characters_with_curl(fake_convai: FakeConvai, tmp_path: Path) -> None:
    expected = [
        '{"STATUS":"SUCCESS"}',
        '"backstory":"She doesn\'t like noise."',
        '"character_name":"Ada Byron"',
    ]
    assert run("characters.sh", fake_convai, tmp_path).splitlines() == expected


@pytest.mark.parametrize("name", ["stream.py", "stream.mjs"], ids=["httpx", "fetch"])
def test_a_conversation_over_the_stream(
    fake_convai: FakeConvai, polite: dict[str, str], tmp_path: Path, name: str
) -> None:
    printed = run(name, fake_convai, tmp_path, **polite)
    assert printed == f"{TOLD}\n{KNEW}\n"
    (session,) = fake_convai.state()["sessions"]
    assert [turn["user"] for turn in session["interactions"]] == ["My name is Alice.", "What is my name?"]


def test_the_stream_with_curl(fake_convai: FakeConvai, polite: dict[str, str], tmp_path: Path) -> None:
    printed = run("stream.sh", fake_convai, tmp_path, **polite)
    events = [json.loads(line.removeprefix("data: ")) for line in printed.splitlines() if line]
    assert [event["type"] for event in events if event["type"] != "bot-llm-text"] == [
        "connection-started",
        "bot-llm-started",
        "bot-transcription",
        "bot-llm-stopped",
        "connection-stoppped",
    ]
    text = "".join(event["data"]["text"] for event in events if event["type"] == "bot-llm-text")
    assert text == next(event["data"]["text"] for event in events if event["type"] == "bot-transcription") == TOLD


def test_the_memory_calls_of_unity_on_mono(fake_convai: FakeConvai, tmp_path: Path) -> None:
    """With the base URL that the newest SDK has unless it is set: production, for everything."""
    npc = fake_convai.character()
    printed = [line.split(" ", 1) for line in run("memory.cs", fake_convai, tmp_path, CHARACTER_ID=npc).splitlines()]
    assert [status for status, _ in printed] == ["200"] * 6
    added, listed, cleared, updated, deleted, changed = (json.loads(body) for _, body in printed)
    assert [one["event"] for one in added["memories"]] == ["add", "add"]
    assert [one["memory"] for one in listed["memories"]] == ["The user's name is J\u00f6rg.", "The user has a dog."]
    assert (cleared["character_id"], cleared["end_user_id"]) == (npc, "player-42")
    assert updated["end_user_metadata"] == {"name": "J\u00f6rg"}
    assert (deleted["deleted"], changed) == (True, {"STATUS": "SUCCESS"})
    assert fake_convai.end_users() == []


def test_memories_with_fetch(fake_convai: FakeConvai, tmp_path: Path) -> None:
    printed = run("memory.mjs", fake_convai, tmp_path, CHARACTER_ID=fake_convai.character())
    assert printed.splitlines() == ["The user's name is Jordan Kim.", "true", "0"]


def test_a_form_as_one_line_of_text(fake_convai: FakeConvai, tmp_path: Path) -> None:
    """Letters that are no ASCII, an empty voiceResponse, and the slash at the end that Unreal sends."""
    printed = run("form.py", fake_convai, tmp_path, CHARACTER_ID=fake_convai.character())
    assert printed == "Your name is Ren\\xe9e.\n"


def test_a_refused_key_reads_as_on_the_pages(fake_convai: FakeConvai, tmp_path: Path) -> None:
    refused = {"CONVAI_API_KEY": "invalid-key", "CHARACTER_ID": "anybody", "SESSION_ID": "none"}
    printed = run("chat_history.sh", fake_convai, tmp_path, **refused)
    assert printed == 2 * '{"ERROR":"Invalid API key provided."}\n'
    assert run("stream.sh", fake_convai, tmp_path, **refused) == '{"detail":"Invalid API key"}'
