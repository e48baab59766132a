"""Talking to a character on the page: the reply as it comes, the events, and what is remembered in the end."""

import json

import httpx
import pytest
from playwright.sync_api import Locator, Page, Route, WebSocketRoute, expect

from fake_convai.testing import FakeConvai
from tests.dashboard.conftest import Open, button, status


@pytest.fixture
def npc(account: FakeConvai) -> str:
    """A character that remembers, and two people."""
    account.seed({"end_users": [{"end_user_id": "player-42"}, {"end_user_id": "player-43"}]})
    return account.character("coach", name="Safety Coach", memory=True)


@pytest.fixture
def talk(opened: Open, npc: str) -> Page:
    """The view, before anything was said."""
    return opened("#/talk")


def say(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Say something").fill(text)
    button(page, "Send").click()


def bubbles(page: Page) -> Locator:
    return page.locator(".bubble")


def remembered(page: Page) -> Locator:
    return page.get_by_role("list", name="What is remembered").get_by_role("listitem")


def test_what_is_said_is_answered_and_remembered_with_its_reason(talk: Page, account: FakeConvai, npc: str) -> None:
    account.remember(npc, "player-42", "The user's name is Jordan.")
    talk.reload()
    expect(talk.get_by_label("You are")).to_have_value("player-42")
    expect(remembered(talk)).to_have_text(["The user's name is Jordan."])
    say(talk, "My name is Jordan Kim. I like tea.")
    expect(bubbles(talk)).to_have_text(
        [
            "player-42My name is Jordan Kim. I like tea.",
            "Safety CoachThis is Safety Coach. I heard you, but no reply is scripted for that.",
        ]
    )
    say(talk, "What is my name?")
    expect(bubbles(talk).last).to_have_text("Safety CoachYour name is Jordan Kim.")
    expect(talk.locator("[aria-busy]")).to_have_count(0)
    button(talk, "End session").click()
    expect(talk.get_by_role("log")).to_contain_text(
        "The session has ended. Safety Coach remembers 2 things from it: see the memories, and why."
    )
    because = [one["because"] for one in account.requests("/disconnect")[0].explanations]
    expect(remembered(talk)).to_have_text(
        [f"Updated The user's name is Jordan Kim.Why: {because[0]}.", f"New The user likes tea.Why: {because[1]}."]
    )
    expect(talk.get_by_role("heading", name="Memories")).to_be_focused()
    assert [memory.memory for memory in account.memories(npc, "player-42")] == [
        "The user's name is Jordan Kim.",
        "The user likes tea.",
    ]


def test_the_next_session_knows_it(talk: Page, account: FakeConvai) -> None:
    talk.get_by_label("You are").fill("somebody-new")
    say(talk, "My name is Alex.")
    expect(bubbles(talk)).to_have_count(2)
    button(talk, "End session").click()
    expect(remembered(talk)).to_have_count(1)
    button(talk, "What is my name?").click()
    expect(bubbles(talk).last).to_have_text("Safety CoachYour name is Alex.")
    assert [user.end_user_id for user in account.end_users()] == ["player-42", "player-43", "somebody-new"]


def test_a_reply_comes_as_it_is_streamed(talk: Page) -> None:
    socket: list[WebSocketRoute] = []
    talk.route_web_socket("**/chat?*", lambda route: socket.append(route))
    say(talk, "Hello.")
    expect(bubbles(talk)).to_have_count(1)
    for kind, data in (("started", {}), ("text", {"text": "Good "}), ("text", {"text": "day"})):
        socket[0].send(json.dumps({"type": f"bot-llm-{kind}", "data": data}))
    expect(bubbles(talk).last).to_have_text("Safety CoachGood day")
    expect(talk.locator("[aria-busy]")).to_have_count(1)  # a screen reader waits for the whole
    socket[0].send(json.dumps({"type": "bot-llm-stopped", "data": {}}))
    expect(talk.locator("[aria-busy]")).to_have_count(0)


def test_every_message_opens_to_its_json(talk: Page) -> None:
    say(talk, "Hello.")
    events = talk.get_by_role("list", name="Events").get_by_role("listitem")
    expect(events.first).to_contain_text("client user_text_message Hello.")
    expect(events.last).to_contain_text("server server-message · bot-turn-completed")
    events.last.locator("summary").click()
    expect(events.last.locator("pre")).to_contain_text('"was_interrupted": false')


@pytest.mark.parametrize(
    ("person", "memory", "outcome"),
    [
        ("", True, "It was nobody's in particular, so nothing is remembered."),
        ("player-42", False, "The memory of Safety Coach is off, so nothing is remembered."),
        ("player-42", True, "Nothing in what you said was understood as a lasting fact."),
    ],
)
def test_when_nothing_is_remembered_it_says_why(
    opened: Open, account: FakeConvai, npc: str, person: str, memory: bool, outcome: str
) -> None:
    account.character(npc, name="Safety Coach", memory=memory)
    page = opened("#/talk")
    page.get_by_label("You are").fill(person)
    say(page, "My name is Jordan." if person == "" or not memory else "Hello.")
    expect(bubbles(page)).to_have_count(2)
    button(page, "End session").click()
    expect(page.get_by_role("log")).to_contain_text(outcome)


def test_a_session_that_is_ended_elsewhere_is_told(talk: Page, account: FakeConvai, npc: str) -> None:
    say(talk, "I like tea.")
    expect(bubbles(talk)).to_have_count(2)
    session = account.requests("/connect")[0].response["session_id"]
    httpx.post(f"{account.live_url}/disconnect", params={"session_id": session}).raise_for_status()
    expect(talk.get_by_role("log")).to_contain_text("The session was closed:")
    expect(remembered(talk)).to_have_text(["The user likes tea."])
    expect(button(talk, "End session")).to_be_disabled()
    say(talk, "Hello again.")
    expect(bubbles(talk)).to_have_count(4)


def test_a_refused_session_says_why_and_is_tried_again(talk: Page, account: FakeConvai) -> None:
    account.fail("/connect", status=429)
    say(talk, "Hello.")
    expect(status(talk)).to_contain_text("Could not talk: ")
    expect(status(talk)).to_contain_text("(HTTP 429)")
    button(talk, "Retry").click()
    expect(bubbles(talk)).to_have_count(2)


def test_an_impatient_person_has_one_session(talk: Page, account: FakeConvai) -> None:
    held: list[Route] = []
    talk.route("**/live/connect", lambda route: held.append(route))
    text = talk.get_by_role("textbox", name="Say something")
    text.fill("Hello.")
    with talk.expect_request("**/live/connect"):
        text.press("Enter")
    text.press("Enter")
    talk.evaluate("null")  # by the answer, what is to be held has come
    (held.pop()).continue_()
    expect(bubbles(talk)).to_have_count(2)
    assert held == []
    assert len(account.requests("/connect")) == 1


def test_it_goes_on_while_another_view_is_looked_at(talk: Page) -> None:
    say(talk, "My name is Jordan.")
    expect(bubbles(talk)).to_have_count(2)
    talk.get_by_role("link", name="Journal").click()
    expect(talk.locator("#entries")).to_contain_text("/connect")
    talk.get_by_role("link", name="Talk").click()
    say(talk, "Hello.")
    expect(bubbles(talk)).to_have_count(4)
    expect(talk.get_by_label("You are")).to_be_disabled()


def test_another_account_is_another_conversation(talk: Page, server: FakeConvai) -> None:
    say(talk, "Hello.")
    expect(bubbles(talk)).to_have_count(2)
    talk.get_by_label("API key").fill(server.account().api_key)
    talk.get_by_label("API key").press("Enter")
    expect(talk.get_by_text("Choose an account that has characters")).to_be_visible()
    expect(bubbles(talk)).to_have_count(0)


def test_markup_stays_text(talk: Page, account: FakeConvai) -> None:
    account.seed({"account": {"replies": {"replies": [{"match": "hello", "reply": "<b>Bold</b> words"}]}}})
    say(talk, "<i>hello</i>")
    expect(bubbles(talk)).to_have_text(["player-42<i>hello</i>", "Safety Coach<b>Bold</b> words"])
