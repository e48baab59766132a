"""The one place where errors become answers, each surface in its own shape (docs/contract.md section 2)."""

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import ClientDisconnect

from fake_convai.backend.responses import Answer
from fake_convai.backend.surface import Surface
from fake_convai.domain.errors import (
    Conflict,
    FakeConvaiError,
    Forbidden,
    Invalid,
    NotFound,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
    Unsupported,
)

logger = logging.getLogger("fake_convai")

INVALID_KEY = "Invalid API key provided."
MISSING_KEY = "The request is missing an API key."

INVALID_LIVE_KEY = "Invalid API key"
NOT_GRPC = (
    "This is gRPC, and the fake speaks HTTP with JSON: Unity 3, Web SDK 0.x and the C++ SDK use gRPC, which the vendor "
    "calls deprecated; newer SDKs do not (docs/clients.md)."
)

MISSING_LIVE_KEY = "Authentication required: provide X-API-Key or API-AUTH-TOKEN"

ERROR_MEMBERS = ("ERROR", "API_ERROR", "detail")
"""Where an answer has the message of an error, whichever surface and route it is of."""

_CLIENT_GONE = 499
"""What nginx calls it when the client hung up before it had sent its request."""


class UnprocessableBody(FakeConvaiError):
    """The live surface's 422, with one entry for each thing that is wrong (docs/contract.md section 1)."""

    def __init__(self, details: list[dict[str, Any]]) -> None:
        super().__init__("; ".join(str(detail["msg"]) for detail in details))
        self.details = details


class NotEmulated(FakeConvaiError):
    """The real service has it and the fake does not."""


class OwnRefusal(FakeConvaiError):
    """A refusal whose body is no bare message."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(str(body))
        self.status = status
        self.body = body


class MethodNotAllowed(FakeConvaiError):
    """The path exists, but not for this method."""

    def __init__(self, message: str, allowed: str) -> None:
        super().__init__(message)
        self.allowed = allowed


@dataclass(frozen=True, slots=True)
class Manners:
    """How a route says no: in the shape of its surface, and with members of its own where it has some."""

    surface: Surface
    members: Mapping[int, str] = field(default_factory=dict)
    """The member that holds the message, by status, where it is not the surface's usual one."""
    no_key: str | None = None
    """What is said to a request without a key, where it is not what the surface says."""

    @property
    def missing_key(self) -> str:
        """What is said to a request without a key."""
        return self.no_key or (MISSING_LIVE_KEY if self.surface is Surface.LIVE else MISSING_KEY)

    @property
    def invalid_key(self) -> str:
        """What is said to a key that is not accepted."""
        return INVALID_LIVE_KEY if self.surface is Surface.LIVE else INVALID_KEY

    def body(self, status: int, message: str) -> dict[str, Any]:
        """The body of a refusal."""
        return {self.members.get(status, "detail" if self.surface is Surface.LIVE else "ERROR"): message}

    def answer(self, error: Exception) -> Answer:
        """What to answer to an error. One that nobody expected is logged with its traceback and a reference id."""
        if isinstance(error, ClientDisconnect):
            return Answer(_CLIENT_GONE, {})  # which nobody reads but the journal
        if isinstance(error, UnprocessableBody):
            return Answer(422, {"detail": error.details})
        if isinstance(error, OwnRefusal):
            return Answer(error.status, error.body)
        status = next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), None)
        if status is None or not isinstance(error, FakeConvaiError):
            return self._unexpected(error)
        headers = {}
        if isinstance(error, MethodNotAllowed):
            headers = {"allow": error.allowed}
        elif isinstance(error, TooMany):
            headers = {"retry-after": str(error.retry_after)}
        return Answer(status, self.body(status, error.message), headers)

    def _unexpected(self, error: Exception) -> Answer:
        # The answer alone leaves here: raising it again would only log it twice and end a test client's call.
        reference = str(uuid.uuid4())
        logger.error("Unexpected error, Reference ID %s", reference, exc_info=error)
        message = f"Internal error of fake-convai ({type(error).__name__}); its log has the traceback."
        return Answer(500, {**self.body(500, message), "Reference ID": reference})


_STATUS: Mapping[type, int] = {
    Invalid: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    MethodNotAllowed: 405,
    Conflict: 409,
    TooLarge: 413,
    Unsupported: 415,
    TooMany: 429,
    NotEmulated: 501,
    Unavailable: 503,
}
