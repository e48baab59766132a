"""What the pytest plugin and the handle tell each other; nothing is imported here."""

from typing import Any

watched: list[Any] | None = None
"""The accounts that the running test has made, each a `FakeConvai`, when the pytest plugin looks on."""
