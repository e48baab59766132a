"""`/connect/stream`: one turn of a session as server-sent events (docs/contract.md section 9)."""

from collections.abc import AsyncIterator

import orjson

from fake_convai.backend.backend import Backend
from fake_convai.live.messages import StreamedEvent, kind_of
from fake_convai.live.turn import Turn, stream
from fake_convai.store.talking import Said


async def events(
    backend: Backend, account_id: int, session_id: str, said: Said
) -> AsyncIterator[tuple[str, StreamedEvent]]:
    """The events of the stream by name, each in its time; they are written down as frames of the session."""
    turn = Turn(said.answer, user_text="", speaks=False, pace=said.pace, seed=said.seed)
    began = await backend.time.now(account_id) if turn.takes_time else 0
    for step in stream(session_id, said.character_session_id, turn):
        if step.at:
            await backend.time.until(account_id, began + step.at)
        kind = kind_of(step.event)
        backend.frames.note(account_id, session_id, "out", kind, orjson.dumps(step.event))
        yield kind, step.event
    await backend.frames.share()
