"""How far long work is: on a terminal only, on standard error only, and gone when it is done."""

import io
import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from fake_convai import progress
from fake_convai.cli.main import main

SECONDS = 20


class Screen(io.StringIO):
    """Standard error as a terminal, or as a file."""

    def __init__(self, *, is_terminal: bool, awaited: str) -> None:
        super().__init__()
        self.seen = threading.Event()
        self._is_terminal, self._awaited = is_terminal, awaited

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._is_terminal

    def write(self, text: str) -> int:
        """Take note when what is awaited has been shown."""
        written = super().write(text)
        if self._awaited in self.getvalue():
            self.seen.set()
        return written


class Slow(HTTPServer):
    """A server that answers when the screen has shown what is awaited."""

    screen: Screen | None = None


class _Handler(BaseHTTPRequestHandler):
    server: Slow

    def do_PUT(self) -> None:
        screen = self.server.screen
        if screen is not None and screen.isatty():
            screen.seen.wait(SECONDS)
        body = json.dumps({"name": "before"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def slow() -> Iterator[Slow]:
    """A slow server."""
    with Slow(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def run(monkeypatch: pytest.MonkeyPatch, screen: Screen, *arguments: str) -> object:
    """Run the command at this screen, which shows at once what it would show after a second; its exit code."""
    monkeypatch.setattr(progress, "AFTER_SECONDS", 0.0)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(sys, "argv", ["fake-convai", *arguments])
    monkeypatch.setenv("TERM", "xterm")
    try:
        main()
    except SystemExit as stop:
        return stop.code
    return 0


@pytest.mark.parametrize("is_terminal", [True, False], ids=["terminal", "file"])
def test_a_slow_server(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], slow: Slow, is_terminal: bool
) -> None:
    slow.screen = screen = Screen(is_terminal=is_terminal, awaited="Saving before")
    url = f"http://127.0.0.1:{slow.server_port}"
    assert run(monkeypatch, screen, "snapshot", "save", "before", "--url", url, "--api-key", "k") == 0
    assert capsys.readouterr().out == "Saved before.\n"
    assert screen.seen.is_set() == is_terminal
    if is_terminal:
        assert screen.getvalue().endswith("\x1b[2K")  # the line is gone
    else:
        assert screen.getvalue() == ""


def test_how_many_of_a_recording_are_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "traffic.jsonl"
    sent = {"method": "GET", "surface": "beta", "path": "/nowhere", "body": {"kind": "empty"}}
    exchange = {"at": "2026-01-01T12:00:00Z", "request": sent, "response": {"status": 404, "body": {"kind": "empty"}}}
    path.write_text("\n".join(['{"fake_convai_recording":1}', *3 * [json.dumps(exchange)]]), "utf-8")
    screen = Screen(is_terminal=True, awaited="2/3")
    check = progress.Progress.over

    def watched(self: progress.Progress, things: Iterator[object]) -> Iterator[object]:
        for number, thing in enumerate(check(self, things), 1):
            if number == 3:
                assert screen.seen.wait(SECONDS), screen.getvalue()[-300:]
            yield thing

    monkeypatch.setattr(progress.Progress, "over", watched)
    assert run(monkeypatch, screen, "check", str(path)) == 1
    assert "Checking" in screen.getvalue()
    assert capsys.readouterr().out.splitlines()[-1] == "3 requests, 3 of them checked, 3 violations."


def test_what_is_quick_shows_nothing(monkeypatch: pytest.MonkeyPatch, slow: Slow) -> None:
    screen = Screen(is_terminal=True, awaited="")
    monkeypatch.setattr(threading.Timer, "start", lambda self: None)
    url = f"http://127.0.0.1:{slow.server_port}"
    assert run(monkeypatch, screen, "snapshot", "save", "before", "--url", url, "--api-key", "k") == 0
    assert screen.getvalue() == ""
