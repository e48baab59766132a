"""End-user records: list, get, patch, delete (docs/contract.md section 5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from fake_convai.domain.cursor import Cursor, Filters
from fake_convai.domain.errors import NotFound
from fake_convai.store import lag, people
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.people import COLUMNS, METADATA, OF_ACCOUNT, Person, to_person
from fake_convai.store.query import Query, in_passing
from fake_convai.store.statements import activity, and_, bindparam, exists, func, pending, select, speakers

# Of this account: only there do activities become visible in the order of their numbers.
_HORIZON = Query(
    select(func.coalesce(func.max(activity.c.activity_seq), 0)).where(activity.c.account_id == bindparam("account_id"))
)
_active_at = (
    select(activity.c.at)
    .where(activity.c.speaker_id == speakers.c.speaker_id, activity.c.activity_seq <= bindparam("horizon"))
    .order_by(activity.c.activity_seq.desc())
    .limit(1)
    .scalar_subquery()
)


@dataclass(frozen=True, slots=True)
class EndUserPage:
    """A page of end users; `next` continues after its last record, or is None at the end."""

    end_users: list[Person]
    total_count: int
    next: Cursor | None


def get(tx: AccountTransaction, end_user_id: str, *, hold: bool = False) -> Person:
    """The record of an end user, held if it is to be changed; `NotFound` when there is none."""
    person = people.find(tx, end_user_id, hold=hold)
    if person is None or person.end_user_id is None or (tx.lags and person.speaker_id in lag.hidden(tx, "end_users")):
        raise unknown_end_user(end_user_id)
    return person


def seen(tx: AccountTransaction, end_user_id: str) -> Person:
    """The person an `end_user_id` means, as `people.seen`; a new record may take a while to show."""
    if not tx.lags:
        return people.seen(tx, end_user_id)
    before = people.find(tx, end_user_id)
    person = people.seen(tx, end_user_id)
    if before is None or before.end_user_id is None:
        lag.hold(tx, "end_users", speaker_id=person.speaker_id)
    return person


def update(tx: AccountTransaction, end_user_id: str, patch: Mapping[str, Any]) -> Person:
    """Merge `patch` into an end user's metadata; `NotFound` when there is no record."""
    return people.change_metadata(tx, get(tx, end_user_id, hold=True), patch)


def remove(tx: AccountTransaction, end_user_id: str) -> bool:
    """Delete a person with everything that hangs on them; False when nobody has that id."""
    person = people.find(tx, end_user_id, hold=True)
    if person is None:
        return False
    people.remove(tx, person)
    return True


def unknown_end_user(end_user_id: str) -> NotFound:
    """The error for an id that has no record."""
    return NotFound(
        f"Unknown end_user_id '{end_user_id}': this account has no such end user. A record is made by /connect and by "
        f"/memory/add."
    )


def list_page(
    tx: AccountTransaction, limit: int, cursor: Cursor | None, filters: Filters, *, whole: bool = False
) -> EndUserPage | None:
    """A page of end users in the order their records were made, which nothing that happens meanwhile can change. None
    when it is too large to be read in passing, unless the `whole` page is wanted whatever its size."""
    count, page = _list_queries(filters.active_after is not None, filters.active_before is not None, tx.lags, whole)
    if cursor is None:
        newest = tx.first(_HORIZON)
        cursor = Cursor(after=0, horizon=0 if newest is None else newest[0])
    bounds = {
        "horizon": cursor.horizon,
        "active_after": filters.active_after,
        "active_before": filters.active_before,
    }
    total = tx.first(count, **bounds)
    rows = tx.all(page, after=cursor.after, row_limit=limit + 1, **bounds)
    if None in [row[METADATA] for row in rows]:
        return None
    end_users = [to_person(row) for row in rows[:limit]]
    more = len(rows) > limit
    return EndUserPage(
        end_users=end_users,
        total_count=0 if total is None else total[0],
        next=Cursor(after=end_users[-1].speaker_seq, horizon=cursor.horizon) if more else None,
    )


@cache
def _list_queries(after: bool, before: bool, lags: bool, whole: bool) -> tuple[Query, Query]:
    """Count and page, narrowed by those filters that are given; both are exclusive, never active matches none."""
    conditions = [OF_ACCOUNT, speakers.c.end_user_id.is_not(None)]
    if lags:
        conditions.append(~exists().where(pending.c.speaker_id == speakers.c.speaker_id, pending.c.kind == "end_users"))
    if after:
        conditions.append(_active_at > bindparam("active_after"))
    if before:
        conditions.append(_active_at < bindparam("active_before"))
    return (
        Query(select(func.count()).select_from(speakers).where(and_(*conditions))),
        Query(
            select(*[column if whole or at != METADATA else in_passing(column) for at, column in enumerate(COLUMNS)])
            .where(and_(*conditions, speakers.c.speaker_seq > bindparam("after")))
            .order_by(speakers.c.speaker_seq)
            .limit(bindparam("row_limit"))
        ),
    )
