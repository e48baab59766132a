"""HAR files: what browsers, mitmproxy and Fiddler record, and what `proxy --har` writes for tools that read it."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from pydantic import BaseModel, Field, ValidationError

from fake_convai import __version__
from fake_convai.backend.surface import VENDOR, Surface, hosts, locate
from fake_convai.traffic.bodies import FORMS, media_type, parse
from fake_convai.traffic.recording import (
    KEPT_OF_ANSWER,
    KEPT_OF_REQUEST,
    WEBSOCKET,
    Body,
    Close,
    Exchange,
    Frame,
    Received,
    Recorder,
    Sent,
    Unreadable,
    Vault,
    is_recording,
    read,
)
from fake_convai.traffic.targets import home, is_known

BEGINNING = json.dumps(
    {"log": {"version": "1.2", "creator": {"name": "fake-convai", "version": __version__}, "entries": []}}
).removesuffix("]}}")
"""A HAR file up to its first entry."""

END = "]}}"
_HERE = "http://localhost:2669"
"""Where a client asked that named no surface."""


class _Pair(BaseModel):
    name: str
    value: str = ""


class _Param(_Pair):
    fileName: str | None = None  # noqa: N815 - as HAR spells it


class _Posted(BaseModel):
    mimeType: str = ""  # noqa: N815 - as HAR spells it
    text: str = ""
    params: list[_Param] | None = None


class _Request(BaseModel):
    method: str
    url: str
    headers: list[_Pair] = Field(default_factory=list)
    postData: _Posted = _Posted()  # noqa: N815 - as HAR spells it


class _Content(BaseModel):
    mimeType: str = ""  # noqa: N815 - as HAR spells it
    text: str = ""
    encoding: str = ""


class _Response(BaseModel):
    status: int
    headers: list[_Pair] = Field(default_factory=list)
    content: _Content = _Content()
    event_ms: list[float] = Field(default_factory=list, alias="_eventTimes")


class _Message(BaseModel):
    type: str
    time: float = 0.0
    data: str = ""
    opcode: int = 1


class Entry(BaseModel):
    """A request and its answer, as far as it is read."""

    startedDateTime: str = "1970-01-01T00:00:00.000000Z"  # noqa: N815 - as HAR spells it
    time: float = 0.0
    request: _Request
    response: _Response
    messages: list[_Message] | None = Field(None, alias="_webSocketMessages")
    close: Close | None = Field(None, alias="_webSocketClose")


class _Log(BaseModel):
    entries: list[Entry]


class _Har(BaseModel):
    log: _Log


def read_har(raw: bytes) -> tuple[list[Exchange], int]:
    """The exchanges with Convai's hosts or a stand-in, without secrets, and how many entries there were in all.

    Raises `Unreadable`.
    """
    entries = _entries(raw)
    vault = Vault()
    exchanges = []
    for number, entry in enumerate(entries, start=1):
        try:
            exchange = _exchange(entry, vault)
        except ValidationError as error:
            detail = error.errors(include_url=False)[0]
            raise Unreadable(f"entry {number}: {'.'.join(map(str, detail['loc']))} {detail['msg']}") from error
        if exchange is not None:
            exchanges.append(exchange.model_copy(update={"line": number}))
    return exchanges, len(entries)


def _entries(raw: bytes) -> list[Entry]:
    try:
        return _Har.model_validate_json(raw).log.entries
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        place = ".".join(map(str, detail["loc"]))
        raise Unreadable(f"neither a recording of fake-convai nor a HAR file: {place} {detail['msg']}") from error


def answered(raw: bytes) -> Iterator[Entry]:
    """The entries, whoever was asked, that have an answer to the request itself. Raises `Unreadable`."""
    for entry in _entries(raw):
        if entry.request.method not in ("OPTIONS", "HEAD") and 200 <= entry.response.status <= 599:
            yield entry


def _exchange(entry: Entry, vault: Vault) -> Exchange | None:
    """An entry as an exchange; None for other hosts, for a browser that asks for permission, and without an answer."""
    place = _placed(entry.request.url)
    if place is None or entry.request.method in ("OPTIONS", "HEAD") or entry.response.status == 0:
        return None
    surface, path, named = place
    headers = {pair.name.lower(): pair.value for pair in entry.request.headers}
    if entry.request.postData.mimeType:
        headers.setdefault("content-type", entry.request.postData.mimeType)
    answered = {pair.name.lower(): pair.value for pair in entry.response.headers}
    if entry.response.content.mimeType:
        answered.setdefault("content-type", entry.response.content.mimeType)
    sent = Sent(
        method=entry.request.method if entry.messages is None else WEBSOCKET,
        surface=surface,
        path=path,
        named=named,
        query=vault.query(dict(parse_qsl(urlsplit(entry.request.url).query, keep_blank_values=True))),
        headers=vault.headers(headers, KEPT_OF_REQUEST),
        body=vault.body(_posted(entry.request.postData)),
    )
    received = Received(
        status=entry.response.status,
        headers=vault.headers(answered, KEPT_OF_ANSWER),
        body=vault.body(_answered(entry.response.content)),
        event_ms=entry.response.event_ms,
    )
    return Exchange(
        at=entry.startedDateTime,
        duration_ms=max(entry.time, 0.0),
        request=sent,
        response=received,
        frames=[_frame(message, entry, vault) for message in entry.messages or ()],
        close=entry.close,
    )


def _placed(url: str) -> tuple[Surface, str, bool] | None:
    """Surface and path of an address, and whether the address names the surface; None for others' addresses."""
    parts = urlsplit(url)
    named, path = locate({"path": parts.path, "headers": [(b"host", parts.netloc.encode())]})
    path = "/" + path.lstrip("/")
    ours = path != parts.path or (parts.hostname or "").endswith(f".{VENDOR}")
    if named is not None and (ours or is_known(path)):
        return named, path, True
    return (home(path), path, False) if named is None and is_known(path) else None


