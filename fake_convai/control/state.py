"""An account as a seed document: seeding it into an empty account gives the same state."""

from collections.abc import Sequence
from typing import Any

from fake_convai.domain.clock import to_iso
from fake_convai.store import accounts, characters, conversations, memories, people
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.characters import Character
from fake_convai.store.conversations import Conversation
from fake_convai.store.memories import Memory
from fake_convai.store.people import Person

PARTS = ("characters", "end_users", "memories", "sessions")
"""What a state always has."""


def export(tx: AccountTransaction, end_user_id: str | None = None) -> dict[str, Any]:
    """The account's characters, end users, memories and sessions, each in the order they were made.

    With an `end_user_id`: of people, memories and sessions only those of this person, which are none for a stranger.
    """
    tx.see_one_state()
    if end_user_id is None:
        return _exported(tx, people.list_all(tx), memories.list_all(tx), conversations.list_all(tx))
    person = people.find(tx, end_user_id)
    if person is None:
        return _exported(tx, [], [], [])
    of_person = person.speaker_id
    return _exported(tx, [person], memories.list_all(tx, of_person), conversations.list_all(tx, of_person))


def _exported(
    tx: AccountTransaction,
    known: Sequence[Person],
    kept: Sequence[tuple[str, int, Memory]],
    begun: Sequence[Conversation],
) -> dict[str, Any]:
    everybody = {person.speaker_id: person for person in known}
    mine = {character.character_seq: character for character in characters.list_mine(tx)}
    profile = accounts.profile(tx)
    account = {name: value for name, value in (("plan", profile.plan), ("dedup", profile.dedup)) if value is not None}
    remembered = [row for row in kept if row[1] in mine]
    held = [one for one in begun if one.character_seq in mine]
    # A speaker whom something hangs from becomes an end user when they are seeded, so they are one here.
    shown = {speaker_id for speaker_id, _, _ in remembered} | {one.speaker_id for one in held}
    end_users = [
        person for person in everybody.values() if person.end_user_id is not None or person.speaker_id in shown
    ]
    return {
        **({"account": account} if account else {}),
        "characters": [_character(character) for character in mine.values()],
        "end_users": [_end_user(person) for person in end_users],
        "memories": [
            {
                "character_id": mine[character_seq].character_id,
                "end_user_id": _id_of(everybody[speaker_id]),
                "id": memory.id,
                "memory": memory.memory,
                "metadata": memory.metadata,
                "created_at": to_iso(memory.created_at),
                "updated_at": to_iso(memory.updated_at),
            }
            for speaker_id, character_seq, memory in remembered
        ],
        "sessions": [
            _session(tx, conversation, mine[conversation.character_seq], everybody.get(conversation.speaker_id or ""))
            for conversation in held
        ],
    }


def _id_of(person: Person) -> str:
    """A person never seen as an end user is known by their speaker id, which means them as well."""
    return person.end_user_id or person.speaker_id


def _moment(moment: int | None) -> str | None:
    return None if moment is None else to_iso(moment)


def _character(character: Character) -> dict[str, Any]:
    return {
        "character_id": character.character_id,
        "character_name": character.character_name,
        "voice_type": character.voice_type,
        "backstory": character.backstory,
        "listing": character.listing,
        "language_codes": character.language_codes,
        "character_actions": character.character_actions,
        "memory_settings": {"enabled": character.memory_enabled},
        "timestamp": to_iso(character.created_at),
    }


def _end_user(person: Person) -> dict[str, Any]:
    return {
        "end_user_id": _id_of(person),
        "end_user_metadata": person.metadata,
        "last_active_ts": _moment(person.last_active_at),
        "last_ltm_usage_ts": _moment(person.last_ltm_usage_at),
    }


def _session(
    tx: AccountTransaction, conversation: Conversation, character: Character, person: Person | None
) -> dict[str, Any]:
    return {
        "character_id": character.character_id,
        "end_user_id": None if person is None else _id_of(person),
        "sessionID": conversation.character_session_id,
        "started_at": to_iso(conversation.started_at),
        "is_added_to_memory": conversation.is_added_to_memory,
        "interactions": [
            {
                "timestamp": to_iso(turn.at),
                "user": turn.user_message,
                "character": turn.character_message,
                "is_trigger_input": turn.is_trigger_input,
            }
            for turn in conversations.turns_of(tx, conversation.seq)
        ],
    }
