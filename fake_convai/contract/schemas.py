"""JSON Schemas of what is sent and answered, made from the types that the endpoints are declared with."""

from collections.abc import Callable, Hashable
from typing import Any, get_args

from pydantic import TypeAdapter
from pydantic.json_schema import CoreModeRef, CoreRef, DefsRef, GenerateJsonSchema
from starlette.responses import Response

from fake_convai.backend.responses import EventStream

Schema = dict[str, Any]

REF = "#/components/schemas/{model}"

NULL = {"type": "null"}

_BOUNDS = {"ge": "minimum", "le": "maximum"}
"""Pydantic's own words for bounds, which it leaves in where a validator stands before the type."""

_SPEAKING = frozenset({"models", "realtime"})
"""Modules whose types have names that need no more said."""


class Types:
    """Collects types and makes their schemas together, so that what they share is described once."""

    def __init__(self) -> None:
        self._inputs: list[tuple[Any, Any, TypeAdapter[Any]]] = []

    def request(self, key: Hashable, model: Any) -> None:
        """Describe what a client sends."""
        self._inputs.append((key, "validation", TypeAdapter(model)))

    def answer(self, key: Hashable, annotation: Any) -> None:
        """Describe what the server sends."""
        self._inputs.append((key, "serialization", TypeAdapter(annotation)))

    def schemas(self) -> tuple[dict[Any, Schema], dict[Any, Schema], dict[str, Schema]]:
        """The schemas of the requests and of the answers by key, and the components they refer to."""
        made, shared = TypeAdapter.json_schemas(self._inputs, ref_template=REF, schema_generator=_Generator)
        components = {name: tidy(schema) for name, schema in sorted(shared["$defs"].items())}
        tops = {key: tidy(schema) for key, schema in made.items()}
        requests = {key: schema for (key, mode), schema in tops.items() if mode == "validation"}
        return requests, {key: schema for (key, mode), schema in tops.items() if mode == "serialization"}, components


def json_type(answer: Any) -> Any | None:
    """The part of an endpoint's answer that is JSON; None when it is a stream of events only."""
    members = get_args(answer) if isinstance(answer, type(int | str)) else (answer,)
    return next((member for member in members if not _is_response(member)), None)


def streams(answer: Any) -> bool:
    """Whether an endpoint may answer with a stream of events."""
    return EventStream in (answer, *get_args(answer))


def take_null(schema: Schema) -> Schema:
    """The same request body, but null stands for "not sent" wherever a value may be left out."""
    required = schema.get("required", [])
    properties = {
        name: member if name in required else nullable(member) for name, member in schema.get("properties", {}).items()
    }
    return {**schema, "properties": properties} if properties else schema


def without_null(schema: Schema) -> Schema:
    """The same query or form: there, null cannot be written."""
    properties = {
        name: {**member, "type": next(kind for kind in member["type"] if kind != "null")}
        if isinstance(member["type"], list)
        else member
        for name, member in schema["properties"].items()
    }
    return {**schema, "properties": properties}


def nullable(schema: Schema) -> Schema:
    """A schema that takes null too."""
    rest = dict(schema)
    kind = rest.pop("type", None)
    if "anyOf" in schema:
        return {**rest, "anyOf": [member for member in schema["anyOf"] if member != NULL] + [NULL]}
    if kind is None or "enum" in schema:
        about: Schema = {name: rest.pop(name) for name in ("description", "default") if name in rest}
        return {"anyOf": [{"type": kind, **rest} if kind else rest, NULL], **about}
    return {"type": kind if isinstance(kind, list) else [kind, "null"], **rest}


def tidy(schema: Schema) -> Schema:
    """Pydantic's schema without what says nothing: titles made of names, null as a default, choices of one and null."""
    kept = {_BOUNDS.get(name, name): schema[name] for name in sorted(schema, key=_rank) if name != "title"}
    if kept.get("default", ...) is None:
        del kept["default"]
    kept = _each(kept, tidy)
    for name in set(kept.get("required", ())) & set(kept.get("properties", {})):
        kept["properties"][name].pop("default", None)
    if NULL in kept.get("anyOf", ()):
        others = [member for member in kept.pop("anyOf") if member != NULL]
        kept = nullable({**(others[0] if len(others) == 1 else {"anyOf": others}), **kept})
    return kept


def _rank(name: str) -> int:
    """Keywords in the order in which people ask: what is it, what is it for, what else."""
    first = ("type", "description", "$ref", "enum", "default", "properties", "items")
    return first.index(name) if name in first else len(first)


def _each(schema: Schema, change: Callable[[Schema], Schema]) -> Schema:
    """A schema with each schema inside it changed."""
    changed = dict(schema)
    for name, member in schema.items():
        if name in ("properties", "$defs"):
            changed[name] = {key: change(value) for key, value in member.items()}
        elif name in ("items", "additionalProperties") and isinstance(member, dict):
            changed[name] = change(member)
        elif name in ("anyOf", "oneOf", "allOf"):
            changed[name] = [change(value) for value in member]
    return changed


def _is_response(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Response)


def _component_name(place: str) -> str:
    """A name that is unique in a document: `AddRequest` of `memory.py` is `MemoryAddRequest`."""
    module, name = place.split(".")[-2:]
    words = [word.title() for word in module.split("_")]
    prefix, said = "".join(words), "".join(words).rstrip("s")
    speaks = module in _SPEAKING or not name.endswith(("Request", "Answer")) or name.startswith(said)
    return name if speaks else prefix + name


class _Generator(GenerateJsonSchema):
    """Pydantic's generator, with our names for components."""

    def get_defs_ref(self, core_mode_ref: CoreModeRef) -> DefsRef:
        core_ref, mode = core_mode_ref
        place, _, number = core_ref.partition(":")
        return super().get_defs_ref((CoreRef(f"{_component_name(place)}:{number}"), mode))

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def is_instance_schema(self, schema: Any) -> Schema:
        return {"type": "string", "format": "binary"}  # the only class among the fields is an uploaded file
