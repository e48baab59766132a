"""What the server says in a live session (CONTRACT.md section 9, D): the two envelopes, and a turn in order."""

from collections.abc import Iterator
from typing import Any, Literal

import orjson
from starlette.websockets import WebSocket

from fake_convai.domain.replies import chunks

Event = dict[str, Any]
Status = Literal["success", "error", "processing", "pending"]

LABEL = "rtvi-ai"
STOPPED = "connection-stoppped"
"""Spelled as the documentation spells it (D)."""


async def send(websocket: WebSocket, event: Event) -> None:
    """Send an event; raises what Starlette raises when the client has gone."""
    await websocket.send_text(orjson.dumps(event).decode())


def response(event_type: str, status: Status, message: str, extras: Event | None = None) -> Event:
    """The acknowledgement of a client message; flat, in no envelope."""
    return {
        "type": "server-response",
        "event_type": event_type,
        "status": status,
        "message": message,
        "extras": extras,
    }


def output(kind: str, **data: Any) -> Event:
    """An event of the bot output stream: its type is at the top."""
    return {"label": LABEL, "type": kind, "data": data}


def server_message(kind: str, **data: Any) -> Event:
    """A server message: its type is inside `data`."""
    return {"label": LABEL, "type": "server-message", "data": {"type": kind, **data}}


def interaction_created(interaction_id: str, character_session_id: str) -> Event:
    """The first turn has begun."""
    return server_message(
        "interaction-created", interaction_id=interaction_id, character_session_id=character_session_id
    )


def idle_warning(remaining_seconds: int) -> Event:
    """The session will end unless the client says something."""
    return server_message(
        "user-idle-warning",
        remaining_seconds=remaining_seconds,
        message=f"You've been idle. You will be disconnected in {remaining_seconds} seconds.",
    )


def turn(said: str | None, answer: str, *, speaks: bool) -> Iterator[Event]:
    """A turn over the WebSocket, in the documented order; `said` is None for one that no user speech began."""
    if said is not None:
        yield server_message("final-user-transcription", text=said)
    yield output("bot-llm-started")
    for chunk in chunks(answer):
        yield output("bot-llm-text", text=chunk)
    yield output("bot-llm-stopped")
    if speaks:
        yield output("bot-tts-started")
        yield server_message("bot-started-speaking")
        yield server_message("bot-stopped-speaking")
    yield server_message("bot-turn-completed", was_interrupted=False)


def stream(session_id: str, character_session_id: str, answer: str) -> Iterator[Event]:
    """The whole of a `/connect/stream` answer."""
    yield {
        "type": "connection-started",
        "message": {"session_id": session_id, "transport": "sse", "character_session_id": character_session_id},
    }
    yield {"label": LABEL, "type": "bot-llm-started"}
    for chunk in chunks(answer):
        yield output("bot-llm-text", text=chunk)
    yield output("bot-transcription", text=answer)
    yield {"label": LABEL, "type": "bot-llm-stopped"}
    yield {"type": STOPPED}
