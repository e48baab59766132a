"""Accounts. An API key is an account and an account is a universe (docs/design.md, "Where state lives")."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

import orjson

from fake_convai.domain.clock import SECOND, Clock, real_time
from fake_convai.domain.dedup import DedupMode
from fake_convai.domain.errors import RATE_LIMITED, TooMany
from fake_convai.domain.ids import Ids
from fake_convai.domain.pace import INSTANT, Pace
from fake_convai.store.database import Database
from fake_convai.store.query import Query, Row, Transaction, insert_or_ignore, named
from fake_convai.store.statements import (
    accounts,
    bindparam,
    case,
    not_,
    or_,
    select,
    server,
    text,
    update,
)

P = ParamSpec("P")
T = TypeVar("T")

NO_REPLIES = '{"replies":[],"default":null}'

_BY_HASH = Query(select(accounts.c.account_id).where(accounts.c.key_hash == bindparam("key_hash")))
_OPEN = insert_or_ignore(accounts, "key_hash", "key_last_four", "user_id")
HABITS = (accounts.c.clock_frozen, accounts.c.clock_offset, accounts.c.dedup)
_HABITS = Query(select(*HABITS).where(accounts.c.account_id == bindparam("account_id")))
_COUNT_ID = Query(
    update(accounts)
    .where(accounts.c.account_id == bindparam("the_account"))
    .values(ids_made=accounts.c.ids_made + 1)
    .returning(accounts.c.key_hash, accounts.c.ids_made)
)
_TAKE_TURN = Query(
    select(accounts.c.account_id)
    .where(accounts.c.account_id == bindparam("account_id"))
    .with_for_update(key_share=True)
)
_ONE_STATE = Query(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
_PROFILE = Query(
    select(accounts.c.user_id, accounts.c.plan, accounts.c.dedup).where(
        accounts.c.account_id == bindparam("account_id")
    )
)
_same_second = accounts.c.rate_second.is_not_distinct_from(bindparam("second"))
_COUNT_REQUEST = Query(
    update(accounts)
    .where(
        accounts.c.account_id == bindparam("the_account"),
        or_(not_(_same_second), accounts.c.rate_count < bindparam("most")),
    )
    .values(
        rate_count=case((_same_second, accounts.c.rate_count + 1), else_=1),
        rate_second=bindparam("second"),
    )
)
_SET = {
    name: Query(update(accounts).where(accounts.c.account_id == bindparam("the_account")).values(named(name)))
    for name in ("plan", "dedup", "replies", "pace")
}
_MANNER = Query(select(accounts.c.replies, accounts.c.pace).where(accounts.c.account_id == bindparam("account_id")))
_REPLIES = Query(select(accounts.c.replies).where(accounts.c.account_id == bindparam("account_id")))
_PROBE = "probe"
_SET_PROBE = Query(update(server).where(server.c.name == bindparam("the_name")).values(value=bindparam("value")))
_ADD_PROBE = insert_or_ignore(server, "name", "value")
_HOLD_ALL = Query(select(accounts.c.account_id).order_by(accounts.c.account_id).with_for_update(key_share=True))
_ALL = Query(select(accounts.c.account_id, accounts.c.key_hash).order_by(accounts.c.account_id))
_SECRET = Query(select(server.c.value).where(server.c.name == bindparam("name")))
_SET_SECRET = insert_or_ignore(server, "name", "value")


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings that decide what the store does."""

    auto_create_characters: bool = False
    dedup: DedupMode = "naive"
    delete_all_delay: int = 0
    """Microseconds until a delete-all takes effect."""
    random_seed: int | None = None
    """Makes ids repeatable: each account counts its own."""
    snapshot_bytes: int = 256 * 1024 * 1024
    """What the snapshots of an account may take."""


class Habits(NamedTuple):
    """An account's clock, and how it compares facts when not as the server does."""

    clock_frozen: int | None
    clock_offset: int
    dedup: DedupMode | None


