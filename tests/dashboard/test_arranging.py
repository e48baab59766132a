"""What one sets on the page: the clock, faults, pace, lag, replies and stubs."""

import httpx
from playwright.sync_api import expect

from fake_convai.testing import FakeConvai
from tests.dashboard.conftest import Open, button, status


class TestClockAndFaults:
    def test_nothing_is_marked_while_nothing_is_on(self, opened: Open) -> None:
        page = opened()
        glance = page.get_by_role("group", name="Clock and faults at a glance")
        expect(glance.get_by_role("link")).to_have_text(["Real time", "No faults"])
        page.get_by_role("link", name="Clock and faults", exact=True).click()
        expect(page.get_by_text("No fault waits for a request of this account.")).to_be_visible()
        expect(button(page, "Back to real time")).to_be_disabled()
        expect(button(page, "Clear faults")).to_be_disabled()

    def test_a_set_clock_and_faults_are_marked_on_every_view(self, opened: Open, account: FakeConvai) -> None:
        page = opened("#/characters")
        glance = page.get_by_role("group", name="Clock and faults at a glance")
        account.freeze("2026-01-01T00:00:00Z")
        account.fail("/memory/add", status=429, times=2, optional=True)
        expect(glance.get_by_role("link")).to_have_text(["⚠ Clock frozen at 2026-01-01 00:00:00", "⚠ 1 fault"])
        account.offset(-86400)
        expect(glance.get_by_role("link").first).to_have_text("⚠ Clock shifted by -1 day")

    def test_the_clock_is_set_right_again(self, opened: Open, account: FakeConvai) -> None:
        account.freeze("2026-01-01T00:00:00Z")
        page = opened("#/clock")
        expect(page.get_by_text("Clock frozen at 2026-01-01 00:00:00 UTC.")).to_be_visible()
        button(page, "Back to real time").click()
        expect(status(page)).to_have_text("The clock runs in real time.")
        expect(page.get_by_role("group").get_by_role("link").first).to_have_text("Real time")
        assert account.now().year != 2026 or account.now().month != 1

    def test_faults_are_described_and_cleared(self, opened: Open, account: FakeConvai) -> None:
        account.fail("/memory/add", status=429, times=2, end_user_id="player-42")
        account.fail(status=None, delay_ms=200, disconnect=True, times=None, rate=0.5, when="after")
        page = opened("#/clock")
        expect(page.locator("#clock-body li")).to_have_text(
            [
                "path /memory/add, end_user_id player-42: answers 429, 2 times",
                "any request: waits 200 ms, cuts the connection, after it was done, always at a rate of 0.5",
            ]
        )
        button(page, "Clear faults").click()
        expect(status(page)).to_have_text("No fault waits any more.")
        assert account.faults() == []

    def test_the_clock_is_frozen_and_moved(self, opened: Open, account: FakeConvai) -> None:
        page = opened("#/clock")
        page.get_by_label("Stand still at").fill("2026-01-01T12:00:00Z")
        button(page, "Freeze").click()
        expect(page.get_by_text("Clock frozen at 2026-01-01 12:00:00 UTC.")).to_be_visible()
        expect(page.get_by_label("Stand still at")).to_be_focused()
        page.get_by_label("Move by").fill("-1.5")
        page.get_by_label("Unit").select_option("hours")
        button(page, "Move").click()
        expect(page.get_by_text("Clock frozen at 2026-01-01 10:30:00 UTC.")).to_be_visible()
        page.get_by_label("Stand still at").fill("tomorrow")
        button(page, "Freeze").click()
        expect(status(page)).to_contain_text("Could not change it: ")
        assert account.now().isoformat() == "2026-01-01T10:30:00+00:00"

    def test_faults_are_planted(self, opened: Open, account: FakeConvai) -> None:
        page = opened("#/clock")
        page.get_by_label("Path, or any").fill("/memory/add")
        page.get_by_role("spinbutton", name="Status").fill("503")
        page.get_by_label("Times, or always").fill("2")
        button(page, "Plant fault").click()
        expect(status(page)).to_have_text("The fault waits.")
        page.get_by_role("spinbutton", name="Status").fill("")
        page.get_by_label("Delay in ms").fill("20")
        page.get_by_label("Times, or always").fill("")
        page.get_by_label("Cut the connection").check()
        button(page, "Plant fault").click()
        expect(page.locator("#clock-body li")).to_have_text(
            [
                "path /memory/add: answers 503, 2 times",
                "any request: waits 20 ms, cuts the connection, always",
            ]
        )
        assert len(account.faults()) == 2


