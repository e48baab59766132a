"""Live sessions: connect, disconnect, and a whole conversation turn as a stream (docs/contract.md section 9)."""

import uuid
from typing import Annotated, Any, Literal, NotRequired, Self
from urllib.parse import urlencode

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    model_validator,
)
from pydantic.functional_validators import ModelWrapValidatorHandler
from pydantic_core import InitErrorDetails, PydanticCustomError
from starlette.requests import Request
from typing_extensions import TypedDict

from fake_convai.api import rosters
from fake_convai.api.endpoint import Call, Group
from fake_convai.api.seats import seat
from fake_convai.backend.body import is_secure
from fake_convai.backend.models import NOT_BLANK, Described, EndUserMetadata, Id, JsonObject, RequestModel, Wanted
from fake_convai.backend.responses import EventStream
from fake_convai.backend.surface import Surface
from fake_convai.domain.errors import Forbidden, Invalid, NotFound
from fake_convai.domain.identity import MAX_END_USER_ID, normalise_end_user_id
from fake_convai.domain.roster import MAX_MEMBERS
from fake_convai.domain.roster_answers import InstanceEntry
from fake_convai.live import sse
from fake_convai.live.guest import CastMember
from fake_convai.live.livekit import MADE_NAME
from fake_convai.live.shapes import Sound
from fake_convai.store import characters, sessions, talking
from fake_convai.store import rosters as roster_rows
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.characters import Character
from fake_convai.store.sessions import Connected, Wish
from fake_convai.store.talking import Said

group = Group("Sessions", Surface.LIVE)

CHARACTER_NOT_FOUND = "Character not found or doesn't belong to user"
MISSING_END_USER_ID = (
    "Missing end_user_id. end_user_id is required when the character has Long Term Memory enabled. "
    "Provide end_user_id or disable Long Term Memory."
)
_TRANSPORTS = {"livekit": "livekit", "internal": "livekit", "external": "livekit", "websocket": "websocket"}

LOCATORS = ("room_session_id", "shared_session_key", "room_name")
"""What a room is found by that somebody else has made."""

CAPABILITIES = {"action_protocol_version": 1, "model_output_version": 1, "bot_llm_text_mode": "legacy"}
"""What the fake selects, whatever is asked for (docs/contract.md section 9, assumed)."""


def _transport(value: str) -> str:
    if value == "daily":
        raise ValueError("Transport daily is not emulated by fake-convai: use livekit or websocket")
    if value not in _TRANSPORTS:
        raise ValueError(f"Invalid transport: {value}")
    return value


