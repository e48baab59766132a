"""Live sessions: connect, talk, end, and what is remembered of it (docs/contract.md section 9)."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import orjson

from fake_convai.domain.errors import FakeConvaiError, NotFound, TooMany
from fake_convai.store import characters, conversations, end_users, lag, memories, people, shared_rooms
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.characters import Character
from fake_convai.store.conversations import Conversation
from fake_convai.store.memories import Remembered
from fake_convai.store.people import Person
from fake_convai.store.query import Query, Transaction, named
from fake_convai.store.statements import (
    bindparam,
    func,
    insert,
    live_sessions,
    select,
    turns,
    update,
)

MOST_REMEMBERED = 1000
"""Facts of one session; of more the last ones."""

MOST_READ = 2000
"""Turns whose facts a process has in mind."""

_is_it = live_sessions.c.session_id == bindparam("the_session")
IS_OPEN = live_sessions.c.ended_at.is_(None)
_OPEN_COUNT = Query(
    select(func.count())
    .select_from(live_sessions)
    .where(live_sessions.c.account_id == bindparam("account_id"), IS_OPEN)
)


_INSERT = Query(
    insert(live_sessions).values(
        named(
            "session_id",
            "account_id",
            "conversation_seq",
            "speaker_id",
            "transport",
            "room_name",
            "shared_session_key",
            "max_num_participants",
            "started_at",
            "last_seen_at",
            "known_facts",
            "action_config",
        )
    )
)
_ACTION_CONFIG = Query(select(live_sessions.c.action_config).where(_is_it))
_SET_ACTION_CONFIG = Query(update(live_sessions).where(_is_it).values(action_config=bindparam("config")))
_LENGTH_SAID = Query(
    select(func.coalesce(func.sum(func.length(turns.c.user_message)), 0)).where(
        turns.c.session_id == bindparam("session_id")
    )
)
_KNOWN_FACTS = Query(select(live_sessions.c.known_facts).where(_is_it))
_TOUCH = Query(update(live_sessions).where(_is_it, IS_OPEN).values(last_seen_at=bindparam("at")))
_END = Query(update(live_sessions).where(_is_it, IS_OPEN).values(ended_at=bindparam("at"), holder=None))
_HOLD = Query(
    update(live_sessions).where(_is_it, IS_OPEN, live_sessions.c.holder.is_(None)).values(holder=bindparam("by"))
)


class SessionGone(FakeConvaiError):
    """The session has ended, or never was; `known` tells which."""

    def __init__(self, *, known: bool) -> None:
        super().__init__("The session has ended." if known else "There is no such session.")
        self.known = known


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client asks of `/connect`; who joins a room need not name its character."""

    character: Character | None
    end_user_id: str | None
    speaker_id: str | None
    end_user_metadata: Mapping[str, Any]
    character_session_id: str | None
    transport: str
    join: bool = False
    shared_session_key: str | None = None
    room_name: str | None = None
    max_num_participants: int = 1
    action_config: Mapping[str, Any] | None = None

    @property
    def locator(self) -> str | None:
        """What the room is called that is to be shared; None for a room of one's own."""
        return self.shared_session_key or self.room_name


@dataclass(frozen=True, slots=True)
class Session:
    """A live session as it is stored; `person` is None for an anonymous one."""

    session_id: str
    account_id: int
    conversation_seq: int
    speaker_id: str | None
    transport: str
    room_name: str
    started_at: int
    last_seen_at: int
    ended_at: int | None
    holder: str | None


COLUMNS = tuple(live_sessions.c[field.name] for field in fields(Session))
_FIND = Query(select(*COLUMNS).where(live_sessions.c.session_id == bindparam("session_id")))


@dataclass(frozen=True, slots=True)
class Introduction:
    """Whom an open session is with, and what it goes on with."""

    character_id: str
    end_user_id: str | None
    character_session_id: str

    def as_body(self) -> dict[str, str | None]:
        """In the words of a request, as faults are matched by them."""
        return {"character_id": self.character_id, "end_user_id": self.end_user_id}


@dataclass(frozen=True, slots=True)
class Connected:
    """What `/connect` hands out."""

    session_id: str
    request_trace_id: str
    character_session_id: str
    room_name: str
    now: int


