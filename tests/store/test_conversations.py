"""What a character has in mind of a conversation, and of a person."""

from fake_convai.store import characters, conversations, end_users, memories
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.conversations import MOST_REREAD, Turn
from fake_convai.store.memories import MOST_RECALLED, Memory
from tests.api.talking import MY_NAME, connect, facts
from tests.conftest import Api


def test_it_is_the_newest_turns_of_a_long_one_without_triggers(api: Api) -> None:
    session = connect(api, api.character(), "player-42")

    def talk(tx: AccountTransaction) -> tuple[list[str], list[str]]:
        (conversation,) = conversations.list_all(tx)
        for number in range(MOST_REREAD + 2):
            turn = Turn(tx.now, f"turn {number}", "", session_id=session["session_id"])
            conversations.add_turn(tx, conversation.seq, turn)
        conversations.add_turn(tx, conversation.seq, Turn(tx.now, "trigger", "", True, session["session_id"]))
        return conversations.said_last(tx, conversation.seq), conversations.said_in(tx, session["session_id"])

    last, all_of_it = api.write(talk)
    assert all_of_it == [f"turn {number}" for number in range(MOST_REREAD + 2)]
    assert last == all_of_it[2:]


def test_what_was_said_in_an_earlier_session_of_it_is_remembered_by_that_session(api: Api) -> None:
    npc = api.character(memory=True)
    first = connect(api, npc, "player-42")

    def say(tx: AccountTransaction) -> None:
        (conversation,) = conversations.list_all(tx)
        conversations.add_turn(tx, conversation.seq, Turn(tx.now, MY_NAME, "", session_id=first["session_id"]))

    api.write(say)
    second = connect(api, npc, "player-42", character_session_id=first["character_session_id"])
    for session, expected in ((second, []), (first, ["The user's name is Jordan."])):
        api.client.post("/live/disconnect", params={"session_id": session["session_id"]})
        assert facts(api, npc, "player-42") == expected


def test_of_a_person_it_is_a_thousand_facts_the_oldest_first(api: Api) -> None:
    api.character()

    def recalled(tx: AccountTransaction) -> list[str]:
        (character,) = characters.list_mine(tx)
        character = character._replace(memory_enabled=True)
        person = end_users.seen(tx, "player-42")
        told = [
            Memory(tx.new_id(), f"fact {number}", created_at=number % 2, updated_at=0, metadata={})
            for number in range(MOST_RECALLED + 2)
        ]
        memories.put_all(tx, [(person, character, one) for one in told])
        return memories.recall(tx, person, character)

    numbers = range(MOST_RECALLED + 2)
    in_order = [*(one for one in numbers if one % 2 == 0), *(one for one in numbers if one % 2)]
    assert api.write(recalled) == [f"fact {number}" for number in in_order[:MOST_RECALLED]]
