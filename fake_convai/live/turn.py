"""What is said in a turn, and in which order, whichever transport carries it (docs/contract.md section 9)."""

from collections.abc import Iterator

from fake_convai.domain.replies import chunks
from fake_convai.live.messages import LABEL, Event, StreamedEvent, wrapped


def turn(said: str | None, answer: str, *, speaks: bool) -> Iterator[Event]:
    """A turn of a session, in the documented order; `said` is None for one that no user speech began."""
    if said is not None:
        yield wrapped({"type": "final-user-transcription", "text": said})
    yield {"label": LABEL, "type": "bot-llm-started", "data": {}}
    for chunk in chunks(answer):
        yield {"label": LABEL, "type": "bot-llm-text", "data": {"text": chunk}}
    yield {"label": LABEL, "type": "bot-llm-stopped", "data": {}}
    if speaks:
        yield {"label": LABEL, "type": "bot-tts-started", "data": {}}
        yield wrapped({"label": LABEL, "type": "bot-started-speaking"})
        yield wrapped({"label": LABEL, "type": "bot-stopped-speaking"})
    yield wrapped({"type": "bot-turn-completed", "was_interrupted": False})


def stream(session_id: str, character_session_id: str, answer: str) -> Iterator[StreamedEvent]:
    """A turn as `/connect/stream` answers it: between the events of a connection, and without a voice."""
    yield {
        "type": "connection-started",
        "message": {"session_id": session_id, "transport": "sse", "character_session_id": character_session_id},
    }
    yield {"label": LABEL, "type": "bot-llm-started"}
    for chunk in chunks(answer):
        yield {"label": LABEL, "type": "bot-llm-text", "data": {"text": chunk}}
    yield {"label": LABEL, "type": "bot-transcription", "data": {"text": answer}}
    yield {"label": LABEL, "type": "bot-llm-stopped"}
    yield {"type": "connection-stoppped"}