def connect(tx: AccountTransaction, wish: Wish, max_sessions: int | None) -> Connected:
    """Open a session: the person is seen and active, and what is stored of them is read.

    Raises `NotFound` or `Forbidden` for a conversation to resume, `TooMany` when the account has `max_sessions` open,
    `NotFound` for a room to join that is not there, `Conflict` for one that does not fit.
    """
    if max_sessions is not None or wish.locator is not None or wish.end_user_id or wish.speaker_id:
        tx.take_turn()
    room = None
    if wish.locator is not None:
        locator = "room_name" if wish.shared_session_key is None else "shared_session_key"
        room = shared_rooms.find(tx, locator, wish.locator, character=wish.character, join=wish.join)
    character = wish.character
    if character is None:
        assert room is not None, "who names no character joins a room"
        character = characters.of_conversation(tx, room.conversation_seq)
    earlier = (
        None
        if wish.character_session_id is None
        else conversations.find(tx, wish.character_session_id, character.character_seq)
    )
    person = _person_of(tx, wish)
    check_limit(tx, max_sessions)
    conversation = earlier or conversations.begin(
        tx, character.character_seq, None if person is None else person.speaker_id
    )
    if earlier is None and tx.lags:
        lag.hold(tx, "chat_history", conversation_seq=conversation.seq)
    session_id = tx.new_id()
    room_name = room.name if room is not None else wish.room_name or made_name(session_id)
    size = wish.max_num_participants if room is None else room.size
    begin(tx, session_id, person, character, conversation, wish, room_name=room_name, size=size)
    if person is not None:
        welcome(tx, person, wish, [character])
    return Connected(session_id, new_trace_id(tx), conversation.character_session_id, room_name, tx.now)


def begin(
    tx: AccountTransaction,
    session_id: str,
    person: Person | None,
    character: Character,
    conversation: Conversation,
    wish: Wish,
    *,
    room_name: str,
    size: int,
) -> None:
    """Write down a session that begins."""
    tx.run(
        _INSERT,
        session_id=session_id,
        conversation_seq=conversation.seq,
        speaker_id=None if person is None else person.speaker_id,
        transport=wish.transport,
        room_name=room_name,
        shared_session_key=wish.shared_session_key,
        max_num_participants=size,
        started_at=tx.now,
        last_seen_at=tx.now,
        known_facts=orjson.dumps([] if person is None else memories.recall(tx, person, character)).decode(),
        action_config=None if wish.action_config is None else orjson.dumps(wish.action_config).decode(),
    )


def made_name(session_id: str) -> str:
    """What a room is called that nobody named."""
    return f"convai-{session_id[:8]}"


def new_trace_id(tx: AccountTransaction) -> str:
    """The id of a `/connect` request."""
    return f"req_{uuid.UUID(tx.new_id()).hex}"


def find(tx: Transaction | AccountTransaction, session_id: str) -> Session | None:
    """The session with this id, whosoever it is, open or ended."""
    row = tx.first(_FIND, session_id=session_id)
    return None if row is None else Session(*row)


def hold(tx: AccountTransaction, session_id: str, holder: str) -> bool:
    """Take a session's only WebSocket; False when another has it."""
    return tx.run(_HOLD, the_session=session_id, by=holder) > 0


def touch(tx: AccountTransaction, session_id: str) -> None:
    """Something was heard from the client: it is not idle. Raises `SessionGone` when it has ended."""
    if tx.run(_TOUCH, the_session=session_id, at=tx.now) == 0:
        raise SessionGone(known=find(tx, session_id) is not None)


def introduce(tx: AccountTransaction, session: Session) -> Introduction:
    """Whom the session is with. Raises `SessionGone` when it has ended."""
    session = still_open(tx, session.session_id)
    person = None if session.speaker_id is None else people.find_speaker(tx, session.speaker_id)
    character = characters.of_conversation(tx, session.conversation_seq)
    conversation = conversations.by_seq(tx, session.conversation_seq)
    return Introduction(
        character.character_id, None if person is None else person.end_user_id, conversation.character_session_id
    )


def end(tx: AccountTransaction, session_id: str) -> list[Remembered] | None:
    """End a session and remember what its person said, which is returned; None when it had ended before, or never was.

    Both happen in this one transaction, so that no crash can come between them.
    """
    session = find(tx, session_id)
    if session is None or session.ended_at is not None:
        return None
    person = None if session.speaker_id is None else people.find_speaker(tx, session.speaker_id, hold=True)
    if tx.shared:  # another replica may have ended it before the person was held
        session = find(tx, session_id)
        if session is None or session.ended_at is not None:
            return None
    is_added, remembered = _remember(tx, session, person)
    conversations.hold(tx, session.conversation_seq)
    if is_added:
        conversations.mark_added_to_memory(tx, session.conversation_seq)
    ended = tx.run(_END, the_session=session_id, at=tx.now) > 0
    conversations.forget_if_deleted(tx, session.conversation_seq)
    if person is not None and is_added:
        people.note_ltm_usage(tx, person.speaker_seq)
    return remembered if ended else None


