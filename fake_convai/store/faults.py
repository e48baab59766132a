"""Faults that wait to happen. A fault with `times: 1` happens once, whichever replica meets it."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import orjson

from fake_convai.domain.faults import Fault, Kind, Match
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.query import Query, Transaction
from fake_convai.store.statements import accounts, bindparam, delete, exists, faults, insert, or_, select, update

_account = bindparam("account_id", type_=faults.c.account_id.type)
_mine = faults.c.account_id.is_not_distinct_from(_account)
_ADD = Query(
    insert(faults).values(account_id=bindparam("account_id"), fault=bindparam("fault"), times=bindparam("times"))
)
_LIST = Query(select(faults.c.fault, faults.c.times, faults.c.happened).where(_mine).order_by(faults.c.fault_seq))
_CLEAR = Query(delete(faults).where(_mine))
_CLEAR_ALL = Query(delete(faults))
_is_waiting = or_(faults.c.times.is_(None), faults.c.times > 0)
_ANY = Query(
    select(
        exists().where(_is_waiting).select_from(faults),
        exists().where(accounts.c.lag.is_not(None)).select_from(accounts),
    )
)
_WAITING = Query(
    select(faults.c.fault_seq, faults.c.fault)
    .where(or_(_mine, faults.c.account_id.is_(None)), _is_waiting)
    .order_by(faults.c.fault_seq)
)
_USE = Query(
    update(faults)
    .where(faults.c.fault_seq == bindparam("the_seq"), _is_waiting)
    # The account is named so that the one in whose transaction this runs does not take its place.
    .values(times=faults.c.times - 1, happened=faults.c.happened + 1, account_id=faults.c.account_id)
)
_used_up = faults.c.times == 0
_FORGET_OLD = Query(
    delete(faults).where(
        _mine,
        _used_up,
        faults.c.fault_seq
        <= select(faults.c.fault_seq)
        .where(_mine, _used_up)
        .order_by(faults.c.fault_seq.desc())
        .limit(1)
        .offset(bindparam("keep"))
        .scalar_subquery(),
    )
)
MOST_USED_UP = 100
"""Faults of an account that have happened as often as they should and are still listed."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A fault, how often it will still happen (None is always), and how often it has happened."""

    fault: Fault
    times: int | None
    happened: int


def add(tx: Transaction, account_id: int | None, fault: Fault) -> None:
    """Let a fault wait for an account, or for all when it is None."""
    tx.run(_ADD, account_id=account_id, fault=orjson.dumps(asdict(fault)).decode(), times=fault.times)


def list_all(tx: Transaction, account_id: int | None) -> list[Listed]:
    """The faults of an account in the order they were added, those that wait and those that are used up."""
    return [
        Listed(_to_fault(0, fault), times, happened) for fault, times, happened in tx.all(_LIST, account_id=account_id)
    ]


def clear(tx: Transaction, account_id: int | None) -> None:
    """Forget the account's faults, or every fault when it is None."""
    if account_id is None:
        tx.run(_CLEAR_ALL)
    else:
        tx.run(_CLEAR, account_id=account_id)


def what_waits(tx: Transaction) -> tuple[bool, bool]:
    """Whether there is any fault at all that can still happen, and whether anything may lag."""
    row = tx.first(_ANY)
    assert row is not None
    return bool(row[0]), bool(row[1])


def take(
    tx: AccountTransaction, surface: str, path: str, body: Mapping[str, Any], kind: Kind = "answer"
) -> Fault | None:
    """The first waiting fault of a kind that fits a request of the account, used up by one."""
    return next((fault for fault in planned(tx, surface, path, body, kind) if use(tx, fault)), None)


def planned(tx: AccountTransaction, surface: str, path: str, body: Mapping[str, Any], kind: Kind) -> Iterator[Fault]:
    """The waiting faults of a kind that fit a request of the account; they have not happened yet."""
    for seq, text in tx.all(_WAITING):
        fault = _to_fault(seq, text)
        fits = fault.kind == kind and fault.match.fits(surface, path, body)
        if fits and (fault.rate is None or _draw(tx) < fault.rate):
            yield replace(fault, waits_ms=fault.draw_delay(tx.new_secret() if fault.delay_ms else ""))


def use(tx: AccountTransaction, fault: Fault) -> bool:
    """A planned fault happens now; False when it has happened as often as it should, perhaps at another replica."""
    happens = tx.run(_USE, the_seq=fault.seq) > 0
    if happens and fault.times is not None:
        tx.run(_FORGET_OLD, keep=MOST_USED_UP)
    return happens


def _draw(tx: AccountTransaction) -> float:
    """A number from 0 to 1 out of the source of the account's ids, so that a seed, a reset and replicas hold for it."""
    return int(tx.new_secret()[:13], 16) / 16**13


def _to_fault(seq: int, text: str) -> Fault:
    values: dict[str, Any] = orjson.loads(text)
    return Fault(**{**values, "match": Match(**values["match"]), "seq": seq})
