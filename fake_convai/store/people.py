"""People: speakers, of whom those with an `end_user_id` are end users (docs/contract.md sections 3, 5 and 6)."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson
from sqlalchemy import BindParameter, bindparam, case, delete, insert, or_, select, update

from fake_convai.domain.identity import patch_metadata
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.query import Query, insert_or_ignore
from fake_convai.store.tables import activity, speakers

OF_ACCOUNT = speakers.c.account_id == bindparam("account_id")
COLUMNS = (
    speakers.c.speaker_seq,
    speakers.c.speaker_id,
    speakers.c.name,
    speakers.c.device_id,
    speakers.c.end_user_id,
    speakers.c.end_user_metadata,
    speakers.c.last_active_at,
    speakers.c.last_ltm_usage_at,
)

# An end_user_id equal to a speaker_id or a device id means that speaker (docs/contract.md sections 3 and 6).
_id: BindParameter[str] = bindparam("id")
_RESOLVE = Query(
    select(*COLUMNS)
    .where(
        OF_ACCOUNT,
        or_(speakers.c.end_user_id == _id, speakers.c.speaker_id == _id, speakers.c.device_id == _id),
    )
    .order_by(case((speakers.c.end_user_id == _id, 0), (speakers.c.speaker_id == _id, 1), else_=2))
    .limit(1)
    # Whoever changes a person or their memories holds the person's row, so that such changes never cross.
    .with_for_update()
)
# Nearly always it is the first of the three, which one look into an index finds.
_BY_END_USER_ID = Query(select(*COLUMNS).where(OF_ACCOUNT, speakers.c.end_user_id == _id).with_for_update())
_BY_SPEAKER_ID = Query(
    select(*COLUMNS).where(OF_ACCOUNT, speakers.c.speaker_id == bindparam("speaker_id")).with_for_update()
)
_LIST = Query(select(*COLUMNS).where(OF_ACCOUNT).order_by(speakers.c.speaker_seq))
_INSERT_END_USER = insert_or_ignore(speakers, "account_id", "speaker_id", "end_user_id")
_the_speaker = speakers.c.speaker_seq == bindparam("the_seq")
_PROMOTE = Query(update(speakers).where(_the_speaker).values(end_user_id=bindparam("end_user_id")))
_SET_METADATA = Query(update(speakers).where(_the_speaker).values(end_user_metadata=bindparam("end_user_metadata")))
_SET_LTM_USAGE = Query(update(speakers).where(_the_speaker).values(last_ltm_usage_at=bindparam("at")))
_SET_ACTIVE = Query(update(speakers).where(_the_speaker).values(last_active_at=bindparam("at")))
_ADD_ACTIVITY = Query(insert(activity).values(speaker_id=bindparam("speaker_id"), at=bindparam("at")))
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


def find(tx: AccountTransaction, end_user_id: str) -> Person | None:
    """The person an `end_user_id` means, also when it is their speaker or device id."""
    return _person(tx.first(_BY_END_USER_ID, id=end_user_id) or tx.first(_RESOLVE, id=end_user_id))


def find_speaker(tx: AccountTransaction, speaker_id: str) -> Person | None:
    """The person with this internal id."""
    return _person(tx.first(_BY_SPEAKER_ID, speaker_id=speaker_id))


def seen(tx: AccountTransaction, end_user_id: str) -> Person:
    """The person an `end_user_id` means; from now on they have an end-user record."""
    person = find(tx, end_user_id)
    if person is None:
        tx.take_turn()
        person = find(tx, end_user_id)
    if person is None:
        tx.run(_INSERT_END_USER, speaker_id=tx.new_id(), end_user_id=end_user_id)
        person = find(tx, end_user_id)
    elif person.end_user_id is None:
        tx.run(_PROMOTE, the_seq=person.speaker_seq, end_user_id=end_user_id)
        person = find(tx, end_user_id)
    assert person is not None
    return person


def list_all(tx: AccountTransaction) -> list[Person]:
    """Everybody the account knows, in the order they came."""
    return [to_person(row) for row in tx.all(_LIST)]


def change_metadata(tx: AccountTransaction, person: Person, patch: Mapping[str, Any]) -> Person:
    """Merge `patch` into the metadata of a person whose row this transaction holds."""
    metadata = patch_metadata(person.metadata, patch)
    tx.run(_SET_METADATA, the_seq=person.speaker_seq, end_user_metadata=orjson.dumps(metadata).decode())
    changed = find_speaker(tx, person.speaker_id)
    assert changed is not None
    return changed


def note_ltm_usage(tx: AccountTransaction, speaker_seq: int, at: int | None = None) -> None:
    """Memory of this person was read or written, now unless said otherwise."""
    tx.run(_SET_LTM_USAGE, the_seq=speaker_seq, at=tx.now if at is None else at)


def note_activity(tx: AccountTransaction, person: Person, at: int) -> None:
    """A session of this person began.

    Under the account's turn, so that activities become visible in the order of their numbers: a walk through the end
    users goes by the newest number that it saw at its start.
    """
    tx.take_turn()
    tx.run(_SET_ACTIVE, the_seq=person.speaker_seq, at=at)
    tx.run(_ADD_ACTIVITY, speaker_id=person.speaker_id, at=at)


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
