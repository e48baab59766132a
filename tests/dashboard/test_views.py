"""Characters, rooms and the journal."""

from collections.abc import Mapping
from typing import Any

import httpx
from playwright.sync_api import Locator, Page, Request, Route, expect

from fake_convai.testing import FakeConvai
from tests.dashboard.conftest import Open, button, status


def ask(account: FakeConvai, path: str, body: Mapping[str, object]) -> None:
    """Send a request as an app does."""
    httpx.post(f"{account.url}{path}", headers={"CONVAI-API-KEY": account.api_key}, json=body)


def asked(page: Page, path: str) -> list[str]:
    """The addresses below `path` that the page asks for, as it does so."""
    addresses: list[str] = []

    def note(request: Request) -> None:
        if path in request.url:
            addresses.append(request.url[request.url.index(path) :])

    page.on("request", note)
    return addresses


def entries(page: Page) -> Locator:
    return page.locator("#entries > details")


class TestCharacters:
    def test_the_memory_switch_switches(self, opened: Open, account: FakeConvai) -> None:
        coach = account.character("coach", name="Safety Coach", memory=False)
        page = opened("#/characters")
        switch = page.get_by_role("switch", name="Memory of Safety Coach")
        expect(switch).not_to_be_checked()
        switch.click()
        expect(status(page)).to_have_text("Memory of Safety Coach is on.")
        expect(switch).to_be_checked()
        body = account.requests("/character/update")[0].body
        assert body == {"charID": coach, "memorySettings": {"enabled": True}}
        switch.press("Space")
        expect(status(page)).to_have_text("Memory of Safety Coach is off.")
        assert account.state()["characters"][0]["memory_settings"] == {"enabled": False}

    def test_a_switch_that_fails_stays_as_it_was(self, opened: Open, account: FakeConvai) -> None:
        account.character(name="Safety Coach")
        account.fail("/character/update", status=500)
        page = opened("#/characters")
        switch = page.get_by_role("switch", name="Memory of Safety Coach")
        switch.click()
        expect(status(page)).to_contain_text("Could not switch the memory: Internal server error.")
        expect(switch).not_to_be_checked()
        button(page, "Retry").click()
        expect(switch).to_be_checked()

    def test_what_a_character_remembers_and_its_sessions(self, opened: Open, account: FakeConvai) -> None:
        coach = account.character("coach", name="Safety Coach", listing="public")
        account.remember(coach, "player-1", "The user is Jo.", "The user lives in Rome.")
        account.remember(coach, "player-2", "The user is Al.")
        account.session(coach, None, ("Who are you?", "A coach."))
        page = opened("#/characters")
        expect(page.get_by_role("article")).to_contain_text("Safety Coachpublic")
        expect(page.get_by_role("article")).to_contain_text("coach · 3 memories of 2 people")
        page.get_by_text("1 session").click()
        page.get_by_text("Anonymous").click()
        expect(page.get_by_role("definition")).to_have_text(["Who are you?", "A coach."])

    def test_the_messages_of_a_session(self, opened: Open, account: FakeConvai) -> None:
        coach = account.character("coach", name="Safety Coach", memory=True)
        account.session(coach, "player-1", ("Who are you?", "A coach."))
        account.talk(coach, "player-42", "Hello <b>you</b>.")
        account.talk(coach, "player-43", "Good day.")
        page = opened("#/characters")
        page.get_by_text("3 sessions").click()
        session = page.locator(".session", has_text="player-42")
        session.locator("summary").first.click()
        button(session, "Show messages").click()
        messages = session.get_by_role("list", name="Messages").get_by_role("listitem")
        expect(messages.filter(has_text="client user_text_message")).to_contain_text(["Hello <b>you</b>."])
        expect(messages.filter(has_text="server server-message · bot-turn-completed")).to_have_count(1)
        messages.first.locator("summary").click()
        expect(messages.first.locator("pre")).to_contain_text('"type"')
        seeded = page.locator(".session", has_text="player-1")
        seeded.locator("summary").first.click()
        button(seeded, "Show messages").click()
        expect(seeded).to_contain_text("None were kept")

    def test_one_is_created(self, opened: Open, account: FakeConvai) -> None:
        page = opened("#/characters")
        page.get_by_label("Name", exact=True).fill("Museum Guide")
        page.get_by_label("Backstory").fill("Knows every exhibit.")
        page.get_by_label("Backstory").press("Enter")
        expect(status(page)).to_have_text("Created Museum Guide.")
        expect(page.get_by_role("switch", name="Memory of Museum Guide")).to_be_checked()
        created = account.state()["characters"][0]
        assert (created["character_name"], created["backstory"]) == ("Museum Guide", "Knows every exhibit.")
        page.get_by_label("Name", exact=True).fill("Porter")
        page.get_by_label("Backstory").fill("Forgets.")
        page.get_by_role("switch", name="Remembers people").uncheck()
        button(page, "Create character").click()
        expect(page.get_by_role("switch", name="Memory of Porter")).not_to_be_checked()

    def test_an_account_without_characters(self, opened: Open) -> None:
        expect(opened("#/characters").get_by_text("This account has no characters.")).to_be_visible()


