"""The journal of a test's account as text, for the report of a test that failed."""

import json
from collections.abc import Iterator
from typing import Any

from fake_convai.control.client import ControlError
from fake_convai.testing.handle import FakeConvai
from fake_convai.testing.records import Request

MOST = 50
"""Requests shown, the last ones."""

WIDTH = 500
"""Characters of a body that are shown."""


def journal_text(fake: FakeConvai) -> str:
    """What the account was asked and what it answered, or that nothing was asked."""
    try:
        requests = fake.requests()
    except ControlError as error:
        return f"The journal cannot be read: {error}"
    if not requests:
        return f"No request reached {fake.url} with the API key of this test (it ends in {fake.api_key[-4:]})."
    left_out = len(requests) - MOST
    lines = [f"({left_out} earlier requests)"] if left_out > 0 else []
    for request in requests[-MOST:]:
        lines += _lines(request)
    return "\n".join(lines)


def _lines(request: Request) -> Iterator[str]:
    yield f"{request.method} /{request.surface}{request.path} -> {request.status} ({request.duration_ms:.1f} ms)"
    for name in ("body", "response", "fault", "unknown_fields", "violations", "explanations"):
        value = getattr(request, name)
        if value not in (None, [], {}, ""):
            yield f"    {name}: {_short(value)}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= WIDTH else f"{text[:WIDTH]}... ({len(text)} characters)"
