"""A real server in a process of its own, as a user starts it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Served:
    """A running server: its process and where it answers."""

    process: subprocess.Popen[str]
    url: str

    @property
    def netloc(self) -> str:
        """Host and port."""
        return self.url.partition("://")[2]

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; returns the exit code."""
        self.process.send_signal(how)
        return self.process.wait(timeout=60)


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
            yield Served(process, ready[-1])
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(timeout=60)
