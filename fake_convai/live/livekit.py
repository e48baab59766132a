"""The access token of a LiveKit room, as LiveKit itself verifies it."""

import warnings

from fake_convai.domain.clock import SECOND

LIFETIME = 6 * 3600
"""Seconds; the default of LiveKit's own libraries."""


def participant_token(key: str, secret: str, *, identity: str, name: str, room_name: str, now: int) -> str:
    """A token that lets `identity` join `room_name`, talk and listen; `now` in microseconds."""
    import jwt  # only sessions over LiveKit need it

    issued = now // SECOND
    claims = {
        "iss": key,
        "sub": identity,
        "name": name,
        "nbf": issued,
        "exp": issued + LIFETIME,
        "video": {
            "roomJoin": True,
            "room": room_name,
            "canPublish": True,
            "canSubscribe": True,
            "canPublishData": True,
        },
    }
    with warnings.catch_warnings():
        # The secret of a local LiveKit server is "secret", by LiveKit's own choice.
        warnings.simplefilter("ignore", jwt.InsecureKeyLengthWarning)
        return jwt.encode(claims, secret, algorithm="HS256")
