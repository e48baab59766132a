"""The documents that the control plane takes, beside the seed: faults and replies. Unknown keys are errors."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, ValidationError

from fake_convai.backend.surface import Surface
from fake_convai.domain import replies
from fake_convai.domain.errors import Invalid
from fake_convai.domain.faults import Fault, Match
from fake_convai.domain.text import normalise_fact

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


class MatchDocument(Document):
    """Which requests a fault happens to."""

    surface: Surface | None = None
    path: Annotated[StrictStr, AfterValidator(_path)] | None = None
    character_id: StrictStr | None = None
    end_user_id: StrictStr | None = None


class FaultDocument(Document):
    """A fault."""

    match: MatchDocument = MatchDocument()
    times: Annotated[StrictInt, Field(ge=1)] | None = 1
    rate: Annotated[float, Field(gt=0, le=1)] | None = None
    status: Annotated[StrictInt, Field(ge=400, le=599)] | None = None
    body: Any = None
    headers: Annotated[dict[StrictStr, StrictStr], AfterValidator(_headers)] = Field(default_factory=dict)
    delay_ms: Annotated[StrictInt, Field(ge=0, le=MAX_DELAY)] = 0
    disconnect: StrictBool = False
    when: Literal["before", "after"] = "before"


class ComparisonDocument(Document):
    """Two facts: one that is there, and one that comes."""

    existing: StrictStr
    new: StrictStr


class ReplyDocument(Document):
    """What to say when something is said."""

    match: Annotated[StrictStr, Field(min_length=1)]
    reply: StrictStr


class RepliesDocument(Document):
    """What characters say; `default` when nothing fits."""

    replies: list[ReplyDocument] = Field(default_factory=list)
    default: StrictStr | None = None


def parse_fault(document: Mapping[str, Any]) -> Fault:
    """A fault from JSON; `Invalid` names the place of what is wrong."""
    try:
        parsed = FaultDocument.model_validate(document)
    except ValidationError as error:
        raise invalid_document("fault", error) from None
    if parsed.status is None and not parsed.disconnect and not parsed.delay_ms:
        raise Invalid("Invalid fault at 'status': send a status, a delay_ms or disconnect, so that something happens.")
    values = parsed.model_dump()
    match = values.pop("match")
    surface = match.pop("surface")
    return Fault(match=Match(surface=None if surface is None else str(surface), **match), **values)


def parse_comparison(document: Mapping[str, Any]) -> dict[str, str]:
    """Two facts from JSON, normalised as they would be stored; `Invalid` names the place of what is wrong."""
    try:
        parsed = ComparisonDocument.model_validate(document)
    except ValidationError as error:
        raise invalid_document("comparison", error) from None
    return {name: normalise_fact(fact) for name, fact in parsed.model_dump().items()}


def parse_replies(document: Mapping[str, Any]) -> dict[str, Any]:
    """Scripted replies from JSON; `Invalid` names the place of what is wrong."""
    try:
        parsed = RepliesDocument.model_validate(document)
    except ValidationError as error:
        raise invalid_document("replies", error) from None
    script = parsed.model_dump()
    try:
        replies.parse_replies(script["replies"])
    except replies.RepliesError as error:
        raise Invalid(f"Invalid replies at {error}.", parameter="replies") from None
    return script


def invalid_document(kind: str, error: ValidationError) -> Invalid:
    """Pydantic's first complaint as an error that names its place."""
    detail = error.errors(include_url=False)[0]
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in detail["loc"]).lstrip(".")
    message = detail["msg"].removeprefix("Value error, ")
    return Invalid(f"Invalid {kind} at '{place or 'the top'}': {message}.", parameter=place)
