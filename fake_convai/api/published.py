"""Where the committed OpenAPI documents lie: beside the package in a clone, inside it in an installation."""

from functools import cache
from pathlib import Path
from typing import Any

import orjson

from fake_convai.backend.surface import Surface


def folder() -> Path:
    """The folder of the documents."""
    package = Path(__file__).parent.parent
    inside = package / "openapi"
    return inside if inside.is_dir() else package.parent / "openapi"


DOCUMENTS = (*Surface, "control")
"""The names of the documents."""


@cache
def published(name: str) -> dict[str, Any]:
    """The document of a surface, or of the control plane, as it was committed."""
    document: dict[str, Any] = orjson.loads((folder() / f"{name}.json").read_bytes())
    return document
