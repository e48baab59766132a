"""The pages keep their word: every console block is run against a server, and must print what it shows."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fake_convai import FakeConvai
from tests.serving import Served, serve

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NOW = re.compile(r"20[0-9-]{8}T[0-9:]{8}\.[0-9]{6}Z")


def _commands(page: Path) -> list[tuple[str, str]]:
    """Each command of a page with what it is to print."""
    found: list[tuple[str, str]] = []
    for block in _BLOCK.findall(page.read_text("utf-8")):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = part.splitlines(keepends=True)
            length = next(number for number, line in enumerate(lines, 1) if not line.endswith("\\\n"))
            found.append(("".join(lines[:length]), "".join(lines[length:])))
    return found


def _alike(text: str) -> str:
    """The text without what differs from run to run."""
    return _NOW.sub("<time>", _UUID.sub("<uuid>", text)).strip()


@pytest.fixture
def demo_server() -> Iterator[Served]:
    """A server as `make serve ARGS="--demo"` runs it, on a free port."""
    with serve("--demo") as served:
        yield served


@pytest.mark.parametrize("page", [page for page in PAGES if _commands(page)], ids=lambda page: page.name)
def test_console_blocks_print_what_they_show(page: Path, demo_server: Served) -> None:
    for command, expected in _commands(page):
        here = command.replace("localhost:2668", demo_server.netloc)
        run = subprocess.run(["bash", "-c", here], capture_output=True, text=True, check=True)
        assert _alike(run.stdout) == _alike(expected), command


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text("utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_test_of_the_readme_passes(fake_convai: FakeConvai) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    namespace: dict[str, Any] = {}
    exec(code, namespace)
    namespace["test_forgets_a_player"](fake_convai)
