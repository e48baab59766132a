"""The three surfaces put together: from a request to its endpoint, and from whatever happens to an answer.

A request walks: surface, caller, endpoint, body, model, handler, answer.
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
from fake_convai.backend.auth import Caller
from fake_convai.backend.body import MAX_FORM, parse_form, parse_object, parse_query, read_body
from fake_convai.backend.errors import Manners, MethodNotAllowed, UnprocessableBody
from fake_convai.backend.faults import describe, happen
from fake_convai.backend.journal import Note
from fake_convai.backend.models import to_invalid
from fake_convai.backend.responses import Json
from fake_convai.backend.surface import Surface, locate, under
from fake_convai.domain.errors import NotFound, Unauthenticated, Unavailable
from fake_convai.live.running import Running
from fake_convai.live.websocket import account_of, chat

CHAT_PATH = "/chat"


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
            await self._socket(WebSocket(scope, receive, send))
            return
        request = Request(scope, receive)
        named, path = locate(scope)
        note = Note(request.method, path, surface=named or Surface.PRODUCTION)
        running = Running.of(request.app)
        response = await self._answer(request, running, named, note)
        if running is not None:
            await running.backend.journal.add(note, response.status_code, getattr(response, "body", b""))
        await response(scope, receive, send)

    async def _socket(self, websocket: WebSocket) -> None:
        named, path = locate(websocket.scope)
        running = Running.of(websocket.app)
        on_live = named in (None, Surface.LIVE) or self._lenient
        if running is not None and on_live and path.removesuffix("/") == CHAT_PATH:
            await chat(websocket, running)
            return
        note = Note("WEBSOCKET", path, surface=named or Surface.LIVE)
        error: Exception = NotFound(_no_socket(path, named))
        if running is None:
            error = Unavailable("The server has not started: run the app with its lifespan.")
        answer = Manners(note.surface).answer(error).response()
        if running is not None:
            with suppress(Unauthenticated, Unavailable):
                note.account_id = await account_of(websocket, running, None if self._lenient else named)
            await running.backend.journal.add(note, answer.status_code, bytes(answer.body))
        await websocket.send_denial_response(answer)

    async def _answer(self, request: Request, running: Running | None, named: Surface | None, note: Note) -> Response:
        methods = self._routes.get(note.path)
        manners = Manners(named or Surface.PRODUCTION) if methods is None else _any(methods).manners(named)
        try:
            if running is None:
                raise Unavailable("The server has not started: run the app with its lifespan.")
            caller = await running.backend.authenticator.caller(request.headers, None if self._lenient else named)
            note.account_id = caller.account_id
            endpoint = self._route(note, methods, named)
            manners = endpoint.manners(named if named in endpoint.surfaces else None)
            note.review, note.surface = endpoint.review, manners.surface
            return await _handle(Call(request, running, None, note), endpoint, manners, caller)
        except Exception as error:  # noqa: BLE001 - every error takes this way, the unexpected ones too
            return manners.answer(error).response()

    def _route(self, note: Note, methods: dict[str, Endpoint] | None, named: Surface | None) -> Endpoint:
        if methods is None:
            raise NotFound(self._no_route(note.method, note.path))
        endpoint = methods.get(note.method)
        if endpoint is None:
            allowed = ", ".join(sorted(methods))
            raise MethodNotAllowed(f"{note.path} does not take {note.method}: send {allowed}.", allowed)
        if named is not None and named not in endpoint.surfaces and not self._lenient:
            homes = " and ".join(f"the {one} surface ({under('', one)}{note.path})" for one in endpoint.surfaces)
            raise NotFound(f"{note.path} is not on the {named} surface: it lives on {homes}.")
        return endpoint

    def _no_route(self, method: str, path: str) -> str:
        nearest = difflib.get_close_matches(path.rstrip("/"), self._routes, n=1, cutoff=0.0)
        endpoint = _any(self._routes[nearest[0]])
        return (
            f"Unknown route {method} {path}. The nearest is {endpoint.method} {endpoint.path} on the {endpoint.home} "
            f"surface ({under('', endpoint.home)}{endpoint.path})."
        )


def _no_socket(path: str, named: Surface | None) -> str:
    place = f"the live surface ({under('', Surface.LIVE)}{CHAT_PATH})"
    if path.removesuffix("/") == CHAT_PATH:
        return f"{path} is not on the {named} surface: it lives on {place}."
    return f"Unknown route WEBSOCKET {path}. The only WebSocket is {CHAT_PATH} on {place}."


def _any(methods: dict[str, Endpoint]) -> Endpoint:
    return next(iter(methods.values()))


async def _handle(call: Call, endpoint: Endpoint, manners: Manners, caller: Caller) -> Response:
    note, backend = call.note, call.backend
    if endpoint.access != "anybody":
        call.account = backend.account_store(caller.admit(manners, key_only=endpoint.access == "key"))
        await backend.limit_rate(call.account)
    body = await _READERS[endpoint.reads](call.request, note)
    fault = None
    if note.account_id is not None:
        fault = await backend.faults.take(note.account_id, note.surface, note.path, call.request.headers, body)
    if fault is None:
        return await _respond(call, endpoint, manners, body)
    note.fault = describe(fault)
    if fault.when == "before":
        return await happen(fault, manners) or await _respond(call, endpoint, manners, body)
    try:
        response = await _respond(call, endpoint, manners, body)
    except Exception as error:  # noqa: BLE001 - the fault comes instead of whatever the answer would have been
        response = manners.answer(error).response()
    return await happen(fault, manners, instead_of=response) or response


async def _respond(call: Call, endpoint: Endpoint, manners: Manners, body: dict[str, Any]) -> Response:
    model = _validated(body, endpoint, manners)
    if call.backend.settings.strict:
        refuse_loose(endpoint, body)
    answer = await endpoint.handler(call, model)
    return answer if isinstance(answer, Response) else Json(answer)


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
    return value.filename if isinstance(value, UploadFile) else value
