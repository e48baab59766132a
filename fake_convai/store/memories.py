"""Memories: facts kept per person and character, without doubles (docs/contract.md section 4)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import orjson

from fake_convai.domain import dedup
from fake_convai.domain.errors import NotFound
from fake_convai.domain.identity import partition_name
from fake_convai.store import characters, memory_index, people
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.characters import Character
from fake_convai.store.end_users import seen
from fake_convai.store.partitions import (
    Partition,
    find_partition,
    known_partition,
    open_partition,
    open_partitions,
    partition_of,
)
from fake_convai.store.people import Person
from fake_convai.store.query import Query, array, for_each, in_passing, insert_numbered, named
from fake_convai.store.statements import (
    bindparam,
    delete,
    func,
    insert,
    memories,
    or_,
    partitions,
    select,
    speakers,
    update,
)

MOST_RECALLED = 1000
"""Facts that a character has in mind in a session; more would not fit a real one's context either."""

MOST_UNINDEXED = 50
"""Seeded facts of a partition that are put into its index only when they are needed: a moment's work."""

_COUNTS = for_each(
    "names",
    lambda names, _: (
        select(memories.c.partition_seq, func.count())
        .join(partitions, partitions.c.partition_seq == memories.c.partition_seq)
        .where(partitions.c.partition.in_(names))
        .group_by(memories.c.partition_seq)
    ),
)

_COLUMNS = (
    memories.c.id,
    memories.c.memory,
    memories.c.created_at,
    memories.c.updated_at,
    memories.c.metadata,
)
_of_partition = memories.c.partition_seq == bindparam("partition_seq")
_with_id = memories.c.id == bindparam("id")
_ordered = (memories.c.created_at, memories.c.memory_seq)
_COUNT = Query(select(func.count()).select_from(memories).where(_of_partition))
_PAGE, _WHOLE_PAGE = (
    Query(
        select(*_COLUMNS[:4], data, select(func.count()).where(_of_partition).select_from(memories).scalar_subquery())
        .where(_of_partition)
        .order_by(*_ordered)
        .limit(bindparam("row_limit"))
        .offset(bindparam("row_offset"))
    )
    for data in (in_passing(memories.c.metadata), memories.c.metadata)
)
_is_there = or_(memories.c.gone_at.is_(None), memories.c.gone_at > bindparam("now"))
_all = (
    select(partitions.c.speaker_id, partitions.c.character_seq, *_COLUMNS)
    .join(partitions, partitions.c.partition_seq == memories.c.partition_seq)
    .join(speakers, speakers.c.speaker_id == partitions.c.speaker_id)
    .where(speakers.c.account_id == bindparam("account_id"), _is_there)
    .order_by(memories.c.memory_seq)
)
_LIST_ALL = Query(_all)
_LIST_OF_PERSON = Query(_all.where(partitions.c.speaker_id == bindparam("speaker_id")))
_RECALL = Query(select(memories.c.memory).where(_of_partition, _is_there).order_by(*_ordered).limit(MOST_RECALLED))
_GET = Query(select(*_COLUMNS).where(_of_partition, _with_id))
_one = insert(memories).values(named("partition_seq", "id", "memory", "metadata", "created_at", "updated_at"))
_INSERT, _INSERT_MANY = insert_numbered(_one, memories.c.memory_seq), Query(_one)
_UPDATE = Query(
    update(memories)
    .where(memories.c.memory_seq == bindparam("the_seq"))
    .values(
        memory=bindparam("memory"),
        metadata=bindparam("metadata"),
        updated_at=bindparam("updated_at"),
        gone_at=None,  # told again, it outlives a delete-all that has yet to take effect
    )
)
_DELETE = Query(delete(memories).where(_of_partition, _with_id))
_DELETE_ALL = Query(delete(memories).where(_of_partition))
_DELETE_ALL_LATER = Query(
    update(memories)
    .where(memories.c.partition_seq == bindparam("the_partition"), memories.c.gone_at.is_(None))
    .values(gone_at=bindparam("gone_at"))
)


class Memory(NamedTuple):
    """One stored fact; moments in microseconds."""

    id: str
    memory: str
    created_at: int
    updated_at: int
    metadata: dict[str, Any]


