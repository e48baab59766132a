"""Partitions: one person's memories with one character, found, made, and held by who changes them."""

from collections.abc import Mapping
from typing import NamedTuple

from fake_convai.domain.identity import partition_name
from fake_convai.store import characters, people
from fake_convai.store.accounts import HABITS, AccountTransaction, Habits
from fake_convai.store.characters import Character
from fake_convai.store.end_users import unknown_end_user
from fake_convai.store.people import Person
from fake_convai.store.query import Query, array, for_each, insert_or_ignore
from fake_convai.store.statements import accounts, bindparam, delete, exists, memories, partitions, select, speakers
from fake_convai.store.statements import characters as characters_table

_PARTITION = Query(
    select(partitions.c.partition_seq, partitions.c.has_unindexed).where(
        partitions.c.partition == bindparam("partition")
    )
)
_some_going = (
    exists()
    .where(memories.c.partition_seq == partitions.c.partition_seq, memories.c.gone_at.is_not(None))
    .correlate(partitions)
)
# Most requests are about a partition that is there, of an own character and a person known by their end_user_id: one
# query finds it, to look at or to change; to change it is to hold the person, and the partition before its memories.
_found = (
    select(partitions.c.partition_seq, speakers.c.speaker_seq, _some_going, partitions.c.has_unindexed, *HABITS)
    .select_from(speakers)  # whose row is locked first
    .join(accounts, accounts.c.account_id == bindparam("account_id"))
    .join(partitions, partitions.c.speaker_id == speakers.c.speaker_id)
    .join(characters_table, characters_table.c.character_seq == partitions.c.character_seq)
    .where(
        partitions.c.partition == speakers.c.speaker_id + ":" + characters_table.c.character_id,
        speakers.c.account_id == bindparam("account_id"),
        speakers.c.end_user_id == bindparam("end_user_id"),
        characters_table.c.account_id == bindparam("account_id"),
        characters_table.c.character_id == bindparam("character_id"),
    )
)
_LOOK, _HOLD = Query(_found), Query(_found.with_for_update(key_share=True, of=[speakers, partitions]))
_KEEP_PARTITION = Query(
    select(partitions.c.partition_seq)
    .where(partitions.c.partition_seq == bindparam("partition_seq"))
    .with_for_update(read=True, key_share=True)
)
_ADD_PARTITION = insert_or_ignore(partitions, "partition", "speaker_id", "character_seq")

_PARTITIONS = for_each(
    "names",
    lambda names, _: select(partitions.c.partition, partitions.c.partition_seq, partitions.c.has_unindexed).where(
        partitions.c.partition.in_(names)
    ),
)
_DELETE_DUE = Query(
    delete(memories).where(
        memories.c.partition_seq == bindparam("partition_seq"),
        memories.c.gone_at.is_not(None),
        memories.c.gone_at <= bindparam("now"),
    )
)


class Partition(NamedTuple):
    """One person's memories with one character; `seq` is 0, which no record has, until there was a first one."""

    seq: int
    speaker_seq: int
    has_unindexed: bool = False


def open_partitions(tx: AccountTransaction, owners: Mapping[str, tuple[Person, Character]]) -> dict[str, Partition]:
    """The partitions of people who are held, by name, made where there are none."""
    tx.run_many(
        _ADD_PARTITION,
        [
            {"partition": name, "speaker_id": person.speaker_id, "character_seq": character.character_seq}
            for name, (person, character) in owners.items()
        ],
    )
    rows = tx.all(_PARTITIONS, names=array(owners))
    tx.run_many(_DELETE_DUE, [{"partition_seq": row[1], "now": tx.now} for row in rows])
    return {row[0]: Partition(row[1], owners[row[0]][0].speaker_seq, bool(row[2])) for row in rows}


def known_partition(tx: AccountTransaction, character_id: str, end_user_id: str, *, hold: bool = False) -> Partition:
    """The partition of a known person; `NotFound` when nobody has that id."""
    partition = find_partition(tx, character_id, end_user_id, hold=hold)
    if partition is None:
        character = characters.usable(tx, character_id)
        person = people.find(tx, end_user_id, hold=hold)
        if person is None:
            raise unknown_end_user(end_user_id)
        partition = partition_of(tx, person, character) or Partition(0, person.speaker_seq)
        _delete_due(tx, partition)
    return partition


def find_partition(tx: AccountTransaction, character_id: str, end_user_id: str, *, hold: bool) -> Partition | None:
    """The partition in the ordinary case; None says nothing about whether there is one."""
    row = tx.first(_HOLD if hold else _LOOK, character_id=character_id, end_user_id=end_user_id)
    if row is None:
        return None
    partition_seq, speaker_seq, some_going, has_unindexed, *habits = row
    tx.habits = Habits(*habits)
    partition = Partition(partition_seq, speaker_seq, bool(has_unindexed))
    if some_going:
        _delete_due(tx, partition)
    return partition


def _delete_due(tx: AccountTransaction, partition: Partition) -> None:
    """Carry out a delete-all whose time has come."""
    if tx.shared:
        tx.first(_KEEP_PARTITION, partition_seq=partition.seq)  # before its memories, as who deletes it does
    tx.run(_DELETE_DUE, partition_seq=partition.seq, now=tx.now)


def partition_of(tx: AccountTransaction, person: Person, character: Character) -> Partition | None:
    """The partition of a person and a character, if there is one."""
    row = tx.first(_PARTITION, partition=partition_name(person.speaker_id, character.character_id))
    return None if row is None else Partition(row[0], person.speaker_seq, bool(row[1]))


def open_partition(tx: AccountTransaction, person: Person, character: Character) -> Partition:
    """The same, made if there is none."""
    partition = partition_of(tx, person, character)
    if partition is None:
        name = partition_name(person.speaker_id, character.character_id)
        tx.run(_ADD_PARTITION, partition=name, speaker_id=person.speaker_id, character_seq=character.character_seq)
        partition = partition_of(tx, person, character)
        assert partition is not None
    _delete_due(tx, partition)
    return partition
