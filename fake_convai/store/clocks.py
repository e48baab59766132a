"""Each account's clock, and the one that new accounts get."""

from collections.abc import Callable

import orjson

from fake_convai.domain.clock import Clock
from fake_convai.store.accounts import hold_all
from fake_convai.store.query import Query, Transaction, insert_or_ignore
from fake_convai.store.statements import accounts, bindparam, delete, select, server, update

_DEFAULT = "clock"

_of_account = select(accounts.c.clock_frozen, accounts.c.clock_offset).where(
    accounts.c.account_id == bindparam("account_id")
)
_GET, _HOLD = Query(_of_account), Query(_of_account.with_for_update(key_share=True))
_SET = Query(
    update(accounts)
    .where(accounts.c.account_id == bindparam("the_account"))
    .values(clock_frozen=bindparam("frozen"), clock_offset=bindparam("offset"))
)
_SET_ALL = Query(update(accounts).values(clock_frozen=bindparam("frozen"), clock_offset=bindparam("offset")))
_GET_DEFAULT = Query(select(server.c.value).where(server.c.name == _DEFAULT))
_CLEAR_DEFAULT = Query(delete(server).where(server.c.name == _DEFAULT))
_SET_DEFAULT = insert_or_ignore(server, "name", "value")


def get(tx: Transaction, account_id: int | None, *, to_change: bool = False) -> Clock:
    """An account's clock, or for None the one that new accounts get."""
    if account_id is not None:
        row = tx.first(_HOLD if to_change else _GET, account_id=account_id)
        assert row is not None, "an account is never deleted"
        return Clock(frozen=row[0], offset=row[1])
    row = tx.first(_GET_DEFAULT)
    return Clock() if row is None else Clock(*orjson.loads(row[0]))


def change(tx: Transaction, account_id: int | None, how: Callable[[Clock], Clock]) -> Clock:
    """Set an account's clock to `how(clock)`; for None every account's, and that of new ones."""
    changed = how(get(tx, account_id, to_change=True))
    if account_id is not None:
        tx.run(_SET, the_account=account_id, frozen=changed.frozen, offset=changed.offset)
        return changed
    hold_all(tx)
    tx.run(_SET_ALL, frozen=changed.frozen, offset=changed.offset)
    tx.run(_CLEAR_DEFAULT)
    if changed != Clock():
        tx.run(_SET_DEFAULT, name=_DEFAULT, value=orjson.dumps([changed.frozen, changed.offset]).decode())
    return changed


def set_default(tx: Transaction, account_id: int) -> None:
    """Give a new account the clock that new accounts get."""
    clock = get(tx, None)
    if clock != Clock():
        tx.run(_SET, the_account=account_id, frozen=clock.frozen, offset=clock.offset)
