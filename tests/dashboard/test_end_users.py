"""The list of end users: what the original's Long-Term Memory tab does, and the search."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from fake_convai.testing import FakeConvai
from tests.dashboard.conftest import Open, button, crowd, people, rows, status

HOSTILE = '<img src=x onerror="document.title=1"><b>Bold</b> \u202eevil'


def listed(account: FakeConvai) -> list[str]:
    return [user.end_user_id for user in account.end_users()]


def test_a_link_loads_the_list_that_it_names_without_a_trace(opened: Open, account: FakeConvai) -> None:
    account.seed(people("player-42", name="Jordan"))
    page = opened()
    expect(rows(page)).to_contain_text(["Jordan"])
    expect(status(page)).to_have_text("1 end user loaded.")
    assert account.requests() == []


def test_nothing_is_loaded_before_refresh(unloaded: Open, account: FakeConvai) -> None:
    account.seed(people("player-42", name="Jordan"))
    page = unloaded()
    expect(page.get_by_text("Nothing is loaded by itself")).to_be_visible()
    expect(rows(page)).to_have_count(0)
    assert account.requests() == []
    button(page, "Refresh").click()
    expect(rows(page)).to_have_count(1)


def test_a_row_shows_name_short_id_and_last_activity(loaded: Open, account: FakeConvai) -> None:
    account.freeze("2026-06-15T12:00:00Z")
    account.seed(
        {
            "end_users": [
                {
                    "end_user_id": "a1b2c3d4e5f6789012345678abcdef01",
                    "end_user_metadata": {"name": "Jordan Kim"},
                    "last_active_ts": "2026-06-15T11:55:00Z",
                },
                {"end_user_id": "player-42", "last_active_ts": "2026-06-12T12:00:00Z"},
                {"end_user_id": "player-43"},
            ]
        }
    )
    page = loaded()
    jordan, nameless, inactive = (rows(page).nth(number) for number in range(3))
    expect(jordan).to_have_text(re.compile(r"Jordan Kim\s*a1b2c3d4\.\.\.ef01\s*5m ago"))
    expect(jordan.get_by_role("checkbox", name="Select Jordan Kim, a1b2c3d4...ef01")).to_be_visible()
    expect(jordan.locator("time")).to_have_attribute("title", "2026-06-15 11:55:00 UTC")
    expect(nameless).to_have_text(re.compile(r"User player-4 \(3d ago\)\s*player-42\s*3d ago"))
    expect(inactive).to_have_text(re.compile(r"User player-4\s*player-43\s*never active"))


def test_450_end_users_come_in_requests_of_200_and_are_shown_together(unloaded: Open, account: FakeConvai) -> None:
    account.seed(crowd(450))
    page = unloaded()
    held: list[Route] = []

    def hold_the_second(route: Route) -> None:
        if "cursor" in (route.request.post_data or "") and not held:
            held.append(route)
        else:
            route.continue_()

    page.route("**/end-users/list", hold_the_second)
    button(page, "Refresh").click()
    expect(status(page)).to_contain_text("Loading… 200 of 450")
    expect(status(page).get_by_role("progressbar")).to_be_visible()
    expect(rows(page)).to_have_count(0)
    held[0].continue_()
    expect(status(page)).to_have_text("450 end users loaded.")
    expect(rows(page)).to_have_count(450)
    bodies = [request.body for request in account.requests("/user/end-users/list", surface="beta")]
    assert [body["limit"] for body in bodies] == [200, 200, 200]
    assert ["cursor" in body for body in bodies] == [False, True, True]


def test_select_all_toggles_with_unselect_all(loaded: Open, account: FakeConvai) -> None:
    account.seed(people("player-1", "player-2"))
    page = loaded()
    expect(button(page, "Delete")).to_be_disabled()
    button(page, "Select All").click()
    expect(page.get_by_text("2 end users · 2 selected")).to_be_visible()
    assert [box.is_checked() for box in page.get_by_role("checkbox").all()[:2]] == [True, True]
    button(page, "Unselect All").click()
    expect(page.get_by_text("0 selected")).to_be_visible()
    for box in rows(page).get_by_role("checkbox").all():
        box.check()
    expect(button(page, "Unselect All")).to_be_visible()
    rows(page).first.get_by_role("checkbox").uncheck()
    expect(button(page, "Select All")).to_be_visible()


def test_delete_asks_first_and_says_how_many(loaded: Open, account: FakeConvai) -> None:
    npc = account.character(memory=True)
    account.remember(npc, "player-1", "The user is Jo.")
    account.seed(people("player-2", "player-3"))
    page = loaded()
    rows(page).nth(0).get_by_role("checkbox").check()
    rows(page).nth(2).get_by_role("checkbox").check()
    dialog = page.get_by_role("dialog")
    button(page, "Delete").click()
    expect(dialog).to_contain_text("Delete 2 end users?")
    button(dialog, "Cancel").click()
    expect(dialog).to_be_hidden()
    button(page, "Delete").click()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert listed(account) == ["player-1", "player-2", "player-3"]
    button(page, "Delete").click()
    button(dialog, "Delete").click()
    expect(status(page)).to_have_text("2 end users deleted.")
    expect(rows(page)).to_have_count(1)
    assert listed(account) == ["player-2"]
    assert account.memories(npc, "player-1") == []


def test_450_end_users_are_deleted_at_once(loaded: Open, account: FakeConvai) -> None:
    account.seed(crowd(450))
    page = loaded()
    button(page, "Select All").click()
    button(page, "Delete").click()
    expect(page.get_by_role("dialog")).to_contain_text("Delete 450 end users?")
    button(page.get_by_role("dialog"), "Delete").click()
    expect(status(page)).to_have_text("450 end users deleted.", timeout=30_000)
    expect(rows(page)).to_have_count(0)
    assert listed(account) == []


@pytest.mark.parametrize("which", [1, 2])
def test_when_loading_fails_the_reason_is_shown_and_retry_loads(
    unloaded: Open, account: FakeConvai, which: int
) -> None:
    account.seed(crowd(450))
    if which == 2:  # the second page fails, not the first
        account.fail("/user/end-users/list", status=None, delay_ms=1)
    account.fail("/user/end-users/list", status=429)
    page = unloaded()
    button(page, "Refresh").click()
    expect(status(page)).to_contain_text("API rate limit exceeded. Please try again later. (HTTP 429)")
    expect(rows(page)).to_have_count(0)
    button(page, "Retry").click()
    expect(rows(page)).to_have_count(450)
    expect(button(page, "Retry")).to_be_hidden()


def test_a_broken_connection_is_a_failure_like_any_other(opened: Open, account: FakeConvai) -> None:
    account.seed(people("player-42"))
    account.fail("/user/end-users/list", status=None, disconnect=True, times=None)  # a browser asks once more by itself
    page = opened()
    button(page, "Refresh").click()
    expect(status(page)).to_contain_text("Could not load the end users: The server did not answer.")
    account.clear_faults()
    button(page, "Retry").click()
    expect(rows(page)).to_have_count(1)


def test_when_deleting_fails_the_rest_stays_selected_and_retry_goes_on(loaded: Open, account: FakeConvai) -> None:
    account.seed(people("player-1", "player-2", "player-3"))
    page = loaded()
    button(page, "Select All").click()
    account.fail("/user/end-users/delete", status=500, end_user_id="player-2")
    button(page, "Delete").click()
    button(page.get_by_role("dialog"), "Delete").click()
    expect(status(page)).to_contain_text("Could not delete all: Internal server error. (HTTP 500)")
    expect(page.get_by_text("2 end users · 2 selected")).to_be_visible()
    assert listed(account) == ["player-2", "player-3"]
    button(page, "Retry").click()
    expect(status(page)).to_have_text("2 end users deleted.")
    assert listed(account) == []


def test_search_finds_by_name_and_by_id(loaded: Open, account: FakeConvai) -> None:
    account.seed(people("alpha-1", name="Jordan"))
    account.seed(people("beta-2", name="Sam"))
    account.seed(people("gamma-3"))
    page = loaded()
    search = page.get_by_role("searchbox", name="Search by name or id")
    for text, found in (("jord", "Jordan"), ("BETA", "Sam"), ("User gamma", "gamma-3")):
        search.fill(text)
        expect(rows(page)).to_have_count(1)
        expect(rows(page)).to_contain_text(found)
    search.fill("nobody")
    expect(page.get_by_text("Nobody has that in their name or id.")).to_be_visible()
    search.fill("")
    expect(rows(page)).to_have_count(3)


def test_select_all_means_what_the_search_shows_and_the_dialog_names_what_it_hides(
    loaded: Open, account: FakeConvai
) -> None:
    account.seed(people("alpha-1", "alpha-2", "beta-1"))
    page = loaded()
    search = page.get_by_role("searchbox")
    search.fill("alpha")
    button(page, "Select All").click()
    search.fill("beta")
    expect(page.get_by_text("1 of 3 end users · 2 selected")).to_be_visible()
    button(page, "Delete").click()
    expect(page.get_by_role("dialog")).to_contain_text("2 of them are hidden by your search.")
    button(page.get_by_role("dialog"), "Delete").click()
    expect(status(page)).to_have_text("2 end users deleted.")
    assert listed(account) == ["beta-1"]


def test_what_one_selects_while_it_loads_stays_selected(loaded: Open, account: FakeConvai) -> None:
    account.seed(people("player-1", 'player-"2"', "player-3"))
    page = loaded()
    held: list[Route] = []
    page.route("**/end-users/list", lambda route: held.append(route))
    with page.expect_request("**/end-users/list"):
        button(page, "Refresh").click()
    rows(page).nth(1).get_by_role("checkbox").check()
    held[0].continue_()
    expect(status(page)).to_have_text("3 end users loaded.")
    expect(rows(page).nth(1).get_by_role("checkbox")).to_be_checked()
    expect(rows(page).nth(1).get_by_role("checkbox")).to_be_focused()
    expect(page.get_by_text("1 selected")).to_be_visible()


def test_a_hostile_name_is_text_and_nothing_else(loaded: Open, account: FakeConvai) -> None:
    account.seed(people('"><script>document.title=2</script>', name=HOSTILE))
    page = loaded()
    expect(rows(page)).to_contain_text(HOSTILE)
    button(page, "Select All").click()
    rows(page).get_by_role("link").click()
    expect(page.get_by_role("heading", name="<img src=x")).to_have_text(HOSTILE)
    button(page, "Delete end user").click()
    expect(page.get_by_role("dialog")).to_contain_text(HOSTILE)
    expect(page).to_have_title("Long-Term Memory · fake-convai")
    assert page.locator("main img, main b, main script, dialog img").count() == 0
    button(page.get_by_role("dialog"), "Delete").click()
    expect(page.get_by_text("This account has no end users.")).to_be_visible()
    assert listed(account) == []


def test_many_end_users_come_in_pages_of_500(loaded: Open, account: FakeConvai) -> None:
    account.seed(crowd(1100))
    page = loaded()
    expect(rows(page)).to_have_count(500)
    expect(page.get_by_text("Page 1 of 3")).to_be_visible()
    expect(button(page, "Previous")).to_be_disabled()
    button(page, "Next").click()
    expect(rows(page).first).to_contain_text("Player 501")
    button(page, "Next").click()
    expect(rows(page)).to_have_count(100)
    expect(button(page, "Next")).to_be_disabled()
    button(page, "Select All").click()
    expect(page.get_by_text("1,100 end users · 1,100 selected")).to_be_visible()
    page.get_by_role("searchbox").fill("player 1100")
    expect(rows(page)).to_have_count(1)
    expect(button(page, "Next")).to_be_hidden()
    page.get_by_role("searchbox").fill("")
    button(page, "Next").click()
    button(page, "Previous").click()
    expect(page.get_by_text("Page 1 of 3")).to_be_visible()


def test_the_list_is_still_there_when_one_comes_back_to_it(loaded: Open, account: FakeConvai) -> None:
    account.seed(people("player-1", "player-2"))
    page: Page = loaded()
    rows(page).first.get_by_role("checkbox").check()
    rows(page).last.get_by_role("link").click()
    expect(page.get_by_role("heading", name="User player-2")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("2 end users · 1 selected")).to_be_visible()
    expect(rows(page).first.get_by_role("checkbox")).to_be_checked()
