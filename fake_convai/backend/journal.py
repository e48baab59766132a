"""Writing down what was asked and answered, with reasons, at next to no cost for the request itself.

A request only leaves a note. Notes become entries, which means parsing, hiding secrets and looking for violations, as
late as the database allows: in memory when somebody reads the journal, in a file a moment later, and in PostgreSQL
before the answer leaves, since the next request may ask another replica for the journal.
"""

import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import orjson

from fake_convai.backend.auth import Caller
from fake_convai.backend.body import Headers
from fake_convai.backend.notes import Notes
from fake_convai.backend.redact import by_last_four, redacted, redacted_text, storable
from fake_convai.backend.surface import Surface
from fake_convai.domain.clock import real_time, to_iso
from fake_convai.store import clocks, journal
from fake_convai.store.database import Database
from fake_convai.store.journal import Entry
from fake_convai.store.query import Transaction

logger = logging.getLogger("fake_convai")

MAX_KEPT_BODY = 64 * 1024
"""Bytes; of a larger body only its size is kept, so that the journal stays small."""

MAX_KEPT_PATH = 4096
"""Characters; no route is nearly as long."""

_NOTE_SIZE = 1000
"""Bytes of a note beside its path and bodies."""

MAX_KEPT_HEADER = 500
"""Bytes of a header that are kept."""

_KEPT_HEADERS = (b"content-type", b"accept", b"user-agent", b"origin")
"""What tells clients apart. None of them holds a key."""

Body = bytes | Mapping[str, Any] | str
"""As it was sent or, once the request is answered, a remark in its place."""

_TRACES = random.Random()
"""Makes trace ids, which are names and no secrets, without asking the machine for each."""

Review = Callable[[Mapping[str, Any]], tuple[list[str], list[str]]]
"""Of a body: the fields that nothing reads, and what a stricter server would not have taken."""


@dataclass(slots=True)
class Note:
    """What a request leaves behind while it is answered. What it has of its own are no lists, which Python would look
    through again and again while the journal keeps them."""

    method: str
    path: str
    surface: Surface
    headers: tuple[tuple[bytes, bytes], ...] = ()
    """Those of the request that are kept."""
    at: int = field(default_factory=real_time)
    started: int = field(default_factory=time.perf_counter_ns)
    account_id: int | None = None
    review: Review | None = None
    body: Body = b""
    status: int = 0
    response: Body = b""
    duration: int = 0
    fault: Mapping[str, Any] | None = None
    stub: Mapping[str, Any] | None = None
    """What the stub that answered is for."""
    credential: str = "nothing"
    """What kind of credential came: a key, a token, a session, or nothing that counts."""
    home: Surface | None = None
    """Where the documents have the route, when it was asked on another surface."""
    trace_id: str = field(default_factory=lambda: f"req_{_TRACES.getrandbits(128).to_bytes(16).hex()}")
    size: int = 0
    """Bytes of what is kept, about."""
    account: str | None = None
    """What is shown of the key that came, or of a token in its place."""
    explanations: tuple[dict[str, str], ...] = ()

    def explain(self, *reasons: dict[str, str]) -> None:
        """Say why things happened: each an `event`, what it happened `with`, and `because` of what."""
        self.explanations += reasons

    def of(self, caller: Caller) -> None:
        """It is the request of this caller."""
        self.account_id, self.credential, self.account = caller.account_id, caller.by, caller.shown

    @property
    def ended(self) -> int:
        """When it was answered, by the machine's monotonic clock."""
        return self.started + self.duration


def kept_headers(sent: Headers) -> tuple[tuple[bytes, bytes], ...]:
    """Those that a note keeps."""
    return tuple([(name, sent[name][:MAX_KEPT_HEADER]) for name in _KEPT_HEADERS if name in sent])


REQUESTS = logging.getLogger("fake_convai.requests")
"""Each request, as a record with its `note`; silent until somebody wants to see them (`fake_convai.lines`)."""
REQUESTS.propagate = False
REQUESTS.setLevel(logging.CRITICAL)


