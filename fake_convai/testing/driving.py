"""What every part of the handle shares: one account, and calls that say plainly what was wrong with them."""

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache, wraps
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

from fake_convai.backend.surface import Surface, under
from fake_convai.control.client import ControlClient
from fake_convai.testing.records import Memory, read

if TYPE_CHECKING:
    from fake_convai.testing.command import CommandServer
    from fake_convai.testing.server_thread import ServerThread

__tracebackhide__ = True  # what goes wrong is shown where the test called, not here

T = TypeVar("T")


class Addressed:
    """Where one account of a running fake is."""

    api_key: str
    """The key that opens this account; give it to the code under test."""

    def _running(self) -> ControlClient:
        raise NotImplementedError

    @property
    def url(self) -> str:
        """The base URL at which all three surfaces are served together."""
        return self._running().url

    @property
    def production_url(self) -> str:
        """The base URL that stands for `https://api.convai.com`."""
        return under(self.url, Surface.PRODUCTION)

    @property
    def beta_url(self) -> str:
        """The base URL that stands for `https://beta.convai.com`."""
        return under(self.url, Surface.BETA)

    @property
    def live_url(self) -> str:
        """The base URL that stands for `https://live.convai.com`."""
        return under(self.url, Surface.LIVE)

    @property
    def env(self) -> dict[str, str]:
        """The variables by which programs find Convai, leading to this account: for `subprocess.run(..., env=...)`.

        The key; all surfaces together, under both names that programs have for them; each surface; and the fake.
        """
        return {
            "CONVAI_API_KEY": self.api_key,
            "CONVAI_BASE_URL": self.url,
            "CONVAI_API_URL": self.url,
            "CONVAI_PRODUCTION_URL": self.production_url,
            "CONVAI_BETA_URL": self.beta_url,
            "CONVAI_LIVE_URL": self.live_url,
            "FAKE_CONVAI_URL": self.url,
            "FAKE_CONVAI_ACCOUNT_KEY": self.api_key,
        }


class Driven(Addressed):
    """One account of a running fake."""

    _client: ControlClient | None = None
    _server: "ServerThread | CommandServer | None" = None

    _last_journal: str | None = None
    """What the account was asked and answered, once its server has ended."""

    @property
    def is_running(self) -> bool:
        """Whether its server was started, or attached to, and not closed since."""
        return self._client is not None and not self._client.http.is_closed

    def _running(self) -> ControlClient:
        if self._client is None or self._client.http.is_closed:
            raise RuntimeError("This FakeConvai is not running: use `with FakeConvai() as fake:`, or start().")
        if self._client.process_id != os.getpid():
            # The server's thread did not come along into a forked child; its socket did.
            self._client = ControlClient(self._client.url, self._client.control_key)
        return self._client

    def _memories(self, character_id: str, end_user_id: str) -> list[Memory]:
        query = {"parts": "memories", "end_user_id": end_user_id}
        found = [read(Memory, memory) for memory in self._call("GET", "/state", query=query)["memories"]]
        return sorted(
            (memory for memory in found if memory.character_id == character_id), key=lambda memory: memory.created_at
        )

    def _call(self, method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return self._running().call(method, path, body, query, api_key=self.api_key)


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Those that are not None."""
    return {name: value for name, value in values.items() if value is not None}


def place(path: str | None, surface: str | None = None) -> tuple[str | None, str | None]:
    """Path and surface, where a path may name its surface as reports do, `/beta/memory/list`, or be a whole URL."""
    if path is None:
        return None, surface
    path = urlsplit(path).path if "://" in path else path
    first, slash, rest = path[1:].partition("/")
    if path.startswith("/") and first in set(Surface):
        return slash + rest or "/", surface or first
    return path, surface


def checked(kind: type[T]) -> type[T]:
    """Let each public method of a class refuse an argument of a wrong type in Python's words, as a `TypeError`."""
    for name, method in list(vars(kind).items()):
        if inspect.isfunction(method) and not name.startswith("_"):
            setattr(kind, name, _checking(method))
    return kind


def _checking(method: Callable[..., T]) -> Callable[..., T]:
    @wraps(method)
    def call(*arguments: Any, **named: Any) -> T:
        _refuse_wrong_types(method, arguments, named)
        return method(*arguments, **named)

    return call


@cache
def _signature(method: Callable[..., Any]) -> tuple[inspect.Signature, dict[str, Any]]:
    try:
        return inspect.signature(method), get_type_hints(method)
    except NameError:  # a type that is only imported for the type checker
        return inspect.signature(method), {}


def _refuse_wrong_types(method: Callable[..., Any], arguments: Sequence[Any], named: Mapping[str, Any]) -> None:
    signature, hints = _signature(method)
    try:
        bound = signature.bind(*arguments, **named).arguments
    except TypeError:
        return  # Python says it itself
    for name, value in bound.items():
        kind = signature.parameters[name].kind
        values = value if kind is inspect.Parameter.VAR_POSITIONAL else [value]
        if name not in hints or kind is inspect.Parameter.VAR_KEYWORD:
            continue
        for one in values:
            if not _fits(hints[name], one):
                shown = repr(one)[:60]
                raise TypeError(f"{method.__name__}() wants {name} to be {_words(hints[name])}, not {shown}")


def _fits(hint: Any, value: Any) -> bool:
    origin = get_origin(hint)
    if hint is Any:
        return True
    if origin in (Union, UnionType):
        return any(_fits(one, value) for one in get_args(hint))
    if origin is Literal:
        return value in get_args(hint)
    if origin is tuple:
        inner = get_args(hint)
        return isinstance(value, tuple) and len(value) == len(inner) and all(map(_fits, inner, value))
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, origin or hint)


def _words(hint: Any) -> str:
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(map(_words, get_args(hint)))
    if get_origin(hint) is Literal:
        return " or ".join(map(repr, get_args(hint)))
    if get_origin(hint) is tuple:
        return f"a tuple ({', '.join(map(_words, get_args(hint)))})"
    known = {
        NoneType: "None",
        datetime: "a datetime",
        Mapping: "a dict",
        str: "a str",
        int: "an int",
        float: "a number",
    }
    origin = get_origin(hint) or hint
    return known.get(origin) or f"a {origin.__name__}"
