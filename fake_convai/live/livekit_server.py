"""A LiveKit server of our own: a child process on free ports, with keys of its own, that never outlives the fake."""

import asyncio
import logging
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from fake_convai.live import watchdog

logger = logging.getLogger("fake_convai")

PROGRAM = "livekit-server"
ANY = "0.0.0.0"
_ATTEMPTS = 5
"""Free ports are found, let go and taken by the server, so another process can come between."""
_START_SECONDS = 10.0
_STOP_SECONDS = 3.0
_POLL_SECONDS = 0.02
_LAST_WORDS = 20


class CannotStart(Exception):
    """The LiveKit server does not start; the message is one line that says why."""


@dataclass(frozen=True, slots=True)
class LiveKit:
    """Where a LiveKit server answers, as this process reaches it, and the key and secret that it takes."""

    url: str
    key: str
    secret: str


def find_program(wanted: str) -> str | None:
    """The path of the LiveKit server: `wanted`, or for `auto` and `on` the one beside this Python or on the PATH."""
    if wanted not in ("auto", "on"):
        return shutil.which(wanted)
    beside = str(Path(sys.executable).parent)
    return shutil.which(PROGRAM, path=os.pathsep.join([beside, os.environ.get("PATH", os.defpath)]))


class LiveKitServer:
    """The child process. Every `start` takes new keys, so that no token outlives the rooms it was made for."""

    def __init__(self, program: str, *, bind: str, node_ip: str, port: int = 0) -> None:
        """`bind` is the address it listens on, `node_ip` the one that clients reach its media under.

        `port` is the first of three in a row: TCP for signals, UDP for media, UDP for TURN; 0 takes free ones.
        """
        self._program = program
        self._bind = bind
        self._node_ip = node_ip
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._last_words: deque[str] = deque(maxlen=_LAST_WORDS)
        self._ended = asyncio.Event()

    async def start(self) -> LiveKit:
        """Start it, and return once it answers. Raises `CannotStart`."""
        for _ in range(1 if self._port else _ATTEMPTS):
            first = self._port
            ports = (first, first + 1, first + 2) if first else _free_ports()
            livekit = LiveKit(
                url=f"ws://{self._host}:{ports[0]}",
                key=f"fake{secrets.token_hex(6)}",
                secret=secrets.token_hex(24),
            )
            self._ended = asyncio.Event()
            self._last_words.clear()
            self._process = await asyncio.to_thread(self._spawn, self._config(ports, livekit))
            self._watch(self._process, self._ended)
            if await self._answers(ports[0]):
                return livekit
            await self.stop()
        raise CannotStart(f"{self._program} does not start: {' '.join(self._last_words) or 'it says nothing'}")

    async def wait_ended(self) -> None:
        """Return when the process that runs now has ended."""
        await self._ended.wait()

    async def stop(self) -> None:
        """End it, gently where it lets us; returns when it is gone."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        with suppress(OSError):
            process.stdin.close()  # the watchdog does the rest
        try:
            await asyncio.wait_for(self._ended.wait(), _STOP_SECONDS)
        except TimeoutError:
            _kill(process)

    def _config(self, ports: tuple[int, int, int], livekit: LiveKit) -> dict[str, Any]:
        loopback = self._node_ip.startswith("127.")
        only_here = [f"{self._node_ip}/32"]
        return {
            "port": ports[0],
            "bind_addresses": [self._bind],
            "rtc": {
                "node_ip": self._node_ip,  # unset, public STUN servers would be asked for it
                "udp_port": ports[1],
                "tcp_port": 0,
                "use_external_ip": False,
                "enable_loopback_candidate": loopback,
                "ips": {"includes": only_here},
            },
            "turn": {
                "enabled": True,  # the Web SDK talks through a relay only
                "udp_port": ports[2],
                # Bound to every address, TURN would answer from another one than it was asked at. In a container that
                # publishes its ports the two differ anyway, and its only network is the one asked at.
                "bind_addresses": [ANY if self._bind == ANY and loopback else self._node_ip],
                "allow_restricted_peer_cidrs": only_here,
            },
            "keys": {livekit.key: livekit.secret},
            "logging": {"level": "warn"},
        }

    def _spawn(self, config: dict[str, Any]) -> "subprocess.Popen[bytes]":
        # The configuration goes through the environment, where `ps` does not show its secret.
        options: dict[str, Any] = {"start_new_session": True}  # a Ctrl-C is for the fake, which ends its sessions first
        if sys.platform == "win32":
            options = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
        return subprocess.Popen(
            [sys.executable, "-I", "-S", watchdog.__file__, self._program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "LIVEKIT_CONFIG": orjson.dumps(config).decode()},
            **options,
        )

    def _watch(self, process: "subprocess.Popen[bytes]", ended: asyncio.Event) -> None:
        """Follow what it says and when it ends, in threads: asyncio has no processes on every kind of loop."""
        loop = asyncio.get_running_loop()

        def read() -> None:
            assert process.stdout is not None
            with process.stdout as lines:
                for line in lines:
                    said = line.decode("utf-8", "replace").strip()
                    self._last_words.append(said)
                    logger.debug("livekit-server: %s", said)

        def wait() -> None:
            process.wait()
            _kill(process)  # what a killed watchdog leaves behind
            if process.stdin is not None:
                process.stdin.close()
            with suppress(RuntimeError):  # the loop has gone first
                loop.call_soon_threadsafe(ended.set)

        for work in (read, wait):
            threading.Thread(target=work, name=f"livekit-server-{work.__name__}", daemon=True).start()

    async def _answers(self, port: int) -> bool:
        """Wait until it answers; False when it ends instead, as it does (with status 0) when a port is taken."""
        import httpx  # only those who open a room need it

        loop = asyncio.get_running_loop()
        deadline = loop.time() + _START_SECONDS
        async with httpx.AsyncClient(trust_env=False, verify=False, timeout=1) as client:
            while not self._ended.is_set() and loop.time() < deadline:
                with suppress(httpx.HTTPError):
                    if (await client.get(f"http://{self._host}:{port}/")).is_success:
                        return True
                await asyncio.sleep(_POLL_SECONDS)
        return False

    @property
    def _host(self) -> str:
        """The address under which this process reaches the server."""
        return "127.0.0.1" if self._bind == ANY else self._bind


def own_address() -> str:
    """The address under which other machines reach this one; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for documentation: only the route to it is looked up
        except OSError:
            return "127.0.0.1"
        address: str = probe.getsockname()[0]
    return address


def _free_ports() -> tuple[int, int, int]:
    """A TCP port and two UDP ports that nobody has."""
    kinds = (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_DGRAM)
    sockets = [socket.socket(socket.AF_INET, kind) for kind in kinds]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        tcp, media, turn = (one.getsockname()[1] for one in sockets)
    finally:
        for one in sockets:
            one.close()
    return tcp, media, turn


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End the watchdog and its program at once, where they are still there."""
    if sys.platform == "win32":
        process.kill()
    else:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
