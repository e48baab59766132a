"""How the text of a fact is stored (docs/contract.md section 4; how is assumed)."""

import unicodedata

MAX_FACTS = 100
"""Facts in one call (docs/contract.md section 4, assumed)."""

MAX_FACT_LENGTH = 10_000
"""Characters of one fact (docs/contract.md section 4, assumed)."""


def normalise_fact(text: str) -> str:
    """Trim, collapse white space, compose to NFC. A blank fact becomes the empty string."""
    return unicodedata.normalize("NFC", " ".join(text.split()))
