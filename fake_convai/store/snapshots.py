"""An account's rows as a document: save and roll back, exactly, with ids and times."""

from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    DefaultClause,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from fake_convai.domain.errors import NotFound, TooLarge
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.query import Query, insert_or_ignore
from fake_convai.store.tables import (
    accounts,
    activity,
    characters,
    conversations,
    faults,
    live_sessions,
    ltm_usage,
    memories,
    memory_keys,
    partitions,
    pending,
    rosters,
    snapshots,
    speakers,
    stubs,
    tokens,
    turns,
)
from fake_convai.store.wiping import DELETE_PEOPLE, DELETE_REST, KEPT, SET_ACCOUNT, hold_people

_account: BindParameter[int] = bindparam("account_id")
_my_speakers = select(speakers.c.speaker_id).where(speakers.c.account_id == _account)
_my_seqs = select(speakers.c.speaker_seq).where(speakers.c.account_id == _account)
_my_partitions = select(partitions.c.partition_seq).where(partitions.c.speaker_id.in_(_my_speakers))
_my_conversations = select(conversations.c.conversation_seq).where(conversations.c.account_id == _account)

# In an order in which each table finds what it refers to.
_TABLES: tuple[tuple[Table, ColumnElement[bool]], ...] = (
    (speakers, speakers.c.account_id == _account),
    (ltm_usage, ltm_usage.c.speaker_seq.in_(_my_seqs)),
    (activity, activity.c.account_id == _account),
    (characters, characters.c.account_id == _account),
    (partitions, partitions.c.speaker_id.in_(_my_speakers)),
    (memories, memories.c.partition_seq.in_(_my_partitions)),
    (memory_keys, memory_keys.c.partition_seq.in_(_my_partitions)),
    (conversations, conversations.c.account_id == _account),
    (turns, turns.c.conversation_seq.in_(_my_conversations)),
    (live_sessions, live_sessions.c.account_id == _account),
    (rosters, rosters.c.account_id == _account),
    (pending, pending.c.account_id == _account),
    (tokens, tokens.c.account_id == _account),
    (faults, faults.c.account_id == _account),
    (stubs, stubs.c.account_id == _account),
)
_SELECT = {table.name: Query(select(table).where(mine).order_by(*table.primary_key)) for table, mine in _TABLES}
_INSERT = {
    table.name: Query(insert(table).values({column.name: bindparam(column.name) for column in table.c}))
    for table, _ in _TABLES
}
# Rows of other accounts may hang from a public character, so a restore changes it in place; and ours from theirs.
_MY_CHARACTERS = Query(select(characters.c.character_seq).where(characters.c.account_id == _account))
_CHARACTER = Query(select(characters.c.character_seq).where(characters.c.character_seq == bindparam("character_seq")))
_DELETE_CHARACTER = Query(delete(characters).where(characters.c.character_seq == bindparam("character_seq")))
_SET_CHARACTER = Query(
    update(characters)
    .where(characters.c.character_seq == bindparam("the_seq"))
    .values({column.name: bindparam(column.name) for column in characters.c})
)
_HANG_FROM = (
    ("partitions", "character_seq"),
    ("conversations", "character_seq"),
    ("memories", "partition_seq"),
    ("memory_keys", "partition_seq"),
    ("turns", "conversation_seq"),
    ("live_sessions", "conversation_seq"),
    ("pending", "conversation_seq"),
)
_HELD = Query(
    select(live_sessions.c.session_id, live_sessions.c.holder).where(
        live_sessions.c.account_id == _account, live_sessions.c.ended_at.is_(None)
    )
)

_ACCOUNT = Query(select(*(accounts.c[name] for name in KEPT)).where(accounts.c.account_id == _account))
_mine = snapshots.c.account_id == _account
_named = snapshots.c.name == bindparam("name")
_PUT = insert_or_ignore(snapshots, "account_id", "name", "content", "size")
_DROP = Query(delete(snapshots).where(_mine, _named))
_GET = Query(select(snapshots.c.content).where(_mine, _named))
_NAMES = Query(select(snapshots.c.name).where(_mine).order_by(snapshots.c.name))
_SIZE_OF_OTHERS = Query(
    select(func.coalesce(func.sum(snapshots.c.size), 0)).where(_mine, snapshots.c.name != bindparam("name"))
)


def content(tx: AccountTransaction) -> bytes:
    """The account's rows, to be kept under a name. On its own, so that who saves comes in nobody's way."""
    tx.see_one_state()
    account = tx.first(_ACCOUNT)
    assert account is not None
    return orjson.dumps(
        {
            "account": dict(zip(KEPT, account, strict=True)),
            "tables": {
                str(table.name): {
                    "columns": [str(column.name) for column in table.c],
                    "rows": [tuple(row) for row in tx.all(_SELECT[table.name])],
                }
                for table, _ in _TABLES
            },
        }
    )


