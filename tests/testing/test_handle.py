"""What a test does to its account, on a server in a thread and on one in another process."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from fake_convai import FakeConvai
from fake_convai.testing import ControlError
from tests.testing.conftest import App

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
SESSION = (("My name is Jordan.", "Hello Jordan."), ("Who am I?", "You are Jordan."))


def remembered(app: App, npc: str, end_user_id: str) -> list[str]:
    """The facts that the app sees."""
    found = app.ok("/beta/memory/list", {"character_id": npc, "end_user_id": end_user_id})["memories"]
    return [memory["memory"] for memory in found]


@pytest.mark.parametrize("memory", [True, False])
def test_character_is_there_for_the_app(fake: FakeConvai, app: App, memory: bool) -> None:
    npc = fake.character(memory=memory, name="Coach", backstory="Trains people.")

    seen = app.ok("/production/character/get", {"charID": npc})
    assert (seen["character_name"], seen["backstory"], seen["listing"]) == ("Coach", "Trains people.", "private")
    assert seen["memory_settings"] == {"enabled": memory}


def test_character_with_a_known_id_is_changed(fake: FakeConvai) -> None:
    assert fake.character("coach", name="Coach") == fake.character("coach", memory=True)

    (coach,) = fake.state()["characters"]
    assert (coach["character_name"], coach["memory_settings"]) == ("Coach", {"enabled": True})


def test_character_is_new_each_time(fake: FakeConvai) -> None:
    assert fake.character() != fake.character()


def test_remember_gives_the_records(fake: FakeConvai, app: App) -> None:
    npc = fake.character(memory=True)
    fake.freeze(NEW_YEAR)
    first, second = fake.remember(npc, "player-42", "Likes  tea.", "Has a dog.", metadata={"source": "test"})

    assert (first.memory, second.memory) == ("Likes tea.", "Has a dog.")
    assert (first.character_id, first.end_user_id, first.metadata) == (npc, "player-42", {"source": "test"})
    assert first.created_at == first.updated_at == NEW_YEAR
    assert fake.memories(npc, "player-42") == [first, second]
    assert remembered(app, npc, "player-42") == ["Likes tea.", "Has a dog."]


def test_remember_again_changes_nothing(fake: FakeConvai) -> None:
    npc = fake.character()
    (first,) = fake.remember(npc, "player-42", "Likes tea.")
    (second,) = fake.remember(npc, "player-42", "Likes tea.")
    assert first.id == second.id
    assert fake.memories(npc, "player-42") == [second]


def test_remember_needs_a_character(fake: FakeConvai) -> None:
    with pytest.raises(ControlError, match=r"memories\[0\]\.character_id.*nobody") as refused:
        fake.remember("nobody", "player-42", "Likes tea.")
    assert refused.value.status == 400
    assert fake.end_users() == []


def test_memories_are_kept_apart(fake: FakeConvai) -> None:
    npc, other = fake.character(), fake.character()
    kept = fake.remember(npc, "player-42", "Likes tea.")
    assert fake.memories(npc, " player-42 ") == kept
    assert fake.memories(npc, "player-43") == []
    assert fake.memories(other, "player-42") == []
    assert fake.memories("nobody", "player-42") == []


def test_memories_are_oldest_first(fake: FakeConvai) -> None:
    npc = fake.character()
    fake.remember(npc, "player-42", "Likes tea.")
    fake.offset(-60)
    fake.remember(npc, "player-42", "Has a dog.")
    assert [memory.memory for memory in fake.memories(npc, "player-42")] == ["Has a dog.", "Likes tea."]


def test_end_user(fake: FakeConvai, app: App) -> None:
    fake.freeze(NEW_YEAR)
    npc = fake.character()
    connection = {"character_id": npc, "end_user_id": "player-42", "end_user_metadata": {"name": "Jordan"}}
    app.ok("/live/connect", connection)

    user = fake.end_user("player-42")
    assert user is not None
    assert (user.end_user_id, user.end_user_metadata) == ("player-42", {"name": "Jordan"})
    assert user.last_active_ts == NEW_YEAR
    assert fake.end_user("player-43") is None


def test_end_users_as_they_came(fake: FakeConvai) -> None:
    npc = fake.character()
    for end_user_id in ("b", "a"):
        fake.remember(npc, end_user_id, "Likes tea.")
    assert [user.end_user_id for user in fake.end_users()] == ["b", "a"]
    assert fake.end_users()[0].last_active_ts is None


def test_session_is_in_the_chat_history(fake: FakeConvai, app: App) -> None:
    npc = fake.character()
    session = fake.session(npc, "player-42", *SESSION, started_at=NEW_YEAR, is_added_to_memory=True)

    assert (session.character_id, session.end_user_id, session.started_at) == (npc, "player-42", NEW_YEAR)
    assert [(turn.user, turn.character) for turn in session.interactions] == list(SESSION)
    assert session.interactions[0].timestamp == NEW_YEAR
    assert not session.interactions[0].is_trigger_input
    (listed,) = app.ok("/production/character/chatHistory/list", {"charID": npc})
    assert (listed["date"], listed["is_added_to_memory"]) == ("01-01-2026", True)
    history = {"charID": npc, "sessionID": session.session_id}
    told = app.ok("/production/character/chatHistory/details", history)
    assert [turn["interaction"][1]["message"] for turn in told] == ["Hello Jordan.", "You are Jordan."]


def test_session_of_nobody(fake: FakeConvai) -> None:
    npc = fake.character()
    first, second = fake.session(npc), fake.session(npc)
    assert first.session_id != second.session_id
    assert (first.end_user_id, first.interactions, fake.end_users()) == (None, (), [])


def test_requests_are_those_of_the_app(fake: FakeConvai, app: App) -> None:
    npc = fake.character()
    fake.remember(npc, "player-42", "Likes tea.")
    body = {"character_id": npc, "end_user_id": "player-42", "colour": "red"}
    app.ok("/beta/memory/list", body)
    app.post("/beta/memory/list", {})
    app.ok("/production/character/list")

    listed, refused, characters = fake.requests()
    assert (listed.surface, listed.method, listed.path, listed.status) == ("beta", "POST", "/memory/list", 200)
    assert (listed.body, listed.response["total_count"], listed.unknown_fields) == (body, 1, ["colour"])
    assert (listed.fault, listed.violations) == (None, [])
    assert listed.at <= refused.at <= characters.at
    assert fake.requests("/memory/list") == [listed, refused]
    assert fake.requests(path="/memory/list", status=400) == [refused]
    assert fake.requests(surface="production") == [characters]
    assert fake.requests("/memory/add") == []

    fake.clear_requests()
    assert fake.requests() == []


def test_requests_refuses_a_surface_that_is_none(fake: FakeConvai) -> None:
    with pytest.raises(ControlError, match="'surface'"):
        fake.requests(surface="gamma")


def test_set_replies(fake: FakeConvai, app: App, http: httpx.Client) -> None:
    npc = fake.character()
    fake.set_replies({"valve": "Turn it clockwise."}, default="Ask about valves.")

    def say(text: str) -> Any:
        answer = http.post(
            f"{fake.production_url}/character/getResponse",
            data={"charID": npc, "userText": text, "sessionID": "-1", "voiceResponse": "False"},
            headers={"CONVAI-API-KEY": fake.api_key},
        )
        return answer.json()["text"]

    assert (say("How do I close the valve?"), say("Hello.")) == ("Turn it clockwise.", "Ask about valves.")


@pytest.mark.parametrize("name", ["talk.yaml", "talk.json"])
def test_replies_from_a_file(fake: FakeConvai, tmp_path: Path, name: str) -> None:
    text = '{"replies": [{"match": "cube", "reply": "On my way.", "actions": ["Wave"]}], "default": "Hm."}'
    (tmp_path / name).write_text(text.replace('"', "") if name.endswith("yaml") else text)
    fake.replies(tmp_path / name)
    npc = fake.character()
    said = fake.talk(npc, None, "The cube!")
    assert said.text == "On my way."
    assert {"type": "action-response", "actions": ["Wave"]} in [event.data for event in said.events]
    fake.replies({"default": "Well."})
    assert fake.talk(npc, None, "The cube!").text == "Well."


def test_clock(fake: FakeConvai) -> None:
    fake.freeze("2026-01-01T00:00:00Z")
    assert fake.now() == NEW_YEAR
    fake.advance(90)
    assert fake.now() == NEW_YEAR + timedelta(seconds=90)
    fake.advance(timedelta(days=1, microseconds=1))
    assert fake.now() == datetime(2026, 1, 2, 0, 1, 30, 1, tzinfo=UTC)
    fake.offset(timedelta(days=-365))
    assert abs(fake.now() - datetime.now(UTC) + timedelta(days=365)) < timedelta(minutes=1)
    fake.freeze()
    assert fake.now() == fake.now() < datetime.now(UTC) - timedelta(days=364)
    fake.unfreeze()
    assert abs(fake.now() - datetime.now(UTC)) < timedelta(minutes=1)


def test_pace(fake: FakeConvai) -> None:
    fake.freeze()
    fake.pace(first_token_ms=300, words_per_minute=150.5)
    assert fake.state()["account"]["pace"] == {"first_token_ms": 300, "words_per_minute": 150.5}
    fake.pace()
    assert "account" not in fake.state()


def test_lag(fake: FakeConvai) -> None:
    npc = fake.character(memory=True)
    fake.freeze()
    fake.lag(extraction=5, end_users=timedelta(seconds=1.5), chat_history={"reads": 2})
    lag = {"extraction": {"seconds": 5}, "end_users": {"seconds": 1.5}, "chat_history": {"reads": 2}}
    assert fake.state()["account"]["lag"] == lag
    fake.lag(extraction=5)
    fake.talk(npc, "player-42", "My name is Jordan.")
    assert fake.memories(npc, "player-42") == []
    fake.advance(5)
    assert [memory.memory for memory in fake.memories(npc, "player-42")] == ["The user's name is Jordan."]
    fake.talk(npc, "player-42", "I live in Oslo.")
    assert len(fake.memories(npc, "player-42")) == 1
    fake.settle()
    assert len(fake.memories(npc, "player-42")) == 2
    fake.lag()
    assert "account" not in fake.state()


def test_clock_takes_a_time_without_zone_as_utc(fake: FakeConvai) -> None:
    fake.freeze(NEW_YEAR.replace(tzinfo=None))
    assert fake.now() == NEW_YEAR


def test_state_seeds_another_account(fake: FakeConvai) -> None:
    npc = fake.character(memory=True)
    fake.remember(npc, "player-42", "Likes tea.")
    fake.session(npc, "player-42", *SESSION)
    twin = fake.account()
    twin.seed(fake.state())
    assert twin.state() == fake.state() != fake.account().state()


def test_seed_is_all_or_nothing(fake: FakeConvai) -> None:
    with pytest.raises(ControlError, match=r"characters\[1\]\.colour") as refused:
        fake.seed({"characters": [{"character_id": "coach"}, {"character_id": "guide", "colour": "red"}]})
    assert refused.value.status == 400
    assert fake.state()["characters"] == []


def test_snapshots(fake: FakeConvai) -> None:
    npc = fake.character()
    fake.remember(npc, "player-42", "Likes tea.")
    before = fake.state()
    name = fake.snapshot()
    fake.remember(npc, "player-42", "Has a dog.")
    assert fake.snapshot("with the dog?") == "with the dog?"

    fake.restore(name)
    assert fake.state() == before
    fake.restore("with the dog?")
    assert len(fake.memories(npc, "player-42")) == 2
    assert fake.snapshots() == sorted([name, "with the dog?"])
    fake.delete_snapshot(name)
    assert fake.snapshots() == ["with the dog?"]
    with pytest.raises(ControlError, match=name) as unknown:
        fake.restore(name)
    assert unknown.value.status == 404


def test_reset(fake: FakeConvai, app: App) -> None:
    npc = fake.character()
    fake.remember(npc, "player-42", "Likes tea.")
    app.ok("/production/character/list")
    fake.snapshot()
    fake.fail()
    fake.freeze(NEW_YEAR)

    fake.reset()
    assert fake.state() == {"characters": [], "end_users": [], "memories": [], "sessions": []}
    assert (fake.snapshots(), fake.faults(), fake.requests()) == ([], [], [])
    assert fake.now() > NEW_YEAR


def test_accounts_never_meet(fake: FakeConvai) -> None:
    fake.character("coach")
    other = fake.account()
    assert other.url == fake.url
    assert other.api_key != fake.api_key
    assert other.state()["characters"] == []
    assert fake.account(fake.api_key).state()["characters"] != []


def test_key_that_is_not_accepted(fake: FakeConvai) -> None:
    with pytest.raises(ControlError, match="Invalid API key") as refused:
        fake.account("invalid-key").state()
    assert refused.value.status == 401


def test_one_url_per_surface(fake: FakeConvai) -> None:
    assert (fake.production_url, fake.beta_url, fake.live_url) == (
        f"{fake.url}/production",
        f"{fake.url}/beta",
        f"{fake.url}/live",
    )
    assert not fake.url.endswith("/")


def test_messages_are_the_frames_of_sessions(fake: FakeConvai) -> None:
    with fake.conversation(fake.character(), "player-42") as conversation:
        conversation.say("Hello.")
        first, *others = fake.messages(session_id=conversation.session_id)
    assert (first.direction, first.type, first.message["data"]) == ("in", "user_text_message", {"text": "Hello."})
    assert [one.message for one in others] == conversation.events
    assert [one.type for one in fake.messages(type="bot-turn-completed", direction="out")] == ["bot-turn-completed"]
    assert fake.messages(session_id="another") == []


def test_waiting_ends_as_soon_as_it_is_there(fake: FakeConvai) -> None:
    npc = fake.character()
    later = [threading.Timer(0.05 * n, fake.talk, [npc, "player-42", f"Hello {n}."]) for n in (1, 2)]
    for one in later:
        one.start()
    assert fake.wait_for_message("user_text_message", timeout=60, count=2).message["data"]["text"].startswith("Hello")
    assert fake.wait_for_request("/live/disconnect", timeout=60, count=2).status == 200
    for one in later:
        one.join()
