"""Each reference to a page of docs/, in code or in text, leads to a page, and to a section that the page has."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = [
    path
    for folder in ("fake_convai", "tests", "docs", "migrations", "benchmarks")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in {".py", ".md", ".yaml", ".js"}
] + [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "Makefile", "pyproject.toml")]
_REFERENCE = re.compile(r'docs/([\w/-]+\.md)(?: sections? (\d+(?:(?:, | and )\d+)*)|, "([^"]+)")?')


@pytest.mark.parametrize("file", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_references_lead_somewhere(file: Path) -> None:
    text = re.sub(r"\s*\n\s*#?\s*", " ", file.read_text("utf-8"))  # a reference may go on in the next line
    assert file == Path(__file__) or not re.search(r"\b(CONTRACT|DESIGN)\.md", text)
    for page, numbers, title in _REFERENCE.findall(text):
        path = ROOT / "docs" / page
        assert path.is_file(), page
        headings = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
        for number in re.findall(r"\d+", numbers):
            assert any(heading.startswith(f"{number}. ") for heading in headings), f"{page} section {number}"
        assert not title or title in headings, f'{page}, "{title}"'
