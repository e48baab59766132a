"""The control plane as whoever drives it sees it: JSON in, JSON out, every failure as one exception.

The command line, the test handle and the replay of a recording share it; it needs nothing but httpx.
"""

import json
import logging
import os
import ssl
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Self

if "httpx" in sys.modules:
    import httpx
else:
    # Its command line would bring rich and pygments along, a tenth of all that a test's first fixture takes.
    sys.modules["httpx._main"] = None  # type: ignore[assignment]
    import httpx

    del sys.modules["httpx._main"]

__tracebackhide__ = True  # a test that fails shows where it called

TIMEOUT = 60.0
"""Seconds; a large seed document takes a while."""


class ControlError(Exception):
    """The fake refused, or did not answer, and then `status` is None; the message says why."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


_QUIET = ContextVar("quiet", default=False)
_LOGGERS = ("httpx", "httpcore.connection", "httpcore.http11")


def _is_heard(record: logging.LogRecord) -> bool:
    return not _QUIET.get()


@contextmanager
def quiet() -> Iterator[None]:
    """What httpx logs meanwhile is not heard: these calls are not those of the code under test."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_is_heard)  # once: adding it again does nothing
    token = _QUIET.set(True)
    try:
        yield
    finally:
        _QUIET.reset(token)


def document_of(path: Path) -> Any:
    """What is sent of a file: YAML by its ending as it is, JSON otherwise."""
    content = path.read_bytes()
    return content if path.suffix.lower() in (".yaml", ".yml") else json.loads(content)


class ControlClient:
    """A client for the server at `url`; nothing is sent before the first call."""

    def __init__(
        self, url: str, control_key: str | None = None, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        """`control_key` is what the server was started with; a `transport` reaches it without a socket."""
        self.url = url.rstrip("/")
        self.control_key = control_key
        self.process_id = os.getpid()
        """The process that made it: a forked child must not use it."""
        # The fake is next door: a proxy of the environment is meant for elsewhere. SSL_CERT_FILE counts all the same,
        # since `serve --tls` has an authority of its own.
        self.http = httpx.Client(
            trust_env=False,
            transport=transport,
            verify=ssl.create_default_context() if url.startswith("https:") else False,
            limits=httpx.Limits(max_keepalive_connections=0),  # who forgets to close it leaves nothing open
        )

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        *,
        api_key: str | None = None,
    ) -> dict[str, Any]:
        """The answer to `method /_fake{path}` for one account, or for the whole server when no `api_key` is given.

        A `body` of bytes is YAML.

        Raises `ControlError` unless it is a 200 with a JSON object.
        """
        patience = TIMEOUT + float((query or {}).get("wait", 0))
        address = f"{self.url}/_fake{path}"
        keys = {"CONVAI-API-KEY": api_key, "X-Fake-Convai-Control-Key": self.control_key}
        headers = [(name.encode(), key.encode()) for name, key in keys.items() if key]
        sent: dict[str, Any] = {"json": body}
        if isinstance(body, bytes):
            sent = {"content": body}
            headers.append((b"Content-Type", b"application/yaml"))
        try:
            with quiet():
                response = self.http.request(method, address, params=query, headers=headers, timeout=patience, **sent)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = f"no fake-convai answers at {self.url} ({error}): is it running?"
            raise ControlError(reason) from None  # httpx's own frames say nothing more
        try:
            answer = response.json()
            if response.status_code == 200 and isinstance(answer, dict):
                return answer
            reason = answer["ERROR"]
        except (ValueError, LookupError, TypeError):
            reason = f"{address} answered {response.status_code}: is that fake-convai?"
        raise ControlError(reason, response.status_code)

    def close(self) -> None:
        """Let go of what is open."""
        self.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
