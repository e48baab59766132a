"""Characters: who may use which one, and their settings (docs/contract.md section 7)."""

from typing import Any, NamedTuple

import orjson

from fake_convai.domain.errors import Forbidden, NotFound
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.query import Query
from fake_convai.store.statements import (
    accounts,
    bindparam,
    case,
    characters,
    conversations,
    delete,
    insert,
    or_,
    select,
    update,
)

PUBLIC = "public"
DEFAULT_VOICE = "MALE"

_COLUMNS = (
    characters.c.character_seq,
    characters.c.character_id,
    characters.c.character_name,
    accounts.c.user_id,
    characters.c.voice_type,
    characters.c.backstory,
    characters.c.listing,
    characters.c.language_codes,
    characters.c.character_actions,
    characters.c.memory_enabled,
    characters.c.created_at,
    characters.c.account_id,
    characters.c.model_details,
)
_SELECT = select(*_COLUMNS).join(accounts, accounts.c.account_id == characters.c.account_id)
_MINE = characters.c.account_id == bindparam("account_id")
# The same id may exist in several accounts, since tests seed fixed ids: one's own comes first, then a public one.
_FIRST_MINE_THEN_PUBLIC = (
    case((_MINE, 0), (characters.c.listing == PUBLIC, 1), else_=2),
    characters.c.character_seq,
)
# Nobody holds a character to hang something from it: PostgreSQL tells when it has gone meanwhile, and the transaction
# that found it is run again.
_BY_ID = Query(
    _SELECT.where(characters.c.character_id == bindparam("character_id")).order_by(*_FIRST_MINE_THEN_PUBLIC).limit(1)
)
_HOLD = Query(
    select(characters.c.character_seq)
    .where(_MINE, characters.c.character_id == bindparam("character_id"))
    .with_for_update(key_share=True)
)
# Names are not unique: what others call their private characters is nobody else's business.
_BY_NAME = Query(
    _SELECT.where(
        characters.c.character_name == bindparam("character_name"), or_(_MINE, characters.c.listing == PUBLIC)
    )
    .order_by(*_FIRST_MINE_THEN_PUBLIC)
    .limit(1)
)
_OF_CONVERSATION = Query(
    _SELECT.join(conversations, conversations.c.character_seq == characters.c.character_seq).where(
        conversations.c.conversation_seq == bindparam("conversation_seq")
    )
)
_ALL_MINE = Query(_SELECT.where(_MINE).order_by(characters.c.character_seq))
_CHANGEABLE = (
    "character_name",
    "voice_type",
    "backstory",
    "listing",
    "language_codes",
    "character_actions",
    "memory_enabled",
    "model_details",
)
_GIVEN = ("account_id", "character_id", "created_at", *_CHANGEABLE)
_INSERT = Query(insert(characters).values({name: bindparam(name) for name in _GIVEN}))
_UPDATE = Query(
    update(characters)
    .where(characters.c.character_seq == bindparam("the_seq"))
    .values({name: bindparam(name) for name in _CHANGEABLE})
)
_DELETE = Query(delete(characters).where(characters.c.character_seq == bindparam("character_seq")))


class Character(NamedTuple):
    """A character as it is stored; `user_id` is its owner's."""

    character_seq: int
    character_id: str
    character_name: str
    user_id: str
    voice_type: str
    backstory: str
    listing: str
    language_codes: list[str]
    character_actions: list[str]
    memory_enabled: bool
    created_at: int
    account_id: int
    model_details: dict[str, Any] | None = None
    """What it looks like, as it was given; None is what all start with."""


def find(tx: AccountTransaction, character_id: str) -> Character | None:
    """The character with this id, one's own first; it may be somebody else's private one."""
    return _character(tx.first(_BY_ID, character_id=character_id))


def usable(tx: AccountTransaction, character_id: str) -> Character:
    """The character, if this account may talk to it.

    Raises `NotFound` when there is none and `Forbidden` when it is another account's private one. With
    `auto_create_characters` an unknown one is made on the spot.
    """
    character = find(tx, character_id)
    if tx.rules.auto_create_characters and not _is_usable(tx, character):
        if tx.take_turn():
            character = find(tx, character_id)
        if not _is_usable(tx, character):  # another account's private one is none of ours
            create(tx, character_id=character_id)
            character = find(tx, character_id)
    if character is None:
        raise NotFound(
            f"Unknown character_id '{character_id}': no character of this account or public one has it. Make it with "
            f"/character/create or a seed, or start the fake with --auto-create-characters."
        )
    return _if_allowed(tx, character)


