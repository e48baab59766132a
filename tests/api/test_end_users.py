"""Section 5 of the contract: end users."""

import pytest

from tests.conftest import Api, refused

DAY_1, DAY_2, DAY_3 = (f"2026-01-0{day}T00:00:00.000000Z" for day in (1, 2, 3))


def details(end_user_id: str, **fields: object) -> dict[str, object]:
    """An end user's record as it is returned."""
    return {
        "end_user_id": end_user_id,
        "last_active_ts": None,
        "last_ltm_usage_ts": None,
        "end_user_metadata": {},
        **fields,
    }


def test_the_first_fact_makes_a_record(api: Api) -> None:
    npc = api.character()
    assert api.ok("/beta/user/end-users/list") == {
        "end_users": [],
        "total_count": 0,
        "next_cursor": None,
        "has_more": False,
    }
    api.freeze(DAY_1)
    api.remember(npc, "player-42", "The user has a dog.")
    record = details("player-42", last_ltm_usage_ts=DAY_1)
    assert api.ok("/beta/user/end-users/get", {"end_user_id": " player-42 "}) == record
    assert api.ok("/beta/user/end-users/list") == {
        "end_users": [record],
        "total_count": 1,
        "next_cursor": None,
        "has_more": False,
    }


def test_last_active_is_the_most_recent_session(api: Api) -> None:
    api.was_active("player-42", DAY_1)
    api.was_active("player-42", DAY_2)
    assert api.ok("/beta/user/end-users/get", {"end_user_id": "player-42"}) == details(
        "player-42", last_active_ts=DAY_2
    )


def test_an_update_patches_the_metadata(api: Api) -> None:
    api.was_active("player-42", DAY_1)

    def update(patch: dict[str, object]) -> dict[str, object]:
        answer: dict[str, object] = api.ok(
            "/beta/user/end-users/update", {"end_user_id": "player-42", "end_user_metadata": patch}
        )
        metadata = answer["end_user_metadata"]
        assert answer.pop("message")
        assert answer == details("player-42", last_active_ts=DAY_1, end_user_metadata=metadata)
        assert api.ok("/beta/user/end-users/get", {"end_user_id": "player-42"}) == answer
        assert isinstance(metadata, dict)
        return metadata

    first = {"name": "Jordan", "rank": 4, "tags": ["a", {"b": None}], "ratio": 0.5, "on": True, "\u00e9": "\U0001f600"}
    assert update(first) == first
    assert update({"rank": 5, "tags": None, "unknown": None}) == {
        "name": "Jordan",
        "rank": 5,
        "ratio": 0.5,
        "on": True,
        "\u00e9": "\U0001f600",
    }
    assert update({}) == update({"rank": 5})
    assert update({"name": None}) == {"rank": 5, "ratio": 0.5, "on": True, "\u00e9": "\U0001f600"}


@pytest.mark.parametrize("name", [5, True, ["Jordan"], {"first": "Jordan"}], ids=["number", "bool", "list", "object"])
def test_a_name_is_a_string_or_null(api: Api, name: object) -> None:
    api.was_active("player-42", DAY_1)
    body = {"end_user_id": "player-42", "end_user_metadata": {"name": name, "rank": 1}}
    refused(api.post("/beta/user/end-users/update", body), 400, "end_user_metadata", "name")
    assert api.ok("/beta/user/end-users/get", {"end_user_id": "player-42"})["end_user_metadata"] == {}


def test_an_unknown_end_user_is_neither_got_nor_updated(api: Api) -> None:
    refused(api.post("/beta/user/end-users/get", {"end_user_id": "ghost"}), 404, "end_user_id", "ghost")
    body = {"end_user_id": "ghost", "end_user_metadata": {"name": "Casper"}}
    refused(api.post("/beta/user/end-users/update", body), 404, "end_user_id", "ghost")
    assert api.end_users() == []


def test_deleting_takes_the_record_and_the_memories_of_every_character(api: Api) -> None:
    first, second = api.character(), api.character()
    for npc in (first, second):
        api.remember(npc, "player-42", "The user has a dog.")
        api.remember(npc, "player-43", "The user has a cat.")
    deleted = api.ok("/beta/user/end-users/delete", {"end_user_id": " player-42 "})
    assert deleted == {"message": deleted["message"], "end_user_id": "player-42", "deleted": True}
    assert deleted["message"]
    assert api.end_users() == ["player-43"]
    for npc in (first, second):
        refused(api.post("/beta/memory/list", {"character_id": npc, "end_user_id": "player-42"}), 404, "player-42")
        assert len(api.memories(npc, "player-43")) == 1
    api.remember(first, "player-42", "The user has a bird.")
    assert [memory["memory"] for memory in api.memories(first, "player-42")] == ["The user has a bird."]
    assert api.memories(second, "player-42") == []


def test_deleting_an_unknown_end_user_is_no_error(api: Api) -> None:
    answer = api.ok("/beta/user/end-users/delete", {"end_user_id": "ghost"})
    assert answer == {"message": answer["message"], "end_user_id": "ghost", "deleted": False}
    assert answer["message"]


def test_accounts_do_not_meet(api: Api, other: Api) -> None:
    api.was_active("player-42", DAY_1)
    other.was_active("player-42", DAY_2)
    other.was_active("player-43", DAY_2)
    assert api.end_users() == ["player-42"]
    refused(api.post("/beta/user/end-users/get", {"end_user_id": "player-43"}), 404)
    assert api.ok("/beta/user/end-users/delete", {"end_user_id": "player-42"})["deleted"] is True
    assert other.end_users() == ["player-42", "player-43"]