class TestRooms:
    @staticmethod
    def connect(account: FakeConvai, person: str, **body: object) -> dict[str, Any]:
        """Bring a person into a room."""
        url, headers = f"{account.live_url}/connect", {"X-API-Key": account.api_key}
        answer = httpx.post(url, headers=headers, json={"end_user_id": person, **body})
        assert answer.status_code == 200, answer.text
        connected: dict[str, Any] = answer.json()
        return connected

    def test_an_account_without_rooms(self, opened: Open) -> None:
        expect(opened("#/rooms").get_by_text("No room of several characters is open")).to_be_visible()

    def test_who_is_in_a_room_and_who_is_active(self, opened: Open, account: FakeConvai) -> None:
        cast = [{"character_id": account.character(name.lower(), name=name)} for name in ("Coach", "Guide")]
        page = opened("#/rooms")
        made = self.connect(account, "player-42", characters=cast, max_num_participants=3)
        room = page.get_by_role("article")
        expect(room.get_by_role("heading", level=3)).to_have_text(made["room_name"])
        people = room.get_by_role("list", name="People").get_by_role("listitem")
        expect(people).to_have_text(["player-42"])
        characters = room.get_by_role("list", name="Characters").get_by_role("listitem")
        expect(characters).to_have_text(["Coach coach dispatch_accepted Active", "Guide guide dispatch_accepted"])
        button(room, "Show messages").click()
        expect(room).to_contain_text("None were kept")
        self.connect(account, "player-43", mode="join", room_session_id=made["room_session_id"])
        expect(people).to_have_text(["player-42", "player-43"])
        expect(room.get_by_text("2 people of 3")).to_be_visible()
        expect(room).to_contain_text("None were kept")  # what is open stays open
        account.reset()
        expect(page.get_by_role("article")).to_have_count(0)
        expect(page.get_by_text("No room of several characters is open")).to_be_visible()

    def test_whose_a_message_was(self, opened: Open, account: FakeConvai) -> None:
        cast = [{"character_id": account.character(name.lower(), name=name)} for name in ("Coach", "Guide")]
        made = self.connect(account, "player-42", characters=cast)
        guide = made["characters"][1]
        ids = {"character_session_id": guide["character_session_id"], "character_id": "guide"}
        said = {"at": "2026-01-01T12:00:00Z", "end_user_id": "player-42", "direction": "in", **ids}
        answer = {**said, "direction": "out", "message": {"type": "bot-llm-text", "data": {"text": "Yes."}}}
        strange = {**answer, "character_session_id": "another", "message": {"type": "strange"}}
        frames = [{**said, "message": {"type": "user_text_message", "data": {"text": "Hi?"}}}, answer, strange]
        page = opened("#/rooms")
        page.route("**/_fake/messages", lambda route: route.fulfill(json={"messages": frames, "dropped": 0}))
        button(page, "Show messages").click()
        expect(page.get_by_role("list", name="Messages").locator("summary")).to_have_text(
            [
                "client user_text_message Hi? player-42 · 2026-01-01 12:00:00",
                "server bot-llm-text Yes. Guide · 2026-01-01 12:00:00",
            ]
        )

    def test_reading_ends_with_the_view(self, opened: Open, page: Page) -> None:
        page.clock.install()
        states = asked(page, "/_fake/state")
        opened("#/rooms")
        expect(page.get_by_text("No room of several characters is open")).to_be_visible()
        with page.expect_request("**/_fake/state?*"):
            page.clock.run_for(1500)
        page.get_by_role("link", name="Clock and faults", exact=True).click()
        expect(button(page, "Clear faults")).to_be_visible()
        states.clear()
        page.clock.run_for(30_000)
        page.evaluate("null")
        assert states == []


