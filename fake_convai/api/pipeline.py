"""The three surfaces put together: from a request to its endpoint, and from whatever happens to an answer.

A request walks: surface, endpoint, account, body, model, handler, answer.
"""

import difflib
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from pydantic import ValidationError
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from fake_convai.api.endpoint import Call, Endpoint
from fake_convai.api.strict import refuse_loose
from fake_convai.backend.backend import Backend
from fake_convai.backend.body import MAX_FORM, parse_form, parse_object, parse_query, read_body
from fake_convai.backend.errors import MethodNotAllowed, UnprocessableBody, error_answer
from fake_convai.backend.faults import describe, happen
from fake_convai.backend.journal import Note
from fake_convai.backend.models import to_invalid
from fake_convai.backend.responses import PlainJson
from fake_convai.backend.surface import Surface
from fake_convai.domain.errors import NotFound, Unauthenticated, Unavailable
from fake_convai.live.websocket import chat

CHAT_PATH = "/chat"

_PREFIXES = {surface.value: surface for surface in Surface}
_LABELS = {
    "api": Surface.PRODUCTION,
    "beta": Surface.BETA,
    "live": Surface.LIVE,
    "realtime-api": Surface.LIVE,
}


def locate(scope: Scope) -> tuple[Surface | None, str]:
    """The surface that a request names, by path prefix or by host, and the path on it; None is all together."""
    path: str = scope["path"]
    first, slash, rest = path[1:].partition("/")
    if first in _PREFIXES:
        return _PREFIXES[first], slash + rest
    host = next((value for name, value in scope["headers"] if name == b"host"), b"")
    label, dot, _ = host.decode("latin-1").lower().partition(".")
    return _LABELS.get(label) if dot else None, path


