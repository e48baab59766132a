"""From bytes on the wire to what a recording keeps."""

from typing import Any

import orjson
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from fake_convai.backend.body import form_in
from fake_convai.traffic.recording import Body

JSON, EVENTS = "application/json", "text/event-stream"
_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


async def body_of(request: Request, raw: bytes) -> Body:
    """What a request brought; a body that is JSON counts as such, whatever it is called, as it does on the server."""
    if media_type(request.headers.get("content-type", "")) in _FORMS:
        fields = await _form(request, raw)
        # Some clients send JSON under the name that curl gives to everything.
        if fields is not None and parse(raw).kind != "json":
            return Body(kind="form", value=fields)
    return parse(raw)


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
