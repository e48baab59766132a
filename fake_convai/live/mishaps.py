"""The faults that happen to what is said live: to a turn, or inside the frames (docs/control-plane.md, "Faults")."""

from collections.abc import Iterable, Mapping
from typing import Any

from fake_convai.backend.backend import Backend
from fake_convai.backend.disturbing import Disturber
from fake_convai.backend.faults import describe
from fake_convai.backend.journal import Note
from fake_convai.backend.surface import Surface
from fake_convai.domain.faults import Fault

CHAT_PATH = "/chat"
SWITCHING_PROTOCOLS = 101


class Mishaps:
    """The faults of one account. The journal has an entry for each that happens, and only those."""

    def __init__(self, backend: Backend, account_id: int) -> None:
        self._backend = backend
        self._account_id = account_id

    async def are_waiting(self) -> bool:
        """Whether any fault may happen to anybody; costs next to nothing while there is none."""
        return await self._backend.faults.are_waiting()

    async def to_turn(self, who: Mapping[str, Any], said: Mapping[str, Any]) -> Fault | None:
        """The fault that is to happen to this turn; `who` is matched, `said` goes into the journal."""
        fault = await self._backend.faults.take(self._account_id, Surface.LIVE, CHAT_PATH, {}, who)
        if fault is not None:
            await self.note(fault, said)
        return fault

    async def among_frames(
        self, who: Iterable[Mapping[str, Any]], paths: Iterable[str] = (CHAT_PATH,)
    ) -> Disturber | None:
        """What is to happen among the frames that are sent next, if they concern any of these."""
        faults, found = self._backend.faults, dict[int, Fault]()
        paths = list(paths)
        for one in who:
            for path in paths:
                planned = await faults.planned(self._account_id, Surface.LIVE, path, one)
                found.update((fault.seq, fault) for fault in planned)
        if not found:
            return None
        return Disturber(faults, self._account_id, [found[seq] for seq in sorted(found)], self._wait, divides=False)

    async def note(self, fault: Fault, body: Mapping[str, Any]) -> None:
        """Write down that a fault has happened."""
        note = Note(
            "WEBSOCKET", CHAT_PATH, Surface.LIVE, account_id=self._account_id, body=dict(body), credential="session"
        )
        note.fault = describe(fault)
        await self._backend.journal.add(note, SWITCHING_PROTOCOLS, b"")

    async def _wait(self, milliseconds: float) -> None:
        await self._backend.time.delay(self._account_id, milliseconds)