class Remembered(NamedTuple):
    """What became of one submitted fact, and why."""

    id: str
    event: Literal["add", "update"]
    memory: str
    because: str


class MemoryPage(NamedTuple):
    """A page of a partition, and how much there is in all."""

    memories: list[Memory]
    total_count: int


def add(
    tx: AccountTransaction,
    character_id: str,
    end_user_id: str,
    facts: Sequence[str],
    metadata: Mapping[str, Any],
) -> list[Remembered]:
    """Keep `facts` (normalised, none blank) of a person, who gets an end-user record if they have none."""
    partition = find_partition(tx, character_id, end_user_id, hold=True)
    if partition is None:
        character = characters.usable(tx, character_id)
        partition = open_partition(tx, seen(tx, end_user_id), character)
    remembered = _remember_all(tx, partition, facts, metadata)
    people.note_ltm_usage(tx, partition.speaker_seq)
    return remembered


def remember(
    tx: AccountTransaction,
    person: Person,
    character: Character,
    facts: Sequence[str],
    metadata: Mapping[str, Any],
) -> list[Remembered]:
    """Keep each fact of a person who is held, updating the record that it overlaps with; one result a fact, in order.

    That memory was written is for the caller to note.
    """
    return _remember_all(tx, open_partition(tx, person, character), facts, metadata)


def put_all(tx: AccountTransaction, records: Iterable[tuple[Person, Character, Memory]]) -> None:
    """Store records of people who are held as they are given, without looking for overlaps, each in place of one with
    the same id; of several with one id the last one stays.

    Where there are few of a partition, they come into its index only when somebody adds a fact.
    """
    last: dict[tuple[str, str], Memory] = {}
    owners: dict[str, tuple[Person, Character]] = {}
    for person, character, memory in records:
        name = partition_name(person.speaker_id, character.character_id)
        owners.setdefault(name, (person, character))
        last.pop((name, memory.id), None)
        last[name, memory.id] = memory
    if not last:
        return
    opened = open_partitions(tx, owners)
    rows = [
        {"partition_seq": opened[name].seq, **memory._asdict(), "metadata": orjson.dumps(memory.metadata).decode()}
        for (name, _), memory in last.items()
    ]
    memory_index.put_off(tx, (partition.seq for partition in opened.values()))
    tx.run_many(_DELETE, [{name: row[name] for name in ("partition_seq", "id")} for row in rows])
    tx.run_many(_INSERT_MANY, rows)
    in_all = {row[0]: row[1] for row in tx.all(_COUNTS, names=array(owners))}
    for seq, count in in_all.items():
        if count > MOST_UNINDEXED:
            memory_index.catch_up(tx, seq)


def list_page(
    tx: AccountTransaction, character_id: str, end_user_id: str, page: int, page_size: int, *, whole: bool = False
) -> MemoryPage | None:
    """Page `page` of a person's memories, oldest first. None when it is too large to be read in passing, unless the
    `whole` page is wanted whatever its size."""
    partition = known_partition(tx, character_id, end_user_id)
    query = _WHOLE_PAGE if whole else _PAGE
    rows = tx.all(query, partition_seq=partition.seq, row_limit=page_size, row_offset=(page - 1) * page_size)
    if None in [row[4] for row in rows]:
        return None
    total = (rows[0][5:] if rows else tx.first(_COUNT, partition_seq=partition.seq)) or (0,)  # or a page past the end
    people.note_ltm_usage(tx, partition.speaker_seq)
    return MemoryPage([_to_memory(row) for row in rows], total[0])


def list_all(tx: AccountTransaction, speaker_id: str | None = None) -> list[tuple[str, int, Memory]]:
    """Every record of the account, or of one person, with its speaker_id and character_seq, in the order they were
    made."""
    rows = (
        tx.all(_LIST_ALL, now=tx.now)
        if speaker_id is None
        else tx.all(_LIST_OF_PERSON, now=tx.now, speaker_id=speaker_id)
    )
    return [(row[0], row[1], _to_memory(row[2:])) for row in rows]


def recall(tx: AccountTransaction, person: Person, character: Character) -> list[str]:
    """What a character with memory has in mind of a person: the facts that are stored now."""
    partition = partition_of(tx, person, character)
    if partition is None or not character.memory_enabled:
        return []
    return [fact for (fact,) in tx.all(_RECALL, partition_seq=partition.seq, now=tx.now)]


