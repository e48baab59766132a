"""The documents that the control plane takes, beside the seed: faults and replies. Unknown keys are errors."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, ValidationError

from fake_convai.backend.surface import Surface
from fake_convai.domain import replies
from fake_convai.domain.errors import Invalid
from fake_convai.domain.faults import Fault, Match

MAX_DELAY = 600_000
"""Milliseconds; a test that waits longer has lost its way."""


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


class Document(BaseModel):
    """A document of the control plane. An unknown key is an error: it is a slip of the pen."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: ClassVar[str] = "document"

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """From JSON; `Invalid` names the place of what is wrong."""
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            detail = error.errors(include_url=False)[0]
            place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in detail["loc"]).lstrip(".")
            raise cls.wrong(place or "the top", detail["msg"].removeprefix("Value error, ")) from None

    @classmethod
    def wrong(cls, place: str, message: str) -> Invalid:
        """The error for what is wrong at a place."""
        return Invalid(f"Invalid {cls.kind} at '{place}': {message}.")


class MatchDocument(Document):
    """Which requests a fault happens to."""

    surface: Surface | None = None
    path: Annotated[StrictStr, AfterValidator(_path)] | None = None
    character_id: StrictStr | None = None
    end_user_id: StrictStr | None = None


class FaultDocument(Document):
    """A fault."""

    kind = "fault"

    match: MatchDocument = MatchDocument()
    times: Annotated[StrictInt, Field(ge=1)] | None = 1
    rate: Annotated[float, Field(gt=0, le=1)] | None = None
    status: Annotated[StrictInt, Field(ge=400, le=599)] | None = None
    body: Any = None
    headers: Annotated[dict[StrictStr, StrictStr], AfterValidator(_headers)] = Field(default_factory=dict)
    delay_ms: Annotated[StrictInt, Field(ge=0, le=MAX_DELAY)] = 0
    disconnect: StrictBool = False
    when: Literal["before", "after"] = "before"

    def fault(self) -> Fault:
        """The fault; `Invalid` when nothing would happen."""
        if self.status is None and not self.disconnect and not self.delay_ms:
            raise self.wrong("status", "send a status, a delay_ms or disconnect, so that something happens")
        values = self.model_dump()
        match = values.pop("match")
        surface = match.pop("surface")
        return Fault(match=Match(surface=None if surface is None else str(surface), **match), **values)


class ComparisonDocument(Document):
    """Two facts: one that is there, and one that comes."""

    kind = "comparison"

    existing: StrictStr
    new: StrictStr


class ReplyDocument(Document):
    """What to say when something is said."""

    match: Annotated[StrictStr, Field(min_length=1)]
    reply: StrictStr


class RepliesDocument(Document):
    """What characters say; `default` when nothing fits."""

    kind = "replies"

    replies: list[ReplyDocument] = Field(default_factory=list)
    default: StrictStr | None = None

    def script(self) -> dict[str, Any]:
        """The replies as they are kept; `Invalid` for an expression that is none."""
        script = self.model_dump()
        try:
            replies.parse_replies(script["replies"])
        except replies.RepliesError as error:
            raise Invalid(f"Invalid {self.kind} at {error}.") from None
        return script
