"""Deduplication of facts; `rule` says how it decides. Its tables of words are made when a fact is first looked at."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fake_convai.domain.dedup.mode import DedupMode

_KEYS = ("exact_key", "index_keys", "lookup_keys")

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

if TYPE_CHECKING:
    from fake_convai.domain.dedup.keys import exact_key, index_keys, lookup_keys
    from fake_convai.domain.dedup.rule import (
        Apart,
        Candidate,
        Match,
        Verdict,
        compare,
        explain_apart,
        find_match,
        is_english,
        is_same,
    )


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"{__name__}.{'keys' if name in _KEYS else 'rule'}"), name)
    return found
