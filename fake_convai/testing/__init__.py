"""What a test suite uses: the `FakeConvai` handle and the records it returns.

pytest imports this package in every run that has fake-convai installed, so nothing heavy is imported until it is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = ["ControlError", "EndUser", "FakeConvai", "Interaction", "Memory", "Request", "Session"]

if TYPE_CHECKING:
    from fake_convai.control.client import ControlError
    from fake_convai.testing.handle import FakeConvai
    from fake_convai.testing.records import EndUser, Interaction, Memory, Request, Session


def __getattr__(name: str) -> Any:
    """Import what is asked for."""
    if name not in __all__:
        raise AttributeError(f"module 'fake_convai.testing' has no attribute {name!r}")
    module = {"ControlError": "control.client", "FakeConvai": "testing.handle"}.get(name, "testing.records")
    return getattr(import_module(f"fake_convai.{module}"), name)
