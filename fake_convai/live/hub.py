"""The connections that this process has, and the end of sessions that nobody uses any more.

The database is the truth about sessions; a connection lives in one process. `sweep` reconciles the two: it warns and
ends idle sessions by their account's clock, and hangs up where a session was ended from another process.
"""

import asyncio
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol, runtime_checkable

from fake_convai.domain.clock import SECOND
from fake_convai.domain.errors import Unavailable
from fake_convai.live.ending import end
from fake_convai.live.messages import Event, idle_warning
from fake_convai.store import open_sessions, sessions
from fake_convai.store.accounts import AccountStore
from fake_convai.store.database import Database
from fake_convai.store.memories import Remembered

logger = logging.getLogger("fake_convai")

SWEEP_SECONDS = 1.0
SILENT_SWEEPS = 30
"""In so many another process does not say that it is there until it counts as killed: a slow one is given time."""
MAX_NOTICE = 300 * SECOND
"""How long before the end a client is warned, at most: five minutes, as Convai's page on session events shows."""


NORMAL, POLICY_VIOLATION, INTERNAL_ERROR = 1000, 1008, 1011
"""Why a connection is closed, in the codes of RFC 6455."""
UNKNOWN = "Session not found in cache or database"
EXPIRED = "Session expired. Please reconnect via /connect"
ENDED = "Session ended"
"""The reasons that go with them, in Convai's words (docs/contract.md section 9) but for the last."""


class Connection(Protocol):
    """What carries a session to its client: a WebSocket, or a participant of a room.

    Neither method may take for ever, whatever the client does, and both do nothing once it has gone.
    """

    async def send(self, event: Event) -> None:
        """Send an event to the client."""

    async def close(self, code: int, reason: str) -> None:
        """End the connection, with a close code and a reason as a WebSocket has them."""


@runtime_checkable
class Breakable(Connection, Protocol):
    """A connection on which things can go wrong, when a fault asks for it."""

    async def send_raw(self, data: bytes) -> None:
        """Send what may be no JSON."""

    async def reset(self) -> None:
        """Break the connection off, without a word."""


@dataclass(slots=True)
class _Attached:
    connection: Connection
    warned: bool = False


class Hub:
    """Knows which connection carries which session."""

    def __init__(self, database: Database, account_store: Callable[[int], AccountStore], idle_timeout: float) -> None:
        self.holder = uuid.uuid4().hex
        self._database = database
        self._account_store = account_store
        self._idle_timeout = int(idle_timeout * SECOND)
        self._notice = min(MAX_NOTICE, self._idle_timeout // 2)
        self._attached: dict[str, _Attached] = {}
        self._left: set[tuple[int, str]] = set()
        self._others: dict[str, tuple[str | None, int]] = {}
        """What each other process said last, and in how many sweeps it has been silent since."""

    def attach(self, session_id: str, connection: Connection) -> None:
        """This connection carries the session from now on."""
        self._attached[session_id] = _Attached(connection)

    async def leave(self, account_id: int, session_id: str) -> None:
        """The session's connection is gone: end it, or when the database does not answer, as soon as it does."""
        self._attached.pop(session_id, None)
        try:
            await self.end(account_id, session_id)
        except Unavailable as error:
            logger.warning("A session will be ended later: %s", error)
            self._left.add((account_id, session_id))

    def heard_from(self, session_id: str) -> None:
        """The client is there: warn again when it falls silent the next time."""
        attached = self._attached.get(session_id)
        if attached is not None:
            attached.warned = False

    async def end(self, account_id: int, session_id: str) -> list[Remembered]:
        """End a session and hang up; returns what is remembered of it, which is nothing when it had ended before."""
        remembered = await end(self._account_store(account_id), session_id)
        await self._hang_up(session_id)
        return remembered or []

    async def recover(self) -> None:
        """End the sessions whose process was killed while it had their connection, so that what was said is kept.

        Only for a database of this one process: on a shared one, another replica may have the connection.
        """
        for session_id, account_id in await self._database.read(open_sessions.abandoned):
            await end(self._account_store(account_id), session_id)

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                await self.sweep()
            except Unavailable as error:
                logger.warning("Cannot look after idle sessions: %s", error)
            except Exception:
                logger.exception("Cannot look after idle sessions")  # the next sweep must come all the same

    async def sweep(self) -> None:
        """Warn and end idle sessions, and hang up those that ended elsewhere."""
        for account_id, session_id in list(self._left):
            await self.end(account_id, session_id)
            self._left.discard((account_id, session_id))
        warn_after = self._idle_timeout - self._notice
        idle = await self._database.read(lambda tx: open_sessions.idle(tx, warn_after))
        await asyncio.gather(*(self._look_after(one) for one in idle))
        if attached := set(self._attached):  # who comes while the database is asked is not in its answer
            held = await self._database.read(lambda tx: open_sessions.held(tx, self.holder))
            await asyncio.gather(*(self._lost(session_id) for session_id in attached - held))
        if self._database.shared:
            await self._miss_others()

    async def _miss_others(self) -> None:
        """Say that this process is there, and end the sessions of those that were killed."""
        if self._attached:
            await self._database.write(lambda tx: open_sessions.beat(tx, self.holder))
        before = self._others
        heard = await self._database.read(lambda tx: open_sessions.others(tx, self.holder))
        self._others = {one: (beat, _silent(before.get(one), beat)) for one, beat in heard.items()}
        for holder in [one for one, (_, sweeps) in self._others.items() if sweeps >= SILENT_SWEEPS]:
            for session_id, account_id in await self._database.write(partial(open_sessions.forget, holder=holder)):
                await self.end(account_id, session_id)

    async def _look_after(self, idle: open_sessions.Idle) -> None:
        attached = self._attached.get(idle.session_id)
        if attached is not None and not attached.warned:
            attached.warned = True
            remaining = max(0, self._idle_timeout - idle.quiet_for) // SECOND
            await attached.connection.send(idle_warning(remaining))
        if idle.quiet_for >= self._idle_timeout:
            await self.end(idle.account_id, idle.session_id)

    async def _lost(self, session_id: str) -> None:
        """The session was ended elsewhere, or is gone with the character or the account it hung from."""
        session = await self._database.read(lambda tx: sessions.find(tx, session_id))
        if session is None:
            await self._hang_up(session_id, POLICY_VIOLATION, UNKNOWN)
        else:
            await self._hang_up(session_id)

    async def _hang_up(self, session_id: str, code: int = NORMAL, reason: str = ENDED) -> None:
        attached = self._attached.pop(session_id, None)
        if attached is not None:
            await attached.connection.close(code, reason)


def _silent(before: tuple[str | None, int] | None, beat: str | None) -> int:
    return 0 if before is None or before[0] != beat else before[1] + 1
