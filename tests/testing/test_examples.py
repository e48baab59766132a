"""docs/testing.md shows the files of tests/examples as they are, and they pass however they are run.

In a plain run of all tests they are run too; here it is on a server in another process.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fake_convai import FakeConvai
from fake_convai.testing import pytest_plugin
from tests.testing.conftest import OURS

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "tests" / "examples"
RECIPES = ROOT / "tests" / "recipes"
PAGE = ROOT / "docs" / "testing.md"
_BLOCK = re.compile(r"^<!-- (\S+) -->\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)

NEEDS_A_SERVER_OF_ITS_OWN = ("test_settings.py",)


def test_the_examples_pass_on_a_server_in_another_process(process_url: str) -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    alone = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # other plugins take seconds to import
    ignored = [f"--ignore=tests/examples/{name}" for name in NEEDS_A_SERVER_OF_ITS_OWN]
    options = (*OURS, "-p", "no:cacheprovider", "--fake-convai-url", process_url, *ignored)
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/examples", *options],
        cwd=ROOT,
        env={**inherited, **alone, "FAKE_CONVAI_URL": process_url},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout
    assert "skipped" not in result.stdout


def test_the_page_shows_every_example_as_it_is() -> None:
    shown = dict(_BLOCK.findall(PAGE.read_text("utf-8")))
    paths = [*EXAMPLES.rglob("*.py"), *RECIPES.glob("test_with_*.py")]
    files = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in paths}
    assert shown == {name: text for name, text in files.items() if text}
    assert max(len(text.splitlines()) for name, text in files.items() if "/recipes/" in name) <= 25


def test_the_page_has_no_other_python() -> None:
    page = PAGE.read_text("utf-8")
    assert page.count("```python") == len(_BLOCK.findall(page))


@pytest.mark.parametrize("name", [name for name in dir(FakeConvai) if not name.startswith("_")])
def test_the_page_speaks_of_every_method(name: str) -> None:
    assert re.search(rf"`{name}\b", PAGE.read_text("utf-8"))


def test_the_page_speaks_of_every_option() -> None:
    options = set(re.findall(r"--fake-convai-[a-z-]+", Path(pytest_plugin.__file__).read_text("utf-8")))
    assert len(options) == 6
    assert options <= set(re.findall(r"--fake-convai-[a-z-]+", PAGE.read_text("utf-8")))


@pytest.mark.parametrize(
    "name", ["fake_convai", "afake_convai", "fake_convai_env", "fake_convai_settings", "make_fake_convai"]
)
def test_the_page_speaks_of_every_fixture(name: str) -> None:
    assert hasattr(pytest_plugin, name)
    assert f"`{name}`" in PAGE.read_text("utf-8")
