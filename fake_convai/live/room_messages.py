"""What is said in a room only, beside the messages of every session (`messages.py`).

After what the three SDKs read (docs/contract.md section 9); `shapes.py` makes these of a session's events.
"""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from fake_convai.backend.models import Described
from fake_convai.live.messages import Extras, Label, NoData, Status


class Ready(TypedDict):
    """Says which protocol the character speaks, and what it is made with."""

    version: str
    about: dict[str, Any]


class BotReady(TypedDict):
    """The character is there, and hears: the first message to each person."""

    label: Label
    type: Literal["bot-ready"]
    data: Ready


class UserMoment(TypedDict):
    """The person begins to speak, or has been quiet for a while."""

    label: Label
    type: Literal["user-started-speaking", "user-stopped-speaking"]
    data: NoData


class Transcript(TypedDict):
    """What a person has said."""

    text: str
    final: bool
    timestamp: str


class UserTranscription(TypedDict):
    """The person's line, typed or spoken; a long one comes in several."""

    label: Label
    type: Literal["user-transcription"]
    data: Transcript


class BotVoice(TypedDict):
    """The character begins or stops to speak; its voice ends before."""

    label: Label
    type: Literal["bot-started-speaking", "bot-stopped-speaking", "bot-tts-stopped"]
    data: NoData


class Completed(TypedDict):
    """Says how the turn ended."""

    was_interrupted: bool


class TurnCompleted(TypedDict):
    """The turn is over; how it ended stands in both places that are read."""

    label: Label
    type: Literal["bot-turn-completed"]
    data: Completed
    was_interrupted: bool


class WrappedResponse(TypedDict):
    """The acknowledgement of a message."""

    type: Literal["server-response"]
    event_type: str
    status: Status
    message: NotRequired[str]
    extras: NotRequired[Extras]


class AudioDataMessage(TypedDict):
    """A piece of the voice, where `audio_config` asks for it."""

    type: Literal["audio-data"]
    sample_rate: int
    channels: int
    audio: Annotated[str, Described(description="16-bit PCM, little-endian, in base64.")]
    includes_wav_header: bool


class RoomServerMessage(TypedDict):
    """An event of a room whose kind is inside `data`."""

    label: NotRequired[Label]
    type: Literal["server-message"]
    data: Annotated[WrappedResponse | AudioDataMessage, Field(discriminator="type")]


TopLevel = BotReady | UserMoment | UserTranscription | BotVoice | TurnCompleted
RoomEvent = Annotated[TopLevel | RoomServerMessage, Field(discriminator="type")]
"""What a room has and `/chat` has not."""
