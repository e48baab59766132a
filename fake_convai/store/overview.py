"""Which accounts there are, and how much each of them holds."""

from collections.abc import Mapping
from typing import Any

from fake_convai.store.query import Query, Transaction
from fake_convai.store.statements import (
    FromClause,
    ScalarSelect,
    accounts,
    bindparam,
    characters,
    conversations,
    func,
    journal,
    memories,
    partitions,
    select,
    speakers,
)


def _count(of: FromClause, *conditions: Any) -> ScalarSelect[int]:
    counted = select(func.count()).select_from(of).where(*conditions)
    return counted.correlate(accounts).scalar_subquery()


_mine = accounts.c.account_id
_COUNTS: Mapping[str, ScalarSelect[int]] = {
    "characters": _count(characters, characters.c.account_id == _mine),
    "end_users": _count(speakers, speakers.c.account_id == _mine, speakers.c.end_user_id.is_not(None)),
    "memories": _count(
        memories.join(partitions, partitions.c.partition_seq == memories.c.partition_seq).join(
            speakers, speakers.c.speaker_id == partitions.c.speaker_id
        ),
        speakers.c.account_id == _mine,
        memories.c.gone_at.is_(None),
    ),
    "sessions": _count(conversations, conversations.c.account_id == _mine, conversations.c.is_deleted.is_(False)),
    "requests": _count(journal, journal.c.account_id == _mine),
}
_all = select(accounts.c.key_last_four, *_COUNTS.values()).order_by(_mine)
_ALL, _ONE = Query(_all), Query(_all.where(_mine == bindparam("account_id")))


def list_accounts(tx: Transaction, account_id: int | None) -> list[dict[str, Any]]:
    """One account, or every one when it is None, in the order they were opened; of a key only its last four."""
    rows = tx.all(_ALL) if account_id is None else tx.all(_ONE, account_id=account_id)
    return [dict(zip(("last_four", *_COUNTS), row, strict=True)) for row in rows]
