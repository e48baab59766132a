"""`WebSocket /chat`: a conversation, message by message (CONTRACT.md section 9, D)."""

import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect

from fake_convai.backend.backend import Backend
from fake_convai.backend.errors import error_answer
from fake_convai.backend.faults import delay, describe
from fake_convai.backend.journal import Note
from fake_convai.backend.surface import Surface
from fake_convai.domain.errors import Unavailable
from fake_convai.domain.faults import Fault
from fake_convai.live import events
from fake_convai.store import characters, people, sessions
from fake_convai.store.accounts import AccountStore, AccountTransaction
from fake_convai.store.sessions import Session, SessionGone

POLICY_VIOLATION = 1008
INTERNAL_ERROR = 1011
SWITCHING_PROTOCOLS = 101
UNKNOWN = "Session not found in cache or database"
EXPIRED = "Session expired. Please reconnect via /connect"
MISMATCH = "Session transport mismatch. Please reconnect via /connect"
TAKEN = "Session already has an active connection. Only one WebSocket per session allowed."

PARSE_ERROR = "Failed to parse message: invalid JSON or UTF-8 encoding"
NO_TYPE = "Message missing required 'type' field"

_RUNTIME_TOKENS, _STATIC_TOKENS = 30_000, 20_000
_CHARACTERS_A_TOKEN = 4  # a common estimate; the real one is not documented


class _Wrong(Exception):
    """A message has the right type and the wrong data; the text says what is wanted."""


async def chat(websocket: WebSocket, backend: Backend) -> None:
    """Carry one session until either side ends it; whatever was said by then is remembered."""
    await websocket.accept()
    try:
        session = await _find(backend, websocket.query_params.get("session_id", ""))
        refusal = await _refusal(session, backend)
    except Unavailable as error:
        await websocket.close(INTERNAL_ERROR, error.message)
        return
    if session is None or refusal is not None:
        await websocket.close(POLICY_VIOLATION, refusal)
        return
    backend.hub.attach(session.session_id, websocket)
    try:
        await _Chat(websocket, backend, session).run()
    finally:
        await backend.hub.leave(session.account_id, session.session_id)


async def _find(backend: Backend, session_id: str) -> Session | None:
    """The session with this id; what is no UUID names none, and may not even be storable."""
    try:
        canonical = str(uuid.UUID(session_id))
    except ValueError:
        return None
    return await backend.database.read(lambda tx: sessions.find(tx, canonical))


async def _refusal(session: Session | None, backend: Backend) -> str | None:
    gone = _gone(session)
    if session is None or gone is not None:
        return gone
    if session.transport != "websocket":
        return MISMATCH
    held = await backend.account_store(session.account_id).write(sessions.hold, session.session_id, backend.hub.holder)
    # Somebody else has it, unless it was ended just now.
    return None if held else _gone(await _find(backend, session.session_id)) or TAKEN


def _gone(session: Session | None) -> str | None:
    if session is None:
        return UNKNOWN
    return None if session.ended_at is None else EXPIRED


