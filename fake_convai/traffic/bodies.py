"""From bytes on the wire to what a recording keeps."""

import re
import time
from collections.abc import AsyncIterable, AsyncIterator
from typing import Any

import orjson
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from fake_convai.backend.body import MAX_FORM, form_in
from fake_convai.traffic.recording import MAX_SIZE, Body

JSON, EVENTS = "application/json", "text/event-stream"
FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


class Passing:
    """A body that passes by, remembered as long as it is not over `MAX_FORM`; of a longer one only the size is kept."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._came: list[tuple[int, float]] = []

    async def watch(self, parts: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """The parts as they come."""
        async for part in parts:
            self._size += len(part)
            if self._size <= MAX_FORM:
                self._parts.append(part)
                self._came.append((self._size, time.perf_counter()))
            else:
                self._parts.clear()
            yield part

    async def of_request(self, request: Request) -> Body:
        """What a request brought; a body that is JSON counts as such, whatever it is called, as on the server."""
        raw = b"".join(self._parts)
        if raw and media_type(request.headers.get("content-type", "")) in FORMS:
            fields = await _form(request, raw)
            # Some clients send JSON under the name that curl gives to everything.
            if fields is not None and parse(raw).kind != "json":
                return Body(kind="form", value=fields)
        return self._too_long() or parse(raw)

    def of_answer(self, content_type: str) -> Body:
        """What was answered."""
        return self._too_long() or parse(b"".join(self._parts), content_type)

    def event_ms(self, since: float) -> list[float]:
        """When each event of a stream came, in milliseconds after a reading of `time.perf_counter`."""
        raw = b"".join(self._parts)
        ends = [found.end() for found in re.finditer(rb"^data:[^\n]*", raw, re.MULTILINE)]
        came = (next(at for size, at in self._came if size >= end) for end in ends)
        return [round((at - since) * 1000, 3) for at in came]

    def _too_long(self) -> Body | None:
        return Body(kind="binary", value=min(self._size, MAX_SIZE)) if self._size > MAX_FORM else None


def parse(raw: bytes | str, content_type: str = "") -> Body:
    """An answer, or a message."""
    if not raw:
        return Body()
    if media_type(content_type) == EVENTS:
        text = raw if isinstance(raw, str) else raw.decode("utf-8", "replace")
        return Body(kind="events", value=[_json_or_text(data) for data in _data_of_events(text)])
    try:
        return Body(kind="json", value=orjson.loads(raw))
    except orjson.JSONDecodeError:
        pass
    try:
        return Body(kind="text", value=raw if isinstance(raw, str) else raw.decode())
    except UnicodeDecodeError:
        return Body(kind="binary", value=len(raw))


def media_type(content_type: str) -> str:
    """The type without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def _data_of_events(text: str) -> list[str]:
    lines = (line for line in text.splitlines() if line.startswith("data:"))
    return [line.removeprefix("data:").strip() for line in lines]


def _json_or_text(data: str) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return data


async def _form(request: Request, raw: bytes) -> dict[str, Any] | None:
    try:
        form = await form_in(request, raw)
    except HTTPException:
        return None
    fields = {
        name: {"file": value.filename, "size": value.size} if isinstance(value, UploadFile) else value
        for name, value in form.items()
    }
    await form.close()
    return fields
