"""Types that the request models share, and how their complaints are worded."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StrictBool,
    StrictStr,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from fake_convai.domain.errors import Invalid
from fake_convai.domain.identity import MAX_END_USER_ID

NOT_BLANK = r"[^\s\u001c-\u001f\u0085]"
"""A pattern for text that is more than white space, as Python counts it."""


_DIGITS = re.compile(r"[+-]?[0-9]+")


class RequestModel(BaseModel):
    """A request body in Convai's spelling, and in no other: a field that has an alias is known by the alias alone.

    Fields it does not know are ignored: SDKs send more than is documented.
    """

    model_config = ConfigDict(extra="ignore", defer_build=True)


class Described:
    """What the OpenAPI document says of a value beyond what its type tells."""

    def __init__(self, **keywords: Any) -> None:
        """`keywords` are those of JSON Schema."""
        self.keywords = keywords

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(core_schema), **self.keywords}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a field wants, in words that complete "send ..."; the OpenAPI document says the same."""

    words: str

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        if self.words.count(" ") <= 2:
            return handler(core_schema)  # "a string" only repeats the type
        return {**handler(core_schema), "description": f"{self.words[:1].upper()}{self.words[1:]}."}


def needs_one_of(first: str, second: str) -> ConfigDict:
    """What the OpenAPI document says of a body that needs one of two texts, or both."""
    given: dict[str, Any] = {
        name: {"required": [name], "properties": {name: {"type": "string", "pattern": NOT_BLANK}}}
        for name in (first, second)
    }
    return ConfigDict(json_schema_extra={"if": given[first], "else": given[second]})


def _stripped(text: str) -> str:
    stripped = text.strip()
    if not stripped:
        raise PydanticCustomError("blank", "must not be blank")
    return stripped


def _whole_number(value: Any) -> Any:
    """Accept "2" for 2, as a JSON reader in a loosely typed language would (assumed), and 2.0, but no booleans."""
    if type(value) is int:
        return value
    if isinstance(value, bool):
        raise PydanticCustomError("int_type", "must be a whole number")
    if isinstance(value, str) and not _DIGITS.fullmatch(value.strip()):
        raise PydanticCustomError("int_type", "must be a whole number")
    return int(value) if isinstance(value, float) and value.is_integer() else value


Id = Annotated[StrictStr, AfterValidator(_stripped), Described(pattern=NOT_BLANK), Wanted("a non-empty string")]
"""An identifier; white space around it is dropped."""

EndUserId = Annotated[
    StrictStr,
    Field(max_length=MAX_END_USER_ID),  # as it is sent, which is what a schema can say
    AfterValidator(_stripped),
    Described(pattern=NOT_BLANK),
    Wanted(f"a non-blank string of at most {MAX_END_USER_ID} characters"),
]
"""The app's own id of a person (docs/contract.md section 3)."""

WholeNumber = Annotated[int, BeforeValidator(_whole_number)]
Text = Annotated[StrictStr, Wanted("a string")]
Switch = Annotated[StrictBool, Wanted("true or false")]
JsonObject = Annotated[dict[StrictStr, Any], Wanted("a JSON object")]


def _named(metadata: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(metadata.get("name"), str | None):
        raise PydanticCustomError("name_type", "name must be a string or null")
    return metadata


EndUserMetadata = Annotated[
    dict[StrictStr, Any],
    AfterValidator(_named),
    Described(properties={"name": {"type": ["string", "null"], "description": "The display name."}}),
    Wanted("a JSON object whose name, if there is one, is a string or null"),
]
"""What an app stores about a person; `name` is the display name (docs/contract.md section 3)."""


Timestamp = Annotated[str, Described(format="date-time")]
"""A moment in an answer: ISO 8601, UTC."""


class Empty(RequestModel):
    """A body of which nothing is read."""


def to_invalid(error: ValidationError, model: type[BaseModel]) -> Invalid:
    """Pydantic's complaints as one message that names each parameter and what is wanted of it."""
    return Invalid(" ".join(dict.fromkeys(complaints(error, model))))


def complaints(error: ValidationError, model: type[BaseModel]) -> Iterator[str]:
    """What is wrong with each parameter, and what is wanted."""
    for detail in error.errors(include_url=False):
        place, wanted = _place(detail["loc"]), _wanted(detail["loc"], model)
        if detail["type"] == "missing":
            yield f"Missing required parameter '{place}': send {wanted}."
        else:
            given = shown(detail["input"])
            instead = "" if wanted.startswith(given) else f", not {given}"  # "a list" says nothing against a list
            yield f"Invalid parameter '{place}': send {wanted}{instead}."


def shown(value: Any) -> str:
    """A value as an error message shows it: short, and never by way of all of it, which may be large and deep."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict | list):
        return "a JSON object" if isinstance(value, dict) else "a list"
    text = repr(value[:60] if isinstance(value, str) else value)
    return text if len(text) <= 60 else text[:57] + "..."


def _place(loc: tuple[int | str, ...]) -> str:
    place = ""
    for part in loc:
        place += f"[{part}]" if isinstance(part, int) else f".{part}" if place else part
    return place


def _wanted(loc: tuple[int | str, ...], model: type[BaseModel]) -> str:
    """The words of the innermost model field on the way to the complaint."""
    words = "another value"
    at: Any = model
    for part in loc:
        if not (isinstance(at, type) and issubclass(at, BaseModel)):
            break
        for name, field in at.model_fields.items():
            if part == (field.alias or name):
                at, found = _plain(field.annotation, field.metadata)
                words = found or words
                break
    return words


def _plain(annotation: Any, metadata: Iterable[Any]) -> tuple[Any, str | None]:
    """The type inside an optional or annotated one, and its words; the outermost ones, which come last."""
    words = next((extra.words for extra in reversed(list(metadata)) if isinstance(extra, Wanted)), None)
    if get_origin(annotation) is Annotated:
        inner, *extras = get_args(annotation)
        return _plain(inner, [*extras, *metadata])
    if get_origin(annotation) in (Union, UnionType):
        return _plain(next(member for member in get_args(annotation) if member is not type(None)), metadata)
    return annotation, words
