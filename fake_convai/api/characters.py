"""Characters, and whether they remember (docs/contract.md section 7)."""

from typing import Annotated, Any

from pydantic import Field, StrictStr
from typing_extensions import TypedDict

from fake_convai.api.endpoint import Call, Group
from fake_convai.api.speakers import Success
from fake_convai.backend.models import (
    Described,
    Empty,
    Id,
    RequestModel,
    Switch,
    Text,
    Timestamp,
    Wanted,
    WholeNumber,
    needs_one_of,
)
from fake_convai.backend.surface import Surface
from fake_convai.domain.clock import to_iso
from fake_convai.domain.errors import Invalid, NotFound
from fake_convai.store import characters
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.characters import Character

group = Group("Characters", Surface.PRODUCTION, members={401: "API_ERROR"})
user_group = Group("Characters", Surface.PRODUCTION)

NO_KEY = "api_key not found."
DEFAULT_MODEL = {"modelType": "default", "modelLink": "https://models.example/default.glb"}
"""Public programs load what the link names, and some fail without one (assumed: an address that nobody has)."""

UNKNOWN_ON_GET = "INTERNAL SERVER ERROR, one or more database calls failed!"
UNKNOWN_ON_UPDATE = "Could not fetch character details from all_characters table."

Names = Annotated[list[StrictStr], Wanted("a list of strings")]


class MemorySettings(RequestModel):
    """The memory switch."""

    enabled: Switch


class CharacterRequest(RequestModel):
    """Names a character."""

    character_id: Id = Field(alias="charID")


class GetRequest(RequestModel):
    """Names a character by id or by name."""

    model_config = needs_one_of("charID", "charName")

    character_id: Id | None = Field(None, alias="charID")
    character_name: Id | None = Field(None, alias="charName")


class QueryRequest(RequestModel):
    """Names a character by its id."""

    character_id: Id


class PathRequest(QueryRequest):
    """Names a character by its id in the path."""


class PageRequest(RequestModel):
    """Selects a part of the list."""

    limit: Annotated[WholeNumber, Field(ge=1, le=100), Wanted("a whole number from 1 to 100")] = 50
    offset: Annotated[WholeNumber, Field(ge=0, le=1_000_000), Wanted("a whole number from 0 to 1000000")] = 0


class CreateRequest(RequestModel):
    """A new character."""

    character_name: Id = Field(alias="charName")
    voice_type: Id = Field(alias="voiceType")
    backstory: Text
    language_codes: Names | None = Field(None, alias="languageCodes")
    language_code: Id | None = Field(None, alias="languageCode")


class UpdateRequest(CharacterRequest):
    """The changes to a character."""

    memory_settings: Annotated[MemorySettings, Wanted('a JSON object such as {"enabled": true}')] | None = Field(
        None, alias="memorySettings"
    )
    character_name: Id | None = Field(None, alias="charName")
    backstory: Text | None = None
    voice_type: Id | None = Field(None, alias="voiceType")
    listing: Id | None = None
    language_codes: Names | None = Field(None, alias="languageCodes")
    language_code: Id | None = Field(None, alias="languageCode")
    character_actions: Names | None = Field(None, alias="characterActions")


class CharacterId(TypedDict):
    """The id of a new character."""

    charID: str


class MemorySwitch(TypedDict):
    """Says whether sessions with the character are remembered."""

    enabled: bool


class CharacterDetails(TypedDict):
    """A character."""

    character_id: str
    character_name: str
    user_id: str
    voice_type: str
    timestamp: Annotated[Timestamp, Described(description="The time at which the character was made.")]
    backstory: str
    listing: str
    language_code: str
    language_codes: list[str]
    character_actions: list[str]
    model_details: dict[str, Any]
    memory_settings: MemorySwitch


class ListAnswer(TypedDict):
    """The account's characters."""

    characters: list[CharacterDetails]


class CharacterPage(TypedDict):
    """A part of the account's characters, and how many parts of this size there are."""

    items: list[CharacterDetails]
    total: int
    page: int
    size: int
    pages: int


class Message(TypedDict):
    """What was done, for people."""

    message: str


@group.post("/character/get", source="docs", errors=(403,))
async def get(call: Call, body: GetRequest) -> CharacterDetails:
    """Get a character by id or by name."""
    if body.character_id is None and body.character_name is None:
        raise Invalid("Missing required parameter 'charID' or 'charName': send one as a non-empty string.")
    return _details(await call.store.write(_find, body.character_id, body.character_name))


@group.get("/character/get", source="sdk", errors=(403,))
async def get_by_query(call: Call, body: QueryRequest) -> CharacterDetails:
    """Get a character by the character_id of the query."""
    return _details(await call.store.write(_find, body.character_id, None))


