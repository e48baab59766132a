"""The pages keep their word: every block that can be run is run, and prints what it shows.

`console` blocks are compared with what they print; `sh`, `python`, `js`, `ts` and `csharp` blocks have to succeed. Each
block has a server of its own, with what `make serve ARGS="--demo"` has, in place of localhost:2668. What cannot be run
here has `<!-- not run: why -->` above it, or is indented instead of fenced. Only programs of `HARMLESS` are ever
started: a page is no place from which to install things or to reach other machines by accident.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from fake_convai import FakeConvai
from fake_convai.cli.main import cli

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "fake_convai"
MODULES = ROOT / ".clients" / "node_modules"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
RUN_ELSEWHERE = {
    ("clients.md", "bash"): "tests/test_tls.py",
    ("design.md", "mermaid"): "tests/test_rooms.py",
    ("quick-start.md", "mermaid"): "tests/test_docs.py",
    ("realtime.md", "mermaid"): "tests/room/test_ensemble.py",
    ("testing.md", "python"): "tests/testing/test_examples.py",
}
HARMLESS = re.compile(
    r"(room=\$\(|echo '[^']+' \| )?"
    r"(curl|python -m websockets|openapi-python-client|fake-convai (?!serve\b|proxy\b)\S+) "
)
LANGUAGES = {"console", "sh", "python", "js", "ts", "csharp", "json", "yaml", "text", "powershell", ""}
_BLOCK = re.compile(r"^(<!-- not run: .+ -->\n)?```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NOW = re.compile(r"20[0-9-]{8}T[0-9:]{8}\.[0-9]{6}Z")
_ADDRESS = re.compile(r"(localhost|127\.0\.0\.1):2668")
_SECONDS = 300


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    number: int
    language: str
    code: str

    def at(self, server: FakeConvai) -> str:
        """The code for this server."""
        return _here(server, self.code)


def _here(server: FakeConvai, code: str) -> str:
    """Code with the address of this server."""
    return _ADDRESS.sub(server.url.removeprefix("http://"), code)


def _blocks(*languages: str) -> list[Any]:
    """The blocks that are to be run, named by page and number."""
    found = []
    for page in PAGES:
        for number, (not_run, language, code) in enumerate(_BLOCK.findall(page.read_text("utf-8")), 1):
            if language in languages and not not_run and (page.name, language) not in RUN_ELSEWHERE:
                found.append(pytest.param(Block(page, number, language, code), id=f"{page.name}-{number}"))
    return found


def _commands(page: Path) -> list[tuple[str, str]]:
    """Each command of a page's console blocks with what it is to print."""
    found: list[tuple[str, str]] = []
    for not_run, language, block in _BLOCK.findall(page.read_text("utf-8")):
        if language != "console" or not_run:
            continue
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = part.splitlines(keepends=True)
            length = next(number for number, line in enumerate(lines, 1) if not line.endswith("\\\n"))
            found.append(("".join(lines[:length]), "".join(lines[length:])))
    return found


def _alike(text: str) -> str:
    """The text without what differs from run to run."""
    return _NOW.sub("<time>", _UUID.sub("<uuid>", text)).strip()


