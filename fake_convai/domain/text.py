"""How the text of a fact is stored (CONTRACT.md section 4: "normalized" is S, how is C)."""

import unicodedata

MAX_FACTS = 100
"""Facts in one call (CONTRACT.md section 4, C)."""

MAX_FACT_LENGTH = 10_000
"""Characters of one fact (CONTRACT.md section 4, C)."""


def normalise_fact(text: str) -> str:
    """Trim, collapse white space, compose to NFC. A blank fact becomes the empty string."""
    return unicodedata.normalize("NFC", " ".join(text.split()))