class Surfaces:
    """An ASGI application that answers for Convai's three hosts."""

    def __init__(self, endpoints: Iterable[Endpoint], *, lenient: bool) -> None:
        self._lenient = lenient
        self._routes: dict[str, dict[str, Endpoint]] = {}
        for endpoint in endpoints:
            self._routes.setdefault(endpoint.path, {})[endpoint.method] = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or carry one WebSocket; no error gets past."""
        if scope["type"] == "websocket":
            await self._chat(WebSocket(scope, receive, send))
            return
        request = Request(scope, receive)
        named, path = locate(scope)
        note = Note(request.method, path, surface=named or Surface.PRODUCTION)
        backend = Backend.of(request.app)
        response = await self._answer(request, backend, named, note)
        if backend is not None:
            if note.account_id is None and response.status_code != 503:  # which is what a silent database has answered
                # Answered before anybody asked whose it was; its sender looks for it in the journal all the same.
                with suppress(Unauthenticated, Unavailable):
                    note.account_id = await backend.authenticator.account(request.headers, note.surface, named=False)
            await backend.journal.add(note, response.status_code, getattr(response, "body", b""))
        await response(scope, receive, send)

    async def _chat(self, websocket: WebSocket) -> None:
        named, path = locate(websocket.scope)
        backend = Backend.of(websocket.app)
        on_live = named in (None, Surface.LIVE) or self._lenient
        if path == CHAT_PATH and on_live and backend is not None:
            await chat(websocket, backend)
        else:
            await websocket.close()  # before it was accepted: the handshake is answered 403

    async def _answer(self, request: Request, backend: Backend | None, named: Surface | None, note: Note) -> Response:
        surface, unauthorized_key = named or Surface.PRODUCTION, "ERROR"
        try:
            endpoint = self._route(request.method, note.path, named)
            surface = surface if surface in endpoint.surfaces else endpoint.home
            unauthorized_key = endpoint.unauthorized_key
            note.endpoint, note.surface = endpoint, surface
            if backend is None:
                raise Unavailable("The server has not started: run the app with its lifespan.")
            return await self._handle(Call(request, backend, None, note), endpoint, surface, named)
        except Exception as error:  # noqa: BLE001 - every error takes this way, the unexpected ones too
            return error_answer(error, surface, unauthorized_key=unauthorized_key).response()

    async def _handle(self, call: Call, endpoint: Endpoint, surface: Surface, named: Surface | None) -> Response:
        request, backend, note = call.request, call.backend, call.note
        fault = None
        if endpoint.access != "anybody":
            strict = named is not None and not self._lenient
            key_only = endpoint.access == "key"
            note.account_id = await backend.authenticator.account(
                request.headers, surface, named=strict, key_only=key_only
            )
            call.account = backend.account_store(note.account_id)
            await backend.limit_rate(call.account)
        body = await _READERS[endpoint.reads](request, note)
        if note.account_id is not None:
            fault = await backend.faults.take(note.account_id, surface, note.path, request.headers, body)
        if fault is None:
            return await _respond(call, endpoint, surface, body)
        note.fault = describe(fault)
        if fault.when == "before":
            happened = await happen(fault, surface, endpoint.unauthorized_key)
            return happened or await _respond(call, endpoint, surface, body)
        try:
            response = await _respond(call, endpoint, surface, body)
        except Exception as error:  # noqa: BLE001 - the fault comes instead of whatever the answer would have been
            response = error_answer(error, surface, unauthorized_key=endpoint.unauthorized_key).response()
        return await happen(fault, surface, endpoint.unauthorized_key, instead_of=response) or response

    def _route(self, method: str, path: str, named: Surface | None) -> Endpoint:
        methods = self._routes.get(path)
        if methods is None:
            raise NotFound(self._no_route(method, path))
        endpoint = methods.get(method)
        if endpoint is None:
            allowed = ", ".join(sorted(methods))
            raise MethodNotAllowed(f"{path} does not take {method}: send {allowed}.", allowed)
        if named is not None and named not in endpoint.surfaces and not self._lenient:
            home = " and ".join(f"the {surface} surface (/{surface}{path})" for surface in endpoint.surfaces)
            raise NotFound(f"{path} is not on the {named} surface: it lives on {home}.")
        return endpoint

    def _no_route(self, method: str, path: str) -> str:
        nearest = difflib.get_close_matches(path.rstrip("/"), self._routes, n=1, cutoff=0.0)
        endpoint = next(iter(self._routes[nearest[0]].values()))
        return (
            f"Unknown route {method} {path}. The nearest is {endpoint.method} {endpoint.path} on the {endpoint.home} "
            f"surface (/{endpoint.home}{endpoint.path})."
        )


async def _respond(call: Call, endpoint: Endpoint, surface: Surface, body: dict[str, Any]) -> Response:
    model = _validated(body, endpoint, surface)
    if call.backend.settings.strict:
        refuse_loose(endpoint, body)
    answer = await endpoint.handler(call, model)
    return answer if isinstance(answer, Response) else PlainJson(answer)


async def _read_json(request: Request, note: Note) -> dict[str, Any]:
    note.body = await read_body(request)
    return parse_object(note.body)


async def _read_query(request: Request, note: Note) -> dict[str, Any]:
    note.body = parse_query(request)
    return note.body


async def _read_form(request: Request, note: Note) -> dict[str, Any]:
    note.body = await parse_form(request, await read_body(request, MAX_FORM))
    return note.body


_READERS = {"json": _read_json, "query": _read_query, "form": _read_form}


def _validated(body: dict[str, Any], endpoint: Endpoint, surface: Surface) -> Any:
    # Null means "not sent": SDKs send it for optional fields, and for a required one the complaint is the same.
    given = {name: value for name, value in body.items() if value is not None} if None in body.values() else body
    try:
        return endpoint.body.model_validate(given)
    except ValidationError as error:
        if surface is Surface.LIVE:
            raise UnprocessableBody(
                [
                    {"type": d["type"], "loc": ["body", *d["loc"]], "msg": d["msg"], "input": _given(d["input"])}
                    for d in error.errors(include_url=False, include_context=False)
                ]
            ) from None
        raise to_invalid(error, endpoint.body) from None


def _given(value: Any) -> Any:
    """What was sent, as a 422 repeats it; of a file only its name."""
    return value.filename if isinstance(value, UploadFile) else value