def _run(folder: Path, *command: str) -> str:
    """Run a command that must succeed, with `fake-convai` on the path and no setting of this test run's."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("FAKE_CONVAI_", "PYTEST_"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        command, cwd=folder, env={**inherited, "PATH": path}, capture_output=True, text=True, timeout=_SECONDS
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _make_sure_that_it_is_harmless(command: str) -> None:
    assert HARMLESS.match(command), "mark the block as not run, or indent it"
    assert not re.search(r"https?://(?!localhost:2668|127\.0\.0\.1:2668)", command), "nothing here asks another host"


def _need(*programs: str) -> None:
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed, so this block is not run")


@pytest.fixture
def demo_server() -> Iterator[FakeConvai]:
    """A server with what `make serve ARGS="--demo"` has, on a free port."""
    with FakeConvai({"demo": True}) as served:
        yield served


@pytest.mark.parametrize("page", [page for page in PAGES if _commands(page)], ids=lambda page: page.name)
def test_console_blocks_print_what_they_show(page: Path, demo_server: FakeConvai, tmp_path: Path) -> None:
    for command, expected in _commands(page):
        _make_sure_that_it_is_harmless(command)
        printed = _run(tmp_path, "bash", "-c", _here(demo_server, command))
        assert _alike(printed) == _alike(expected), command


@pytest.mark.parametrize("block", _blocks("sh"))
def test_shell_blocks_succeed(block: Block, demo_server: FakeConvai, tmp_path: Path) -> None:
    for command in re.split(r"(?<!\\)\n(?! )", block.code.strip()):
        _make_sure_that_it_is_harmless(command)
    _run(tmp_path, "bash", "-euo", "pipefail", "-c", block.at(demo_server))


@pytest.mark.parametrize("block", _blocks("js"))
def test_javascript_blocks_succeed(
    block: Block, demo_server: FakeConvai, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _need("node")
    if "new WebSocket" in block.code and not _run(tmp_path, "node", "-p", "globalThis.WebSocket ?? ''").strip():
        monkeypatch.setenv("NODE_OPTIONS", "--experimental-websocket")
    (tmp_path / "block.test.mjs").write_text(block.at(demo_server), "utf-8")
    report = _run(tmp_path, "node", "--test", "--test-reporter=tap", "block.test.mjs")
    assert re.search(r"^# pass [1-9]", report, re.MULTILINE), report


@pytest.mark.parametrize("block", _blocks("ts"))
def test_typescript_blocks_succeed_with_the_client_that_is_made_for_them(
    block: Block, demo_server: FakeConvai, tmp_path: Path
) -> None:
    _need("node")
    if not (MODULES / "openapi-typescript").exists():
        pytest.skip("openapi-typescript is not installed, which `make npm` does, so this block is not run")
    (tmp_path / "node_modules").symlink_to(MODULES)
    (tmp_path / "package.json").write_text('{"type": "module"}', "utf-8")
    (tmp_path / "block.ts").write_text(block.at(demo_server), "utf-8")
    wrong = '\nawait fake.PUT("/_fake/clock", { body: { nau: "2026" } });\n'
    (tmp_path / "wrong.ts").write_text(block.code + wrong, "utf-8")
    (generate,) = re.findall(r"^npx (openapi-typescript .+)$", block.page.read_text("utf-8"), re.MULTILINE)
    _run(tmp_path, "bash", "-c", f"node_modules/.bin/{_here(demo_server, generate)}")
    compile_strictly = ("node_modules/.bin/tsc", "--strict", "--target", "es2022", "--module", "nodenext")
    _run(tmp_path, *compile_strictly, "block.ts")
    _run(tmp_path, "node", "block.js")
    with pytest.raises(AssertionError, match="'nau' does not exist"):
        _run(tmp_path, *compile_strictly, "wrong.ts")


@pytest.mark.parametrize("block", _blocks("python"))
def test_python_blocks_succeed(block: Block, fake_convai: FakeConvai) -> None:
    namespace: dict[str, Any] = {}
    exec(block.code, namespace)
    tests = [member for name, member in namespace.items() if name.startswith("test_")]
    assert tests
    for test in tests:
        test(fake_convai)


DRIVE = """
public static class Drive
{
    public static void Main(string[] arguments)
    {
        using (var fake = new FakeConvai("csharp", arguments[0]))
        {
            var person = "\\"character_id\\": \\"guide\\", \\"end_user_id\\": \\"player-42\\"";
            var guide = "{\\"character_id\\": \\"guide\\", \\"memory_settings\\": {\\"enabled\\": true}}";
            fake.Post("/_fake/seed", "{\\"characters\\": [" + guide + "]}").Wait();
            System.Console.WriteLine(fake.Talk(person, "I have a dog named Rex.").Result);
            System.Console.WriteLine(fake.Post("/beta/memory/list", "{" + person + "}").Result);
            System.Console.WriteLine(fake.Get("/_fake/requests?path=/memory/list").Result);
            try { fake.Post("/_fake/seed", "{\\"nonsense\\": []}").Wait(); }
            catch (System.AggregateException refused) { System.Console.WriteLine(refused.InnerException.Message); }
        }
    }
}
"""


@pytest.mark.parametrize("block", _blocks("csharp"))
def test_csharp_blocks_succeed(block: Block, demo_server: FakeConvai, tmp_path: Path) -> None:
    _need("mcs", "mono")
    (tmp_path / "block.cs").write_text(block.code + DRIVE, "utf-8")
    _run(tmp_path, "mcs", "-warnaserror", "-r:System.Net.Http", "block.cs")
    last, memories, journal, refusal = _run(tmp_path, "mono", "block.exe", demo_server.url).splitlines()
    assert json.loads(last)["data"] == {"type": "bot-turn-completed", "was_interrupted": False}
    assert [record["memory"] for record in json.loads(memories)["memories"]] == ["The user has a dog named Rex."]
    assert [request["status"] for request in json.loads(journal)["requests"]] == [200]
    assert "nonsense" in json.loads(refusal)["ERROR"]


@pytest.mark.parametrize("block", _blocks("json", "yaml"))
def test_data_blocks_can_be_read(block: Block) -> None:
    assert isinstance(json.loads(block.code) if block.language == "json" else yaml.safe_load(block.code), dict)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_languages_have_one_name_each(page: Path) -> None:
    """So that no block escapes by calling itself bash."""
    languages = {language for _, language, _ in _BLOCK.findall(page.read_text("utf-8"))}
    assert {language for language in languages if (page.name, language) not in RUN_ELSEWHERE} <= LANGUAGES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_exist(page: Path) -> None:
    """What is only shown, not run: the command, and each option that follows it in its line."""
    text = page.read_text("utf-8").replace("\\\n", " ")
    for line in re.findall(r"(?:^(?: {4}|\$ )(?:\S*/)?|`)fake-convai ([a-z][^`\n]*)", text, re.MULTILINE):
        command: click.Command = cli
        words = line.partition(" -- ")[0].split()
        while isinstance(command, click.Group) and words and (words[0] in command.commands or command is not cli):
            assert words[0] in command.commands, line
            command = command.commands[words.pop(0)]
        assert command is not cli, line
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word.partition("=")[0] for word in words if word.startswith("--")} <= options, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    missing = []
    for target, anchor in re.findall(r"\]\((?!https?://)([^)#]*)#?([^)]*)\)", page.read_text("utf-8")):
        file = page.parent / target if target else page
        if not file.exists() or (anchor and anchor not in _anchors(file)):
            missing.append(f"{target}#{anchor}")
    assert missing == []


def _anchors(page: Path) -> set[str]:
    """What headings are called in a link: in lower case, with hyphens for blanks, without other signs."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_site_can_be_built(tmp_path: Path) -> None:
    """Strict: a page that is in no menu, and a link that leads nowhere, fail."""
    build = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(tmp_path)]
    built = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (built.returncode, built.stdout) == (0, ""), built.stderr
    index = (tmp_path / "llms.txt").read_text("utf-8")
    assert set(re.findall(r"\]\((\S+\.md)\)", index)) == {
        *(page.name for page in PAGES if page.parent == ROOT / "docs" and page.name != "README.md"),
        *("contributing.md", "overview.md", "changelog.md"),
    }
    texts = [tmp_path / "llms.txt", *tmp_path.glob("*.md")]
    links = [
        (text.name, link)
        for text in texts
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", text.read_text("utf-8"))
    ]
    assert [(name, link) for name, link in links if not (tmp_path / link).is_file()] == []


def test_the_picture_has_every_address() -> None:
    """Of the ready lines, which stand above it."""
    page = (ROOT / "docs" / "quick-start.md").read_text("utf-8")
    addresses = set(re.findall(r"^  \w+ +http://127.0.0.1:2668(/\w+)$", page, re.MULTILINE))
    (picture,) = [code for _, language, code in _BLOCK.findall(page) if language == "mermaid"]
    assert addresses == set(re.findall(r"/\w+", picture.replace("<br>", " ")))


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text("utf-8")
    pages = [page.name for page in PAGES if page.parent == ROOT / "docs"]
    assert [name for name in pages if f"({name})" not in index] == ["README.md"]
