"""People: speakers, of whom those with an `end_user_id` are end users (docs/contract.md sections 3, 5 and 6)."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import orjson

from fake_convai.domain.identity import patch_metadata
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.query import Query, array, for_each, insert_numbered, named
from fake_convai.store.statements import (
    BindParameter,
    Select,
    activity,
    and_,
    bindparam,
    case,
    delete,
    insert,
    ltm_usage,
    or_,
    select,
    speakers,
    update,
)

OF_ACCOUNT = speakers.c.account_id == bindparam("account_id")
_of_speaker = ltm_usage.c.speaker_seq == speakers.c.speaker_seq
COLUMNS = (
    speakers.c.speaker_seq,
    speakers.c.speaker_id,
    speakers.c.name,
    speakers.c.device_id,
    speakers.c.end_user_id,
    speakers.c.end_user_metadata,
    speakers.c.last_active_at,
    select(ltm_usage.c.at).where(_of_speaker).scalar_subquery(),
)
METADATA = 5

# Nearly always an id is an end_user_id, which one look into an index finds. One equal to a speaker_id or a device id
# means that speaker (docs/contract.md sections 3 and 6): the account stands in each part, so that each has an index.
_id: BindParameter[str] = bindparam("id")
_is_end_user = and_(OF_ACCOUNT, speakers.c.end_user_id == _id)
_is_speaker = and_(OF_ACCOUNT, speakers.c.speaker_id == _id)
_is_device = and_(OF_ACCOUNT, speakers.c.device_id == _id)


def _to_look_or_hold(statement: Select[Any]) -> tuple[Query, Query]:
    """A query for one person, to look at or, by `[True]`, to change.

    Whoever changes a person or their memories holds the person's row, so that such changes never cross; whoever only
    reads does not wait.
    """
    return Query(statement), Query(statement.with_for_update(key_share=True, of=speakers))


_BY_END_USER_ID = _to_look_or_hold(select(*COLUMNS).where(_is_end_user))
_BY_SPEAKER_ID = _to_look_or_hold(select(*COLUMNS).where(_is_speaker))
_BY_ANY_ID = _to_look_or_hold(
    select(*COLUMNS)
    .where(or_(_is_end_user, _is_speaker, _is_device))
    .order_by(case((speakers.c.end_user_id == _id, 0), (speakers.c.speaker_id == _id, 1), else_=2))
    .limit(1)
)
_AMONG = tuple(
    (
        name,
        for_each(
            "ids",
            lambda ids, _, name=name: (
                select(*COLUMNS)
                .where(OF_ACCOUNT, speakers.c[name].in_(ids))
                .with_for_update(key_share=True, of=speakers)
            ),
        ),
    )
    for name in ("end_user_id", "speaker_id", "device_id")
)
_LIST = Query(select(*COLUMNS).where(OF_ACCOUNT).order_by(speakers.c.speaker_seq))
_insert = insert(speakers).values(named("account_id", "speaker_id", "end_user_id", "name", "device_id"))
_INSERT, _INSERT_MANY = insert_numbered(_insert, speakers.c.speaker_seq), Query(_insert)
_INSERT_USAGE = Query(insert(ltm_usage).values(speaker_seq=bindparam("speaker_seq")))
_the_speaker = speakers.c.speaker_seq == bindparam("the_seq")
_PROMOTE = Query(update(speakers).where(_the_speaker).values(end_user_id=bindparam("end_user_id")))
_SET_METADATA = Query(update(speakers).where(_the_speaker).values(end_user_metadata=bindparam("end_user_metadata")))
_SET_LTM_USAGE = Query(
    update(ltm_usage).where(ltm_usage.c.speaker_seq == bindparam("the_seq")).values(at=bindparam("at"))
)
_SET_ACTIVE = Query(update(speakers).where(_the_speaker).values(last_active_at=bindparam("at")))
_ADD_ACTIVITY = Query(
    insert(activity).values(account_id=bindparam("account_id"), speaker_id=bindparam("speaker_id"), at=bindparam("at"))
)
_DELETE = Query(delete(speakers).where(_the_speaker))


class Person(NamedTuple):
    """A speaker, and an end user when `end_user_id` is not None; moments in microseconds."""

    speaker_seq: int
    speaker_id: str
    name: str | None
    device_id: str | None
    end_user_id: str | None
    metadata: dict[str, Any]
    last_active_at: int | None
    last_ltm_usage_at: int | None


def find(tx: AccountTransaction, person_id: str, *, hold: bool = False) -> Person | None:
    """The person an `end_user_id` means, also when it is their speaker or device id; `hold` them to change them."""
    return _person(tx.first(_BY_END_USER_ID[hold], id=person_id) or tx.first(_BY_ANY_ID[hold], id=person_id))


def find_speaker(tx: AccountTransaction, speaker_id: str, *, hold: bool = False) -> Person | None:
    """The person with this internal id."""
    return _person(tx.first(_BY_SPEAKER_ID[hold], id=speaker_id))


def hold(tx: AccountTransaction, speaker_id: str) -> None:
    """Let nobody else change this person or their memories until the transaction ends."""
    if tx.shared:
        find_speaker(tx, speaker_id, hold=True)


def seen(tx: AccountTransaction, end_user_id: str) -> Person:
    """The person an `end_user_id` means, held; from now on they have an end-user record."""
    person = find(tx, end_user_id, hold=True)
    if person is None and tx.take_turn():
        person = find(tx, end_user_id, hold=True)
    if person is None:
        return add(tx, end_user_id=end_user_id)
    if person.end_user_id is None:
        tx.run(_PROMOTE, the_seq=person.speaker_seq, end_user_id=end_user_id)
        return person._replace(end_user_id=end_user_id)
    return person


def seen_all(tx: AccountTransaction, end_user_ids: Iterable[str]) -> dict[str, Person]:
    """`seen` for many at once, which takes a few statements; the caller has the account's turn."""
    wanted = list(dict.fromkeys(end_user_ids))
    found: dict[str, Person] = {}
    for name, query in _AMONG:
        missing = [one for one in wanted if one not in found]
        for row in tx.all(query, ids=array(missing)) if missing else ():
            person = to_person(row)
            found[getattr(person, name)] = person
    for one in wanted:
        if one in found and found[one].end_user_id is None:
            promoted = found[one]._replace(end_user_id=one)
            tx.run(_PROMOTE, the_seq=promoted.speaker_seq, end_user_id=one)
            found |= {other: promoted for other in found if found[other].speaker_seq == promoted.speaker_seq}
    missing = [one for one in wanted if one not in found]
    new = [{"speaker_id": tx.new_id(), "end_user_id": one, "name": None, "device_id": None} for one in missing]
    tx.run_many(_INSERT_MANY, new)
    made = [to_person(row) for row in tx.all(_AMONG[0][1], ids=array(missing))] if missing else []
    tx.run_many(_INSERT_USAGE, [{"speaker_seq": person.speaker_seq} for person in made])
    return found | {str(person.end_user_id): person for person in made}


