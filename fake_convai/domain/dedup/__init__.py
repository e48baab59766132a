"""Deduplication of facts; `rule` says how it decides. Its tables of words are made when a fact is first looked at."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

DedupMode = Literal["naive", "exact", "off"]

if TYPE_CHECKING:
    from fake_convai.domain.dedup.keys import exact_key, index_keys, lookup_keys
    from fake_convai.domain.dedup.rule import Candidate, compare, explain_apart, find_match, is_english, is_same

__all__ = [
    "Candidate", "DedupMode", "compare", "exact_key", "explain_apart", "find_match", "index_keys", "is_english",
    "is_same", "lookup_keys",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"{__name__}.{'keys' if name.endswith(('_key', '_keys')) else 'rule'}")
    return globals().setdefault(name, getattr(module, name))
