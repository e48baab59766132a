"""Putting a seed document into an account, all or nothing."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fake_convai.control import rooms
from fake_convai.control.seed_document import (
    AccountPart,
    CharacterPart,
    EndUserPart,
    MemoryPart,
    SeedDocument,
    SessionPart,
)
from fake_convai.domain.errors import Invalid
from fake_convai.domain.identity import patch_metadata
from fake_convai.store import accounts, characters, conversations, lag, memories, people, stubs
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.characters import Character
from fake_convai.store.conversations import Conversation, Turn, canonical_id
from fake_convai.store.memories import Memory
from fake_convai.store.people import Person

# Facts without an id get one made from what they say, so that seeding twice gives the same records, not two of each.
_NAMESPACE = uuid.UUID("c0417a1f-4b1e-4c7e-9d5a-5eed5eed5eed")


def plant(tx: AccountTransaction, document: SeedDocument) -> None:
    """Add a document to the account. What has an id that is there already is replaced.

    Raises `Invalid`, naming the place, for a memory or a session of a character that neither the document nor the
    account has.
    """
    tx.take_turn()
    _set_up(tx, document.account)
    everybody = people.seen_all(
        tx,
        (
            part.end_user_id
            for parts in (document.end_users, document.memories, document.sessions)
            for part in parts
            if part.end_user_id
        ),
    )
    used = _plant_end_users(tx, document.end_users, everybody)
    for character in document.characters:
        _plant_character(tx, character)
    own = {character.character_id: character for character in characters.list_mine(tx)}
    memories.put_all(
        tx,
        [
            (
                everybody[part.end_user_id],
                _own_character(own, part.character_id, f"memories[{number}]"),
                _memory(part, tx.now),
            )
            for number, part in enumerate(document.memories)
        ],
    )
    _plant_sessions(tx, document.sessions, own, everybody)
    rooms.plant(tx, document.rooms, own)
    for person, at in used:
        people.note_ltm_usage(tx, person.speaker_seq, at)
    for stub in document.stubs:
        stubs.add(tx, stub.stub())


def _set_up(tx: AccountTransaction, account: AccountPart) -> None:
    """The settings of the account itself; what is left out stays."""
    if account.plan is not None:
        accounts.set_plan(tx, account.plan)
    if account.dedup is not None:
        accounts.set_dedup(tx, account.dedup)
    if account.replies is not None:
        accounts.set_replies(tx, account.replies.script())
    if account.pace is not None:
        accounts.set_pace(tx, account.pace.pace())
    if account.lag is not None:
        lag.set_settings(tx, account.lag.lag())


def _plant_character(tx: AccountTransaction, part: CharacterPart) -> None:
    given = part.model_dump(exclude_none=True, exclude={"character_id", "memory_settings", "timestamp"})
    if part.memory_settings is not None:
        given["memory_enabled"] = part.memory_settings.enabled
    there = characters.find(tx, part.character_id)
    if there is not None and there.account_id == tx.account_id:
        characters.change(tx, there, given)
    else:
        characters.create(tx, character_id=part.character_id, created_at=part.timestamp, **given)


def _plant_end_users(
    tx: AccountTransaction, parts: Iterable[EndUserPart], everybody: Mapping[str, Person]
) -> list[tuple[Person, int]]:
    """Returns when memory of whom was used, which is to be written down last."""
    metadata: dict[int, tuple[Person, dict[str, Any]]] = {}
    active, usage = [], []
    for part in parts:
        person = everybody[part.end_user_id]
        _, known = metadata.get(person.speaker_seq, (person, person.metadata))
        metadata[person.speaker_seq] = person, patch_metadata(known, part.end_user_metadata)
        if part.last_active_ts is not None:
            active.append((person, part.last_active_ts))
        if part.last_ltm_usage_ts is not None:
            usage.append((person, part.last_ltm_usage_ts))
    people.note_all(tx, metadata.values(), active)
    return usage


def _memory(part: MemoryPart, now: int) -> Memory:
    created_at = part.created_at if part.created_at is not None else now
    return Memory(
        id=part.id or _made_id(part.character_id, part.end_user_id, part.memory),
        memory=part.memory,
        created_at=created_at,
        updated_at=part.updated_at if part.updated_at is not None else created_at,
        metadata=part.metadata,
    )


def _plant_sessions(
    tx: AccountTransaction,
    parts: Sequence[SessionPart],
    own: Mapping[str, Character],
    everybody: Mapping[str, Person],
) -> None:
    ids = [canonical_id(part.session_id or _made_session_id(part)) for part in parts]
    characters_of = conversations.characters_of(tx, ids)
    held = []
    for number, (part, session_id) in enumerate(zip(parts, ids, strict=True)):
        character_seq = _own_character(own, part.character_id, f"sessions[{number}]").character_seq
        if characters_of.setdefault(session_id, character_seq) != character_seq:
            raise Invalid(
                f"Invalid seed document at 'sessions[{number}].sessionID': another character has the session "
                f"'{part.session_id or session_id}'.",
            )
        held.append(_conversation(tx, part, session_id, character_seq, everybody))
    conversations.put_all(tx, held)


def _conversation(
    tx: AccountTransaction, part: SessionPart, session_id: str, character_seq: int, everybody: Mapping[str, Person]
) -> tuple[Conversation, list[Turn]]:
    conversation = Conversation(
        seq=0,
        account_id=tx.account_id,
        character_session_id=session_id,
        character_seq=character_seq,
        speaker_id=everybody[part.end_user_id].speaker_id if part.end_user_id else None,
        started_at=part.started_at if part.started_at is not None else tx.now,
        is_added_to_memory=part.is_added_to_memory,
    )
    at = conversation.started_at
    said = []
    for interaction in part.interactions:
        at = at if interaction.timestamp is None else interaction.timestamp
        said.append(Turn(at, interaction.user, interaction.character, interaction.is_trigger_input))
    return conversation, said


def _own_character(own: Mapping[str, Character], character_id: str, place: str) -> Character:
    character = own.get(character_id)
    if character is None:
        raise Invalid(
            f"Invalid seed document at '{place}.character_id': no character '{character_id}' in the document or the "
            f"account.",
        )
    return character


def _made_session_id(part: SessionPart) -> str:
    said = "\n".join(interaction.user for interaction in part.interactions)
    return _made_id(part.character_id, part.end_user_id or "", str(part.started_at), said)


def _made_id(*said: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, "\n".join(said)))