class _Chat:
    """The messages of one connection, one after the other."""

    def __init__(self, websocket: WebSocket, backend: Backend, session: Session) -> None:
        self._websocket = websocket
        self._backend = backend
        self._session = session
        self._store: AccountStore = backend.account_store(session.account_id)
        self._speaks = True
        self._context = ""
        self._interacted = False
        self._who: dict[str, str | None] | None = None
        self._handlers: dict[str, Callable[[dict[str, Any]], Awaitable[None]]] = {
            "user_text_message": self._user_text,
            "trigger-message": self._trigger,
            "update-template-keys": self._template_keys,
            "update-scene-metadata": self._scene_metadata,
            "update-dynamic-info": self._dynamic_info,
            "context-update": self._context_update,
            "tts-toggle": self._tts,
            "stt-toggle": self._stt,
            "kill-pipeline": self._kill,
            "interrupt-bot": self._interrupt,
            "force-user-stopped-speaking": self._stopped_speaking,
            "reset-idle-timer": self._reset_idle_timer,
        }

    async def run(self) -> None:
        """Read messages until the connection or the session ends."""
        try:
            while True:
                frame = await self._websocket.receive()
                if frame["type"] == "websocket.disconnect":
                    return
                data = frame.get("text")
                await self._receive(frame["bytes"] if data is None else data)
        except SessionGone as gone:
            await self._close(POLICY_VIOLATION, EXPIRED if gone.known else UNKNOWN)
        except (WebSocketDisconnect, RuntimeError):
            return  # closed from the other side, or by the hub, while an answer was being sent
        except Exception as error:  # noqa: BLE001 - one mapping for all that is unexpected
            answer = error_answer(error, Surface.LIVE)
            await self._close(INTERNAL_ERROR, str(answer.body["detail"])[:120])

    async def _receive(self, data: str | bytes) -> None:
        await self._store.write(sessions.touch, self._session.session_id)
        self._backend.hub.heard_from(self._session.session_id)
        try:
            message = orjson.loads(data)
        except orjson.JSONDecodeError:
            await self._answer("parse-error", "error", PARSE_ERROR)
            return
        kind = message.get("type") if isinstance(message, dict) else None
        if not isinstance(kind, str):
            await self._answer("validation-error", "error", NO_TYPE, {"received_message": _echo(message)})
            return
        handler = self._handlers.get(kind)
        if handler is None:
            extras = {"supported_types": list(self._handlers)}
            await self._answer(kind, "error", f"Unknown message type: {kind}", extras)
            return
        content = message.get("data")
        try:
            await handler(content if isinstance(content, dict) else {})
        except _Wrong as wrong:
            await self._answer(kind, "error", str(wrong))

    async def _user_text(self, data: dict[str, Any]) -> None:
        text = _text(data, "text")
        await self._answer("user_text_message", "success", "User text message processed", {"text": text})
        await self._turn(text, is_trigger=False)

    async def _trigger(self, data: dict[str, Any]) -> None:
        name, said = _optional_text(data, "trigger_name"), _optional_text(data, "trigger_message")
        extras: dict[str, Any] = {"trigger_name": name}
        if said or name:
            extras["has_speak_tag"] = False
        await self._answer("trigger-message", "success", "Trigger message processed successfully", extras)
        if said or name:
            await self._turn(said or name or "", is_trigger=True)

    async def _template_keys(self, data: dict[str, Any]) -> None:
        if not isinstance(data.get("template_keys"), dict):
            raise _Wrong("template_keys is required: send an object of strings.")
        await self._answer("update-template-keys", "success", "Template keys updated successfully")

    async def _scene_metadata(self, data: dict[str, Any]) -> None:
        if not isinstance(data.get("scene_metadata"), list):
            raise _Wrong("scene_metadata is required: send a list of objects with name and description.")
        await self._answer("update-scene-metadata", "success", "Scene metadata updated successfully")

    async def _dynamic_info(self, data: dict[str, Any]) -> None:
        info = data.get("dynamic_info", {})
        if not isinstance(info, dict):
            raise _Wrong("dynamic_info must be an object with a text.")
        _optional_text(info, "text")
        await self._answer("update-dynamic-info", "success", "Dynamic info updated successfully")

    async def _context_update(self, data: dict[str, Any]) -> None:
        mode = data.get("mode", "append")
        if mode not in ("append", "replace", "reset"):
            raise _Wrong("mode must be append, replace or reset.")
        text = "" if mode == "reset" else _text(data, "text")
        self._context = f"{self._context}\n{text}".strip() if mode == "append" else text
        self._context = self._context[-_RUNTIME_TOKENS * _CHARACTERS_A_TOKEN :]
        tokens = -(-len(self._context) // _CHARACTERS_A_TOKEN)
        extras = {
            "token_count": tokens,
            "static_token_count": 0,
            "runtime_token_count": tokens,
            "max_tokens": _RUNTIME_TOKENS + _STATIC_TOKENS,
            "static_max_tokens": _STATIC_TOKENS,
            "runtime_max_tokens": _RUNTIME_TOKENS,
            "remaining_tokens": _RUNTIME_TOKENS + _STATIC_TOKENS - tokens,
            "content": self._context,
        }
        await self._answer("context-update", "success", f"Context updated successfully ({mode} mode)", extras)
        if data.get("run_llm") == "true" and text:
            await self._turn(text, is_trigger=True)

    async def _tts(self, data: dict[str, Any]) -> None:
        self._speaks = _switch(data, "enabled")
        message = "TTS enabled" if self._speaks else "TTS disabled"
        await self._answer("tts-toggle", "success", message, {"enabled": self._speaks})

    async def _stt(self, data: dict[str, Any]) -> None:
        muted = _switch(data, "muted")
        await self._answer("stt-toggle", "success", "STT muted" if muted else "STT unmuted", {"muted": muted})

    async def _kill(self, _: dict[str, Any]) -> None:
        # Ended first, so that the memories are there once the client has read the acknowledgement.
        await self._store.write(sessions.end, self._session.session_id)
        extras = {"room_name": self._session.room_name}
        await self._answer("kill-pipeline", "success", "Pipeline killed successfully", extras)
        await self._close(1000, "Session ended")

    async def _interrupt(self, _: dict[str, Any]) -> None:
        # Answers are sent whole before the next message is read, so there is never one to interrupt.
        await self._answer("interrupt-bot", "success", "Bot interrupted successfully")

    async def _stopped_speaking(self, _: dict[str, Any]) -> None:
        await self._answer("force-user-stopped-speaking", "success", "User stopped speaking")

    async def _reset_idle_timer(self, _: dict[str, Any]) -> None:
        await self._answer("reset-idle-timer", "success", "Idle timer reset successfully")

    async def _turn(self, text: str, *, is_trigger: bool) -> None:
        fault = await self._fault(text)
        if fault is not None and fault.when == "before" and await self._happen(fault):
            return
        said = await self._store.write(sessions.say, self._session.session_id, text, is_trigger=is_trigger)
        if not self._interacted:
            self._interacted = True
            await self._send(events.interaction_created(said.interaction_id, said.character_session_id))
        for event in events.turn(None if is_trigger else text, said.answer, speaks=self._speaks):
            await self._send(event)
            in_the_middle = fault is not None and fault.when == "after" and event["type"] == "bot-llm-started"
            if fault is not None and in_the_middle and await self._happen(fault):
                return

    async def _fault(self, text: str) -> Fault | None:
        """The fault that is to happen to this turn. The journal has an entry for each turn with one, and only those."""
        session = self._session
        if self._who is None:
            self._who = await self._store.read(_who, session)
        fault = await self._backend.faults.take(session.account_id, Surface.LIVE, "/chat", {}, self._who)
        if fault is not None:
            asked = {"session_id": session.session_id, "text": text}
            note = Note("WEBSOCKET", "/chat", Surface.LIVE, account_id=session.account_id, body=asked)
            note.fault = describe(fault)
            await self._backend.journal.add(note, SWITCHING_PROTOCOLS, b"")
        return fault

    async def _happen(self, fault: Fault) -> bool:
        """Let a fault happen to a turn; False when it was only a delay. A connection breaks with an internal error."""
        await delay(fault)
        if fault.disconnect:
            await self._websocket.close(INTERNAL_ERROR, "Injected fault")
        elif fault.status is not None:
            await self._answer("user_text_message", "error", f"Injected fault: {fault.status}")
        return fault.disconnect or fault.status is not None

    async def _close(self, code: int, reason: str) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):  # the other side or the hub was first
            await self._websocket.close(code, reason)

    async def _answer(
        self, event_type: str, status: events.Status, message: str, extras: dict[str, Any] | None = None
    ) -> None:
        await self._send(events.response(event_type, status, message, extras))

    async def _send(self, event: events.Event) -> None:
        await events.send(self._websocket, event)


