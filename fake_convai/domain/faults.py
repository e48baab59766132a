"""Faults: errors, delays and broken connections on demand (docs/control-plane.md, "Faults")."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from fake_convai.domain.identity import normalise_end_user_id

Deed = Literal["stall", "end", "reset", "malformed", "error", "duplicate", "reorder", "drop", "trickle"]
Kind = Literal["answer", "stream", "handshake"]

ROOM_PATH = "/room"
"""What faults call a room with several characters: an instance joins it, and it says something by itself."""


@dataclass(frozen=True, slots=True)
class Match:
    """Which requests a fault happens to; what is left out matches all."""

    surface: str | None = None
    path: str | None = None
    character_id: str | None = None
    end_user_id: str | None = None

    def fits(self, surface: str, path: str, body: Mapping[str, Any]) -> bool:
        """Whether a request to `path`, without its surface's prefix, with this body is meant."""
        character_id, end_user_id = body.get("character_id", body.get("charID")), body.get("end_user_id")
        if isinstance(end_user_id, str):
            end_user_id = normalise_end_user_id(end_user_id)  # as the request itself will be read
        return (
            self.surface in (None, surface)
            and self.path in (None, path)
            and self.character_id in (None, character_id)
            and normalise_end_user_id(self.end_user_id) in (None, end_user_id)
        )


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens, to which requests, how often.

    `times` is how often, None for always; `rate` the share of matching requests; `delay_ms` in milliseconds, or how
    they are spread (`{"min", "max"}` or `{"mean", "deviation"}`); `when` tells whether it comes before anything
    happened or after the write was committed. With `do` it happens inside a stream, `at` an event or a byte of it;
    `handshake` is the status that a WebSocket is refused with.
    """

    match: Match = field(default_factory=Match)
    times: int | None = 1
    rate: float | None = None
    status: int | None = None
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_ms: int | Mapping[str, float] = 0
    disconnect: bool = False
    when: Literal["before", "after"] = "before"
    at: Mapping[str, Any] | None = None
    do: Deed | None = None
    bytes_per_second: int | None = None
    handshake: int | None = None
    reference_id: str | None = None
    """What a 500 is known by; it gets one when it happens."""
    waits_ms: float = 0
    """The delay as it was drawn."""
    seq: int = 0
    """Its number in the database."""

    @property
    def kind(self) -> Kind:
        """What it happens to."""
        if self.handshake is not None:
            return "handshake"
        return "answer" if self.do is None else "stream"

    def draw_delay(self, seed: str) -> float:
        """The delay in milliseconds, the same for the same seed."""
        if not isinstance(self.delay_ms, Mapping):
            return self.delay_ms
        drawing = random.Random(seed)
        if "mean" in self.delay_ms:
            return max(0.0, drawing.gauss(self.delay_ms["mean"], self.delay_ms["deviation"]))
        return drawing.uniform(self.delay_ms["min"], self.delay_ms["max"])
