"""From a path, a method and the surface they were asked on to an endpoint, or to a refusal that leads on."""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Literal

from fake_convai.api.endpoint import Endpoint
from fake_convai.api.known import STUB_IT, is_known
from fake_convai.backend.errors import NOT_GRPC, MethodNotAllowed, NotEmulated
from fake_convai.backend.surface import Surface, under
from fake_convai.domain.errors import FakeConvaiError, NotFound

CHAT_PATH = "/chat"
REST = frozenset({Surface.PRODUCTION, Surface.BETA})
_LIKELY = {Surface.LIVE: "/connect", Surface.BETA: "/memory/list", Surface.PRODUCTION: "/character/get"}
_NEAR = 0.6
"""How much a path must resemble a route for a typing mistake to be likely; 1 is the same."""

Methods = Mapping[str, Endpoint]


class Routes:
    """Every endpoint by its path. A slash at the end of a path has been taken off."""

    def __init__(self, endpoints: Iterable[Endpoint], split: Literal["observed", "strict"]) -> None:
        """With the `observed` split a REST route is served on both REST surfaces, as Convai's one gateway does."""
        self._observed = split == "observed"
        self._by_path: dict[str, dict[str, Endpoint]] = {}
        for endpoint in endpoints:
            self._by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
        self._templates = {path: _pattern(path) for path in self._by_path if "{" in path}

    def at(self, method: str, path: str) -> tuple[Methods, dict[str, str]]:
        """The endpoints of a path by method, and what stands in the path; nothing for a path that nobody has.

        A template counts for its own methods only: nearly any path would fit one.
        """
        if found := self._by_path.get(path):
            return found, {}
        for template, pattern in self._templates.items():
            if method in self._by_path[template] and (matched := pattern.fullmatch(path)):
                return self._by_path[template], matched.groupdict()
        return {}, {}

    def choose(self, methods: Methods, method: str, path: str, named: Surface | None) -> Endpoint:
        """The endpoint among those of a path; raises what leads on when it has no such method or is not there."""
        endpoint = methods.get(method)
        if endpoint is None:
            allowed = ", ".join(sorted(methods))
            raise MethodNotAllowed(f"{path} does not take {method}: send {allowed}.", allowed)
        if named is not None and not self._serves(endpoint, named):
            homes = " and ".join(f"the {one} surface ({under('', one)}{path})" for one in endpoint.surfaces)
            raise NotFound(f"{path} is not on the {named} surface: it lives on {homes}.")
        return endpoint

    def _serves(self, endpoint: Endpoint, named: Surface) -> bool:
        return named in endpoint.surfaces or (self._observed and {named, endpoint.home} <= REST)

    def refusal(self, method: str, path: str, named: Surface | None, content_type: str) -> FakeConvaiError:
        """What to say about a path that no endpoint has."""
        if content_type.startswith("application/grpc"):
            return NotEmulated(NOT_GRPC)
        if is_known(path):
            return NotEmulated(STUB_IT)
        if path == "/":
            return NotFound(self._at_the_root(method, named))
        # A route that deletes is never named: somebody might send there what was meant for another.
        harmless = [one for one, methods in self._by_path.items() if "DELETE" not in methods and "delete" not in one]
        nearest = difflib.get_close_matches(path, harmless, n=1, cutoff=_NEAR)
        if not nearest:
            return NotFound(f"Unknown route {method} {path}. The routes are in docs/contract.md and /_fake/openapi/.")
        endpoint = next(iter(self._by_path[nearest[0]].values()))
        place = f"the {endpoint.home} surface ({under('', endpoint.home)}{endpoint.path})"
        return NotFound(f"Unknown route {method} {path}. The nearest is {endpoint.method} {endpoint.path} on {place}.")

    def _at_the_root(self, method: str, named: Surface | None) -> str:
        if named is None:
            return (
                f"Unknown route {method} /: name a path such as /memory/list or /_fake/health, or open it in a browser."
            )
        path = _LIKELY[named]
        return (
            f"Unknown route {method} /: this is the {named} surface itself, so a path is missing. Where a client takes "
            f"the whole address of a call, end it with the path, such as {under('', named)}{path}."
        )


def no_socket(path: str, named: Surface | None) -> FakeConvaiError:
    """What to say to a WebSocket that leads nowhere."""
    place = f"the live surface ({under('', Surface.LIVE)}{CHAT_PATH})"
    if path == CHAT_PATH:
        return NotFound(f"{path} is not on the {named} surface: it lives on {place}.")
    return NotFound(f"Unknown route WEBSOCKET {path}. The only WebSocket is {CHAT_PATH} on {place}.")


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template)))
