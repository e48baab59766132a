"""The OpenAPI 3.1 documents of the three surfaces, made from the declarations that serve the requests."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fake_convai import __version__
from fake_convai.api.endpoint import Endpoint
from fake_convai.api.routes import ENDPOINTS
from fake_convai.api.unused import unused_of
from fake_convai.backend.surface import Surface, hosts
from fake_convai.contract.errors import error_name, error_response, error_schemas, error_statuses
from fake_convai.contract.links import LINKS
from fake_convai.contract.provenance import Guess, general_guesses, guesses_about
from fake_convai.contract.schemas import REF, Schema, Types, json_type, streams, take_null, without_null
from fake_convai.live import client_messages, roster_messages
from fake_convai.live import messages as realtime
from fake_convai.live.room_messages import RoomEvent

JSON, FORM, EVENTS = "application/json", "multipart/form-data", "text/event-stream"

_DESCRIPTION = """\
The {surface} host of the Convai API, as far as public sources show it. The fake-convai project makes this document \
from its own code; the vendor publishes none and has no part in it. `x-source` says where each operation is known \
from, and `x-assumptions` what was guessed."""


@dataclass(frozen=True, slots=True)
class Example:
    """A request that was made and what was really answered."""

    surface: Surface
    operation_id: str
    name: str
    summary: str
    request: dict[str, Any] | None
    status: int
    answer: Any


_MESSAGES = ("ClientMessage", "ServerEvent", "StreamEvent", "RoomEvent", "RosterCommand", "RosterEvent")
"""The schemas of all that a session says."""


def document(
    surface: Surface, examples: Iterable[Example] = (), frames: Iterable[dict[str, Any]] = ()
) -> dict[str, Any]:
    """The whole document of one surface; `frames` are examples of what goes over the WebSocket."""
    endpoints = [endpoint for endpoint in ENDPOINTS if surface in endpoint.surfaces]
    shown = [example for example in examples if example.surface is surface]
    types = Types()
    for endpoint in endpoints:
        types.request(endpoint.operation_id, endpoint.body)
        if (answer := json_type(endpoint.answer)) is not None:
            types.answer(endpoint.operation_id, answer)
    if surface is Surface.LIVE:
        types.request("ClientMessage", client_messages.ClientMessage)
        types.answer("ServerEvent", realtime.ServerEvent)
        types.answer("StreamEvent", realtime.StreamEvent)
        types.answer("RoomEvent", RoomEvent)
        types.request("RosterCommand", roster_messages.RosterCommand)
        types.answer("RosterEvent", roster_messages.RosterEvent)
    requests, answers, schemas = types.schemas()
    schemas |= {name: made[name] for made in (requests, answers) for name in _MESSAGES if name in made}
    bodies = {one: requests[one.operation_id]["$ref"].rpartition("/")[2] for one in endpoints}
    _finish(bodies, schemas)
    paths: dict[str, Any] = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, surface, answers.get(endpoint.operation_id), shown)
        operation |= _input(endpoint, bodies[endpoint], schemas, shown)
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation
    for name in set(bodies.values()) - {bodies[one] for one in endpoints if one.reads != "query"}:
        del schemas[name]  # what a query has stands where it is used
    if surface is Surface.LIVE:
        for frame in frames:
            _show_frame(frame, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Convai, {surface}",
            "version": __version__,
            "description": _DESCRIPTION.format(surface=surface),
            "x-assumptions": [_assumption(guess) for guess in general_guesses()],
        },
        "servers": _servers(surface),
        "tags": [{"name": group} for group in dict.fromkeys(endpoint.group for endpoint in endpoints)],
        "paths": paths,
        **({"x-websockets": _WEBSOCKETS} if surface is Surface.LIVE else {}),
        "components": {
            "securitySchemes": _security_schemes(surface),
            "responses": _error_components(endpoints, surface, shown),
            "schemas": {name: schemas[name] for name in sorted(schemas)} | error_schemas(surface),
        },
    }


def _servers(surface: Surface) -> list[dict[str, Any]]:
    # The fake comes first: tools take the first server unless told otherwise, and a try-out should delete nothing real.
    fake = {
        "url": f"http://{{host}}:{{port}}/{surface}",
        "description": "fake-convai",
        "variables": {"host": {"default": "127.0.0.1"}, "port": {"default": "2668"}},
    }
    urls = (f"https://{host}" for host in hosts([surface]))
    return [fake, *({"url": url, "description": "The real service"} for url in urls)]


def _security_schemes(surface: Surface) -> dict[str, Any]:
    live = surface is Surface.LIVE
    key = "X-API-Key" if live else "CONVAI-API-KEY"
    return {
        "ApiKey": {"type": "apiKey", "in": "header", "name": key, "description": "The key of an account."},
        "ApiToken": {
            "type": "apiKey",
            "in": "header",
            "name": "API-AUTH-TOKEN",
            "description": "A temporary token"
            + (", or the id of an open session." if surface is Surface.LIVE else "."),
        },
    }


_SECURITY: dict[str, list[dict[str, list[str]]]] = {
    "key": [{"ApiKey": []}],
    "key or token": [{"ApiKey": []}, {"ApiToken": []}],
    "anybody": [],
}


def _operation(endpoint: Endpoint, surface: Surface, answer: Schema | None, examples: list[Example]) -> dict[str, Any]:
    unused = ", ".join(f"`{name}`" for name in sorted(unused_of(endpoint.path)) if endpoint.reads != "query")
    description = " ".join(filter(None, (endpoint.description, unused and f"Taken and not used: {unused}.")))
    operation: dict[str, Any] = {
        "operationId": endpoint.operation_id,
        "tags": [endpoint.group],
        "summary": endpoint.summary,
        **({"description": description} if description else {}),
        "x-source": endpoint.source,
    }
    if guesses := guesses_about(endpoint):
        operation["x-assumptions"] = [_assumption(guess) for guess in guesses]
    operation["security"] = _SECURITY[endpoint.access]
    operation["responses"] = {
        str(endpoint.status): _ok(endpoint, answer, examples),
        **{
            str(status): {"$ref": f"#/components/responses/{error_name(endpoint, status)}"}
            for status in error_statuses(endpoint, surface)
        },
    }
    return operation


def _assumption(guess: Guess) -> dict[str, str]:
    about = {} if guess.field is None else {"field": guess.field}
    return {"id": guess.id, **about, "says": guess.says, "x-source": "assumption"}


def _finish(bodies: dict[Endpoint, str], schemas: dict[str, Schema]) -> None:
    """Say of each body where null will do, and mark the parameters about which something was guessed."""
    for endpoint, name in {name: (endpoint, name) for endpoint, name in bodies.items()}.values():
        schemas[name] = take_null(schemas[name]) if endpoint.reads == "json" else without_null(schemas[name])
    for endpoint, name in bodies.items():
        for guess in guesses_about(endpoint):
            if guess.field in schemas[name].get("properties", {}):
                schemas[name]["properties"][guess.field]["x-source"] = "assumption"


def _input(endpoint: Endpoint, name: str, schemas: dict[str, Schema], examples: list[Example]) -> dict[str, Any]:
    """What the operation reads, as OpenAPI writes it: a body or the parameters of a query."""
    schema = schemas[name]
    if endpoint.reads == "query":
        required = schema.get("required", ())
        parameters = [
            {
                "name": n,
                "in": "path" if f"{{{n}}}" in endpoint.path else "query",
                "required": n in required,
                "schema": m,
            }
            for n, m in schema.get("properties", {}).items()
        ]
        return {"parameters": parameters}
    content: dict[str, Any] = {"schema": {"$ref": REF.format(model=name)}}
    shown = {
        example.name: {"summary": example.summary, "value": example.request}
        for example in examples
        if example.operation_id == endpoint.operation_id
        and example.status == endpoint.status
        and example.request is not None
    }
    if shown:
        content["examples"] = shown
    # An empty body counts as an empty object, which will not do where something is required, or one thing or another.
    needed = bool(schema.keys() & {"required", "if", "allOf"})
    return {"requestBody": {"required": needed, "content": {JSON if endpoint.reads == "json" else FORM: content}}}


def _ok(endpoint: Endpoint, answer: Schema | None, examples: list[Example]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    alike = (example for example in examples if example.operation_id == endpoint.operation_id)
    found = _shown(alike, endpoint.status)
    shown = {"examples": found} if found else {}
    if answer is not None:
        content[JSON] = {"schema": answer, **shown}
    if streams(endpoint.answer):
        item = REF.format(model="StreamEvent") if answer is None else answer["$ref"]
        content[EVENTS] = {"schema": {}, "x-item-schema": {"$ref": item}}
        content[EVENTS] |= shown if answer is None else {}
    links = {link.target: link.described() for link in LINKS if link.origin == endpoint.operation_id}
    return {"description": endpoint.summary + ".", "content": content, **({"links": links} if links else {})}


def _shown(examples: Iterable[Example], status: int = 200) -> dict[str, Any]:
    return {
        example.name: {"summary": example.summary, "value": example.answer}
        for example in examples
        if example.status == status
    }


def _error_components(endpoints: list[Endpoint], surface: Surface, examples: list[Example]) -> dict[str, Any]:
    """One component for each way to say no; its examples come from all the operations that say so."""
    components = {}
    for endpoint in endpoints:
        for status in error_statuses(endpoint, surface):
            name = error_name(endpoint, status)
            alike = {other.operation_id for other in endpoints if error_name(other, status) == name}
            shown = _shown((example for example in examples if example.operation_id in alike), status)
            components[name] = error_response(endpoint, status, surface, shown)
    return {name: components[name] for name in sorted(components)}


def _show_frame(frame: dict[str, Any], schemas: dict[str, Schema]) -> None:
    """Make a frame of a WebSocket an example of its schema, and of the one inside it, unless there is one like it."""
    for parent, value in (("ClientMessage", frame), ("ServerEvent", frame)):
        mapping = schemas[parent]["discriminator"]["mapping"]
        if value["type"] in mapping:
            _add_example(schemas[mapping[value["type"]].rpartition("/")[2]], value)
    if frame["type"] == "server-message":
        mapping = schemas["ServerMessage"]["properties"]["data"]["discriminator"]["mapping"]
        _add_example(schemas[mapping[frame["data"]["type"]].rpartition("/")[2]], frame["data"])


def _add_example(schema: Schema, value: dict[str, Any]) -> None:
    known = schema.setdefault("examples", [])
    if all((kind.get("type"), kind.get("status")) != (value["type"], value.get("status")) for kind in known):
        known.append(value)


_WEBSOCKETS = {
    "/chat": {
        "summary": "Hold a conversation",
        "x-source": "docs",
        "parameters": [{"name": "session_id", "in": "query", "required": True, "schema": {"type": "string"}}],
        "client": {"$ref": REF.format(model="ClientMessage")},
        "server": {"$ref": REF.format(model="ServerEvent")},
    }
}
"""OpenAPI has no words for a WebSocket; docs/realtime.md has."""
