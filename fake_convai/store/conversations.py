"""Conversations and their turns: what chat history shows (docs/contract.md section 8)."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from fake_convai.domain.errors import Forbidden, NotFound
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.query import Query, array, for_each, insert_numbered, named
from fake_convai.store.statements import (
    bindparam,
    conversations,
    delete,
    exists,
    insert,
    live_sessions,
    not_,
    or_,
    pending,
    select,
    turns,
    update,
)

MOST_REREAD = 1000
"""Turns that a character has in mind of what was said before in a conversation, the newest ones."""

_COLUMNS = (
    conversations.c.conversation_seq,
    conversations.c.account_id,
    conversations.c.character_session_id,
    conversations.c.character_seq,
    conversations.c.speaker_id,
    conversations.c.started_at,
    conversations.c.is_added_to_memory,
)
_is_shown = not_(conversations.c.is_deleted)
_FIND = Query(
    select(*_COLUMNS)
    .where(conversations.c.character_session_id == bindparam("character_session_id"), _is_shown)
    .order_by((conversations.c.account_id == bindparam("account_id")).desc(), conversations.c.conversation_seq)
    .limit(1)
)
_BY_SEQ = Query(select(*_COLUMNS).where(conversations.c.conversation_seq == bindparam("conversation_seq")))
_OF_CHARACTER = Query(
    select(*_COLUMNS)
    .where(
        conversations.c.account_id == bindparam("account_id"),
        conversations.c.character_seq == bindparam("character_seq"),
        _is_shown,
    )
    .order_by(conversations.c.started_at.desc(), conversations.c.conversation_seq.desc())
)
_of_account = (
    select(*_COLUMNS)
    .where(conversations.c.account_id == bindparam("account_id"), _is_shown)
    .order_by(conversations.c.conversation_seq)
)
_OF_ACCOUNT = Query(_of_account)
_OF_PERSON = Query(_of_account.where(conversations.c.speaker_id == bindparam("speaker_id")))
_CHARACTERS_OF = for_each(
    "ids",
    lambda ids, _: select(
        conversations.c.character_session_id, conversations.c.character_seq, conversations.c.conversation_seq
    ).where(conversations.c.account_id == bindparam("account_id"), conversations.c.character_session_id.in_(ids)),
)
_insert = insert(conversations).values(
    named("account_id", "character_session_id", "character_seq", "speaker_id", "started_at", "is_added_to_memory")
)
_INSERT, _INSERT_MANY = insert_numbered(_insert, conversations.c.conversation_seq), Query(_insert)
_MARK_ADDED = Query(
    update(conversations)
    .where(conversations.c.conversation_seq == bindparam("the_seq"))
    .values(is_added_to_memory=True)
)
_is_it = (
    conversations.c.account_id == bindparam("account_id"),
    conversations.c.character_seq == bindparam("character_seq"),
    conversations.c.character_session_id == bindparam("character_session_id"),
)
_DELETE = Query(delete(conversations).where(*_is_it))
_HIDE = Query(
    update(conversations)
    # The account is named so that the one in whose transaction this runs does not take its place.
    .where(*_is_it)
    .values(is_deleted=True, account_id=conversations.c.account_id)
    .returning(conversations.c.conversation_seq)
)
_is_carried = or_(
    exists().where(
        live_sessions.c.conversation_seq == conversations.c.conversation_seq, live_sessions.c.ended_at.is_(None)
    ),
    exists().where(pending.c.conversation_seq == conversations.c.conversation_seq, pending.c.kind == "extraction"),
)
_the_conversation = conversations.c.conversation_seq == bindparam("conversation_seq")
_HOLD = Query(select(conversations.c.conversation_seq).where(_the_conversation).with_for_update(key_share=True))
_FORGET = Query(delete(conversations).where(_the_conversation, conversations.c.is_deleted, not_(_is_carried)))
_TURNS = Query(
    select(turns.c.at, turns.c.user_message, turns.c.character_message, turns.c.is_trigger_input, turns.c.session_id)
    .where(turns.c.conversation_seq == bindparam("conversation_seq"))
    .order_by(turns.c.at, turns.c.turn_seq)
)
_said = select(turns.c.user_message).where(not_(turns.c.is_trigger_input))
_SAID_LAST = Query(
    _said.where(turns.c.conversation_seq == bindparam("conversation_seq"))
    .order_by(turns.c.turn_seq.desc())
    .limit(MOST_REREAD)
)
_SAID_IN = Query(_said.where(turns.c.session_id == bindparam("session_id")).order_by(turns.c.turn_seq))
_add_turn = insert(turns).values(
    named("conversation_seq", "session_id", "at", "user_message", "character_message", "is_trigger_input")
)
_ADD_TURN, _ADD_TURNS = insert_numbered(_add_turn, turns.c.turn_seq), Query(_add_turn)
_CUT_TURN = Query(
    update(turns).where(turns.c.turn_seq == bindparam("the_seq")).values(character_message=bindparam("said"))
)
_LINES_SAID = Query(
    select(conversations.c.lines_said)
    .where(conversations.c.conversation_seq == bindparam("conversation_seq"))
    .with_for_update(key_share=True)
)
_SET_LINES_SAID = Query(
    update(conversations)
    .where(conversations.c.conversation_seq == bindparam("the_seq"))
    .values(lines_said=bindparam("counted"))
)


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation, which several connections may have carried."""

    seq: int
    account_id: int
    character_session_id: str
    character_seq: int
    speaker_id: str | None
    started_at: int
    is_added_to_memory: bool


