"""From the headers of a request to an account (docs/contract.md section 1)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal

from fake_convai.backend.body import Headers
from fake_convai.backend.errors import Manners
from fake_convai.backend.redact import by_last_four
from fake_convai.backend.surface import Surface
from fake_convai.domain.errors import Unauthenticated
from fake_convai.domain.identity import REFUSED_KEY_PREFIX, hash_secret, last_four
from fake_convai.domain.ids import Ids
from fake_convai.store import open_sessions, tokens
from fake_convai.store.accounts import open_account
from fake_convai.store.database import Database
from fake_convai.store.query import Transaction

KEY_HEADER = "convai-api-key"
LIVE_KEY_HEADER = "x-api-key"
TOKEN_HEADER = "api-auth-token"
BEARER_HEADER = "authorization"

_SPELLED = {
    KEY_HEADER: "CONVAI-API-KEY",
    LIVE_KEY_HEADER: "X-API-Key",
    TOKEN_HEADER: "API-AUTH-TOKEN",
    BEARER_HEADER: "Authorization",
}
_ON_THE_WIRE = {name: name.encode() for name in _SPELLED}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request, found before anything else; may be nobody."""

    by: Literal["nothing", "key", "token", "session"]
    """What kind of credential was sent, where it counts."""
    account_id: int | None
    header: str = ""
    """Where it was sent."""
    shown: str | None = None
    """What is shown of it."""

    def admit(self, manners: Manners, *, key_only: bool = False) -> int:
        """The account; raises `Unauthenticated`, in the words of the surface, for nobody and for a wrong credential."""
        if self.by == "nothing":
            raise Unauthenticated(manners.missing_key)
        wrong_kind = self.by != "key" if key_only else self.by == "session" and manners.surface is not Surface.LIVE
        if self.account_id is None or wrong_kind:
            raise Unauthenticated(manners.invalid_key)
        return self.account_id

    def why_refused(self, manners: Manners) -> dict[str, str]:
        """Why `admit` refused, for the journal: what came, and what is read."""
        key_header = LIVE_KEY_HEADER if manners.surface is Surface.LIVE else KEY_HEADER
        read = f"{_SPELLED[key_header]}, {_SPELLED[TOKEN_HEADER]} and {_SPELLED[BEARER_HEADER]}: Bearer"
        came = _SPELLED.get(self.header)
        if came is None:
            because = "no key came"
        elif self.by == "nothing":
            because = f"the key came in {came}, which this surface does not read"
        elif self.account_id is not None:
            because = f"the {self.by} in {came} does not do for this route"
        else:
            because = f"the {self.by} in {came} is not accepted"
        return {"event": "refused", "with": came or "nothing", "because": f"{because}; {manners.surface} reads {read}"}


NOBODY = Caller("nothing", None)


def _sent(headers: Headers, name: str) -> str:
    value = headers.get(_ON_THE_WIRE[name])
    return "" if value is None else value.decode("latin-1").strip()


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
        self._known: dict[tuple[str, str], Caller] = {}
        """Whose a key is that came in a header, by its hash."""

    async def caller(self, headers: Headers, named: Surface | None) -> Caller:
        """Who sends these headers: the owner of the first credential that the named surface reads.

        On a named surface only its own key header counts, where all are served together (None) either does. A key in
        the header of another surface admits to nothing, and the journal still knows whose request it was.
        """
        own, other = (LIVE_KEY_HEADER, KEY_HEADER) if named is Surface.LIVE else (KEY_HEADER, LIVE_KEY_HEADER)
        for header in (own,) if named is not None else (own, other):
            if key := _sent(headers, header):
                return await self._owner(key, header)
        if token := _sent(headers, TOKEN_HEADER):
            return await self._owner(token, TOKEN_HEADER, may_be_key=False)
        scheme, _, bearer = _sent(headers, BEARER_HEADER).partition(" ")
        if scheme.lower() == "bearer" and (bearer := bearer.strip()):
            return await self._owner(bearer, BEARER_HEADER)
        if misplaced := _sent(headers, other):
            return replace(await self._owner(misplaced, other), by="nothing")
        return NOBODY

    async def _owner(self, credential: str, header: str, *, may_be_key: bool = True) -> Caller:
        secret_hash = hash_secret(credential)
        known = self._known.get((secret_hash, header))
        if known is None:
            known = await self._find(credential, secret_hash, header, may_be_key=may_be_key)
            if known.by == "key" and known.account_id is not None:
                self._known[secret_hash, header] = known
        return known

    async def _find(self, credential: str, secret_hash: str, header: str, *, may_be_key: bool) -> Caller:
        shown = by_last_four(credential)
        # A token counts in either header, and one that has expired must not open an account as a new key would.
        token = await self._database.read(lambda tx: tokens.find(tx, secret_hash))
        if token is not None:
            return Caller("token", token.account_id if token.active else None, header, shown)
        if not may_be_key:
            # The id of a session stands in for a token while the session lasts (docs/contract.md section 1).
            session = await self._database.read(lambda tx: open_sessions.account_of(tx, credential))
            return Caller("token" if session is None else "session", session, header, shown)
        if credential.startswith(REFUSED_KEY_PREFIX) or (self._valid and secret_hash not in self._valid):
            return Caller("key", None, header, shown)
        account_id = await self._database.write(
            lambda tx: open_account(tx, secret_hash, last_four(credential), self._ids, self._furnish)
        )
        return Caller("key", account_id, header, shown)
