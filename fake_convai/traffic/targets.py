"""Where the proxy sends what it is asked."""

import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from fake_convai.api.routes import ENDPOINTS
from fake_convai.api.routing import CHAT_PATH
from fake_convai.backend.surface import VENDOR, Surface, hosts, under
from fake_convai.domain.errors import CannotBeDone

_HOMES = {endpoint.path: endpoint.home for endpoint in ENDPOINTS} | {CHAT_PATH: Surface.LIVE}

_TEMPLATES = [re.compile(re.sub(r"\{\w+\}", "[^/]+", path)) for path in _HOMES if "{" in path]


class BadTarget(CannotBeDone):
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


def is_known(path: str) -> bool:
    """Whether a path is one of Convai's that the fake serves."""
    path = path.rstrip("/")
    return path in _HOMES or any(template.fullmatch(path) for template in _TEMPLATES)


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
        _refuse_loops(surfaces | own)
        return Targets(surfaces | own, None)
    if base:
        return Targets({surface: under(base, surface) for surface in Surface} | own, base)
    if missing := [surface for surface in Surface if surface not in own]:
        raise BadTarget(f"--target: nothing is said about {' and '.join(missing)}; give a URL for all, or one for each")
    return Targets(own, None)


def _refuse_loops(surfaces: Mapping[Surface, str]) -> None:
    """A hosts file that leads clients to the proxy would lead the proxy to itself."""
    for url in surfaces.values():
        host = urlsplit(url).hostname or ""
        try:
            found = {str(one[4][0]) for one in socket.getaddrinfo(host, 443)} if host.endswith(VENDOR) else set()
        except OSError:
            continue  # nobody there: said when it is asked
        if any(ip_address(address.partition("%")[0]).is_loopback for address in found):
            raise BadTarget(
                f"--target: {host} leads to this machine, as its hosts file says: run the proxy on another machine or "
                "in a container, and let the client's hosts file lead there"
            )


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or "@" in parts.netloc:
        raise BadTarget("--target: give an http:// or https:// address, or SURFACE=address")
    return url.rstrip("/")
