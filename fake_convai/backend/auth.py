"""From the headers of a request to an account (CONTRACT.md section 1)."""

from collections.abc import Callable, Iterable, Mapping

from fake_convai.backend.errors import INVALID_KEY, INVALID_LIVE_KEY, MISSING_KEY, MISSING_LIVE_KEY
from fake_convai.backend.surface import Surface
from fake_convai.domain.errors import Unauthenticated
from fake_convai.domain.identity import REFUSED_KEY_PREFIX, hash_secret, last_four
from fake_convai.domain.ids import Ids
from fake_convai.store.accounts import find_token, open_account
from fake_convai.store.database import Database
from fake_convai.store.query import Transaction
from fake_convai.store.sessions import account_of_open

KEY_HEADER = "convai-api-key"
LIVE_KEY_HEADER = "x-api-key"
TOKEN_HEADER = "api-auth-token"


class Authenticator:
    """Finds the account of a request. What a key opens never changes, so it is looked up once."""

    def __init__(
        self,
        database: Database,
        valid_keys: Iterable[str],
        ids: Ids,
        furnish: Callable[[Transaction, int, str], None],
    ) -> None:
        """`furnish` puts into a new account what it is to start with; no `valid_keys` means that any key will do."""
        self._database = database
        self._ids = ids
        self._furnish = furnish
        self._valid = frozenset(map(hash_secret, valid_keys))
        self._accounts: dict[str, int] = {}

    async def account(
        self, headers: Mapping[str, str], surface: Surface, *, named: bool, key_only: bool = False
    ) -> int:
        """The account of the key or token in `headers`; raises `Unauthenticated` in the words of the surface.

        On a `named` surface only its own key header counts, elsewhere either does. With `key_only` a token does not do.
        """
        live = surface is Surface.LIVE
        own, other = (LIVE_KEY_HEADER, KEY_HEADER) if live else (KEY_HEADER, LIVE_KEY_HEADER)
        key = (headers.get(own) or (not named and headers.get(other)) or "").strip()
        credential = key or headers.get(TOKEN_HEADER, "").strip()
        if not credential:
            raise Unauthenticated(MISSING_LIVE_KEY if live else MISSING_KEY)
        secret_hash = hash_secret(credential)
        if key and (known := self._accounts.get(secret_hash)) is not None:
            return known
        account_id = await self._account_of(credential, secret_hash, may_be_key=bool(key), may_be_token=not key_only)
        if account_id is None and live and not key:
            # The id of a session stands in for a token while the session lasts (CONTRACT.md section 1, D).
            account_id = await self._database.read(lambda tx: account_of_open(tx, credential))
        if account_id is None:
            raise Unauthenticated(INVALID_LIVE_KEY if live else INVALID_KEY)
        return account_id

    async def _account_of(
        self, credential: str, secret_hash: str, *, may_be_key: bool, may_be_token: bool
    ) -> int | None:
        # A token counts in either header, and one that has expired must not open an account as a new key would.
        token = await self._database.read(lambda tx: find_token(tx, secret_hash))
        if token is not None:
            return token.account_id if token.active and may_be_token else None
        if (
            not may_be_key
            or credential.startswith(REFUSED_KEY_PREFIX)
            or (self._valid and secret_hash not in self._valid)
        ):
            return None
        account_id = await self._database.write(
            lambda tx: open_account(tx, secret_hash, last_four(credential), self._ids, self._furnish)
        )
        self._accounts[secret_hash] = account_id
        return account_id