def _posted(posted: _Posted) -> Body:
    kind = media_type(posted.mimeType)
    if posted.params is not None and (kind in FORMS or posted.params):
        fields: dict[str, Any] = {
            one.name: one.value if one.fileName is None else {"file": one.fileName, "size": 0} for one in posted.params
        }
        return Body(kind="form", value=fields)
    if kind == FORMS[1] and parse(posted.text).kind != "json":
        return Body(kind="form", value=dict(parse_qsl(posted.text, keep_blank_values=True)))
    return parse(posted.text)


def _answered(content: _Content) -> Body:
    raw = base64.b64decode(content.text) if content.encoding == "base64" else content.text
    return parse(raw, content.mimeType)


def _frame(message: _Message, entry: Entry, vault: Vault) -> Frame:
    data = base64.b64decode(message.data) if message.opcode == 2 else message.data
    began = datetime.fromisoformat(entry.startedDateTime).timestamp()
    return Frame(
        sender="client" if message.type == "send" else "server",
        body=vault.body(parse(data)),
        at_ms=round(max(message.time - began, 0.0) * 1000, 3) if message.time else 0.0,
    )


def as_entry(exchange: Exchange) -> dict[str, Any]:
    """An exchange as an entry of a HAR file."""
    request, response = exchange.request, exchange.response
    is_socket = request.method == WEBSOCKET
    base = f"https://{hosts([request.surface])[0]}" if request.named else _HERE
    url = (base.replace("http", "ws", 1) if is_socket else base) + request.path
    entry: dict[str, Any] = {
        "startedDateTime": exchange.at,
        "time": exchange.duration_ms,
        "request": {
            "method": "GET" if is_socket else request.method,
            "url": f"{url}?{urlencode(request.query)}" if request.query else url,
            "queryString": [{"name": name, "value": value} for name, value in request.query.items()],
            **_common(request.headers),
            **_as_posted(request),
        },
        "response": {
            "status": response.status,
            "statusText": "",
            "redirectURL": response.headers.get("location", ""),
            "content": _as_content(response),
            **_common(response.headers),
            **({"_eventTimes": response.event_ms} if response.event_ms else {}),
        },
        "cache": {},
        "timings": {"send": 0, "wait": exchange.duration_ms, "receive": 0},
    }
    if is_socket:
        began = datetime.fromisoformat(exchange.at).astimezone(UTC)
        entry["_webSocketMessages"] = [_as_message(frame, began) for frame in exchange.frames]
        entry["_webSocketClose"] = exchange.close and exchange.close.model_dump()
    return entry


def _common(headers: dict[str, str]) -> dict[str, Any]:
    pairs = [{"name": name, "value": value} for name, value in headers.items()]
    return {"httpVersion": "HTTP/1.1", "cookies": [], "headers": pairs, "headersSize": -1, "bodySize": -1}


def _as_posted(request: Sent) -> dict[str, Any]:
    if request.body.kind == "empty":
        return {}
    kind = request.headers.get("content-type", "application/json")
    if request.body.kind != "form":
        return {"postData": {"mimeType": kind, "text": _text(request.body)}}
    params = [
        {"name": name, "value": value} if isinstance(value, str) else {"name": name, "fileName": value["file"] or ""}
        for name, value in request.body.value.items()
    ]
    return {"postData": {"mimeType": kind, "params": params, "text": ""}}


def _as_content(response: Received) -> dict[str, Any]:
    text = _text(response.body)
    size = response.body.value if response.body.kind == "binary" else len(text.encode())
    kept = {} if response.body.kind == "binary" else {"text": text}
    return {"size": size, "mimeType": response.headers.get("content-type", ""), **kept}


def _as_message(frame: Frame, began: datetime) -> dict[str, Any]:
    at = began + timedelta(milliseconds=frame.at_ms)
    kind = "send" if frame.sender == "client" else "receive"
    return {"type": kind, "time": at.timestamp(), "opcode": 1, "data": _text(frame.body)}


def _text(body: Body) -> str:
    if body.kind == "json":
        return json.dumps(body.value, ensure_ascii=False)
    if body.kind == "events":
        return "".join(_events(body.value))
    return body.value if body.kind == "text" else ""


def _events(events: list[Any]) -> Iterator[str]:
    for event in events:
        yield f"data: {event if isinstance(event, str) else json.dumps(event, ensure_ascii=False)}\n\n"


class HarRecorder(Recorder):
    """Writes a new HAR file, which is complete after each exchange."""

    beginning = BEGINNING.encode()
    between = b","
    end = END.encode()

    def written(self, exchange: Exchange) -> dict[str, Any]:
        """The entry of an exchange."""
        return as_entry(exchange)


def read_traffic(path: Path) -> tuple[list[Exchange], int]:
    """The exchanges of a recording or of a HAR file, in the order they began, and how many there were in all."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"cannot read {path}: {error.strerror}") from error
    if is_recording(raw):
        exchanges = read(path)
        return exchanges, len(exchanges)
    try:
        exchanges, seen = read_har(raw)
    except Unreadable as error:
        raise Unreadable(f"{path}: {error}") from error
    return sorted(exchanges, key=lambda exchange: exchange.at), seen
