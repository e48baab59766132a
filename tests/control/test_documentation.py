"""The pages have every route of the control plane, and the examples of docs/control-plane.md are true.

tests/test_docs.py runs the console blocks.
"""

import json
import re
from pathlib import Path
from typing import get_args

from pydantic import BaseModel

from fake_convai.control.routes import ROUTES
from fake_convai.control.seed_document import SeedDocument
from fake_convai.domain.faults import Fault, Match
from tests.conftest import Api
from tests.control.driving import Control

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "control-plane.md").read_text("utf-8")


def blocks(language: str, page: str = PAGE) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def examples() -> set[str]:
    """Method and path of every request to the control plane that the pages show."""
    shown = set()
    pages = [path.read_text("utf-8") for path in sorted(DOCS.glob("*.md"))]
    for line in "".join(block for page in pages for block in blocks("console", page)).replace("\\\n", "").splitlines():
        path = re.search(r"localhost:2668(/_fake[^ '?]*)", line)
        if path is not None:
            method = re.search(r" -X ([A-Z]+) ", line)
            shown.add(f"{method[1] if method else 'POST' if ' -d ' in line else 'GET'} {path[1]}")
    return shown


def test_every_route_has_an_example() -> None:
    """Or follows from the head of the page: where something is set, GET shows it and DELETE clears it."""
    shown = examples()
    paths = {one.partition(" ")[2] for one in shown}
    for route in ROUTES:
        path = re.sub(r"{[a-z]+}", "[a-z]+", route.path_format)
        told = any(re.fullmatch(path, one) for one in paths)
        for method in (route.methods or set()) - {"HEAD"}:
            alike = told and method in {"GET", "DELETE"}
            assert alike or any(re.fullmatch(f"{method} {path}", one) for one in shown) or "openapi" in path, path


def test_every_member_of_a_seed_is_there() -> None:
    parts = PAGE.partition("All there is")[2].partition("\n\n")[2].partition("\n\n")[0].replace("\n ", "")
    for part, field in SeedDocument.model_fields.items():
        (row,) = re.findall(rf"^- `{part}(?:\[\])?`(.*)$", parts, re.MULTILINE)
        model = next(iter(get_args(field.annotation)), field.annotation)
        assert isinstance(model, type)
        assert issubclass(model, BaseModel)
        for name, member in model.model_fields.items():
            assert re.search(rf"\b{member.alias or name}\b", row), (part, name)


def test_every_member_of_a_fault_is_there() -> None:
    members = PAGE.partition("## Faults")[2].partition("## Stubs")[0]
    for name in {*Fault.__dataclass_fields__, *Match.__dataclass_fields__} - {"reference_id", "waits_ms", "seq"}:
        assert name == "match" or f"`{name}`" in members


def test_the_seed_is_one(control: Control) -> None:
    assert control.ok("POST", "/seed", json.loads(blocks("json")[0]))["status"] == "seeded"


def test_the_journal_looks_like_that(api: Api, control: Control) -> None:
    (shown,) = json.loads(blocks("json")[1])["requests"]
    control.freeze(shown["at"])
    control.ok("POST", "/seed", {"characters": [{"character_id": "npc"}]})
    added = api.ok("/beta/memory/add", shown["body"])["memories"][0]["id"]
    entry = json.loads(json.dumps(control.requests()[0]).replace(added, "0c0ffee0-0000-4000-8000-000000000000"))
    assert entry["headers"].keys() == shown["headers"].keys()
    assert {**entry, **{name: shown[name] for name in ("duration_ms", "trace_id", "headers", "account")}} == shown
