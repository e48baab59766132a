"""What MkDocs needs to know of this repository: pages that lie outside of docs/, and llms.txt from the same source."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent.parent
OUTSIDE = {
    "README.md": "overview.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "LICENSE": "license.txt",
    "docker-compose.yml": "docker-compose.yml",
    **{f"openapi/{path.name}": f"openapi/{path.name}" for path in sorted((ROOT / "openapi").glob("*.json"))},
}
"""Where files of the repository are in the site."""

_TEXTS: dict[str, str] = {}
"""The pages of this build as text, by their place."""

_LINK = re.compile(r"\]\((?!https?:|#)([^)#]*)(#[^)]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files from outside of docs/."""
    for source, place in OUTSIDE.items():
        if (ROOT / source).is_file():
            files.append(File.generated(config, place, content=(ROOT / source).read_text("utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links that leave docs/, or lead into it, lead to their place in the site."""
    del config, files
    outside = page.file.src_uri in OUTSIDE.values()

    def moved(match: re.Match[str]) -> str:
        target, anchor = match.group(1), match.group(2) or ""
        path = target if outside else target.removeprefix("../") if target.startswith("../") else ""
        if path == "openapi":
            path = "openapi/production.json"
        place = OUTSIDE.get(path, path.removeprefix("docs/") if outside else target)
        return f"]({place}{anchor})"

    _TEXTS[page.file.src_uri] = text = _LINK.sub(moved, markdown)
    return text


def on_post_build(config: MkDocsConfig) -> None:
    """Write llms.txt, the index, and beside it the pages as text, for readers that are programs."""
    site = Path(config.site_dir)
    for name, text in _TEXTS.items():
        (site / name).write_text(text, "utf-8")
    index = re.sub(r"^\*\*(.+)\*\*$", r"## \1", _TEXTS["README.md"].partition("\n")[2].strip(), flags=re.MULTILINE)
    (site / "llms.txt").write_text(f"# {config.site_name}\n\n> {config.site_description}\n\n{index}\n", "utf-8")
