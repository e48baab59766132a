"""The account with the API key `demo`: something to look at (`fake-convai serve --demo`)."""

from pathlib import Path

from fake_convai.control.seed_document import SeedDocument, read_seed

KEY = "demo"


def demo_document() -> SeedDocument:
    """Characters, people, what was said and what is remembered of it, and what the characters say next."""
    return read_seed(Path(__file__).with_name("demo.json"))
