"""Runs a program for as long as somebody holds this process's standard input open.

A script of its own, run by path: `python watchdog.py PROGRAM`. Whoever started it may be killed outright, and its end
of the pipe closes all the same; so the program never outlives it, on any system.
"""

import os
import subprocess
import sys
import threading
from contextlib import suppress

_PATIENCE = (0.1, 1.0)
"""Seconds after each request to end. A LiveKit server that has just begun to listen swallows the first, and one with
people inside waits for them until it is asked again."""


def end(program: "subprocess.Popen[bytes]") -> None:
    """Ask a program to end, twice, then end it."""
    for seconds in _PATIENCE:
        program.terminate()
        with suppress(subprocess.TimeoutExpired):
            program.wait(seconds)
            return
    program.kill()


def main(command: list[str]) -> int:
    """Run the command until it ends, or until standard input does; its exit status."""
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def watch() -> None:
        while os.read(0, 1024):
            pass
        end(program)

    threading.Thread(target=watch, daemon=True).start()
    return program.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
