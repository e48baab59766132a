"""A browser for the page's tests: Chromium, one server, and for each test an account and a tab of its own."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from fake_convai.testing import FakeConvai

FLAGS = [
    # A container has no sandbox to offer, and nothing here is to be looked up anywhere else.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome")

Open = Callable[..., Page]

expect.set_options(timeout=60_000)


def find_browser() -> str | None:
    """The path of Chromium on this machine, if it is there."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


# For the package, not the session: while it is open, Playwright keeps an event loop running in this thread.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    chromium = find_browser()
    if chromium is None:
        pytest.skip("no Chromium is installed, so the page is not tested (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def server() -> Iterator[FakeConvai]:
    """The fake with its demo account."""
    with FakeConvai({"demo": True, "livekit": "off"}) as running:
        yield running


@pytest.fixture
def account(server: FakeConvai) -> FakeConvai:
    """An account that no other test sees."""
    return server.account()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that remembers nothing of other tests."""
    fresh = browser.new_context(viewport={"width": 1100, "height": 800})
    yield fresh
    fresh.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """An empty tab. The test fails when a script fails in it, or when the Content-Security-Policy had to step in."""
    complaints: list[str] = []
    tab = context.new_page()
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    yield tab
    # Chromium itself writes down each answer that is an error: tests want those.
    assert [text for text in complaints if not text.startswith("Failed to load resource")] == []


@pytest.fixture
def opened(page: Page, account: FakeConvai) -> Open:
    """Opens the page, or one of its views, with the account's key."""

    def open_page(view: str = "") -> Page:
        page.goto(f"{account.url}/_fake/?key={account.api_key}{view}")
        return page

    return open_page


@pytest.fixture
def unloaded(opened: Open) -> Open:
    """Opens the list with the account's key and nothing in it yet."""

    def open_page() -> Page:
        page = opened("#/accounts")
        page.get_by_role("navigation").get_by_role("link", name="End users").click()
        return page

    return open_page


@pytest.fixture
def loaded(opened: Open) -> Open:
    """Opens the page and loads the list."""

    def load() -> Page:
        page = opened()
        button(page, "Refresh").click()
        expect(status(page)).to_contain_text("loaded")
        return page

    return load


def button(place: Page | Locator, name: str) -> Locator:
    """The button with exactly this name."""
    return place.get_by_role("button", name=name, exact=True)


def rows(page: Page) -> Locator:
    """The rows of the list."""
    return page.get_by_role("listitem").filter(has=page.get_by_role("checkbox"))


def status(page: Page) -> Locator:
    """The place that says how things stand."""
    return page.get_by_role("status")


def people(*ids: str, **metadata: Any) -> dict[str, Any]:
    """A seed document with these end users."""
    return {"end_users": [{"end_user_id": one, "end_user_metadata": metadata} for one in ids]}


def crowd(size: int) -> dict[str, Any]:
    """A seed document with so many end users, `Player 1` and on."""
    numbers = range(1, size + 1)
    return {
        "end_users": [
            {"end_user_id": f"player-{number:05}", "end_user_metadata": {"name": f"Player {number}"}}
            for number in numbers
        ]
    }
