"""Access tokens of a LiveKit server, as LiveKit itself verifies them."""

import re
import warnings
from collections.abc import Mapping
from typing import Any

from fake_convai.domain.clock import SECOND

LIFETIME = 6 * 3600
"""Seconds; the default of LiveKit's own libraries."""

MADE_NAME = re.compile(r"convai-[0-9a-f]{8}")
"""What a room is called that nobody named."""


def livekit_room(account_id: int, room_name: str) -> str:
    """What a room is called on the LiveKit server. Names that clients give are their account's own, so that two tests
    that use the same one never meet; those that the fake makes are unique as they are."""
    return room_name if MADE_NAME.fullmatch(room_name) else f"{room_name}~{account_id}"


def participant_token(
    key: str, secret: str, *, identity: str, name: str, room_name: str, now: int, agent: bool = False
) -> str:
    """A token that lets `identity` join `room_name`, talk and listen; `now` in microseconds.

    An `agent` is a participant for whose sake alone a room does not stay open.
    """
    grants = {
        "roomJoin": True,
        "room": room_name,
        "canPublish": True,
        "canSubscribe": True,
        "canPublishData": True,
    }
    claims = {"name": name, "kind": "agent"} if agent else {"name": name}
    return access_token(key, secret, identity=identity, grants=grants, now=now, **claims)


def access_token(key: str, secret: str, *, identity: str, grants: Mapping[str, Any], now: int, **claims: Any) -> str:
    """A token with these grants and further claims; `now` in microseconds."""
    import jwt  # only sessions over LiveKit need it

    issued = now // SECOND
    payload = {"iss": key, "sub": identity, "nbf": issued, "exp": issued + LIFETIME, "video": dict(grants), **claims}
    with warnings.catch_warnings():
        # The secret of a local LiveKit server is "secret", by LiveKit's own choice; older versions do not warn.
        warnings.simplefilter("ignore", getattr(jwt, "InsecureKeyLengthWarning", UserWarning))
        return jwt.encode(payload, secret, algorithm="HS256")
