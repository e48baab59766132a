"""The three surfaces and how a request names one (docs/contract.md section 1): the one place that knows their hosts."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from ipaddress import ip_address
from typing import Any

VENDOR = "convai.com"

PREVIEW_HOST = f"api2-stg.{VENDOR}"
"""Where the newest Unity SDK looks for the preview of a second Character API; it is served with production."""


class Surface(StrEnum):
    """One of Convai's three hosts, and the path prefix under which the fake serves it."""

    PRODUCTION = "production"
    BETA = "beta"
    LIVE = "live"


LABELS: Mapping[str, Surface] = {
    "api": Surface.PRODUCTION,
    "beta": Surface.BETA,
    "live": Surface.LIVE,
    "realtime-api": Surface.LIVE,
}
"""The first label of a host name and its surface; of several the one that current clients use comes first."""


def hosts(surfaces: Iterable[Surface] = Surface) -> tuple[str, ...]:
    """The host names of the real service."""
    wanted = set(surfaces)
    return tuple(f"{label}.{VENDOR}" for label, surface in LABELS.items() if surface in wanted)


def under(base: str, surface: Surface) -> str:
    """The base URL, or the path, of a surface of a fake at `base`."""
    return f"{base}/{surface}"


def locate(scope: Mapping[str, Any]) -> tuple[Surface | None, str]:
    """The surface that a request names, by path prefix or by host, and the path on it; None is all together."""
    path: str = scope["path"]
    first, slash, rest = path[1:].partition("/")
    if first in _BY_PREFIX:
        return _BY_PREFIX[first], slash + rest
    host = next((value for name, value in scope["headers"] if name == b"host"), b"")
    label, dot, _ = host.decode("latin-1").lower().partition(".")
    if not dot:
        return None, path
    return Surface.PRODUCTION if label.startswith("api") else LABELS.get(label), path


_BY_PREFIX = {surface.value: surface for surface in Surface}


def is_address(host: str) -> bool:
    """Whether a host is an IP address, and not a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
