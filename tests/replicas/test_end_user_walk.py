"""A list that is walked with filters while a session commits late, whose activity has the earlier number."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fake_convai.domain.clock import parse_moment
from fake_convai.store import people
from fake_convai.store.accounts import AccountTransaction
from tests.conftest import Api
from tests.replicas.database import DEADLINE, Watcher, eventually

BEFORE, AFTER = "2026-01-01", "2026-01-03"
FILTER = {"active_before": "2026-01-02"}


@pytest.mark.parametrize("whose", ["of the same account", "of another account"])
def test_a_session_that_commits_late_moves_nobody_out_of_a_walk(
    inside: tuple[Api, Api], both: tuple[Api, Api], watcher: Watcher, whose: str
) -> None:
    late, soon = inside
    for user in ("one", "two", "three"):
        soon.was_active(user, BEFORE)
    numbered, go_on = threading.Event(), threading.Event()

    def session_of_two(tx: AccountTransaction) -> None:
        people.note_activity(tx, people.seen(tx, "two"), parse_moment(AFTER, "at"))
        numbered.set()
        assert go_on.wait(DEADLINE)

    def first_page() -> dict[str, Any]:
        # Numbered after the session of two, and it may well be committed before it.
        (soon if whose == "of the same account" else Api(soon.client, f"other-{soon.key}")).was_active("three", AFTER)
        page: dict[str, Any] = both[1].ok("/beta/user/end-users/list", {"limit": 1, **FILTER})
        return page

    with ThreadPoolExecutor(2) as pool:
        session = pool.submit(late.write, session_of_two)
        assert numbered.wait(DEADLINE)
        walk = pool.submit(first_page)
        eventually(lambda: walk.done() or watcher.blocked())
        go_on.set()
        session.result(DEADLINE)
        page = walk.result(DEADLINE)
    met = [user["end_user_id"] for user in page["end_users"]]
    met += both[1].end_users(cursor=page["next_cursor"], limit=50, **FILTER) if page["next_cursor"] else []
    assert page["total_count"] == len(met) > 0
    assert met[0] == "one"
