"""An account's rows as a document: reset, save and roll back, exactly, with ids and times."""

from typing import Any

import orjson
from sqlalchemy import BindParameter, ColumnElement, Table, bindparam, delete, insert, select, update

from fake_convai.domain.errors import NotFound
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.query import Query, insert_or_ignore
from fake_convai.store.tables import (
    accounts,
    activity,
    characters,
    conversations,
    faults,
    live_sessions,
    memories,
    memory_keys,
    partitions,
    snapshots,
    speakers,
    tokens,
    turns,
)

_account: BindParameter[int] = bindparam("account_id")
_my_speakers = select(speakers.c.speaker_id).where(speakers.c.account_id == _account)
_my_partitions = select(partitions.c.partition_seq).where(partitions.c.speaker_id.in_(_my_speakers))
_my_conversations = select(conversations.c.conversation_seq).where(conversations.c.account_id == _account)

# In an order in which each table finds what it refers to.
_TABLES: tuple[tuple[Table, ColumnElement[bool]], ...] = (
    (characters, characters.c.account_id == _account),
    (speakers, speakers.c.account_id == _account),
    (tokens, tokens.c.account_id == _account),
    (faults, faults.c.account_id == _account),
    (activity, activity.c.speaker_id.in_(_my_speakers)),
    (partitions, partitions.c.speaker_id.in_(_my_speakers)),
    (memories, memories.c.partition_seq.in_(_my_partitions)),
    (memory_keys, memory_keys.c.partition_seq.in_(_my_partitions)),
    (conversations, conversations.c.account_id == _account),
    (turns, turns.c.conversation_seq.in_(_my_conversations)),
    (live_sessions, live_sessions.c.account_id == _account),
)
_SELECT = {table.name: Query(select(table).where(mine).order_by(*table.primary_key)) for table, mine in _TABLES}
_INSERT = {
    table.name: Query(insert(table).values({column.name: bindparam(column.name) for column in table.c}))
    for table, _ in _TABLES
}
_DELETE = [Query(delete(table).where(mine)) for table, mine in reversed(_TABLES)]

_KEPT = ("plan", "dedup", "replies", "clock_frozen", "clock_offset", "ids_made", "rate_second", "rate_count")
_ACCOUNT = Query(select(*(accounts.c[name] for name in _KEPT)).where(accounts.c.account_id == _account))
_SET_ACCOUNT = Query(
    update(accounts)
    .where(accounts.c.account_id == bindparam("the_account"))
    .values({name: bindparam(name) for name in _KEPT})
)
_COUNTERS = ("clock_offset", "ids_made", "rate_count")
_NEW_ACCOUNT: dict[str, Any] = {name: 0 if name in _COUNTERS else None for name in _KEPT}

_mine = snapshots.c.account_id == _account
_named = snapshots.c.name == bindparam("name")
_PUT = insert_or_ignore(snapshots, "account_id", "name", "content")
_DROP = Query(delete(snapshots).where(_mine, _named))
_DROP_ALL = Query(delete(snapshots).where(_mine))
_GET = Query(select(snapshots.c.content).where(_mine, _named))
_NAMES = Query(select(snapshots.c.name).where(_mine).order_by(snapshots.c.name))


def wipe(tx: AccountTransaction) -> None:
    """Make the account as empty as a new one; the journal is not of its rows."""
    for query in _DELETE:
        tx.run(query)
    tx.run(_DROP_ALL)
    tx.run(_SET_ACCOUNT, the_account=tx.account_id, **_NEW_ACCOUNT)


def save(tx: AccountTransaction, name: str) -> None:
    """Keep the account's rows under a name, in place of what had it."""
    account = tx.first(_ACCOUNT)
    assert account is not None
    content = {
        "account": dict(zip(_KEPT, account, strict=True)),
        **{str(table.name): [list(row) for row in tx.all(_SELECT[table.name])] for table, _ in _TABLES},
    }
    drop(tx, name)
    tx.run(_PUT, name=name, content=orjson.dumps(content).decode())


def restore(tx: AccountTransaction, name: str) -> None:
    """Put the account's rows back as they were saved; `NotFound` when nothing has this name."""
    row = tx.first(_GET, name=name)
    if row is None:
        raise NotFound(f"Unknown snapshot '{name}': this account has {', '.join(names(tx)) or 'none'}.")
    content = orjson.loads(row[0])
    for query in _DELETE:
        tx.run(query)
    for table, _ in _TABLES:
        columns = [column.name for column in table.c]
        booleans = {column.name for column in table.c if column.type.python_type is bool}
        tx.run_many(
            _INSERT[table.name],
            [
                {
                    column: bool(value) if column in booleans and value is not None else value
                    for column, value in zip(columns, values, strict=True)
                }
                for values in content[table.name]
            ],
        )
    tx.run(_SET_ACCOUNT, the_account=tx.account_id, **content["account"])


def names(tx: AccountTransaction) -> list[str]:
    """The names of the account's snapshots."""
    return [name for (name,) in tx.all(_NAMES)]


def drop(tx: AccountTransaction, name: str) -> bool:
    """Forget a snapshot; False when nothing has this name."""
    return tx.run(_DROP, name=name) > 0
