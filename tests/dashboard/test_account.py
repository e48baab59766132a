"""Which account the page shows: the key field, the address, the demo account, the control key."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from fake_convai.testing import FakeConvai
from tests.dashboard.conftest import Open, button, people, rows, status


def test_the_key_is_remembered_for_this_tab_only(page: Page, account: FakeConvai, context: BrowserContext) -> None:
    page.goto(f"{account.url}/_fake/")
    page.get_by_label("API key").fill(account.api_key)
    button(page, "Refresh").click()
    expect(status(page)).to_have_text("0 end users loaded.")
    page.reload()
    expect(page.get_by_label("API key")).to_have_value(account.api_key)
    second_tab = context.new_page()
    second_tab.goto(f"{account.url}/_fake/")
    expect(second_tab.get_by_label("API key")).to_have_value("")


def test_a_key_in_the_address_fills_the_field_and_leaves_the_address(opened: Open, account: FakeConvai) -> None:
    page = opened("#/characters")
    expect(page.get_by_label("API key")).to_have_value(account.api_key)
    expect(page).to_have_url(f"{account.url}/_fake/#/characters")


def test_the_key_is_sent_in_a_header_and_never_in_an_address(opened: Open, account: FakeConvai) -> None:
    page = opened()
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    button(page, "Refresh").click()
    expect(status(page)).to_have_text("0 end users loaded.")
    page.get_by_role("link", name="Journal").click()
    expect(page.get_by_text("1 request")).to_be_visible()
    assert len(addresses) > 3
    assert not any(account.api_key in address for address in addresses)


def test_the_demo_account_is_one_link_away(page: Page, server: FakeConvai) -> None:
    page.goto(f"{server.url}/_fake/")
    page.get_by_role("link", name="Open the demo account").click()
    expect(rows(page)).to_have_count(5)
    expect(rows(page).first).to_contain_text("Jordan Kim")


def test_another_key_is_another_list(opened: Open, account: FakeConvai, server: FakeConvai) -> None:
    account.seed(people("player-42"))
    page = opened()
    expect(rows(page)).to_have_count(1)
    button(page, "Select All").click()
    page.get_by_label("API key").fill(server.account().api_key)
    page.get_by_label("API key").press("Enter")
    expect(rows(page)).to_have_count(0)
    expect(button(page, "Delete")).to_be_disabled()
    button(page, "Refresh").click()
    expect(page.get_by_text("This account has no end users.")).to_be_visible()


def test_typing_a_key_opens_no_account_before_it_is_complete(page: Page, server: FakeConvai) -> None:
    page.goto(f"{server.url}/_fake/")
    keys: list[str] = []
    page.on("request", lambda request: keys.append(request.headers.get("convai-api-key", "none")))
    page.get_by_label("API key").press_sequentially("my-game")
    page.get_by_label("API key").press("Enter")
    expect(page.get_by_text("No faults")).to_be_visible()
    assert set(keys) - {"none"} == {"my-game"}


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("", "The request is missing an API key."),
        ("invalid-key", "Invalid API key provided."),
        ("ключ", "The key has characters that cannot be sent in a header."),
    ],
)
def test_a_key_that_opens_nothing_is_told(page: Page, server: FakeConvai, key: str, reason: str) -> None:
    page.goto(f"{server.url}/_fake/")
    page.get_by_label("API key").fill(key)
    button(page, "Refresh").click()
    expect(status(page)).to_contain_text(f"Could not load the end users: {reason}")
    expect(button(page, "Retry")).to_be_visible()


def test_the_control_key_opens_what_is_under_the_control_plane(page: Page) -> None:
    with FakeConvai({"demo": True, "control_key": "let-me-in"}) as guarded:
        page.goto(f"{guarded.url}/_fake/?key=demo#/characters")
        expect(status(page)).to_contain_text("The control plane asks for a key")
        page.get_by_label("Control key").fill("let-me-in")
        page.get_by_label("Control key").press("Enter")
        expect(page.get_by_role("heading", name="Safety Coach")).to_be_visible()
        expect(status(page)).to_have_text("")
        # The list is Convai's own API: it needs no control key.
        page.get_by_label("Control key").fill("")
        page.get_by_role("link", name="End users").click()
        button(page, "Refresh").click()
        expect(rows(page)).to_have_count(5)


def test_the_accounts_of_the_server_by_their_last_four(opened: Open, account: FakeConvai) -> None:
    account.character("coach")
    page = opened("#/accounts")
    mine = page.get_by_role("list", name="Accounts").get_by_role("listitem").last
    expect(mine).to_have_text(
        f"A key that ends in {account.api_key[-4:]}1 character · 0 end users · 0 memories · 0 sessions · 0 requests"
    )
