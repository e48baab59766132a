"""`fake-convai exec`, the live view and `requests --follow`, as a user runs them."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.serving import Run, serve_here

LOOK = "import json, os; print(json.dumps({k: v for k, v in os.environ.items() if 'CONVAI' in k}))"
ASK = (
    "import os, httpx; r = httpx.post(os.environ['CONVAI_BETA_URL'] + '/user/end-users/list', json={'limi': 1}, "
    "headers={'CONVAI-API-KEY': os.environ['CONVAI_API_KEY']}); print(r.status_code); raise SystemExit(%s)"
)

NAMES = (
    "import os, httpx; r = httpx.get(os.environ['FAKE_CONVAI_URL'] + '/_fake/state', "
    "headers={'CONVAI-API-KEY': os.environ['CONVAI_API_KEY']}); "
    "print([one['character_id'] for one in r.json()['characters']])"
)


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """What a command lets happen with signals holds for as long as the test."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_the_command_finds_the_fake(run: Run) -> None:
    code, out, error = run("exec", "--", sys.executable, "-c", LOOK, CONVAI_API_KEY="a-real-key")
    assert (code, error) == (0, "")
    found = json.loads(out)
    base = found["CONVAI_BASE_URL"]
    assert base == found["FAKE_CONVAI_URL"]
    assert [found[f"CONVAI_{name}_URL"] for name in ("PRODUCTION", "BETA", "LIVE")] == [
        f"{base}/{name}" for name in ("production", "beta", "live")
    ]
    assert found["CONVAI_API_KEY"] != "a-real-key"


def test_the_exit_status_and_the_journal_of_a_failure(run: Run) -> None:
    code, out, error = run("exec", "--api-key", "mine", "--", sys.executable, "-c", ASK % 3)
    assert (code, out) == (3, "200\n")
    assert error.startswith("fake-convai: the command ended with 3. What it has sent:\n")
    assert "POST /beta/user/end-users/list -> 200" in error
    assert 'unknown_fields: ["limi"]' in error


def test_a_seed_before_and_an_export_afterwards(run: Run, tmp_path: Path) -> None:
    (tmp_path / "seed.YML").write_text("characters: [{character_id: coach}]")
    out = tmp_path / "state.json"
    options = ("--seed", str(tmp_path / "seed.YML"), "--export-on-exit", str(out))
    assert run("exec", *options, "--", sys.executable, "-c", "") == (0, "", "")
    assert [one["character_id"] for one in json.loads(out.read_text())["characters"]] == ["coach"]


WRONG = {
    "no command": (["exec"], 2, "COMMAND"),
    "no such command": (["exec", "--", "no-such-command"], 127, "there is no command 'no-such-command'"),
    "a wrong setting": (["exec", "--plan", "gold", "--", "true"], 2, "--plan"),
}


@pytest.mark.parametrize(("words", "status", "named"), WRONG.values(), ids=WRONG.keys())
def test_what_cannot_run_is_one_line(run: Run, words: list[str], status: int, named: str) -> None:
    code, _, error = run(*words)
    assert (code, error.count("\n")) == (status, 1)
    assert named in error


def lines_of(*options: str) -> list[str]:
    """What `serve` logs while a few requests are made."""
    process = subprocess.Popen(
        [sys.executable, "-m", "fake_convai", "serve", "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    url = process.stdout.readline().split()[-1]
    key = {"CONVAI-API-KEY": "my-own-key"}
    httpx.post(f"{url}/beta/user/end-users/list", json={"limi": 1}, headers=key)
    httpx.post(f"{url}/beta/nothing%1b%5b31m", headers=key)
    expected = 0 if "warning" in options else 2
    said = [process.stderr.readline().rstrip("\n") for _ in range(expected)]
    process.terminate()
    rest = process.communicate(timeout=300)[1]
    assert rest == ""
    return said


def test_each_request_is_a_line() -> None:
    listed, unknown = lines_of()
    assert listed[13:].split() == [
        *("200", "POST", "/beta/user/end-users/list"),
        *listed.split()[4:6],
        *("...-key", "nobody", "reads", "'limi'"),
    ]
    assert "/beta/nothing\\x1b[31m" in unknown
    assert "  Unknown route POST /nothing" in unknown
    assert "\x1b" not in listed + unknown


def test_each_request_as_json() -> None:
    listed, unknown = (json.loads(line) for line in lines_of("--log-format", "json"))
    assert (listed["method"], listed["surface"], listed["path"]) == ("POST", "beta", "/user/end-users/list")
    assert (listed["status"], listed["account"], listed["unknown_fields"]) == (200, "...-key", ["limi"])
    assert unknown["status"] == 404


def test_quiet_when_only_warnings_are_wanted() -> None:
    assert lines_of("--log-level", "warning") == []


def test_requests_as_they_come() -> None:
    with serve_here() as served:

        def ask(path: str) -> Any:
            return httpx.post(f"{served.url}{path}", headers={"CONVAI-API-KEY": "mine"})

        ask("/beta/user/end-users/list")
        follow = subprocess.Popen(
            [sys.executable, "-m", "fake_convai", "requests", "--follow", "--url", served.url, "--api-key", "mine"],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert follow.stdout is not None
        assert "/beta/user/end-users/list" in follow.stdout.readline()
        ask("/production/character/list")
        assert "/production/character/list" in follow.stdout.readline()
        follow.terminate()
        follow.communicate(timeout=300)


def test_variables_of_others_and_misspelt_ones(run: Run) -> None:
    links = {
        "FAKE_CONVAI_PORT": "tcp://10.0.0.1:2668",
        "FAKE_CONVAI_SERVICE_HOST": "10.0.0.1",
        "FAKE_CONVAI_PORT_2668_TCP_ADDR": "10.0.0.1",
        "FAKE_CONVAI_DATABASE": "",
    }
    run.set(**links)
    assert "FAKE_CONVAI_" not in run.refused("serve", "--database", "/no/such/fake.db")
    _, _, error = run("serve", "--database", "/no/such/fake.db", FAKE_CONVAI_PROT="1")
    assert "warning: FAKE_CONVAI_PROT is no setting; the nearest is FAKE_CONVAI_PORT\n" in error


@pytest.mark.parametrize("name", [":memory:", "sqlite://", "sqlite:///:memory:", "file::memory:?cache=shared"])
def test_memory_by_other_names(name: str) -> None:
    with serve_here(database=name) as served:
        assert httpx.get(f"{served.url}/_fake/health").status_code == 200


@pytest.mark.parametrize("place", ["-", "/dev/stdin"])
def test_a_seed_from_standard_input(place: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fake_convai", "exec", "--seed", place, "--", sys.executable, "-c", NAMES],
        input="characters: [{character_id: coach}]",
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "['coach']\n"), done.stderr


def test_a_snapshot_without_a_key(run: Run) -> None:
    with serve_here() as served:
        said = run.refused("snapshot", "save", "before", "--url", served.url)
    assert said == "fake-convai: this acts on one account: name it with --api-key KEY\n"


def test_help_shows_defaults(run: Run) -> None:
    assert "default: 2668" in " ".join(run("serve", "--help")[1].split())
