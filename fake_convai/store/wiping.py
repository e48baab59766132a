"""Making an account as empty as a new one."""

from typing import Any

from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.query import Query
from fake_convai.store.statements import (
    BindParameter,
    accounts,
    bindparam,
    characters,
    conversations,
    delete,
    faults,
    pending,
    rosters,
    select,
    snapshots,
    speakers,
    stubs,
    tokens,
    update,
)

_account: BindParameter[int] = bindparam("account_id")
# What hangs from these rows goes with them: parents first, as everybody takes locks.
_HOLD_PEOPLE = Query(
    select(speakers.c.speaker_seq)
    .where(speakers.c.account_id == _account)
    .order_by(speakers.c.speaker_seq)
    .with_for_update()
)
DELETE_PEOPLE = Query(delete(speakers).where(speakers.c.account_id == _account))
_DELETE_CHARACTERS = Query(delete(characters).where(characters.c.account_id == _account))
DELETE_REST = tuple(
    Query(delete(table).where(table.c.account_id == _account))
    for table in (conversations, rosters, pending, tokens, faults, stubs)
)
_DROP_SNAPSHOTS = Query(delete(snapshots).where(snapshots.c.account_id == _account))

KEPT: dict[str, Any] = {
    "plan": None,
    "dedup": None,
    "replies": None,
    "pace": None,
    "lag": None,
    "clock_frozen": None,
    "clock_offset": 0,
    "ids_made": 0,
    "rate_second": None,
    "rate_count": 0,
}
"""What an account's own row holds besides who it is, and what a new one has."""
SET_ACCOUNT = Query(
    update(accounts)
    .where(accounts.c.account_id == bindparam("the_account"))
    .values({name: bindparam(name) for name in KEPT})
)


def wipe(tx: AccountTransaction) -> None:
    """Make the account as empty as a new one; the journal is not of its rows."""
    tx.take_turn()
    hold_people(tx)
    for query in (DELETE_PEOPLE, _DELETE_CHARACTERS, *DELETE_REST, _DROP_SNAPSHOTS):
        tx.run(query)
    tx.run(SET_ACCOUNT, the_account=tx.account_id, **KEPT)


def hold_people(tx: AccountTransaction) -> None:
    """Hold all people of the account, where others may come meanwhile."""
    if tx.shared:
        tx.all(_HOLD_PEOPLE)
