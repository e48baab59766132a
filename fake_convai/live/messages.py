"""The messages of a live session, both ways: one definition that is read, made and published.

`conversation.py` reads what clients send with these models, `turn.py` and the makers at the end of this file make what
the server sends, and the OpenAPI document of the live surface and `docs/realtime.md` are written from them. All after
Convai's pages on client-to-server messages, server-to-client messages and field presence (docs/contract.md section 9).
"""

from typing import Annotated, Any, Literal, NotRequired, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictStr, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from fake_convai.backend.models import Described, Wanted

Label = Literal["rtvi-ai"]
LABEL: Label = "rtvi-ai"


# What clients send


def _storable(text: str) -> str:
    if "\0" in text:
        raise PydanticCustomError("nul", "must not hold a NUL character")
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "must not be blank")
    return _storable(text)


Words = Annotated[
    StrictStr,
    AfterValidator(_not_blank),
    Described(pattern=r"^[^\u0000]*[^\s\u0000\u001c-\u001f\u0085][^\u0000]*$"),
    Wanted("a non-blank string without NUL characters"),
]
Text = Annotated[
    StrictStr,
    AfterValidator(_storable),
    Described(pattern=r"^[^\u0000]*$"),
    Wanted("a string without NUL characters"),
]
Switch = Annotated[StrictBool, Wanted("true or false")]


class ClientModel(BaseModel):
    """A message, or a part of one. Members that it does not know are ignored, as SDKs send more than is documented."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Said(ClientModel):
    """What the user says."""

    text: Words


class UserTextMessage(ClientModel):
    """The user says something, and the character answers with a turn."""

    type: Literal["user_text_message"]
    data: Annotated[Said, Wanted('an object such as {"text": "Hello"}')]


class Trigger(ClientModel):
    """A trigger by name, by message, or both."""

    trigger_name: Text | None = None
    trigger_message: Text | None = None


class TriggerMessage(ClientModel):
    """The scene makes the character speak. With neither name nor message it is only acknowledged."""

    type: Literal["trigger-message"]
    data: Annotated[Trigger, Wanted("an object with a trigger_name, a trigger_message or both")] | None = None


class TemplateKeys(ClientModel):
    """Values for the placeholders of the backstory."""

    template_keys: Annotated[dict[StrictStr, Any], Wanted("an object of strings by the name of their placeholder")]


class UpdateTemplateKeys(ClientModel):
    """Sets template keys, which are accepted and not used."""

    type: Literal["update-template-keys"]
    data: Annotated[TemplateKeys, Wanted("an object with template_keys")]


class SceneObject(ClientModel):
    """An object of the scene."""

    name: Text
    description: Text


class SceneMetadata(ClientModel):
    """What is in the scene."""

    scene_metadata: Annotated[list[SceneObject], Wanted("a list of objects with name and description")]


class UpdateSceneMetadata(ClientModel):
    """Describes the objects of the scene, which is accepted and not used."""

    type: Literal["update-scene-metadata"]
    data: Annotated[SceneMetadata, Wanted("an object with scene_metadata")]


class DynamicText(ClientModel):
    """What happens around the character, in words; they may be empty."""

    text: Text


class DynamicInfo(ClientModel):
    """What happens around the character."""

    dynamic_info: Annotated[DynamicText, Wanted('an object such as {"text": "The alarm rings."}')]


class UpdateDynamicInfo(ClientModel):
    """Tells the character what happens around it, which is accepted and not used."""

    type: Literal["update-dynamic-info"]
    data: Annotated[DynamicInfo, Wanted('an object such as {"dynamic_info": {"text": "The alarm rings."}}')]


class Context(ClientModel):
    """A piece of context, and what to do with it. Only `reset` needs no text."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"required": ["mode"], "properties": {"mode": {"const": "reset"}}},
            "else": {
                "required": ["text"],
                "properties": {"text": {"type": "string", "pattern": r"[^\s\u001c-\u001f\u0085]"}},
            },
        }
    )

    text: Text | None = None
    mode: Annotated[Literal["append", "replace", "reset"], Wanted("append, replace or reset")] | None = None
    run_llm: (
        Annotated[
            Literal["true", "false", "auto"],
            Described(description="Whether the character answers: it does for `true`, and `auto` is taken for no."),
            Wanted('one of the texts "true", "false" and "auto"'),
        ]
        | None
    ) = None
    action_config: Annotated[dict[StrictStr, Any], Wanted("an object with actions, objects or characters")] | None = (
        None
    )

    @model_validator(mode="after")
    def _has_its_text(self) -> Self:
        if self.mode != "reset" and not (self.text or "").strip():
            raise PydanticCustomError("no_text", "text is required unless mode is reset")
        return self


class ContextUpdate(ClientModel):
    """Changes the context of the session. The acknowledgement counts its tokens, by estimate."""

    type: Literal["context-update"]
    data: Annotated[Context, Wanted("an object with a non-blank text unless its mode is reset")]


class Enabled(ClientModel):
    """On or off."""

    enabled: Switch


