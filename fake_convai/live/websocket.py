"""`WebSocket /chat`: a session over a socket, which is little more than its frames (docs/contract.md section 9)."""

import asyncio
import uuid
from contextlib import suppress

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from fake_convai.backend.auth import Caller
from fake_convai.backend.backend import Backend
from fake_convai.backend.body import headers_of
from fake_convai.backend.errors import Manners
from fake_convai.backend.faults import describe, injected
from fake_convai.backend.journal import Note
from fake_convai.backend.responses import AT_ONCE, SEND_SECONDS
from fake_convai.backend.sockets import abort
from fake_convai.backend.surface import Surface
from fake_convai.domain.errors import Unavailable
from fake_convai.live.conversation import INJECTED, Conversation, Over
from fake_convai.live.hub import EXPIRED, INTERNAL_ERROR, POLICY_VIOLATION, UNKNOWN
from fake_convai.live.messages import Event
from fake_convai.live.running import Running
from fake_convai.store import sessions
from fake_convai.store.sessions import Session, SessionGone

MISMATCH = "Session transport mismatch. Please reconnect via /connect"
TAKEN = "Session already has an active connection. Only one WebSocket per session allowed."

CLOSE_SECONDS = 2.0
"""How long a client may take to be told that the connection ends."""

_GONE = (WebSocketDisconnect, RuntimeError, OSError)
"""What sending raises when the other side, or the hub, has closed the connection."""


class SocketConnection:
    """The frames of one WebSocket, each sent within a bounded time or not at all."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._sent = 0

    async def send(self, event: Event) -> None:
        """Send an event as a text frame. A client that has gone, or does not read, gets nothing more."""
        await self.send_raw(orjson.dumps(event))

    async def send_raw(self, data: bytes) -> None:
        """Send a text frame, whatever it holds."""
        self._sent += 1
        if self._sent % AT_ONCE == 0:
            await asyncio.sleep(0)
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._websocket.send_text(data.decode("utf-8", "replace"))
        except TimeoutError:
            abort(self._websocket.scope)
        except _GONE:
            pass

    async def reset(self) -> None:
        """Reset the connection or, under a server that does not let us, close it as one that broke."""
        if not abort(self._websocket.scope, reset=True):
            await self.close(INTERNAL_ERROR, INJECTED)

    async def close(self, code: int, reason: str) -> None:
        """Say why, and close. A client that does not read is dropped."""
        if self._websocket.application_state is not WebSocketState.CONNECTED:
            return
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._websocket.close(code, reason)
        except TimeoutError:
            abort(self._websocket.scope)
        except _GONE:
            pass


async def chat(websocket: WebSocket, running: Running) -> None:
    """Carry one session until either side ends it; whatever was said by then is remembered."""
    backend, hub = running.backend, running.hub
    connection = SocketConnection(websocket)
    session, refusal = None, None
    try:
        session = await _find(backend, websocket.query_params.get("session_id", ""))
        if session is not None and await _is_refused(websocket, running, session):
            return
        await websocket.accept()
        refusal = await _refusal(session, running)
    except Unavailable as error:
        if websocket.application_state is WebSocketState.CONNECTING:
            await websocket.accept()
        await connection.close(INTERNAL_ERROR, error.message)
        return
    if session is None or refusal is not None:
        await connection.close(POLICY_VIOLATION, refusal or UNKNOWN)
        return
    hub.attach(session.session_id, connection)
    conversation = Conversation(backend, hub, session, connection)
    try:
        await _carry(websocket, connection, conversation)
    finally:
        await conversation.leave()
        await hub.leave(session.account_id, session.session_id)


async def _is_refused(websocket: WebSocket, running: Running, session: Session) -> bool:
    """Whether a fault refuses the handshake, which it then has."""
    backend, account_id = running.backend, session.account_id
    if not await backend.faults.are_waiting():
        return False
    try:
        whose = await backend.account_store(account_id).read(sessions.introduce, session)
    except SessionGone:
        return False
    fault = await backend.faults.refusal(account_id, whose.as_body())
    if fault is None or fault.handshake is None:
        return False
    note = Note("WEBSOCKET", "/chat", Surface.LIVE, account_id=account_id, body={"session_id": session.session_id})
    note.fault, note.credential = describe(fault), "session"
    await backend.time.delay(account_id, fault.waits_ms)
    answer = injected(fault, fault.handshake, Manners(Surface.LIVE)).response()
    await backend.journal.add(note, answer.status_code, bytes(answer.body))
    await websocket.send_denial_response(answer)
    return True


async def _carry(websocket: WebSocket, connection: SocketConnection, conversation: Conversation) -> None:
    with suppress(WebSocketDisconnect, RuntimeError):  # what reading raises once the hub has closed the connection
        while True:
            frame = await websocket.receive()
            if frame["type"] == "websocket.disconnect":
                return
            data = frame.get("text")
            try:
                await conversation.receive(frame["bytes"] if data is None else data)
            except Over as over:
                await connection.close(over.code, over.reason)
                return


async def caller_of(websocket: WebSocket, running: Running, named: Surface | None) -> Caller:
    """Whose handshake it is: by the session that it names, which is all that a browser can send, or by its key."""
    session = await _find(running.backend, websocket.query_params.get("session_id", ""))
    if session is not None:
        return Caller("session", session.account_id)
    return await running.backend.authenticator.caller(headers_of(websocket.scope), named)


async def _find(backend: Backend, session_id: str) -> Session | None:
    """The session with this id; what is no UUID names none, and may not even be storable."""
    try:
        canonical = str(uuid.UUID(session_id))
    except ValueError:
        return None
    return await backend.database.read(lambda tx: sessions.find(tx, canonical))


async def _refusal(session: Session | None, running: Running) -> str | None:
    gone = _gone(session)
    if session is None or gone is not None:
        return gone
    if session.transport != "websocket":
        return MISMATCH
    store = running.backend.account_store(session.account_id)
    held = await store.write(sessions.hold, session.session_id, running.hub.holder)
    # Somebody else has it, unless it was ended just now.
    return None if held else _gone(await _find(running.backend, session.session_id)) or TAKEN


def _gone(session: Session | None) -> str | None:
    if session is None:
        return UNKNOWN
    return None if session.ended_at is None else EXPIRED
