"""The OpenAPI document of the control plane, made from its routes and from what is said here about each."""

import inspect
import re
from collections.abc import Mapping
from typing import Annotated, Any, get_origin, get_type_hints

from fake_convai import __version__
from fake_convai.backend.surface import Surface
from fake_convai.contract.schemas import REF, Schema, Types
from fake_convai.control.answers import Advance, Freeze, Shift
from fake_convai.control.plane import CONTROL_KEY_HEADER, PREFIX, document_of
from fake_convai.control.routes import ROUTES
from fake_convai.control.waiting import MAX_WAIT

JSON = "application/json"
Text = {"type": "string"}


_WAIT: Mapping[str, Schema] = {
    "wait": {"type": "number", "minimum": 0, "maximum": MAX_WAIT},
    "count": {"type": "integer", "minimum": 1},
}
_FRAMES: Mapping[str, Schema] = {
    "session_id": Text,
    "character_session_id": Text,
    "type": Text,
    "direction": {"enum": ["in", "out"]},
    **_WAIT,
}
_FILTERS: Mapping[str, Schema] = {
    **_WAIT,
    "path": Text,
    "surface": {"enum": list(map(str, Surface))},
    "status": {"type": "integer"},
    "end_user_id": Text,
    "after": {"type": "integer", "minimum": 0},
    "limit": {"type": "integer", "minimum": 1},
}
_QUERIES: Mapping[tuple[str, str], Mapping[str, Schema]] = {
    ("GET", "/state"): {"end_user_id": Text, "parts": Text},
    ("GET", "/faults"): {"used_up": {"const": "true"}},
    ("GET", "/requests"): _FILTERS,
    ("GET", "/messages"): _FRAMES,
}
"""By method and path under `/_fake`."""

_STATUSES = {
    "400": "The request cannot be used; the message names the place.",
    "401": "The key is refused.",
    "403": "The request comes from a web page of another origin, or without the control key.",
    "404": "There is nothing of that name.",
    "413": "The body is over the limit.",
    "415": "The body has a Content-Encoding other than gzip and deflate.",
    "500": "Something happened that nobody expected.",
    "503": "The server is not ready, or the database does not answer.",
}


def routes() -> dict[tuple[str, str], Any]:
    """The handler of each route by its method and its path under `/_fake`."""
    found = {}
    for route in ROUTES:
        path = re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path.removeprefix(PREFIX))
        for method in (route.methods or set()) - {"HEAD"}:
            found[method, path] = route.endpoint
    return found


def answer_of(handler: Any) -> Any:
    """The type of what a handler answers, though it may be packed already."""
    answer = get_type_hints(handler, include_extras=True)["return"]
    return answer.__metadata__[0] if get_origin(answer) is Annotated else answer


def _body_of(method: str, path: str, handler: Any) -> Any:
    return Freeze | Advance | Shift if (method, path) == ("PUT", "/clock") else document_of(handler)


def control_document() -> dict[str, Any]:
    """The whole document."""
    types = Types()
    there = routes()
    for key, handler in there.items():
        types.request(("answer", *key), answer_of(handler))  # what is answered can be sent again, in the same words
        if (body := _body_of(*key, handler)) is not None:
            types.request(("body", *key), body)
    made, _, schemas = types.schemas()
    paths: dict[str, Any] = {}
    for (method, path), handler in there.items():
        operation = _operation(method, path, handler, made)
        paths.setdefault(PREFIX + path, {})[method.lower()] = operation
    error = {"type": "object", "properties": {"ERROR": Text}, "required": ["ERROR"]}
    return {
        "openapi": "3.1.0",
        "info": {"title": "fake-convai, control plane", "version": __version__, "description": _DESCRIPTION},
        "servers": [
            {
                "url": "http://{host}:{port}",
                "variables": {"host": {"default": "127.0.0.1"}, "port": {"default": "2668"}},
            }
        ],
        "security": [{}, *({name: []} for name in _SECURITY)],
        "paths": paths,
        "components": {
            "securitySchemes": {
                name: {"type": "apiKey", "in": "header", "name": header} for name, header in _SECURITY.items()
            },
            "responses": {
                f"Error{status}": {
                    "description": text,
                    "content": {JSON: {"schema": {"$ref": REF.format(model="Error")}}},
                }
                for status, text in _STATUSES.items()
            },
            "schemas": {**schemas, "Error": {**error, "description": "What is wrong, and what to send instead."}},
        },
    }


_SECURITY = {"ApiKey": "X-API-Key", "ConvaiApiKey": "CONVAI-API-KEY", "ControlKey": CONTROL_KEY_HEADER}
_DESCRIPTION = """\
What a test does to the fake itself. A request acts on the account whose key it carries, and without a key on the \
whole server; where the server has a control key, it is wanted too."""


def _operation(method: str, path: str, handler: Any, made: Mapping[Any, Schema]) -> dict[str, Any]:
    key = (method, path)
    summary = inspect.cleandoc(handler.__doc__ or "").partition("\n\n")[0]
    named = re.findall(r"\{(\w+)\}", path)
    parameters = [{"name": name, "in": "path", "required": True, "schema": Text} for name in named]
    parameters += [
        {"name": name, "in": "query", "required": False, "schema": schema}
        for name, schema in _QUERIES.get(key, {}).items()
    ]
    operation: dict[str, Any] = {"operationId": _operation_id(method, path), "summary": " ".join(summary.split())}
    operation["tags"] = [path.split("/")[1].partition(".")[0]]
    if parameters:
        operation["parameters"] = parameters
    if ("body", *key) in made:
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": made[("body", *key)]}}}
    answer = {"schema": made[("answer", *key)]}
    operation["responses"] = {"200": {"description": operation["summary"], "content": {JSON: answer}}}
    if path == "/health":
        operation["responses"]["503"] = {"description": _STATUSES["503"], "content": {JSON: answer}}
        return operation
    for status in _STATUSES:
        if named or status != "404":
            operation["responses"][status] = {"$ref": f"#/components/responses/Error{status}"}
    return operation


def _operation_id(method: str, path: str) -> str:
    """`put_clock`, `post_snapshots_restore`."""
    words = re.sub(r"\{\w+\}(\.json)?", "", path).strip("/").replace("/", "_").replace("__", "_").rstrip("_")
    one = "_one" if path.endswith(("}", ".json")) else ""
    return f"{method.lower()}_{words}{one}"