class TtsToggle(ClientModel):
    """Switches the character's voice on or off. Without it a turn has no speaking events."""

    type: Literal["tts-toggle"]
    data: Annotated[Enabled, Wanted('an object such as {"enabled": true}')]


class Muted(ClientModel):
    """Muted or not."""

    muted: Switch


class SttToggle(ClientModel):
    """Mutes the user's microphone, which is acknowledged only, since no sound is heard on a WebSocket."""

    type: Literal["stt-toggle"]
    data: Annotated[Muted, Wanted('an object such as {"muted": true}')]


class KillPipeline(ClientModel):
    """Ends the session. What was said is remembered, and the server closes the connection."""

    type: Literal["kill-pipeline"]


class InterruptBot(ClientModel):
    """Cuts the turn that is being spoken. When there is none it is only acknowledged."""

    type: Literal["interrupt-bot"]


class ForceUserStoppedSpeaking(ClientModel):
    """Says that the user has finished speaking, which is acknowledged only."""

    type: Literal["force-user-stopped-speaking"]


class ResetIdleTimer(ClientModel):
    """Keeps an idle session open."""

    type: Literal["reset-idle-timer"]


_Emulated = (
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
    | ResetIdleTimer
)
ClientMessage = Annotated[_Emulated, Field(discriminator="type")]
"""Anything that a client may send in a session and that does something."""

CLIENT_MESSAGES: dict[str, type[ClientModel]] = {
    get_args(model.model_fields["type"].annotation)[0]: model for model in get_args(_Emulated)
}

_ONE_CHARACTER = "it belongs to a room with several characters, and this session has one"
NOT_EMULATED = {
    "vision-status": "it sees no video",
    "vision-trigger": "it sees no video",
    "usage-toggle": "it counts no usage to report",
    "action-result": "its characters wait for no result of an action",
    "interaction-target": _ONE_CHARACTER,
    "character-roster-update": _ONE_CHARACTER,
    "group-address": _ONE_CHARACTER,
    "group-address-part": _ONE_CHARACTER,
}
"""Documented client messages without effect here, each with the reason that its acknowledgement gives."""


# What the server sends


Extras = dict[str, Any]
Status = Literal["success", "error", "processing", "pending"]


class ServerResponse(TypedDict):
    """The acknowledgement of a message, or what is wrong with it. It comes in no envelope."""

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
    """The character's answer begins, ends, or begins to be spoken. In a stream of events it has no data."""

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
    """Something went wrong on the server's side, which happens only as a fault that was asked for."""

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
    """What the moderation thinks of the user's words; the reason is null when they passed."""

    type: Literal["moderation-response"]
    result: bool
    user_input: str
    reason: str | None


class LlmNoResponse(TypedDict):
    """The character chose not to answer. The reason is absent when there is none."""

    type: Literal["llm-no-response"]
    reason: NotRequired[str]


class Action(TypedDict):
    """Something that the character does; the target is absent when there is none."""

    name: str
    target: NotRequired[str]


class ActionResponse(TypedDict):
    """What the character does, in order, as the script of replies gives it: objects, or strings."""

    type: Literal["action-response"]
    actions: list[Action | str]


class BotEmotion(TypedDict):
    """What the character feels in this turn."""

    type: Literal["bot-emotion"]
    emotion: str
    scale: Annotated[int, Described(description="1 is subtle, 2 moderate and 3 intense.")]


class BehaviorTreeResponse(TypedDict):
    """The section of the narrative that the turn leads to. There is no behaviour tree, so its code is empty."""

    type: Literal["behavior-tree-response"]
    bt_code: str
    bt_constants: str
    narrative_section_id: str


class Visemes(TypedDict):
    """The shape of the mouth: the weight of each viseme, from 0 to 1. There is one for each word that is spoken."""

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
    """The session will end unless the client sends something."""

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


StreamedEvent = ConnectionStarted | BotMoment | BotText | BotError | ServerMessage | ConnectionStopped
StreamEvent = Annotated[StreamedEvent, Field(discriminator="type")]
"""Anything in a stream of `/connect/stream`."""


def wrapped(data: ServerData) -> ServerMessage:
    """A server message: an event whose kind is inside `data`."""
    return {"label": LABEL, "type": "server-message", "data": data}


def response(event_type: str, status: Status, message: str, extras: Extras | None = None) -> ServerResponse:
    """The acknowledgement of a client message; what is empty is left out."""
    answer: ServerResponse = {"type": "server-response", "event_type": event_type, "status": status}
    if message:
        answer["message"] = message
    if extras:
        answer["extras"] = extras
    return answer


def idle_warning(remaining_seconds: int) -> ServerMessage:
    """The session will end unless the client says something."""
    words = f"You've been idle. You will be disconnected in {remaining_seconds} seconds."
    return wrapped({"type": "user-idle-warning", "remaining_seconds": remaining_seconds, "message": words})


def kind_of(event: Event | StreamedEvent) -> str:
    """What an event is called: its type, or that inside the envelope."""
    return event["data"]["type"] if event["type"] == "server-message" else event["type"]
