"""Faults that wait to happen. A fault with `times: 1` happens once, whichever replica meets it."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import orjson
from sqlalchemy import bindparam, delete, insert, or_, select, update

from fake_convai.domain.faults import Fault, Match
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.query import Query, Transaction
from fake_convai.store.tables import faults

_account = bindparam("account_id", type_=faults.c.account_id.type)
_mine = faults.c.account_id.is_not_distinct_from(_account)
_ADD = Query(
    insert(faults).values(account_id=bindparam("account_id"), fault=bindparam("fault"), times=bindparam("times"))
)
_LIST = Query(select(faults.c.fault, faults.c.times).where(_mine).order_by(faults.c.fault_seq))
_CLEAR = Query(delete(faults).where(_mine))
_CLEAR_ALL = Query(delete(faults))
_ANY = Query(select(faults.c.fault_seq).limit(1))
_WAITING = Query(
    select(faults.c.fault_seq, faults.c.fault, faults.c.times)
    .where(or_(_mine, faults.c.account_id.is_(None)))
    .order_by(faults.c.fault_seq)
)
_USE = Query(
    update(faults)
    .where(faults.c.fault_seq == bindparam("the_seq"), faults.c.times > 0)
    # The account is named so that the one in whose transaction this runs does not take its place.
    .values(times=faults.c.times - 1, account_id=faults.c.account_id)
)
_DELETE_USED = Query(delete(faults).where(faults.c.fault_seq == bindparam("fault_seq"), faults.c.times == 0))


def add(tx: Transaction, account_id: int | None, fault: Fault) -> None:
    """Let a fault wait for an account, or for all when it is None."""
    tx.run(_ADD, account_id=account_id, fault=orjson.dumps(asdict(fault)).decode(), times=fault.times)


def list_all(tx: Transaction, account_id: int | None) -> list[Fault]:
    """The faults that wait, in the order they were added; `times` is how often each will still happen."""
    return [replace(_to_fault(fault), times=times) for fault, times in tx.all(_LIST, account_id=account_id)]


def clear(tx: Transaction, account_id: int | None) -> None:
    """Forget the account's faults, or every fault when it is None."""
    if account_id is None:
        tx.run(_CLEAR_ALL)
    else:
        tx.run(_CLEAR, account_id=account_id)


def are_waiting(tx: Transaction) -> bool:
    """Whether there is any fault at all."""
    return tx.first(_ANY) is not None


def take(tx: AccountTransaction, surface: str, path: str, body: Mapping[str, Any]) -> Fault | None:
    """The first waiting fault that fits a request of the account, used up by one."""
    for seq, text, times in tx.all(_WAITING):
        fault = _to_fault(text)
        if not fault.match.fits(surface, path, body) or (fault.rate is not None and _draw(tx) >= fault.rate):
            continue
        if times is None:
            return fault
        if tx.run(_USE, the_seq=seq):
            tx.run(_DELETE_USED, fault_seq=seq)
            return fault
    return None


def _draw(tx: AccountTransaction) -> float:
    """A number from 0 to 1 out of the source of the account's ids, so that a seed, a reset and replicas hold for it."""
    return int(tx.new_secret()[:13], 16) / 16**13


def _to_fault(text: str) -> Fault:
    values: dict[str, Any] = orjson.loads(text)
    return Fault(**{**values, "match": Match(**values["match"])})
