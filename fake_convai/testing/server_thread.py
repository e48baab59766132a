"""The fake on a free port of this machine, in a thread with an event loop of its own."""

import asyncio
import socket
import threading
import warnings
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

import uvicorn

from fake_convai.api.published import DOCUMENTS, published
from fake_convai.app import create_app
from fake_convai.backend.transports import HttpProtocol, WebSocketProtocol
from fake_convai.dashboard.routes import static_files
from fake_convai.domain.clock import real_monotonic
from fake_convai.settings import Options, given_settings
from fake_convai.testing.transport import InProcessTransport

STOP_SECONDS = 10.0
"""How long a stop may take: a test run must end."""


def read_files() -> None:
    """Read what the server would read later: the page, and the contract."""
    static_files()
    for name in DOCUMENTS:
        published(str(name))
        published(name)


class ServerThread:
    """A running server. Made by `start`, ended by `stop`."""

    def __init__(self, settings: Options | Mapping[str, Any] | None = None) -> None:
        """Start, and return once it is ready.

        `host` and `port` of the settings are not used: it is always a free port of 127.0.0.1. Variables of the
        environment are meant for a server that somebody starts, and do not count. Raises `BadSetting` for settings it
        cannot use, and whatever keeps the app from starting, such as a database that does not answer.
        """
        if not isinstance(settings, Options):
            # Characters come to rooms only where a test wants them.
            settings = given_settings(**{"livekit": "off", **(settings or {})})
        self.settings = settings
        self.control_key = self.settings.control_key
        self._app = create_app(self.settings)
        # Made by hand, since asyncio switches Nagle's delay off only where the protocol is said to be TCP.
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(1024)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._server = uvicorn.Server(
            uvicorn.Config(
                self._app,
                http=HttpProtocol,
                ws=WebSocketProtocol,
                lifespan="off",  # entered in _serve, where its errors can be handed on
                log_config=None,  # logging is set up by whoever runs the tests
                log_level="warning",
                access_log=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=1,
            )
        )
        ready: Future[asyncio.AbstractEventLoop] = Future()
        self._thread = threading.Thread(target=self._run, args=[ready], name="fake-convai", daemon=True)
        self._thread.start()
        try:
            self.transport = InProcessTransport(self._app, ready.result())
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Finish what was begun, close the database, and wait until all is gone, but not for ever."""
        self._server.should_exit = True
        self._thread.join(STOP_SECONDS)
        if self._thread.is_alive():
            warnings.warn(f"The fake at {self.url} did not stop within {STOP_SECONDS:g} s.", ResourceWarning, 2)
        self._listener.close()

    def _run(self, ready: "Future[asyncio.AbstractEventLoop]") -> None:
        try:
            with asyncio.Runner(loop_factory=_loop_on_real_time) as runner:
                runner.run(self._serve(ready))
        except BaseException as error:
            if ready.done():
                raise
            ready.set_exception(error)

    async def _serve(self, ready: "Future[asyncio.AbstractEventLoop]") -> None:
        async with self._app.router.lifespan_context(self._app):
            # The socket listens already: whoever connects from now on is served as soon as uvicorn runs.
            ready.set_result(asyncio.get_running_loop())
            await self._server.serve(sockets=[self._listener])


def _loop_on_real_time() -> asyncio.AbstractEventLoop:
    """An event loop whose timers a test cannot freeze: freezegun would put them decades ahead."""
    loop = asyncio.new_event_loop()
    loop.time = real_monotonic  # type: ignore[method-assign]
    return loop
