"""What the room's tests need; without it they are skipped, and say why."""

import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fake_convai import FakeConvai
from fake_convai.live.livekit_server import find_program

Servers = Callable[[], list[int]]
"""Tells the ids of LiveKit servers."""


@pytest.fixture(scope="session")
def livekit_program() -> str:
    """The LiveKit server's path, where it is installed and the `livekit` package is too."""
    program = find_program("auto")
    if program is None:
        pytest.skip("livekit-server is not installed, so no room is tried: make livekit, with Go")
    if importlib.util.find_spec("livekit.rtc") is None:
        pytest.skip("the package livekit is not installed, so no room is tried: pip install livekit")
    return program


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no failure."""
    monkeypatch.setattr("fake_convai.testing.company.PATIENCE", 60.0)


@pytest.fixture
def fake(livekit_program: str, make_fake_convai: Callable[[dict[str, Any]], FakeConvai]) -> FakeConvai:
    """An account of a fake whose characters come."""
    return make_fake_convai({"livekit": True})


@pytest.fixture
def started(livekit_program: str) -> Servers:
    """Tells the ids of the LiveKit servers that run below this process since the test began."""
    before = set(processes_of(livekit_program))
    return lambda: [pid for pid in processes_of(livekit_program) if pid not in before]


def processes_of(program: str) -> list[int]:
    """The ids of the processes that run this program below this one."""
    ours, found = {os.getpid()}, []
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue  # it has ended just now
    grown = True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in ours} - ours
        grown = bool(more)
        ours |= more
    for pid in ours:
        try:
            if os.readlink(f"/proc/{pid}/exe") == os.path.realpath(program):
                found.append(pid)
        except OSError:
            continue
    return found


linux_only = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
