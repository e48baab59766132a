"""YAML in place of JSON, which people can write."""

from typing import Any

import orjson
from starlette.requests import Request

from fake_convai.backend.body import media_type, parse_object, read_body
from fake_convai.domain.errors import Invalid
from fake_convai.domain.long_work import aside

MAX_YAML = 256 * 1024
"""Bytes: reading it takes much longer than JSON does."""

MOST_VALUES = 1_000_000
"""Values that aliases may unfold to."""


def is_yaml(request: Request) -> bool:
    """Whether a request says that its body is YAML."""
    return media_type(request) in ("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml")


async def read_yaml(request: Request) -> dict[str, Any]:
    """The object in a body, by the rules for JSON; anything else is `Invalid`."""
    body = await read_body(request, MAX_YAML)
    return await aside(lambda: _parse(body))


def _parse(body: bytes) -> dict[str, Any]:
    try:
        return parse_object(yaml_to_json(body.decode("utf-8-sig")))
    except RecursionError:
        raise Invalid("The request body is nested too deeply.") from None
    except (ValueError, TypeError) as error:
        raise Invalid(f"The request body must be YAML: {' '.join(str(error).split())}.") from None


def yaml_to_json(text: str) -> bytes:
    """JSON of the same meaning; `ValueError`, `TypeError` or `RecursionError` when there is none."""
    import yaml

    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None
    _refuse_bulk(document, max(len(text), MOST_VALUES))
    return orjson.dumps(document)


def _refuse_bulk(document: Any, most: int) -> None:
    """Count the values; where aliases name aliases, a few lines hold more of them than any memory."""
    waiting = [document]
    while waiting:
        value = waiting.pop()
        most -= 1
        if most < 0:
            raise ValueError("its aliases unfold to too much: write it out")
        if isinstance(value, dict | list):
            waiting.extend(value.values() if isinstance(value, dict) else value)
