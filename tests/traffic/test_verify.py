"""`fake-convai verify`: guesses are tried, found wrong where they are, and never where they are not."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fake_convai import app
from fake_convai.cli.main import cli
from fake_convai.contract.experiments import experiments, unlike
from fake_convai.contract.provenance import guesses
from fake_convai.settings import Settings
from fake_convai.testing.server_thread import ServerThread

KEY = "key-of-a-verification"
NOT_FROM_HERE = {name for name, steps in experiments().items() if steps[0].cannot}
Change = Callable[[str, int, Any], tuple[int, Any] | None]


class Different:
    """The fake, but answers are changed on their way: (path, status, body) to another status and body."""

    def __init__(self, inner: Any, change: Change) -> None:
        self._inner: ASGIApp = inner
        self._change = change
        self.router = inner.router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; WebSockets pass unchanged."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        start: Message = {}
        parts: list[bytes] = []

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                parts.append(message.get("body", b""))

        await self._inner(scope, receive, collect)
        raw = b"".join(parts)
        body = json.loads(raw) if raw[:1] in (b"{", b"[") else None
        changed = self._change(scope["path"], start["status"], body)
        headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
        if changed is not None:
            start["status"], raw = changed[0], json.dumps(changed[1]).encode()
        start["headers"] = [*headers, (b"content-length", str(len(raw)).encode())]
        await send(start)
        await send({"type": "http.response.body", "body": raw})


@contextmanager
def different(change: Change | None = None, **settings: Any) -> Iterator[str]:
    """The URL of a fake with differences."""
    with pytest.MonkeyPatch.context() as patch:
        if change is not None:
            make = lambda chosen: Different(app.create_app(chosen), change)  # noqa: E731
            patch.setattr("fake_convai.testing.server_thread.create_app", make)
            patch.setattr("fake_convai.testing.server_thread.InProcessTransport", lambda *_: None)
        server = ServerThread(Settings(livekit="off", **settings))
    try:
        yield server.url
    finally:
        server.stop()


def verify(folder: Path, url: str, *options: str, key: str = KEY) -> Result:
    """Run the command."""
    evidence = ["--evidence", str(folder / "evidence.json")]
    return CliRunner().invoke(cli, ["verify", "--target", url, "--api-key", key, *evidence, *options])


def results(result: Result) -> dict[str, str]:
    """What `--json` says, by id."""
    return {one["id"]: one["result"] for one in json.loads(result.stdout)["guesses"]}


def left_in(url: str) -> dict[str, Any]:
    """What the account holds."""
    state: dict[str, Any] = httpx.get(f"{url}/_fake/state", headers={"X-API-Key": KEY}).json()
    return {part: state[part] for part in ("characters", "end_users", "memories", "sessions") if state[part]}


def test_every_guess_has_an_experiment() -> None:
    assert sorted(experiments()) == sorted(guess.id for guess in guesses())
    assert all(name.startswith("room-") for name in NOT_FROM_HERE), "only rooms are out of reach"


def test_the_fake_satisfies_every_experiment(tmp_path: Path) -> None:
    with different() as url:
        result = verify(tmp_path, url, "--yes", "--json")
        left = left_in(url)
    others = {name: one for name, one in results(result).items() if one != "confirmed"}
    assert others == dict.fromkeys(NOT_FROM_HERE, "undecided"), result.output
    assert list(results(result)) == [guess.id for guess in guesses()]
    assert (result.exit_code, result.stderr, left) == (0, "", {})
    text = (tmp_path / "evidence.json").read_text("utf-8")
    evidence = json.loads(text)
    assert KEY not in text
    assert (evidence["target"], evidence["left_behind"]) == (url, {})
    assert all(re.match(r"\d{4}-\d\d-\d\dT", one["at"]) for one in evidence["guesses"])
    assert evidence["ended"] > evidence["began"]


def _wrong(path: str, status: int, body: Any) -> tuple[int, Any] | None:
    """A difference of each kind: a status, a value, a missing member, a spelling, an order, a number."""
    if path.endswith("/memory/list") and status == 400:
        return 422, body
    if path.endswith("/memory/list") and status == 200:
        for one in body["memories"]:
            one["created_at"] = re.sub(r"\.\d{6}Z", "+00:00", one["created_at"])
        return status, {**body, "memories": body["memories"][::-1]}
    if path.endswith("/user/end-users/get") and status == 200:
        return status, {**body, "last_active_ts": body["last_active_ts"] or "1970-01-01T00:00:00.000000Z"}
    if path.endswith("/chatHistory/list") and status == 200:
        return status, body[:1]
    if path.endswith("/character/getResponse") and status == 200 and body:
        return status, {name: value for name, value in body.items() if name != "charID"}
    return None


def test_differences_are_found_and_nothing_else(tmp_path: Path) -> None:
    with different(_wrong) as url:
        result = verify(tmp_path, url, "--yes", "--json")
        left = left_in(url)
    refuted = {name for name, one in results(result).items() if one == "refuted"}
    assert refuted == {
        *("memory-page", "memory-page-size", "no-object"),  # another status
        *("memory-order", "times-spelling", "times-null"),
        *("history-order", "response-form"),
    }
    assert {name for name, one in results(result).items() if one == "undecided"} == {"history-no-limit", *NOT_FROM_HERE}
    assert (result.exit_code, left) == (1, {})


def test_a_refuted_guess_says_what_to_change(tmp_path: Path) -> None:
    with different(_wrong) as url:
        result = verify(tmp_path, url, "--yes", "--only", "memory-page", "--only", "id-case")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0] == "confirmed  id-case: Ids are told apart by case."
    assert lines[1] == "refuted  memory-page: /memory/list page A page out of bounds is 400."
    assert lines[2].startswith("    seen: beta /memory/list: status is 422, not 400; it answered 422 ")
    assert re.match(r"    change: make fake_convai/api/memory.py answer as seen; .* move memory-page from", lines[3])
    assert lines[4].startswith("1 confirmed, 1 refuted, 0 undecided; written to ")


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_trouble_on_the_way_decides_nothing(tmp_path: Path, status: int) -> None:
    words = {"ERROR": "Upgrade your plan."}
    with different(lambda path, was, body: (status, words) if path.endswith("/memory/add") else None) as url:
        result = verify(tmp_path, url, "--yes", "--json", "--only", "memory-page", "--only", "people-limit")
    assert results(result) == {"memory-page": "undecided", "people-limit": "confirmed"}
    assert result.exit_code == 0


def test_a_rate_limit_is_waited_for(tmp_path: Path) -> None:
    seen: list[str] = []

    def often(path: str, status: int, body: Any) -> tuple[int, Any] | None:
        seen.append(path)
        return (429, {"ERROR": "slower"}) if seen.count(path) % 2 else None

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fake_convai.traffic.verify.time.sleep", lambda seconds: None)
        with different(often) as url:
            result = verify(tmp_path, url, "--yes", "--json", "--only", "memory-page")
    assert results(result) == {"memory-page": "confirmed"}


def test_a_refused_key_and_a_silent_host_are_one_line(tmp_path: Path) -> None:
    with different() as url:
        refused = verify(tmp_path, url, "--yes", key="invalid")
    silent = verify(tmp_path, url, "--yes")
    assert (refused.exit_code, silent.exit_code) == (2, 2)
    assert "answered 401" in refused.stderr
    assert "no answer from" in silent.stderr
    assert not (tmp_path / "evidence.json").exists()


def test_a_lost_connection_breaks_off_and_the_next_run_goes_on(tmp_path: Path) -> None:
    with different() as url:
        request = httpx.Client.request

        def stop_there(client: httpx.Client, *place: Any, **how: Any) -> httpx.Response:
            if "Authorization" in how["headers"]:
                raise httpx.ConnectError("gone")
            return request(client, *place, **how)

        names = ["unknown-members", "bearer", "no-object"]
        only = [option for name in names for option in ("--only", name)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("fake_convai.cli.verify._LOST", 1)
            patch.setattr("fake_convai.traffic.verify._BETWEEN", 0.0)
            patch.setattr(httpx.Client, "request", stop_there)
            broken = verify(tmp_path, url, "--yes", "--json", *only)
        assert results(broken) == {"unknown-members": "confirmed", "bearer": "undecided", "no-object": "undecided"}
        assert "Run it again" in broken.stderr
        before = json.loads((tmp_path / "evidence.json").read_text("utf-8"))
        assert before["ended"] is None
        again = verify(tmp_path, url, "--yes", *only)
        assert [line.split(":")[0] for line in again.stdout.splitlines()[:-1]] == [
            "confirmed  bearer",
            "confirmed  no-object",
        ]
        after = json.loads((tmp_path / "evidence.json").read_text("utf-8"))
        assert [one["at"] for one in after["guesses"] if one["id"] == "unknown-members"] == [
            one["at"] for one in before["guesses"] if one["id"] == "unknown-members"
        ]
        assert left_in(url) == {}


def test_what_could_not_be_deleted_is_named_and_deleted_by_the_next_run(tmp_path: Path) -> None:
    kept = [True]

    def keeps(path: str, status: int, body: Any) -> tuple[int, Any] | None:
        return (500, {"ERROR": "?"}) if kept[0] and path.endswith("/end-users/delete") else None

    with different(keeps) as url:
        first = verify(tmp_path, url, "--yes", "--only", "id-case")
        assert re.search(r"Not deleted; the next run tries again: fake-convai-verify-\w+-id-case-person", first.stderr)
        kept[0] = False
        second = verify(tmp_path, url, "--yes", "--only", "memory-page")
        assert (second.exit_code, second.stderr, left_in(url)) == (0, "", {})


def test_it_asks_before_it_begins(tmp_path: Path) -> None:
    asked: list[str] = []
    with different(lambda path, *_: asked.append(path)) as url:
        evidence = ["--evidence", str(tmp_path / "evidence.json")]
        command = ["verify", "--target", url, "--api-key", KEY, *evidence]
        result = CliRunner().invoke(cli, command, input="n\n")
    assert (result.exit_code, asked) == (2, [])
    assert f"Try {len(guesses())} guesses against {url}" in result.stderr


def test_the_list_has_one_a_line() -> None:
    result = CliRunner().invoke(cli, ["verify", "--list"])
    assert [line.split("  ")[0] for line in result.stdout.splitlines()] == [guess.id for guess in guesses()]
    one = CliRunner().invoke(cli, ["verify", "--list", "--only", "id-case"])
    assert one.stdout == "id-case  Ids are told apart by case.\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "give --target"),
        (["--target", "real"], "give --api-key"),
        (["--target", "real", "--api-key", "k", "--only", "nonsense"], "no guess 'nonsense'"),
        (["--target", "ftp://x", "--api-key", "k"], "--target: give an http"),
    ],
)
def test_misuse_is_one_line(options: list[str], message: str) -> None:
    result = CliRunner().invoke(cli, ["verify", *options], env={"CONVAI_API_KEY": ""})
    assert (result.exit_code, message in result.stderr) == (2, True)


@pytest.mark.parametrize("content", ["?", '{"target": "http://elsewhere"}'])
def test_evidence_of_something_else_is_not_overwritten(tmp_path: Path, content: str) -> None:
    (tmp_path / "evidence.json").write_text(content)
    result = verify(tmp_path, "http://127.0.0.1:1", "--yes")
    assert (result.exit_code, "give another --evidence" in result.stderr) == (2, True)
    assert (tmp_path / "evidence.json").read_text() == content


@pytest.mark.parametrize(
    ("wanted", "seen", "complaint"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, None),
        ({"a": 1}, {"b": 2}, "a is not there"),
        ({"a": 1}, {"a": True}, "a is True, not 1"),
        ([1], [1, 2], "the body is [1, 2], not [1]"),
        ([{"a": 1}], [{"a": 2}], "0.a is 2, not 1"),
        ({"a": {"$re": "^x"}}, {"a": "y"}, "a is 'y', not ^x"),
        ({"$absent": ["a"]}, {"a": 1}, "the body has a"),
        ({"$length": 1}, [], "the body has 0 entries, not 1"),
        ({"$length": 1}, "x", "the body is 'x'"),
        ({"$has": {"a": 1}}, [{"a": 2}], "the body has no {'a': 1}"),
        ({"$lacks": 1}, [1], "the body has 1"),
        ({"$lacks": 1}, [2], None),
        ({"$once": ["a", "b"]}, ["a", "b", "b"], "the body has b 2 times"),
        ({"$in_order": [1, 2]}, [0, 1, 2], None),
        ({"$in_order": [1, 2]}, [2, 1], "the body is not in the order of [1, 2]"),
        ({"$in_order": [1, 2]}, [1], "the body does not have all of [1, 2]"),
    ],
)
def test_what_is_seen_is_compared_as_far_as_it_matters(wanted: Any, seen: Any, complaint: str | None) -> None:
    assert unlike(wanted, seen) == complaint
