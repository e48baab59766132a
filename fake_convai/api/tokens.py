"""Temporary access tokens that stand in for an API key (docs/contract.md section 10)."""

from pydantic import Field
from typing_extensions import TypedDict

from fake_convai.api.endpoint import Call, Group
from fake_convai.backend.models import Empty, Id, RequestModel, Timestamp
from fake_convai.backend.surface import Surface
from fake_convai.domain.clock import SECOND, to_iso
from fake_convai.domain.errors import Invalid
from fake_convai.domain.identity import hash_secret
from fake_convai.store import tokens

group = Group("Tokens", Surface.PRODUCTION, access="key")

LIFETIME = 3600 * SECOND
"""An hour from `/user/connect` (docs/contract.md section 10)."""

EXTENSION = 24 * LIFETIME
"""A day from `/user/extend-token`, as Convai's page on temporary access tokens says."""


class TokenRequest(RequestModel):
    """Names a token."""

    token: Id = Field(alias="apiAuthToken")


class NewToken(TypedDict):
    """A token and when it stops working."""

    apiAuthToken: str
    expirationTime: Timestamp


class Extended(TypedDict):
    """The new time at which the token stops working."""

    expirationTime: Timestamp


class Revoked(TypedDict):
    """The call succeeded."""

    status: str


@group.post("/user/connect", source="docs")
async def connect(call: Call, body: Empty) -> NewToken:
    """Get a token that stands in for the API key for an hour; older tokens stay valid."""
    token, expires_at = await call.store.write(tokens.add, LIFETIME)
    return {"apiAuthToken": token, "expirationTime": to_iso(expires_at)}


@group.post("/user/extend-token", source="docs")
async def extend(call: Call, body: TokenRequest) -> Extended:
    """Let a token work for a day from now."""
    expires_at = await call.store.write(tokens.extend, hash_secret(body.token), EXTENSION)
    if expires_at is None:
        raise _unknown()
    return {"expirationTime": to_iso(expires_at)}


@group.post("/user/revoke-token", source="docs")
async def revoke(call: Call, body: TokenRequest) -> Revoked:
    """Stop a token from working; sessions that it opened go on."""
    if not await call.store.write(tokens.revoke, hash_secret(body.token)):
        raise _unknown()
    return {"status": "success"}


def _unknown() -> Invalid:
    return Invalid(
        "Invalid parameter 'apiAuthToken': send a token of this account that has neither expired nor been revoked; "
        "/user/connect gives a new one.",
    )
