"""Stubs as the control plane takes them."""

import base64
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, StrictInt, StrictStr, model_validator

from fake_convai.backend.stubs import describe
from fake_convai.backend.surface import Surface
from fake_convai.control.documents import MAX_DELAY, Document
from fake_convai.control.fault_document import Headers, Path
from fake_convai.domain.stubs import StubMatch
from fake_convai.store.stubs import Stub

MAX_STUBS = 1000
"""Of an account: each request is held against all of them."""


def _pattern(path: str) -> str:
    *before, last = path.split("/")
    if any("*" in part for part in before) or (last != "*" and "*" in last):
        raise ValueError("a * stands for all that follows: send it as the last part of the path, alone")
    return path


def _base64(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        raise ValueError("send base64") from None
    return text


class StubMatchDocument(Document):
    """Selects the requests that a stub answers."""

    path: Annotated[Path, AfterValidator(_pattern)]
    surface: Surface | None = None
    method: Annotated[StrictStr, Field(pattern="^[A-Za-z]{1,20}$"), AfterValidator(str.upper)] | None = None
    body: dict[StrictStr, Any] | None = None


class StubDocument(Document):
    """A stub: the answer has one of `body`, which is JSON, `text` and `base64`, or none of them."""

    kind = "stub"

    match: StubMatchDocument
    status: Annotated[StrictInt, Field(ge=200, le=599)] = 200
    body: Any = None
    text: StrictStr | None = None
    base64: Annotated[StrictStr, AfterValidator(_base64)] | None = None
    headers: Headers = Field(default_factory=dict)
    delay_ms: Annotated[StrictInt, Field(ge=0, le=MAX_DELAY)] = 0
    times: Annotated[StrictInt, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        if len(self.model_fields_set & {"body", "text", "base64"}) > 1:
            raise ValueError("send one of body, text and base64")
        return self

    def stub(self) -> Stub:
        """The stub as it is kept: of the answer, what was given."""
        match = self.match.model_dump(mode="json")
        answer = self.model_dump(mode="json", exclude={"match", "times"}, exclude_unset=True)
        return Stub(StubMatch(**match), {"status": self.status, **answer}, self.times)


class StubsDocument(Document):
    """The stubs of an account, in the order in which they are tried."""

    kind = "stubs"

    stubs: list[StubDocument] = Field(max_length=MAX_STUBS)


def describe_stub(stub: Stub) -> dict[str, Any]:
    """A stub as its document."""
    return {"match": describe(stub.match), **stub.answer, "times": stub.times}
