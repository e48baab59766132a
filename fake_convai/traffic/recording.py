"""A recording: one JSON object a line, the first says which version, each other one is an exchange."""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import unquote

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from fake_convai.backend.auth import KEY_HEADER, LIVE_KEY_HEADER, TOKEN_HEADER
from fake_convai.backend.body import MEBIBYTE
from fake_convai.backend.redact import is_secret, redacted, redacted_text
from fake_convai.backend.surface import Surface
from fake_convai.domain.clock import parse_moment
from fake_convai.domain.errors import CannotBeDone, Invalid

VERSION = 1
_MARK = "fake_convai_recording"

CREDENTIALS = (KEY_HEADER, LIVE_KEY_HEADER, TOKEN_HEADER, "authorization")
"""The headers that say who asks."""

KEPT_OF_REQUEST = (*CREDENTIALS, "content-type", "accept")
KEPT_OF_ANSWER = ("content-type", "retry-after", "location", "access-control-allow-origin")

WEBSOCKET = "WEBSOCKET"
"""Stands where other exchanges have their HTTP method."""

MAX_TEXT = 20_000
"""Characters of a text in an answer; longer ones are sound and are not kept."""

MAX_SIZE = 64 * MEBIBYTE
"""Bytes that a body of no text counts as at most: far more than any server takes."""


class Unreadable(CannotBeDone):
    """A recording cannot be read or written; the message says why, and in which line."""


_PATH = re.compile(r"/(?!/)[!\"$->@-~]*")
_HEADER_VALUE = re.compile(r"[\t -~\x80-\xff]*")


def _sendable_path(path: str) -> str:
    if not _PATH.fullmatch(path):
        raise ValueError("must be a path such as /memory/list: begin with one slash, without host, query or blanks")
    if "_fake" in unquote(path).split("/"):
        raise ValueError("is a route of the control plane, which no recording may use")
    return path


def _sendable_headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not _HEADER_VALUE.fullmatch(value):
            raise ValueError(f"{name} has a value that cannot be sent in a header")
    return headers


def _moment(text: str) -> str:
    try:
        parse_moment(text, "at")
    except Invalid:
        raise ValueError("must be a time such as 2026-01-31T12:00:00Z") from None
    return text


class Body(BaseModel):
    """What was sent: the fields of a form, the events of a stream, the size of what is no text."""

    kind: Literal["empty", "json", "form", "events", "text", "binary"] = "empty"
    value: Any = None

    @model_validator(mode="after")
    def _value_is_of_its_kind(self) -> Self:
        if not _KINDS[self.kind](self.value):
            raise ValueError(f"the value is not what a body of kind {self.kind} has, or over {MAX_SIZE} bytes")
        return self


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and 0 <= value <= MAX_SIZE


def _is_form(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(field, str)
        or (
            isinstance(field, dict)
            and field.keys() == {"file", "size"}
            and isinstance(field["file"], str | None)
            and _is_size(field["size"])
        )
        for field in value.values()
    )


_KINDS: dict[str, Callable[[Any], bool]] = {
    "empty": lambda value: value is None,
    "json": lambda value: True,
    "form": _is_form,
    "events": lambda value: isinstance(value, list),
    "text": lambda value: isinstance(value, str),
    "binary": _is_size,
}


class Sent(BaseModel):
    """A request."""

    method: Annotated[str, Field(pattern="^[A-Z]{1,20}$")]
    surface: Surface
    path: Annotated[str, AfterValidator(_sendable_path)]
    named: bool = Field(True, description="Whether the client named the surface.")
    query: dict[str, str] = Field(default_factory=dict)
    headers: Annotated[dict[str, str], AfterValidator(_sendable_headers)] = Field(default_factory=dict)
    body: Body = Body()

    @field_validator("body")
    @classmethod
    def _is_no_stream(cls, body: Body) -> Body:
        if body.kind == "events":
            raise ValueError("a request has no events")
        return body

    @property
    def can_be_replayed(self) -> bool:
        """Whether a recording may hold this: not a route of the control plane, nor a path that leads elsewhere."""
        try:
            Sent.model_validate(self.model_dump())
        except ValidationError:
            return False
        return True

    @property
    def place(self) -> str:
        """The path with the prefix of its surface."""
        return f"/{self.surface}{self.path}" if self.named else self.path


