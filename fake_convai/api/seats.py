"""Where a person finds the character: the room on a LiveKit server, and a token for it."""

from collections.abc import Mapping
from typing import Any

from fake_convai.api.endpoint import Call
from fake_convai.api.rosters import ROOM_ELSEWHERE
from fake_convai.domain.errors import Conflict
from fake_convai.live.shapes import Sound
from fake_convai.store import characters, sessions
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.characters import Character
from fake_convai.store.sessions import Connected, Session


async def seat(
    call: Call, connected: Connected, person: str | None, metadata: Mapping[str, Any], sound: Sound, *, joins: bool
) -> tuple[str, str]:
    """The address of the room and a token for it, where a character will be if there can be one."""
    rooms = call.running.rooms
    place = await rooms.place()
    identity = f"{person or 'anonymous'}-{connected.session_id[:8]}"
    name = str(metadata.get("name") or person or "anonymous")
    token = place.token(call.store.account_id, connected.room_name, connected.now, identity=identity, name=name)
    elsewhere = joins and not rooms.has(call.store.account_id, connected.room_name)
    if place.nobody_comes is None and not elsewhere:
        session, character = await call.store.write(_hold, connected.session_id, call.hub.holder)
        rooms.open(session, identity, character.character_name, sound)
    elif place.is_ours:
        await call.hub.end(call.store.account_id, connected.session_id)
        raise Conflict(ROOM_ELSEWHERE)
    elif place.nobody_comes is not None:
        call.note.explain({"event": "room", "because": place.nobody_comes})
    return rooms.address(place, call.request), token


def _hold(tx: AccountTransaction, session_id: str, holder: str) -> tuple[Session, Character]:
    """Keep a session for the room of this process, whose character it is with."""
    sessions.hold(tx, session_id, holder)
    session = sessions.still_open(tx, session_id)
    return session, characters.of_conversation(tx, session.conversation_seq)
