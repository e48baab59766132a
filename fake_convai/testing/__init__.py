"""What a test suite uses: the `FakeConvai` handle and the records it returns.

pytest imports this package in every run that has fake-convai installed, so nothing heavy is imported until it is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOMES = {
    "AsyncFakeConvai": "testing.awaited",
    "ControlError": "control.client",
    "Conversation": "testing.talking",
    "DidNotHappen": "testing.happenings",
    "Event": "testing.talking",
    "FakeConvai": "testing.handle",
    "Turn": "testing.talking",
}
__all__ = [
    "AsyncFakeConvai",
    "ControlError",
    "Conversation",
    "DidNotHappen",
    "EndUser",
    "Event",
    "FakeConvai",
    "Interaction",
    "Memory",
    "Message",
    "Request",
    "Session",
    "Turn",
]


if TYPE_CHECKING:
    from fake_convai.control.client import ControlError
    from fake_convai.testing.awaited import AsyncFakeConvai
    from fake_convai.testing.handle import FakeConvai
    from fake_convai.testing.happenings import DidNotHappen
    from fake_convai.testing.records import EndUser, Interaction, Memory, Message, Request, Session
    from fake_convai.testing.talking import Conversation, Event, Turn


def __getattr__(name: str) -> Any:
    """Import what is asked for."""
    if name not in __all__:
        raise AttributeError(f"module 'fake_convai.testing' has no attribute {name!r}")
    return getattr(import_module(f"fake_convai.{_HOMES.get(name, 'testing.records')}"), name)
