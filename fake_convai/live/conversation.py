"""A live session from the server's side, whichever transport carries it (docs/contract.md section 9).

A transport hands in what its client sends and carries away what comes of it: `websocket.py` is one, a room another.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import ValidationError

from fake_convai.backend.backend import Backend
from fake_convai.backend.disturbing import Broken, Disturber
from fake_convai.backend.errors import Manners
from fake_convai.backend.models import complaints
from fake_convai.backend.surface import Surface
from fake_convai.backend.waiting import Cut
from fake_convai.domain.faults import Fault
from fake_convai.domain.pace import INSTANT, Pace
from fake_convai.live import client_messages, messages
from fake_convai.live.client_messages import CLIENT_MESSAGES, NOT_EMULATED, OF_SEVERAL
from fake_convai.live.context import Context
from fake_convai.live.ending import end
from fake_convai.live.hub import (
    ENDED,
    EXPIRED,
    INTERNAL_ERROR,
    NORMAL,
    POLICY_VIOLATION,
    UNKNOWN,
    Breakable,
    Connection,
    Hub,
)
from fake_convai.live.messages import Event, Extras, Status, response
from fake_convai.live.mishaps import Mishaps
from fake_convai.live.turn import Turn, completed
from fake_convai.store import conversations, sessions, talking
from fake_convai.store.sessions import Introduction, Session, SessionGone
from fake_convai.store.talking import Said

INJECTED = "Injected fault"

PARSE_ERROR = "Failed to parse message: invalid JSON or UTF-8 encoding"
NO_TYPE = "Message missing required 'type' field"


class Over(Exception):
    """The session is over: the transport is to close with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Playing:
    """A turn that takes time, while the client is heard."""

    cut: Cut
    task: asyncio.Task[None]


