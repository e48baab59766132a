"""Tokens that `/user/connect` makes (docs/contract.md section 10)."""

from dataclasses import dataclass

from fake_convai.domain.clock import Clock
from fake_convai.domain.identity import hash_secret
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.query import Query, Transaction
from fake_convai.store.statements import accounts, and_, bindparam, insert, not_, select, tokens, true, update

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
# One statement, so that what another replica does to the token at this moment comes before it or after it.
_my_active_token = and_(
    tokens.c.token_hash == bindparam("the_hash"),
    tokens.c.account_id == bindparam("the_account"),
    not_(tokens.c.revoked),
    tokens.c.expires_at > bindparam("now"),
)
_EXTEND_TOKEN = Query(update(tokens).where(_my_active_token).values(expires_at=bindparam("new_expires_at")))
_REVOKE_TOKEN = Query(update(tokens).where(_my_active_token).values(revoked=true()))


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was made by `/user/connect`; `expires_at` in microseconds of its account's clock."""

    account_id: int
    expires_at: int
    active: bool


def find(tx: Transaction, token_hash: str) -> Token | None:
    """The token with this hash, whether it still works or not."""
    row = tx.first(_TOKEN, token_hash=token_hash)
    if row is None:
        return None
    account_id, expires_at, revoked, frozen, offset = row
    return Token(account_id, expires_at, active=not revoked and Clock(frozen, offset).now() < expires_at)


def add(tx: AccountTransaction, lifetime: int) -> tuple[str, int]:
    """Make a token and keep its hash; returns it and when it expires."""
    token = tx.new_secret()
    expires_at = tx.now + lifetime
    tx.run(_ADD_TOKEN, token_hash=hash_secret(token), expires_at=expires_at)
    return token, expires_at


def extend(tx: AccountTransaction, token_hash: str, lifetime: int) -> int | None:
    """Let an active token of this account work for `lifetime` microseconds from now.

    Returns when it expires, or None when the account has no such active token.
    """
    expires_at = tx.now + lifetime
    found = tx.run(_EXTEND_TOKEN, the_hash=token_hash, the_account=tx.account_id, now=tx.now, new_expires_at=expires_at)
    return expires_at if found else None


def revoke(tx: AccountTransaction, token_hash: str) -> bool:
    """Stop an active token of this account from working; False when the account has no such active token."""
    return tx.run(_REVOKE_TOKEN, the_hash=token_hash, the_account=tx.account_id, now=tx.now) > 0
