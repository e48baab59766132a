"""Section 4 of the contract: memories."""

from tests.conftest import Api


def test_a_fact_is_added_then_updated_in_place(api: Api) -> None:
    npc = api.character(memory=True)
    first = api.remember(npc, "player-42", "The user's name is Jordan.")
    second = api.remember(npc, "player-42", "The user's name is Jordan Kim.")
    assert [first[0]["event"], second[0]["event"]] == ["add", "update"]
    assert second[0] == {"id": first[0]["id"], "event": "update", "memory": "The user's name is Jordan Kim."}
    assert [m["memory"] for m in api.memories(npc, "player-42")] == ["The user's name is Jordan Kim."]
