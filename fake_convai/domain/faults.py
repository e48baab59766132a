"""Faults: errors, delays and broken connections on demand (docs/control-plane.md)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Match:
    """Which requests a fault happens to; what is left out matches all."""

    surface: str | None = None
    path: str | None = None
    character_id: str | None = None
    end_user_id: str | None = None

    def fits(self, surface: str, path: str, body: Mapping[str, Any]) -> bool:
        """Whether a request to `path`, without its surface's prefix, with this body is meant."""
        character_id = body.get("character_id", body.get("charID"))
        return (
            self.surface in (None, surface)
            and self.path in (None, path)
            and self.character_id in (None, character_id)
            and self.end_user_id in (None, body.get("end_user_id"))
        )


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens, to which requests, how often.

    `times` is how often, None for always; `rate` the share of matching requests; `delay_ms` in milliseconds;
    `when` tells whether it comes before anything happened or after the write was committed.
    """

    match: Match = field(default_factory=Match)
    times: int | None = 1
    rate: float | None = None
    status: int | None = None
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_ms: int = 0
    disconnect: bool = False
    when: Literal["before", "after"] = "before"
    reference_id: str | None = None
    """What a 500 is known by; it gets one when it happens."""
