"""The messages of `WebSocket /chat` and the events of streamed answers, as types: what OpenAPI has no words for.

`chat.py` reads these and `events.py` makes them; tests hold the three together.
"""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from fake_convai.backend.models import NOT_BLANK, Described

Label = Literal["rtvi-ai"]
Words = Annotated[str, Described(pattern=NOT_BLANK)]


class Text(TypedDict):
    """A text."""

    text: str


class Said(TypedDict):
    """What the user says."""

    text: Words


class UserTextMessage(TypedDict):
    """The user says something; the character answers with a turn."""

    type: Literal["user_text_message"]
    data: Said


class Trigger(TypedDict):
    """A trigger by name, by message, or both."""

    trigger_name: NotRequired[str | None]
    trigger_message: NotRequired[str | None]


class TriggerMessage(TypedDict):
    """The scene makes the character speak; with neither name nor message it is only acknowledged."""

    type: Literal["trigger-message"]
    data: NotRequired[Trigger]


class TemplateKeys(TypedDict):
    """Values for the placeholders of the backstory."""

    template_keys: dict[str, Any]


class UpdateTemplateKeys(TypedDict):
    """Sets template keys; accepted and not used."""

    type: Literal["update-template-keys"]
    data: TemplateKeys


class SceneMetadata(TypedDict):
    """What is in the scene."""

    scene_metadata: list[Any]


class UpdateSceneMetadata(TypedDict):
    """Describes the objects of the scene; accepted and not used."""

    type: Literal["update-scene-metadata"]
    data: SceneMetadata


class OptionalText(TypedDict):
    """A text, if there is one."""

    text: NotRequired[str | None]


class UpdateDynamicInfo(TypedDict):
    """Tells the character what happens around it; accepted and not used."""

    type: Literal["update-dynamic-info"]
    data: NotRequired[OptionalText]


class Context(TypedDict):
    """A piece of context, and what to do with it; `reset` needs no text."""

    text: NotRequired[str | None]
    mode: NotRequired[Literal["append", "replace", "reset"]]
    run_llm: NotRequired[Annotated[Any, Described(description='The text "true" lets the character answer at once.')]]


class ContextUpdate(TypedDict):
    """Changes the context of the session; the acknowledgement counts its tokens, by estimate."""

    type: Literal["context-update"]
    data: Context


class Enabled(TypedDict):
    """On or off."""

    enabled: bool


class TtsToggle(TypedDict):
    """Switches the character's voice on or off; without it a turn has no speaking events."""

    type: Literal["tts-toggle"]
    data: Enabled


class Muted(TypedDict):
    """Muted or not."""

    muted: bool


class SttToggle(TypedDict):
    """Mutes the user's microphone; acknowledged only, since no sound is heard here."""

    type: Literal["stt-toggle"]
    data: Muted


class KillPipeline(TypedDict):
    """Ends the session; what was said is remembered, and the server closes the connection."""

    type: Literal["kill-pipeline"]


class InterruptBot(TypedDict):
    """Interrupts the character; there is never anything to interrupt here, since answers are sent whole."""

    type: Literal["interrupt-bot"]


class ForceUserStoppedSpeaking(TypedDict):
    """Says that the user has finished speaking; acknowledged only."""

    type: Literal["force-user-stopped-speaking"]


class ResetIdleTimer(TypedDict):
    """Keeps an idle session open."""

    type: Literal["reset-idle-timer"]


ClientMessage = Annotated[
    UserTextMessage
    | TriggerMessage
    | UpdateTemplateKeys
    | UpdateSceneMetadata
    | UpdateDynamicInfo
    | ContextUpdate
    | TtsToggle
    | SttToggle
    | KillPipeline
    | InterruptBot
    | ForceUserStoppedSpeaking
    | ResetIdleTimer,
    Field(discriminator="type"),
]
"""Anything that a client may send over the WebSocket."""


class ServerResponse(TypedDict):
    """The acknowledgement of a message, or what is wrong with it; in no envelope."""

    type: Literal["server-response"]
    event_type: Annotated[
        str, Described(description="The type of the message; parse-error or validation-error when it has none.")
    ]
    status: Literal["success", "error", "processing", "pending"]
    message: str
    extras: dict[str, Any] | None


class Nothing(TypedDict):
    """Nothing more."""


class BotMoment(TypedDict):
    """The character's answer begins, ends, or begins to be spoken."""

    label: Label
    type: Literal["bot-llm-started", "bot-llm-stopped", "bot-tts-started"]
    data: NotRequired[Nothing]


class BotText(TypedDict):
    """A piece of the answer; in a stream also the whole of it, as bot-transcription."""

    label: Label
    type: Literal["bot-llm-text", "bot-transcription"]
    data: Text


class FinalUserTranscription(TypedDict):
    """What was understood of the user."""

    type: Literal["final-user-transcription"]
    text: str


class InteractionCreated(TypedDict):
    """The first turn of the session has begun."""

    type: Literal["interaction-created"]
    interaction_id: str
    character_session_id: str


class BotSpeaking(TypedDict):
    """The character begins or stops to speak."""

    type: Literal["bot-started-speaking", "bot-stopped-speaking"]


class BotTurnCompleted(TypedDict):
    """The turn is over."""

    type: Literal["bot-turn-completed"]
    was_interrupted: bool


class UserIdleWarning(TypedDict):
    """The session will end unless the client sends something."""

    type: Literal["user-idle-warning"]
    remaining_seconds: int
    message: str


ServerData = Annotated[
    FinalUserTranscription | InteractionCreated | BotSpeaking | BotTurnCompleted | UserIdleWarning,
    Field(discriminator="type"),
]


class ServerMessage(TypedDict):
    """An event whose kind is inside `data`."""

    label: Label
    type: Literal["server-message"]
    data: ServerData


ServerEvent = Annotated[ServerResponse | BotMoment | BotText | ServerMessage, Field(discriminator="type")]
"""Anything that the server may send over the WebSocket."""


class StreamSession(TypedDict):
    """Which session and conversation the stream belongs to."""

    session_id: str
    transport: Literal["sse"]
    character_session_id: str


class ConnectionStarted(TypedDict):
    """The first event of a stream."""

    type: Literal["connection-started"]
    message: StreamSession


class ConnectionStopped(TypedDict):
    """The last event of a stream, spelled as Convai's documentation spells it."""

    type: Literal["connection-stoppped"]


StreamEvent = Annotated[ConnectionStarted | BotMoment | BotText | ConnectionStopped, Field(discriminator="type")]
"""Anything in a stream of `/connect/stream`."""
