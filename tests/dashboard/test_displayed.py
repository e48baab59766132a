"""What an end user is called: the rules, run in the browser that uses them."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from fake_convai.testing import FakeConvai

NOW = "2026-06-15T12:00:00Z"
CALL = """async ([name, ...given]) => {
  const rules = await import("/_fake/assets/displayed.js");
  return rules[name](...given);
}"""
MILLISECONDS = 1781524800000


@pytest.fixture(scope="module")
def rules(browser: Browser, server: FakeConvai) -> Iterator[Page]:
    page = browser.new_page()
    page.goto(f"{server.url}/_fake/")
    assert page.evaluate(f"Date.parse('{NOW}')") == MILLISECONDS
    yield page
    page.close()


@pytest.mark.parametrize(
    ("identifier", "short"),
    [
        ("player-42", "player-42"),
        ("0123456789abcdef", "0123456789abcdef"),
        ("0123456789abcdef0", "01234567...def0"),
        ("a1b2c3d4e5f6789012345678abcdef01", "a1b2c3d4...ef01"),
    ],
)
def test_an_id_of_more_than_16_characters_is_shortened(rules: Page, identifier: str, short: str) -> None:
    assert rules.evaluate(CALL, ["shortId", identifier]) == short


@pytest.mark.parametrize(
    ("iso", "words"),
    [
        (None, ""),
        ("2026-06-15T12:00:00Z", "just now"),
        ("2026-06-15T11:59:00.001Z", "just now"),
        ("2026-06-15T11:59:00Z", "1m ago"),
        ("2026-06-15T11:00:01Z", "59m ago"),
        ("2026-06-15T11:00:00Z", "1h ago"),
        ("2026-06-14T12:00:01Z", "23h ago"),
        ("2026-06-14T12:00:00Z", "1d ago"),
        ("2026-05-16T12:00:01Z", "29d ago"),
        ("2026-05-16T12:00:00Z", "May 16"),
        ("2026-03-04T23:59:59Z", "Mar 4"),
        ("2026-06-16T12:00:00Z", "just now"),
    ],
)
def test_how_long_ago(rules: Page, iso: str | None, words: str) -> None:
    assert rules.evaluate(CALL, ["lastActive", iso, MILLISECONDS]) == words


@pytest.mark.parametrize(
    ("metadata", "active", "name"),
    [
        ({"name": "Jordan Kim"}, "2026-06-12T12:00:00Z", "Jordan Kim"),
        ({"name": "Jordan Kim"}, None, "Jordan Kim"),
        ({"name": " "}, None, "User a1b2c3d4"),
        ({"name": None}, None, "User a1b2c3d4"),
        ({}, "2026-06-12T12:00:00Z", "User a1b2c3d4 (3d ago)"),
        ({}, None, "User a1b2c3d4"),
    ],
)
def test_the_name_else_the_beginning_of_the_id(
    rules: Page, metadata: dict[str, str | None], active: str | None, name: str
) -> None:
    user = {"end_user_id": "a1b2c3d4e5f67890", "end_user_metadata": metadata, "last_active_ts": active}
    assert rules.evaluate(CALL, ["displayName", user, MILLISECONDS]) == name
