"""What the newest @convai/web-sdk calls, sends and reads, held against the contract: `make sources`.

Prints what the contract does not know, and exits with 1 when there is something. Needs npm.
"""

import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = "@convai/web-sdk"
KNOWN = (
    ROOT / "fake_convai/contract/provenance.yaml",
    ROOT / "fake_convai/api/unused.py",
    ROOT / "fake_convai/live/messages.py",
    ROOT / "fake_convai/live/client_messages.py",
)

_ROUTE = re.compile(r"""["'`](?:https://[\w.-]+\.convai\.com|\$\{[\w.]+\})(/[a-z][\w/-]*)""")
_READ = re.compile(r"""case ["']([a-z][a-z_-]+)["']:""")
_SENT = re.compile(r"""\btype: ["']([a-z][a-z_-]+)["']""")
_MEMBER = re.compile(r"\b([a-z]+(?:_[a-z]+)+)(?=:|\s*=[^=])")


def found(files: Mapping[str, str]) -> dict[str, set[str]]:
    """What the compiled sources of the SDK name, by kind; `files` has them by path."""
    core = [text for path, text in files.items() if "/core/" in path]
    return {
        "routes": {one.rstrip("/") for text in files.values() for one in _ROUTE.findall(text)},
        "messages that it reads": {
            one for path, text in files.items() if "Message" in path for one in _READ.findall(text)
        },
        "messages that it sends": {one for text in core for one in _SENT.findall(text)},
        "members": {one for text in core for one in _MEMBER.findall(text)},
    }


def unknown(names: Mapping[str, set[str]], contract: str) -> Iterator[str]:
    """A line for each kind of which the contract does not know all."""
    words = set(re.findall(r"[\w/-]+", contract))
    for kind, there in names.items():
        if new := sorted(there - words):
            yield f"{kind}: {', '.join(new)}"


def contract() -> str:
    """All that the contract says, as text."""
    documents = sorted((ROOT / "openapi").glob("*.json"))
    return "\n".join(path.read_text("utf-8") for path in (*KNOWN, *documents))


def fetch(folder: Path) -> tuple[str, dict[str, str]]:
    """The newest version of the SDK, and its compiled sources by path."""
    command = ["npm", "pack", PACKAGE, "--json", "--pack-destination", str(folder)]
    packed = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        files = {
            member.name: content.read().decode("utf-8", "replace")
            for member in archive
            if member.name.endswith(".js") and (content := archive.extractfile(member)) is not None
        }
    return packed[0]["version"], files


def main() -> None:
    """Fetch, compare, print."""
    with tempfile.TemporaryDirectory() as folder:
        version, files = fetch(Path(folder))
    print(f"{PACKAGE} {version}")
    lines = list(unknown(found(files), contract()))
    print("\n".join(lines) or "Nothing that the contract does not know.")
    sys.exit(bool(lines))


if __name__ == "__main__":
    main()
