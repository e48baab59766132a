"""Takes the pictures of docs/dashboard.md: `python docs/screenshots.py`. Needs Chromium and the dev extra."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx
from playwright.sync_api import Browser, Page, expect, sync_playwright

from fake_convai.testing import FakeConvai

IMAGES = Path(__file__).parent / "images"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]
COACH = "demo-safety-coach"


@dataclass(frozen=True)
class Picture:
    """What to show, and how wide and in which colours."""

    name: str
    view: str
    width: int = 1100
    height: int = 720
    scheme: Literal["light", "dark"] = "light"


PICTURES = [
    Picture("list", "end-users", height=560),
    Picture("list-dark", "end-users", height=560, scheme="dark"),
    Picture("list-narrow", "end-users", width=360, height=720),
    Picture("delete", "delete", height=560),
    Picture("retry", "retry", height=460),
    Picture("person", "end-users/player-42", height=1280),
    Picture("characters", "characters", height=560),
    Picture("journal", "journal", height=900),
    Picture("clock", "clock", height=520, scheme="dark"),
]


def furnish(demo: FakeConvai) -> None:
    """The demo account, at a moment that is always the same, with a few more people and a merged memory."""
    demo.freeze("2026-01-13T09:00:00Z")
    names = {"player-43": "Ana Souza", "player-44": "Bo Lindqvist", "player-45": "李小龙", "player-46": "Zoë O'Neill"}
    demo.seed(
        {
            "end_users": [
                {
                    "end_user_id": end_user_id,
                    "end_user_metadata": {"name": name},
                    "last_active_ts": f"2026-01-1{number}T08:20:00Z",
                }
                for number, (end_user_id, name) in enumerate(names.items())
            ]
        }
    )
    with httpx.Client(base_url=demo.beta_url, headers={"CONVAI-API-KEY": demo.api_key}) as app:
        for facts in (["The user plays chess."], ["The user plays chess on Sundays."]):
            body = {"character_id": COACH, "end_user_id": "player-42", "memories": facts, "colour": "blue"}
            app.post("/memory/add", json=body).raise_for_status()
        app.post("/memory/list", json={"character_id": COACH, "end_user_id": "nobody"})


def show(page: Page, demo: FakeConvai, view: str) -> None:
    """Bring the page to what the picture is of."""
    page.goto(f"{demo.url}/_fake/?key={demo.api_key}#/{view if '-' in view or view in SHOWN else 'end-users'}")
    SHOWN.get(view, _show_list)(page)


def _show_list(page: Page) -> None:
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_role("listitem")).to_have_count(7)


def _show_delete(page: Page) -> None:
    _show_list(page)
    page.get_by_role("checkbox").nth(1).check()
    page.get_by_role("checkbox").nth(2).check()
    page.get_by_role("button", name="Delete").click()


def _show_retry(page: Page) -> None:
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_role("button", name="Retry")).to_be_visible()


def _show_person(page: Page) -> None:
    page.get_by_text("Merged from").click()
    page.locator("#person-sessions summary").click()


def _show_characters(page: Page) -> None:
    page.get_by_text("1 session").last.click()


def _show_journal(page: Page) -> None:
    page.locator("#entries > details", has_text="/memory/add").first.locator("summary").click()
    expect(page.get_by_role("heading", name="Reason")).to_be_visible()


def _show_clock(page: Page) -> None:
    expect(page.get_by_role("button", name="Clear faults")).to_be_enabled()


SHOWN = {
    "end-users": _show_list,
    "delete": _show_delete,
    "retry": _show_retry,
    "end-users/player-42": _show_person,
    "characters": _show_characters,
    "journal": _show_journal,
    "clock": _show_clock,
}


def take(browser: Browser, demo: FakeConvai, picture: Picture) -> None:
    """Take one picture."""
    viewport = {"width": picture.width, "height": picture.height}
    page = browser.new_page(viewport=viewport, color_scheme=picture.scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    if picture.view == "retry":
        demo.fail("/user/end-users/list", status=429)
    if picture.view == "clock":
        demo.fail("/memory/add", status=503, times=2)
    show(page, demo, picture.view)
    page.screenshot(path=IMAGES / f"{picture.name}.png", animations="disabled")
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