@group.post("/character/update", source="docs", errors=(403,), missing_key=NO_KEY)
async def update(call: Call, body: UpdateRequest) -> Success:
    """Change a character; switching memory on or off holds for everybody who talks to it.

    Switching memory off keeps what is stored.
    """
    if not await call.store.write(_change, body):
        raise Invalid(UNKNOWN_ON_UPDATE)
    return {"STATUS": "SUCCESS"}


@group.post("/character/create", source="docs", status=201, members={400: "INTERNAL_ERROR"}, missing_key=NO_KEY)
async def create(call: Call, body: CreateRequest) -> CharacterId:
    """Make a character; its memory is switched off."""
    return {"charID": await call.store.write(_create, body)}


@group.post("/character/list", source="docs")
async def list_(call: Call, body: Empty) -> ListAnswer:
    """List the account's own characters, oldest first."""
    return {"characters": [_details(character) for character in await call.store.read(characters.list_mine)]}


@group.get("/character/list", source="sdk")
async def list_page(call: Call, body: PageRequest) -> CharacterPage:
    """List a part of the account's own characters, oldest first: from `offset` on, at most `limit`.

    Known from the preview of Character API v2.
    """
    mine = await call.store.read(characters.list_mine)
    return {
        "items": [_details(character) for character in mine[body.offset : body.offset + body.limit]],
        "total": len(mine),
        "page": body.offset // body.limit + 1,
        "size": body.limit,
        "pages": -(-len(mine) // body.limit),
    }


@group.delete("/character/{character_id}", source="sdk", errors=(403, 404))
async def delete_by_path(call: Call, body: PathRequest) -> Message:
    """Delete the character that the path names, and everything it remembers.

    Known from the preview of Character API v2.
    """
    await call.store.write(_remove, body.character_id)
    return {"message": "Character deleted successfully."}


@group.post("/character/delete", source="docs", errors=(403, 404))
async def delete(call: Call, body: CharacterRequest) -> Success:
    """Delete a character and everything it remembers."""
    await call.store.write(_remove, body.character_id)
    return {"STATUS": "SUCCESS"}


@user_group.post("/user/clone_character", source="docs", errors=(403, 404))
async def clone(call: Call, body: CharacterRequest) -> CharacterId:
    """Copy a character, without its memories; the copy is one's own and private."""
    return {"charID": await call.store.write(_clone, body.character_id)}


def _find(tx: AccountTransaction, character_id: str | None, character_name: str | None) -> Character:
    if character_id is not None and tx.rules.auto_create_characters:
        return characters.usable(tx, character_id)
    found = characters.by_name(tx, character_name or "") if character_id is None else characters.find(tx, character_id)
    character = characters.readable(tx, found)
    if character is None:
        raise Invalid(UNKNOWN_ON_GET)
    return character


def _change(tx: AccountTransaction, body: UpdateRequest) -> bool:
    character = characters.mine(tx, body.character_id)
    if character is None and tx.rules.auto_create_characters:
        character = characters.usable(tx, body.character_id)
    if character is None:
        return False
    changes = body.model_dump(exclude_none=True, exclude={"character_id", "memory_settings", "language_code"})
    if (codes := _languages(body)) is not None:
        changes["language_codes"] = codes
    if body.memory_settings is not None:
        changes["memory_enabled"] = body.memory_settings.enabled
    characters.change(tx, character, changes)
    return True


def _create(tx: AccountTransaction, body: CreateRequest) -> str:
    return characters.create(
        tx,
        character_name=body.character_name,
        voice_type=body.voice_type,
        backstory=body.backstory,
        language_codes=_languages(body),
    )


def _languages(body: CreateRequest | UpdateRequest) -> list[str] | None:
    """The languages: some clients send a list, others the one."""
    if body.language_codes is None and body.language_code is not None:
        return [body.language_code]
    return body.language_codes


def _remove(tx: AccountTransaction, character_id: str) -> None:
    character = characters.mine(tx, character_id)
    if character is None:
        raise NotFound(f"Unknown charID '{character_id}': /character/list shows the characters of this account.")
    characters.remove(tx, character)


def _clone(tx: AccountTransaction, character_id: str) -> str:
    original = characters.usable(tx, character_id)
    return characters.create(
        tx,
        character_name=original.character_name,
        voice_type=original.voice_type,
        backstory=original.backstory,
        language_codes=original.language_codes,
        character_actions=original.character_actions,
        memory_enabled=original.memory_enabled,
        model_details=original.model_details,
    )


def _details(character: Character) -> CharacterDetails:
    return {
        "character_id": character.character_id,
        "character_name": character.character_name,
        "user_id": character.user_id,
        "voice_type": character.voice_type,
        "timestamp": to_iso(character.created_at),
        "backstory": character.backstory,
        "listing": character.listing,
        "language_code": character.language_codes[0] if character.language_codes else "",
        "language_codes": character.language_codes,
        "character_actions": character.character_actions,
        "model_details": character.model_details or DEFAULT_MODEL,
        "memory_settings": {"enabled": character.memory_enabled},
    }
