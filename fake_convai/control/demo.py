"""The account with the API key `demo`: something to look at (`fake-convai serve --demo`)."""

from pathlib import Path

from fake_convai.control.seed_document import SeedDocument, read_seed

KEY = "demo"


def demo_document() -> SeedDocument:
    """Two characters, three people, what the one who remembers knows of them, and what was said."""
    return read_seed(Path(__file__).with_name("demo.json"))