class AccountTransaction:
    """A transaction on behalf of one account: its clock, its ids, its rows."""

    __slots__ = ("_habits", "_has_turn", "_ids", "_now", "_transaction", "account_id", "lags", "rules")

    def __init__(
        self, transaction: Transaction, account_id: int, ids: Ids, rules: Rules, *, lags: bool = False
    ) -> None:
        self._transaction = transaction
        self.account_id = account_id
        self.rules = rules
        self.lags = lags
        """Whether something of some account may lag, so that it is worth a question."""
        self._ids = ids
        self._habits: Habits | None = None
        self._now: int | None = None
        self._has_turn = False

    def new_id(self) -> str:
        """A UUID that nothing else has."""
        return self._next_ids().uuid()

    def new_secret(self) -> str:
        """64 hexadecimal characters for a token."""
        return self._next_ids().secret()

    def _next_ids(self) -> Ids:
        if self.rules.random_seed is None:
            return self._ids
        row = self.first(_COUNT_ID, the_account=self.account_id)
        assert row is not None
        return Ids(f"{self.rules.random_seed} {row[0]} {row[1]}")

    def as_of(self, moment: int) -> "AccountTransaction":
        """The same transaction, for what should have happened at a moment before now."""
        earlier = AccountTransaction(self._transaction, self.account_id, self._ids, self.rules, lags=self.lags)
        earlier._now = min(moment, self.now)
        return earlier

    @property
    def now(self) -> int:
        """The account's time in microseconds, the same throughout the transaction."""
        if self._now is None:
            habits = self.habits
            self._now = Clock(habits.clock_frozen, habits.clock_offset).now()
        return self._now

    @property
    def dedup(self) -> DedupMode:
        """How facts of this account are compared."""
        return self.habits.dedup or self.rules.dedup

    @property
    def habits(self) -> Habits:
        """What most transactions need to know of the account; a query that finds it along the way may set it."""
        if self._habits is None:
            row = self._transaction.first(_HABITS, account_id=self.account_id)
            assert row is not None, "an account is never deleted"
            self._habits = Habits(*row)
        return self._habits

    @habits.setter
    def habits(self, habits: Habits) -> None:
        self._habits = habits

    @property
    def shared(self) -> bool:
        """Whether other transactions may run at the same time."""
        return self._transaction.shared

    def take_turn(self) -> bool:
        """Let nobody else pass here for this account until the transaction ends; True when somebody might have before,
        and what was looked for has to be looked for once more.

        Whoever makes a person or a character takes a turn first. SQLite runs one writer at a time anyway; on PostgreSQL
        two transactions would each make their own.
        """
        if not self._transaction.shared or self._has_turn:
            return False
        self.first(_TAKE_TURN)
        self._has_turn = True
        return True

    def see_one_state(self) -> None:
        """Let all that follows see the data as they are now; this has to come first. On SQLite it is always so."""
        if self._transaction.shared:
            self._transaction.all(_ONE_STATE)

    def all(self, query: Query, **parameters: Any) -> Sequence[Row]:
        """Every row of the result."""
        return self._transaction.all(query, account_id=self.account_id, **parameters)

    def first(self, query: Query, **parameters: Any) -> Row | None:
        """The first row, or None."""
        return self._transaction.first(query, account_id=self.account_id, **parameters)

    def insert(self, query: Query, **parameters: Any) -> int:
        """Insert a row; returns its number."""
        return self._transaction.insert(query, account_id=self.account_id, **parameters)

    def run(self, query: Query, **parameters: Any) -> int:
        """Run a statement that changes rows; returns how many."""
        return self._transaction.run(query, account_id=self.account_id, **parameters)

    def run_many(self, query: Query, rows: Iterable[dict[str, Any]]) -> None:
        """Run a statement once for each set of parameters."""
        self._transaction.run_many(query, [{"account_id": self.account_id, **row} for row in rows])


