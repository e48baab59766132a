"""`--strict`: refuse what a stricter server would, instead of only writing it down in the journal."""

from collections.abc import Mapping
from typing import Any

from fake_convai.api.endpoint import Endpoint
from fake_convai.api.unused import unused_of
from fake_convai.domain.errors import Invalid


def refuse_loose(endpoint: Endpoint, body: Mapping[str, Any]) -> None:
    """Raise `Invalid` for fields that neither the endpoint reads nor any SDK sends, and for values to be coerced."""
    unknown, violations = endpoint.review(body)
    if unknown:
        taken = unused_of(endpoint.path)
        strangers = [name for name in unknown if name not in taken]
        violations += [f"Unknown parameter '{name}': leave it out; no SDK sends it." for name in strangers]
    if violations:
        raise Invalid(f"{' '.join(violations)} (--strict)")
