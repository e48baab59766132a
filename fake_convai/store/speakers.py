"""Speakers: people as the API before end users knows them (docs/contract.md section 6)."""

from fake_convai.domain.errors import NotFound
from fake_convai.store import people
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.people import Person
from fake_convai.store.query import Query
from fake_convai.store.statements import bindparam, select, speakers, update

_LIST = Query(
    select(speakers.c.speaker_id, speakers.c.name, speakers.c.device_id)
    .where(people.OF_ACCOUNT)
    .order_by(speakers.c.speaker_seq)
)
_IDENTIFY = Query(
    update(speakers)
    .where(speakers.c.speaker_seq == bindparam("the_seq"))
    .values(name=bindparam("name"), device_id=bindparam("device_id"))
)


def list_all(tx: AccountTransaction) -> list[tuple[str, str | None, str | None]]:
    """The speaker_id, name and device_id of everybody the account knows, in the order they came."""
    return [(row[0], row[1], row[2]) for row in tx.all(_LIST)]


def register(tx: AccountTransaction, name: str | None, device_id: str | None) -> Person:
    """The speaker of a device, or a new one; the same `device_id` always gives the same speaker.

    A new `name` replaces the old one (assumed).
    """
    person = None if device_id is None else people.find(tx, device_id, hold=True)
    if person is None and device_id is not None and tx.take_turn():
        person = people.find(tx, device_id, hold=True)
    if person is None:
        return people.add(tx, name=name, device_id=device_id)
    known = person._replace(name=name or person.name, device_id=person.device_id or device_id)
    if known != person:
        tx.run(_IDENTIFY, the_seq=known.speaker_seq, name=known.name, device_id=known.device_id)
    return known


def remove(tx: AccountTransaction, speaker_id: str) -> None:
    """Delete a speaker with everything that hangs on them; `NotFound` when there is none."""
    person = people.find_speaker(tx, speaker_id, hold=True)
    if person is None:
        raise NotFound(f"Unknown speakerId '{speaker_id}': /user/speaker/list shows the speakers of this account.")
    people.remove(tx, person)
