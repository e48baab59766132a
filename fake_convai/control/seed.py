"""Putting a seed document into an account, all or nothing."""

import uuid

from fake_convai.control.seed_document import CharacterPart, EndUserPart, MemoryPart, SeedDocument, SessionPart
from fake_convai.domain.errors import Invalid
from fake_convai.store import accounts, characters, conversations, memories, people
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.characters import Character
from fake_convai.store.conversations import Turn, canonical_id

# Facts without an id get one made from what they say, so that seeding twice gives the same records, not two of each.
_NAMESPACE = uuid.UUID("c0417a1f-4b1e-4c7e-9d5a-5eed5eed5eed")


def plant(tx: AccountTransaction, document: SeedDocument) -> None:
    """Add a document to the account. What has an id that is there already is replaced.

    Raises `Invalid`, naming the place, for a memory or a session of a character that neither the document nor the
    account has.
    """
    if document.account.plan is not None:
        accounts.set_plan(tx, document.account.plan)
    if document.account.dedup is not None:
        accounts.set_dedup(tx, document.account.dedup)
    if document.account.replies is not None:
        accounts.set_replies(tx, document.account.replies.script())
    if document.account.pace is not None:
        accounts.set_pace(tx, document.account.pace.pace())
    for character in document.characters:
        _plant_character(tx, character)
    for end_user in document.end_users:
        _plant_end_user(tx, end_user)
    for number, memory in enumerate(document.memories):
        _plant_memory(tx, memory, f"memories[{number}]")
    if not document.sessions:
        return
    characters_of = {one.character_session_id: one.character_seq for one in conversations.list_all(tx)}
    for number, session in enumerate(document.sessions):
        _plant_session(tx, session, f"sessions[{number}]", characters_of)


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
        people.note_ltm_usage(tx, person.speaker_seq, part.last_ltm_usage_ts)


def _plant_memory(tx: AccountTransaction, part: MemoryPart, place: str) -> None:
    created_at = part.created_at if part.created_at is not None else tx.now
    memories.put(
        tx,
        people.seen(tx, part.end_user_id),
        _own_character(tx, part.character_id, place),
        memories.Memory(
            id=part.id or _made_id(part.character_id, part.end_user_id, part.memory),
            memory=part.memory,
            created_at=created_at,
            updated_at=part.updated_at if part.updated_at is not None else created_at,
            metadata=part.metadata,
        ),
    )


def _plant_session(tx: AccountTransaction, part: SessionPart, place: str, characters_of: dict[str, int]) -> None:
    """`characters_of` has the character of each session that is there, and gets this one's."""
    character = _own_character(tx, part.character_id, place)
    said = "\n".join(interaction.user for interaction in part.interactions)
    session_id = part.session_id or _made_id(part.character_id, part.end_user_id or "", str(part.started_at), said)
    if characters_of.setdefault(canonical_id(session_id), character.character_seq) != character.character_seq:
        raise Invalid(
            f"Invalid seed document at '{place}.sessionID': another character has the session '{session_id}'.",
        )
    conversations.replace(tx, character.character_seq, session_id)
    conversation = conversations.begin(
        tx,
        character.character_seq,
        people.seen(tx, part.end_user_id).speaker_id if part.end_user_id else None,
        session_id=session_id,
        started_at=part.started_at,
        is_added_to_memory=part.is_added_to_memory,
    )
    at = conversation.started_at
    for interaction in part.interactions:
        at = at if interaction.timestamp is None else interaction.timestamp
        turn = Turn(at, interaction.user, interaction.character, interaction.is_trigger_input)
        conversations.add_turn(tx, conversation.seq, turn)


def _own_character(tx: AccountTransaction, character_id: str, place: str) -> Character:
    character = characters.find(tx, character_id)
    if character is None or character.account_id != tx.account_id:
        raise Invalid(
            f"Invalid seed document at '{place}.character_id': no character '{character_id}' in the document or the "
            f"account.",
        )
    return character


def _made_id(*said: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, "\n".join(said)))
