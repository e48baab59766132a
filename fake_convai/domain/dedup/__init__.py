"""Deduplication of facts; `rule` says how it decides."""

from fake_convai.domain.dedup.keys import exact_key, index_keys, lookup_keys
from fake_convai.domain.dedup.rule import (
    Apart,
    Candidate,
    DedupMode,
    Match,
    Verdict,
    compare,
    explain_apart,
    find_match,
    is_english,
    is_same,
)

__all__ = [
    "Apart",
    "Candidate",
    "DedupMode",
    "Match",
    "Verdict",
    "compare",
    "exact_key",
    "explain_apart",
    "find_match",
    "index_keys",
    "is_english",
    "is_same",
    "lookup_keys",
]
