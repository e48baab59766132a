"""A real server in a process of its own, as a user starts it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from fake_convai.cli.main import main
from fake_convai.testing import FakeConvai


@dataclass(frozen=True)
class Answering:
    """A running server: where it answers."""

    url: str

    @property
    def netloc(self) -> str:
        """Host and port."""
        return self.url.partition("://")[2]


@contextmanager
def serve_here(**settings: Any) -> Iterator[Answering]:
    """Run the server in a thread of this process until the block ends: where the process is not the point, since the
    start of one takes a second."""
    with FakeConvai(settings) as fake:
        yield Answering(fake.url)


@dataclass(frozen=True)
class Served(Answering):
    """A running server in a process of its own."""

    process: subprocess.Popen[str]

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; returns the exit code."""
        self.process.send_signal(how)
        return self.process.wait(timeout=300)


@contextmanager
def serve(*options: str, command: str = "serve", **variables: str) -> Iterator[Served]:
    """Run `fake-convai serve`, or another command that listens, on a free port until the block ends.

    `variables` are added to its environment.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "fake_convai", command, "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **variables},
    )
    assert process.stdout is not None
    with process, process.stdout:
        try:
            ready = process.stdout.readline().split()
            assert "ready" in ready[:4], "the server did not start"
            yield Served(ready[-1], process)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(timeout=300)


class Run:
    """Runs `fake-convai` in this process; gives exit code, standard output and standard error."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, captured: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._captured = captured

    def __call__(self, *arguments: str, **variables: str) -> tuple[int | str | None, str, str]:
        """`variables` are added to the environment, for good."""
        self._monkeypatch.setattr("sys.argv", ["fake-convai", *arguments])
        self.set(**variables)
        code: int | str | None = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code
        captured = self._captured.readouterr()
        return code, captured.out, captured.err

    def set(self, **variables: str) -> None:
        """Set environment variables."""
        for name, value in variables.items():
            self._monkeypatch.setenv(name, value)

    def refused(self, *arguments: str) -> str:
        """The one line on standard error of a command that cannot be carried out."""
        code, out, error = self(*arguments)
        assert (code, out) == (2, "")
        assert error.startswith("fake-convai: ")
        assert error.endswith("\n")
        assert error.count("\n") == 1
        return error