class Conversation:
    """One session while a connection carries it.

    `hub.attach(session_id, connection)` comes before it. After it come `leave()` and
    `hub.leave(account_id, session_id)`: the session ends there, and what was said is remembered.
    """

    def __init__(
        self,
        backend: Backend,
        hub: Hub,
        session: Session,
        connection: Connection,
        *,
        speaks: bool = True,
        pace: Pace = INSTANT,
    ) -> None:
        """`session` is open and held by this process (`sessions.hold`); it `speaks` until the client says otherwise.

        `pace` is that of the transport, where the account has none.
        """
        self.session = session
        self._backend = backend
        self._hub = hub
        self._connection = connection
        self._store = backend.account_store(session.account_id)
        self._speaks = speaks
        self._pace = pace
        self._context = Context()
        self._interacted = False
        self._introduction: Introduction | None = None
        self._mishaps = Mishaps(backend, session.account_id)
        self._disturber: Disturber | None = None
        self._playing: Playing | None = None
        self._handlers: dict[type[Any], Callable[[Any], Awaitable[None]]] = {
            client_messages.UserTextMessage: self._user_text,
            client_messages.TriggerMessage: self._trigger,
            client_messages.ContextUpdate: self._context_update,
            client_messages.TtsToggle: self._tts,
            client_messages.SttToggle: self._stt,
            client_messages.KillPipeline: self._kill,
            client_messages.InterruptBot: self._interrupt,
        }

    async def receive(self, frame: str | bytes) -> None:
        """Take what the client sent: one message as JSON. Raises `Over` when the session has ended, now or before."""
        raw = frame.encode("utf-8", "replace") if isinstance(frame, str) else frame
        try:
            message = orjson.loads(frame)
        except orjson.JSONDecodeError:
            await self._acting(None, raw, self._answer, "parse-error", "error", PARSE_ERROR)
        else:
            await self._acting(_type_of(message), raw, self._take, message)

    async def take(self, message: Any) -> None:
        """Take a message that has been parsed. Raises `Over` when the session has ended, now or before."""
        await self._acting(_type_of(message), orjson.dumps(_echo(message)), self._take, message)

    async def open(self, event: Any) -> None:
        """Send the event that a session begins with, and that answers nothing. Raises `Over` as `receive` does."""
        try:
            self._disturber = await self._disturbance()
            await self._send(event)
        except Exception as error:
            raise _over(error) from error
        finally:
            await self._backend.frames.share()

    async def hear(self) -> None:
        """The user has said something aloud: a turn without an acknowledgement. Raises `Over` as `receive` does."""
        try:
            text = await self._store.write(talking.heard, self.session.conversation_seq)
        except Exception as error:
            raise _over(error) from error
        await self._acting(None, orjson.dumps(f"(speech: {text})"), self._turn, "user_text_message", text)

    async def interrupt(self) -> None:
        """Cut the turn that is being said, if there is one: the user has begun to speak."""
        playing = self._playing
        if playing is None:
            return
        playing.cut.make()
        # Who comes meanwhile waits too: in a room speech cuts a turn while the text that has come begins the next one.
        await asyncio.wait([playing.task])
        if self._playing is playing:
            self._playing = None

    async def leave(self) -> None:
        """The connection is gone: what was being said is cut."""
        await self.interrupt()
        await self._backend.frames.share()

    async def _acting(self, kind: str | None, raw: bytes, act: Callable[..., Awaitable[None]], *arguments: Any) -> None:
        """Do what the client wants, which keeps the session from being idle; errors become an end of the session."""
        account_id, session_id = self.session.account_id, self.session.session_id
        try:
            await self._store.write(sessions.touch, session_id)
            self._hub.heard_from(session_id)
            self._backend.frames.note(account_id, session_id, "in", kind, raw)
            self._disturber = await self._disturbance()
            await act(*arguments)
        except Exception as error:
            raise _over(error) from error
        finally:
            await self._backend.frames.share()

    async def _take(self, message: Any) -> None:
        kind = _type_of(message)
        if kind is None:
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
            is_misplaced = NOT_EMULATED[kind] == OF_SEVERAL and self.session.transport == "livekit"
            extras: Extras | None = {"code": "not_roster_room"} if is_misplaced else None
            await self._answer(kind, "error", f"fake-convai does not emulate {kind}: {NOT_EMULATED[kind]}.", extras)
        else:
            extras = {"supported_types": list(CLIENT_MESSAGES)}
            await self._answer(kind, "error", f"Unknown message type: {kind}", extras)

    async def _user_text(self, message: client_messages.UserTextMessage) -> None:
        text = message.data.text
        acknowledgement = response(message.type, "success", "User text message processed", {"text": text})
        await self._turn(message.type, text, acknowledgement)

    async def _trigger(self, message: client_messages.TriggerMessage) -> None:
        trigger = message.data or client_messages.Trigger()
        words = trigger.trigger_message or trigger.trigger_name
        extras: Extras = {"trigger_name": trigger.trigger_name}
        if words:
            extras["has_speak_tag"] = False
        acknowledgement = response(message.type, "success", "Trigger message processed successfully", extras)
        if words:
            await self._turn(message.type, words, acknowledgement, is_trigger=True)
        else:
            await self._send(acknowledgement)

    async def _context_update(self, message: client_messages.ContextUpdate) -> None:
        mode = message.data.mode or "append"
        text = "" if mode == "reset" else message.data.text or ""
        extras = self._context.change(mode, text)
        if message.data.action_config is not None:
            await self._store.write(sessions.change_action_config, self.session.session_id, message.data.action_config)
        acknowledgement = response(message.type, "success", f"Context updated successfully ({mode} mode)", extras)
        if message.data.run_llm == "true" and text:
            await self._turn(message.type, text, acknowledgement, is_trigger=True)
        else:
            await self._send(acknowledgement)

    async def _tts(self, message: client_messages.TtsToggle) -> None:
        self._speaks = message.data.enabled
        words = "TTS enabled" if self._speaks else "TTS disabled"
        await self._answer(message.type, "success", words, {"enabled": self._speaks})

    async def _stt(self, message: client_messages.SttToggle) -> None:
        muted = message.data.muted
        await self._answer(message.type, "success", "STT muted" if muted else "STT unmuted", {"muted": muted})

    async def _kill(self, message: client_messages.KillPipeline) -> None:
        await self.interrupt()
        # Ended first, so that the memories are there once the client has read the acknowledgement.
        await end(self._store, self.session.session_id)
        extras = {"room_name": self.session.room_name}
        await self._answer(message.type, "success", "Pipeline killed successfully", extras)
        raise Over(NORMAL, ENDED)

    async def _interrupt(self, message: client_messages.InterruptBot) -> None:
        await self._answer(message.type, "success", "Bot interrupted successfully")
        await self.interrupt()

    async def _turn(
        self, kind: str, text: str, acknowledgement: Event | None = None, *, is_trigger: bool = False
    ) -> None:
        """Say something, which cuts what is still being said, and let the character answer."""
        fault = await self._fault(text)
        if fault is not None and fault.when == "before" and await self._happen(fault, kind):
            return
        if acknowledgement is not None:
            await self._send(acknowledgement)
        await self.interrupt()
        said = await self._store.write(talking.say, self.session.session_id, text, is_trigger=is_trigger)
        if not self._interacted:
            self._interacted = True
            created: messages.InteractionCreated = {
                "type": "interaction-created",
                "interaction_id": said.interaction_id,
                "character_session_id": said.character_session_id,
            }
            await self._send(messages.wrapped(created))
        turn = Turn(
            said.answer,
            user_text=text,
            is_trigger=is_trigger,
            speaks=self._speaks,
            pace=said.pace.over(self._pace),
            seed=said.seed,
        )
        late = fault if fault is not None and fault.when == "after" else None
        if not turn.takes_time:
            await self._play(turn, said, late, kind, Cut())
            return
        cut = Cut()
        self._playing = Playing(cut, asyncio.create_task(self._play_by_itself(turn, said, late, kind, cut)))

    async def _play_by_itself(self, turn: Turn, said: Said, fault: Fault | None, kind: str, cut: Cut) -> None:
        """Play a turn while the client is heard; what ends the session closes the connection from here."""
        try:
            await self._play(turn, said, fault, kind, cut)
        except Exception as error:  # noqa: BLE001 - nobody waits for this, so all of it ends the session
            over = _over(error)
            await self._connection.close(over.code, over.reason)
        finally:
            await self._backend.frames.share()

    async def _play(self, turn: Turn, said: Said, fault: Fault | None, kind: str, cut: Cut) -> None:
        """Send the events of a turn, each in its time. Once it is cut, only what closes the turn is sent."""
        time, account_id, disturber = self._backend.time, self.session.account_id, self._disturber
        began = await time.now(account_id) if turn.takes_time else 0
        was_cut = False
        for step in turn.steps():
            if step.at and not was_cut and not await time.until(account_id, began + step.at, cut):
                was_cut = True
                heard = turn.said_by(await time.now(account_id) - began)
                await self._store.write(conversations.cut_turn, said.turn_seq, heard)
            if was_cut and not step.closes:
                continue
            event = step.event
            if was_cut and messages.kind_of(event) == "bot-turn-completed":
                event = messages.wrapped(completed(was_interrupted=True))
            await self._send(event, disturber)
            if fault is not None and event["type"] == "bot-llm-started" and await self._happen(fault, kind):
                return
        if disturber is not None:
            await self._finish(disturber)

    async def _disturbance(self) -> Disturber | None:
        """What is to happen among the frames that answer this message."""
        return await self._mishaps.among_frames([await self._as_body()]) if await self._mishaps.are_waiting() else None

    async def _fault(self, text: str) -> Fault | None:
        """The fault that is to happen to this turn."""
        if not await self._mishaps.are_waiting():
            return None
        return await self._mishaps.to_turn(await self._as_body(), {"session_id": self.session.session_id, "text": text})

    async def _as_body(self) -> dict[str, str | None]:
        if self._introduction is None:
            self._introduction = await self._store.read(sessions.introduce, self.session)
        return self._introduction.as_body()

    async def _happen(self, fault: Fault, kind: str) -> bool:
        """Let a fault happen to a turn; False when it was only a delay. A connection breaks with an internal error."""
        await self._backend.time.delay(self.session.account_id, fault.waits_ms)
        if fault.disconnect:
            raise Over(INTERNAL_ERROR, INJECTED)
        if fault.status is None:
            return False
        extras = fault.body if isinstance(fault.body, dict) else {"body": fault.body} if fault.body else None
        await self._answer(kind, "error", f"{INJECTED}: {fault.status}", extras)
        return True

    async def _answer(self, event_type: str, status: Status, message: str, extras: Extras | None = None) -> None:
        await self._send(response(event_type, status, message, extras), self._disturber)

    async def _send(self, event: Event, disturber: Disturber | None = None) -> None:
        kind, raw = messages.kind_of(event), orjson.dumps(event)
        self._backend.frames.note(self.session.account_id, self.session.session_id, "out", kind, raw)
        disturber = disturber or self._disturber
        if disturber is None or not isinstance(self._connection, Breakable):
            await self._connection.send(event)
            return
        before = len(disturber.happened)
        try:
            await disturber.send(kind, raw, self._connection.send_raw)
        except Broken as broken:
            if broken.how == "reset":
                await self._connection.reset()
            raise Over(NORMAL if broken.how == "end" else INTERNAL_ERROR, INJECTED) from broken
        finally:
            for fault in disturber.happened[before:]:
                await self._mishaps.note(fault, {"session_id": self.session.session_id, "type": kind})

    async def _finish(self, disturber: Disturber) -> None:
        if isinstance(self._connection, Breakable):
            await disturber.finish(self._connection.send_raw)


_ACKNOWLEDGED = {
    "update-template-keys": "Template keys updated successfully",
    "update-scene-metadata": "Scene metadata updated successfully",
    "update-dynamic-info": "Dynamic info updated successfully",
    "force-user-stopped-speaking": "User stopped speaking",
    "reset-idle-timer": "Idle timer reset successfully",
}
"""What is said to messages that do nothing more."""


def _over(error: Exception) -> Over:
    """What an error means to the session."""
    if isinstance(error, Over):
        return error
    if isinstance(error, SessionGone):
        return Over(POLICY_VIOLATION, EXPIRED if error.known else UNKNOWN)
    return Over(INTERNAL_ERROR, str(Manners(Surface.LIVE).answer(error).body["detail"])[:120])


def _type_of(message: Any) -> str | None:
    kind = message.get("type") if isinstance(message, dict) else None
    return kind if isinstance(kind, str) else None


def _echo(message: Any) -> Any:
    """The message, or None when it is nested more deeply than the JSON writer goes (the reader goes deeper)."""
    try:
        orjson.dumps([[message]])
    except TypeError:
        return None
    return message
