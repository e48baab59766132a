"""What the handle returns: small frozen records, with names as on the wire and times as `datetime` in UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from typing import Any, TypeVar, get_args, get_origin, get_type_hints


@dataclass(frozen=True, slots=True)
class Memory:
    """A fact that a character remembers about a person."""

    id: str
    memory: str
    created_at: datetime
    updated_at: datetime
    metadata: dict[str, Any]
    character_id: str
    end_user_id: str


@dataclass(frozen=True, slots=True)
class EndUser:
    """A person's record; a time is None until there is one."""

    end_user_id: str
    end_user_metadata: dict[str, Any]
    last_active_ts: datetime | None
    last_ltm_usage_ts: datetime | None


@dataclass(frozen=True, slots=True)
class Interaction:
    """One turn of a session: what the user said and what the character said to it."""

    timestamp: datetime
    user: str
    character: str
    is_trigger_input: bool


@dataclass(frozen=True, slots=True)
class Session:
    """A conversation; `end_user_id` is None when it was anonymous."""

    session_id: str = field(metadata={"wire": "sessionID"})
    character_id: str
    end_user_id: str | None
    started_at: datetime
    is_added_to_memory: bool
    interactions: tuple[Interaction, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """A request that the fake got, and its answer.

    `path` is without the surface's prefix, `body` and `response` are parsed JSON where they were JSON, `fault` is the
    fault that fired, `unknown_fields` are members of the body that nothing reads, and `violations` is what a stricter
    server would not have taken. `explanations` says why, for instance which memory a fact was merged with. `account` is
    the end of the key that came, None for none. `stub` is what the stub that answered is for.
    `off_surface` is true where the documents place the route on another surface. `credential` is `key`, `token`,
    `session` or `nothing`; `headers` has only what tells clients apart; `trace_id` is that of the answer.
    """

    at: datetime
    surface: str
    method: str
    path: str
    body: Any
    status: int
    response: Any
    duration_ms: float
    fault: dict[str, Any] | None
    unknown_fields: list[str]
    violations: list[str]
    explanations: list[dict[str, str]] = field(default_factory=list)
    account: str | None = None
    stub: dict[str, Any] | None = None
    off_surface: bool = False
    credential: str = "nothing"
    headers: dict[str, str] = field(default_factory=dict)
    trace_id: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """A frame of a live session; `direction` is "in" for what the client sent, "out" for what it got.

    With several characters in a room, `character_session_id` tells whose it is.
    """

    at: datetime
    session_id: str
    character_session_id: str
    direction: str
    type: str
    message: Any
    character_id: str = ""
    end_user_id: str | None = None


Record = TypeVar("Record")


def read(kind: type[Record], document: Mapping[str, Any]) -> Record:
    """A record from its JSON: each field from the member of its name, what a newer server has besides is left out."""
    hints = get_type_hints(kind)
    named = [(one.name, one.metadata.get("wire", one.name)) for one in fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: _value(hints[name], document[wire]) for name, wire in named if wire in document})


def _value(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    if hint in (datetime, datetime | None):
        return datetime.fromisoformat(value)
    inner = get_args(hint)[0] if get_origin(hint) is tuple else hint
    if is_dataclass(inner) and isinstance(inner, type):
        return tuple(read(inner, one) for one in value) if isinstance(value, list) else read(inner, value)
    return value
