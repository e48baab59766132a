"""Making faults happen to requests: before anything was done, or after all was (DESIGN.md, "The control plane")."""

import asyncio
import random
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from fake_convai.api.errors import INVALID_KEY, INVALID_LIVE_KEY
from fake_convai.api.responses import Answer
from fake_convai.api.surface import Surface
from fake_convai.domain.errors import RATE_LIMITED, Invalid
from fake_convai.domain.faults import Fault
from fake_convai.store import faults
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

    def __init__(self, database: Database, seed: int | None) -> None:
        self._database = database
        self._random = random.Random(seed)
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
        wanted = headers.get(HEADER)
        if wanted is not None:
            return Fault(status=_status(wanted))
        if self._alone and not self._waiting:
            return None
        self._waiting = await self._database.read(faults.are_waiting)
        if not self._waiting:
            return None
        return await self._database.write(
            lambda tx: faults.take(tx, account_id, surface, path, body, self._random.random)
        )


async def happen(
    fault: Fault, surface: Surface, unauthorized_key: str, instead_of: Response | None = None
) -> Response | None:
    """Let a fault happen; None when it was only a delay. A stream that it comes after breaks off in the middle."""
    if fault.delay_ms:
        await asyncio.sleep(fault.delay_ms / 1000)
    if fault.disconnect:
        return Interrupted(instead_of) if isinstance(instead_of, StreamingResponse) else Disconnect()
    if fault.status is None:
        return None
    body = default_body(fault.status, surface, unauthorized_key) if fault.body is None else fault.body
    headers = {"retry-after": "1", **fault.headers} if fault.status == 429 else fault.headers
    return Answer(fault.status, body, headers).response()


def describe(fault: Fault) -> dict[str, Any]:
    """A fault as the control plane and the journal show it: what was left out is left out."""
    shown = {name: value for name, value in asdict(fault).items() if value not in (None, {}, False, 0)}
    match = {name: value for name, value in asdict(fault.match).items() if value is not None}
    return {**shown, "match": match, "times": fault.times, "when": fault.when}


def default_body(status: int, surface: Surface, unauthorized_key: str) -> dict[str, Any]:
    """Convai's own body for a status."""
    message = _MESSAGES.get(status, "Injected fault.")
    if surface is Surface.LIVE:
        return {"detail": INVALID_LIVE_KEY if status == 401 else message}
    if status == 401:
        return {unauthorized_key: INVALID_KEY}
    return {"ERROR": message, "Reference ID": str(uuid.uuid4())} if status == 500 else {"ERROR": message}


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
    if not (text.isascii() and text.isdecimal() and 400 <= int(text) <= 599):
        raise Invalid(f"Invalid header X-Fake-Convai-Fault: send a status from 400 to 599, not {text!r}.")
    return int(text)
