"""Accounts and tokens. An API key is an account and an account is a universe (DESIGN.md, "Accounts are namespaces")."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import bindparam, insert, select, update

from fake_convai.domain.clock import Clock
from fake_convai.domain.ids import Ids
from fake_convai.store.database import Database
from fake_convai.store.query import DialectName, Query, Row, Transaction, insert_or_ignore
from fake_convai.store.tables import accounts, server, tokens

P = ParamSpec("P")
T = TypeVar("T")

_BY_HASH = Query(select(accounts.c.account_id).where(accounts.c.key_hash == bindparam("key_hash")))
_OPEN = insert_or_ignore(accounts, "key_hash", "key_last_four", "user_id")
_CLOCK = Query(
    select(accounts.c.clock_frozen, accounts.c.clock_offset).where(accounts.c.account_id == bindparam("account_id"))
)
_PROFILE = Query(select(accounts.c.user_id, accounts.c.plan).where(accounts.c.account_id == bindparam("account_id")))
_SET_PLAN = Query(
    update(accounts).where(accounts.c.account_id == bindparam("the_account")).values(plan=bindparam("plan"))
)
_SECRET = Query(select(server.c.value).where(server.c.name == bindparam("name")))
_SET_SECRET = insert_or_ignore(server, "name", "value")
_TOKEN = Query(
    select(
        tokens.c.account_id,
        tokens.c.expires_at,
        tokens.c.revoked,
        accounts.c.clock_frozen,
        accounts.c.clock_offset,
    )
    .join(accounts)
    .where(tokens.c.token_hash == bindparam("token_hash"))
)
_ADD_TOKEN = Query(
    insert(tokens).values(
        token_hash=bindparam("token_hash"),
        account_id=bindparam("account_id"),
        expires_at=bindparam("expires_at"),
        revoked=False,
    )
)
_CHANGE_TOKEN = Query(
    update(tokens)
    .where(tokens.c.token_hash == bindparam("the_hash"))
    .values(expires_at=bindparam("expires_at"), revoked=bindparam("revoked"))
)


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings that decide what the store does."""

    auto_create_characters: bool = False
    delete_all_delay: int = 0
    """Microseconds until a delete-all takes effect."""


class AccountTransaction:
    """A transaction on behalf of one account: its clock, its ids, its rows."""

    def __init__(self, transaction: Transaction, account_id: int, ids: Ids, rules: Rules) -> None:
        self._transaction = transaction
        self.account_id = account_id
        self.ids = ids
        self.rules = rules

    @cached_property
    def now(self) -> int:
        """The account's time in microseconds, the same throughout the transaction."""
        row = self._transaction.first(_CLOCK, account_id=self.account_id)
        assert row is not None, "an account is never deleted"
        return Clock(frozen=row[0], offset=row[1]).now()

    @property
    def dialect(self) -> DialectName:
        """Which database it is."""
        return self._transaction.dialect

    def all(self, query: Query, **parameters: Any) -> Sequence[Row]:
        """Every row of the result."""
        return self._transaction.all(query, account_id=self.account_id, **parameters)

    def first(self, query: Query, **parameters: Any) -> Row | None:
        """The first row, or None."""
        return self._transaction.first(query, account_id=self.account_id, **parameters)

    def run(self, query: Query, **parameters: Any) -> int:
        """Run a statement that changes rows; returns how many."""
        return self._transaction.run(query, account_id=self.account_id, **parameters)

    def run_many(self, query: Query, rows: Iterable[dict[str, Any]]) -> None:
        """Run a statement once for each set of parameters."""
        self._transaction.run_many(query, rows)


class AccountStore:
    """The database as one account sees it."""

    def __init__(self, database: Database, account_id: int, ids: Ids, rules: Rules) -> None:
        self._database = database
        self.account_id = account_id
        self._ids = ids
        self._rules = rules

    async def read(self, work: Callable[Concatenate[AccountTransaction, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work`, which changes nothing, in a transaction."""
        return await self._database.read(lambda transaction: work(self._mine(transaction), *args, **kwargs))

    async def write(
        self, work: Callable[Concatenate[AccountTransaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `work` in a transaction; when it raises, nothing of it stays."""
        return await self._database.write(lambda transaction: work(self._mine(transaction), *args, **kwargs))

    def _mine(self, transaction: Transaction) -> AccountTransaction:
        return AccountTransaction(transaction, self.account_id, self._ids, self._rules)


@dataclass(frozen=True, slots=True)
class Profile:
    """What the API shows or asks of an account."""

    user_id: str
    plan: str | None


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was made by `/user/connect`; `expires_at` in microseconds of its account's clock."""

    account_id: int
    expires_at: int
    active: bool


def open_account(
    tx: Transaction,
    key_hash: str,
    last_four: str,
    ids: Ids,
    furnish: Callable[[Transaction, int], None] = lambda tx, account_id: None,
) -> int:
    """The account of a key; on first use it is made, and `furnish` puts in what it starts with."""
    row = tx.first(_BY_HASH, key_hash=key_hash)
    if row is None:
        made = tx.run(_OPEN, key_hash=key_hash, key_last_four=last_four, user_id=ids.uuid())
        row = tx.first(_BY_HASH, key_hash=key_hash)
        assert row is not None
        if made:
            furnish(tx, row[0])
    account_id: int = row[0]
    return account_id


def server_secret(tx: Transaction, name: str, ids: Ids) -> str:
    """A secret that all replicas share, made by the first that asks."""
    tx.run(_SET_SECRET, name=name, value=ids.secret())
    row = tx.first(_SECRET, name=name)
    assert row is not None
    secret: str = row[0]
    return secret


def profile(tx: AccountTransaction) -> Profile:
    """The account's own record."""
    row = tx.first(_PROFILE)
    assert row is not None
    return Profile(*row)


def set_plan(tx: AccountTransaction, plan: str) -> None:
    """Put the account on a plan of its own instead of the server's."""
    tx.run(_SET_PLAN, the_account=tx.account_id, plan=plan)


def find_token(tx: Transaction, token_hash: str) -> Token | None:
    """The token with this hash, whether it still works or not."""
    row = tx.first(_TOKEN, token_hash=token_hash)
    if row is None:
        return None
    account_id, expires_at, revoked, frozen, offset = row
    return Token(account_id, expires_at, active=not revoked and Clock(frozen, offset).now() < expires_at)


def add_token(tx: AccountTransaction, token_hash: str, lifetime: int) -> int:
    """Keep a new token; returns when it expires."""
    expires_at = tx.now + lifetime
    tx.run(_ADD_TOKEN, token_hash=token_hash, expires_at=expires_at)
    return expires_at


def change_token(
    tx: AccountTransaction, token_hash: str, *, extend: int | None = None, revoke: bool = False
) -> int | None:
    """Extend an active token of this account to `extend` microseconds from now, or revoke it.

    Returns when it expires, or None when the account has no such active token.
    """
    token = find_token(tx, token_hash)
    if token is None or token.account_id != tx.account_id or not token.active:
        return None
    expires_at = token.expires_at if extend is None else tx.now + extend
    tx.run(_CHANGE_TOKEN, the_hash=token_hash, expires_at=expires_at, revoked=revoke)
    return expires_at