class TestJournal:
    def test_each_request_shows_body_answer_and_reason(self, opened: Open, account: FakeConvai) -> None:
        npc = account.character("coach")
        body = {"character_id": npc, "end_user_id": "p", "memories": ["The user is Jo."], "colour": "<b>red</b>"}
        ask(account, "/beta/memory/add", body)
        page = opened("#/journal")
        expect(entries(page)).to_have_count(1)
        entry = entries(page).first
        expect(entry.locator("summary")).to_contain_text("200POST /memory/addbeta · ")
        entry.locator("summary").click()
        expect(entry.locator("pre")).to_contain_text(['"memories": [', '"event": "add"'])
        expect(entry).to_contain_text('"colour": "<b>red</b>"')
        expect(entry).to_contain_text("Reason")
        expect(entry).to_contain_text("overlaps with no record")
        expect(entry).to_contain_text("Fields that nothing readscolour")

    def test_it_grows_while_one_looks_and_what_is_open_stays_open(self, opened: Open, account: FakeConvai) -> None:
        ask(account, "/beta/user/end-users/get", {"end_user_id": "nobody"})
        page = opened("#/journal")
        first = page.locator("#entries > details", has_text="/user/end-users/get")
        expect(first.locator("summary")).to_contain_text("404")
        first.locator("summary").click()
        account.fail("/memory/list", status=503)
        ask(account, "/beta/memory/list", {"character_id": "c", "end_user_id": "p"})
        expect(entries(page)).to_have_count(2)
        expect(entries(page).first).to_contain_text("503POST /memory/listFault")
        expect(first.get_by_role("heading", name="Answer")).to_be_visible()

    def test_it_stands_still_when_it_is_not_to_follow(self, opened: Open, account: FakeConvai) -> None:
        page = opened("#/journal")
        expect(page.get_by_text("0 requests")).to_be_visible()
        page.get_by_role("checkbox", name="Follow").uncheck()
        ask(account, "/beta/user/end-users/list", {})
        page.get_by_role("link", name="Clock and faults").click()
        expect(button(page, "Clear faults")).to_be_visible()
        expect(entries(page)).to_have_count(0)
        page.get_by_role("link", name="Journal").click()
        expect(entries(page)).to_have_count(1)
        ask(account, "/beta/user/end-users/list", {})
        page.get_by_role("checkbox", name="Follow").check()
        expect(entries(page)).to_have_count(2)

    def test_only_what_is_new_is_asked_for(self, opened: Open, account: FakeConvai, page: Page) -> None:
        addresses = asked(page, "/_fake/requests")
        for _ in range(3):
            ask(account, "/beta/user/end-users/list", {})
        opened("#/journal")
        expect(entries(page)).to_have_count(3)
        ask(account, "/beta/memory/list", {})
        expect(entries(page)).to_have_count(4)
        assert (addresses[0], {*addresses[1:]} - {"/_fake/requests?after=3"}) == (
            "/_fake/requests?after=0",
            {"/_fake/requests?after=2"},
        )

    def test_a_journal_that_was_emptied_elsewhere_is_read_anew(self, opened: Open, account: FakeConvai) -> None:
        for _ in range(3):
            ask(account, "/beta/user/end-users/list", {})
        page = opened("#/journal")
        expect(entries(page)).to_have_count(3)
        account.clear_requests()
        for _ in range(4):
            ask(account, "/beta/user/speaker/list", {})
        expect(entries(page)).to_have_count(4)
        expect(entries(page).last).to_contain_text("/user/speaker/list")

    def test_reading_ends_with_the_view(self, opened: Open, page: Page) -> None:
        page.clock.install()
        addresses = asked(page, "/_fake/requests")
        opened("#/journal")
        expect(page.get_by_text("0 requests")).to_be_visible()
        held: list[Route] = []
        page.route("**/_fake/requests?*", lambda route: held.append(route))
        with page.expect_request("**/_fake/requests?*"):
            page.clock.run_for(1500)
        page.evaluate("null")  # by the answer, what is to be held has come
        assert (len(held), len(addresses)) == (1, 2)
        page.get_by_role("link", name="Characters").click()
        expect(page.get_by_text("This account has no characters.")).to_be_visible()
        held[0].continue_()
        page.clock.run_for(30_000)
        page.evaluate("null")
        assert len(addresses) == 2

    def test_it_is_filtered_and_cleared(self, opened: Open, account: FakeConvai) -> None:
        ask(account, "/beta/user/end-users/list", {})
        ask(account, "/production/character/list", {})
        page = opened("#/journal")
        search = page.get_by_role("searchbox", name="Filter by path, surface or status")
        search.fill("production")
        expect(entries(page)).to_have_count(1)
        expect(page.get_by_text("1 of 2 requests")).to_be_visible()
        search.fill("")
        expect(entries(page)).to_have_count(2)
        button(page, "Clear").click()
        expect(status(page)).to_have_text("Cleared.")
        expect(entries(page)).to_have_count(0)
        assert account.requests() == []
        ask(account, "/production/character/list", {})
        expect(entries(page)).to_contain_text(["/character/list"])

    def test_of_a_long_journal_the_newest_come_first(self, opened: Open, account: FakeConvai) -> None:
        with httpx.Client(base_url=account.url, headers={"CONVAI-API-KEY": account.api_key}) as app:
            for number in range(110):
                app.post("/beta/user/end-users/list", json={"limit": 1 if number < 10 else 2})
        page = opened("#/journal")
        expect(entries(page)).to_have_count(100)
        button(page, "Show older requests").click()
        expect(entries(page)).to_have_count(110)
        entries(page).last.locator("summary").click()
        expect(entries(page).last).to_contain_text('"limit": 1')
