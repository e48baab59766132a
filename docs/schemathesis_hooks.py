"""What no schema can say of JSON at any depth: integers have 64 bits, and there are at most 64 levels."""

from typing import Any

import schemathesis

MAX_DEPTH = 64


@schemathesis.hook
def filter_body(context: schemathesis.HookContext, body: Any) -> bool:
    """Leave out bodies with what the server refuses because it could not be stored."""
    return _storable(body)


def _storable(value: Any, depth: int = 1) -> bool:
    if isinstance(value, dict):
        return all(_storable(member, depth + 1) for member in value.values())
    if isinstance(value, list):
        return all(_storable(member, depth + 1) for member in value)
    return depth <= MAX_DEPTH and not (isinstance(value, int) and abs(value) >= 2**63)