def told(note: Note) -> dict[str, Any]:
    """What is shown of a request while it happens: an entry by the machine's time, of bodies only a refusal."""
    unknown, violations = _review(note)
    return {
        "at": to_iso(note.at),
        "surface": note.surface,
        "method": note.method,
        "account": note.account,
        "path": storable(note.path),
        "status": note.status,
        "response": _kept(note.response) if note.status >= 400 else None,
        "duration_ms": round(note.duration / 1_000_000, 3),
        "fault": note.fault,
        "off_surface": note.home is not None,
        "unknown_fields": unknown,
        "violations": violations,
    }


class Journal(Notes[Note]):
    """The requests, an entry each."""

    def __init__(self, database: Database, keep: int, most_bytes: int) -> None:
        """As `Notes`."""
        super().__init__(database, journal.KEPT, keep, most_bytes)

    async def add(self, note: Note, status: int, response: bytes) -> None:
        """The request was answered, or is about to be."""
        note.status, note.duration = status, time.perf_counter_ns() - note.started
        (note.body, asked), (note.response, answered) = _bounded(note.body), _bounded(response)
        if len(note.path) > MAX_KEPT_PATH:
            note.path = note.path[:MAX_KEPT_PATH] + "..."
        note.size = len(note.path) + asked + answered + _NOTE_SIZE
        self.keep(note)
        if REQUESTS.isEnabledFor(logging.INFO):
            REQUESTS.info("%s", note.path, extra={"note": note})
        if self._database.shared and status != 503:  # which is what a silent database has answered
            await self.share()

    def _write_down(self, tx: Transaction, notes: Sequence[Note]) -> None:
        ticking = {account_id: clocks.get(tx, account_id) for account_id in {note.account_id for note in notes}}
        journal.add(tx, list(filter(None, (_written(note, ticking[note.account_id].at(note.at)) for note in notes))))


def _written(note: Note, at: int) -> Entry | None:
    """An entry; None for a note that cannot be written, which loses itself only."""
    try:
        return _entry(note, at)
    except Exception:
        logger.exception("Cannot write down %s %s", note.method, note.path[:200])
        return None


def _entry(note: Note, at: int) -> Entry:
    unknown, violations = _review(note)
    content = {
        "at": to_iso(at),
        "surface": note.surface,
        "method": note.method,
        "account": note.account,
        "path": storable(note.path),
        "body": _kept(note.body),
        "status": note.status,
        "response": _kept(note.response),
        "duration_ms": round(note.duration / 1_000_000, 3),
        "fault": note.fault,
        "stub": note.stub,
        "off_surface": note.home is not None,
        "credential": note.credential,
        "headers": {name.decode(): storable(value.decode("latin-1")) for name, value in note.headers},
        "trace_id": note.trace_id,
        "unknown_fields": unknown,
        "violations": violations,
        "explanations": note.explanations,
    }
    return Entry(note.account_id, note.surface, storable(note.path), note.status, orjson.dumps(content).decode())


def _bounded(raw: Body) -> tuple[Body, int]:
    """The body or a remark on its size, and how long that is: a note may wait for long, so it is small."""
    if isinstance(raw, bytes):
        size = len(raw)
    elif isinstance(raw, str):
        return raw, len(raw)
    else:
        raw = redacted(raw)
        size = len(orjson.dumps(raw))
    if size <= MAX_KEPT_BODY:
        return raw, size
    remark = f"({size} bytes, not kept)"
    return remark, len(remark)


def _kept(raw: Body) -> Any:
    """A body as the journal shows it: JSON where it is JSON, without secrets."""
    if not isinstance(raw, bytes):
        return raw  # made fit to be kept when it was noted
    try:
        return redacted(orjson.loads(raw)) if raw else None
    except orjson.JSONDecodeError:
        return redacted_text(storable(raw.decode("utf-8", "replace")), by_last_four)


def _review(note: Note) -> tuple[list[str], list[str]]:
    body = _parsed(note.body)
    return note.review(body) if note.review is not None and isinstance(body, Mapping) else ([], [])


def _parsed(raw: Body) -> Any:
    if not isinstance(raw, bytes):
        return raw
    with suppress(orjson.JSONDecodeError):
        return orjson.loads(raw)
    return None
