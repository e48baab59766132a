"""One end user's page: the record, metadata key by key, memories and why they were merged, sessions."""

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, Response, expect

from fake_convai.testing import FakeConvai
from tests.dashboard.conftest import Open, button, status

PLAYER = "player/42 ü%"
ADDRESS = "#/end-users/player%2F42%20%C3%BC%25"


def add_memory(account: FakeConvai, npc: str, fact: str) -> None:
    """Add a fact as an app does, so that the journal knows why it was merged."""
    httpx.post(
        f"{account.beta_url}/memory/add",
        headers={"CONVAI-API-KEY": account.api_key},
        json={"character_id": npc, "end_user_id": PLAYER, "memories": [fact]},
    ).raise_for_status()


def metadata(account: FakeConvai) -> dict[str, Any]:
    user = account.end_user(PLAYER)
    assert user is not None
    return dict(user.end_user_metadata)


@pytest.fixture
def npc(account: FakeConvai) -> str:
    """A character, and a person with metadata to look at."""
    account.freeze("2026-06-15T12:00:00Z")
    player = {
        "end_user_id": PLAYER,
        "end_user_metadata": {"name": "Jordan Kim", "level": 7, "tags": ["a"]},
        "last_active_ts": "2026-06-15T09:00:00Z",
    }
    account.seed({"end_users": [player]})
    return account.character("coach", name="Safety Coach", memory=True)


@pytest.fixture
def shown(opened: Open, npc: str) -> Page:
    """The person's page."""
    return opened(ADDRESS)


def memory_rows(page: Page) -> Locator:
    return page.get_by_role("list", name="Memories of Safety Coach").locator("> li")


class TestRecord:
    def test_it_shows_the_whole_id_and_when_the_person_was_active(self, shown: Page) -> None:
        expect(shown.get_by_role("heading", name="Jordan Kim")).to_be_visible()
        facts = shown.locator("#person-record")
        expect(facts).to_contain_text(PLAYER)
        expect(facts).to_contain_text("2026-06-15 09:00:00 UTC (3h ago)")
        expect(facts).to_contain_text("Last memory usenever")

    def test_looking_leaves_no_trace(self, shown: Page, account: FakeConvai) -> None:
        expect(shown.get_by_role("heading", name="Memories")).to_be_visible()
        assert account.requests() == []

    def test_only_this_person_is_asked_for(self, opened: Open, account: FakeConvai, npc: str, page: Page) -> None:
        add_memory(account, npc, "The user is Jo.")
        account.remember(npc, "somebody-else", "The user is Al.")
        answers: list[Response] = []
        page.on("response", lambda answer: answers.append(answer))
        opened(ADDRESS)
        expect(memory_rows(page)).to_have_count(1)
        read = [answer.text() for answer in answers if answer.headers["content-type"] == "application/json"]
        assert any("The user is Jo." in text for text in read)
        assert "somebody-else" not in "".join(read)

    def test_nobody_has_this_id(self, opened: Open, account: FakeConvai) -> None:
        page = opened("#/end-users/%E0%A4")
        expect(page.get_by_text("This account has no such end user.")).to_be_visible()

    def test_deleting_asks_first(self, shown: Page, account: FakeConvai) -> None:
        button(shown, "Delete end user").click()
        expect(shown.get_by_role("dialog")).to_contain_text("Delete 1 end user?")
        button(shown.get_by_role("dialog"), "Cancel").click()
        assert account.end_user(PLAYER) is not None
        button(shown, "Delete end user").click()
        button(shown.get_by_role("dialog"), "Delete").click()
        expect(shown.get_by_role("heading", name="End users")).to_be_focused()
        assert account.end_user(PLAYER) is None


