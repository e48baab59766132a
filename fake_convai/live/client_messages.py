"""What clients send in a live session: one definition that is read and published.

`conversation.py` reads messages with these models, and the OpenAPI document of the live surface and `docs/realtime.md`
are written from them. After Convai's page on client-to-server messages (docs/contract.md section 9).
"""

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictStr, model_validator
from pydantic_core import PydanticCustomError

from fake_convai.backend.models import Described, Wanted


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

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)


class Said(ClientModel):
    """What the user says."""

    text: Words


class UserTextMessage(ClientModel):
    """The user says something, and the character answers."""

    type: Literal["user_text_message"]
    data: Annotated[Said, Wanted('an object such as {"text": "Hello"}')]


class Trigger(ClientModel):
    """A trigger by name, by message, or both."""

    trigger_name: Text | None = None
    trigger_message: Text | None = None


class TriggerMessage(ClientModel):
    """Makes the character speak; with neither name nor message it does not."""

    type: Literal["trigger-message"]
    data: Annotated[Trigger, Wanted("an object with a trigger_name, a trigger_message or both")] | None = None


class TemplateKeys(ClientModel):
    """Values for the placeholders of the backstory."""

    template_keys: Annotated[dict[StrictStr, Any], Wanted("an object of strings by the name of their placeholder")]


class UpdateTemplateKeys(ClientModel):
    """Accepted and not used."""

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
    """Accepted and not used."""

    type: Literal["update-scene-metadata"]
    data: Annotated[SceneMetadata, Wanted("an object with scene_metadata")]


class DynamicText(ClientModel):
    """What happens around the character, in words; they may be empty."""

    text: Text


class DynamicInfo(ClientModel):
    """What happens around the character."""

    dynamic_info: Annotated[DynamicText, Wanted('an object such as {"text": "The alarm rings."}')]


class UpdateDynamicInfo(ClientModel):
    """Accepted and not used."""

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
    """Changes the context; the acknowledgement estimates its tokens."""

    type: Literal["context-update"]
    data: Annotated[Context, Wanted("an object with a non-blank text unless its mode is reset")]


class Enabled(ClientModel):
    """On or off."""

    enabled: Switch


class TtsToggle(ClientModel):
    """Switches the voice, and with it the speaking events of a turn."""

    type: Literal["tts-toggle"]
    data: Annotated[Enabled, Wanted('an object such as {"enabled": true}')]


class Muted(ClientModel):
    """Muted or not."""

    muted: Switch


class SttToggle(ClientModel):
    """Mutes the user in a room."""

    type: Literal["stt-toggle"]
    data: Annotated[Muted, Wanted('an object such as {"muted": true}')]


class KillPipeline(ClientModel):
    """Ends the session; what was said is remembered."""

    type: Literal["kill-pipeline"]


class InterruptBot(ClientModel):
    """Cuts the turn that is being spoken."""

    type: Literal["interrupt-bot"]


class ForceUserStoppedSpeaking(ClientModel):
    """Accepted and not used."""

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

OF_SEVERAL = "it belongs to a room with several characters, and this session has one"
NOT_EMULATED = {
    "vision-status": "it sees no video",
    "vision-trigger": "it sees no video",
    "usage-toggle": "it counts no usage to report",
    "action-result": "its characters wait for no result of an action",
    **dict.fromkeys(
        ("interaction-target", "character-roster-update", "group-address", "group-address-part"), OF_SEVERAL
    ),
}
"""Documented client messages without effect here, each with the reason that its acknowledgement gives."""
