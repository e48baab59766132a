"""Write the pages of docs/ that are made from code and data, and the store's statements; with --check, fail when one is
stale."""

import sys
from pathlib import Path

from docs.generate.commands import commands_page
from docs.generate.pages import contract, fidelity, realtime
from docs.generate.statements import statements
from fake_convai.api.published import published
from fake_convai.backend.surface import Surface
from fake_convai.cli.main import cli
from fake_convai.store.statements import KNOWN
from fake_convai.traffic.evidence import Evidence

DOCS = Path(__file__).parent.parent


def pages() -> dict[str, str]:
    """The pages by file name."""
    evidence = sorted((DOCS / "evidence").glob("*.json"))
    return {
        "commands.md": commands_page(cli),
        "contract.md": contract(),
        "fidelity.md": fidelity(Evidence.model_validate_json(path.read_bytes()) for path in evidence),
        "realtime.md": realtime(published(Surface.LIVE)),
    }


def main(*arguments: str) -> str | None:
    """Write what is stale, or say that it is."""
    made = {KNOWN: statements(), **{DOCS / name: text for name, text in pages().items()}}
    stale = [path for path, text in made.items() if not path.is_file() or path.read_text("utf-8") != text]
    if "--check" in arguments:
        return f"stale: {', '.join(path.name for path in stale)}; run `make openapi`" if stale else None
    for path in stale:
        path.write_text(made[path], "utf-8")
        print(f"wrote {path.relative_to(DOCS.parent)}")
    return None


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
