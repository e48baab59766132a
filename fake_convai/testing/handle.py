"""`FakeConvai`: one account of a fake, as a test drives it."""

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from fake_convai.control.client import ControlClient
from fake_convai.testing import watching
from fake_convai.testing.happenings import Happenings
from fake_convai.testing.holdings import Holdings
from fake_convai.testing.talking import Talking
from fake_convai.testing.timing import Timing

if TYPE_CHECKING:
    from fake_convai.settings import Options
    from fake_convai.testing.server_thread import ServerThread
    from fake_convai.testing.transport import InProcessTransport


class FakeConvai(Holdings, Happenings, Talking, Timing):
    """One account of a fake Convai: what the code under test needs to reach it, and what a test does to it.

        with FakeConvai() as fake:           # a server of its own, in a thread
            ...

        fake = FakeConvai.attach("http://localhost:2668")  # a server that runs elsewhere

    What it does to the account goes through the control plane: it is not in the journal, no fault happens to it, and
    looking at memories does not count as using them. Every method raises `ControlError`, which names the reason, when
    the fake refuses or does not answer.
    """

    def __init__(self, settings: "Options | Mapping[str, Any] | None" = None, *, api_key: str | None = None) -> None:
        """Nothing runs before `start`, or `with`. Without an `api_key` the account is a new one."""
        self.api_key = api_key or f"test-{uuid.uuid4().hex}"
        self._settings = settings
        self._owns_client = True
        self._planned = []

    @classmethod
    def attach(cls, url: str, api_key: str | None = None, *, control_key: str | None = None) -> "FakeConvai":
        """The same for a server or container that runs at `url`; `control_key` is what it was started with."""
        fake = cls(api_key=api_key)
        fake._client = ControlClient(url, control_key)
        _note(fake)
        return fake

    @classmethod
    def run(cls, command: str, settings: Mapping[str, Any] | None = None) -> "FakeConvai":
        """The same for a server that this command starts, such as `uvx fake-convai`; it ends with `close`."""
        from fake_convai.testing.command import CommandServer

        fake = cls()
        server = fake._server = CommandServer(command, settings or {})
        fake._client = ControlClient(server.url, server.control_key)
        _note(fake)
        return fake

    def account(self, api_key: str | None = None) -> "FakeConvai":
        """Another account of the same server, a new one unless its key is given. It ends with this one."""
        other = FakeConvai(api_key=api_key)
        other._server, other._client, other._owns_client = self._server, self._running(), False
        _note(other)
        return other

    def start(self) -> Self:
        """Run a server on a free port of this machine, in a thread; returns once it is ready.

        Raises `fake_convai.settings.BadSetting` for settings it cannot use.
        """
        if self._client is not None:
            raise RuntimeError("This FakeConvai is running already.")
        from fake_convai.domain.long_work import undisturbed

        # Most of it is imports, whose objects live on: Python's collector would go through them again and again.
        self._server = undisturbed(self._serve)
        self._client = ControlClient(self._server.url, self._server.control_key, transport=self._server.transport)
        _note(self)
        return self

    def _serve(self) -> "ServerThread":
        from fake_convai.testing.server_thread import ServerThread

        return ServerThread(self._settings)

    def close(self) -> None:
        """End the server that `start` has started; of an attached one, only the connection."""
        if self._client is None or not self._owns_client:
            return
        for account in watching.watched or ():
            if account._client is self._client:
                from fake_convai.testing.report import journal_text

                account._last_journal = journal_text(account)
        self._client.close()
        self._client = None
        if self._server is not None:
            self._server.stop()
            self._server = None

    def __enter__(self) -> Self:
        return self if self._client is not None else self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        where = "not running" if self._client is None else self.url
        return f"<FakeConvai {where}, API key ...{self.api_key[-4:]}>"

    @property
    def transport(self) -> "InProcessTransport":
        """For `httpx.Client(transport=...)` and `httpx.AsyncClient(transport=...)`: the same server without a socket.

        Raises `RuntimeError` when the server runs in another process.
        """
        self._running()
        if self._server is None or self._server.transport is None:
            raise RuntimeError("There is no in-process transport to a server that runs elsewhere: use its URL.")
        return self._server.transport


def _note(fake: FakeConvai) -> None:
    """Let the pytest plugin know, whose report of a failed test shows the journal of every account."""
    if watching.watched is not None and fake not in watching.watched:
        watching.watched.append(fake)
