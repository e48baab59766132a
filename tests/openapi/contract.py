"""Holding an answer of the server against its document, more strictly than the document itself: no member too many."""

import json
from typing import Any

import httpx2 as httpx
import jsonschema_rs

from fake_convai.api.published import published
from fake_convai.backend.surface import Surface

JSON, EVENTS = "application/json", "text/event-stream"


def problems(surface: Surface, method: str, path: str, response: httpx.Response) -> list[str]:
    """What an answer has that its document does not say, or lacks that it does."""
    document = published(surface)
    declared = document["paths"][path][method.lower()]["responses"].get(str(response.status_code))
    if declared is None:
        return [f"status {response.status_code}"]
    if "$ref" in declared:
        declared = document["components"]["responses"][declared["$ref"].rpartition("/")[2]]
    kind = response.headers["content-type"].partition(";")[0]
    content = declared["content"].get(kind)
    if content is None:
        return [f"content type {kind}"]
    missing = [f"header {name}" for name in declared.get("headers", ()) if name not in response.headers]
    if kind == EVENTS:
        lines = [line.removeprefix("data: ") for line in response.text.splitlines() if line]
        return missing + [one for line in lines for one in departures(document, content["x-item-schema"], line)]
    return missing + departures(document, content["schema"], response.text)


def departures(document: dict[str, Any], schema: dict[str, Any], text: str) -> list[str]:
    """How JSON departs from a schema of a document."""
    return value_departures(document, schema, json.loads(text))


def value_departures(document: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    """How a value departs from a schema of a document whose objects have no members but the declared ones."""
    whole = {**schema, "components": document["components"]}
    validator = jsonschema_rs.Draft202012Validator(_closed(whole), validate_formats=True)
    return [f"{'.'.join(map(str, error.instance_path))}: {error.message}" for error in validator.iter_errors(value)]


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(member) for member in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(member) for name, member in schema.items()}
    if schema.get("type") == "object" and "additionalProperties" not in schema:
        closed["additionalProperties"] = False
    return closed
