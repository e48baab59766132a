"""Servers in processes of their own on one core, and load from wrk on another."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson

ROOT = Path(__file__).parent.parent
CONNECTIONS = 16
SECONDS = 3
KEY = "benchmark"

_CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, CLIENT_CORE = str(_CORES[0]), str(_CORES[-1])


@dataclass(frozen=True)
class Load:
    """A request that wrk repeats. `{n}` in the body is another number each time, `{20}` that number modulo 20."""

    path: str
    method: str = "POST"
    body: str = ""
    headers: Mapping[str, str] | None = None

    def script(self) -> str:
        """What wrk runs, in Lua."""
        headers = {"Content-Type": "application/json", "CONVAI-API-KEY": KEY, **(self.headers or {})}
        lines = [f"wrk.headers[{name!r}] = {value!r}" for name, value in headers.items()]
        lines += [f"wrk.method = {self.method!r}", f"local body = {_lua(self.body)}"]
        if re.search(r"\{(n|\d+)\}", self.body):
            lines += [
                "local n = 0",
                "function request()",
                "  n = n + 1",
                '  local text = body:gsub("{n}", n):gsub("{(%d+)}", function(of) return n % of end)',
                "  return wrk.format(nil, nil, nil, text)",
                "end",
            ]
        elif self.body:
            lines.append("wrk.body = body")
        return "\n".join(lines)


def _lua(text: str) -> str:
    return f"[==[{text}]==]"


@dataclass(frozen=True)
class Server:
    """A server that runs, at `url`."""

    process: subprocess.Popen[Any]
    url: str

    def requests_a_second(self, load: Load, seconds: int = SECONDS) -> float:
        """What wrk reaches; raises `RuntimeError` when an answer was no success."""
        return self._wrk(load, seconds)[1]

    def requests(self, load: Load, seconds: int) -> int:
        """How many requests wrk makes in that time."""
        return self._wrk(load, seconds)[0]

    def _wrk(self, load: Load, seconds: int) -> tuple[int, float]:
        with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
            script.write(load.script())
            script.flush()
            options = ["--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{seconds}s"]
            command = ["taskset", "-c", CLIENT_CORE, "wrk", *options, "--script", script.name, self.url + load.path]
            printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        made, rate = re.search(r"(\d+) requests in", printed), re.search(r"Requests/sec:\s+([\d.]+)", printed)
        if made is None or rate is None or "Non-2xx" in printed or "Socket errors" in printed:
            raise RuntimeError(f"{load.path} on {self.url} did not answer as it should:\n{printed}")
        return int(made[1]), float(rate[1])

    def resident_mebibytes(self) -> float:
        """Memory that the process holds now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@contextmanager
def running(
    command: Sequence[str],
    url: str,
    *,
    ready: str = "/",
    folder: Path = ROOT,
) -> Iterator[Server]:
    """Run a server on the server's core until the block ends; it is there when `ready` answers anything at all."""
    process = subprocess.Popen(
        ["taskset", "-c", SERVER_CORE, *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
    )
    try:
        give_up = time.monotonic() + 60
        while True:
            try:
                httpx.get(url + ready)
                break
            except httpx.TransportError:
                if process.poll() is not None or time.monotonic() > give_up:
                    raise RuntimeError(f"{' '.join(command)} did not start") from None
                time.sleep(0.05)
        yield Server(process, url)
    finally:
        process.terminate()
        process.wait(timeout=30)


@contextmanager
def running_fake(port: int) -> Iterator[Server]:
    """The fake with the defaults that users get, and an account to measure with."""
    command = [sys.executable, "-m", "fake_convai", "serve", "--port", str(port), "--log-level", "error"]
    with running(command, f"http://127.0.0.1:{port}", ready="/_fake/health") as server:
        control(server, "seed", seed_of(50, "player-42"))
        yield server


def control(server: Server, action: str, body: Mapping[str, Any], method: str = "POST", key: str = KEY) -> None:
    """Do something to an account, that of the benchmark unless another is named."""
    url, headers = f"{server.url}/_fake/{action}", {"CONVAI-API-KEY": key}
    httpx.request(method, url, content=orjson.dumps(body), headers=headers, timeout=120).raise_for_status()


def seed_of(facts: int, end_user_id: str) -> dict[str, Any]:
    """A person with a name and so many facts."""
    return {
        "characters": [{"character_id": "npc", "memory_settings": {"enabled": True}}],
        "end_users": [{"end_user_id": end_user_id, "end_user_metadata": {"name": "Jordan"}}],
        "memories": [
            {
                "character_id": "npc",
                "end_user_id": end_user_id,
                "memory": f"The user likes pump number {number} very much.",
            }
            for number in range(facts)
        ],
    }


def needs(*programs: str) -> None:
    """Stop with a line that says what to install."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        sys.exit(f"The benchmarks need {', '.join(missing)}: on Debian, apt-get install {' '.join(missing)}")
