import shutil

import pytest

from fake_convai import FakeConvai

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
ASK = """([url, key]) => fetch(url + "/user/end-users/list", {method: "POST", headers: {"CONVAI-API-KEY": key}})
  .then(answer => answer.json())"""


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
def test_a_page_that_asks_convai(fake_convai: FakeConvai) -> None:
    with sync_api.sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"]).new_page()
        page.goto(fake_convai.url)
        assert page.evaluate(ASK, [fake_convai.beta_url, fake_convai.api_key])["total_count"] == 0
