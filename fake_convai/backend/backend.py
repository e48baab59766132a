"""What requests and live sessions work with while the server runs."""

from collections.abc import Callable

from fake_convai.backend.auth import Authenticator
from fake_convai.backend.faults import Faults
from fake_convai.backend.frames import Frames
from fake_convai.backend.journal import Journal
from fake_convai.backend.stubs import Stubs
from fake_convai.backend.waiting import Timekeeper
from fake_convai.domain.clock import Clock
from fake_convai.domain.ids import Ids
from fake_convai.settings import Options
from fake_convai.store import clocks, faults, journal, messages, stubs, wiping
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


class Backend:
    """The database and everything around it; made in the app's lifespan."""

    def __init__(
        self,
        database: Database,
        authenticator: Authenticator,
        *,
        settings: Options,
        rules: Rules,
        ids: Ids,
        cursor_secret: str,
        furnish: Furnish,
    ) -> None:
        self.database = database
        self.authenticator = authenticator
        self.settings = settings
        self.cursor_secret = cursor_secret
        self.journal = Journal(database, settings.journal_size, settings.journal_bytes)
        self.faults = Faults(database, self.account_store)
        self.stubs = Stubs(database)
        self.frames = Frames(database, settings.journal_size, settings.journal_bytes)
        self.time = Timekeeper(database)
        self._rules = rules
        self._ids = ids
        self._furnish = furnish

    def account_store(self, account_id: int, *, lags: bool = False) -> AccountStore:
        """The database as one account sees it; `lags` when something of some account may not show yet."""
        return AccountStore(self.database, account_id, self._ids, self._rules, lags=lags)

    async def limit_rate(self, account: AccountStore, rate: str) -> None:
        """Count a request of the account; `TooMany` when it has made as many this second as a rate such as "5/s"."""
        await account.write(count_request, int(rate.removesuffix("/s")))

    async def reset(self, account_id: int | None) -> None:
        """Make an account, or every one, as it was when it was new."""
        await self.database.write(lambda tx: self._reset(tx, account_id), long=True)
        self.faults.changed()
        self.stubs.changed()
        self.time.moved()

    def _reset(self, tx: Transaction, account_id: int | None) -> None:
        if account_id is None:
            clocks.change(tx, None, lambda _: Clock())
            faults.clear(tx, None)
            stubs.clear(tx, None)
            journal.KEPT.clear(tx, None)
            messages.KEPT.clear(tx, None)
        for one, key_hash in list_accounts(tx):
            if account_id in (None, one):
                wiping.wipe(AccountTransaction(tx, one, self._ids, self._rules))
                journal.KEPT.clear(tx, one)
                messages.KEPT.clear(tx, one)
                self._furnish(tx, one, key_hash)
