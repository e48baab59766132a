"""What the server sends in a live session: one definition that is made and published.

`turn.py` and the makers at the end of this file make these, and the OpenAPI document of the live surface and
`docs/realtime.md` are written from them. After Convai's pages on server-to-client messages and field presence
(docs/contract.md section 9); what clients send is in `client_messages.py`.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from fake_convai.backend.models import Described

Label = Literal["rtvi-ai"]
LABEL: Label = "rtvi-ai"

Extras = dict[str, Any]
Status = Literal["success", "error", "processing", "pending"]


class ServerResponse(TypedDict):
    """The acknowledgement of a message, or what is wrong with it."""

    type: Literal["server-response"]
    event_type: Annotated[
        str, Described(description="The type of the message; parse-error or validation-error when it has none.")
    ]
    status: Status
    message: NotRequired[Annotated[str, Described(description="What happened, in words; absent when empty.")]]
    extras: NotRequired[Annotated[Extras, Described(description="What there is to add; absent when empty.")]]


class NoData(TypedDict):
    """The event says everything by its type, so this object has no members."""


class BotMoment(TypedDict):
    """The answer begins, ends, or begins to be spoken. In a stream of events it has no data."""

    label: Label
    type: Literal["bot-llm-started", "bot-llm-stopped", "bot-tts-started"]
    data: NotRequired[NoData]


class Piece(TypedDict):
    """A part of the character's answer, or the whole of it."""

    text: str


class BotText(TypedDict):
    """A piece of the answer; in a stream of events also the whole of it, as bot-transcription."""

    label: Label
    type: Literal["bot-llm-text", "bot-transcription"]
    data: Piece


class Broken(TypedDict):
    """What went wrong, and whether the session can go on."""

    error: str
    fatal: bool


class BotError(TypedDict):
    """A fault that was asked for."""

    label: Label
    type: Literal["error"]
    data: Broken


class FinalUserTranscription(TypedDict):
    """What was understood of the user."""

    type: Literal["final-user-transcription"]
    text: str


class InteractionCreated(TypedDict):
    """The first turn of the session has begun."""

    type: Literal["interaction-created"]
    interaction_id: str
    character_session_id: str


class ModerationResponse(TypedDict):
    """Whether the user's words passed; the reason is null when they did."""

    type: Literal["moderation-response"]
    result: bool
    user_input: str
    reason: str | None


class LlmNoResponse(TypedDict):
    """The character chose not to answer."""

    type: Literal["llm-no-response"]
    reason: NotRequired[str]


class Action(TypedDict):
    """Something that the character does; the target is absent when there is none."""

    name: str
    target: NotRequired[str]


class ActionResponse(TypedDict):
    """What the character does, in order: objects or strings, as scripted."""

    type: Literal["action-response"]
    actions: list[Action | str]


class BotEmotion(TypedDict):
    """What the character feels."""

    type: Literal["bot-emotion"]
    emotion: str
    scale: Annotated[int, Described(description="1 is subtle, 2 moderate and 3 intense.")]


class BehaviorTreeResponse(TypedDict):
    """The section of the narrative; the code of a behaviour tree is empty."""

    type: Literal["behavior-tree-response"]
    bt_code: str
    bt_constants: str
    narrative_section_id: str


class Visemes(TypedDict):
    """The weight of each viseme, from 0 to 1, for a word that is spoken."""

    type: Literal["visemes"]
    visemes: dict[str, float]


class BotSpeaking(TypedDict):
    """The character begins or stops to speak."""

    label: Label
    type: Literal["bot-started-speaking", "bot-stopped-speaking"]


class BotTurnCompleted(TypedDict):
    """The turn is over."""

    type: Literal["bot-turn-completed"]
    was_interrupted: bool


class UserIdleWarning(TypedDict):
    """The session ends soon unless the client sends something."""

    type: Literal["user-idle-warning"]
    remaining_seconds: int
    message: str


ServerData = (
    FinalUserTranscription
    | InteractionCreated
    | ModerationResponse
    | LlmNoResponse
    | ActionResponse
    | BotEmotion
    | BehaviorTreeResponse
    | Visemes
    | BotSpeaking
    | BotTurnCompleted
    | UserIdleWarning
)


class ServerMessage(TypedDict):
    """An event whose kind is inside `data`."""

    label: Label
    type: Literal["server-message"]
    data: Annotated[ServerData, Field(discriminator="type")]


Event = ServerResponse | BotMoment | BotText | BotError | ServerMessage
ServerEvent = Annotated[Event, Field(discriminator="type")]
"""Anything that the server may send in a session."""


class StreamSession(TypedDict):
    """Says which session and conversation the stream belongs to."""

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


StreamedEvent = ConnectionStarted | BotMoment | BotText | BotError | ServerMessage | ConnectionStopped
StreamEvent = Annotated[StreamedEvent, Field(discriminator="type")]
"""Anything in a stream of `/connect/stream`."""


def wrapped(data: ServerData) -> ServerMessage:
    """A server message: an event whose kind is inside `data`."""
    return {"label": LABEL, "type": "server-message", "data": data}


def response(event_type: str, status: Status, message: str, extras: Mapping[str, Any] | None = None) -> ServerResponse:
    """The acknowledgement of a client message; what is empty is left out."""
    answer: ServerResponse = {"type": "server-response", "event_type": event_type, "status": status}
    if message:
        answer["message"] = message
    if extras:
        answer["extras"] = dict(extras)
    return answer


def idle_warning(remaining_seconds: int) -> ServerMessage:
    """The session will end unless the client says something."""
    words = f"You've been idle. You will be disconnected in {remaining_seconds} seconds."
    return wrapped({"type": "user-idle-warning", "remaining_seconds": remaining_seconds, "message": words})


def kind_of(event: Event | StreamedEvent) -> str:
    """What an event is called: its type, or that inside the envelope."""
    return event["data"]["type"] if event["type"] == "server-message" else event["type"]
