"""Writing down what was asked and answered, with reasons, at next to no cost for the request itself.

A request only leaves a note. Notes become entries when somebody reads the journal, or a moment later; parsing, hiding
secrets and looking for violations happen then, in the database's thread.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from pydantic import ValidationError

from fake_convai.api.endpoint import Endpoint
from fake_convai.api.models import complaints
from fake_convai.domain.clock import to_iso
from fake_convai.store import journal
from fake_convai.store.database import Database
from fake_convai.store.journal import Entry
from fake_convai.store.query import Transaction

FLUSH_SECONDS = 0.2
MAX_KEPT_BODY = 64 * 1024
"""Bytes; of a larger body only its size is kept, so that the journal stays small."""

_SECRETS = frozenset({"apiAuthToken", "token"})


@dataclass(slots=True)
class Note:
    """What a request leaves behind while it is answered."""

    method: str
    path: str
    surface: str
    started: int = field(default_factory=time.perf_counter_ns)
    account_id: int | None = None
    endpoint: Endpoint | None = None
    body: bytes | Mapping[str, Any] = b""
    status: int = 0
    response: bytes = b""
    duration: int = 0
    at: int = 0
    fault: Mapping[str, Any] | None = None
    explanations: list[dict[str, str]] = field(default_factory=list)


class Journal:
    """Collects notes and writes them to the database in batches."""

    def __init__(self, database: Database, keep: int, clock: Callable[[Transaction, int | None], int]) -> None:
        """`keep` is how many entries an account's journal holds; `clock` gives an account's time."""
        self._database = database
        self._keep = keep
        self._clock = clock
        self._notes: list[Note] = []

    def add(self, note: Note, status: int, response: bytes) -> None:
        """The request was answered."""
        note.status, note.response = status, response
        note.duration = time.perf_counter_ns() - note.started
        self._notes.append(note)

    def forget(self, account_id: int | None) -> None:
        """Drop what has been noted about an account, or about all, and is not written down yet."""
        self._notes = [note for note in self._notes if account_id not in (None, note.account_id)]

    async def flush(self) -> None:
        """Write down what has been noted so far."""
        if self._notes:
            notes, self._notes = self._notes, []
            await self._database.write(lambda tx: self._write(tx, notes))

    def _write(self, tx: Transaction, notes: list[Note]) -> None:
        journal.add(tx, [_entry(note, self._clock(tx, note.account_id)) for note in notes], self._keep)

    async def run(self) -> None:
        """Flush now and then until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self.flush()


def _entry(note: Note, now: int) -> Entry:
    body, response = _kept(note.body), _kept(note.response)
    unknown, violations = _review(note)
    content = {
        "at": to_iso(now),
        "surface": note.surface,
        "method": note.method,
        "path": note.path,
        "body": body,
        "status": note.status,
        "response": response,
        "duration_ms": round(note.duration / 1_000_000, 3),
        "fault": note.fault,
        "unknown_fields": unknown,
        "violations": violations,
        "explanations": note.explanations,
    }
    text = orjson.dumps(content).decode()
    return Entry(note.account_id, note.surface, note.path, note.status, text.replace("\\u0000", "\\ufffd"))


def _kept(raw: bytes | Mapping[str, Any]) -> Any:
    """A body as the journal shows it: JSON where it is JSON, without secrets."""
    if isinstance(raw, Mapping):
        return _without_secrets(raw)
    if len(raw) > MAX_KEPT_BODY:
        return f"({len(raw)} bytes, not kept)"
    try:
        return _without_secrets(orjson.loads(raw)) if raw else None
    except orjson.JSONDecodeError:
        return raw.decode("utf-8", "replace")


def _without_secrets(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name: f"...{member[-4:]}"
            if name in _SECRETS and isinstance(member, str) and member
            else _without_secrets(member)
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [_without_secrets(member) for member in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _review(note: Note) -> tuple[list[str], list[str]]:
    """Fields that nothing reads, and what a stricter server would not have taken."""
    body = _kept(note.body) if not isinstance(note.body, Mapping) else note.body
    if note.endpoint is None or not isinstance(body, Mapping):
        return [], []
    model = note.endpoint.body
    unknown = sorted(set(body) - note.endpoint.fields)
    if note.endpoint.reads != "json":
        return unknown, []
    try:
        model.model_validate({name: value for name, value in body.items() if value is not None}, strict=True)
    except ValidationError as error:
        return unknown, list(complaints(error, model))
    return unknown, []
