"""What requests work with while the server runs."""

from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.applications import Starlette

from fake_convai.backend.auth import Authenticator
from fake_convai.backend.faults import Faults
from fake_convai.backend.journal import Journal
from fake_convai.domain.clock import Clock
from fake_convai.domain.ids import Ids
from fake_convai.live.hub import Hub
from fake_convai.settings import Settings
from fake_convai.store import clocks, faults, journal, snapshots
from fake_convai.store.accounts import (
    AccountStore,
    AccountTransaction,
    Rules,
    count_request,
    list_accounts,
)
from fake_convai.store.database import Database
from fake_convai.store.query import Transaction

Furnish = Callable[[Transaction, int, str], None]
"""Puts into an account, given the hash of its key, what a new one starts with."""


@dataclass(frozen=True, slots=True)
class Backend:
    """The database and everything around it; made in the app's lifespan."""

    database: Database
    authenticator: Authenticator
    settings: Settings
    rules: Rules
    ids: Ids
    cursor_secret: str
    furnish: Furnish
    hub: Hub = field(init=False)
    journal: Journal = field(init=False)
    faults: Faults = field(init=False)

    def __post_init__(self) -> None:
        settings = self.settings
        object.__setattr__(self, "hub", Hub(self.database, self.account_store, settings.idle_timeout))
        object.__setattr__(self, "journal", Journal(self.database, settings.journal_size))
        object.__setattr__(self, "faults", Faults(self.database, self.account_store))

    async def reset(self, account_id: int | None) -> None:
        """Make an account, or every one, as it was when it was new; connections of its sessions are closed."""
        await self.database.write(lambda tx: self._reset(tx, account_id))
        self.faults.changed()
        await self.hub.sweep()

    def _reset(self, tx: Transaction, account_id: int | None) -> None:
        if account_id is None:
            clocks.change(tx, None, lambda _: Clock())
            faults.clear(tx, None)
            journal.clear(tx, None)
        for one, key_hash in list_accounts(tx):
            if account_id in (None, one):
                journal.clear(tx, one)
                snapshots.wipe(AccountTransaction(tx, one, self.ids, self.rules))
                self.furnish(tx, one, key_hash)

    async def limit_rate(self, account: AccountStore) -> None:
        """Count a request of the account; `TooMany` when it has made as many this second as the setting allows."""
        if self.settings.rate_limit is not None:
            await account.write(count_request, int(self.settings.rate_limit.removesuffix("/s")))

    @staticmethod
    def of(app: Starlette) -> "Backend | None":
        """What an app works with while its lifespan lasts; None before and afterwards."""
        backend: Backend | None = getattr(app.state, "backend", None)
        return backend

    def account_store(self, account_id: int) -> AccountStore:
        """The database as one account sees it."""
        return AccountStore(self.database, account_id, self.ids, self.rules)
