"""Writing down the frames of live sessions, at next to no cost for the session itself.

As with requests (`journal.py`): a frame only leaves a note, and notes become entries when somebody reads them, a moment
later in a file, and at once in a database that replicas share.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from fake_convai.backend.notes import Notes
from fake_convai.backend.redact import redacted, storable
from fake_convai.domain.clock import real_time, to_iso
from fake_convai.store import clocks, messages
from fake_convai.store.database import Database
from fake_convai.store.messages import Entry
from fake_convai.store.query import Transaction

MAX_KEPT = 16 * 1024
"""Bytes; of a larger frame only its size is kept."""

_FRAME_SIZE = 300
"""Bytes of an entry beside the frame."""

Direction = Literal["in", "out"]


@dataclass(frozen=True, slots=True)
class Frame:
    """What was sent or received, and when by the machine's clock."""

    at: int
    ended: int
    account_id: int
    session_id: str
    direction: Direction
    type: str | None
    raw: bytes

    @property
    def size(self) -> int:
        """Bytes of what is kept, about."""
        return len(self.raw) + _FRAME_SIZE


class Frames(Notes[Frame]):
    """The frames, an entry each."""

    def __init__(self, database: Database, keep: int, most_bytes: int) -> None:
        """As `Notes`."""
        super().__init__(database, messages.KEPT, keep, most_bytes)

    def note(self, account_id: int, session_id: str, direction: Direction, kind: str | None, raw: bytes) -> None:
        """A frame was received, or is sent."""
        if len(raw) > MAX_KEPT:
            raw = orjson.dumps(f"({len(raw)} bytes, not kept)")
        self.keep(Frame(real_time(), time.perf_counter_ns(), account_id, session_id, direction, kind, raw))

    def _write_down(self, tx: Transaction, notes: Sequence[Frame]) -> None:
        ticking = {account_id: clocks.get(tx, account_id) for account_id in {frame.account_id for frame in notes}}
        whose = {one: messages.whose(tx, one) for one in {frame.session_id for frame in notes}}
        messages.add(
            tx,
            (_entry(one, ticking[one.account_id].at(one.at), whose[one.session_id]) for one in notes),
        )


def _entry(frame: Frame, at: int, whose: Mapping[str, str | None]) -> Entry:
    kind = None if frame.type is None else storable(frame.type)
    content: dict[str, Any] = {
        "at": to_iso(at),
        "session_id": frame.session_id,
        **whose,
        "direction": frame.direction,
        "type": kind,
        "message": _shown(frame.raw),
    }
    return Entry(frame.account_id, frame.session_id, frame.direction, kind, orjson.dumps(content).decode())


def _shown(raw: bytes) -> Any:
    """A frame as it may be kept: JSON where it is JSON, without secrets."""
    try:
        return redacted(orjson.loads(raw))
    except orjson.JSONDecodeError:
        return storable(raw.decode("utf-8", "replace"))
