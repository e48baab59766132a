"""Facts from what a person said; `reading` says how."""

from fake_convai.domain.extraction.clauses import MAX_READ
from fake_convai.domain.extraction.reading import extract_facts

__all__ = ["MAX_READ", "extract_facts"]
