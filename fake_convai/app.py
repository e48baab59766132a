"""`create_app`: one Starlette application behind the server, the container and the fixture."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send

from fake_convai.api.pipeline import Surfaces
from fake_convai.api.routes import ENDPOINTS
from fake_convai.backend.auth import Authenticator
from fake_convai.backend.backend import Backend
from fake_convai.backend.errors import MethodNotAllowed
from fake_convai.backend.responses import Answer
from fake_convai.backend.surface import locate
from fake_convai.control.demo import KEY as DEMO_KEY
from fake_convai.control.demo import demo_document
from fake_convai.control.hosts import allow, name_of
from fake_convai.control.plane import MANNERS, PREFIX
from fake_convai.control.routes import allowed_methods, control_plane
from fake_convai.control.seed import plant
from fake_convai.control.seed_document import read_seeds
from fake_convai.dashboard.routes import dashboard, wants_page
from fake_convai.domain.clock import SECOND
from fake_convai.domain.errors import Forbidden
from fake_convai.domain.identity import hash_secret, last_four
from fake_convai.domain.ids import Ids
from fake_convai.live.hub import Hub
from fake_convai.live.rooms import Rooms
from fake_convai.live.running import Running
from fake_convai.settings import Options, load_settings
from fake_convai.store import clocks
from fake_convai.store.accounts import AccountTransaction, Rules, open_account, server_secret
from fake_convai.store.database import Database, open_database
from fake_convai.store.query import Transaction


def create_app(settings: Options | None = None) -> Starlette:
    """The fake as an ASGI application; settings come from the environment unless given.

    It opens its database in the lifespan: run it under a server, or enter the lifespan in a test.
    """
    chosen = load_settings() if settings is None else settings
    page = dashboard(demo_key=DEMO_KEY if chosen.demo else None, asks_control_key=chosen.control_key is not None)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        database = await open_database(chosen.database)
        try:
            running = await _start(database, chosen)
            backend, hub = running.backend, running.hub
            chores = [asyncio.create_task(hub.run())]
            if database.lasting:
                chores += [asyncio.create_task(backend.journal.run()), asyncio.create_task(backend.frames.run())]
            app.running = running
            running.rooms.start()
            yield
            app.running = None
            await running.rooms.close()
            for chore in chores:
                chore.cancel()
                with suppress(asyncio.CancelledError):
                    await chore
            if database.lasting:
                await backend.journal.flush()
                await backend.frames.flush()
        finally:
            await database.close()

    app = _Application(
        Surfaces(ENDPOINTS, chosen.split),
        allow([chosen.host, *chosen.allowed_host]),
        routes=[Mount("/", app=control_plane(page))],
        lifespan=lifespan,
        exception_handlers={HTTPException: _http_error},
    )
    return app


async def _start(database: Database, settings: Options) -> Running:
    ids = Ids(settings.random_seed)
    rules = Rules(
        auto_create_characters=settings.auto_create_characters,
        dedup=settings.dedup,
        delete_all_delay=int(settings.delete_all_delay * SECOND),
        random_seed=settings.random_seed,
        snapshot_bytes=settings.snapshot_bytes,
    )
    seeds = read_seeds(settings.seed)
    demo_hash = hash_secret(DEMO_KEY)

    def furnish(tx: Transaction, account_id: int, key_hash: str) -> None:
        clocks.set_default(tx, account_id)
        is_demo = settings.demo and key_hash == demo_hash
        for document in [*seeds, demo_document()] if is_demo else seeds:
            plant(AccountTransaction(tx, account_id, ids, rules), document)
            if document.stubs:
                backend.stubs.changed()
        backend.faults.changed()  # something in the account may lag

    valid_keys = (*settings.api_key, DEMO_KEY) if settings.api_key and settings.demo else settings.api_key
    backend = Backend(
        database,
        Authenticator(database, valid_keys, ids, furnish),
        settings=settings,
        rules=rules,
        ids=ids,
        cursor_secret=await database.write(lambda tx: server_secret(tx, "cursor", ids)),
        furnish=furnish,
    )
    if settings.demo:
        await database.write(lambda tx: open_account(tx, demo_hash, last_four(DEMO_KEY), ids, furnish))
    hub = Hub(database, backend.account_store, settings.idle_timeout)
    if not database.shared:
        await hub.recover()
    return Running(backend, hub, Rooms(backend, hub))


async def _http_error(request: Request, error: Exception) -> Response:
    """What is refused on the way to a control route: another method, or a file that the page does not have."""
    assert isinstance(error, HTTPException)
    if error.status_code != 405:
        return Answer(error.status_code, {"ERROR": error.detail}).response()
    path = request.scope["path"]
    allowed = ", ".join(allowed_methods(path)) or "GET"  # the page, which is only looked at
    refusal = MethodNotAllowed(f"{path} does not take {request.method}: send {allowed}.", allowed)
    return MANNERS.answer(refusal).response()


class _AnyPage(CORSMiddleware):
    """Lets a public page call this machine, too, which Chrome asks for first; not every Starlette knows that."""

    def preflight_response(self, request_headers: Headers) -> Response:
        """Say that it may."""
        self.allow_private_network = True  # of newer versions, which would refuse
        response = super().preflight_response(request_headers)
        if request_headers.get("access-control-request-private-network") == "true":
            response.headers["access-control-allow-private-network"] = "true"
        return response

    async def simple_response(self, scope: Scope, receive: Receive, send: Send, request_headers: Headers) -> None:
        """Answer what is no such question; the surfaces say themselves who may read it."""
        await self.app(scope, receive, send)


class _Application(Starlette):
    """Starlette around the control plane, with a short way past it for the surfaces, which answer every error
    themselves: its middleware and router would cost a short request a sixth more (docs/performance.md)."""

    running: Running | None = None
    """What it works with while its lifespan lasts."""

    def __init__(self, surfaces: Surfaces, is_allowed: Callable[[str], bool], **options: Any) -> None:
        """`is_allowed` tells by a Host header whether the control plane answers."""
        super().__init__(**options)
        self._is_allowed = is_allowed
        self._surfaces = surfaces
        # Browsers call the real hosts from any page, and ask first; the control plane does not share this.
        self._asked_first = _AnyPage(surfaces, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send `/_fake` to the control plane, on whichever surface it is asked for, and the rest to the surfaces."""
        if scope["type"] == "lifespan":
            await super().__call__(scope, receive, send)
            return
        named, path = locate(scope)
        if scope["type"] == "http" and (path == PREFIX or path.startswith(PREFIX + "/")):
            host = Headers(scope=scope).get("host", "")
            if not self._is_allowed(host):
                refusal = Forbidden(
                    f"The control plane does not answer as {host[:100]!r}, a name that any web page could have: use an "
                    f"address or a local name, or start the fake with --allowed-host {name_of(host)[:100]}."
                )
                await MANNERS.answer(refusal).response()(scope, receive, send)
                return
            path = path if path == f"{PREFIX}/" else path.rstrip("/")  # that one is the page
            await super().__call__({**scope, "path": path, "root_path": ""}, receive, send)
            return
        if path == "/" and wants_page(scope):
            await super().__call__({**scope, "path": f"{PREFIX}/", "root_path": ""}, receive, send)
            return
        scope["app"] = self
        if scope.get("method") == "OPTIONS":
            await self._asked_first(scope, receive, send)
        else:
            await self._surfaces.serve(scope, receive, send, named, path)