class TestMetadata:
    def test_one_key_is_changed_and_the_others_stay(self, shown: Page, account: FakeConvai) -> None:
        shown.get_by_label("name", exact=True).fill("Jordan Lee")
        button(shown, "Save name").click()
        expect(status(shown)).to_have_text("Saved name.")
        expect(shown.get_by_role("heading", name="Jordan Lee")).to_be_visible()
        assert metadata(account) == {"name": "Jordan Lee", "level": 7, "tags": ["a"]}
        assert account.requests("/user/end-users/update")[0].body["end_user_metadata"] == {"name": "Jordan Lee"}

    def test_json_stays_json(self, shown: Page, account: FakeConvai) -> None:
        expect(shown.get_by_label("tags", exact=True)).to_have_value('["a"]')
        expect(shown.get_by_role("checkbox", name="tags is JSON")).to_be_checked()
        shown.get_by_label("level", exact=True).fill("8")
        shown.get_by_label("level", exact=True).press("Enter")
        expect(status(shown)).to_have_text("Saved level.")
        assert metadata(account)["level"] == 8

    def test_what_is_not_json_is_not_sent(self, shown: Page, account: FakeConvai) -> None:
        field = shown.get_by_label("level", exact=True)
        field.fill("eight")
        button(shown, "Save level").click()
        expect(field).to_have_js_property("validationMessage", "This is not JSON. Untick JSON to store it as text.")
        assert account.requests() == []
        shown.get_by_role("checkbox", name="level is JSON").uncheck()
        field.fill("eight")
        button(shown, "Save level").click()
        expect(status(shown)).to_have_text("Saved level.")
        assert metadata(account)["level"] == "eight"

    def test_keys_are_added_and_removed(self, shown: Page, account: FakeConvai) -> None:
        shown.get_by_label("New key").fill("__proto__")
        shown.get_by_label("New value", exact=True).fill('{"x": 1}')
        shown.get_by_role("checkbox", name="new value is JSON").check()
        button(shown, "Add key").click()
        expect(status(shown)).to_have_text("Added __proto__.")
        button(shown, "Remove tags").click()
        expect(status(shown)).to_have_text("Removed tags.")
        expect(shown.get_by_label("tags", exact=True)).to_be_hidden()
        assert metadata(account) == {"name": "Jordan Kim", "level": 7, "__proto__": {"x": 1}}

    def test_a_refused_change_says_why(self, shown: Page) -> None:
        shown.get_by_label("name", exact=True).fill("7")
        shown.get_by_role("checkbox", name="name is JSON").check()
        button(shown, "Save name").click()
        expect(status(shown)).to_contain_text("Could not change the metadata: Invalid parameter 'end_user_metadata")


