"""A server that a command starts, from another environment or a container: `--fake-convai-command`."""

import os
import shlex
import subprocess
import threading
from collections.abc import Mapping
from typing import Any

READY_SECONDS = 60.0
"""Until the server must be ready; the first run may fetch packages."""

MARK = "fake-convai is ready at "


class CommandServer:
    """A running server, started by a command such as `uvx fake-convai`."""

    transport = None

    def __init__(self, command: str, settings: Mapping[str, Any]) -> None:
        """Start, and return once it says that it is ready; raises `RuntimeError` with what it said instead.

        `serve --port 0` is added unless the command says `serve` itself; settings become its options.
        """
        words = shlex.split(command)
        if "serve" not in words:
            words += ["serve", "--port", "0"]
        # Variables meant for a server that somebody starts do not count, as for a server in process.
        variables = {name: value for name, value in os.environ.items() if not name.startswith("FAKE_CONVAI_")}
        self.control_key = settings.get("control_key")
        self._process = subprocess.Popen(
            [*words, *_options(settings)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=variables
        )
        self._said: list[str] = []
        self._found = threading.Event()
        self.url = ""
        self._reader = threading.Thread(target=self._read, name="fake-convai-command", daemon=True)
        self._reader.start()
        if not self._found.wait(READY_SECONDS) or not self.url:
            self.stop()
            said = "".join(self._said[-5:]).strip() or "nothing"
            raise RuntimeError(f"--fake-convai-command {command!r} starts no server; it said: {said}")

    def stop(self) -> None:
        """End the server, and wait until it is gone."""
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()

    def _read(self) -> None:
        """Read all that it prints, so that it never waits for us."""
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                if line.startswith(MARK):
                    self.url = line.removeprefix(MARK).strip()
                    self._found.set()
                if not self.url:
                    self._said.append(line)
        self._found.set()


def _options(settings: Mapping[str, Any]) -> list[str]:
    words: list[str] = []
    for name, value in settings.items():
        option = f"--{name.replace('_', '-')}"
        values = value if isinstance(value, list | tuple) else [value]
        words += [option] if value is True else []
        words += [word for one in values if one not in (None, True, False) for word in (option, str(one))]
    return words
