"""Who a request is about: end-user ids, accounts behind keys, metadata (docs/contract.md sections 1, 3 and 5)."""

import hashlib
from collections.abc import Mapping
from typing import Any

MAX_END_USER_ID = 512
"""Characters; any non-blank string up to here works as an id (docs/contract.md section 3; the bound is assumed)."""

REFUSED_KEY_PREFIX = "invalid"
"""Keys that start so are always refused, so that a client's 401 handling can be tried on any server."""


def normalise_end_user_id(raw: str | None) -> str | None:
    """Strip the id; an empty or blank one is None, which means an anonymous session (docs/contract.md section 3)."""
    return (raw or "").strip() or None


def partition_name(speaker_id: str, character_id: str) -> str:
    """The name under which one person's memories with one character are kept (docs/contract.md section 3)."""
    return f"{speaker_id}:{character_id}"


def hash_secret(secret: str) -> str:
    """What is stored in place of a key or token. People paste real ones, so the plain text is never kept."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def last_four(secret: str) -> str:
    """What is shown of a key: its last four characters, and of a very short one none at all."""
    return secret[-4:] if len(secret) >= 8 else ""


def patch_metadata(stored: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """Keys not in the patch stay (docs/contract.md section 5); a null value removes its key (assumed)."""
    return {key: value for key, value in {**stored, **patch}.items() if value is not None}