@dataclass(frozen=True, slots=True)
class Turn:
    """What was said and answered; `session_id` is the live session it happened in, if any."""

    at: int
    user_message: str
    character_message: str
    is_trigger_input: bool = False
    session_id: str | None = None


def canonical_id(session_id: str) -> str:
    """A conversation's id as it is stored: a hyphenated UUID, however spelled (docs/contract.md section 8, assumed)."""
    try:
        return str(uuid.UUID(session_id))
    except ValueError:
        return session_id


def find(tx: AccountTransaction, session_id: str, character_seq: int) -> Conversation:
    """One of the account's conversations with a character.

    `NotFound` when it is unknown or was held with another character, `Forbidden` when it is another account's.
    """
    row = tx.first(_FIND, character_session_id=canonical_id(session_id))
    if row is None:
        raise unknown(session_id)
    conversation = _to_conversation(row)
    if conversation.account_id != tx.account_id:
        raise Forbidden(f"Session '{session_id}' belongs to another account.")
    if conversation.character_seq != character_seq:
        raise NotFound(f"Unknown session '{session_id}': it was held with another character.")
    return conversation


def unknown(session_id: str) -> NotFound:
    """The error for an id that no conversation has."""
    return NotFound(f"Unknown session '{session_id}': no conversation has this id.")


def by_seq(tx: AccountTransaction, seq: int) -> Conversation:
    """A conversation that exists."""
    row = tx.first(_BY_SEQ, conversation_seq=seq)
    assert row is not None
    return _to_conversation(row)


def list_of_character(tx: AccountTransaction, character_seq: int) -> list[Conversation]:
    """The account's conversations with a character, newest first."""
    return [_to_conversation(row) for row in tx.all(_OF_CHARACTER, character_seq=character_seq)]


def list_all(tx: AccountTransaction, speaker_id: str | None = None) -> list[Conversation]:
    """Every conversation of the account, or of one person, in the order they were begun."""
    rows = tx.all(_OF_ACCOUNT) if speaker_id is None else tx.all(_OF_PERSON, speaker_id=speaker_id)
    return [_to_conversation(row) for row in rows]


def begin(
    tx: AccountTransaction,
    character_seq: int,
    speaker_id: str | None,
    *,
    session_id: str | None = None,
    started_at: int | None = None,
    is_added_to_memory: bool = False,
) -> Conversation:
    """Start a conversation; what is not given is made up."""
    character_session_id = tx.new_id() if session_id is None else canonical_id(session_id)
    begun = tx.now if started_at is None else started_at
    number = tx.insert(
        _INSERT,
        character_session_id=character_session_id,
        character_seq=character_seq,
        speaker_id=speaker_id,
        started_at=begun,
        is_added_to_memory=is_added_to_memory,
    )
    return Conversation(
        number, tx.account_id, character_session_id, character_seq, speaker_id, begun, is_added_to_memory
    )


def add_turn(tx: AccountTransaction, conversation_seq: int, turn: Turn) -> int:
    """Write down a turn; returns its number."""
    return tx.insert(_ADD_TURN, **_turn_row(conversation_seq, turn))


def cut_turn(tx: AccountTransaction, turn_seq: int, said: str) -> None:
    """The character was interrupted: keep what it had said by then."""
    tx.run(_CUT_TURN, the_seq=turn_seq, said=said)


