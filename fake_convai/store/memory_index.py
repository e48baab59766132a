"""The index of a partition by the keys of its facts: which records may overlap with a new one."""

from collections.abc import Iterable
from typing import Any

from fake_convai.domain import dedup
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.query import Query, Row, array, for_each
from fake_convai.store.statements import (
    BigInteger,
    Select,
    bindparam,
    cast,
    delete,
    exists,
    memories,
    memory_keys,
    not_,
    partitions,
    select,
    true,
    update,
)


def _numbers(texts: Select[Any]) -> Select[Any]:
    return select(cast(texts.subquery().c.value, BigInteger))


_of_partition = memory_keys.c.partition_seq == bindparam("partition_seq")
_met = select(memory_keys.c.key, memory_keys.c.memory_seq)
_MET = for_each("keys", lambda keys, _: _met.where(_of_partition, memory_keys.c.key.in_(keys)))
_OF_THESE = for_each(
    "keys seqs",
    lambda keys, seqs, _: _met.where(
        _of_partition, memory_keys.c.key.in_(keys), memory_keys.c.memory_seq.in_(_numbers(seqs))
    ),
)
_RECORDS = for_each(
    "seqs",
    lambda seqs, _: (
        select(memories.c.memory_seq, memories.c.id, memories.c.memory, memories.c.metadata)
        .where(memories.c.memory_seq.in_(_numbers(seqs)))
        .order_by(memories.c.created_at, memories.c.memory_seq)
    ),
)
_ADD = for_each(
    "keys",
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
    ),
)
# The key of a text outlives the text: a record goes on answering to all it has ever said.
_DELETE = Query(
    delete(memory_keys).where(
        memory_keys.c.memory_seq == bindparam("memory_seq"), not_(memory_keys.c.key.startswith("="))
    )
)
_UNINDEXED = Query(
    select(memories.c.memory_seq, memories.c.memory).where(
        memories.c.partition_seq == bindparam("partition_seq"),
        not_(exists().where(memory_keys.c.memory_seq == memories.c.memory_seq).correlate(memories)),
    )
)
_SET_UNINDEXED = Query(
    update(partitions)
    .where(partitions.c.partition_seq == bindparam("the_partition"))
    .values(has_unindexed=bindparam("has_unindexed"))
)


def sharing(tx: AccountTransaction, partition_seq: int, fact: str) -> list[tuple[Row, bool]]:
    """The records that may be the same as a fact, oldest first: memory_seq, id, memory, metadata; and whether each has
    ever said just that."""
    met = tx.all(_MET, partition_seq=partition_seq, keys=array(sorted(dedup.lookup_keys(fact))))
    if not met:  # most facts are new
        return []
    companions, exact = dedup.companion_keys(fact), dedup.exact_key(fact)
    found = {seq for key, seq in met if key not in companions}
    if doubtful := {seq for key, seq in met if key in companions} - found:
        others = array(sorted(set().union(*companions.values())))
        rows = tx.all(_OF_THESE, partition_seq=partition_seq, keys=others, seqs=array(map(str, sorted(doubtful))))
        have = {tuple(row) for row in rows}
        found |= {seq for key, seq in met if any((other, seq) in have for other in companions.get(key, ()))}
    repeats = {seq for key, seq in met if key == exact}
    return [(row, row[0] in repeats) for row in tx.all(_RECORDS, seqs=array(map(str, sorted(found))))]


def add(tx: AccountTransaction, partition_seq: int, memory_seq: int, fact: str) -> None:
    """Let a record be found by what it says now."""
    tx.run(_ADD, partition_seq=partition_seq, memory_seq=memory_seq, keys=array(sorted(dedup.index_keys(fact))))


def replace(tx: AccountTransaction, partition_seq: int, memory_seq: int, fact: str) -> None:
    """The same for a record that says something else now."""
    tx.run(_DELETE, memory_seq=memory_seq)
    add(tx, partition_seq, memory_seq, fact)


def put_off(tx: AccountTransaction, partition_seqs: Iterable[int]) -> None:
    """Say that some records of these partitions are not in the index yet."""
    tx.run_many(_SET_UNINDEXED, [{"the_partition": seq, "has_unindexed": True} for seq in partition_seqs])


def catch_up(tx: AccountTransaction, partition_seq: int) -> None:
    """Put the records into the index that are not in it yet: whoever looks for overlaps needs them.

    Seeding leaves this to the first fact that is added, since most seeded partitions never get one.
    """
    tx.run(_SET_UNINDEXED, the_partition=partition_seq, has_unindexed=False)
    rows = tx.all(_UNINDEXED, partition_seq=partition_seq)
    tx.run_many(
        _ADD,
        [
            {"partition_seq": partition_seq, "memory_seq": seq, "keys": array(sorted(dedup.index_keys(fact)))}
            for seq, fact in rows
        ],
    )
