"""Who is in a room with several characters."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import StrictStr

from fake_convai.backend.models import Id, RequestModel
from fake_convai.live.shapes import Sound
from fake_convai.store.sessions import Session, Wish


@dataclass(frozen=True, slots=True)
class Guest:
    """A person: what they asked of `/connect`, and their session with each instance, by membership."""

    wish: Wish
    sound: Sound
    sessions: Mapping[str, Session]


class CastMember(RequestModel):
    """A character of a room, and the conversation it goes on with."""

    character_id: Id
    character_session_id: StrictStr | None = None
