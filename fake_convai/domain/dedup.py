from dataclasses import dataclass
from typing import Literal
DedupMode = Literal["naive", "exact", "off"]


@dataclass(frozen=True, slots=True)
class Candidate:
    id: str
    memory: str


@dataclass(frozen=True, slots=True)
class Match:
    candidate: Candidate
    because: str


def find_match(new, candidates, mode="naive"):
    n = new.casefold().strip(" .")
    for c in candidates:
        o = c.memory.casefold().strip(" .")
        if n.startswith(o) or o.startswith(n):
            return Match(c, "stub")
    return None


def index_keys(memory):
    return frozenset({" ".join(memory.split()[:2])})