def add(
    tx: AccountTransaction, *, end_user_id: str | None = None, name: str | None = None, device_id: str | None = None
) -> Person:
    """A new person; whoever makes one has the account's turn and has looked whether there is one."""
    speaker_id = tx.new_id()
    seq = tx.insert(_INSERT, speaker_id=speaker_id, end_user_id=end_user_id, name=name, device_id=device_id)
    tx.run(_INSERT_USAGE, speaker_seq=seq)
    return Person(seq, speaker_id, name, device_id, end_user_id, {}, None, None)


def list_all(tx: AccountTransaction) -> list[Person]:
    """Everybody the account knows, in the order they came."""
    return [to_person(row) for row in tx.all(_LIST)]


def change_metadata(tx: AccountTransaction, person: Person, patch: Mapping[str, Any]) -> Person:
    """Merge `patch` into the metadata of a person whose row this transaction holds."""
    metadata = patch_metadata(person.metadata, patch)
    tx.run(_SET_METADATA, the_seq=person.speaker_seq, end_user_metadata=orjson.dumps(metadata).decode())
    return person._replace(metadata=metadata)


def note_ltm_usage(tx: AccountTransaction, speaker_seq: int, at: int | None = None) -> None:
    """Memory of this person was read or written, now unless said otherwise. Comes last in a transaction, so that nobody
    waits long for it."""
    tx.run(_SET_LTM_USAGE, the_seq=speaker_seq, at=tx.now if at is None else at)


def note_activity(tx: AccountTransaction, person: Person, at: int) -> None:
    """A session of this person began.

    Under the account's turn, which the caller has taken before holding the person, so that activities become visible in
    the order of their numbers: a walk through the end users goes by the newest number that it saw at its start.
    """
    tx.take_turn()
    tx.run(_SET_ACTIVE, the_seq=person.speaker_seq, at=at)
    tx.run(_ADD_ACTIVITY, speaker_id=person.speaker_id, at=at)


def note_all(
    tx: AccountTransaction,
    metadata: Iterable[tuple[Person, Mapping[str, Any]]] = (),
    activity: Iterable[tuple[Person, int]] = (),
) -> None:
    """Whole metadata and activities of many people at once."""
    tx.run_many(
        _SET_METADATA,
        [{"the_seq": one.speaker_seq, "end_user_metadata": orjson.dumps(data).decode()} for one, data in metadata],
    )
    active = list(activity)
    tx.run_many(_SET_ACTIVE, [{"the_seq": person.speaker_seq, "at": at} for person, at in active])
    tx.run_many(_ADD_ACTIVITY, [{"speaker_id": person.speaker_id, "at": at} for person, at in active])


def remove(tx: AccountTransaction, person: Person) -> None:
    """Delete a person and, by cascade, their memories with every character."""
    tx.run(_DELETE, the_seq=person.speaker_seq)


def _person(row: Any) -> Person | None:
    return None if row is None else to_person(row)


def to_person(row: Any) -> Person:
    """A row of `COLUMNS` as a person."""
    seq, speaker_id, name, device_id, end_user_id, metadata, active, ltm_usage = row
    parsed = {} if metadata == "{}" else orjson.loads(metadata)
    return Person(seq, speaker_id, name, device_id, end_user_id, parsed, active, ltm_usage)
