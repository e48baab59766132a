"""Letting appear what was written a while ago, by the clock or by being asked for (see `lag.py`)."""

from collections.abc import Mapping
from typing import Any

import orjson

from fake_convai.store import characters, conversations, lag, memories, people
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.query import Query, Row
from fake_convai.store.statements import bindparam, delete, pending, update

READS: Mapping[str, str] = {
    "/memory/list": "extraction",
    "/memory/get": "extraction",
    "/user/end-users/list": "end_users",
    "/user/end-users/get": "end_users",
    "/character/chatHistory/list": "chat_history",
    "/character/chatHistory/details": "chat_history",
}
"""Which lag is counted down by a request to a path."""

_it = pending.c.pending_seq == bindparam("the_seq")
_COUNT_READ = Query(update(pending).where(_it).values(reads_left=pending.c.reads_left - 1))
_DROP = Query(delete(pending).where(_it))


def catch_up(tx: AccountTransaction, path: str = "", body: Mapping[str, Any] | None = None) -> None:
    """Let appear what is due by the clock or was read often enough, and count a request to `path` as a read."""
    if not tx.all(lag.ALL):
        return
    tx.take_turn()
    for row in tx.all(lag.ALL):
        seq, kind, speaker_id, _, due_at, reads_left, _ = row
        if reads_left == 0 or (due_at is not None and due_at <= tx.now):
            _release(tx, row)
        elif reads_left is not None and READS.get(path) == kind and _is_read(tx, kind, speaker_id, body or {}):
            tx.run(_COUNT_READ, the_seq=seq)


def settle(tx: AccountTransaction) -> int:
    """Let everything appear now; returns how much that was."""
    tx.take_turn()
    waiting = tx.all(lag.ALL)
    for row in waiting:
        _release(tx, row)
    lag.set_settings(tx, lag.settings(tx))
    return len(waiting)


def _is_read(tx: AccountTransaction, kind: str, speaker_id: str | None, body: Mapping[str, Any]) -> bool:
    """Whether a request is about what waits: memories are read person by person."""
    end_user_id = body.get("end_user_id")
    if kind != "extraction" or not isinstance(end_user_id, str):
        return kind != "extraction"
    person = people.find(tx, end_user_id.strip())
    return person is not None and person.speaker_id == speaker_id


def _release(tx: AccountTransaction, row: Row) -> None:
    seq, kind, speaker_id, conversation_seq, due_at, _, said = row
    tx.run(_DROP, the_seq=seq)
    person = None if kind != "extraction" else people.find_speaker(tx, speaker_id, hold=True)
    if person is None:
        return
    then = tx if due_at is None else tx.as_of(due_at)
    character = characters.of_conversation(tx, conversation_seq)
    facts = orjson.loads(said)
    if facts:
        memories.remember(then, person, character, facts, {})
    conversations.hold(tx, conversation_seq)
    conversations.mark_added_to_memory(tx, conversation_seq)
    conversations.forget_if_deleted(tx, conversation_seq)
    people.note_ltm_usage(then, person.speaker_seq)