class TestMemories:
    def test_memories_are_added_and_deleted(self, shown: Page, account: FakeConvai, npc: str) -> None:
        expect(shown.get_by_text("Nobody remembers anything yet.")).to_be_visible()
        shown.get_by_label("Character", exact=True).select_option("Safety Coach")
        shown.get_by_label("New memory").fill("The user is afraid of heights.")
        shown.get_by_label("New memory").press("Enter")
        expect(status(shown)).to_have_text("Added a memory.")
        expect(shown.get_by_label("New memory")).to_be_focused()
        expect(memory_rows(shown)).to_contain_text("The user is afraid of heights.since 2026-06-15 12:00:00")
        assert [memory.memory for memory in account.memories(npc, PLAYER)] == ["The user is afraid of heights."]
        button(shown, "Delete memory: The user is afraid of heights.").click()
        expect(status(shown)).to_have_text("Deleted the memory.")
        assert account.memories(npc, PLAYER) == []

    def test_what_was_merged_and_why(self, shown: Page, account: FakeConvai, npc: str) -> None:
        add_memory(account, npc, "The user's name is Jordan.")
        shown.reload()
        expect(shown.get_by_text("Merged from")).to_be_hidden()
        account.advance(60)
        shown.get_by_label("New memory").fill("The user's name is Jordan Kim.")
        button(shown, "Add memory").click()
        expect(status(shown)).to_have_text("Merged with a memory that says the same.")
        expect(memory_rows(shown)).to_have_count(1)
        expect(memory_rows(shown)).to_contain_text("changed 2026-06-15 12:01:00")
        shown.get_by_text("Merged from 2 facts").click()
        because = account.requests("/memory/add")[1].explanations[0]["because"]
        steps = memory_rows(shown).get_by_role("listitem")
        expect(steps).to_have_text(
            [
                re.compile("12:00:00 added The user's name is Jordan.: "),
                f"2026-06-15 12:01:00 merged The user's name is Jordan Kim.: {because}",
            ]
        )

    def test_what_a_session_merged_and_why(self, shown: Page, account: FakeConvai, npc: str) -> None:
        for said in ("My name is Jordan.", "My name is Jordan Kim."):
            account.talk(npc, PLAYER, said)
            account.advance(60)
        shown.reload()
        shown.get_by_text("Merged from 2 facts").click()
        because = account.requests("/disconnect")[-1].explanations[0]["because"]
        expect(memory_rows(shown).get_by_role("listitem")).to_have_text(
            [
                re.compile("12:00:00 added The user's name is Jordan.: "),
                f"2026-06-15 12:01:00 merged The user's name is Jordan Kim.: {because}",
            ]
        )

    def test_all_memories_of_one_character_are_deleted(self, shown: Page, account: FakeConvai, npc: str) -> None:
        guide = account.character("guide", name="Museum Guide")
        account.remember(npc, PLAYER, "The user is Jo.", "The user lives in Rome.")
        account.remember(guide, PLAYER, "The user is Jo.")
        shown.reload()
        button(shown, "Delete all memories of Safety Coach").click()
        expect(shown.get_by_role("dialog")).to_contain_text("Delete 2 memories?")
        button(shown.get_by_role("dialog"), "Cancel").click()
        button(shown, "Delete all memories of Safety Coach").click()
        button(shown.get_by_role("dialog"), "Delete").click()
        expect(status(shown)).to_have_text("Deleted the memories.")
        assert account.memories(npc, PLAYER) == []
        assert len(account.memories(guide, PLAYER)) == 1

    def test_a_failed_change_is_told_and_retried(self, shown: Page, account: FakeConvai, npc: str) -> None:
        account.fail("/memory/add", status=500)
        shown.get_by_label("New memory").fill("The user is Jo.")
        button(shown, "Add memory").click()
        expect(status(shown)).to_contain_text("Could not add the memory: Internal server error. (HTTP 500)")
        button(shown, "Retry").click()
        expect(memory_rows(shown)).to_contain_text("The user is Jo.")

    def test_an_account_without_characters(self, opened: Open, account: FakeConvai) -> None:
        account.seed({"end_users": [{"end_user_id": PLAYER}]})
        page = opened(ADDRESS)
        expect(page.get_by_text("This account has no characters that could remember anything.")).to_be_visible()


def test_sessions_open_to_their_transcript(shown: Page, account: FakeConvai, npc: str) -> None:
    expect(shown.get_by_text("No sessions yet.")).to_be_visible()
    account.session(npc, PLAYER, ("I am Jo.", "Hello <b>Jo</b>."), started_at="2026-06-14T08:00:00Z")
    account.session(npc, "someone-else", ("Not mine.", "No."))
    account.session(npc, PLAYER, started_at="2026-06-15T08:00:00Z", is_added_to_memory=True)
    shown.reload()
    sessions = shown.locator("#person-sessions details")
    expect(sessions).to_have_count(2)
    expect(sessions.nth(0)).to_contain_text("Safety Coach 2026-06-15 08:00:00 UTC · 0 turns Added to memory")
    first = sessions.nth(1)
    expect(first).to_contain_text("1 turn Not added to memory")
    first.locator("summary").click()
    expect(first.get_by_role("definition")).to_have_text(["I am Jo.", "Hello <b>Jo</b>."])
