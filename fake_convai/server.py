"""`fake-convai serve`: uvicorn around the app, with a ready line and a clean stop."""

import asyncio
import errno
import gc
import ipaddress
import math
import os
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

import click
import uvicorn

from fake_convai.app import create_app
from fake_convai.backend.surface import Surface, under
from fake_convai.backend.transports import HttpProtocol, WebSocketProtocol
from fake_convai.control.demo import KEY as DEMO_KEY
from fake_convai.control.seed_document import read_seeds
from fake_convai.domain.errors import CannotBeDone
from fake_convai.lines import watch
from fake_convai.live import rooms
from fake_convai.progress import Progress
from fake_convai.settings import Options
from fake_convai.store.database import migrate

MAX_FRAME = 16 * 1024 * 1024
"""Bytes of a WebSocket frame (docs/contract.md section 9)."""


KEEP_ALIVE = 75
"""Seconds that an idle connection is kept: clients that poll every few seconds would meet closed ones otherwise."""

STOP_TIMEOUT = 5.0
"""Seconds in which a stop ends."""

_GRACE = 0.5
"""The part of them in which requests may end by themselves; the rest is for closing the database."""

_PORTS_TRIED = 20


class CannotStart(CannotBeDone):
    """The server cannot start; the message is one line that says why."""


ONLY_WHEN_NEEDED = ("domain.dedup.rule", "domain.extraction", "domain.replies", "store.snapshots")
"""What a test's fake imports only when it is used; here somebody else would wait meanwhile."""


def run(settings: Options) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises `CannotBeDone` for what can be known to be wrong before."""
    for name in ONLY_WHEN_NEEDED:
        import_module(f"fake_convai.{name}")
    with Progress("Reading seeds and database"):
        if settings.database is not None:
            migrate(settings.database)
        read_seeds(settings.seed)
    rooms.insist(settings)
    tls = prepare_tls(settings.tls_folder, settings.host) if settings.tls else None
    listeners = listen(settings.host, settings.port)
    if settings.control_key is None and not _is_loopback(listeners[0]):
        click.echo(
            f"fake-convai: warning: whoever reaches {settings.host} can reset this server; give it a --control-key",
            err=True,
        )
    secure: dict[str, Any] = {} if tls is None else {"ssl_context_factory": lambda config, default: tls[0]}
    config = uvicorn.Config(
        create_app(settings),
        log_level="warning" if settings.log_level == "info" else settings.log_level,
        server_header=False,  # the real service does not say uvicorn
        access_log=False,  # the journal of requests is better reading, and leaves out keys in queries
        lifespan="on",
        http=HttpProtocol,
        ws=WebSocketProtocol,
        ws_max_size=MAX_FRAME,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=math.ceil(settings.stop_timeout * _GRACE),
        proxy_headers=False,  # `is_secure` reads the one that matters
        **secure,
    )
    address = origin(settings.host, listeners, "http" if tls is None else "https")
    message = ready_message(address, demo=settings.demo)
    message += f"\n  {'livekit':<10} {rooms.described(settings)}"
    if tls is not None:
        message += f"\n  {'authority':<10} {tls[1]} (clients must trust it: docs/clients.md)"
    try_it = f"{under(address, Surface.PRODUCTION)}/character/list -H 'CONVAI-API-KEY: {DEMO_KEY}'"
    message += f"\n  {'try':<10} curl {'' if tls is None else f'--cacert {tls[1]} '}-X POST {try_it}"
    watch(settings.log_level, settings.log_format)
    serve(config, listeners, message, settings.stop_timeout)


def serve(
    config: uvicorn.Config, listeners: list[socket.socket], message: str, stop_timeout: float = STOP_TIMEOUT
) -> None:
    """Serve until SIGTERM or Ctrl-C, and print the message once it is ready; a stop ends within `stop_timeout`."""
    # uvicorn finishes what it is doing, then raises the signal again: this turns that into a clean exit.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, _exit)
    server = _Server(config, message, stop_timeout)
    try:
        server.run(sockets=listeners)
    finally:
        server.last.cancel()
    if not server.started:
        sys.exit(3)


def prepare_tls(folder: Path | None, host: str) -> tuple[ssl.SSLContext, Path]:
    """What TLS needs, and the file of the authority that clients must trust; raises `CannotBeDone`."""
    try:
        from fake_convai import tls
    except ModuleNotFoundError as error:
        raise CannotStart(f"--tls needs the package {error.name}: pip install 'fake-convai[tls]'") from error
    return tls.prepare(folder or tls.default_folder(), host)


class _Server(uvicorn.Server):
    """Says so once it answers, and stops in time."""

    def __init__(self, config: uvicorn.Config, message: str, stop_timeout: float) -> None:
        super().__init__(config)
        self._message = message
        self.last = threading.Timer(stop_timeout, os._exit, [0])
        """Ends the process when a stop has not."""
        self.last.daemon = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; what has not ended in time ends then: all that was acknowledged is committed."""
        super().handle_exit(sig, frame)
        with suppress(RuntimeError):  # it was asked to stop twice
            self.last.start()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What is there by now stays: without this, each full collection would go through all of it again.
        gc.collect()
        gc.freeze()
        if self.started:
            click.echo(self._message)
            await asyncio.to_thread(sys.stdout.flush)


def ready_message(origin: str, *, control: bool = True, demo: bool = False) -> str:
    """What stands on standard output when the server is ready; scripts may wait for the first line.

    Without a `control` plane it is the proxy. With `demo` the page opens the account of the demo.
    """
    lines = [f"{'fake-convai' if control else 'fake-convai proxy'} is ready at {origin}"]
    lines += [f"  {surface:<10} {under(origin, surface)}" for surface in Surface]
    lines.append(f"  {'all':<10} {origin}")
    if control:
        lines.append(f"  {'control':<10} {origin}/_fake")
        lines.append(f"  {'page':<10} {origin}/{f'?key={DEMO_KEY}#/talk' if demo else ''}")
    return "\n".join(lines)


def listen(host: str, port: int) -> list[socket.socket]:
    """Sockets that take connections on one port; 0 is any free port. Raises `CannotStart`.

    A loopback is both of them: `localhost` means ::1 first on macOS and Windows.
    """
    if host not in ("127.0.0.1", "localhost"):
        return [_listener(host, port)]
    for _ in range(_PORTS_TRIED if port == 0 else 1):
        first = _listener("127.0.0.1", port)
        try:
            return [first, _listener("::1", first.getsockname()[1])]
        except CannotStart as error:
            taken = isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EADDRINUSE
            if not taken:  # a machine without IPv6
                return [first]
            first.close()
            last = error
    raise last


def _listener(host: str, port: int) -> socket.socket:
    listener = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        if listener is not None:
            listener.close()
        is_host = isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL
        mend = "--host 127.0.0.1 or 0.0.0.0" if is_host else "another with --port, or --port 0 for a free one"
        raise CannotStart(f"cannot listen on {host} port {port} ({error.strerror or error}); choose {mend}") from error
    return listener


def _is_loopback(listener: socket.socket) -> bool:
    return ipaddress.ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback


def origin(host: str, listeners: Sequence[socket.socket], scheme: str = "http") -> str:
    """The address under which this machine reaches the listeners."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "localhost": "127.0.0.1"}.get(
        host, f"[{host}]" if ":" in host else host
    )
    return f"{scheme}://{name}:{listeners[0].getsockname()[1]}"


def _exit(signal_number: int, frame: FrameType | None) -> None:
    sys.exit(0)
