"""The process itself: how soon it is ready, and how much memory it holds."""

import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks.http_rows import LIST
from benchmarks.load import SERVER_CORE, running_fake
from benchmarks.rows import Row

ROUNDS = 9
PORT = 7803
REQUESTS = 100_000

_LIST_LIBRARIES = """
import asyncio, sys
from fake_convai.app import create_app
from fake_convai.cli.main import cli
from fake_convai.server import run
from fake_convai.settings import load_settings
import httptools, uvloop, uvicorn.protocols.http.httptools_impl, uvicorn.lifespan.on
async def start():
    app = create_app(load_settings())
    async with app.router.lifespan_context(app):
        pass
asyncio.run(start())
files = {name: getattr(module, "__file__", None) or "" for name, module in sys.modules.items()}
print("import " + ", ".join(name for name, file in files.items() if "site-packages" in file))
"""


def _cold_start() -> float:
    """Seconds from the command to the line that says it is ready."""
    started = time.perf_counter()
    command = ["taskset", "-c", SERVER_CORE, sys.executable, "-m", "fake_convai", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        seconds = time.perf_counter() - started
        process.terminate()
    if not line.startswith(b"fake-convai is ready"):
        raise RuntimeError(f"the server did not start: {line!r}")
    return seconds


def _imports(statement: str) -> float:
    started = time.perf_counter()
    subprocess.run(["taskset", "-c", SERVER_CORE, sys.executable, "-c", statement], check=True, capture_output=True)
    return time.perf_counter() - started


def rows() -> Iterator[Row]:
    """Cold start, then memory at the start and after many requests."""
    listed = subprocess.run([sys.executable, "-c", _LIST_LIBRARIES], capture_output=True, text=True, check=True)
    libraries = listed.stdout.strip()
    _cold_start()  # the first start writes bytecode
    ratios, ready, alone = [], 0.0, 0.0
    for _ in range(ROUNDS):
        ready, alone = _cold_start(), _imports(libraries)
        ratios.append(ready / alone)
    work = "cold start, process to ready, against importing its libraries alone"
    detail = f"last round: {ready:.2f} against {alone:.2f} s"
    section = "The process"
    yield Row(work, "at most", 1.5, ratios, detail=detail, section=section)
    with running_fake(PORT) as fake:
        yield Row("memory after the start", "at most", 90, [fake.resident_mebibytes()], "MiB", section=section)
        made = 0
        while made < REQUESTS // 5:  # by now the journal has as many entries as it keeps
            made += fake.requests(LIST, 1)
        early = fake.resident_mebibytes()
        while made < REQUESTS:
            made += fake.requests(LIST, 2)
        late = fake.resident_mebibytes()
        detail = f"{late:.0f} against {early:.0f} MiB, most of it the journal's 10,000 requests"
        work = f"memory after {REQUESTS:,} requests against after {REQUESTS // 5:,}"
        yield Row(work, "at most", 1.05, [late / early], detail=detail, section=section)