class Received(BaseModel):
    """An answer."""

    status: int
    headers: dict[str, str] = Field(default_factory=dict)
    body: Body = Body()
    event_ms: list[float] = Field(default_factory=list, description="When each event of a stream came.")


class Frame(BaseModel):
    """A message over a WebSocket."""

    model_config = ConfigDict(populate_by_name=True)

    sender: Literal["client", "server"] = Field(alias="from")
    body: Body
    at_ms: float = Field(0.0, description="Milliseconds after the connection was asked for.")

    @field_validator("body")
    @classmethod
    def _is_a_message(cls, body: Body) -> Body:
        if body.kind in ("events", "form"):
            raise ValueError(f"a message has no {body.kind}")
        return body


class Close(BaseModel):
    """How a WebSocket ended."""

    by: Literal["client", "server"]
    code: int
    reason: str = ""


class Exchange(BaseModel):
    """A request with its answer; over a WebSocket, all that was said."""

    at: Annotated[str, AfterValidator(_moment)]
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
            said = detail["msg"].removeprefix("Value error, ")
            raise Unreadable(f"{path} line {number}: not an exchange: {place} {said}".strip()) from error
    return sorted(exchanges, key=lambda exchange: exchange.at)


def is_recording(raw: bytes) -> bool:
    """Whether these bytes begin as a recording does."""
    return _version(raw.partition(b"\n")[0]) is not None


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
        if body.kind == "text":
            return Body(kind="text", value=redacted_text(body.value, self.hide))
        return Body(kind=body.kind, value=redacted(body.value, self.hide))

    def query(self, query: Mapping[str, str]) -> dict[str, str]:
        """The parameters of a query without secrets; a `key` is one there, as Google's services have it."""
        return {
            name: self.hide(value) if value and (is_secret(name) or name.lower() == "key") else value
            for name, value in query.items()
        }

    def note_session(self, session_id: str) -> None:
        """This id stands for a session; live takes it in place of a token (docs/contract.md section 1)."""
        self._sessions.add(session_id)

    def conceal(self, line: bytes) -> bytes:
        """A line without any secret seen so far, wherever it stands. Very short ones would hit too much else."""
        for secret, placeholder in self._placeholders.items():
            if len(secret) >= 8:
                line = line.replace(orjson.dumps(secret)[1:-1], placeholder.encode())
        return line


class Recorder:
    """Writes a new recording, one exchange after the other."""

    beginning = orjson.dumps({_MARK: VERSION}) + b"\n"
    between = end = b""

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
        self._between = b""
        self._file.write(self.beginning + self.end)
        self._file.flush()

    def add(self, exchange: Exchange) -> None:
        """Write an exchange without its secrets; one that could not be read again is left out."""
        if not exchange.request.can_be_replayed:
            return
        exchange.request.query = self.vault.query(exchange.request.query)
        exchange.request.body = self.vault.body(exchange.request.body)
        exchange.response.body = self.vault.body(_shortened(exchange.response.body))
        for frame in exchange.frames:
            frame.body = self.vault.body(_shortened(frame.body))
        written = self.vault.conceal(orjson.dumps(self.written(exchange)))
        self._file.seek(-len(self.end), os.SEEK_END)
        self._file.write(self._between + written + b"\n" + self.end)
        self._file.flush()
        self._between = self.between

    def written(self, exchange: Exchange) -> dict[str, Any]:
        """What is written of an exchange."""
        return exchange.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    def close(self) -> None:
        """The recording is complete."""
        self._file.close()


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
