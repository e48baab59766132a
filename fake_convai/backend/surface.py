"""The three surfaces (CONTRACT.md section 1)."""

from enum import StrEnum


class Surface(StrEnum):
    """One of Convai's three hosts."""

    PRODUCTION = "production"
    BETA = "beta"
    LIVE = "live"