def count_line(tx: AccountTransaction, conversation_seq: int, match: str) -> int:
    """How often a scripted sequence was said before in the conversation; it is about to be said once more."""
    row = tx.first(_LINES_SAID, conversation_seq=conversation_seq)
    counted: dict[str, int] = {} if row is None or row[0] is None else orjson.loads(row[0])
    before = counted.get(match, 0)
    counted[match] = before + 1
    tx.run(_SET_LINES_SAID, the_seq=conversation_seq, counted=orjson.dumps(counted).decode())
    return before


def _turn_row(conversation_seq: int, turn: Turn) -> dict[str, Any]:
    return {**asdict(turn), "conversation_seq": conversation_seq}


def turns_of(tx: AccountTransaction, conversation_seq: int) -> list[Turn]:
    """The turns of a conversation, oldest first."""
    return [
        Turn(at, user, character, bool(trigger), session_id)
        for at, user, character, trigger, session_id in tx.all(_TURNS, conversation_seq=conversation_seq)
    ]


def said_last(tx: AccountTransaction, conversation_seq: int) -> list[str]:
    """What the person said in the last `MOST_REREAD` turns of a conversation, oldest first; triggers are not speech."""
    return [said for (said,) in reversed(tx.all(_SAID_LAST, conversation_seq=conversation_seq))]


def said_in(tx: AccountTransaction, session_id: str) -> list[str]:
    """What the person said in a live session, oldest first; triggers are not speech."""
    return [said for (said,) in tx.all(_SAID_IN, session_id=session_id)]


def mark_added_to_memory(tx: AccountTransaction, conversation_seq: int) -> None:
    """What was said has become memories."""
    tx.run(_MARK_ADDED, the_seq=conversation_seq)


def remove(tx: AccountTransaction, character_seq: int, session_ids: Sequence[str]) -> None:
    """Delete conversations with a character; ids that are unknown are passed over.

    One that a session still carries is gone from the history at once, and altogether when the session ends: what was
    said in it is to be remembered then.
    """
    for session_id in sorted(characters_of(tx, session_ids)):
        for (seq,) in tx.all(_HIDE, character_seq=character_seq, character_session_id=session_id):
            forget_if_deleted(tx, seq)


def hold(tx: AccountTransaction, conversation_seq: int) -> None:
    """Let nobody else delete or change a conversation until the transaction ends."""
    if tx.shared:
        tx.first(_HOLD, conversation_seq=conversation_seq)


def characters_of(tx: AccountTransaction, session_ids: Iterable[str]) -> dict[str, int]:
    """With which character each of these conversations was held, by its canonical id; unknown ones are left out."""
    ids = [canonical_id(one) for one in session_ids]
    return {row[0]: row[1] for row in tx.all(_CHARACTERS_OF, ids=array(ids))} if ids else {}


def put_all(tx: AccountTransaction, held: Iterable[tuple[Conversation, Sequence[Turn]]]) -> None:
    """Store conversations as they are given, whatever their `seq`, each with the session it was in and in place of one
    with the same id and character; of several with one id the last one stays."""
    last = {conversation.character_session_id: (conversation, said) for conversation, said in held}
    rows = [
        {
            "character_session_id": one.character_session_id,
            "character_seq": one.character_seq,
            "speaker_id": one.speaker_id,
            "started_at": one.started_at,
            "is_added_to_memory": one.is_added_to_memory,
        }
        for one, _ in last.values()
    ]
    if not rows:
        return
    tx.run_many(_DELETE, [{name: row[name] for name in ("character_seq", "character_session_id")} for row in rows])
    tx.run_many(_INSERT_MANY, rows)
    seqs = {row[0]: row[2] for row in tx.all(_CHARACTERS_OF, ids=array(last))}
    tx.run_many(
        _ADD_TURNS, [_turn_row(seqs[session_id], turn) for session_id, (_, said) in last.items() for turn in said]
    )


def forget_if_deleted(tx: AccountTransaction, conversation_seq: int) -> None:
    """A conversation that was deleted goes, once nothing carries it and nothing of it is still to be remembered."""
    tx.run(_FORGET, conversation_seq=conversation_seq)


def _to_conversation(row: Any) -> Conversation:
    seq, account_id, session_id, character_seq, speaker_id, started_at, added = row
    return Conversation(seq, account_id, session_id, character_seq, speaker_id, started_at, bool(added))
