"""What the documents that the control plane takes have in common. Unknown keys are errors."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, StrictStr, ValidationError

from fake_convai.domain.errors import Invalid
from fake_convai.domain.text import MAX_FACT_LENGTH

MAX_DELAY = 600_000
"""Milliseconds; a test that waits longer has lost its way."""


def _is_a_name(part: str) -> bool:
    return re.fullmatch("[a-z_][a-z0-9_]*", part) is not None and part not in ("int", "float", "str", "bool")


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
            # What Pydantic calls the members of a union is of no use to who sent one.
            loc = [part for part in detail["loc"] if isinstance(part, int) or _is_a_name(part)]
            place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).lstrip(".")
            raise cls.wrong(place or "the top", detail["msg"].removeprefix("Value error, ")) from None

    @classmethod
    def wrong(cls, place: str, message: str) -> Invalid:
        """The error for what is wrong at a place."""
        return Invalid(f"Invalid {cls.kind} at '{place}': {message}.")


class ComparisonDocument(Document):
    """Two facts: one that is there, and one that comes."""

    kind = "comparison"

    existing: Annotated[StrictStr, Field(max_length=MAX_FACT_LENGTH)]
    new: Annotated[StrictStr, Field(max_length=MAX_FACT_LENGTH)]
