"""A recording: one JSON object a line, the first says which version, each other one is an exchange."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fake_convai.backend.redact import is_secret, redacted
from fake_convai.backend.surface import Surface

VERSION = 1
_MARK = "fake_convai_recording"

WEBSOCKET = "WEBSOCKET"
"""Stands where other exchanges have their HTTP method."""

MAX_TEXT = 20_000
"""Characters of a text in an answer; longer ones are sound and are not kept."""


class Unreadable(Exception):
    """A recording cannot be read or written; the message says why, and in which line."""


class Body(BaseModel):
    """What was sent: the fields of a form, the events of a stream, the size of what is no text."""

    kind: Literal["empty", "json", "form", "events", "text", "binary"] = "empty"
    value: Any = None


class Sent(BaseModel):
    """A request."""

    method: str
    surface: Surface
    path: str
    named: bool = Field(True, description="Whether the client named the surface.")
    query: dict[str, str] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    body: Body = Body()

    @property
    def place(self) -> str:
        """The path with the prefix of its surface."""
        return f"/{self.surface}{self.path}" if self.named else self.path


class Received(BaseModel):
    """An answer."""

    status: int
    headers: dict[str, str] = Field(default_factory=dict)
    body: Body = Body()


class Frame(BaseModel):
    """A message over a WebSocket."""

    model_config = ConfigDict(populate_by_name=True)

    sender: Literal["client", "server"] = Field(alias="from")
    body: Body


class Close(BaseModel):
    """How a WebSocket ended."""

    by: Literal["client", "server"]
    code: int
    reason: str = ""


class Exchange(BaseModel):
    """A request with its answer; over a WebSocket, all that was said."""

    at: str
    duration_ms: float = 0.0
    request: Sent
    response: Received
    frames: list[Frame] = Field(default_factory=list)
    close: Close | None = None
    line: int = Field(0, exclude=True, description="Where it stands in the file.")


def read(path: Path) -> list[Exchange]:
    """The exchanges of a recording in the order they began; raises `Unreadable`, which names the line."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise Unreadable(f"cannot read {path}: {error.strerror}") from error
    version = _version(lines[0] if lines else b"")
    if version != VERSION:
        what = "this is not a recording of fake-convai" if version is None else f"a recording of version {version}"
        raise Unreadable(f"{path} line 1: {what}; this fake-convai reads version {VERSION}")
    exchanges: list[Exchange] = []
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        try:
            exchanges.append(Exchange.model_validate_json(line).model_copy(update={"line": number}))
        except ValidationError as error:
            detail = error.errors(include_url=False)[0]
            place = ".".join(map(str, detail["loc"]))
            raise Unreadable(f"{path} line {number}: not an exchange: {place} {detail['msg']}".strip()) from error
    return sorted(exchanges, key=lambda exchange: exchange.at)


def _version(line: bytes) -> Any:
    try:
        return orjson.loads(line)[_MARK]
    except (orjson.JSONDecodeError, LookupError, TypeError):
        return None


class Vault:
    """Remembers secrets while a recording is made: the same one always gets the same placeholder."""

    def __init__(self) -> None:
        self._placeholders: dict[str, str] = {}
        self._sessions: set[str] = set()

    def hide(self, secret: Any) -> str:
        """What stands in the recording in place of a secret."""
        text = str(secret)
        if text in self._sessions:
            return text  # the id of a session is in the recording anyway, and replaying has to know it again
        return self._placeholders.setdefault(text, f"secret-{len(self._placeholders) + 1}")

    def headers(self, headers: Mapping[str, str], kept: Iterable[str]) -> dict[str, str]:
        """Those of the headers that are worth keeping; no others can hold a secret then."""
        return {
            name: self.hide(headers[name]) if is_secret(name) and headers[name] else headers[name]
            for name in kept
            if name in headers
        }

    def body(self, body: Body) -> Body:
        """A body without secrets."""
        return Body(kind=body.kind, value=redacted(body.value, self.hide))

    def note_session(self, session_id: str) -> None:
        """This id stands for a session; live takes it in place of a token (CONTRACT.md section 1, D)."""
        self._sessions.add(session_id)

    def conceal(self, line: bytes) -> bytes:
        """A line without any secret seen so far, wherever it stands. Very short ones would hit too much else."""
        for secret, placeholder in self._placeholders.items():
            if len(secret) >= 8:
                line = line.replace(orjson.dumps(secret)[1:-1], placeholder.encode())
        return line


class Recorder:
    """Writes a new recording, one exchange after the other."""

    def __init__(self, path: Path) -> None:
        """Raises `Unreadable` when there is a file already: its placeholders would get another meaning."""
        try:
            # What people say to characters is in it: nobody else's business.
            self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        except FileExistsError as error:
            raise Unreadable(f"{path} exists already: give the recording another name") from error
        except OSError as error:
            raise Unreadable(f"cannot write {path}: {error.strerror}") from error
        self.vault = Vault()
        self._write({_MARK: VERSION})

    def add(self, exchange: Exchange) -> None:
        """Write an exchange without its secrets."""
        exchange.request.query = redacted(exchange.request.query, self.vault.hide)
        exchange.request.body = self.vault.body(exchange.request.body)
        exchange.response.body = self.vault.body(_shortened(exchange.response.body))
        for frame in exchange.frames:
            frame.body = self.vault.body(_shortened(frame.body))
        self._write(exchange.model_dump(mode="json", by_alias=True, exclude_defaults=True))

    def close(self) -> None:
        """The recording is complete."""
        self._file.close()

    def _write(self, content: Mapping[str, Any]) -> None:
        self._file.write(self.vault.conceal(orjson.dumps(content)) + b"\n")
        self._file.flush()


def _shortened(body: Body) -> Body:
    return Body(kind=body.kind, value=_without_sound(body.value))


def _without_sound(value: Any) -> Any:
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return f"({len(value)} characters, not kept)"
    if isinstance(value, dict):
        return {name: _without_sound(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_without_sound(member) for member in value]
    return value