def by_name(tx: AccountTransaction, character_name: str) -> Character | None:
    """The character with this name, one's own or a public one, one's own first, the oldest of several."""
    return _character(tx.first(_BY_NAME, character_name=character_name))


def of_conversation(tx: AccountTransaction, conversation_seq: int) -> Character:
    """The character of a conversation that exists."""
    character = _character(tx.first(_OF_CONVERSATION, conversation_seq=conversation_seq))
    assert character is not None
    return character


def mine(tx: AccountTransaction, character_id: str) -> Character | None:
    """A character to change, held: None when unknown, `Forbidden` when it is somebody else's, public or not."""
    tx.first(_HOLD, character_id=character_id)
    character = find(tx, character_id)
    if character is not None and character.account_id != tx.account_id:
        raise _foreign(character_id)
    return character


def readable(tx: AccountTransaction, character: Character | None) -> Character | None:
    """The same character, `Forbidden` when it is another account's private one."""
    return None if character is None else _if_allowed(tx, character)


def list_mine(tx: AccountTransaction) -> list[Character]:
    """The account's own characters, oldest first."""
    return [_to_character(row) for row in tx.all(_ALL_MINE)]


def create(
    tx: AccountTransaction,
    *,
    character_id: str | None = None,
    character_name: str | None = None,
    voice_type: str = DEFAULT_VOICE,
    backstory: str = "",
    listing: str = "private",
    language_codes: list[str] | None = None,
    character_actions: list[str] | None = None,
    memory_enabled: bool = False,
    created_at: int | None = None,
    model_details: dict[str, Any] | None = None,
) -> str:
    """Make a character; memory is off unless asked for (docs/contract.md section 7). Returns its id."""
    new_id = tx.new_id() if character_id is None else character_id
    tx.run(
        _INSERT,
        character_id=new_id,
        character_name=character_name or f"Character {new_id[:8].strip()}",
        voice_type=voice_type,
        backstory=backstory,
        listing=listing,
        language_codes=_json(["en-US"] if language_codes is None else language_codes),
        character_actions=_json(character_actions or []),
        memory_enabled=memory_enabled,
        created_at=tx.now if created_at is None else created_at,
        model_details=None if model_details is None else _json(model_details),
    )
    return new_id


def change(tx: AccountTransaction, character: Character, changes: dict[str, Any]) -> None:
    """Store `changes`, by field name of `Character`; what is not named stays."""
    names = ("character_name", "voice_type", "backstory", "listing", "memory_enabled")
    values = {name: changes.get(name, getattr(character, name)) for name in names}
    for name in ("language_codes", "character_actions"):
        values[name] = _json(changes.get(name, getattr(character, name)))
    model_details = changes.get("model_details", character.model_details)
    values["model_details"] = None if model_details is None else _json(model_details)
    tx.run(_UPDATE, the_seq=character.character_seq, **values)


def remove(tx: AccountTransaction, character: Character) -> None:
    """Delete a character and, by cascade, every memory that people share with it."""
    tx.run(_DELETE, character_seq=character.character_seq)


def _if_allowed(tx: AccountTransaction, character: Character) -> Character:
    if not _is_usable(tx, character):
        raise _foreign(character.character_id)
    return character


def _is_usable(tx: AccountTransaction, character: Character | None) -> bool:
    return character is not None and (character.account_id == tx.account_id or character.listing == PUBLIC)


def _foreign(character_id: str) -> Forbidden:
    return Forbidden(f"Character '{character_id}' belongs to another account: use the API key of its owner.")


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _character(row: Any) -> Character | None:
    return None if row is None else _to_character(row)


def _to_character(row: Any) -> Character:
    values = list(row)
    values[7] = orjson.loads(values[7])
    values[8] = orjson.loads(values[8])
    values[9] = bool(values[9])
    values[12] = None if values[12] is None else orjson.loads(values[12])
    return Character(*values)
