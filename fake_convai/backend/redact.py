"""Hiding secrets in what is kept of a request: by the name of the member that holds them."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from starlette.datastructures import UploadFile

from fake_convai.backend.body import MAX_DEPTH, UNSTORABLE
from fake_convai.domain.identity import last_four

_SECRET = re.compile(r".*(token|api[-_]?key)|(proxy-)?authorization|client[-_]?secret", re.IGNORECASE)
"""Names whose value is hidden: `apiAuthToken`, `access_token`, `X-API-Key` and the like."""

_IN_TEXT = re.compile(
    r"""(?P<before>(?<![A-Za-z])[\w-]{0,40}?(?:token|api[-_]?key|authorization)["']?\s{0,3}[:=]\s{0,3}"""
    r"""(?:bearer\s{1,3})?["']?)(?P<secret>[^\s"'&;,<>{}\[\]]+)""",
    re.IGNORECASE,
)
"""The same in a text that is no JSON: `apiKey=...`, or half a JSON document."""


def is_secret(name: str) -> bool:
    """Whether a member, header or parameter of this name holds a key or a token."""
    return _SECRET.fullmatch(name) is not None


def redacted_text(text: str, hide: Callable[[str], str]) -> str:
    """A text that is no JSON without the keys and tokens in it that stand behind their names."""
    return _IN_TEXT.sub(lambda found: found["before"] + hide(found["secret"]), text)


def by_last_four(secret: Any) -> str:
    """What is shown of a secret."""
    return f"...{last_four(str(secret))}"


def redacted(value: Any, hide: Callable[[Any], Any] = by_last_four, depth: int = 1) -> Any:
    """A JSON value, or the fields of a form, as it may be kept: `hide` says what stands in place of a secret.

    Uploaded files become a remark, and characters that cannot be stored another character.
    """
    if depth > MAX_DEPTH:
        return "(nested too deeply, not kept)"
    if isinstance(value, Mapping):
        return {
            storable(name): hide(member) if member and is_secret(name) else redacted(member, hide, depth + 1)
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [redacted(member, hide, depth + 1) for member in value]
    if isinstance(value, UploadFile):
        return f"(file {value.filename}, {value.size} bytes)"
    return storable(value) if isinstance(value, str) else value


def storable(text: str) -> str:
    """The text without what cannot be stored, which a path (%00) or a refused body may hold."""
    return UNSTORABLE.sub("\ufffd", text)
