"""Takes the pictures of docs/dashboard.md: `python docs/screenshots.py`. Needs Chromium and the dev extra."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx
from playwright.sync_api import Browser, Page, expect, sync_playwright

from fake_convai.testing import FakeConvai

IMAGES = Path(__file__).parent / "images"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]
COACH = "demo-safety-coach"


def show_talk(page: Page) -> None:
    """A conversation that is over, and what was remembered of it."""
    page.get_by_label("You are").fill("player-77")
    for said, answer in (
        ("I live in Genoa, near the harbour. I have two dogs.", "listening"),
        ("How do I open the valves?", "below two bar"),
    ):
        page.get_by_label("Say something").fill(said)
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_role("log")).to_contain_text(answer)
        expect(page.locator("[aria-busy]")).to_have_count(0)
    page.get_by_role("button", name="End session").click()
    expect(page.get_by_role("log")).to_contain_text("The session has ended.")
    page.evaluate("Promise.all(document.getAnimations().map((one) => one.finished)).then(() => scrollTo(0, 0))")


def show_person(page: Page) -> None:
    """A person, with what was merged and a transcript."""
    page.get_by_text("Merged from").click()
    page.locator("#person-sessions summary").click()


def show_journal(page: Page) -> None:
    """The journal, and a request in full."""
    page.locator("#entries > details", has_text="/memory/add").first.locator("summary").click()
    expect(page.get_by_role("heading", name="Reason")).to_be_visible()


def show_rooms(page: Page) -> None:
    """A room with two characters."""
    expect(page.get_by_role("button", name="Show messages")).to_be_visible()


def show_clock(page: Page) -> None:
    """What the clock, pace, lag and faults are set to."""
    expect(page.get_by_role("button", name="Clear faults")).to_be_enabled()


@dataclass(frozen=True)
class Picture:
    """What to show, and how wide and in which colours."""

    name: str
    view: str
    act: Callable[[Page], None]
    width: int = 1100
    height: int = 640
    scheme: Literal["light", "dark"] = "light"


PICTURES = [
    Picture("journal", "journal", show_journal, height=1180),  # first: the other pictures make requests
    Picture("talk", "talk", show_talk, height=1040),
    Picture("person", "end-users/player-42", show_person, height=1480),
    Picture("rooms", "rooms", show_rooms, height=700),
    Picture("clock", "clock", show_clock, height=1340, scheme="dark"),
]


def furnish(demo: FakeConvai) -> None:
    """The demo account, at a moment that is always the same, with a merged memory."""
    demo.freeze("2026-01-13T09:00:00Z")
    httpx.delete(f"{demo.url}/_fake/pace", headers={"CONVAI-API-KEY": demo.api_key}).raise_for_status()  # it would wait
    with httpx.Client(base_url=demo.beta_url, headers={"CONVAI-API-KEY": demo.api_key}) as app:
        for facts in (["The user plays chess."], ["The user plays chess on Sundays."]):
            body = {"character_id": COACH, "end_user_id": "player-42", "memories": facts, "colour": "blue"}
            app.post("/memory/add", json=body).raise_for_status()
        app.post("/memory/list", json={"character_id": COACH, "end_user_id": "nobody"})


def take(browser: Browser, demo: FakeConvai, picture: Picture) -> None:
    """Take one picture."""
    page = browser.new_page(viewport={"width": picture.width, "height": picture.height}, color_scheme=picture.scheme)
    if picture.act is show_rooms:
        members = [{"character_id": COACH}, {"character_id": "demo-museum-guide"}]
        demo.seed({"rooms": [{"characters": members, "room_name": "valve-hall", "group_chat": True}]})
    if picture.act is show_clock:
        demo.fail("/memory/add", status=503, times=2)
        demo.pace(first_token_ms=300, tokens_per_second=20)
        demo.lag(extraction=5)
    page.goto(f"{demo.url}/_fake/?key={demo.api_key}#/{picture.view}")
    picture.act(page)
    page.screenshot(path=IMAGES / f"{picture.name}.png")
    page.close()
    demo.clear_faults()


def main() -> None:
    """Take them all."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("No Chromium is installed (Debian: apt-get install chromium).")
    IMAGES.mkdir(exist_ok=True)
    with FakeConvai({"demo": True, "random_seed": 1}, api_key="demo") as demo, sync_playwright() as playwright:
        furnish(demo)
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for picture in PICTURES:
            take(browser, demo, picture)
        browser.close()


if __name__ == "__main__":
    main()
