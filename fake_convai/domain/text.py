"""How the text of a fact is stored (docs/contract.md section 4; how is assumed), and how any text is shown."""

import json
import re
import unicodedata
from typing import Any

MAX_FACTS = 100
"""Facts in one call (docs/contract.md section 4, assumed)."""

MAX_FACT_LENGTH = 10_000
"""Characters of one fact (docs/contract.md section 4, assumed)."""


def normalise_fact(text: str) -> str:
    """Trim, collapse white space, compose to NFC. A blank fact becomes the empty string."""
    return unicodedata.normalize("NFC", " ".join(text.split()))


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def printable(text: str) -> str:
    """The text without characters that a terminal would obey."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def printable_json(value: Any, indent: int | None = None) -> str:
    """A value as JSON, with such characters escaped."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return re.sub(r"[\x7f-\x9f]", lambda found: f"\\u{ord(found[0]):04x}", text)
