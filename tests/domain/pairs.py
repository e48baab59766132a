"""The labelled pairs of facts, and the rates that they are counted in."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

OWN_FILE = Path(__file__).with_name("dedup_pairs.jsonl")
SETS = Path(__file__).parent / "sets"
FRESH_FILE, UNSEEN_FILE, PRACTICE_FILE = (SETS / f"{name}_pairs.jsonl" for name in ("fresh", "unseen", "practice"))
NEAR = ("trivial", "close", "extend")


class Pair(NamedTuple):
    existing: str
    new: str
    same: bool
    tag: str


class Rate(NamedTuple):
    """So many of so many."""

    right: int
    of: int

    @property
    def share(self) -> float:
        return self.right / self.of if self.of else 1.0

    @property
    def interval(self) -> tuple[float, float]:
        """Where the rate of all such pairs lies, nineteen times out of twenty (Wilson's score interval)."""
        z, n = 1.96, self.of
        if not n:
            return 0.0, 1.0
        middle, spread = (
            self.share + z * z / (2 * n),
            z * ((self.share * (1 - self.share) + z * z / (4 * n)) / n) ** 0.5,
        )
        return max(0.0, (middle - spread) / (1 + z * z / n)), min(1.0, (middle + spread) / (1 + z * z / n))

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.share:.3f}  ({self.right} of {self.of}; {low:.3f} to {high:.3f})"


def read_pairs(file: Path) -> list[Pair]:
    """The pairs of a file of JSON lines with `existing`, `new`, `label` and `note`."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [Pair(row["existing"], row["new"], row["label"] == "same", row["note"].split(":")[0]) for row in rows]


def halves(pairs: Sequence[Pair]) -> tuple[list[Pair], list[Pair]]:
    """The half that may be read by whoever changes the rule, and the half that is only counted, told by a hash."""
    digests = [hashlib.sha256(f"{pair.existing}|{pair.new}".encode()).digest()[0] % 2 for pair in pairs]
    return (
        [pair for pair, odd in zip(pairs, digests, strict=True) if odd],
        [pair for pair, odd in zip(pairs, digests, strict=True) if not odd],
    )


def all_sets() -> dict[str, list[Pair]]:
    """The sets that are counted, by title: only the read ones may be looked at by whoever changes the rule."""
    read, counted = halves(read_pairs(OWN_FILE))
    sets = {"own, read": read, "own, counted": counted, "practice, read": read_pairs(PRACTICE_FILE)}
    return sets | {"fresh": read_pairs(FRESH_FILE), "unseen": read_pairs(UNSEEN_FILE)}


def rates(outcomes: Sequence[tuple[Pair, bool]]) -> dict[str, Rate]:
    """What became of pairs: which share of the merged ones is the same, of the hard ones is apart, of the near ones is
    found."""
    merged = [pair.same for pair, same in outcomes if same]
    hard = [not same for pair, same in outcomes if pair.tag.startswith("hard")]
    near = [same for pair, same in outcomes if pair.tag in NEAR]
    return {
        "precision": Rate(sum(merged), len(merged)),
        "hard kept apart": Rate(sum(hard), len(hard)),
        "near found": Rate(sum(near), len(near)),
    }
