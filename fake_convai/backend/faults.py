"""Making faults happen to requests: before anything was done, or after all was (docs/control-plane.md)."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from fake_convai.backend.errors import Manners
from fake_convai.backend.responses import Answer
from fake_convai.backend.surface import Surface
from fake_convai.domain.errors import RATE_LIMITED, Invalid
from fake_convai.domain.faults import Fault
from fake_convai.store import faults
from fake_convai.store.accounts import AccountStore, AccountTransaction
from fake_convai.store.database import Database

HEADER = "x-fake-convai-fault"

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
        self._alone = database.dialect == "sqlite"
        self._waiting = True

    def changed(self) -> None:
        """Faults were added or cleared."""
        self._waiting = True

    async def take(
        self, account_id: int, surface: Surface, path: str, headers: Mapping[str, str], body: Mapping[str, Any]
    ) -> Fault | None:
        """The fault for this request, used up by one: from its header, or from those that wait."""
        if HEADER in headers:
            fault = Fault(status=_status(headers[HEADER]))
            return await self._account_store(account_id).write(_with_reference, fault)
        if self._alone and not self._waiting:
            return None
        self._waiting = await self._database.read(faults.are_waiting)
        if not self._waiting:
            return None
        return await self._account_store(account_id).write(_take, surface, path, body)


async def happen(fault: Fault, manners: Manners, instead_of: Response | None = None) -> Response | None:
    """Let a fault happen; None when it was only a delay. A stream that it comes after breaks off in the middle."""
    await delay(fault)
    if fault.disconnect:
        return Interrupted(instead_of) if isinstance(instead_of, StreamingResponse) else Disconnect()
    if fault.status is None:
        return None
    body = _default_body(fault, manners) if fault.body is None else fault.body
    headers = {"retry-after": "1", **fault.headers} if fault.status == 429 else fault.headers
    return Answer(fault.status, body, headers).response()


async def delay(fault: Fault) -> None:
    """Wait for at least as long as the fault says: the event loop counts whole milliseconds and may be early by one."""
    if fault.delay_ms:
        await asyncio.sleep((fault.delay_ms + 1) / 1000)


def describe(fault: Fault) -> dict[str, Any]:
    """A fault as the control plane and the journal show it: what was left out is left out."""
    match = {name: value for name, value in asdict(fault.match).items() if value is not None}
    optional = ("rate", "status", "headers", "delay_ms", "disconnect")
    given = {name: getattr(fault, name) for name in optional if getattr(fault, name)}
    body = {} if fault.body is None else {"body": fault.body}
    return {"match": match, "times": fault.times, **given, **body, "when": fault.when}


def _take(tx: AccountTransaction, surface: Surface, path: str, body: Mapping[str, Any]) -> Fault | None:
    fault = faults.take(tx, surface, path, body)
    return None if fault is None else _with_reference(tx, fault)


def _with_reference(tx: AccountTransaction, fault: Fault) -> Fault:
    return replace(fault, reference_id=tx.new_id()) if fault.status == 500 else fault


def _default_body(fault: Fault, manners: Manners) -> dict[str, Any]:
    """Convai's own body for a status."""
    assert fault.status is not None
    message = manners.invalid_key if fault.status == 401 else _MESSAGES.get(fault.status, "Injected fault.")
    has_reference = fault.status == 500 and manners.surface is not Surface.LIVE
    return manners.body(fault.status, message) | ({"Reference ID": fault.reference_id} if has_reference else {})


class Disconnect(Response):
    """Begins an answer and never ends it: the server then cuts the connection."""

    def __init__(self) -> None:
        super().__init__(headers={"content-length": "1"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head alone."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})


class Interrupted(Response):
    """A stream that breaks off after its second event."""

    def __init__(self, whole: StreamingResponse) -> None:
        super().__init__(media_type=whole.media_type)
        self._whole = whole

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the beginning, and leave the end out."""
        headers = [(name, value) for name, value in self.raw_headers if name != b"content-length"]
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        sent = 0
        async for event in self._whole.body_iterator:
            await send({"type": "http.response.body", "body": event, "more_body": True})
            sent += 1
            if sent == 2:
                return


def _status(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) == 3 and 400 <= int(text) <= 599):
        raise Invalid(f"Invalid header X-Fake-Convai-Fault: send a status from 400 to 599, not {text!r}.")
    return int(text)