class AccountStore:
    """The database as one account sees it."""

    def __init__(
        self,
        database: Database,
        account_id: int,
        ids: Ids,
        rules: Rules,
        *,
        long: bool = False,
        lags: bool = False,
    ) -> None:
        self._database = database
        self.account_id = account_id
        self._lags = lags
        self._ids = ids
        self._rules = rules
        self._long = long

    @property
    def long(self) -> "AccountStore":
        """The same for work that may take more than a moment: it does not hold up the event loop."""
        return AccountStore(self._database, self.account_id, self._ids, self._rules, long=True, lags=self._lags)

    def read(
        self, work: Callable[Concatenate[AccountTransaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Awaitable[T]:
        """Run `work`, which changes nothing, in a transaction."""
        return self._database.read(lambda tx: work(self._mine(tx), *args, **kwargs), long=self._long)

    def write(
        self, work: Callable[Concatenate[AccountTransaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Awaitable[T]:
        """Run `work` in a transaction; when it raises, nothing of it stays."""

        def in_turn(transaction: Transaction) -> T:
            mine = self._mine(transaction)
            if self._rules.random_seed is not None:
                mine.take_turn()  # whoever asks for an id will hold the account, which comes before all else
            return work(mine, *args, **kwargs)

        return self._database.write(in_turn, long=self._long)

    def _mine(self, transaction: Transaction) -> AccountTransaction:
        return AccountTransaction(transaction, self.account_id, self._ids, self._rules, lags=self._lags)


@dataclass(frozen=True, slots=True)
class Profile:
    """What the API shows or asks of an account."""

    user_id: str
    plan: str | None
    dedup: DedupMode | None


def open_account(
    tx: Transaction,
    key_hash: str,
    last_four: str,
    ids: Ids,
    furnish: Callable[[Transaction, int, str], None],
) -> int:
    """The account of a key; on first use it is made, and `furnish` puts in what it starts with."""
    row = tx.first(_BY_HASH, key_hash=key_hash)
    if row is None:
        made = tx.run(_OPEN, key_hash=key_hash, key_last_four=last_four, user_id=ids.uuid())
        row = tx.first(_BY_HASH, key_hash=key_hash)
        assert row is not None
        if made:
            furnish(tx, row[0], key_hash)
    account_id: int = row[0]
    return account_id


def count_request(tx: AccountTransaction, limit: int) -> None:
    """Count a request; `TooMany` when the account has made `limit` in this second of its clock."""
    second = tx.now // SECOND
    if tx.run(_COUNT_REQUEST, the_account=tx.account_id, second=second, most=limit) == 0:
        raise TooMany(RATE_LIMITED)


def server_secret(tx: Transaction, name: str, ids: Ids) -> str:
    """A secret that all replicas share, made by the first that asks."""
    tx.run(_SET_SECRET, name=name, value=ids.secret())
    row = tx.first(_SECRET, name=name)
    assert row is not None
    secret: str = row[0]
    return secret


def try_to_write(tx: Transaction) -> None:
    """Write something that nobody reads: a full disk or a read-only file says so."""
    if tx.run(_SET_PROBE, the_name=_PROBE, value=str(real_time())) == 0:
        tx.run(_ADD_PROBE, name=_PROBE, value="0")


def hold_all(tx: Transaction) -> None:
    """Take every account's turn, for what changes all of them."""
    if tx.shared:
        tx.all(_HOLD_ALL)


def list_accounts(tx: Transaction) -> list[tuple[int, str]]:
    """Every account and the hash of its key."""
    return [(row[0], row[1]) for row in tx.all(_ALL)]


def profile(tx: AccountTransaction) -> Profile:
    """The account's own record."""
    row = tx.first(_PROFILE)
    assert row is not None
    return Profile(*row)


def replies(tx: AccountTransaction) -> dict[str, Any] | None:
    """What the account's characters are told to say, None when nothing."""
    row = tx.first(_REPLIES)
    return None if row is None or row[0] is None else orjson.loads(row[0])


def set_replies(tx: AccountTransaction, script: Mapping[str, Any]) -> None:
    """Tell the account's characters what to say."""
    tx.run(_SET["replies"], the_account=tx.account_id, replies=orjson.dumps(script).decode())


def manner(tx: AccountTransaction) -> tuple[str, Pace]:
    """How the account's characters speak: what is scripted, as JSON, and how fast."""
    row = tx.first(_MANNER)
    assert row is not None
    script, pace = row
    return script or NO_REPLIES, INSTANT if pace is None else Pace(**orjson.loads(pace))


def set_pace(tx: AccountTransaction, pace: Pace) -> None:
    """Let the account's characters answer in a pace."""
    given = pace.given()
    tx.run(_SET["pace"], the_account=tx.account_id, pace=orjson.dumps(given).decode() if given else None)


def set_dedup(tx: AccountTransaction, mode: DedupMode) -> None:
    """Compare the account's facts in a way of its own instead of the server's."""
    tx.run(_SET["dedup"], the_account=tx.account_id, dedup=mode)


def set_plan(tx: AccountTransaction, plan: str) -> None:
    """Put the account on a plan of its own instead of the server's."""
    tx.run(_SET["plan"], the_account=tx.account_id, plan=plan)
