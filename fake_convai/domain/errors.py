"""What can go wrong, as the domain says it; `backend.errors` alone knows which HTTP status each one becomes.

FakeConvaiError
├── Invalid          a parameter is missing or wrong
├── Unauthenticated  no key, or one that is not accepted
├── Forbidden        somebody else's, or not in the plan
├── NotFound         no such character, end user, memory, ...
├── Conflict         clashes with what is there
├── TooLarge         more than the fake takes in one request
├── Unsupported      a body that is packed in an unknown way
├── TooMany          a limit on how much at once is reached
└── Unavailable      the database does not answer
"""

RATE_LIMITED = "API rate limit exceeded. Please try again later."
"""What Convai says with a 429 (docs/contract.md section 2)."""


class CannotBeDone(Exception):
    """What somebody asked for cannot be done; the message is one line that says why, and what to do instead."""


class FakeConvaiError(CannotBeDone):
    """Base of every error that has a message meant for the person who runs the client."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Invalid(FakeConvaiError):
    """A parameter is missing or wrong."""


class Unauthenticated(FakeConvaiError):
    """No key was sent, or one that is not accepted."""


class Forbidden(FakeConvaiError):
    """The thing exists but belongs to another account, or the plan does not include the call."""


class NotFound(FakeConvaiError):
    """No such character, end user, memory, session or route."""


class Conflict(FakeConvaiError):
    """The request clashes with what is already there."""


class TooLarge(FakeConvaiError):
    """The body is over the limit."""


class Unsupported(FakeConvaiError):
    """The body is packed in a way that is not read."""


class TooMany(FakeConvaiError):
    """A limit is reached; `retry_after` is in seconds."""

    def __init__(self, message: str, *, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(FakeConvaiError):
    """The database does not answer; trying again later may help."""
