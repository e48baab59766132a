"""The LiveKit server as a child: it starts on free ports, takes its own keys only, and never outlives the fake."""

import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from fake_convai.live.livekit_server import CannotStart, LiveKit, LiveKitServer, find_program
from fake_convai.live.room_service import NoAnswer, RoomService
from tests.room.conftest import Servers, linux_only


@asynccontextmanager
async def running(program: str, port: int = 0) -> AsyncIterator[tuple[LiveKitServer, LiveKit]]:
    server = LiveKitServer(program, bind="127.0.0.1", node_ip="127.0.0.1", port=port)
    try:
        yield server, await server.start()
    finally:
        await server.stop()


async def soon(condition: Callable[[], bool] | Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(120):
        while True:
            held = condition()
            if held is True or (not isinstance(held, bool) and await held):
                return
            await asyncio.sleep(0.02)


def test_it_answers_takes_its_own_keys_only_and_is_gone_after_stop(livekit_program: str, started: Servers) -> None:
    async def run() -> None:
        async with running(livekit_program) as (server, livekit):
            rooms = RoomService(livekit)
            assert await rooms.rooms() == set()
            assert await rooms.people("nowhere") == {}
            await rooms.show("nowhere", "nobody")
            await rooms.close("nowhere")
            await rooms.aclose()
            stranger = RoomService(LiveKit(livekit.url, livekit.key, "another secret, of 32 characters or more"))
            with pytest.raises(NoAnswer, match="401"):
                await stranger.rooms()
            await stranger.aclose()
            assert len(started()) == 1
            await server.stop()
            assert started() == []
            again = await server.start()
            assert (again.key, again.secret) != (livekit.key, livekit.secret)

    asyncio.run(run())
    assert started() == []


def test_ports_that_are_asked_for_are_taken_or_refused(livekit_program: str, started: Servers) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = LiveKitServer(livekit_program, bind="127.0.0.1", node_ip="127.0.0.1", port=port)
        with pytest.raises(CannotStart, match=r"does not start: .*address already in use"):
            asyncio.run(server.start())
    assert started() == []


def test_what_is_no_livekit_server_is_refused_with_its_own_words(tmp_path: Path) -> None:
    program = tmp_path / "other"
    program.write_text("#!/bin/sh\necho I am another program\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    server = LiveKitServer(str(program), bind="127.0.0.1", node_ip="127.0.0.1")
    with pytest.raises(CannotStart, match=r"other does not start: (I am another program ?)+$"):
        asyncio.run(server.start())


def test_a_server_that_dies_is_noticed(livekit_program: str, started: Servers) -> None:
    async def run() -> None:
        async with running(livekit_program) as (server, _):
            [pid] = started()
            os.kill(pid, signal.SIGKILL)
            async with asyncio.timeout(60):
                await server.wait_ended()

    asyncio.run(run())


@linux_only
def test_a_killed_watchdog_takes_the_server_along(livekit_program: str, started: Servers) -> None:
    async def run() -> None:
        async with running(livekit_program) as (server, _):
            [pid] = started()
            watchdog = parent_of(pid)
            os.kill(watchdog, signal.SIGKILL)
            await server.wait_ended()
            await soon(lambda: is_dead(pid))

    asyncio.run(run())


@linux_only
def test_it_does_not_outlive_a_fake_that_is_killed(livekit_program: str) -> None:
    script = f"""
        import asyncio, time
        from fake_convai.live.livekit_server import LiveKitServer
        from tests.room.conftest import processes_of
        server = LiveKitServer({livekit_program!r}, bind="127.0.0.1", node_ip="127.0.0.1")
        asyncio.run(server.start())
        print(*processes_of({livekit_program!r}), flush=True)
        time.sleep(60)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert not is_dead(pid)
        parent.kill()
        asyncio.run(soon(lambda: is_dead(pid)))


def test_the_program_is_looked_for_beside_python_and_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert find_program("auto") is None
    (tmp_path / "bin").mkdir()
    for folder in (tmp_path / "bin", tmp_path):
        program = folder / "livekit-server"
        program.touch(mode=0o755)
        assert find_program("auto") == str(program)
    assert find_program(str(tmp_path / "livekit-server")) == str(tmp_path / "livekit-server")
    assert find_program(str(tmp_path / "nothing")) is None


def parent_of(pid: int) -> int:
    """The id of the process that started another."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def is_dead(pid: int) -> bool:
    """Whether a process has ended, waited for or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
