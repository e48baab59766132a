"""The cursor of the end-user list: opaque, signed, for one account and its filters (docs/contract.md section 5)."""

import base64
import binascii
import hashlib
import hmac
import struct
from dataclasses import dataclass

from fake_convai.domain.errors import Invalid

_POSITION = struct.Struct(">QQ")
_SIGNATURE_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Filters:
    """What an end-user list is narrowed to; moments in microseconds, both exclusive."""

    active_after: int | None = None
    active_before: int | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the walk stands.

    `after` is the sequence number of the last record handed out. `horizon` is the newest session there was when the
    walk began: filters look no further, so a session that happens during the walk moves nobody out of it.
    """

    after: int
    horizon: int


def encode(cursor: Cursor, *, account_id: int, filters: Filters, secret: str) -> str:
    """The cursor as text that is safe in JSON and in a URL."""
    position = _POSITION.pack(cursor.after, cursor.horizon)
    signed = position + _sign(position, account_id, filters, secret)
    return base64.urlsafe_b64encode(signed).decode("ascii").rstrip("=")


def decode(text: str, *, account_id: int, filters: Filters, secret: str) -> Cursor:
    """The reverse of `encode`; raises `Invalid` for a cursor that was forged or made for another list."""
    try:
        signed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        signed = b""
    position, signature = signed[: _POSITION.size], signed[_POSITION.size :]
    if len(position) < _POSITION.size or not hmac.compare_digest(
        signature, _sign(position, account_id, filters, secret)
    ):
        raise Invalid(
            "Invalid parameter 'cursor': send the next_cursor of the previous page, with the same API key and the "
            "same active_after and active_before, or leave it out to start again.",
        )
    return Cursor(*_POSITION.unpack(position))


def _sign(position: bytes, account_id: int, filters: Filters, secret: str) -> bytes:
    bound = f"{account_id}|{filters.active_after}|{filters.active_before}|".encode() + position
    return hmac.digest(secret.encode("ascii"), bound, hashlib.sha256)[:_SIGNATURE_LENGTH]