def _who(tx: AccountTransaction, session: Session) -> dict[str, str | None]:
    """Whom a session is with, in the words of a request, as faults are matched by them."""
    session = sessions.still_open(tx, session.session_id)
    person = None if session.speaker_id is None else people.find_speaker(tx, session.speaker_id)
    return {
        "character_id": characters.of_conversation(tx, session.conversation_seq).character_id,
        "end_user_id": None if person is None else person.end_user_id,
    }


def _echo(message: Any) -> Any:
    """The message, or None when it is nested more deeply than the JSON writer goes (the reader goes deeper)."""
    try:
        orjson.dumps([[message]])
    except TypeError:
        return None
    return message


def _text(data: dict[str, Any], name: str) -> str:
    text = _optional_text(data, name)
    if text is None or not text.strip():
        raise _Wrong(f"{name} is required: send a non-blank string.")
    return text


def _optional_text(data: dict[str, Any], name: str) -> str | None:
    text = data.get(name)
    if text is not None and not isinstance(text, str):
        raise _Wrong(f"{name} must be a string.")
    if text is not None and "\0" in text:
        raise _Wrong(f"{name} must not hold a NUL character.")
    return text


def _switch(data: dict[str, Any], name: str) -> bool:
    value = data.get(name)
    if not isinstance(value, bool):
        raise _Wrong(f"{name} is required: send true or false.")
    return value
