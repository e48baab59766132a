"""Faults as the control plane takes them."""

import re
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, Field, StrictBool, StrictInt, StrictStr, model_validator

from fake_convai.backend.surface import Surface
from fake_convai.control.documents import MAX_DELAY, Document
from fake_convai.domain.faults import Deed, Fault, Match

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")
_FRAMING = {"connection", "content-length", "transfer-encoding"}


def _path(path: str) -> str:
    surface, _, rest = path[1:].partition("/")
    if not path.startswith("/"):
        raise ValueError("send a path such as /memory/add")
    if surface in set(Surface):
        raise ValueError(f"a path is without its surface: send the surface {surface} and the path /{rest}")
    return path


def _headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or name.lower() in _FRAMING:
            raise ValueError(f"{name!r} cannot be set")
        if not _HEADER_VALUE.fullmatch(value):
            raise ValueError(f"the value of {name!r} cannot be sent: send printable ASCII")
    return {name.lower(): value for name, value in headers.items()}


Path = Annotated[StrictStr, AfterValidator(_path)]
"""A path without its surface."""

Headers = Annotated[dict[StrictStr, StrictStr], AfterValidator(_headers)]
"""Headers that can be sent, by lower-case name."""


class MatchDocument(Document):
    """Selects the requests that a fault happens to."""

    surface: Surface | None = None
    path: Path | None = None
    character_id: StrictStr | None = None
    end_user_id: StrictStr | None = None


class AtDocument(Document):
    """Selects the place in a stream where a fault happens: at the nth event of a type, or at a byte."""

    event: Annotated[StrictStr, Field(min_length=1)] | None = None
    nth: Annotated[StrictInt, Field(ge=1)] = 1
    bytes: Annotated[StrictInt, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _is_one_place(self) -> Self:
        if (self.event is None) == (self.bytes is None):
            raise ValueError('send {"event": "bot-llm-text", "nth": 2} or {"bytes": 700}')
        return self


Milliseconds = Annotated[int | float, Field(ge=0, le=MAX_DELAY)]


class Between(Document):
    """A delay between two bounds."""

    min: Milliseconds
    max: Milliseconds

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.min > self.max:
            raise ValueError("min must not be above max")
        return self


class Around(Document):
    """A delay around a mean."""

    mean: Milliseconds
    deviation: Milliseconds


class FaultDocument(Document):
    """A fault."""

    kind = "fault"

    match: MatchDocument = Field(default_factory=MatchDocument)
    times: Annotated[StrictInt, Field(ge=1)] | None = 1
    rate: Annotated[float, Field(gt=0, le=1)] | None = None
    status: Annotated[StrictInt, Field(ge=400, le=599)] | None = None
    body: Any = None
    headers: Headers = Field(default_factory=dict)
    delay_ms: Annotated[StrictInt, Field(ge=0, le=MAX_DELAY)] | Between | Around = 0
    disconnect: StrictBool = False
    when: Literal["before", "after"] = "before"
    at: AtDocument | None = None
    do: Deed | None = None
    bytes_per_second: Annotated[StrictInt, Field(ge=1)] | None = None
    handshake: Annotated[StrictInt, Field(ge=400, le=599)] | None = None

    def fault(self) -> Fault:
        """The fault; `Invalid` for members that do not go together, and when nothing would happen."""
        contradiction = self._contradiction()
        if contradiction is not None:
            raise self.wrong(*contradiction)
        match = self.match.model_dump(exclude_none=True)
        given = self.model_dump(exclude={"match", "at"})
        at = None if self.at is None else self.at.model_dump(exclude_unset=True)
        return Fault(match=Match(**{name: str(value) for name, value in match.items()}), at=at, **given)

    def _contradiction(self) -> tuple[str, str] | None:
        """The first member that does not go with the others, and what to do about it."""
        answers = self.status is not None or self.disconnect
        if self.do is not None and answers:
            return "do", "leave status and disconnect out: do happens inside a stream, they instead of one"
        if self.do is None and self.at is not None:
            return "at", f"send with it what to do there: {', '.join(get_args(Deed))}"
        if (self.do == "trickle") != (self.bytes_per_second is not None):
            return "bytes_per_second", 'it goes with "do": "trickle", which needs it'
        if self.do == "stall" and not self.delay_ms:
            return "delay_ms", "say how long to stall"
        if self.handshake is not None:
            return self._bad_handshake(answers)
        if self.body is not None and self.status is None and self.do != "error":
            return "body", 'it goes with a status, a handshake, or "do": "error"'
        if not answers and self.do is None and not self.delay_ms:
            return "status", "send a status, a delay_ms, disconnect, do or handshake, so that something happens"
        return None

    def _bad_handshake(self, answers: bool) -> tuple[str, str] | None:
        if answers or self.do is not None:
            return "handshake", "leave status, disconnect and do out: it refuses a WebSocket before they could happen"
        if self.match.path not in (None, "/chat") or self.match.surface not in (None, Surface.LIVE):
            return "match", "only /chat on the live surface has a handshake"
        return None
