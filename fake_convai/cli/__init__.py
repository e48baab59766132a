"""The command `fake-convai`."""

from fake_convai.cli.main import main

__all__ = ["main"]
