"""A turn of a conversation: what the character knows, what it answers, and what is kept of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fake_convai.domain.pace import Pace
from fake_convai.domain.script import Answer, allowed_actions, read_script
from fake_convai.store import accounts, characters, conversations, people, sessions
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.characters import Character
from fake_convai.store.conversations import Conversation, Turn

_SOUND = "\0sound"
"""Counts the sounds of a conversation among its lines; no scripted match is called so."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a character answers, how fast, and the turn that it belongs to."""

    answer: Answer
    pace: Pace
    seed: str | None
    """What the jitter of the pace is drawn from."""
    turn_seq: int
    interaction_id: str
    character_session_id: str
    refused_actions: Sequence[str] = ()
    """Scripted actions that the session's `action_config` does not have."""


def say(tx: AccountTransaction, session_id: str, text: str, *, is_trigger: bool = False) -> Said:
    """Say something in a live session, and be answered. Raises `SessionGone` when it has ended."""
    session = sessions.still_open(tx, session_id)
    if session.speaker_id is not None:
        people.hold(tx, session.speaker_id)  # so that the session does not end between the turn and what is made of it
    conversation = conversations.by_seq(tx, session.conversation_seq)
    known = sessions.known_facts(tx, session)
    said = talk(
        tx,
        conversation,
        text,
        known=known,
        speaker_id=session.speaker_id,
        session_id=session_id,
        is_trigger=is_trigger,
    )
    sessions.touch(tx, session_id)
    if not said.answer.actions:
        return said
    kept, refused = allowed_actions(said.answer.actions, sessions.action_config(tx, session_id))
    return replace(said, answer=replace(said.answer, actions=kept), refused_actions=refused)


def heard(tx: AccountTransaction, conversation_seq: int) -> str:
    """What a person is taken to have said by a sound: what is scripted, of several texts the next."""
    script, _ = accounts.manner(tx)
    texts = read_script(script).heard
    if not texts:
        from fake_convai.domain.replies import UNHEARD

        return UNHEARD
    return texts[min(conversations.count_line(tx, conversation_seq, _SOUND), len(texts) - 1)]


def talk(
    tx: AccountTransaction,
    conversation: Conversation,
    text: str,
    *,
    known: Sequence[str] = (),
    speaker_id: str | None = None,
    session_id: str | None = None,
    is_trigger: bool = False,
) -> Said:
    """Add a turn to a conversation.

    The character knows the facts in `known`, and what was said earlier in it (docs/contract.md section 9).
    """
    from fake_convai.domain.replies import choose_reply  # with its words, when somebody first says something

    character = characters.of_conversation(tx, conversation.seq)
    told = list(known)
    for earlier in conversations.said_last(tx, conversation.seq):
        told += sessions.facts_in(earlier)
    script, pace = accounts.manner(tx)
    answer = choose_reply(
        text,
        memories=told,
        script=read_script(script).of(character.character_id),
        character_name=character.character_name,
        times=lambda match: conversations.count_line(tx, conversation.seq, match),
        names=lambda: _names(tx, text, told, character, speaker_id),
    )
    said = "" if answer.is_silent else answer.text
    turn_seq = conversations.add_turn(tx, conversation.seq, Turn(tx.now, text, said, is_trigger, session_id))
    pace = answer.pace.over(pace)
    seed = tx.new_secret() if pace.jitter else None
    return Said(answer, pace, seed, turn_seq, tx.new_id(), conversation.character_session_id)


def _names(
    tx: AccountTransaction, text: str, told: Sequence[str], character: Character, speaker_id: str | None
) -> Mapping[str, Any]:
    """What the blanks of a reply can be filled in with (docs/realtime.md)."""
    person = None if speaker_id is None else people.find_speaker(tx, speaker_id)
    end_user = {} if person is None else {**person.metadata, "end_user_id": person.end_user_id}
    return {
        "user_text": text,
        "end_user": end_user,
        "memories": told,
        "character": {"character_id": character.character_id, "name": character.character_name},
    }
