"""Tables that keep the newest rows of each account: so many, and so many bytes together; what had to go is counted."""

from fake_convai.store.query import Query, Transaction, insert_or_ignore
from fake_convai.store.statements import (
    BigInteger,
    ColumnElement,
    Table,
    Text,
    accounts,
    bindparam,
    cast,
    delete,
    func,
    or_,
    select,
    server,
    update,
)

_HOLD = Query(
    select(accounts.c.account_id)
    .where(accounts.c.account_id == bindparam("account_id"))
    .with_for_update(key_share=True)
)
_COUNT = Query(select(server.c.value).where(server.c.name == bindparam("name")))
_BEGIN_COUNT = insert_or_ignore(server, "name", "value")
_ADD_TO_COUNT = Query(
    update(server)
    .where(server.c.name == bindparam("the_name"))
    .values(value=cast(cast(server.c.value, BigInteger) + bindparam("more", type_=BigInteger()), Text))
)
_FORGET_COUNT = Query(update(server).where(server.c.name == bindparam("the_name")).values(value="0"))


class _Bounds:
    """What is over the bounds: how much there is, and the statement that drops the oldest."""

    def __init__(self, table: Table, of_account: ColumnElement[bool]) -> None:
        number = table.primary_key.columns[0]
        counted = (
            select(
                number.label("number"),
                func.row_number().over(order_by=number.desc()).label("entries"),
                func.sum(table.c.size).over(order_by=number.desc()).label("bytes"),
            )
            .where(of_account)
            .subquery()
        )
        over = or_(counted.c.entries > bindparam("keep"), counted.c.bytes > bindparam("most_bytes"))
        newest_to_go = select(func.max(counted.c.number)).where(over).scalar_subquery()
        self.size = Query(select(func.count(), func.coalesce(func.sum(table.c.size), 0)).where(of_account))
        self.trim = Query(delete(table).where(of_account, number <= newest_to_go))


class Newest:
    """A table whose rows have an `account_id`, perhaps null, and a `size` in bytes."""

    def __init__(self, table: Table, counter: str) -> None:
        """`counter` is the column of accounts that counts what had to go; what is nobody's is counted beside them."""
        mine, column = table.c.account_id == bindparam("account_id"), accounts.c[counter]
        # Nobody's rows have a condition of their own: "is not distinct from" uses no index.
        self._mine, self._nobodys = _Bounds(table, mine), _Bounds(table, table.c.account_id.is_(None))
        self._counter = counter
        self._size_of_all = Query(select(func.coalesce(func.sum(table.c.size), 0)))
        self._clear, self._clear_all = Query(delete(table).where(mine)), Query(delete(table))
        the_account = accounts.c.account_id == bindparam("the_account")
        self._count = Query(update(accounts).where(the_account).values({counter: column + bindparam("more")}))
        self._forget = Query(update(accounts).where(the_account).values({counter: 0}))
        self._forget_all = Query(update(accounts).values({counter: 0}))
        self._dropped = Query(select(column).where(accounts.c.account_id == bindparam("account_id")))
        self._dropped_by_all = Query(select(column))

    def trim(self, tx: Transaction, account_id: int | None, keep: int, most_bytes: int, dropped_before: int) -> None:
        """Drop the oldest rows of an account that has more than `keep` or more than `most_bytes`, and count them.

        `dropped_before` is how many were dropped before they could be written down.
        """
        bounds = self._nobodys if account_id is None else self._mine
        row = tx.first(bounds.size, account_id=account_id)
        fits = row is None or (row[0] <= keep and row[1] <= most_bytes)
        if fits and not dropped_before:
            return
        if account_id is not None and tx.shared:
            tx.first(_HOLD, account_id=account_id)
        more = dropped_before
        if not fits:
            more += tx.run(bounds.trim, account_id=account_id, keep=keep, most_bytes=most_bytes)
        if account_id is not None:
            tx.run(self._count, the_account=account_id, more=more)
        else:
            tx.run(_BEGIN_COUNT, name=self._counter, value="0")
            tx.run(_ADD_TO_COUNT, the_name=self._counter, more=more)

    def size(self, tx: Transaction, account_id: int | None) -> int:
        """How many bytes the rows have: an account's own, or everybody's when it is None."""
        row = tx.first(self._size_of_all) if account_id is None else tx.first(self._mine.size, account_id=account_id)
        return 0 if row is None else int(row[-1])

    def dropped(self, tx: Transaction, account_id: int | None) -> int:
        """How many rows had to go."""
        if account_id is not None:
            rows = tx.all(self._dropped, account_id=account_id)
        else:
            rows = [*tx.all(self._dropped_by_all), *tx.all(_COUNT, name=self._counter)]
        return sum(int(row[0]) for row in rows)

    def clear(self, tx: Transaction, account_id: int | None) -> None:
        """Forget an account's rows, or all when it is None."""
        if account_id is None:
            tx.run(self._clear_all)
            tx.run(self._forget_all)
            tx.run(_FORGET_COUNT, the_name=self._counter)
        else:
            tx.run(self._clear, account_id=account_id)
            tx.run(self._forget, the_account=account_id)
