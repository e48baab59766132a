"""Where the proxy sends what it is asked."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from fake_convai.api.routes import ENDPOINTS
from fake_convai.api.routing import CHAT_PATH
from fake_convai.backend.surface import VENDOR, Surface, hosts, under

_HOMES = {endpoint.path: endpoint.home for endpoint in ENDPOINTS} | {CHAT_PATH: Surface.LIVE}


class BadTarget(Exception):
    """A target cannot be used; the message is one line."""


@dataclass(frozen=True)
class Targets:
    """A base URL for each surface, and one for clients that do not name any."""

    surfaces: dict[Surface, str]
    unnamed: str | None

    def url(self, surface: Surface, path: str, *, named: bool) -> str:
        """Where a request goes; without the query."""
        return (self.surfaces[surface] if named or self.unnamed is None else self.unnamed) + path


def home(path: str) -> Surface:
    """The surface that a path belongs to when the client does not say."""
    return _HOMES.get(path, Surface.PRODUCTION)


def read_targets(given: Iterable[str]) -> Targets:
    """From `URL` and `SURFACE=URL`, as the command takes them; raises `BadTarget`.

    A URL of Convai's own means its three hosts. Any other has the surfaces under it by prefix, as a fake has.
    """
    base: str | None = None
    own: dict[Surface, str] = {}
    for text in given:
        name, equals, url = text.partition("=")
        if equals and name in set(Surface):
            own[Surface(name)] = _checked(url)
        else:
            base = _checked(text)
    host = urlsplit(base).hostname or "" if base else ""
    if base and (host == VENDOR or host.endswith(f".{VENDOR}")):
        surfaces = {surface: f"https://{hosts([surface])[0]}" for surface in Surface}
        return Targets(surfaces | own, None)
    if base:
        return Targets({surface: under(base, surface) for surface in Surface} | own, base)
    if missing := [surface for surface in Surface if surface not in own]:
        raise BadTarget(f"--target: nothing is said about {' and '.join(missing)}; give a URL for all, or one for each")
    return Targets(own, None)


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or "@" in parts.netloc:
        raise BadTarget("--target: give an http:// or https:// address, or SURFACE=address")
    return url.rstrip("/")