def _remember(tx: AccountTransaction, session: Session, person: Person | None) -> tuple[bool, list[Remembered]]:
    """Whether a character with memory remembers by now what a person said in its session, and what became of it."""
    character = characters.of_conversation(tx, session.conversation_seq)
    said = [] if person is None or not character.memory_enabled else conversations.said_in(tx, session.session_id)
    if person is None or not said:
        return False, []
    told = [fact for message in said for fact in facts_in(message)]
    facts = list(dict.fromkeys(reversed(told)))[:MOST_REMEMBERED][::-1]  # of what was said twice, what was said last
    conversation_seq = session.conversation_seq
    if lag.hold(tx, "extraction", speaker_id=person.speaker_id, conversation_seq=conversation_seq, said=facts):
        return False, []
    return True, memories.remember(tx, person, character, facts, {}) if facts else []


def length_said(tx: AccountTransaction, session_id: str) -> int:
    """How many characters the person said in a session."""
    row = tx.first(_LENGTH_SAID, session_id=session_id)
    return 0 if row is None else int(row[0])


@lru_cache(maxsize=MOST_READ)
def _facts_in(said: str) -> tuple[str, ...]:
    from fake_convai.domain.extraction import extract_facts

    return tuple(extract_facts(said))


def facts_in(said: str) -> tuple[str, ...]:
    """What is understood of a turn, which every later turn of the conversation asks again, and its end too."""
    from fake_convai.domain.extraction import MAX_READ  # whose patterns are made when somebody first says something

    return _facts_in(said[: MAX_READ + 1])


def known_facts(tx: AccountTransaction, session: Session) -> list[str]:
    """What was stored about the person when they connected; of one who was deleted since nothing is known."""
    row = None if session.speaker_id is None else tx.first(_KNOWN_FACTS, the_session=session.session_id)
    return [] if row is None else orjson.loads(row[0])


def action_config(tx: AccountTransaction, session_id: str) -> dict[str, Any] | None:
    """What the client lets the character do; None when it has not said."""
    row = tx.first(_ACTION_CONFIG, the_session=session_id)
    return None if row is None or row[0] is None else orjson.loads(row[0])


def change_action_config(tx: AccountTransaction, session_id: str, config: Mapping[str, Any]) -> None:
    """Replace the lists of what the character may do that are given, and keep the others."""
    changed = {**(action_config(tx, session_id) or {}), **config}
    tx.run(_SET_ACTION_CONFIG, the_session=session_id, config=orjson.dumps(changed).decode())


def still_open(tx: AccountTransaction, session_id: str) -> Session:
    """The session; `SessionGone` when it has ended."""
    session = find(tx, session_id)
    if session is None or session.ended_at is not None:
        raise SessionGone(known=session is not None)
    return session


def _person_of(tx: AccountTransaction, wish: Wish) -> Person | None:
    """The person who connects; an `end_user_id` wins over a `speaker_id` (docs/contract.md section 6, assumed)."""
    if wish.end_user_id is not None:
        return end_users.seen(tx, wish.end_user_id)
    if wish.speaker_id is None:
        return None
    person = people.find_speaker(tx, wish.speaker_id, hold=True)
    if person is None:
        raise NotFound(f"Unknown speaker_id '{wish.speaker_id}'.")
    return person


def welcome(tx: AccountTransaction, person: Person, wish: Wish, cast: Iterable[Character]) -> None:
    """Note that somebody is active, and with their memories if one of the characters has any."""
    people.note_activity(tx, person, tx.now)
    if wish.end_user_id is not None and wish.end_user_metadata:
        people.change_metadata(tx, person, wish.end_user_metadata)
    if any(character.memory_enabled for character in cast):
        people.note_ltm_usage(tx, person.speaker_seq)


def check_limit(tx: AccountTransaction, max_sessions: int | None) -> None:
    """Raise `TooMany` when the account has as many sessions open as it may."""
    row = tx.first(_OPEN_COUNT) if max_sessions is not None else None
    if row is not None and max_sessions is not None and row[0] >= max_sessions:
        raise TooMany(f"Concurrent session limit reached: this account has {row[0]} of {max_sessions} sessions open.")
