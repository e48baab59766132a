"""A local stand-in for the Convai backend, for tests of long-term memory, end users and sessions."""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["FakeConvai", "Settings", "__version__", "create_app"]

if TYPE_CHECKING:
    from fake_convai.app import create_app
    from fake_convai.settings import Settings
    from fake_convai.testing import FakeConvai


def __getattr__(name: str) -> Any:
    """Import the app only when it is asked for: pytest imports this package in every run that has it installed."""
    if name == "create_app":
        from fake_convai.app import create_app

        return create_app
    if name == "Settings":
        from fake_convai.settings import Settings

        return Settings
    if name == "FakeConvai":
        from fake_convai.testing import FakeConvai

        return FakeConvai
    raise AttributeError(f"module 'fake_convai' has no attribute {name!r}")
