"""Section 9 of the contract: what is said in a session is held in it, and remembered when it ends."""

from collections.abc import Callable

import pytest

from tests.api.talking import (
    ASK_NAME,
    MY_NAME,
    NAME_FACT,
    Chat,
    Frame,
    chat,
    connect,
    converse,
    disconnect,
    end_user,
    facts,
    history,
    sweep,
)
from tests.conftest import Api

START, CONNECTED, LATER = (f"2026-01-01T{time}.000000Z" for time in ("11:00:00", "12:00:00", "12:10:00"))

Ending = Callable[[Api, Frame, Chat], None]


def by_disconnect(api: Api, session: Frame, talk: Chat) -> None:
    """The app says over HTTP that it is over."""
    disconnect(api, session)


def by_closing_the_socket(api: Api, session: Frame, talk: Chat) -> None:
    """The client goes."""
    talk.leave()


def by_kill_pipeline(api: Api, session: Frame, talk: Chat) -> None:
    """The client says over the socket that it is over."""
    assert talk.send("kill-pipeline")["status"] == "success"


def by_idle_timeout(api: Api, session: Frame, talk: Chat) -> None:
    """The client says nothing any more."""
    api.freeze(LATER)
    sweep(api)


every_ending = pytest.mark.parametrize(
    "end", [by_disconnect, by_closing_the_socket, by_kill_pipeline, by_idle_timeout], ids=lambda end: end.__name__
)


@every_ending
class TestHoweverASessionEnds:
    def test_what_was_said_is_remembered_then(self, api: Api, end: Ending) -> None:
        npc = api.character(memory=True)
        api.freeze(CONNECTED)
        session = connect(api, npc, "player-42")
        with chat(api, session) as talk:
            talk.say(MY_NAME)
            assert facts(api, npc, "player-42") == []
            assert [summary["is_added_to_memory"] for summary in history(api, npc)] == [False]
            api.freeze(LATER)
            end(api, session, talk)
            # At once: whoever has seen the end can read the memories.
            (memory,) = api.memories(npc, "player-42")
        assert memory == {
            "id": memory["id"],
            "memory": NAME_FACT,
            "created_at": LATER,
            "updated_at": LATER,
            "metadata": {},
        }
        assert [summary["is_added_to_memory"] for summary in history(api, npc)] == [True]
        assert api.memories(npc, "player-42") == [memory]

    def test_nothing_is_remembered_of_nobody(self, api: Api, end: Ending) -> None:
        npc = api.character(memory=True)
        api.freeze(CONNECTED)
        session = connect(api, npc)
        with chat(api, session) as talk:
            talk.say(MY_NAME)
            end(api, session, talk)
        assert (api.end_users(), api.ok("/beta/user/speaker/list")) == ([], [])
        assert [summary["is_added_to_memory"] for summary in history(api, npc)] == [False]
        with chat(api, connect(api, npc)) as talk:
            assert "Jordan" not in talk.say(ASK_NAME)

    def test_nothing_is_remembered_by_a_character_without_memory(self, api: Api, end: Ending) -> None:
        npc = api.character(memory=False)
        api.freeze(CONNECTED)
        session = connect(api, npc, "player-42")
        with chat(api, session) as talk:
            talk.say(MY_NAME)
            end(api, session, talk)
        assert facts(api, npc, "player-42") == []
        assert [summary["is_added_to_memory"] for summary in history(api, npc)] == [False]

    def test_nothing_is_remembered_of_a_deleted_user(self, api: Api, end: Ending) -> None:
        npc = api.character(memory=True)
        api.freeze(CONNECTED)
        session = connect(api, npc, "player-42")
        with chat(api, session) as talk:
            talk.say(MY_NAME)
            assert api.ok("/beta/user/end-users/delete", {"end_user_id": "player-42"})["deleted"] is True
            talk.say("I am still here.")
            end(api, session, talk)
        assert api.end_users() == []
        assert [summary["is_added_to_memory"] for summary in history(api, npc)] == [False]

    def test_a_namesake_of_a_deleted_user_gets_nothing(self, api: Api, end: Ending) -> None:
        npc = api.character(memory=True)
        api.freeze(CONNECTED)
        session = connect(api, npc, "player-42")
        with chat(api, session) as talk:
            talk.say(MY_NAME)
            api.ok("/beta/user/end-users/delete", {"end_user_id": "player-42"})
            api.remember(npc, "player-42", "The user has a dog.")
            end(api, session, talk)
        assert facts(api, npc, "player-42") == ["The user has a dog."]


