"""The one place where errors become answers, each surface in its own shape (CONTRACT.md section 2)."""

import logging
import uuid
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
)

logger = logging.getLogger("fake_convai")

INVALID_KEY = "Invalid API key provided."
MISSING_KEY = "The request is missing an API key."

INVALID_LIVE_KEY = "Invalid API key"
MISSING_LIVE_KEY = "Authentication required: provide X-API-Key or API-AUTH-TOKEN"

_CLIENT_GONE = 499
"""What nginx calls it when the client hung up before it had sent its request."""

_STATUS: dict[type[FakeConvaiError], int] = {
    Invalid: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    TooLarge: 413,
    TooMany: 429,
    Unavailable: 503,
}


class UnprocessableBody(FakeConvaiError):
    """The live surface's 422, with one entry for each thing that is wrong (CONTRACT.md section 1, D)."""

    def __init__(self, details: list[dict[str, Any]]) -> None:
        super().__init__("; ".join(str(detail["msg"]) for detail in details))
        self.details = details


class MethodNotAllowed(FakeConvaiError):
    """The path exists, but not for this method."""

    def __init__(self, message: str, allowed: str) -> None:
        super().__init__(message)
        self.allowed = allowed


def error_answer(error: Exception, surface: Surface, *, unauthorized_key: str = "ERROR") -> Answer:
    """What to answer to an error. An error that nobody expected is logged with its traceback and a reference id."""
    if isinstance(error, ClientDisconnect):
        return Answer(_CLIENT_GONE, {})  # which nobody reads but the journal
    if not isinstance(error, FakeConvaiError):
        return _unexpected(error, surface)
    if isinstance(error, UnprocessableBody):
        return Answer(422, {"detail": error.details})
    if isinstance(error, MethodNotAllowed):
        return Answer(405, _body(error.message, surface), {"allow": error.allowed})
    status = next(code for kind, code in _STATUS.items() if isinstance(error, kind))
    if status == 401:
        return Answer(401, _body(error.message, surface, unauthorized_key))
    headers = {"retry-after": str(error.retry_after)} if isinstance(error, TooMany) else {}
    return Answer(status, _body(error.message, surface), headers)


def _unexpected(error: Exception, surface: Surface) -> Answer:
    # The answer alone leaves here: raising it again would only log it twice and end a test client's call.
    reference = str(uuid.uuid4())
    logger.error("Unexpected error, Reference ID %s", reference, exc_info=error)
    message = f"Internal error of fake-convai ({type(error).__name__}); its log has the traceback."
    return Answer(500, {**_body(message, surface), "Reference ID": reference})


def _body(message: str, surface: Surface, key: str = "ERROR") -> dict[str, Any]:
    return {"detail" if surface is Surface.LIVE else key: message}
