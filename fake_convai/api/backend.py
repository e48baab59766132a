"""What requests work with while the server runs."""

from dataclasses import dataclass, field

from fake_convai.api.auth import Authenticator
from fake_convai.api.hub import Hub
from fake_convai.domain.ids import Ids
from fake_convai.settings import Settings
from fake_convai.store.accounts import AccountStore, Rules
from fake_convai.store.database import Database


@dataclass(frozen=True, slots=True)
class Backend:
    """The database and everything around it; made in the app's lifespan."""

    database: Database
    authenticator: Authenticator
    settings: Settings
    rules: Rules
    ids: Ids
    cursor_secret: str
    hub: Hub = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hub", Hub(self.database, self.account_store, self.settings.idle_timeout))

    def account_store(self, account_id: int) -> AccountStore:
        """The database as one account sees it."""
        return AccountStore(self.database, account_id, self.ids, self.rules)
