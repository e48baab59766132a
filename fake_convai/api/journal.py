"""Writing down what was asked and answered, with reasons, at next to no cost for the request itself.

A request only leaves a note. Notes become entries when somebody reads the journal, or a moment later; parsing, hiding
secrets and looking for violations happen then, in the database's thread.
"""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import orjson
from pydantic import ValidationError
from starlette.datastructures import UploadFile

from fake_convai.api.body import MAX_DEPTH
from fake_convai.api.endpoint import Endpoint
from fake_convai.api.models import complaints
from fake_convai.api.surface import Surface
from fake_convai.domain.clock import real_time, to_iso
from fake_convai.domain.errors import Unavailable
from fake_convai.domain.identity import last_four
from fake_convai.store import clocks, journal
from fake_convai.store.database import Database
from fake_convai.store.journal import Entry
from fake_convai.store.query import Transaction

FLUSH_SECONDS = 0.2
MAX_KEPT_BODY = 64 * 1024
"""Bytes; of a larger body only its size is kept, so that the journal stays small."""

_SECRETS = frozenset({"apiauthtoken", "token", "apikey", "xapikey", "convaiapikey", "authorization"})
"""Members whose value is hidden, in lower case and without hyphens and underscores."""


@dataclass(slots=True)
class Note:
    """What a request leaves behind while it is answered."""

    method: str
    path: str
    surface: Surface
    at: int = field(default_factory=real_time)
    started: int = field(default_factory=time.perf_counter_ns)
    account_id: int | None = None
    endpoint: Endpoint | None = None
    body: bytes | Mapping[str, Any] = b""
    status: int = 0
    response: bytes = b""
    duration: int = 0
    fault: Mapping[str, Any] | None = None
    explanations: list[dict[str, str]] = field(default_factory=list)


class Journal:
    """Collects notes and writes them to the database in batches."""

    def __init__(self, database: Database, keep: int) -> None:
        """`keep` is how many entries an account's journal holds."""
        self._database = database
        self._keep = keep
        self._notes: list[Note] = []
        self._writing = asyncio.Lock()

    def add(self, note: Note, status: int, response: bytes) -> None:
        """The request was answered."""
        note.status, note.response = status, response
        note.duration = time.perf_counter_ns() - note.started
        self._notes.append(note)

    async def flush(self) -> None:
        """Write down what has been noted so far, by the clocks as they stand; all of it is written afterwards.

        When the database does not answer, the notes stay for the next time.
        """
        async with self._writing:
            if not self._notes:
                return
            notes, self._notes = self._notes, []
            try:
                await self._database.write(lambda tx: self._write(tx, notes))
            except Unavailable:
                self._notes = [*notes, *self._notes][-self._keep :]
                raise

    def _write(self, tx: Transaction, notes: list[Note]) -> None:
        ticking = {account_id: clocks.get(tx, account_id) for account_id in {note.account_id for note in notes}}
        journal.add(tx, [_entry(note, ticking[note.account_id].at(note.at)) for note in notes], self._keep)

    async def run(self) -> None:
        """Flush now and then until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            with suppress(Unavailable):
                await self.flush()


def _entry(note: Note, at: int) -> Entry:
    unknown, violations = _review(note)
    content = {
        "at": to_iso(at),
        "surface": note.surface,
        "method": note.method,
        "path": _storable(note.path),
        "body": _kept(note.body),
        "status": note.status,
        "response": _kept(note.response),
        "duration_ms": round(note.duration / 1_000_000, 3),
        "fault": note.fault,
        "unknown_fields": unknown,
        "violations": violations,
        "explanations": note.explanations,
    }
    return Entry(note.account_id, note.surface, _storable(note.path), note.status, orjson.dumps(content).decode())


def _storable(text: str) -> str:
    """The text without NUL, which PostgreSQL cannot store and a path (%00) or a refused body may hold."""
    return text.replace("\0", "\ufffd")


def _kept(raw: bytes | Mapping[str, Any]) -> Any:
    """A body as the journal shows it: JSON where it is JSON, without secrets."""
    if isinstance(raw, Mapping):
        shown = _shown(raw)
        size = len(orjson.dumps(shown))
        return shown if size <= MAX_KEPT_BODY else f"({size} bytes, not kept)"
    if len(raw) > MAX_KEPT_BODY:
        return f"({len(raw)} bytes, not kept)"
    try:
        return _shown(orjson.loads(raw)) if raw else None
    except orjson.JSONDecodeError:
        return _storable(raw.decode("utf-8", "replace"))


def _shown(value: Any, depth: int = 1) -> Any:
    if depth > MAX_DEPTH:
        return "(nested too deeply, not kept)"
    if isinstance(value, Mapping):
        return {
            _storable(name): f"...{last_four(str(member))}"
            if member and _is_secret(name)
            else _shown(member, depth + 1)
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [_shown(member, depth + 1) for member in value]
    if isinstance(value, UploadFile):
        return f"(file {value.filename}, {value.size} bytes)"
    return _storable(value) if isinstance(value, str) else value


def _is_secret(name: str) -> bool:
    return name.lower().replace("-", "").replace("_", "") in _SECRETS


def _review(note: Note) -> tuple[list[str], list[str]]:
    body = _parsed(note.body)
    return review(note.endpoint, body) if note.endpoint is not None and isinstance(body, Mapping) else ([], [])


def review(endpoint: Endpoint, body: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Fields that nothing reads, and what a stricter server would not have taken."""
    model = endpoint.body
    unknown = sorted(set(body) - endpoint.fields)
    if endpoint.reads != "json":
        return unknown, []
    try:
        model.model_validate({name: value for name, value in body.items() if value is not None}, strict=True)
    except ValidationError as error:
        return unknown, list(complaints(error, model))
    return unknown, []


def _parsed(raw: bytes | Mapping[str, Any]) -> Any:
    if isinstance(raw, Mapping):
        return raw
    with suppress(orjson.JSONDecodeError):
        return orjson.loads(raw) if len(raw) <= MAX_KEPT_BODY else None
    return None
