"""A person in a room with several characters."""

from collections.abc import Mapping
from dataclasses import dataclass

from fake_convai.live.shapes import Sound
from fake_convai.store.sessions import Session, Wish


@dataclass(frozen=True, slots=True)
class Guest:
    """What they asked of `/connect`, and their session with each instance, by membership."""

    wish: Wish
    sound: Sound
    sessions: Mapping[str, Session]
