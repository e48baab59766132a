"""What a test suite uses: the `FakeConvai` handle and the records it returns.

pytest imports this package in every run that has fake-convai installed, so nothing heavy is imported until it is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOMES = {
    "AsyncFakeConvai": "testing.awaited",
    "ControlError": "control.client",
    "Conversation": "testing.conversation",
    "DidNotHappen": "testing.happenings",
    "Event": "testing.conversation",
    "FakeConvai": "testing.handle",
    "GroupTurn": "testing.company",
    "RoomConversation": "testing.company",
    "Turn": "testing.conversation",
}
__all__ = [
    "AsyncFakeConvai",
    "ControlError",
    "Conversation",
    "DidNotHappen",
    "EndUser",
    "Event",
    "FakeConvai",
    "GroupTurn",
    "Interaction",
    "Memory",
    "Message",
    "Request",
    "RoomConversation",
    "Session",
    "Turn",
]


if TYPE_CHECKING:
    from fake_convai.control.client import ControlError
    from fake_convai.testing.awaited import AsyncFakeConvai
    from fake_convai.testing.company import GroupTurn, RoomConversation
    from fake_convai.testing.conversation import Conversation, Event, Turn
    from fake_convai.testing.handle import FakeConvai
    from fake_convai.testing.happenings import DidNotHappen
    from fake_convai.testing.records import EndUser, Interaction, Memory, Message, Request, Session


def __getattr__(name: str) -> Any:
    """Import what is asked for."""
    if name not in __all__:
        raise AttributeError(f"module 'fake_convai.testing' has no attribute {name!r}")
    return getattr(import_module(f"fake_convai.{_HOMES.get(name, 'testing.records')}"), name)
