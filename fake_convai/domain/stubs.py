"""Stubs: answers of one's own for any route (docs/control-plane.md)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class StubMatch:
    """Which requests a stub answers; what is None matches all."""

    path: str
    """Exact, with `{name}` for any one part, or with `/*` at the end for all below."""
    surface: str | None = None
    method: str | None = None
    body: Any = None
    """What the body must hold at least; of a request without a body, the query."""

    def fits(self, surface: str | None, method: str, path: str) -> bool:
        """Whether a request is meant, as far as can be said without its body; `surface` is None where all are one."""
        return (
            (self.surface is None or surface in (None, self.surface))
            and self.method in (None, method)
            and path_fits(self.path, path)
        )


def path_fits(pattern: str, path: str) -> bool:
    """Whether a path is the one of a stub; a slash at the end makes no difference."""
    wanted, parts = pattern.rstrip("/").split("/"), path.rstrip("/").split("/")
    if wanted[-1] == "*":
        wanted.pop()
        parts = parts[: len(wanted)]
    return len(wanted) == len(parts) and all(
        one == part or (one.startswith("{") and one.endswith("}") and part != "")
        for one, part in zip(wanted, parts, strict=True)
    )


def holds(value: Any, wanted: Any) -> bool:
    """Whether a JSON value holds at least what is wanted: objects may have further members, lists may not."""
    if isinstance(wanted, Mapping):
        return isinstance(value, Mapping) and all(
            name in value and holds(value[name], member) for name, member in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(value, list)
            and len(value) == len(wanted)
            and all(holds(one, other) for one, other in zip(value, wanted, strict=True))
        )
    return bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)
