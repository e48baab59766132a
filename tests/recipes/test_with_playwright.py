import shutil

import pytest

from fake_convai import FakeConvai

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ASK = """([url, key]) => fetch(url + "/user/end-users/list", {method: "POST", headers: {"CONVAI-API-KEY": key}})
  .then(answer => answer.json())"""


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
def test_a_page_that_asks_convai(fake_convai: FakeConvai) -> None:
    fake_convai.remember(fake_convai.character(), "player-42", "The user likes tea.")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{fake_convai.url}/_fake/health")
        assert page.evaluate(ASK, [fake_convai.beta_url, fake_convai.api_key])["total_count"] == 1
        browser.close()
