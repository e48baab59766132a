"""One turn of conversation over plain HTTP: `/character/getResponse` (docs/contract.md section 9)."""

import base64
import uuid
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal, NotRequired

from pydantic import BeforeValidator, ConfigDict, Field
from starlette.datastructures import UploadFile
from typing_extensions import TypedDict

from fake_convai.api.endpoint import Call, Group
from fake_convai.backend.errors import OwnRefusal
from fake_convai.backend.models import Described, Id, RequestModel, Text, Wanted
from fake_convai.backend.responses import EventStream
from fake_convai.backend.surface import Surface
from fake_convai.domain import voice
from fake_convai.domain.errors import Invalid, NotFound
from fake_convai.live import turn
from fake_convai.store import characters, conversations, lag, talking
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.talking import Said

group = Group("Interaction", Surface.PRODUCTION)

ONE_INPUT = "Expecting only one; either an audio file or user's query as a string"
NEW_SESSION = "-1"
_SAMPLE_RATE = 22_050


def _switch(value: Any) -> Any:
    """Forms have only text: "True" and "False", in any case, and nothing at all for what is left out."""
    return {"true": True, "false": False, "": False}.get(value.lower(), value) if isinstance(value, str) else value


def _file(value: Any) -> Any:
    """A field for a file that was left empty is none."""
    return None if value == "" or (isinstance(value, UploadFile) and not value.size) else value


Switch = Annotated[bool, BeforeValidator(_switch), Wanted("True or False")]


class ResponseRequest(RequestModel):
    """The words for a character as form fields: either a text or a sound file."""

    # "Either, not both" is said in words only: generators of requests cannot make a file inside a condition.
    model_config = ConfigDict(arbitrary_types_allowed=True)

    character_id: Id = Field(alias="charID")
    user_text: Text | None = Field(None, alias="userText")
    file: Annotated[UploadFile | None, BeforeValidator(_file), Wanted("a WAV file")] = None
    session_id: Annotated[Text, Described(description="The conversation to go on with; -1 begins one.")] = Field(
        NEW_SESSION, alias="sessionID"
    )
    voice_response: Annotated[Switch, Described(description="Says whether audio is wanted.")] = Field(
        False, alias="voiceResponse"
    )
    stream: Annotated[Switch, Described(description="Whether the answer comes in pieces, as server-sent events.")] = (
        False
    )


class ResponseAnswer(TypedDict):
    """The character's answer; audio is base64 of a WAV file, or null. A piece without sound has no audio."""

    charID: str
    text: str
    response: Annotated[str, Described(description="The text once more, as real answers have it.")]
    audio: NotRequired[str | None]
    sample_rate: str | None
    sessionID: str


@group.post("/character/getResponse", source="docs", reads="form", errors=(403, 404), members={404: "text"})
async def get_response(call: Call, body: ResponseRequest) -> ResponseAnswer | EventStream:
    """Say one thing to a character.

    A sessionID of -1 begins a conversation, the returned one goes on with it. Speech is not recognised: a sound file
    stands for what is scripted to be heard, else it is answered all the same and chat history says what it was.
    """
    if ((body.user_text or "").strip() == "") == (body.file is None):
        raise Invalid(ONE_INPUT)
    try:
        said = await call.store.write(_talk, body)
    except NotFound as error:
        failure = {"charID": body.character_id, "text": f"process_failure, error: {error.message}"}
        raise OwnRefusal(404, failure) from error
    text = "" if said.answer.is_silent else said.answer.text
    answer: ResponseAnswer = {
        "charID": body.character_id,
        "text": text,
        "response": text,
        "audio": base64.b64encode(spoken(text)).decode("ascii") if body.voice_response else None,
        "sample_rate": str(_SAMPLE_RATE) if body.voice_response else None,
        "sessionID": as_hex(said.character_session_id),
    }
    pieces = _pieces(call, answer, said)
    if body.stream:
        return EventStream(pieces)
    if not said.pace.is_instant:
        async for _ in pieces:
            pass  # it is answered when the last piece would come
    return answer


def as_hex(character_session_id: str) -> str:
    """A conversation's id as production spells it: 32 hex characters (docs/contract.md section 8, assumed)."""
    try:
        return uuid.UUID(character_session_id).hex
    except ValueError:
        return character_session_id


def spoken(text: str) -> bytes:
    """A short WAV file in place of speech."""
    tone = voice.tone(round(_SAMPLE_RATE * voice.seconds(text)), _SAMPLE_RATE)
    return voice.wav_header(len(tone), _SAMPLE_RATE) + tone


async def _pieces(
    call: Call, answer: ResponseAnswer, said: Said
) -> AsyncIterator[tuple[Literal["data"], ResponseAnswer]]:
    """The answer in pieces, each in its time; the sound, if any, comes with the first.

    The others have no `audio`, not even null: programs decode what they find there.
    """
    time, account_id = call.backend.time, call.store.account_id
    began = 0 if said.pace.is_instant else await time.now(account_id)
    for number, (text, at) in enumerate(turn.pieces(said.answer, said.pace, said.seed)):
        if at:
            await time.until(account_id, began + at)
        piece: ResponseAnswer = {**answer, "text": text, "response": text}
        if number > 0 or answer["audio"] is None:
            del piece["audio"]
        yield "data", piece


def _talk(tx: AccountTransaction, body: ResponseRequest) -> Said:
    character = characters.usable(tx, body.character_id)
    session_id = body.session_id.strip() or NEW_SESSION
    if session_id == NEW_SESSION:
        conversation = conversations.begin(tx, character.character_seq, None)
        if tx.lags:
            lag.hold(tx, "chat_history", conversation_seq=conversation.seq)
    else:
        try:
            conversation = conversations.find(tx, session_id, character.character_seq)
        except NotFound as error:
            raise NotFound(f"{error.message} Send sessionID {NEW_SESSION} to begin a new one.") from error
    return talking.talk(tx, conversation, body.user_text or talking.heard(tx, conversation.seq))