def test_the_list_is_walked_with_its_cursor(api: Api) -> None:
    users = [f"player-{number}" for number in range(5)]
    for user in users:
        api.was_active(user, DAY_1)
    first = api.ok("/beta/user/end-users/list", {"limit": 2})
    second = api.ok("/beta/user/end-users/list", {"limit": 2, "cursor": first["next_cursor"]})
    third = api.ok("/beta/user/end-users/list", {"limit": 2, "cursor": second["next_cursor"]})
    for page, expected in ((first, users[:2]), (second, users[2:4]), (third, users[4:])):
        assert page["end_users"] == [details(user, last_active_ts=DAY_1) for user in expected]
        assert page["total_count"] == 5
    assert (third["next_cursor"], third["has_more"]) == (None, False)
    for page in (first, second):
        assert isinstance(page["next_cursor"], str)
        assert page["has_more"] is True
    assert api.ok("/beta/user/end-users/list", {"limit": 5})["next_cursor"] is None


def test_fifty_users_make_a_page_unless_said_otherwise(api: Api) -> None:
    npc = api.character()
    for number in range(51):
        api.remember(npc, f"player-{number}", "A fact.")
    page = api.ok("/beta/user/end-users/list")
    assert (len(page["end_users"]), page["total_count"], page["has_more"]) == (50, 51, True)
    assert len(api.end_users(limit=200)) == 51


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        pytest.param({}, ["never", "one", "two", "three"], id="none"),
        pytest.param({"active_after": DAY_1}, ["two", "three"], id="after is exclusive"),
        pytest.param({"active_before": DAY_3}, ["one", "two"], id="before is exclusive"),
        pytest.param({"active_after": DAY_1, "active_before": DAY_3}, ["two"], id="between"),
        pytest.param({"active_after": "2026-01-01"}, ["two", "three"], id="a date is midnight UTC"),
        pytest.param({"active_before": "2026-01-02T00:00:00.000001"}, ["one", "two"], id="no offset is UTC"),
        pytest.param({"active_after": "2026-01-02T01:00:00+02:00"}, ["two", "three"], id="an offset counts"),
        pytest.param({"active_after": "2026-01-03"}, [], id="nobody"),
        pytest.param({"active_after": "0001-01-01T00:00+23:59"}, ["one", "two", "three"], id="the oldest date"),
        pytest.param({"active_before": "9999-12-31T23:59-23:59"}, ["one", "two", "three"], id="the newest date"),
        pytest.param({"active_after": None, "active_before": None}, ["never", "one", "two", "three"], id="null"),
    ],
)
def test_filters(api: Api, filters: dict[str, str], expected: list[str]) -> None:
    api.remember(api.character(), "never", "A fact.")
    for user, at in (("one", DAY_1), ("two", DAY_2), ("three", DAY_3)):
        api.was_active(user, at)
    listed = api.ok("/beta/user/end-users/list", filters)
    assert [user["end_user_id"] for user in listed["end_users"]] == expected
    assert listed["total_count"] == len(expected)
    page = api.ok("/beta/user/end-users/list", {**filters, "limit": 1})
    assert page["total_count"] == len(expected)


@pytest.mark.parametrize("parameter", ["active_after", "active_before"])
@pytest.mark.parametrize("moment", ["yesterday", "", "2026-13-01", "2026-01-01T25:00:00Z", "1767225600", "12:00"])
def test_what_is_no_date_is_refused(api: Api, parameter: str, moment: str) -> None:
    refused(api.post("/beta/user/end-users/list", {parameter: moment}), 400, parameter, "ISO 8601")


class TestCursor:
    """The cursor is opaque and bound to its filters and its account."""

    def cursor(self, api: Api, **filters: str) -> str:
        """The cursor of a first page of two."""
        for user in ("one", "two"):
            api.was_active(user, DAY_2)
        cursor = api.ok("/beta/user/end-users/list", {"limit": 1, **filters})["next_cursor"]
        assert isinstance(cursor, str)
        return cursor

    def test_it_works_with_the_same_filters_and_any_limit(self, api: Api) -> None:
        cursor = self.cursor(api, active_after="2026-01-01")
        body = {"cursor": cursor, "active_after": "2026-01-01T00:00:00Z", "limit": 200}
        assert api.end_users(**body) == api.end_users(**body) == ["two"]

    @pytest.mark.parametrize(
        "filters",
        [{}, {"active_after": DAY_2}, {"active_before": DAY_1}, {"active_after": DAY_1, "active_before": DAY_3}],
        ids=["none", "another moment", "the other end", "one more"],
    )
    def test_it_is_refused_with_other_filters(self, api: Api, filters: dict[str, str]) -> None:
        cursor = self.cursor(api, active_after=DAY_1)
        refused(api.post("/beta/user/end-users/list", {"cursor": cursor, **filters}), 400, "cursor")

    def test_it_is_refused_by_another_account(self, api: Api, other: Api) -> None:
        refused(other.post("/beta/user/end-users/list", {"cursor": self.cursor(api)}), 400, "cursor")

    @pytest.mark.parametrize("forged", ["", "x", "MQ==", "\u00e9", "A" * 43, "1", " "])
    def test_a_forged_one_is_refused(self, api: Api, forged: str) -> None:
        refused(api.post("/beta/user/end-users/list", {"cursor": forged}), 400, "cursor")

    def test_an_altered_one_is_refused(self, api: Api) -> None:
        cursor = self.cursor(api)
        for place in (0, len(cursor) // 3, len(cursor) // 2):
            altered = cursor[:place] + ("B" if cursor[place] == "A" else "A") + cursor[place + 1 :]
            refused(api.post("/beta/user/end-users/list", {"cursor": altered}), 400, "cursor")
        for altered in (cursor[:-4], cursor + "AAAA", cursor + cursor):
            refused(api.post("/beta/user/end-users/list", {"cursor": altered}), 400, "cursor")