def keep(tx: AccountTransaction, name: str, rows: bytes) -> None:
    """Keep the account's rows under a name, in place of what had it; `TooLarge` when there is no room for them."""
    tx.take_turn()
    others = tx.first(_SIZE_OF_OTHERS, name=name)
    size = len(rows) + (0 if others is None else int(others[0]))
    if size > tx.rules.snapshot_bytes:
        there = ", ".join(one for one in names(tx) if one != name)
        raise TooLarge(
            f"The snapshots of this account would take {size} bytes, and {tx.rules.snapshot_bytes} are allowed: "
            f"{f'delete one of {there}, or ' if there else ''}start the fake with more --snapshot-bytes."
        )
    tx.run(_DROP, name=name)
    tx.run(_PUT, name=name, content=rows.decode(), size=len(rows))


def restore(tx: AccountTransaction, name: str) -> None:
    """Put the account's rows back as they were saved; `NotFound` when nothing has this name.

    What hung from another account's character stays lost when that character is gone. A session that is open again
    keeps its WebSocket if it still has one, and can be given a new one if not.
    """
    tx.take_turn()
    row = tx.first(_GET, name=name)
    if row is None:
        raise _unknown(tx, name)
    kept = orjson.loads(row[0])
    saved = {table.name: _rows(table, kept["tables"].get(table.name)) for table, _ in _TABLES}
    hold_people(tx)
    holders = {row[0]: row[1] for row in tx.all(_HELD)}
    for session in saved["live_sessions"]:
        session["holder"] = holders.get(session["session_id"]) if session["ended_at"] is None else None
    tx.run(DELETE_PEOPLE)
    _restore_characters(tx, saved.pop("characters"))
    for query in DELETE_REST:
        tx.run(query)
    _drop_orphans(tx, saved)
    for table_name, rows in saved.items():
        tx.run_many(_INSERT[table_name], rows)
    account = {name: kept["account"].get(name, default) for name, default in KEPT.items()}
    tx.run(SET_ACCOUNT, the_account=tx.account_id, **account)


def _rows(table: Table, saved: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Saved rows by the names of their columns, which a newer schema may have more of, or fewer; SQLite gives booleans
    as numbers, which PostgreSQL does not take."""
    if saved is None:
        return []
    where = {name: place for place, name in enumerate(saved["columns"])}
    columns = [(column.name, where.get(column.name), column.type.python_type is bool) for column in table.c]
    defaults = {column.name: _default(column) for column in table.c}
    return [
        {
            name: defaults[name] if place is None else bool(row[place]) if is_bool else row[place]
            for name, place, is_bool in columns
        }
        for row in saved["rows"]
    ]


def _default(column: Column[Any]) -> Any:
    """What a new row has in this column."""
    if not isinstance(column.server_default, DefaultClause):
        return None
    default = str(column.server_default.arg)
    kind = column.type.python_type
    return default == "true" if kind is bool else kind(default)


def _restore_characters(tx: AccountTransaction, rows: list[dict[str, Any]]) -> None:
    saved = {row["character_seq"] for row in rows}
    for (seq,) in tx.all(_MY_CHARACTERS):
        if seq not in saved:
            tx.run(_DELETE_CHARACTER, character_seq=seq)
    for row in rows:
        del row["account_id"]  # which the transaction gives itself
        if tx.run(_SET_CHARACTER, the_seq=row["character_seq"], **row) == 0:
            tx.run(_INSERT["characters"], **row)


def _drop_orphans(tx: AccountTransaction, saved: dict[str, list[dict[str, Any]]]) -> None:
    """Leave out what hangs from a character that somebody else has deleted since, directly or not."""
    wanted = {row["character_seq"] for name in ("partitions", "conversations") for row in saved[name]}
    there = {"character_seq": {seq for seq in wanted if tx.first(_CHARACTER, character_seq=seq) is not None}}
    for table_name, column in _HANG_FROM:
        saved[table_name] = [row for row in saved[table_name] if row[column] is None or row[column] in there[column]]
        if table_name in ("partitions", "conversations"):
            own = f"{table_name.removesuffix('s')}_seq"
            there[own] = {row[own] for row in saved[table_name]}


def names(tx: AccountTransaction) -> list[str]:
    """The names of the account's snapshots."""
    return [name for (name,) in tx.all(_NAMES)]


def drop(tx: AccountTransaction, name: str) -> None:
    """Forget a snapshot; `NotFound` when nothing has this name."""
    if tx.run(_DROP, name=name) == 0:
        raise _unknown(tx, name)


def _unknown(tx: AccountTransaction, name: str) -> NotFound:
    return NotFound(f"Unknown snapshot '{name}': this account has {', '.join(names(tx)) or 'none'}.")
