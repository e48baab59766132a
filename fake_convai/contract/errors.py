"""What an endpoint can answer with when something is wrong: statuses and bodies (docs/contract.md section 2)."""

from typing import Any

from fake_convai.api.endpoint import Endpoint
from fake_convai.backend.surface import Surface

_MEANINGS = {
    400: ("BadRequest", "A parameter is missing or wrong; the message names it and says what is wanted."),
    401: ("Unauthenticated", "The key or token is missing or not accepted."),
    403: ("Forbidden", "It belongs to another account, or the plan does not include the call."),
    404: ("NotFound", "There is nothing with that id."),
    409: ("Conflict", "It clashes with what is already there."),
    413: ("TooLarge", "The body is over the limit."),
    415: ("UnsupportedEncoding", "The body has a Content-Encoding other than gzip and deflate."),
    422: ("Unprocessable", "Parameters are missing or wrong; there is an entry for each."),
    429: ("TooMany", "Too many requests in a second, or too many sessions at once."),
    500: ("ServerError", "Something that nobody expected; the reference finds it in the log."),
    503: ("Unavailable", "The database does not answer."),
}


_OWN = {
    "API_ERROR": ("Character", "What is wrong with the key."),
    "INTERNAL_ERROR": ("Creation", "What is wrong with the parameters."),
    "text": ("Response", "What went wrong."),
}
"""Members that some routes have in place of their surface's, with what their schemas are called."""


def error_statuses(endpoint: Endpoint, surface: Surface) -> list[int]:
    """Every status besides 200 that the endpoint can answer with on a surface."""
    statuses = {400, 500, 503, *endpoint.errors}
    if endpoint.access != "anybody":
        statuses |= {401, 429}
    if endpoint.reads != "query":
        statuses |= {413, 415}
    if surface is Surface.LIVE and any(field.is_required() for field in endpoint.body.model_fields.values()):
        statuses.add(422)
    return sorted(statuses)


def error_name(endpoint: Endpoint, status: int) -> str:
    """The name of the response component; where the message has another member, it is one of its own."""
    name, _ = _MEANINGS[status]
    return f"{_OWN[endpoint.members[status]][0]}{name}" if status in endpoint.members else name


def error_response(endpoint: Endpoint, status: int, surface: Surface, examples: dict[str, Any]) -> dict[str, Any]:
    """The response component."""
    content: dict[str, Any] = {"schema": {"$ref": f"#/components/schemas/{_schema_name(endpoint, status)}"}}
    if examples:
        content["examples"] = examples
    response: dict[str, Any] = {"description": _MEANINGS[status][1], "content": {"application/json": content}}
    if status == 429:
        wait = {"description": "Seconds to wait.", "required": True, "schema": {"type": "integer", "minimum": 0}}
        response["headers"] = {"Retry-After": wait}
    return response


def error_schemas(surface: Surface) -> dict[str, Any]:
    """The schemas of the error bodies of a surface, by name."""
    member = "detail" if surface is Surface.LIVE else "ERROR"
    schemas = {"Error": _with_message(member, "What is wrong, for the person who runs the client.")}
    crash = _with_message(member, "What happened.")
    crash["properties"]["Reference ID"] = {"type": "string", "format": "uuid"}
    schemas["Crash"] = crash
    if surface is Surface.PRODUCTION:
        for own, (name, description) in _OWN.items():
            schemas[f"{name}Error"] = _with_message(own, description)
        schemas["ResponseError"]["properties"]["charID"] = {"type": "string"}
    if surface is Surface.LIVE:
        schemas["Complaints"] = {
            "type": "object",
            "description": "An entry for each thing that is wrong.",
            "properties": {"detail": {"type": "array", "items": {"$ref": "#/components/schemas/Complaint"}}},
            "required": ["detail"],
        }
        schemas["Complaint"] = {
            "type": "object",
            "description": "What is wrong with a parameter.",
            "properties": {
                "type": {"type": "string"},
                "loc": {"type": "array", "items": {"type": ["string", "integer"]}},
                "msg": {"type": "string"},
                "input": {"description": "What was sent."},
            },
            "required": ["type", "loc", "msg", "input"],
        }
    return schemas


def _schema_name(endpoint: Endpoint, status: int) -> str:
    if status in endpoint.members:
        return f"{_OWN[endpoint.members[status]][0]}Error"
    return {422: "Complaints", 500: "Crash"}.get(status, "Error")


def _with_message(member: str, description: str) -> dict[str, Any]:
    message = {"type": "string", "description": description}
    return {"type": "object", "properties": {member: message}, "required": [member]}
