"""A live session from the server's side, whichever transport carries it (docs/contract.md section 9).

A transport hands in what its client sends and carries away what comes of it: `websocket.py` is one, a room another.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from pydantic import ValidationError

from fake_convai.backend.backend import Backend
from fake_convai.backend.errors import Manners
from fake_convai.backend.faults import delay, describe
from fake_convai.backend.journal import Note
from fake_convai.backend.models import complaints
from fake_convai.backend.surface import Surface
from fake_convai.domain.faults import Fault
from fake_convai.live import messages, turn
from fake_convai.live.hub import ENDED, EXPIRED, INTERNAL_ERROR, NORMAL, POLICY_VIOLATION, UNKNOWN, Connection, Hub
from fake_convai.live.messages import CLIENT_MESSAGES, NOT_EMULATED, Extras, Status, response
from fake_convai.store import characters, people, sessions
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.sessions import Session, SessionGone

SWITCHING_PROTOCOLS = 101

PARSE_ERROR = "Failed to parse message: invalid JSON or UTF-8 encoding"
NO_TYPE = "Message missing required 'type' field"

_RUNTIME_TOKENS, _STATIC_TOKENS = 30_000, 20_000
_CHARACTERS_A_TOKEN = 4  # a common estimate; the real one is not documented


class Over(Exception):
    """The session is over: the transport is to close with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Conversation:
    """One session while a connection carries it.

    `hub.attach(session_id, connection)` comes before it and `hub.leave(account_id, session_id)` after it: the session
    ends there, and what was said is remembered.
    """

    def __init__(
        self, backend: Backend, hub: Hub, session: Session, connection: Connection, *, speaks: bool = True
    ) -> None:
        """`session` is open and held by this process (`sessions.hold`); it `speaks` until the client says otherwise."""
        self.session = session
        self._backend = backend
        self._hub = hub
        self._connection = connection
        self._store = backend.account_store(session.account_id)
        self._speaks = speaks
        self._context = ""
        self._interacted = False
        self._who: dict[str, str | None] | None = None
        self._handlers: dict[type[Any], Callable[[Any], Awaitable[None]]] = {
            messages.UserTextMessage: self._user_text,
            messages.TriggerMessage: self._trigger,
            messages.ContextUpdate: self._context_update,
            messages.TtsToggle: self._tts,
            messages.SttToggle: self._stt,
            messages.KillPipeline: self._kill,
            messages.InterruptBot: self._interrupt,
        }

    async def receive(self, frame: str | bytes) -> None:
        """Take what the client sent: one message as JSON. Raises `Over` when the session has ended, now or before."""
        try:
            message = orjson.loads(frame)
        except orjson.JSONDecodeError:
            await self._acting(self._answer, "parse-error", "error", PARSE_ERROR)
        else:
            await self.take(message)

    async def take(self, message: Any) -> None:
        """Take a message that has been parsed. Raises `Over` when the session has ended, now or before."""
        await self._acting(self._take, message)

    async def hear(self, text: str) -> None:
        """The user has said this aloud: a turn without an acknowledgement. Raises `Over` as `receive` does."""
        await self._acting(self._turn, text, is_trigger=False)

    async def _acting(self, act: Callable[..., Awaitable[None]], *arguments: Any, **options: Any) -> None:
        """Do what the client wants, which keeps the session from being idle; errors become an end of the session."""
        try:
            await self._store.write(sessions.touch, self.session.session_id)
            self._hub.heard_from(self.session.session_id)
            await act(*arguments, **options)
        except Over:
            raise
        except SessionGone as gone:
            raise Over(POLICY_VIOLATION, EXPIRED if gone.known else UNKNOWN) from gone
        except Exception as error:
            answer = Manners(Surface.LIVE).answer(error)
            raise Over(INTERNAL_ERROR, str(answer.body["detail"])[:120]) from error

    async def _take(self, message: Any) -> None:
        kind = message.get("type") if isinstance(message, dict) else None
        if not isinstance(kind, str):
            await self._answer("validation-error", "error", NO_TYPE, {"received_message": _echo(message)})
            return
        model = CLIENT_MESSAGES.get(kind)
        if model is None:
            await self._not_taken(kind)
            return
        try:
            parsed = model.model_validate(message)
        except ValidationError as error:
            await self._answer(kind, "error", " ".join(dict.fromkeys(complaints(error, model))))
            return
        handler = self._handlers.get(model)
        if handler is None:
            await self._answer(kind, "success", _ACKNOWLEDGED[kind])
        else:
            await handler(parsed)

    async def _not_taken(self, kind: str) -> None:
        if kind in NOT_EMULATED:
            await self._answer(kind, "error", f"fake-convai does not emulate {kind}: {NOT_EMULATED[kind]}.")
        else:
            extras = {"supported_types": list(CLIENT_MESSAGES)}
            await self._answer(kind, "error", f"Unknown message type: {kind}", extras)

    async def _user_text(self, message: messages.UserTextMessage) -> None:
        text = message.data.text
        await self._answer(message.type, "success", "User text message processed", {"text": text})
        await self._turn(text, is_trigger=False)

    async def _trigger(self, message: messages.TriggerMessage) -> None:
        trigger = message.data or messages.Trigger()
        words = trigger.trigger_message or trigger.trigger_name
        extras: Extras = {"trigger_name": trigger.trigger_name}
        if words:
            extras["has_speak_tag"] = False
        await self._answer(message.type, "success", "Trigger message processed successfully", extras)
        if words:
            await self._turn(words, is_trigger=True)

    async def _context_update(self, message: messages.ContextUpdate) -> None:
        mode = message.data.mode or "append"
        text = "" if mode == "reset" else message.data.text or ""
        self._context = f"{self._context}\n{text}".strip() if mode == "append" else text
        self._context = self._context[-_RUNTIME_TOKENS * _CHARACTERS_A_TOKEN :]
        tokens = -(-len(self._context) // _CHARACTERS_A_TOKEN)
        extras: Extras = {
            "token_count": tokens,
            "static_token_count": 0,
            "runtime_token_count": tokens,
            "max_tokens": _RUNTIME_TOKENS + _STATIC_TOKENS,
            "static_max_tokens": _STATIC_TOKENS,
            "runtime_max_tokens": _RUNTIME_TOKENS,
            "remaining_tokens": _RUNTIME_TOKENS + _STATIC_TOKENS - tokens,
            "content": self._context,
        }
        await self._answer(message.type, "success", f"Context updated successfully ({mode} mode)", extras)
        if message.data.run_llm == "true" and text:
            await self._turn(text, is_trigger=True)

    async def _tts(self, message: messages.TtsToggle) -> None:
        self._speaks = message.data.enabled
        words = "TTS enabled" if self._speaks else "TTS disabled"
        await self._answer(message.type, "success", words, {"enabled": self._speaks})

    async def _stt(self, message: messages.SttToggle) -> None:
        muted = message.data.muted
        await self._answer(message.type, "success", "STT muted" if muted else "STT unmuted", {"muted": muted})

    async def _kill(self, message: messages.KillPipeline) -> None:
        # Ended first, so that the memories are there once the client has read the acknowledgement.
        await self._store.write(sessions.end, self.session.session_id)
        extras = {"room_name": self.session.room_name}
        await self._answer(message.type, "success", "Pipeline killed successfully", extras)
        raise Over(NORMAL, ENDED)

    async def _interrupt(self, message: messages.InterruptBot) -> None:
        await self._answer(message.type, "success", "Bot interrupted successfully")

    async def _turn(self, text: str, *, is_trigger: bool) -> None:
        fault = await self._fault(text)
        if fault is not None and fault.when == "before" and await self._happen(fault):
            return
        said = await self._store.write(sessions.say, self.session.session_id, text, is_trigger=is_trigger)
        if not self._interacted:
            self._interacted = True
            created: messages.InteractionCreated = {
                "type": "interaction-created",
                "interaction_id": said.interaction_id,
                "character_session_id": said.character_session_id,
            }
            await self._connection.send(messages.wrapped(created))
        for event in turn.turn(None if is_trigger else text, said.answer, speaks=self._speaks):
            await self._connection.send(event)
            in_the_middle = fault is not None and fault.when == "after" and event["type"] == "bot-llm-started"
            if fault is not None and in_the_middle and await self._happen(fault):
                return

    async def _fault(self, text: str) -> Fault | None:
        """The fault that is to happen to this turn. The journal has an entry for each turn with one, and only those."""
        session = self.session
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
            raise Over(INTERNAL_ERROR, "Injected fault")
        if fault.status is None:
            return False
        await self._answer("user_text_message", "error", f"Injected fault: {fault.status}")
        return True

    async def _answer(self, event_type: str, status: Status, message: str, extras: Extras | None = None) -> None:
        await self._connection.send(response(event_type, status, message, extras))


_ACKNOWLEDGED = {
    "update-template-keys": "Template keys updated successfully",
    "update-scene-metadata": "Scene metadata updated successfully",
    "update-dynamic-info": "Dynamic info updated successfully",
    "force-user-stopped-speaking": "User stopped speaking",
    "reset-idle-timer": "Idle timer reset successfully",
}
"""What is said to messages that do nothing more."""


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
