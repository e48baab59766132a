"""The host names under which `/_fake` answers.

A web page whose name was bound to this machine after it was loaded (DNS rebinding) is of the same origin as the fake.
What tells it apart is the name in the Host header: one that anybody can have registered.
"""

from collections.abc import Callable, Iterable

from fake_convai.backend.surface import VENDOR, is_address

_LOCAL = (".localhost", ".local", ".internal", ".lan", ".test", ".home.arpa", f".{VENDOR}")
"""Endings that nobody can register, or that only the vendor can."""


def name_of(host: str) -> str:
    """The name or address in a Host header, without port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].rstrip(".").lower()


def allow(names: Iterable[str]) -> Callable[[str], bool]:
    """Whether a Host header will do: an address, a name that is local by its form, or one of these.

    A name without a dot is that of this machine, or of a service in compose or CI.
    """
    allowed = {name_of(name) for name in names}

    def is_allowed(host: str) -> bool:
        name = name_of(host)
        return "." not in name or name in allowed or f".{name}".endswith(_LOCAL) or is_address(name)

    return is_allowed
