"""Speakers: how the API before end users identifies people (docs/contract.md section 6)."""

from typing import Annotated

from pydantic import AfterValidator, Field
from typing_extensions import TypedDict

from fake_convai.api.endpoint import Call, Group
from fake_convai.backend.models import Empty, Id, RequestModel, Text, Wanted, needs_one_of
from fake_convai.backend.surface import Surface
from fake_convai.domain.errors import Invalid
from fake_convai.domain.identity import MAX_END_USER_ID
from fake_convai.store import speakers

# Unity sends these to beta, the Web and Unreal SDKs to production (docs/contract.md section 1).
group = Group("Speakers", Surface.PRODUCTION, Surface.BETA)


class NewRequest(RequestModel):
    """Describes a speaker by a name, a device, or both."""

    model_config = needs_one_of("deviceId", "name")

    name: Text | None = None
    device_id: (
        Annotated[
            Text,
            Field(max_length=MAX_END_USER_ID),
            AfterValidator(str.strip),
            Wanted(f"a string of at most {MAX_END_USER_ID} characters"),
        ]
        | None
    ) = Field(None, alias="deviceId")


class DeleteRequest(RequestModel):
    """Names a speaker."""

    speaker_id: Id = Field(alias="speakerId")


class Speaker(TypedDict):
    """A person by their internal id."""

    speaker_id: str
    name: str | None
    device_id: str | None


class NewSpeaker(Speaker):
    """A speaker, with the id once more as the Web SDK reads it."""

    speakerId: str


class Success(TypedDict):
    """The call succeeded."""

    STATUS: str


@group.post("/user/speaker/new", source="sdk")
async def new(call: Call, body: NewRequest) -> NewSpeaker:
    """Get the speaker of a device, or make one.

    The same deviceId always gives the same speaker.
    """
    name, device_id = (body.name or "").strip() or None, (body.device_id or "").strip() or None
    if name is None and device_id is None:
        raise Invalid(
            "Missing required parameter 'name' or 'deviceId': send at least one as a non-empty string.",
        )
    person = await call.store.write(speakers.register, name, device_id)
    return {**_speaker(person.speaker_id, person.name, person.device_id), "speakerId": person.speaker_id}


@group.post("/user/speaker/list", source="sdk")
async def list_(call: Call, body: Empty) -> list[Speaker]:
    """List every speaker of the account, in the order they came."""
    return [_speaker(*one) for one in await call.store.read(speakers.list_all)]


@group.post("/user/speaker/delete", source="docs", errors=(404,))
async def delete(call: Call, body: DeleteRequest) -> Success:
    """Delete a speaker and everything every character remembers about them."""
    await call.store.write(speakers.remove, body.speaker_id)
    return {"STATUS": "SUCCESS"}


def _speaker(speaker_id: str, name: str | None, device_id: str | None) -> Speaker:
    return {"speaker_id": speaker_id, "name": name, "device_id": device_id}
