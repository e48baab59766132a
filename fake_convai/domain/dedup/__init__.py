"""Deduplication of facts; `rule` says how it decides. Its tables of words are made when a fact is first looked at."""

from fake_convai.domain.dedup.keys import companion_keys, exact_key, index_keys, lookup_keys
from fake_convai.domain.dedup.rule import Candidate, DedupMode, compare, explain_apart, find_match, is_english, is_same

__all__ = [
    "Candidate", "DedupMode", "companion_keys", "compare", "exact_key", "explain_apart", "find_match", "index_keys",
    "is_english", "is_same", "lookup_keys",
]  # fmt: skip