def _integral(value: Any) -> Any:
    """JSON has one kind of number: 2.0 is 2."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _given(name: str) -> dict[str, Any]:
    return {"required": [name], "properties": {name: {"type": "string"}}}


_SOMEBODY: dict[str, Any] = {
    "required": ["end_user_id"],
    "properties": {"end_user_id": {"type": "string", "pattern": NOT_BLANK}},
}
_CAST: dict[str, Any] = {"required": ["characters"], "properties": {"characters": {"type": "array"}}}
_JOINS: dict[str, Any] = {"required": ["mode"], "properties": {"mode": {"const": "join"}}}


class ConnectRequest(RequestModel):
    """Names the person, the character and the way to connect. Other fields that SDKs send are accepted and not used."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                {
                    "if": _JOINS,
                    "then": {"oneOf": [_given(name) for name in LOCATORS]},
                    "else": {"oneOf": [_given("character_id"), _CAST]},
                },
                {"if": {"anyOf": [_JOINS, _given("shared_session_key"), _CAST]}, "then": _SOMEBODY},
                {"if": _CAST, "then": {"properties": {"transport": {"not": {"const": "websocket"}}}}},
            ]
        }
    )

    character_id: Annotated[Id, Described(description="Needed without characters or a room to join.")] | None = None
    characters: (
        Annotated[
            list[CastMember],
            Field(min_length=1, max_length=MAX_MEMBERS),
            Described(description="Several characters in one room; the first is the initial one, and one may repeat."),
        ]
        | None
    ) = None
    group_chat: Annotated[StrictBool, Described(description="Whether group-address works in the room.")] | None = None
    end_user_id: Annotated[StrictStr, Field(max_length=MAX_END_USER_ID), AfterValidator(str.strip)] | None = None
    end_user_metadata: EndUserMetadata | None = None
    speaker_id: StrictStr | None = None
    character_session_id: Annotated[StrictStr, Described(description="The conversation to go on with.")] | None = None
    transport: Annotated[
        StrictStr,
        AfterValidator(_transport),
        Described(enum=list(_TRANSPORTS)),
        Wanted("livekit or websocket"),
    ] = "livekit"
    connection_type: Literal["audio", "video", "text", "conversation", ""] = "audio"
    mode: Literal["create", "join"] = "create"
    shared_session_key: Annotated[StrictStr, Field(pattern=r"^[a-zA-Z0-9_-]{1,128}$")] | None = None
    room_name: Annotated[StrictStr, Field(min_length=1, max_length=128)] | None = None
    room_session_id: StrictStr | None = None
    max_num_participants: Annotated[StrictInt, BeforeValidator(_integral), Field(ge=1)] = 1
    capabilities: JsonObject | None = None
    audio_config: Annotated[
        JsonObject | None, Described(description="How a room carries the voice: `output.audio_routing` and the rest.")
    ] = None
    default_tts_enabled: StrictBool | None = None
    default_stt_enabled: StrictBool | None = None
    action_config: Annotated[JsonObject, Described(description="What the character may do in the scene.")] | None = None

    @model_validator(mode="wrap")
    @classmethod
    def _leads_to_a_character(cls, value: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        """Refuse what names no character and no room, together with all else that is wrong."""
        wrong: list[InitErrorDetails] = []
        try:
            request = read(value)
        except ValidationError as error:
            wrong = [_complaint(d["type"], d["msg"], d["loc"], d["input"]) for d in error.errors()]
        if value.get("mode") == "join":
            if sum(value.get(name) is not None for name in LOCATORS) != 1:
                message = f"Joining needs exactly one of {', '.join(LOCATORS)}"
                wrong.append(_complaint("value_error", message, ("mode",), "join"))
        elif MADE_NAME.fullmatch(str(value.get("room_name"))):
            message = "Names of this form are made by the server: choose another one"
            wrong.append(_complaint("value_error", message, ("room_name",), value["room_name"]))
        elif value.get("character_id") is None and value.get("characters") is None:
            wrong.insert(0, _complaint("missing", "Field required", ("character_id",), value))
        elif value.get("characters") is not None:
            if value.get("character_id") is not None:
                message = "Send character_id or characters, not both"
                wrong.append(_complaint("value_error", message, ("characters",), value["characters"]))
            if value.get("transport") == "websocket":
                message = "Several characters need a room: use the transport livekit"
                wrong.append(_complaint("value_error", message, ("transport",), "websocket"))
        if wrong:
            raise ValidationError.from_exception_data("ConnectRequest", wrong)
        return request


def _complaint(kind: str, message: str, loc: tuple[int | str, ...], value: Any) -> InitErrorDetails:
    error = PydanticCustomError(kind, message)
    return InitErrorDetails(type=error, loc=loc, input=value)


class DisconnectRequest(RequestModel):
    """Names a session. Its absence is answered like any other id that is none."""

    model_config = ConfigDict(json_schema_extra={"required": ["session_id"]})

    session_id: Annotated[StrictStr, Described(format="uuid")] = ""


class StreamRequest(RequestModel):
    """The words for a character."""

    character_id: Id
    text_input: Annotated[Id, Wanted("a non-blank string")]
    character_session_id: Annotated[StrictStr, Described(description="The conversation to go on with.")] | None = None


class ConnectAnswer(TypedDict):
    """Tells how to join the session; end_user_id and end_user_metadata echo the request or are null."""

    session_id: Annotated[str, Described(format="uuid")]
    request_trace_id: Annotated[str, Described(pattern="^req_[0-9a-f]{32}$")]
    character_session_id: Annotated[str, Described(description="What chat history calls sessionID.")]
    room_url: Annotated[str, Described(description="The LiveKit server, or the address of the WebSocket.")]
    room_name: Annotated[str | None, Described(description="Null for a WebSocket.")]
    token: Annotated[str, Described(description="A LiveKit token, empty for a WebSocket.")]
    end_user_id: str | None
    end_user_metadata: dict[str, Any] | None
    transport: Annotated[str, Described(description="As it was asked for.")]
    capabilities: NotRequired[
        Annotated[dict[str, Any], Described(description="What was selected, when anything was asked for.")]
    ]
    room_session_id: Annotated[str | None, Described(description="Null for a single character, like the next three.")]
    active_membership_id: str | None
    route_epoch: int | None
    roster_epoch: int | None
    partial_dispatch: Annotated[bool, Described(description="False for a single character.")]
    characters: Annotated[list[InstanceEntry] | None, Described(description="Null for a single character.")]


class DisconnectAnswer(TypedDict):
    """The session is over."""

    status: str
    message: str


@group.post("/connect", source="docs", errors=(403, 404, 409, 422))
async def connect(call: Call, body: ConnectRequest) -> ConnectAnswer:
    """Open a live session with a character.

    Without an end_user_id the session is anonymous: nothing of it is remembered and nothing is recalled.
    """
    end_user_id = normalise_end_user_id(body.end_user_id)
    metadata = body.end_user_metadata if end_user_id is not None else None
    entered = await rosters.enter(call, _roster_wish(body, end_user_id))
    if entered is not None:
        call.note.trace_id = entered["request_trace_id"]
        return {**entered, "end_user_metadata": metadata, "transport": body.transport}  # type: ignore[typeddict-item]
    connected = await call.store.write(_connect, call, body, end_user_id)
    call.note.trace_id = connected.request_trace_id
    in_room = _TRANSPORTS[body.transport] == "livekit"
    if in_room:
        about = metadata or {}
        room_url, token = await seat(call, connected, end_user_id, about, sound(body), joins=body.mode == "join")
    else:
        room_url, token = _chat_url(call.request, connected), ""
    answer: ConnectAnswer = {
        "session_id": connected.session_id,
        "request_trace_id": connected.request_trace_id,
        "character_session_id": connected.character_session_id,
        "room_url": room_url,
        "room_name": connected.room_name if in_room else None,
        "token": token,
        "end_user_id": end_user_id,
        "end_user_metadata": metadata,
        "transport": body.transport,
        "room_session_id": None,
        "active_membership_id": None,
        "route_epoch": None,
        "roster_epoch": None,
        "partial_dispatch": False,
        "characters": None,
    }
    return answer if body.capabilities is None else {**answer, "capabilities": CAPABILITIES}


@group.post("/disconnect", source="docs", reads="query", access="anybody")
async def disconnect(call: Call, body: DisconnectRequest) -> DisconnectAnswer:
    """End the session that session_id in the query names; once answered, what was said is remembered.

    An unknown session, or one that has ended, is no error.
    """
    try:
        session_id = str(uuid.UUID(body.session_id))
    except ValueError:
        raise Invalid("Invalid session ID format") from None
    session = await call.backend.database.read(lambda tx: sessions.find(tx, session_id))
    if session is not None:
        call.note.account_id, call.note.credential = session.account_id, "session"
        store = call.backend.account_store(session.account_id)
        for each in await store.read(roster_rows.together, session):
            for one in await call.hub.end(session.account_id, each):
                reason = {"event": one.event, "with": one.id, "because": one.because, "fact": one.memory}
                call.note.explain(reason)
    return {"status": "success", "message": "Session disconnected successfully"}


@group.post("/connect/stream", source="docs", reads="form", errors=(403, 404))
async def stream(call: Call, body: StreamRequest) -> EventStream:
    """Say one thing to a character and get its answer as server-sent events.

    Each call is an anonymous session of one turn; character_session_id goes on with an earlier conversation.
    """
    session_id, said = await call.store.write(_say_once, body)
    return EventStream(sse.events(call.backend, call.store.account_id, session_id, said))


def _connect(tx: AccountTransaction, call: Call, body: ConnectRequest, end_user_id: str | None) -> Connected:
    character = None if body.character_id is None else _accessible(tx, body.character_id)
    settings = call.backend.settings
    if end_user_id is None:
        if body.mode == "join" or body.shared_session_key is not None:
            raise Invalid(rosters.MISSING_END_USER_ID)
        if character is not None and character.memory_enabled and settings.anonymous_sessions == "reject":
            raise Invalid(MISSING_END_USER_ID)
    if body.room_session_id is not None and body.mode == "join":
        raise NotFound(f"room_session_id '{body.room_session_id}' has no open room.")
    return _opened(tx, _wish(body, character, end_user_id), settings.max_sessions)


def _wish(body: ConnectRequest, character: Character | None, end_user_id: str | None) -> Wish:
    return Wish(
        character=character,
        end_user_id=end_user_id,
        speaker_id=normalise_end_user_id(body.speaker_id),
        end_user_metadata=body.end_user_metadata or {},
        character_session_id=(body.character_session_id or "").strip() or None,
        transport=_TRANSPORTS[body.transport],
        join=body.mode == "join",
        shared_session_key=body.shared_session_key,
        room_name=body.room_name,
        max_num_participants=body.max_num_participants,
        action_config=body.action_config,
    )


def _roster_wish(body: ConnectRequest, end_user_id: str | None) -> rosters.RosterWish:
    name = (body.end_user_metadata or {}).get("name")
    locator = next(((one, value) for one in LOCATORS if (value := getattr(body, one)) is not None), None)
    return rosters.RosterWish(
        cast=None if body.characters is None else [part.model_dump() for part in body.characters],
        joins=locator if body.mode == "join" else None,
        wish=_wish(body, None, end_user_id),
        group_chat=body.group_chat is True,
        sound=sound(body),
        name=str(name or end_user_id),
    )


def _say_once(tx: AccountTransaction, body: StreamRequest) -> tuple[str, Said]:
    wish = Wish(
        character=_accessible(tx, body.character_id),
        end_user_id=None,
        speaker_id=None,
        end_user_metadata={},
        character_session_id=(body.character_session_id or "").strip() or None,
        transport="sse",
    )
    connected = _opened(tx, wish, None)
    said = talking.say(tx, connected.session_id, body.text_input)
    sessions.end(tx, connected.session_id)
    return connected.session_id, said


def _opened(tx: AccountTransaction, wish: Wish, max_sessions: int | None) -> Connected:
    try:
        return sessions.connect(tx, wish, max_sessions)
    except NotFound as error:
        if wish.character_session_id is None or wish.character_session_id not in error.message:
            raise
        raise NotFound(f"{error.message} Leave character_session_id out to begin a new one.") from error


def _accessible(tx: AccountTransaction, character_id: str) -> Character:
    """The character, in the words of the live surface when it is unknown or another account's."""
    try:
        return characters.usable(tx, character_id)
    except (NotFound, Forbidden):
        raise NotFound(CHARACTER_NOT_FOUND) from None


def sound(body: ConnectRequest) -> Sound:
    """How the voice is wanted. What is none of the documented values is the default, since SDKs send what they like."""
    output = (body.audio_config or {}).get("output")
    wanted = output if isinstance(output, dict) else {}
    routing, chunk = wanted.get("audio_routing"), wanted.get("max_chunk_duration_ms")
    return Sound(
        track=routing != "data_only",
        data=routing in ("data_only", "both"),
        chunk_ms=chunk if type(chunk) is int and 10 <= chunk <= 1000 else 100,
        wav_header=wanted.get("add_wav_header") is True,
        speaks=body.default_tts_enabled is not False,
        hears=body.default_stt_enabled is not False,
    )


def _chat_url(request: Request, connected: Connected) -> str:
    """The WebSocket's address on the host, scheme and prefix that the client itself used."""
    scheme = "wss" if is_secure(request.scope) else "ws"
    prefix = request.url.path.removesuffix("/connect")
    return f"{scheme}://{request.url.netloc}{prefix}/chat?{urlencode({'session_id': connected.session_id})}"
