"""`--strict`: refuse what a stricter server would, instead of only writing it down in the journal."""

from collections.abc import Mapping
from typing import Any

from fake_convai.api.endpoint import Endpoint
from fake_convai.domain.errors import Invalid


def refuse_loose(endpoint: Endpoint, body: Mapping[str, Any]) -> None:
    """Raise `Invalid` for fields that neither the endpoint reads nor any SDK sends, and for values to be coerced."""
    unknown, violations = endpoint.review(body)
    if unknown:
        # Only a strict server needs it, and then only for requests that hold something unknown.
        from fake_convai.contract.provenance import fields_sent_to

        strangers = [name for name in unknown if name not in fields_sent_to(endpoint)]
        violations += [f"Unknown parameter '{name}': leave it out; no SDK sends it." for name in strangers]
    if violations:
        raise Invalid(f"{' '.join(violations)} (--strict)")
