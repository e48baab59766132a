"""An account as a seed document: seeding it into an empty account gives the same state."""

from collections.abc import Collection, Sequence
from typing import Any

from fake_convai.control import rooms
from fake_convai.control.seed_document import CharacterPart
from fake_convai.control.stub_document import describe_stub
from fake_convai.domain.clock import to_iso
from fake_convai.store import accounts, characters, conversations, lag, memories, people, stubs
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.characters import Character
from fake_convai.store.conversations import Conversation
from fake_convai.store.memories import Memory
from fake_convai.store.people import Person

PARTS = ("characters", "end_users", "memories", "sessions")
"""What a state always has."""


def export(
    tx: AccountTransaction, end_user_id: str | None = None, parts: Collection[str] = frozenset(PARTS)
) -> dict[str, Any]:
    """The account's characters, end users, memories and sessions, each in the order they were made.

    With an `end_user_id`: of people, memories and sessions only those of this person, which are none for a stranger.
    What is not among the `parts` is empty, and is not read either.
    """
    tx.see_one_state()
    person = None if end_user_id is None else people.find(tx, end_user_id)
    speaker_id = None if person is None else person.speaker_id
    is_stranger = end_user_id is not None and person is None
    kept = [] if is_stranger or "memories" not in parts else memories.list_all(tx, speaker_id)
    held = [] if is_stranger or "sessions" not in parts else conversations.list_all(tx, speaker_id)
    needs_people = end_user_id is None and not {"end_users", "memories", "sessions"}.isdisjoint(parts)
    known = people.list_all(tx) if needs_people else [] if person is None else [person]
    exported = _exported(tx, known, kept, held)
    if open_rooms := rooms.export(tx, {one["character_id"] for one in exported["characters"]}, end_user_id):
        exported["rooms"] = open_rooms
    return {name: [] if name in PARTS and name not in parts else part for name, part in exported.items()}


def _exported(
    tx: AccountTransaction,
    known: Sequence[Person],
    kept: Sequence[tuple[str, int, Memory]],
    begun: Sequence[Conversation],
) -> dict[str, Any]:
    everybody = {person.speaker_id: person for person in known}
    mine = {character.character_seq: character for character in characters.list_mine(tx)}
    profile = accounts.profile(tx)
    _, pace = accounts.manner(tx)
    settings = {
        "plan": profile.plan,
        "dedup": profile.dedup,
        "replies": accounts.replies(tx),
        "pace": pace.given() or None,
        "lag": lag.settings(tx) or None,
    }
    account = {name: value for name, value in settings.items() if value is not None}
    remembered = [row for row in kept if row[1] in mine]
    held = [one for one in begun if one.character_seq in mine]
    # A speaker whom something hangs from becomes an end user when they are seeded, so they are one here.
    shown = {speaker_id for speaker_id, _, _ in remembered} | {one.speaker_id for one in held}
    end_users = [
        person for person in everybody.values() if person.end_user_id is not None or person.speaker_id in shown
    ]
    answers = [describe_stub(stub) for stub in stubs.list_mine(tx)]
    return {
        **({"account": account} if account else {}),
        **({"stubs": answers} if answers else {}),
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


_OTHERWISE = {"memory_settings", "model_details", "timestamp"}


def _character(character: Character) -> dict[str, Any]:
    return {
        **{name: getattr(character, name) for name in CharacterPart.model_fields if name not in _OTHERWISE},
        "memory_settings": {"enabled": character.memory_enabled},
        **({} if character.model_details is None else {"model_details": character.model_details}),
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
