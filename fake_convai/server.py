"""`fake-convai serve`: uvicorn around the app, with a ready line and a clean stop."""

import asyncio
import gc
import ipaddress
import signal
import socket
import ssl
import sys
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
from fake_convai.domain.errors import FakeConvaiError
from fake_convai.lines import watch
from fake_convai.live import rooms
from fake_convai.settings import BadSetting, Settings
from fake_convai.store.database import migrate
from fake_convai.store.schema import UnusableDatabase

MAX_FRAME = 16 * 1024 * 1024
"""Bytes of a WebSocket frame (docs/contract.md section 9)."""


class CannotStart(Exception):
    """The server cannot start; the message is one line that says why."""


def run(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises `CannotStart` for what can be known to be wrong before."""
    try:
        if settings.database is not None:
            migrate(settings.database)
        read_seeds(settings.seed)
        rooms.insist(settings)
    except (UnusableDatabase, FakeConvaiError, BadSetting) as error:
        raise CannotStart(str(error)) from error
    tls = prepare_tls(settings.tls_folder, settings.host) if settings.tls else None
    listener = listen(settings.host, settings.port)
    if settings.control_key is None and not _is_loopback(listener):
        click.echo(
            f"fake-convai: warning: whoever reaches {settings.host} can reset this server; give it a --control-key",
            err=True,
        )
    secure: dict[str, Any] = {} if tls is None else {"ssl_context_factory": lambda config, default: tls[0]}
    config = uvicorn.Config(
        create_app(settings),
        log_level="warning" if settings.log_level == "info" else settings.log_level,
        access_log=False,  # the journal of requests is better reading, and leaves out keys in queries
        lifespan="on",
        http=HttpProtocol,
        ws=WebSocketProtocol,
        ws_max_size=MAX_FRAME,
        **secure,
    )
    address = origin(settings.host, listener, "http" if tls is None else "https")
    message = ready_message(address, demo=settings.demo)
    message += f"\n  {'livekit':<10} {rooms.described(settings)}"
    if tls is not None:
        message += f"\n  {'authority':<10} {tls[1]} (clients must trust it: docs/clients.md)"
    try_it = f"{under(address, Surface.PRODUCTION)}/character/list -H 'CONVAI-API-KEY: {DEMO_KEY}'"
    message += f"\n  {'try':<10} curl {'' if tls is None else f'--cacert {tls[1]} '}-X POST {try_it}"
    watch(settings.log_level, settings.log_format)
    serve(config, listener, message)


def serve(config: uvicorn.Config, listener: socket.socket, message: str) -> None:
    """Serve until SIGTERM or Ctrl-C, and print the message once it is ready."""
    # uvicorn finishes what it is doing, then raises the signal again: this turns that into a clean exit.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, _exit)
    server = _Server(config, message)
    server.run(sockets=[listener])
    if not server.started:
        sys.exit(3)


def prepare_tls(folder: Path | None, host: str) -> tuple[ssl.SSLContext, Path]:
    """What TLS needs, and the file of the authority that clients must trust; raises `CannotStart`."""
    try:
        from fake_convai import tls
    except ModuleNotFoundError as error:
        raise CannotStart(f"--tls needs the package {error.name}: pip install 'fake-convai[tls]'") from error
    try:
        return tls.prepare(folder or tls.default_folder(), host)
    except tls.Unusable as error:
        raise CannotStart(str(error)) from error


class _Server(uvicorn.Server):
    """Says so once it answers."""

    def __init__(self, config: uvicorn.Config, message: str) -> None:
        super().__init__(config)
        self._message = message

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


def listen(host: str, port: int) -> socket.socket:
    """A socket that takes connections; 0 is any free port. Raises `CannotStart`."""
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
        raise CannotStart(
            f"cannot listen on {host} port {port} ({error.strerror or error}); choose another with --port, or "
            f"--port 0 for a free one"
        ) from error
    return listener


def _is_loopback(listener: socket.socket) -> bool:
    return ipaddress.ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback


def origin(host: str, listener: socket.socket, scheme: str = "http") -> str:
    """The address under which this machine reaches the listener."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"{scheme}://{name}:{listener.getsockname()[1]}"


def _exit(signal_number: int, frame: FrameType | None) -> None:
    sys.exit(0)
