"""Stubs, in the order in which they are tried. One with `times: 1` answers once, whichever replica is asked."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

import orjson

from fake_convai.domain.stubs import StubMatch
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.query import Query, Row, Transaction, named
from fake_convai.store.statements import bindparam, delete, insert, or_, select, stubs, update

_mine = stubs.c.account_id.is_not_distinct_from(bindparam("account_id", type_=stubs.c.account_id.type))
_the_one = stubs.c.stub_seq == bindparam("the_seq")
_ADD = Query(insert(stubs).values(named("account_id", "stub_match", "answer", "times")))
_LIST = Query(select(stubs.c.stub_match, stubs.c.answer, stubs.c.times).where(_mine).order_by(stubs.c.stub_seq))
_CLEAR = Query(delete(stubs).where(_mine))
_CLEAR_ALL = Query(delete(stubs))
_CLEAR_ALIKE = Query(delete(stubs).where(_mine, stubs.c.stub_match == bindparam("stub_match")))
_ANY = Query(select(stubs.c.stub_seq).limit(1))
_TRIED = Query(
    select(stubs.c.stub_seq, stubs.c.stub_match)
    .where(or_(_mine, stubs.c.account_id.is_(None)))
    # An account's own come before those of the whole server.
    .order_by(stubs.c.account_id.is_(None), stubs.c.stub_seq)
)
_GET = Query(select(stubs.c.answer, stubs.c.times).where(_the_one))
_USE = Query(
    # The account is named so that the one in whose transaction this runs does not take its place.
    update(stubs).where(_the_one, stubs.c.times > 0).values(times=stubs.c.times - 1, account_id=stubs.c.account_id)
)
_DELETE_USED = Query(delete(stubs).where(_the_one, stubs.c.times == 0))


class Stub(NamedTuple):
    """A stub; `answer` is that part of its document which says what is sent."""

    match: StubMatch
    answer: dict[str, Any]
    times: int | None


def put(tx: Transaction, account_id: int | None, given: Iterable[Stub]) -> None:
    """Set an account's stubs, or those for all when it is None, in place of what was there."""
    tx.run(_CLEAR, account_id=account_id)
    for stub in given:
        tx.run(_ADD, account_id=account_id, **_row(stub))


def add(tx: AccountTransaction, stub: Stub) -> None:
    """Add a stub behind the account's others, in place of one for the same requests."""
    tx.run(_CLEAR_ALIKE, stub_match=_text(asdict(stub.match)))
    tx.run(_ADD, **_row(stub))


def _row(stub: Stub) -> dict[str, Any]:
    return {"stub_match": _text(asdict(stub.match)), "answer": _text(stub.answer), "times": stub.times}


def list_all(tx: Transaction, account_id: int | None) -> list[Stub]:
    """The stubs in their order; `times` is how often each will still answer."""
    return _to_stubs(tx.all(_LIST, account_id=account_id))


def list_mine(tx: AccountTransaction) -> list[Stub]:
    """The account's own."""
    return _to_stubs(tx.all(_LIST))


def _to_stubs(rows: Iterable[Row]) -> list[Stub]:
    return [Stub(_match(match), orjson.loads(answer), times) for match, answer, times in rows]


def clear(tx: Transaction, account_id: int | None) -> None:
    """Forget the account's stubs, or every stub when it is None."""
    if account_id is None:
        tx.run(_CLEAR_ALL)
    else:
        tx.run(_CLEAR, account_id=account_id)


def are_there(tx: Transaction) -> bool:
    """Whether there is any stub at all."""
    return tx.first(_ANY) is not None


def matches(tx: Transaction, account_id: int | None) -> list[tuple[int, StubMatch]]:
    """What would be answered for a caller, in the order in which it is tried, each with the number of its stub."""
    return [(seq, _match(text)) for seq, text in tx.all(_TRIED, account_id=account_id)]


def use(tx: Transaction, seq: int) -> dict[str, Any] | None:
    """The answer of a stub, used up by one; None when somebody else was faster."""
    row = tx.first(_GET, the_seq=seq)
    if row is None:
        return None
    answer, times = row
    if times is not None:
        if not tx.run(_USE, the_seq=seq):
            return None
        tx.run(_DELETE_USED, the_seq=seq)
    found: dict[str, Any] = orjson.loads(answer)
    return found


def _match(text: str) -> StubMatch:
    return StubMatch(**orjson.loads(text))


def _text(value: Mapping[str, Any]) -> str:
    return orjson.dumps(value).decode()
