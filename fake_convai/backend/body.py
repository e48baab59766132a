"""Reading a request body: bounded, strictly JSON, and never anything the database could not give back."""

import asyncio
import json
import re
import zlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Scope

from fake_convai.domain.errors import Invalid, TooLarge, Unsupported
from fake_convai.domain.long_work import aside

MEBIBYTE = 1024 * 1024

MAX_BODY = MEBIBYTE
"""Bytes of JSON (docs/contract.md section 2, assumed)."""

MAX_FORM = 16 * MEBIBYTE
"""Bytes of a form, which may hold a sound file (assumed)."""

MAX_FIELDS = 1000
"""Of a url-encoded form."""

LARGE = 64 * 1024
"""Bytes of a url-encoded form that are unescaped in passing; more would hold up everybody."""

URL_ENCODED = "application/x-www-form-urlencoded"

MAX_DEPTH = 64
"""Levels of nesting; far above any SDK's, and below what the JSON writer can give back."""

UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""NUL, which PostgreSQL cannot store, and halves of characters, which no database can and a form in UTF-7 may hold."""

_LONG_NUMBER = b"0" * 19
_AS_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)


Headers = Mapping[bytes, bytes]
"""Of a request, by name in lower case."""


def headers_of(scope: Scope) -> Headers:
    """The headers of a request; of several with one name the first counts.

    Each is looked for in a handful of places, so they are made ready once: Starlette's own searches all for each.
    """
    ready: Headers | None = scope.get("fake_convai.headers")
    if ready is None:
        ready = scope["fake_convai.headers"] = dict(reversed(scope["headers"]))
    return ready


def is_secure(scope: Scope) -> bool:
    """Whether a request came by TLS, to us or to what stands before us and says so: whoever may send requests may."""
    said = headers_of(scope).get(b"x-forwarded-proto", b"").decode("latin-1").strip()
    return (said or scope["scheme"]) in ("https", "wss")


async def read_body(request: Request, limit: int = MAX_BODY) -> bytes:
    """The whole body; `TooLarge` as soon as it is known to be over the limit."""
    headers = headers_of(request.scope)
    announced = headers.get(b"content-length", b"")
    if announced.isdigit() and int(announced) > limit:
        raise _too_large(limit)
    body, more = b"", True
    pieces = bytearray()
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body, more = message.get("body", b""), message.get("more_body", False)
        if more or pieces:  # a small one comes in one piece, which is not copied
            pieces += body
        if len(pieces or body) > limit:
            raise _too_large(limit)
    body = bytes(pieces) or body
    if b"content-encoding" not in headers or not body:
        return body
    encoding = headers[b"content-encoding"].decode("latin-1").strip().lower()
    return body if encoding in ("", "identity") else await asyncio.to_thread(_decoded, body, encoding, limit)


def _decoded(body: bytes, encoding: str, limit: int) -> bytes:
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise Unsupported(f"Content-Encoding '{encoding[:40]}' is not read here: send the body as it is, or as gzip.")
    try:
        decoder = zlib.decompressobj(zlib.MAX_WBITS | 32)  # either of them, by its header
        decoded = decoder.decompress(body, limit + 1)
    except zlib.error:
        raise Invalid(f"The request body is not {encoding}, which its Content-Encoding says.") from None
    if len(decoded) > limit:
        raise _too_large(limit)
    if not decoder.eof:
        raise Invalid(f"The request body breaks off before its {encoding} ends.")
    return decoded


def _too_large(limit: int) -> TooLarge:
    size = f"{limit} bytes ({limit // MEBIBYTE} MiB)" if limit >= MEBIBYTE else f"{limit} bytes ({limit // 1024} KiB)"
    return TooLarge(f"The request body is over the limit of {size}: send less at a time.")


def parse_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body; an empty body is `{}` (docs/contract.md section 1). Anything else is `Invalid`."""
    if not body:
        return {}
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Invalid(f"The request body must be a JSON object: {error}.") from None
    if not isinstance(parsed, dict):
        raise Invalid('The request body must be a JSON object such as {"character_id": "..."}.')
    # Only a look at the bytes in the ordinary case: the walk is for bodies that could hold something amiss.
    may_be_deep = len(body) > 2 * MAX_DEPTH and body.count(b"{") + body.count(b"[") > MAX_DEPTH
    if may_be_deep or b"\\u0000" in body or _LONG_NUMBER in body.translate(_AS_ZEROS):
        _refuse_unstorable(parsed, 1)
        _refuse_huge_numbers(body)
    return parsed