class TestPaceAndLag:
    def test_the_pace_is_read_set_and_cleared(self, opened: Open, account: FakeConvai) -> None:
        account.pace(first_token_ms=300, jitter=0.2)
        page = opened("#/clock")
        expect(page.get_by_text("First token after ms: 300 · Jitter, 0 to 1: 0.2")).to_be_visible()
        page.get_by_label("Tokens a second").fill("20.5")
        page.get_by_label("Jitter").fill("")
        button(page, "Set pace").click()
        expect(status(page)).to_have_text("Characters take their time.")
        expect(page.get_by_label("First token after ms")).to_be_focused()
        assert account.state()["account"]["pace"] == {"first_token_ms": 300, "tokens_per_second": 20.5}
        page.get_by_label("Tokens a second").fill("0")
        button(page, "Set pace").click()
        expect(status(page)).to_contain_text("'tokens_per_second'")
        button(page, "Answer at once").click()
        expect(status(page)).to_have_text("Characters answer at once.")
        expect(button(page, "Answer at once")).to_be_disabled()
        assert "account" not in account.state()

    def test_the_lag_is_read_set_settled_and_cleared(self, opened: Open, account: FakeConvai) -> None:
        npc = account.character("coach", memory=True)
        account.lag(end_users={"reads": 1})
        page = opened("#/clock")
        expect(page.get_by_text("New people: after 1 read")).to_be_visible()
        expect(page.get_by_label("New people, in")).to_have_value("reads")
        page.get_by_label("New people", exact=True).fill("")
        page.get_by_label("Memory of a session", exact=True).fill("5")
        button(page, "Set lag").click()
        expect(status(page)).to_have_text("What is written appears later.")
        assert account.state()["account"]["lag"] == {"extraction": {"seconds": 5}}
        account.freeze()
        account.talk(npc, "player-42", "I like tea.")
        assert account.memories(npc, "player-42") == []
        button(page, "Settle now").click()
        expect(status(page)).to_have_text("Everything has appeared.")
        assert len(account.memories(npc, "player-42")) == 1
        button(page, "No lag").click()
        expect(status(page)).to_have_text("What is written appears at once.")
        assert "account" not in account.state()


class TestReplies:
    def test_they_are_added_and_removed(self, opened: Open, account: FakeConvai) -> None:
        page = opened("#/answers")
        shown = page.get_by_role("list", name="Replies").get_by_role("listitem")
        for match, reply in (("hello", "Welcome!"), ("bye", "Take care.")):
            page.get_by_label("When somebody says").fill(match)
            page.get_by_label("the character answers").fill(reply)
            page.get_by_label("the character answers").press("Enter")
            expect(shown.first).to_contain_text(f"When somebody says bye{reply}" if match == "bye" else reply)
        page.get_by_label("and when nothing fits").fill("What?")
        button(page, "Save").click()
        expect(status(page)).to_have_text("Saved.")
        replies = [{"match": "bye", "reply": "Take care."}, {"match": "hello", "reply": "Welcome!"}]
        assert account.state()["account"]["replies"] == {"replies": replies, "default": "What?"}
        button(page, "Remove reply: bye").click()
        expect(shown).to_have_count(1)
        assert account.state()["account"]["replies"] == {"replies": replies[1:], "default": "What?"}

    def test_what_is_no_expression_is_refused(self, opened: Open) -> None:
        page = opened("#/answers")
        page.get_by_label("When somebody says").fill("(")
        page.get_by_label("the character answers").fill("What?")
        button(page, "Add reply").click()
        expect(status(page)).to_contain_text("Could not change it: Invalid replies at 'replies[0].match'")


class TestStubs:
    def test_they_are_added_and_removed(self, opened: Open, account: FakeConvai) -> None:
        page = opened("#/answers")
        shown = page.get_by_role("list", name="Stubs").get_by_role("listitem")
        for path, status_code, content in (("/tts", 503, "busy"), ("/character/get", 200, '{"character_id": "mine"}')):
            page.get_by_label("Path", exact=True).fill(path)
            page.get_by_role("spinbutton", name="Status").fill(str(status_code))
            page.get_by_label("JSON or text").fill(content)
            page.get_by_label("JSON or text").press("Enter")
            expect(shown.first).to_contain_text(path)
            expect(page.get_by_label("Path", exact=True)).to_be_focused()
        expect(shown).to_contain_text(['answers 200 {"character_id":"mine"}', "answers 503 busy"])
        headers = {"CONVAI-API-KEY": account.api_key}
        answer = httpx.post(f"{account.production_url}/character/get", headers=headers, json={"charID": "x"})
        assert (answer.status_code, answer.json()) == (200, {"character_id": "mine"})
        button(page, "Remove stub: /character/get").click()
        expect(shown).to_have_count(1)
        answer = httpx.post(f"{account.production_url}/tts/", headers=headers, json={})
        assert (answer.status_code, answer.text) == (503, "busy")

    def test_what_cannot_be_stubbed_is_refused(self, opened: Open) -> None:
        page = opened("#/answers")
        page.get_by_label("Path", exact=True).fill("/beta/memory/add")
        button(page, "Add stub").click()
        expect(status(page)).to_contain_text("Could not change it: Invalid stub")
