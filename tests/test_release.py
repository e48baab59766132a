"""What is shipped: the sdist is enough to make the wheel and run the tests, and the wheel is enough to work with."""

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

import httpx
import pytest

import fake_convai

ROOT = Path(__file__).parent.parent
NAME = f"fake_convai-{fake_convai.__version__}"


@dataclass(frozen=True)
class Release:
    """What `python -m build` makes: the sdist, and from it the wheel."""

    sdist: Path
    wheel: Path


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """Both, built as CONTRIBUTING.md says, but with the build tools that are here."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT))
    return Release(folder / f"{NAME}.tar.gz", folder / f"{NAME}-py3-none-any.whl")


@pytest.fixture(scope="module")
def installed(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a new environment with the wheel; what the wheel needs is lent by the one that runs the tests."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, symlinks=True)
    programs = folder / "bin"
    site = run(str(programs / "python"), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    # A plain path: the .pth files over there, and with them the editable installation, are not followed.
    Path(site, "lent.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    options = ("--no-deps", "--no-index", "--ignore-installed", "--quiet", "--disable-pip-version-check")
    run(sys.executable, "-m", "pip", "--python", str(programs / "python"), "install", *options, str(release.wheel))
    where = run(str(programs / "python"), "-c", "import fake_convai; print(fake_convai.__file__)", cwd=folder)
    assert Path(where.strip()).parent == Path(site, "fake_convai")
    return programs


def run(*command: str, cwd: Path | None = None) -> str:
    """What a command prints that has to succeed; settings and plugins of this test run are none of its business."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("FAKE_CONVAI_", "PY"))}
    done = subprocess.run(command, cwd=cwd, env=inherited, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _files(folder: str, inside: str) -> set[str]:
    """The files of a folder of the repository, as they are to be named in the archive."""
    root = ROOT / folder
    return {
        f"{inside}/{path.relative_to(root).as_posix()}"
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_the_package_the_migrations_and_the_contract(release: Release) -> None:
    with zipfile.ZipFile(release.wheel) as archive:
        wheel = set(archive.namelist())
    metadata = {name for name in wheel if name.startswith(f"{NAME}.dist-info/")}
    shipped = (
        _files("fake_convai", "fake_convai")
        | _files("migrations", "fake_convai/migrations")
        | _files("openapi", "fake_convai/openapi")
    )
    assert wheel - metadata == shipped
    assert {name.partition("/")[2] for name in metadata} >= {"METADATA", "entry_points.txt", "licenses/LICENSE"}


def test_the_sdist_holds_what_the_tests_need_and_nothing_that_was_made(release: Release) -> None:
    with tarfile.open(release.sdist) as archive:
        sdist = {name.partition("/")[2] for name in archive.getnames()}
    folders = ("fake_convai", "migrations", "openapi", "tests", "docs", "benchmarks")
    files = set().union(*(_files(folder, folder) for folder in folders))
    assert files <= sdist
    top = {name.partition("/")[0] for name in sdist - files}
    wanted = {"pyproject.toml", "constraints.txt", "Makefile", "Dockerfile", "docker-compose.yml", ".dockerignore"}
    assert top >= wanted | {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"}
    assert top.isdisjoint({".venv", ".clients", ".git", "dist", ".coverage"})


def test_the_command_works_where_the_wheel_is_installed(installed: Path, tmp_path: Path) -> None:
    command = str(installed / "fake-convai")
    assert run(command, "--version", cwd=tmp_path) == f"fake-convai {fake_convai.__version__}\n"
    # A database in a file needs the migrations, the page its assets, and the contract the documents.
    options = ("serve", "--port", "0", "--demo", "--database", str(tmp_path / "fake.db"))
    with subprocess.Popen([command, *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            url = process.stdout.readline().split()[-1]
            health = httpx.get(f"{url}/_fake/health")
            assert (health.status_code, health.json()) == (200, {"status": "ready", "version": fake_convai.__version__})
            assert httpx.get(f"{url}/_fake/assets/main.js").status_code == 200
            assert httpx.get(f"{url}/_fake/openapi/beta.json").json()["openapi"].startswith("3.1")
        finally:
            process.terminate()


def test_the_plugin_registers_where_the_wheel_is_installed(installed: Path, tmp_path: Path) -> None:
    test = "def test_it(fake_convai):\n    assert fake_convai.end_users() == []\n"
    (tmp_path / "test_it.py").write_text(test, "utf-8")
    others = {"cacheprovider", *(plugin.name for plugin in entry_points(group="pytest11"))} - {"fake_convai"}
    without = [f"-pno:{name}" for name in others]  # they take seconds to import
    printed = run(str(installed / "python"), "-m", "pytest", "-q", *without, cwd=tmp_path)
    assert "1 passed" in printed


def test_the_changelog_speaks_of_this_version() -> None:
    assert f"## {fake_convai.__version__} " in (ROOT / "CHANGELOG.md").read_text("utf-8")