async def parse_large_object(body: bytes) -> dict[str, Any]:
    """The same for a body that may be large, which is read beside the event loop."""
    return parse_object(body) if len(body) <= LARGE else await aside(lambda: _parse_large(body))


def _parse_large(body: bytes) -> dict[str, Any]:
    # The fast parser would not let go of the interpreter until it is done; this one does at each object.
    try:
        parsed = json.loads(body, object_hook=lambda member: member, parse_int=_whole, parse_constant=_no_constant)
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise Invalid(f"The request body must be a JSON object: {error}.") from None
    if not isinstance(parsed, dict):
        raise Invalid('The request body must be a JSON object such as {"character_id": "..."}.')
    _refuse_unstorable(parsed, 1)
    return parsed


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def parse_query(request: Request) -> dict[str, Any]:
    """The query parameters as a body."""
    parameters = dict(request.query_params)
    _refuse_unstorable(parameters, 1)
    return parameters


def is_form(request: Request) -> bool:
    """Whether a request says that its body is a form."""
    return media_type(request) in ("multipart/form-data", URL_ENCODED)


def media_type(request: Request) -> str:
    """What a request says that its body is, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def form_in(request: Request, body: bytes, max_part_size: int = MEBIBYTE) -> FormData:
    """The form in a body that has been read already; raises Starlette's `HTTPException` when it is none."""
    if media_type(request) == URL_ENCODED:
        return FormData(await asyncio.to_thread(_url_encoded, body) if len(body) > LARGE else _url_encoded(body))

    _, parameters = parse_options_header(request.headers.get("content-type", ""))
    boundary = parameters.get(b"boundary")
    if boundary and body and b"--" + boundary + b"--" not in body:
        raise HTTPException(400, "it breaks off before its closing boundary.")  # the last field would be lost
    try:
        return await with_body(request, body).form(max_part_size=max_part_size)
    except UnicodeError:  # Starlette expects only that Python does not know it
        raise HTTPException(400, "its text is not in the charset that it names.") from None


def with_body(request: Request, body: bytes) -> Request:
    """The request, with a body that has been read already."""

    async def replay() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(request.scope, replay)


def _url_encoded(body: bytes) -> list[tuple[str, str | UploadFile]]:
    # Starlette reads the bytes as Latin-1; what clients leave unescaped is UTF-8.
    try:
        return [*parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)]
    except UnicodeDecodeError:
        raise HTTPException(400, "it is not UTF-8.") from None
    except ValueError:
        raise HTTPException(400, f"it has more than {MAX_FIELDS} fields.") from None


async def parse_form(request: Request, body: bytes) -> dict[str, Any]:
    """The fields of a form, multipart or url-encoded; an uploaded file is an `UploadFile`, of which nothing is read."""
    if not is_form(request):
        came = media_type(request) or ("a query" if request.url.query else "a body without a content type")
        raise Invalid(f"Send form data (multipart/form-data), not {came}.")
    try:
        form = await form_in(request, body, MAX_FORM)
    except HTTPException as error:
        raise Invalid(f"The request body must be a form (multipart/form-data): {error.detail}") from None
    await form.close()
    fields = dict(form)
    _refuse_unstorable(fields, 1)
    return fields


def _refuse_unstorable(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise _too_deep()
    if isinstance(value, str):
        if "\0" in value:
            raise Invalid("The request body holds a NUL character (\\u0000), which cannot be stored: leave it out.")
        if UNSTORABLE.search(value):
            raise Invalid("The request body holds half a character (a lone surrogate): send UTF-8.")
    elif isinstance(value, Mapping):
        for key, member in value.items():
            _refuse_unstorable(key, depth)
            _refuse_unstorable(member, depth + 1)
    elif isinstance(value, list):
        for member in value:
            _refuse_unstorable(member, depth + 1)


def _too_deep() -> Invalid:
    return Invalid(f"The request body is nested too deeply: send at most {MAX_DEPTH} levels.")


def _refuse_huge_numbers(body: bytes) -> None:
    """Find integers beyond 64 bits, which the fast parser turns into floats without a word."""
    json.loads(body, parse_int=_whole)


def _whole(digits: str) -> int:
    if len(digits) > 20 or not -(2**63) <= int(digits) < 2**63:
        raise Invalid(f"The request body holds the integer {digits[:24]}, which does not fit in 64 bits.")
    return int(digits)
