"""The index of a partition by the keys of its facts: which records may overlap with a new one."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import Executable, Select, Text, bindparam, cast, delete, func, not_, select, true
from sqlalchemy.dialects import sqlite

from fake_convai.domain import dedup
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.query import Query, Row
from fake_convai.store.tables import memories, memory_keys

_keys = bindparam("keys", type_=Text())  # a JSON array: one statement for any number of them, and one to run it


def _for_each_key(make: Callable[[Select[Any], Any], Executable]) -> Query:
    """A statement made from the keys of the parameter, and from the dialect's `insert`."""

    def on_postgresql() -> Executable:
        from sqlalchemy.dialects.postgresql import JSONB, insert

        return make(select(func.jsonb_array_elements_text(cast(_keys, JSONB)).table_valued("value").c.value), insert)

    return Query(
        make(select(func.json_each(_keys).table_valued("value").c.value), sqlite.insert), postgresql=on_postgresql
    )


_of_partition = select(memory_keys.c.memory_seq).where(memory_keys.c.partition_seq == bindparam("partition_seq"))
_ANY_SHARING = _for_each_key(lambda keys, _: _of_partition.where(memory_keys.c.key.in_(keys)).limit(1))
_SHARING = _for_each_key(
    lambda keys, _: (
        select(
            memories.c.memory_seq,
            memories.c.id,
            memories.c.memory,
            memories.c.metadata,
            memories.c.memory_seq.in_(_of_partition.where(memory_keys.c.key == bindparam("repeat_key"))),
        )
        .where(memories.c.memory_seq.in_(_of_partition.where(memory_keys.c.key.in_(keys))))
        .order_by(memories.c.created_at, memories.c.memory_seq)
    )
)
_ADD = _for_each_key(
    lambda keys, insert: (
        insert(memory_keys)
        .from_select(
            ["key", "partition_seq", "memory_seq"],
            keys.add_columns(
                bindparam("partition_seq", type_=memory_keys.c.partition_seq.type),
                bindparam("memory_seq", type_=memory_keys.c.memory_seq.type),
            ).where(true()),  # without a condition SQLite would take ON CONFLICT for that of a join
        )
        .on_conflict_do_nothing()
    )
)
# The key of a text outlives the text: a record goes on answering to all it has ever said.
_DELETE = Query(
    delete(memory_keys).where(
        memory_keys.c.memory_seq == bindparam("memory_seq"), not_(memory_keys.c.key.startswith("="))
    )
)


def sharing(tx: AccountTransaction, partition_seq: int, fact: str) -> Sequence[Row]:
    """The records that share a key with a fact, oldest first: memory_seq, id, memory, metadata, and whether each has
    ever said just that."""
    keys = _array(dedup.lookup_keys(fact))
    # Most facts are new and share no key with any record, which the index of keys alone can tell.
    if not tx.first(_ANY_SHARING, partition_seq=partition_seq, keys=keys):
        return ()
    return tx.all(_SHARING, partition_seq=partition_seq, keys=keys, repeat_key=dedup.exact_key(fact))


def add(tx: AccountTransaction, partition_seq: int, memory_seq: int, fact: str) -> None:
    """Let a record be found by what it says now."""
    tx.run(_ADD, partition_seq=partition_seq, memory_seq=memory_seq, keys=_array(dedup.index_keys(fact)))


def replace(tx: AccountTransaction, partition_seq: int, memory_seq: int, fact: str) -> None:
    """The same for a record that says something else now."""
    tx.run(_DELETE, memory_seq=memory_seq)
    add(tx, partition_seq, memory_seq, fact)


def _array(keys: Iterable[str]) -> str:
    return orjson.dumps(sorted(keys)).decode()