class TestAtTheEnd:
    def test_facts_are_deduplicated(self, api: Api) -> None:
        npc = api.character(memory=True)
        converse(api, npc, "player-42", MY_NAME)
        (before,) = api.memories(npc, "player-42")
        converse(api, npc, "player-42", MY_NAME, "My name is Jordan Kim.")
        (after,) = api.memories(npc, "player-42")
        assert after == {**before, "memory": "The user's name is Jordan Kim.", "updated_at": after["updated_at"]}
        assert after["updated_at"] > before["updated_at"]

    def test_the_switch_of_that_moment_counts(self, api: Api) -> None:
        npc = api.character(memory=True)
        with chat(api, connect(api, npc, "player-42")) as talk:
            talk.say(MY_NAME)
            api.ok("/production/character/update", {"charID": npc, "memorySettings": {"enabled": False}})
        assert facts(api, npc, "player-42") == []

    def test_triggers_are_not_the_users_words(self, api: Api) -> None:
        npc = api.character(memory=True)
        with chat(api, connect(api, npc, "player-42")) as talk:
            assert talk.send("trigger-message", trigger_message=MY_NAME)["status"] == "success"
            talk.turn()
        assert facts(api, npc, "player-42") == []

    def test_only_what_was_said_in_this_session_counts(self, api: Api) -> None:
        npc = api.character(memory=True)
        session = converse(api, npc, "player-42", MY_NAME)
        api.ok("/beta/memory/delete-all", {"character_id": npc, "end_user_id": "player-42"})
        converse(api, npc, "player-42", "Hello.", character_session_id=session["character_session_id"])
        disconnect(api, session)
        assert facts(api, npc, "player-42") == []

    def test_a_conversation_of_two_is_remembered_for_each_apart(self, api: Api) -> None:
        npc = api.character(memory=True)
        session = converse(api, npc, "player-1", MY_NAME)
        resumed = {"character_session_id": session["character_session_id"]}
        converse(api, npc, "player-2", "My name is Sam.", **resumed)
        assert facts(api, npc, "player-1") == [NAME_FACT]
        assert facts(api, npc, "player-2") == ["The user's name is Sam."]

    def test_the_end_users_times_have_moved(self, api: Api) -> None:
        npc = api.character(memory=True)
        session = connect(api, npc, "player-42")
        with chat(api, session) as talk:
            talk.say(MY_NAME)
            api.freeze(START)
            connect(api, npc, "player-42")
            assert end_user(api, "player-42")["last_active_ts"] == START
            assert end_user(api, "player-42")["last_ltm_usage_ts"] == START
            api.freeze(LATER)
            disconnect(api, session)
        assert end_user(api, "player-42") == {
            "end_user_id": "player-42",
            "last_active_ts": START,
            "last_ltm_usage_ts": LATER,
            "end_user_metadata": {},
        }


class TestAtConnect:
    def test_what_is_stored_is_known(self, api: Api) -> None:
        npc = api.character(memory=True)
        converse(api, npc, "player-42", MY_NAME)
        with chat(api, connect(api, npc, "player-42")) as talk:
            assert "Jordan" in talk.say(ASK_NAME)

    def test_seeded_facts_are_known(self, api: Api) -> None:
        npc = api.character(memory=True)
        api.remember(npc, "player-42", NAME_FACT)
        with chat(api, connect(api, npc, "player-42")) as talk:
            assert "Jordan" in talk.say(ASK_NAME)

    def test_what_is_stored_later_is_not_known(self, api: Api) -> None:
        npc = api.character(memory=True)
        api.freeze(CONNECTED)
        with chat(api, connect(api, npc, "player-42")) as talk:
            api.freeze("2026-01-01T12:01:00Z")  # nobody is idle yet
            api.remember(npc, "player-42", NAME_FACT)
            assert "Jordan" not in talk.say(ASK_NAME)
        with chat(api, connect(api, npc, "player-42")) as talk:
            assert "Jordan" in talk.say(ASK_NAME)

    @pytest.mark.parametrize("clock", ["2020-01-01T00:00:00Z", CONNECTED, "2200-01-01T00:00:00Z"])
    def test_what_is_known_does_not_depend_on_the_clock(self, api: Api, clock: str) -> None:
        npc = api.character(memory=True)
        api.freeze(CONNECTED)
        api.remember(npc, "player-42", NAME_FACT)
        api.freeze(clock)
        with chat(api, connect(api, npc, "player-42")) as talk:
            assert "Jordan" in talk.say(ASK_NAME)
            api.remember(npc, "player-42", "The user's name is Jordan Kim.", "The user lives in Oslo.")
            assert talk.say(ASK_NAME) == "Your name is Jordan."
            assert "Oslo" not in talk.say("Where do I live?")

    def test_only_this_characters_memory_of_this_person_is_known(self, api: Api, other: Api) -> None:
        npc, other_npc = api.character(memory=True, listing="public"), api.character(memory=True)
        api.remember(npc, "player-42", NAME_FACT)
        for account, character, end_user_id in (
            (api, other_npc, "player-42"),
            (api, npc, "player-43"),
            (api, npc, None),
            (other, npc, "player-42"),
        ):
            with chat(account, connect(account, character, end_user_id)) as talk:
                assert "Jordan" not in talk.say(ASK_NAME)

    def test_a_character_without_memory_knows_nothing(self, api: Api) -> None:
        npc = api.character(memory=False)
        api.remember(npc, "player-42", NAME_FACT)
        with chat(api, connect(api, npc, "player-42")) as talk:
            assert "Jordan" not in talk.say(ASK_NAME)

    def test_what_is_said_is_known_for_the_rest_of_the_session(self, api: Api) -> None:
        with chat(api, connect(api, api.character())) as talk:
            talk.say(MY_NAME)
            talk.say("Nice weather.")
            assert "Jordan" in talk.say(ASK_NAME)
