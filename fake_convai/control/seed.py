"""Putting a seed document into an account, all or nothing."""

import uuid

from fake_convai.control.seed_document import CharacterPart, EndUserPart, MemoryPart, SeedDocument
from fake_convai.domain.errors import Invalid
from fake_convai.store import accounts, characters, memories, people
from fake_convai.store.accounts import AccountTransaction

# Facts without an id get one made from what they say, so that seeding twice gives the same records, not two of each.
_NAMESPACE = uuid.UUID("c0417a1f-4b1e-4c7e-9d5a-5eed5eed5eed")


def plant(tx: AccountTransaction, document: SeedDocument) -> None:
    """Add a document to the account. What has an id that is there already is replaced.

    Raises `Invalid`, naming the place, for a memory of a character that neither the document nor the account has.
    """
    if document.account.plan is not None:
        accounts.set_plan(tx, document.account.plan)
    for character in document.characters:
        _plant_character(tx, character)
    for end_user in document.end_users:
        _plant_end_user(tx, end_user)
    for number, memory in enumerate(document.memories):
        _plant_memory(tx, memory, f"memories[{number}]")


def _plant_character(tx: AccountTransaction, part: CharacterPart) -> None:
    given = part.model_dump(exclude_none=True, exclude={"character_id", "memory_settings", "timestamp"}) | {
        "memory_enabled": part.memory_settings.enabled
    }
    there = characters.find(tx, part.character_id)
    if there is not None and there.account_id == tx.account_id:
        characters.change(tx, there, given)
    else:
        characters.create(tx, character_id=part.character_id, created_at=part.timestamp, **given)


def _plant_end_user(tx: AccountTransaction, part: EndUserPart) -> None:
    person = people.seen(tx, part.end_user_id)
    people.change_metadata(tx, person, part.end_user_metadata)
    if part.last_active_ts is not None:
        people.note_activity(tx, person, part.last_active_ts)
    if part.last_ltm_usage_ts is not None:
        people.note_ltm_usage(tx, person, part.last_ltm_usage_ts)


def _plant_memory(tx: AccountTransaction, part: MemoryPart, place: str) -> None:
    character = characters.find(tx, part.character_id)
    if character is None or character.account_id != tx.account_id:
        raise Invalid(
            f"Invalid seed document at '{place}.character_id': no character '{part.character_id}' in the document or "
            f"the account.",
            parameter=f"{place}.character_id",
        )
    said = f"{part.character_id}\n{part.end_user_id}\n{part.memory}"
    created_at = part.created_at if part.created_at is not None else tx.now
    memories.put(
        tx,
        people.seen(tx, part.end_user_id),
        character,
        memories.Memory(
            id=part.id or str(uuid.uuid5(_NAMESPACE, said)),
            memory=part.memory,
            created_at=created_at,
            updated_at=part.updated_at if part.updated_at is not None else created_at,
            metadata=part.metadata,
        ),
    )
