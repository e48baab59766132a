"""The house of docs/design.md: who imports whom, module by module, and the picture that shows it."""

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DESIGN = (ROOT / "docs" / "design.md").read_text("utf-8")
ORDER = re.findall(r"^- `(\w+)`: ", DESIGN, re.MULTILINE)
"""The rooms from the entrance down to what knows nothing, as the list has them."""

ARROWS = set(re.findall(r"^ *(\w+) --> (\w+)$", DESIGN, re.MULTILINE))


def _name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {_name(file): file for file in (ROOT / "fake_convai").rglob("*.py")}


def _imports(name: str) -> set[str]:
    """The modules of the package that a module imports, wherever it does: on top, in a function, for types alone."""
    found = set()
    for node in _nodes(MODULES[name]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: imports are absolute"
            found |= {member for alias in node.names if (member := f"{node.module}.{alias.name}") in MODULES} or {
                str(node.module)
            }
    return {module for module in found if module in MODULES and module != "fake_convai"}


def _nodes(file: Path) -> Iterator[ast.AST]:
    """What stands in a file, but for what a package offers under its own name to type checkers alone."""
    for statement in ast.parse(file.read_text("utf-8")).body:
        offers = isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING"
        if not (offers and file.name == "__init__.py"):
            yield from ast.walk(statement)


IMPORTS = {name: _imports(name) for name in MODULES if name not in ("fake_convai", "fake_convai.__main__")}


def _room(module: str) -> str:
    return module.split(".")[1]


def test_every_room_is_in_the_list_once() -> None:
    assert sorted(ORDER) == sorted({_room(name) for name in IMPORTS})


def test_no_modules_import_each_other_in_a_circle() -> None:
    try:
        TopologicalSorter(IMPORTS).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_no_module_imports_one_of_a_room_above() -> None:
    upward = [
        f"{name} -> {imported}"
        for name, imports in IMPORTS.items()
        for imported in imports
        if ORDER.index(_room(imported)) < ORDER.index(_room(name))
    ]
    assert upward == []


def test_the_picture_shows_the_imports() -> None:
    """An arrow is an import, and every import can be followed along arrows."""
    real = {(_room(name), _room(imported)) for name, imports in IMPORTS.items() for imported in imports}
    assert {arrow for arrow in ARROWS if arrow not in real} == set()
    assert {(room, below) for room, below in real if room != below and below not in _reached(room)} == set()


def test_the_files_of_the_way_are_there() -> None:
    way = DESIGN.partition("## The way of a request")[2].partition("\n## ")[0]
    files = re.findall(r"`([\w/]+\.py|[\w/]+/)`", way)
    assert len(files) > 15
    assert [file for file in files if not (ROOT / "fake_convai" / file).exists()] == []


def _reached(room: str) -> set[str]:
    below = {head for tail, head in ARROWS if tail == room}
    return below.union(*map(_reached, below))
