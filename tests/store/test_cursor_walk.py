"""Section 5 of the contract: walking all pages yields each record that existed at the start exactly once."""

import uuid
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from fake_convai.domain.clock import to_iso
from fake_convai.store import end_users, people
from fake_convai.store.accounts import AccountTransaction
from tests.conftest import Api

MOMENTS = [to_iso(1_767_225_600_000_000 + 3_600_000_000 * hour) for hour in range(6)]
moments = st.integers(0, len(MOMENTS) - 1)


@dataclass(frozen=True)
class Happening:
    """What happens to somebody between two pages."""

    what: Literal["session", "delete", "add", "return"]
    who: int
    when: int


happenings = st.lists(
    st.builds(
        Happening, st.sampled_from(["session", "session", "delete", "add", "return"]), st.integers(0, 5), moments
    ),
    min_size=1,
    max_size=4,
)
filters = st.sampled_from([{}, {"active_after": 1}, {"active_before": 4}, {"active_after": 0, "active_before": 5}])


class Walk:
    """A list that is walked while things happen, and what it must yield."""

    def __init__(self, api: Api, activity: list[int | None], bounds: dict[str, int], limit: int) -> None:
        self.api = api
        self.body: dict[str, Any] = {"limit": limit, **{name: MOMENTS[bound] for name, bound in bounds.items()}}
        self.users = [f"player-{number}" for number in range(len(activity))]
        self.at_start = {
            user for user, moment in zip(self.users, activity, strict=True) if self.matches(moment, bounds)
        }
        self.deleted: set[str] = set()
        api.write(lambda tx: self.populate(tx, activity))

    @staticmethod
    def matches(moment: int | None, bounds: dict[str, int]) -> bool:
        """Whether somebody active then passes the filters."""
        if moment is None:
            return not bounds
        return bounds.get("active_after", -1) < moment < bounds.get("active_before", len(MOMENTS))

    def populate(self, tx: AccountTransaction, activity: list[int | None]) -> None:
        """Make the people there are at the start."""
        for user, moment in zip(self.users, activity, strict=True):
            person = people.seen(tx, user)
            if moment is not None:
                people.note_activity(tx, person, 1_767_225_600_000_000 + 3_600_000_000 * moment)

    def happen(self, happening: Happening) -> None:
        """Let something happen to one of the people, or to somebody new."""
        user = self.users[happening.who % len(self.users)] if self.users else "nobody"
        if happening.what == "add":
            self.api.was_active(f"new-{uuid.uuid4()}", MOMENTS[happening.when])
        elif happening.what == "delete":
            self.api.write(lambda tx: end_users.remove(tx, user))
            self.deleted.add(user)
        elif user in self.users and (user in self.deleted) == (happening.what == "return"):
            self.api.was_active(user, MOMENTS[happening.when])

    def page(self, cursor: str | None) -> dict[str, Any]:
        """The next page."""
        page: dict[str, Any] = self.api.ok("/beta/user/end-users/list", {**self.body, "cursor": cursor})
        assert page["has_more"] == (page["next_cursor"] is not None)
        assert len(page["end_users"]) <= self.body["limit"]
        return page


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    activity=st.lists(moments, min_size=3, max_size=6) | st.lists(st.none() | moments, max_size=6),
    bounds=filters,
    limit=st.integers(1, 2),
    between=st.lists(happenings, min_size=2, max_size=6),
)
def test_each_record_of_the_start_is_met_exactly_once(
    client: TestClient,
    activity: list[int | None],
    bounds: dict[str, int],
    limit: int,
    between: list[list[Happening]],
) -> None:
    walk = Walk(Api(client, f"key-{uuid.uuid4()}"), activity, bounds, limit)
    page = walk.page(None)
    assert page["total_count"] == len(walk.at_start)
    met: list[str] = []
    while True:
        met += [user["end_user_id"] for user in page["end_users"]]
        if not page["has_more"]:
            break
        for happening in between.pop() if between else []:
            walk.happen(happening)
        page = walk.page(page["next_cursor"])
        assert len(met) < 100, "the walk does not end"
    stayed = [user for user in met if user in walk.at_start - walk.deleted]
    assert sorted(stayed) == sorted(walk.at_start - walk.deleted)
    strangers = {user for user in met if user not in walk.at_start and user not in walk.deleted}
    assert all(user.startswith("new-") for user in strangers)
    if bounds:
        assert strangers == set()


@pytest.mark.parametrize("bounds", [{}, {"active_after": MOMENTS[0]}, {"active_before": MOMENTS[3]}])
def test_a_session_moves_nobody_out_of_a_walk_or_twice_into_it(api: Api, bounds: dict[str, str]) -> None:
    for number in range(6):
        api.was_active(f"player-{number}", MOMENTS[1])
    met, cursor = [], None
    while True:
        page = api.ok("/beta/user/end-users/list", {"limit": 1, "cursor": cursor, **bounds})
        assert page["total_count"] == 6
        met += [user["end_user_id"] for user in page["end_users"]]
        cursor = page["next_cursor"]
        if cursor is None or len(met) > 6:
            break
        for number in range(6):
            api.was_active(f"player-{number}", MOMENTS[5 if len(met) % 2 else 0])
    assert met == [f"player-{number}" for number in range(6)]


def test_a_new_walk_sees_what_has_happened(api: Api) -> None:
    for user in ("one", "two"):
        api.was_active(user, MOMENTS[1])
    first = api.ok("/beta/user/end-users/list", {"limit": 1, "active_after": MOMENTS[0]})
    api.was_active("two", MOMENTS[0])
    api.was_active("three", MOMENTS[2])
    rest = api.ok("/beta/user/end-users/list", {"cursor": first["next_cursor"], "active_after": MOMENTS[0]})
    assert [user["end_user_id"] for user in rest["end_users"]] == ["two"]
    assert api.end_users(active_after=MOMENTS[0]) == ["one", "three"]
