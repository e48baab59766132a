"""The seed document: what an account holds, as JSON or YAML (docs/control-plane.md)."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StrictBool, StrictInt, StrictStr, WithJsonSchema, field_validator

from fake_convai.backend.body import parse_object
from fake_convai.backend.models import EndUserId, EndUserMetadata, Id
from fake_convai.backend.yaml_body import yaml_to_json
from fake_convai.control.documents import Document
from fake_convai.control.speech_documents import LagDocument, PaceDocument, RepliesDocument
from fake_convai.control.stub_document import MAX_STUBS, StubDocument
from fake_convai.domain.clock import parse_moment
from fake_convai.domain.dedup import DedupMode
from fake_convai.domain.errors import Invalid
from fake_convai.domain.roster import MAX_MEMBERS, Status
from fake_convai.domain.text import MAX_FACT_LENGTH, normalise_fact
from fake_convai.settings import Plan

MAX_ROOMS = 100


def _moment(value: object) -> object:
    # YAML reads an unquoted time as a datetime.
    text = value.isoformat() if hasattr(value, "isoformat") else value
    if not isinstance(text, str):
        raise ValueError("send an ISO 8601 date or time")
    try:
        return parse_moment(text, "time")
    except Invalid:
        raise ValueError("send an ISO 8601 date or time such as 2026-01-31T12:00:00Z") from None


def _fact(value: object) -> object:
    fact = normalise_fact(value) if isinstance(value, str) else ""
    if not 0 < len(fact) <= MAX_FACT_LENGTH:
        raise ValueError(f"send a non-blank string of at most {MAX_FACT_LENGTH} characters")
    return fact


Moment = Annotated[
    int,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "description": "An ISO 8601 date or time; without an offset it is UTC."}),
]
"""ISO 8601 outside, microseconds inside."""


class AccountPart(Document):
    """The account itself."""

    plan: Plan | None = None
    dedup: DedupMode | None = None
    replies: RepliesDocument | None = None
    pace: PaceDocument | None = None
    lag: LagDocument | None = None


class MemorySettings(Document):
    """The memory switch."""

    enabled: StrictBool = False


class CharacterPart(Document):
    """A character; what is left out is made up."""

    character_id: Id
    character_name: Id | None = None
    voice_type: Id | None = None
    backstory: StrictStr | None = None
    listing: Id | None = None
    language_codes: list[StrictStr] | None = None
    character_actions: list[StrictStr] | None = None
    memory_settings: MemorySettings | None = None
    model_details: dict[StrictStr, Any] | None = None
    timestamp: Moment | None = None


class EndUserPart(Document):
    """A person."""

    end_user_id: EndUserId
    end_user_metadata: EndUserMetadata = Field(default_factory=dict)
    last_active_ts: Moment | None = None
    last_ltm_usage_ts: Moment | None = None


class MemoryPart(Document):
    """A fact that a character of this account remembers; its person is made if need be."""

    character_id: Id
    end_user_id: EndUserId
    memory: Annotated[StrictStr, BeforeValidator(_fact)]
    id: Id | None = None
    metadata: dict[StrictStr, Any] = Field(default_factory=dict)
    created_at: Moment | None = None
    updated_at: Moment | None = None


class InteractionPart(Document):
    """One turn of a session."""

    user: StrictStr
    character: StrictStr
    timestamp: Moment | None = None
    is_trigger_input: StrictBool = False


class SessionPart(Document):
    """A conversation that is over; without an end user it was anonymous."""

    character_id: Id
    end_user_id: EndUserId | None = None
    session_id: Id | None = Field(None, alias="sessionID")
    started_at: Moment | None = None
    is_added_to_memory: StrictBool = False
    interactions: list[InteractionPart] = Field(default_factory=list)


class RoomCharacterPart(Document):
    """An instance of a character in a room; `display_name` and `participant_identity` are made, whatever they say."""

    character_id: Id
    membership_id: Id | None = None
    character_session_id: Id | None = None
    is_initial: StrictBool = False
    status: Status = "dispatch_accepted"
    failure_code: StrictStr | None = None
    display_name: StrictStr | None = None
    participant_identity: StrictStr | None = None


class RoomParticipantPart(Document):
    """Somebody in a room, as a state shows them; a seed puts nobody there."""

    participant_identity: StrictStr
    end_user_id: StrictStr


class RoomPart(Document):
    """A room with several characters, which is empty until somebody joins it."""

    characters: Annotated[list[RoomCharacterPart], Field(min_length=1, max_length=MAX_MEMBERS)]
    room_session_id: Id | None = None
    room_name: Id | None = None
    shared_session_key: Id | None = None
    max_num_participants: Annotated[StrictInt, Field(ge=1)] = 1
    group_chat: StrictBool = False
    active_membership_id: Id | None = None
    route_epoch: Annotated[StrictInt, Field(ge=0)] = 0
    roster_epoch: Annotated[StrictInt, Field(ge=0)] = 0
    participants: list[RoomParticipantPart] = Field(default_factory=list)


class SeedDocument(Document):
    """What an account holds, or is to hold; any part may be left out."""

    kind = "seed document"

    account: AccountPart = Field(default_factory=AccountPart)
    characters: list[CharacterPart] = Field(default_factory=list)
    end_users: list[EndUserPart] = Field(default_factory=list)
    memories: list[MemoryPart] = Field(default_factory=list)
    sessions: list[SessionPart] = Field(default_factory=list)
    rooms: list[RoomPart] = Field(default_factory=list, max_length=MAX_ROOMS)
    stubs: list[StubDocument] = Field(default_factory=list, max_length=MAX_STUBS)

    @field_validator("characters")
    @classmethod
    def _each_once(cls, characters: list[CharacterPart]) -> list[CharacterPart]:
        seen: set[str] = set()
        for number, character in enumerate(characters):
            if character.character_id in seen:
                raise ValueError(
                    f"two characters have the id '{character.character_id}', the second as number {number}"
                )
            seen.add(character.character_id)
        return characters


def read_seeds(paths: Iterable[Path]) -> list[SeedDocument]:
    """The documents that every new account starts with, in order; `Invalid` names file and place.

    A memory, a session or a room must be with a character of the same file or one before, or no account could ever be
    opened.
    """
    known: set[str] = set()
    documents = []
    for path in paths:
        document = read_seed(path)
        known |= {character.character_id for character in document.characters}
        for place, character_id in _played(document):
            if character_id not in known:
                raise Invalid(
                    f"{path} is no seed document: at '{place}.character_id' there is no character '{character_id}', "
                    f"neither in this file nor in one before."
                )
        documents.append(document)
    return documents


def _played(document: SeedDocument) -> Iterator[tuple[str, str]]:
    """The characters that parts of a document are about, each with the place of the part."""
    yield from ((f"memories[{number}]", part.character_id) for number, part in enumerate(document.memories))
    yield from ((f"sessions[{number}]", part.character_id) for number, part in enumerate(document.sessions))
    for number, room in enumerate(document.rooms):
        yield from ((f"rooms[{number}].characters[{at}]", one.character_id) for at, one in enumerate(room.characters))


def read_seed(path: Path) -> SeedDocument:
    """A seed document from a file; `Invalid` names file and place."""
    document = read_document(path)
    try:
        return SeedDocument.parse(document)
    except Invalid as error:
        raise Invalid(f"{path} is no seed document: {error}") from error


def read_document(path: Path) -> dict[str, Any]:
    """The object in a file, YAML by its ending and JSON otherwise, by the rules for what is sent over HTTP.

    - is standard input, as `serve --seed -` has it.
    """
    try:
        text = _read(path)
        if not text.strip():
            raise ValueError("it is empty")
        return parse_object(yaml_to_json(text) if _is_yaml(path, text) else text.encode())
    except RecursionError:
        raise Invalid(f"{path} is no seed document: it is nested too deeply.") from None
    except OSError as error:
        raise Invalid(f"{path} is no seed document: {error.strerror}") from error
    except (ValueError, TypeError, Invalid) as error:
        reason = " ".join(str(error).replace("The request body", "it").split())
        raise Invalid(f"{path} is no seed document: {reason}") from error


_PIPES: dict[Path, str] = {}


def _read(path: Path) -> str:
    """The text of a file; a pipe, such as standard input, gives its text once and is remembered."""
    if path in _PIPES:
        return _PIPES[path]
    is_input = str(path) == "-"
    text = sys.stdin.buffer.read().decode("utf-8-sig") if is_input else path.read_text("utf-8-sig")
    if is_input or (path.exists() and not path.is_file()):
        _PIPES[path] = text
    return text


def _is_yaml(path: Path, text: str) -> bool:
    return path.suffix.lower() in {".yaml", ".yml"} or (path in _PIPES and not text.lstrip().startswith("{"))