def get(tx: AccountTransaction, character_id: str, end_user_id: str, memory_id: str) -> Memory:
    """One record of the partition; `NotFound` when it has no such record."""
    partition = known_partition(tx, character_id, end_user_id)
    row = tx.first(_GET, partition_seq=partition.seq, id=memory_id)
    if row is None:
        raise NotFound(
            f"Unknown memory_id '{memory_id}': end_user_id '{end_user_id}' has no such memory with this character; "
            f"/memory/list shows those it has."
        )
    people.note_ltm_usage(tx, partition.speaker_seq)
    return _to_memory(row)


def remove(tx: AccountTransaction, character_id: str, end_user_id: str, memory_id: str) -> bool:
    """Delete one record of the partition; False when it has no such record."""
    partition = known_partition(tx, character_id, end_user_id, hold=True)
    deleted = tx.run(_DELETE, partition_seq=partition.seq, id=memory_id) > 0
    if deleted:
        people.note_ltm_usage(tx, partition.speaker_seq)
    return deleted


def remove_all(tx: AccountTransaction, character_id: str, end_user_id: str) -> None:
    """Empty the partition, at once or after the configured delay; the end-user record stays."""
    partition = known_partition(tx, character_id, end_user_id, hold=True)
    if tx.rules.delete_all_delay:
        gone_at = tx.now + tx.rules.delete_all_delay
        tx.run(_DELETE_ALL_LATER, the_partition=partition.seq, gone_at=gone_at)
    else:
        tx.run(_DELETE_ALL, partition_seq=partition.seq)
    people.note_ltm_usage(tx, partition.speaker_seq)


def _remember_all(
    tx: AccountTransaction, partition: Partition, facts: Sequence[str], metadata: Mapping[str, Any]
) -> list[Remembered]:
    if partition.has_unindexed:
        memory_index.catch_up(tx, partition.seq)
    return [_remember(tx, partition.seq, fact, metadata) for fact in facts]


def _remember(tx: AccountTransaction, partition_seq: int, fact: str, metadata: Mapping[str, Any]) -> Remembered:
    rows = memory_index.sharing(tx, partition_seq, fact)
    candidates = [dedup.Candidate(row[1], row[2], repeats=repeats) for row, repeats in rows]
    match = dedup.find_match(fact, candidates, tx.dedup) if candidates else None
    if match is None:
        new = Memory(tx.new_id(), fact, created_at=tx.now, updated_at=tx.now, metadata=dict(metadata))
        _insert(tx, partition_seq, new)
        return Remembered(new.id, "add", fact, _why_added(fact, candidates, tx.dedup))
    memory_seq, memory_id, _, old_metadata = next(row for row, _ in rows if row[1] == match.candidate.id)
    merged = {**orjson.loads(old_metadata), **metadata}
    tx.run(_UPDATE, the_seq=memory_seq, memory=fact, metadata=orjson.dumps(merged).decode(), updated_at=tx.now)
    memory_index.replace(tx, partition_seq, memory_seq, fact)
    return Remembered(memory_id, "update", fact, match.because)


def _why_added(fact: str, candidates: "Sequence[dedup.Candidate]", mode: dedup.DedupMode) -> str:
    apart = dedup.explain_apart(fact, candidates, mode) if candidates else None
    if apart is not None:
        return f"kept apart from {apart.candidate.id}: {apart.because}"
    language = "" if mode != "naive" or dedup.is_english(fact) else "; not in English, where only a repeat is merged"
    return f"overlaps with no record{language}"


def _insert(tx: AccountTransaction, partition_seq: int, memory: Memory) -> None:
    number = tx.insert(
        _INSERT,
        partition_seq=partition_seq,
        id=memory.id,
        memory=memory.memory,
        metadata=orjson.dumps(memory.metadata).decode(),
        created_at=memory.created_at,
        updated_at=memory.updated_at,
    )
    memory_index.add(tx, partition_seq, number, memory.memory)


def _to_memory(row: Any) -> Memory:
    metadata = row[4]
    return Memory(row[0], row[1], row[2], row[3], {} if metadata == "{}" else orjson.loads(metadata))
