"""A line of the table: what was measured, what is wanted of it, what was reached."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Row:
    """One measured ratio (or size), with every round it was measured in."""

    work: str
    bound: Literal["at least", "at most"]
    wanted: float
    rounds: Sequence[float]
    unit: str = ""
    detail: str = ""
    """Figures of the run behind the ratio, to place it; they mean nothing on another machine."""
    section: str = field(default="Against the ceiling", kw_only=True)

    @property
    def reached(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.rounds)

    @property
    def is_met(self) -> bool:
        """Whether that is what is wanted."""
        return self.reached >= self.wanted if self.bound == "at least" else self.reached <= self.wanted


def show(number: float) -> str:
    """A number with as many digits as mean something."""
    return f"{number:.2f}" if number < 10 else f"{number:.0f}"
