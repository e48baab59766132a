"""What was written and does not show yet, as on the real service, where memory appears a while after a session."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from fake_convai.domain.clock import SECOND
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.query import Query, named
from fake_convai.store.statements import accounts, bindparam, insert, pending, select, update

_GET = Query(select(accounts.c.lag).where(accounts.c.account_id == bindparam("account_id")))
_SET = Query(update(accounts).where(accounts.c.account_id == bindparam("the_account")).values(lag=bindparam("lag")))
_mine = pending.c.account_id == bindparam("account_id")
_ADD = Query(
    insert(pending).values(
        named("account_id", "kind", "speaker_id", "conversation_seq", "due_at", "reads_left", "said")
    )
)
ALL = Query(
    select(
        pending.c.pending_seq,
        pending.c.kind,
        pending.c.speaker_id,
        pending.c.conversation_seq,
        pending.c.due_at,
        pending.c.reads_left,
        pending.c.said,
    )
    .where(_mine)
    .order_by(pending.c.pending_seq)
)
"""Everything of an account that waits, the oldest first."""


def settings(tx: AccountTransaction) -> dict[str, Any]:
    """How late what is written appears, by what it is: `{"seconds": 5}` or `{"reads": 2}`."""
    row = tx.first(_GET)
    return {} if row is None or row[0] is None else orjson.loads(row[0])


def set_settings(tx: AccountTransaction, lag: Mapping[str, Any]) -> None:
    """Let what is written from now on appear so late. An account that lagged once is looked after until it settles."""
    nothing = not lag and not tx.all(ALL)
    tx.run(_SET, the_account=tx.account_id, lag=None if nothing else orjson.dumps(lag).decode())


def hold(
    tx: AccountTransaction,
    kind: str,
    *,
    speaker_id: str | None = None,
    conversation_seq: int | None = None,
    said: Iterable[str] = (),
) -> bool:
    """Let something wait until it shows; False when it does not lag."""
    wish = settings(tx).get(kind)
    if wish is None:
        return False
    tx.run(
        _ADD,
        kind=kind,
        speaker_id=speaker_id,
        conversation_seq=conversation_seq,
        due_at=None if "reads" in wish else tx.now + round(wish["seconds"] * SECOND),
        reads_left=wish.get("reads"),
        said=orjson.dumps(list(said)).decode(),
    )
    return True


def hidden(tx: AccountTransaction, kind: str) -> set[Any]:
    """The people, by `speaker_id`, or the conversations, by number, that do not show yet."""
    return {row[2] if kind == "end_users" else row[3] for row in tx.all(ALL) if row[1] == kind}
