"""For everybody: with the keyboard alone, with a screen reader, light and dark, on a narrow screen."""

from collections.abc import Callable
from importlib.resources import files
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from fake_convai.testing import FakeConvai
from tests.dashboard.conftest import Open, button, people, rows, status

AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
LONG = "x" * 400


def violations(page: Page) -> list[str]:
    """What axe-core finds to be serious or worse."""
    found: dict[str, Any] = page.evaluate("() => axe.run()")
    return [
        f"{violation['id']}: {node['html']}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


def first(page: Page) -> None:
    page.reload()  # without the key in the address
    expect(page.get_by_text("Nothing is loaded by itself")).to_be_visible()


def listing(page: Page) -> None:
    button(page, "Refresh").click()
    expect(rows(page)).to_have_count(3)
    button(page, "Select All").click()


def asking(page: Page) -> None:
    listing(page)
    button(page, "Delete").click()


def failing(page: Page) -> None:
    page.route("**/end-users/list", lambda route: route.fulfill(status=429, json={"ERROR": "Too many."}))
    button(page, "Refresh").click()
    expect(button(page, "Retry")).to_be_visible()


def person(page: Page) -> None:
    page.goto(page.url + "#/end-users/player-42")
    expect(page.get_by_role("heading", name="Sessions")).to_be_visible()
    page.locator("summary").first.click()


def characters(page: Page) -> None:
    page.get_by_role("link", name="Characters").click()
    expect(page.get_by_role("article")).to_be_visible()
    page.locator("summary").first.click()


def journal(page: Page) -> None:
    listing(page)
    page.get_by_role("link", name="Journal").click()
    page.locator("#entries summary").first.click()
    expect(page.get_by_role("heading", name="Answer")).to_be_visible()


def talk(page: Page) -> None:
    page.get_by_role("link", name="Talk").click()
    button(page, "What is my name?").click()
    expect(page.get_by_role("log")).to_contain_text("no reply is scripted")
    page.get_by_role("textbox", name="Say something").fill("I like tea. " + LONG)
    button(page, "Send").click()
    expect(page.locator(".bubble")).to_have_count(4)
    page.locator("#talk-events summary").first.click()
    button(page, "End session").click()
    expect(page.get_by_role("log")).to_contain_text("The session has ended.")


def answers(page: Page) -> None:
    page.get_by_role("link", name="Replies and stubs").click()
    expect(button(page, "Add reply")).to_be_visible()


def accounts(page: Page) -> None:
    page.get_by_role("link", name="Accounts").click()
    expect(page.get_by_role("list", name="Accounts")).to_be_visible()


def rooms(page: Page) -> None:
    page.get_by_role("link", name="Rooms").click()
    button(page, "Show messages").click()
    expect(page.get_by_text("None were kept")).to_be_visible()


def clock(page: Page) -> None:
    page.get_by_role("link", name="Clock and faults", exact=True).click()
    expect(button(page, "Clear faults")).to_be_visible()


VIEWS = [first, listing, asking, failing, person, characters, rooms, journal, clock, talk, answers, accounts]


@pytest.fixture
def furnished(account: FakeConvai, opened: Open) -> Page:
    """The page of an account that has something of everything, and long words in it."""
    npc = account.character("coach", name="Coach " + LONG, memory=True)
    account.seed(people("player-42", name="Jordan Kim", **{LONG: LONG}))
    account.seed(people("player-43", name=LONG))
    account.seed(people(LONG))
    account.remember(npc, "player-42", "The user is Jo.", LONG, metadata={"source": LONG})
    account.session(npc, "player-42", ("Hello.", LONG))
    account.seed({"rooms": [{"characters": [{"character_id": npc}], "room_name": LONG}]})
    account.freeze("2026-01-01T00:00:00Z")
    account.fail("/memory/get", end_user_id=LONG, status=500, optional=True)
    return opened()


@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing_serious_in_light_and_dark_and_360_pixels_are_wide_enough(
    furnished: Page, view: Callable[[Page], None]
) -> None:
    view(furnished)
    furnished.evaluate(AXE)
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        furnished.emulate_media(color_scheme=scheme)
        assert violations(furnished) == []
    furnished.set_viewport_size({"width": 360, "height": 640})
    assert furnished.evaluate("document.documentElement.scrollWidth") <= 360
    too_wide = "element => element.getBoundingClientRect().right > 361 && element.checkVisibility()"
    assert furnished.locator("button, input, a, summary").evaluate_all(f"all => all.filter({too_wide}).length") == 0


def test_the_keyboard_alone_is_enough(opened: Open, account: FakeConvai) -> None:
    account.seed(people("player-1", "player-2"))
    page = opened()
    keyboard = page.keyboard
    for _ in range(20):  # to Refresh, past the links above it
        keyboard.press("Tab")
        if button(page, "Refresh").evaluate("element => element === document.activeElement"):
            break
    keyboard.press("Enter")
    expect(rows(page)).to_have_count(2)
    for stop in (button(page, "Select All"), page.get_by_role("searchbox"), rows(page).first.get_by_role("checkbox")):
        keyboard.press("Tab")
        expect(stop).to_be_focused()
    keyboard.press("Space")
    expect(page.get_by_text("1 selected")).to_be_visible()
    keyboard.press("Shift+Tab")
    keyboard.press("Shift+Tab")
    expect(button(page, "Delete")).to_be_focused()
    keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(button(dialog, "Cancel")).to_be_focused()
    keyboard.press("Tab")
    keyboard.press("Enter")
    expect(status(page)).to_have_text("1 end user deleted.")
    expect(button(page, "Refresh")).to_be_focused()


def test_talking_with_the_keyboard_alone(opened: Open, account: FakeConvai) -> None:
    npc = account.character("coach", name="Safety Coach", memory=True)
    page = opened("#/talk")
    page.get_by_label("You are").fill("player-42")
    keyboard = page.keyboard
    keyboard.press("Tab")
    expect(page.get_by_label("You talk to")).to_be_focused()
    for _ in range(5):  # the conversation, and what might be said
        keyboard.press("Tab")
    text = page.get_by_role("textbox", name="Say something")
    expect(text).to_be_focused()
    keyboard.type("My name is Jordan.")
    keyboard.press("Enter")
    expect(page.locator(".bubble.character")).to_have_count(1)
    expect(text).to_be_focused()
    expect(text).to_have_value("")
    keyboard.press("Shift+Tab")
    keyboard.press("Shift+Tab")
    expect(button(page, "End session")).to_be_focused()
    keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Memories")).to_be_focused()
    assert [memory.memory for memory in account.memories(npc, "player-42")] == ["The user's name is Jordan."]


def test_a_new_view_takes_the_focus_so_that_it_is_read_out(opened: Open) -> None:
    page = opened()
    for name in (
        "Talk",
        "Characters",
        "Rooms",
        "Journal",
        "Clock and faults",
        "Replies and stubs",
        "Accounts",
        "End users",
    ):
        page.get_by_role("navigation").get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", name=name, exact=True, level=2)).to_be_focused()
        expect(page.get_by_role("navigation").get_by_role("link", name=name)).to_have_attribute("aria-current", "page")
