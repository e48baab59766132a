"""The three surfaces put together: from a request to its endpoint, and from whatever happens to an answer.

A request walks: surface, caller, endpoint, body, model, handler, answer. A stub turns it off after the caller.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any, Literal

from pydantic import ValidationError
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from fake_convai.api.endpoint import Call, Endpoint
from fake_convai.api.routing import CHAT_PATH, Routes, no_socket
from fake_convai.api.strict import refuse_loose
from fake_convai.backend import faults, stubs
from fake_convai.backend.auth import NOBODY, Caller
from fake_convai.backend.body import (
    MAX_FORM,
    headers_of,
    is_form,
    parse_form,
    parse_object,
    parse_query,
    read_body,
    with_body,
)
from fake_convai.backend.disturbing import Disturbed, Disturber
from fake_convai.backend.errors import Manners, UnprocessableBody
from fake_convai.backend.journal import Note, kept_headers
from fake_convai.backend.models import to_invalid
from fake_convai.backend.responses import Json
from fake_convai.backend.surface import Surface, locate
from fake_convai.domain.errors import Invalid, Unauthenticated, Unavailable
from fake_convai.domain.faults import Fault
from fake_convai.live.running import Running
from fake_convai.store import appearing

FOR_ANY_PAGE = {"access-control-allow-origin": "*", "access-control-expose-headers": "*"}
"""What lets a page of any origin read an answer."""

_MANNERS = {surface: Manners(surface) for surface in Surface}


class Surfaces:
    """An ASGI application that answers for Convai's three hosts."""

    def __init__(self, endpoints: Iterable[Endpoint], split: Literal["observed", "strict"]) -> None:
        self._routes = Routes(endpoints, split)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or carry one WebSocket; no error gets past."""
        await self.serve(scope, receive, send, *locate(scope))

    async def serve(self, scope: Scope, receive: Receive, send: Send, named: Surface | None, path: str) -> None:
        """The same for a request whose surface, and path on it, are known already."""
        if scope["type"] == "websocket":
            await self._socket(WebSocket(scope, receive, send), named, path)
            return
        request, headers = Request(scope, receive), headers_of(scope)
        note = Note(scope["method"], path.rstrip("/") or "/", named or Surface.PRODUCTION, kept_headers(headers))
        running = Running.of(scope["app"])
        response = await self._answer(request, running, named, note)
        if running is not None:
            await running.backend.journal.add(note, response.status_code, getattr(response, "body", b""))
        response.raw_headers += _told_in_headers(note)
        if b"origin" in headers:  # browsers call the real hosts from any page
            response.headers.update(FOR_ANY_PAGE)
        await response(scope, receive, send)

    async def _socket(self, websocket: WebSocket, named: Surface | None, path: str) -> None:
        from fake_convai.live.websocket import caller_of, chat  # what they need is loaded with the first

        path = path.rstrip("/") or "/"
        running = Running.of(websocket.app)
        if running is not None and named in (None, Surface.LIVE) and path == CHAT_PATH:
            await chat(websocket, running)
            return
        note = Note("WEBSOCKET", path, named or Surface.LIVE, kept_headers(headers_of(websocket.scope)))
        error: Exception = _not_started() if running is None else no_socket(path, named)
        answer = _MANNERS[note.surface].answer(error).response()
        if running is not None:
            with suppress(Unavailable):
                note.of(await caller_of(websocket, running, named))
            await running.backend.journal.add(note, answer.status_code, bytes(answer.body))
        answer.raw_headers += _told_in_headers(note)
        await websocket.send_denial_response(answer)

    async def _answer(self, request: Request, running: Running | None, named: Surface | None, note: Note) -> Response:
        methods, in_path = self._routes.at(note.method, note.path)
        # Those of a route come with the route.
        manners = _MANNERS[note.surface if named or not methods else next(iter(methods.values())).home]
        caller = NOBODY
        try:
            if running is None:
                raise _not_started()
            caller = await running.backend.authenticator.caller(headers_of(request.scope), named)
            note.of(caller)
            if running.backend.stubs.may_answer:
                request, answer = await _stubbed(request, running, named, note, manners)
                if answer is not None:
                    return answer
            if not methods:
                await _keep_body(request, note)
                raise self._routes.refusal(note.method, note.path, named, request.headers.get("content-type", ""))
            endpoint = self._routes.choose(methods, note.method, note.path, named)
            manners = endpoint.manners(named)
            note.review, note.surface = endpoint.review, manners.surface
            note.home = None if note.surface in endpoint.surfaces else endpoint.home
            return await _handle(Call(request, running, None, note, in_path), endpoint, manners, caller)
        except asyncio.CancelledError:  # a stop does not wait for it, and nothing of it has happened
            return manners.answer(Unavailable("The server is stopping.")).response()
        except Exception as error:  # noqa: BLE001 - every error takes this way, the unexpected ones too
            if isinstance(error, Unauthenticated):
                note.explain(caller.why_refused(manners))
            return manners.answer(error).response()


def _told_in_headers(note: Note) -> list[tuple[bytes, bytes]]:
    """Which answer this is, as Unity reads it (docs/contract.md section 1), and where the documents have the route."""
    told = [(b"x-request-trace-id", note.trace_id.encode()), (b"vary", b"Origin")]
    return told if note.home is None else [*told, (b"fake-convai-off-surface", note.home.encode())]


def _not_started() -> Unavailable:
    return Unavailable("The server has not started: run the app with its lifespan.")


async def _keep_body(request: Request, note: Note) -> dict[str, Any]:
    """Keep the body of a request that no route reads, for the journal; returns what can be read of it."""
    raw = await read_body(request, MAX_FORM)
    note.body, body = raw, {}
    with suppress(Invalid):
        if is_form(request):
            note.body = body = await parse_form(request, raw)
        else:
            body = parse_object(raw) if raw else parse_query(request)
    return body


async def _stubbed(
    request: Request, running: Running, named: Surface | None, note: Note, manners: Manners
) -> tuple[Request, Response | None]:
    """The answer of a stub, if one fits; the request as it can be read once more."""
    found = await running.backend.stubs.candidates(note.account_id, named, note.method, note.path)
    if not found:
        return request, None
    raw = await read_body(request, MAX_FORM)
    body = await _keep_body(with_body(request, raw), note)
    request = with_body(request, raw)
    taken = await running.backend.stubs.take(found, body)
    if taken is None:
        return request, None
    match, answer = taken
    note.stub, note.surface = stubs.describe(match), manners.surface
    call = Call(request, running, None, note)
    return request, await _with_fault(call, manners, body, lambda: stubs.respond(answer))


async def _handle(call: Call, endpoint: Endpoint, manners: Manners, caller: Caller) -> Response:
    backend = call.backend
    if endpoint.access != "anybody":
        call.account = backend.account_store(caller.admit(manners, key_only=endpoint.access == "key"))
        if backend.settings.rate_limit is not None:
            await backend.limit_rate(call.account, backend.settings.rate_limit)
    body = await _READERS[endpoint.reads](call)
    if backend.faults.cannot_touch(headers_of(call.request.scope)):
        return await _respond(call, endpoint, manners, body)
    return await _with_fault(call, manners, body, lambda: _respond(call, endpoint, manners, body))


Respond = Callable[[], Awaitable[Response]]


async def _with_fault(call: Call, manners: Manners, body: dict[str, Any], respond: Respond) -> Response:
    note, backend = call.note, call.backend
    account_id = note.account_id
    if account_id is None:
        return await respond()
    headers = headers_of(call.request.scope)
    if not await backend.faults.may_touch(headers):
        return await respond()
    fault = await backend.faults.take(account_id, note.surface, note.path, headers, body)
    if backend.faults.lagging and call.account is not None:
        call.account = backend.account_store(account_id, lags=True)
        await call.account.write(appearing.catch_up, note.path, body)
    if fault is None:
        response = await respond()
    else:
        note.fault = faults.describe(fault)
        response = await _faulty(call, manners, fault, respond)

    async def wait(milliseconds: float) -> None:
        await backend.time.delay(account_id, milliseconds)

    planned = await backend.faults.planned(account_id, note.surface, note.path, body)
    if not planned:
        return response
    return Disturbed(response, Disturber(backend.faults, account_id, planned, wait, divides=True))


async def _faulty(call: Call, manners: Manners, fault: Fault, respond: Respond) -> Response:
    """The answer when a fault happens to the request."""
    time, account_id = call.backend.time, call.note.account_id
    assert account_id is not None
    if fault.when == "before":
        await time.delay(account_id, fault.waits_ms)
        return faults.happen(fault, manners) or await respond()
    try:
        response = await respond()
    except Exception as error:  # noqa: BLE001 - the fault comes instead of whatever the answer would have been
        response = manners.answer(error).response()
    await time.delay(account_id, fault.waits_ms)
    return faults.happen(fault, manners, instead_of=response) or response


async def _respond(call: Call, endpoint: Endpoint, manners: Manners, body: dict[str, Any]) -> Response:
    model = _validated(body, endpoint, manners)
    if call.backend.settings.strict:
        refuse_loose(endpoint, body)
    answer = await endpoint.handler(call, model)
    return answer if isinstance(answer, Response) else Json(answer, endpoint.status)


async def _read_json(call: Call) -> dict[str, Any]:
    call.note.body = await read_body(call.request)
    return parse_object(call.note.body)


async def _read_query(call: Call) -> dict[str, Any]:
    call.note.body = parse_query(call.request) | call.in_path
    return call.note.body


async def _read_form(call: Call) -> dict[str, Any]:
    call.note.body = await parse_form(call.request, await read_body(call.request, MAX_FORM))
    return call.note.body


_READERS = {"json": _read_json, "query": _read_query, "form": _read_form}


def _validated(body: dict[str, Any], endpoint: Endpoint, manners: Manners) -> Any:
    # Null means "not sent": SDKs send it for optional fields, and for a required one the complaint is the same.
    given = {name: value for name, value in body.items() if value is not None} if None in body.values() else body
    try:
        return endpoint.body.model_validate(given)
    except ValidationError as error:
        if manners.surface is Surface.LIVE:
            raise UnprocessableBody(
                [
                    {"type": d["type"], "loc": ["body", *d["loc"]], "msg": d["msg"], "input": _given(d["input"])}
                    for d in error.errors(include_url=False, include_context=False)
                ]
            ) from None
        raise to_invalid(error, endpoint.body) from None


def _given(value: Any) -> Any:
    """What was sent, as a 422 repeats it; of a file only its name."""
    if isinstance(value, dict):
        return {name: _given(member) for name, member in value.items()}
    return value.filename if isinstance(value, UploadFile) else value
