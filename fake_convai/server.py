"""`fake-convai serve`: uvicorn around the app, with a ready line and a clean stop."""

import asyncio
import ipaddress
import signal
import socket
import sys
from types import FrameType

import click
import uvicorn

from fake_convai.api.surface import Surface
from fake_convai.app import create_app
from fake_convai.control.seed_document import read_seeds
from fake_convai.domain.errors import FakeConvaiError
from fake_convai.settings import Settings
from fake_convai.store.database import migrate
from fake_convai.store.schema import UnusableDatabase


class CannotStart(Exception):
    """The server cannot start; the message is one line that says why."""


def run(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises `CannotStart` for what can be known to be wrong before."""
    try:
        if settings.database is not None:
            migrate(settings.database)
        read_seeds(settings.seed)
    except (UnusableDatabase, FakeConvaiError) as error:
        raise CannotStart(str(error)) from error
    listener = _listen(settings.host, settings.port)
    if settings.control_key is None and not _is_loopback(listener):
        click.echo(
            f"fake-convai: warning: whoever reaches {settings.host} can reset this server; give it a --control-key",
            err=True,
        )
    config = uvicorn.Config(
        create_app(settings),
        log_level=settings.log_level,
        access_log=False,  # the journal of requests is better reading, and leaves out keys in queries
        lifespan="on",
        ws_max_size=16 * 1024 * 1024,
    )
    # uvicorn finishes what it is doing, then raises the signal again: this turns that into a clean exit.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, _exit)
    server = _Server(config, _origin(settings.host, listener))
    server.run(sockets=[listener])
    if not server.started:
        sys.exit(3)


class _Server(uvicorn.Server):
    """Says where each surface is once it answers."""

    def __init__(self, config: uvicorn.Config, origin: str) -> None:
        super().__init__(config)
        self._origin = origin

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            click.echo(ready_message(self._origin))
            await asyncio.to_thread(sys.stdout.flush)


def ready_message(origin: str) -> str:
    """What stands on standard output when the server is ready; scripts may wait for the first line."""
    lines = [f"fake-convai is ready at {origin}"]
    lines += [f"  {surface:<10} {origin}/{surface}" for surface in Surface]
    lines += [f"  {'all':<10} {origin}", f"  {'control':<10} {origin}/_fake"]
    return "\n".join(lines)


def _listen(host: str, port: int) -> socket.socket:
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


def _origin(host: str, listener: socket.socket) -> str:
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{name}:{listener.getsockname()[1]}"


def _exit(signal_number: int, frame: FrameType | None) -> None:
    sys.exit(0)
