"""The way of a request under `/_fake`: origin, control key, account, body, handler, answer."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, get_type_hints
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from fake_convai.backend.auth import KEY_HEADER, LIVE_KEY_HEADER
from fake_convai.backend.backend import Backend
from fake_convai.backend.body import MEBIBYTE, headers_of, parse_large_object, read_body
from fake_convai.backend.errors import Manners
from fake_convai.backend.responses import Answer
from fake_convai.backend.surface import Surface
from fake_convai.backend.yaml_body import is_yaml, read_yaml
from fake_convai.control.documents import Document
from fake_convai.domain.errors import Forbidden, Invalid, Unavailable
from fake_convai.domain.long_work import aside
from fake_convai.live.hub import Hub
from fake_convai.live.running import Running
from fake_convai.store import appearing
from fake_convai.store.accounts import AccountStore

PREFIX = "/_fake"
MANNERS = Manners(Surface.PRODUCTION)
CONTROL_KEY_HEADER = "x-fake-convai-control-key"
MAX_BODY = 64 * MEBIBYTE
"""A seed document may be much larger than any request to Convai."""

Handler = Callable[..., Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class ControlCall:
    """A request to the control plane; `account` is None when it means the whole server."""

    request: Request
    running: Running
    account: AccountStore | None
    body: dict[str, Any]

    @property
    def backend(self) -> Backend:
        """What all requests work with."""
        return self.running.backend

    @property
    def hub(self) -> Hub:
        """The live sessions of this process."""
        return self.running.hub

    @property
    def account_id(self) -> int | None:
        """The number of the account, None for all."""
        return None if self.account is None else self.account.account_id

    def one_account(self) -> AccountStore:
        """The account; `Invalid` when no key was sent, for what makes no sense on the whole server."""
        if self.account is None:
            raise Invalid("This acts on one account: send its API key as CONVAI-API-KEY or X-API-Key.")
        return self.account


def control(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Make a Starlette endpoint of a function that takes a `ControlCall` and returns JSON, or an answer made of it.

    What else it takes is a document: the body, parsed.
    """
    wanted = document_of(handler)

    @wraps(handler)
    async def endpoint(request: Request) -> Response:
        try:
            running = _admit(request)
            account = await _account(request, running.backend)
            body = await (read_yaml(request) if is_yaml(request) else _read_json(request))
            # What happened before belongs to the time before: to the clock, the journal and the data as they still are.
            await running.backend.journal.flush()
            await running.backend.frames.flush()
            await running.backend.faults.are_waiting()
            if account is not None and running.backend.faults.lagging:
                await account.write(appearing.catch_up)
            documents = () if wanted is None else (await aside(lambda: wanted.parse(body)),)
            answer = await handler(ControlCall(request, running, account, body), *documents)
            return answer if isinstance(answer, Response) else Answer(200, answer).response()
        except Exception as error:  # noqa: BLE001 - every error takes this way, the unexpected ones too
            return MANNERS.answer(error).response()

    return endpoint


def document_of(handler: Handler) -> type[Document] | None:
    """The document that a handler takes, if it does."""
    hints = [hint for name, hint in get_type_hints(handler).items() if name not in ("call", "request", "return")]
    return hints[0] if hints else None


async def _read_json(request: Request) -> dict[str, Any]:
    return await parse_large_object(await read_body(request, MAX_BODY))


def _admit(request: Request) -> Running:
    origin = request.headers.get("origin")
    if origin is not None and _host_of(origin) != request.headers.get("host"):
        raise Forbidden(
            f"The control plane refuses requests from the web page of another origin ({origin[:100]}): send them from "
            "outside the browser, such as from the test's own process."
        )
    running = Running.of(request.app)
    if running is None:
        raise Unavailable("The server has not started.")
    wanted = running.backend.settings.control_key
    given = request.headers.get(CONTROL_KEY_HEADER, "")
    if wanted is not None and not secrets.compare_digest(given.encode(), wanted.encode()):
        raise Forbidden("The control plane asks for a key: send the --control-key as X-Fake-Convai-Control-Key.")
    return running


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # such as http://[
        return None


async def _account(request: Request, backend: Backend) -> AccountStore | None:
    if KEY_HEADER not in request.headers and LIVE_KEY_HEADER not in request.headers:
        return None
    caller = await backend.authenticator.caller(headers_of(request.scope), None)
    return backend.account_store(caller.admit(MANNERS))
