"""Making faults happen to requests: before anything was done, or after all was (docs/control-plane.md)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from fake_convai.backend.body import Headers
from fake_convai.backend.errors import Manners
from fake_convai.backend.responses import Answer, EventStream
from fake_convai.backend.sockets import abort
from fake_convai.backend.surface import Surface
from fake_convai.domain.errors import RATE_LIMITED, Invalid
from fake_convai.domain.faults import Fault
from fake_convai.store import faults
from fake_convai.store.accounts import AccountStore, AccountTransaction
from fake_convai.store.database import Database

HEADER = b"x-fake-convai-fault"

Wait = Callable[[float], Awaitable[None]]
"""Waits so many milliseconds."""

_MESSAGES = {
    400: "Bad request.",
    403: "Access denied.",
    404: "Not found.",
    409: "Conflict.",
    413: "Request body too large.",
    429: RATE_LIMITED,
    500: "Internal server error.",
    502: "Bad gateway.",
    503: "Service unavailable.",
    504: "Gateway timeout.",
}


class Faults:
    """Finds the fault that is to happen to a request. Costs nothing while none is waiting."""

    def __init__(self, database: Database, account_store: Callable[[int], AccountStore]) -> None:
        self._database = database
        self._account_store = account_store
        # Other replicas may add faults, so a shared database is asked every time.
        self._alone = not database.shared
        self._has_changed = True
        self._waiting = False
        self.lagging = False
        """Whether anything of any account may not show yet, as it was when faults were last looked for."""

    def changed(self) -> None:
        """Faults, or how much lags, were changed."""
        self._has_changed = True

    async def take(
        self, account_id: int, surface: Surface, path: str, headers: Headers, body: Mapping[str, Any]
    ) -> Fault | None:
        """The fault for this request, used up by one: from its header, or from those that wait."""
        if HEADER in headers:
            fault = Fault(status=_status(headers[HEADER].decode("latin-1")))
            return await self._account_store(account_id).write(_with_reference, fault)
        if not await self.are_waiting():
            return None
        return await self._account_store(account_id).write(_take, surface, path, body)

    async def refusal(self, account_id: int, body: Mapping[str, Any]) -> Fault | None:
        """The fault that refuses this handshake of a WebSocket, used up by one."""
        if not await self.are_waiting():
            return None
        return await self._account_store(account_id).write(faults.take, Surface.LIVE, "/chat", body, "handshake")

    async def planned(self, account_id: int, surface: Surface, path: str, body: Mapping[str, Any]) -> list[Fault]:
        """What is to happen inside the stream that answers this request; each is used when it happens."""
        if not await self.are_waiting():
            return []
        return await self._account_store(account_id).write(
            lambda tx: list(faults.planned(tx, surface, path, body, "stream"))
        )

    async def use(self, account_id: int, fault: Fault) -> bool:
        """A planned fault happens now; False when it must not any more."""
        return await self._account_store(account_id).write(faults.use, fault)

    def cannot_touch(self, headers: Headers) -> bool:
        """Whether it is known without a question that a request with these headers goes its usual way: no fault may
        happen to anybody, and nothing lags."""
        return not self._has_changed and self._alone and HEADER not in headers

    async def may_touch(self, headers: Headers) -> bool:
        """Whether such a request may go another way, the database being asked."""
        return HEADER in headers or await self.are_waiting() or self.lagging

    async def are_waiting(self) -> bool:
        """Whether any fault may happen to anybody."""
        if self._has_changed or not self._alone:
            self._waiting, self.lagging = await self._database.read(faults.what_waits)
            self._has_changed = self._waiting or self.lagging
        return self._waiting


def happen(fault: Fault, manners: Manners, instead_of: Response | None = None) -> Response | None:
    """What a fault answers, its delay being over; None when that was all. A stream breaks off in the middle."""
    if fault.disconnect:
        return Interrupted(instead_of) if isinstance(instead_of, EventStream) else Disconnect()
    return None if fault.status is None else injected(fault, fault.status, manners).response()


def injected(fault: Fault, status: int, manners: Manners) -> Answer:
    """The answer that a fault gives: its own body, or Convai's for the status."""
    body = _default_body(fault, status, manners) if fault.body is None else fault.body
    headers = {"retry-after": "1", **fault.headers} if status == 429 else fault.headers
    return Answer(status, body, headers)


def describe(fault: Fault) -> dict[str, Any]:
    """A fault as the control plane and the journal show it: what was left out is left out."""
    match = {name: value for name, value in asdict(fault.match).items() if value is not None}
    optional = ("rate", "status", "headers", "delay_ms", "disconnect", "at", "do", "bytes_per_second", "handshake")
    given = {name: getattr(fault, name) for name in optional if getattr(fault, name)}
    body = {} if fault.body is None else {"body": fault.body}
    return {"match": match, "times": fault.times, **given, **body, "when": fault.when}


def _take(tx: AccountTransaction, surface: Surface, path: str, body: Mapping[str, Any]) -> Fault | None:
    fault = faults.take(tx, surface, path, body)
    return None if fault is None else _with_reference(tx, fault)


def _with_reference(tx: AccountTransaction, fault: Fault) -> Fault:
    return replace(fault, reference_id=tx.new_id()) if fault.status == 500 else fault


def _default_body(fault: Fault, status: int, manners: Manners) -> dict[str, Any]:
    """Convai's own body for a status."""
    message = manners.invalid_key if status == 401 else _MESSAGES.get(status, "Injected fault.")
    has_reference = status == 500 and manners.surface is not Surface.LIVE
    return manners.body(status, message) | ({"Reference ID": fault.reference_id} if has_reference else {})


class Disconnect(Response):
    """No answer at all: the connection ends without a byte."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """End the connection or, under a server that does not let us, begin an answer and never end it."""
        if abort(scope):
            while (await receive())["type"] != "http.disconnect":
                pass
        else:
            headers = [(b"content-length", b"1")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})


class Interrupted(Response):
    """A stream that breaks off after its second event."""

    def __init__(self, whole: EventStream) -> None:
        super().__init__(media_type=whole.media_type)
        self._whole = whole

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the beginning, and leave the end out."""
        await send({"type": "http.response.start", "status": 200, "headers": self._whole.raw_headers})
        sent = 0
        async for _, event in self._whole.pieces:
            await send({"type": "http.response.body", "body": event, "more_body": True})
            sent += 1
            if sent == 2:
                return


def _status(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) == 3 and 400 <= int(text) <= 599):
        raise Invalid(f"Invalid header X-Fake-Convai-Fault: send a status from 400 to 599, not {text!r}.")
    return int(text)
