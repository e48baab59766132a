"""What is shipped: the wheel holds everything the server reads at run time, and nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import fake_convai

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files in the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        return set(archive.namelist())


def _files(folder: str, inside: str) -> set[str]:
    """The files of a folder of the repository, as they are to be named in the wheel."""
    root = ROOT / folder
    return {
        f"{inside}/{path.relative_to(root)}"
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_the_package_the_migrations_and_the_contract(wheel: set[str]) -> None:
    metadata = {name for name in wheel if name.startswith(f"fake_convai-{fake_convai.__version__}.dist-info/")}
    shipped = (
        _files("fake_convai", "fake_convai")
        | _files("migrations", "fake_convai/migrations")
        | _files("openapi", "fake_convai/openapi")
    )
    assert wheel - metadata == shipped
    assert {name.partition("/")[2] for name in metadata} >= {"METADATA", "entry_points.txt", "licenses/LICENSE"}


def test_the_changelog_speaks_of_this_version() -> None:
    assert f"## {fake_convai.__version__} " in (ROOT / "CHANGELOG.md").read_text("utf-8")
