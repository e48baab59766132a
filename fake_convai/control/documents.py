"""What the documents that the control plane takes have in common. Unknown keys are errors."""

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, StrictStr, ValidationError

from fake_convai.domain.errors import Invalid
from fake_convai.domain.text import MAX_FACT_LENGTH

MAX_DELAY = 600_000
"""Milliseconds; a test that waits longer has lost its way."""


def _is_a_name(part: str) -> bool:
    return re.fullmatch("[a-z_][a-z0-9_]*", part) is not None and part not in ("int", "float", "str", "bool")


def _names(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """The keys that may stand at a place of a document."""
    models = [model]
    for part in loc[:-1]:
        inside = [field for one in models for name, field in one.model_fields.items() if part in (field.alias, name)]
        models = [one for field in inside for one in _models(field.annotation)] or models
    return [field.alias or name for one in models for name, field in one.model_fields.items()]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _is_slip(model: type[BaseModel], detail: Any) -> bool:
    if detail["type"] != "extra_forbidden":
        return False
    key, names = str(detail["loc"][-1]), _names(model, detail["loc"])
    return key not in names and bool(difflib.get_close_matches(key, names))  # another member of a union may have it


def _unknown(model: type[BaseModel], detail: Any) -> str | None:
    """What to say of an unknown key: which is meant, or which there are."""
    if detail["type"] != "extra_forbidden":
        return None
    names = _names(model, detail["loc"])
    near = difflib.get_close_matches(str(detail["loc"][-1]), names, n=1)
    return f"there is no such key; {f'the nearest is {near[0]}' if near else 'there are ' + ', '.join(names)}"


class Document(BaseModel):
    """A document of the control plane. An unknown key is an error: it is a slip of the pen."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    kind: ClassVar[str] = "document"

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Self:
        """From JSON; `Invalid` names the place of what is wrong."""
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            details = error.errors(include_url=False)
            # A slip of the pen is an unknown key and perhaps a missing one, of which the first is what was typed.
            detail = next((one for one in details if _is_slip(cls, one)), details[0])
            message = _unknown(cls, detail)
            # What Pydantic calls the members of a union is of no use to who sent one; an unknown key is as it was sent.
            known, key = (detail["loc"], ()) if message is None else (detail["loc"][:-1], detail["loc"][-1:])
            loc = [*(part for part in known if isinstance(part, int) or _is_a_name(part)), *key]
            place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).lstrip(".")
            raise cls.wrong(place or "the top", message or detail["msg"].removeprefix("Value error, ")) from None

    @classmethod
    def wrong(cls, place: str, message: str) -> Invalid:
        """The error for what is wrong at a place."""
        return Invalid(f"Invalid {cls.kind} at '{place}': {message}.")


class ComparisonDocument(Document):
    """Two facts: one that is there, and one that comes."""

    kind = "comparison"

    existing: Annotated[StrictStr, Field(max_length=MAX_FACT_LENGTH)]
    new: Annotated[StrictStr, Field(max_length=MAX_FACT_LENGTH)]
