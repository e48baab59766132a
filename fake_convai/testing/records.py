"""What the handle returns: small frozen records, with names as on the wire and times as `datetime` in UTC."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


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

    session_id: str
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
    server would not have taken. `explanations` says why, for instance which memory a fact was merged with.
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
    explanations: list[dict[str, str]]


def to_memory(document: Mapping[str, Any]) -> Memory:
    """A memory from its part of a state."""
    return Memory(
        id=document["id"],
        memory=document["memory"],
        created_at=to_datetime(document["created_at"]),
        updated_at=to_datetime(document["updated_at"]),
        metadata=document["metadata"],
        character_id=document["character_id"],
        end_user_id=document["end_user_id"],
    )


def to_end_user(document: Mapping[str, Any]) -> EndUser:
    """An end user from its part of a state."""
    return EndUser(
        end_user_id=document["end_user_id"],
        end_user_metadata=document["end_user_metadata"],
        last_active_ts=_optional_datetime(document["last_active_ts"]),
        last_ltm_usage_ts=_optional_datetime(document["last_ltm_usage_ts"]),
    )


def to_session(document: Mapping[str, Any]) -> Session:
    """A session from its part of a state."""
    return Session(
        session_id=document["sessionID"],
        character_id=document["character_id"],
        end_user_id=document["end_user_id"],
        started_at=to_datetime(document["started_at"]),
        is_added_to_memory=document["is_added_to_memory"],
        interactions=tuple(
            Interaction(
                timestamp=to_datetime(turn["timestamp"]),
                user=turn["user"],
                character=turn["character"],
                is_trigger_input=turn["is_trigger_input"],
            )
            for turn in document["interactions"]
        ),
    )


def to_request(document: Mapping[str, Any]) -> Request:
    """A request from its entry in the journal."""
    return Request(
        at=to_datetime(document["at"]),
        surface=document["surface"],
        method=document["method"],
        path=document["path"],
        body=document["body"],
        status=document["status"],
        response=document["response"],
        duration_ms=document["duration_ms"],
        fault=document["fault"],
        unknown_fields=document["unknown_fields"],
        violations=document["violations"],
        explanations=document.get("explanations", []),
    )


def to_datetime(moment: str) -> datetime:
    """ISO 8601 to an aware `datetime`."""
    return datetime.fromisoformat(moment)


def _optional_datetime(moment: str | None) -> datetime | None:
    return None if moment is None else to_datetime(moment)
