"""What a replay makes up: the characters that a recording uses and does not make, as they were at first."""

from typing import Any

from fake_convai.traffic.beginning import seeds
from fake_convai.traffic.recording import Body, Exchange, Received, Sent
from fake_convai.traffic.translation import Translation


def exchange(path: str, body: Any, answer: Any = None, *, key: str = "secret-1", status: int = 200) -> Exchange:
    """One of a recording."""
    sent = Sent(method="POST", surface="beta", path=path, headers={"convai-api-key": key} if key else {})
    sent.body = Body(kind="json", value=body)
    return Exchange(
        at="2026-01-01T00:00:00Z", request=sent, response=Received(status=status, body=Body(kind="json", value=answer))
    )


def begun(*exchanges: Exchange, accounts: tuple[str, ...] = ("secret-1", "secret-2")) -> dict[str, dict[str, Any]]:
    """What is made up, by account and recorded id."""
    translation = Translation()
    documents = seeds(exchanges, accounts, translation)
    ids = {str(translation.bound(name)): name for name in ("coach", "guide", "muse")}
    return {
        account: {ids[part.pop("character_id")]: part for part in document["characters"]}
        for account, document in documents.items()
    }


OFF, ON = {"memory_settings": {"enabled": False}}, {"memory_settings": {"enabled": True}}


def test_characters_are_made_up_under_every_name_of_their_id() -> None:
    used = (exchange("/connect", {name: f"{name}-1"}) for name in ("character_id", "charID", "charId"))
    translation = Translation()
    (document,) = seeds(used, ["secret-1"], translation).values()
    made = [part["character_id"] for part in document["characters"]]
    assert made == [translation.bound(name) for name in ("character_id-1", "charID-1", "charId-1")]


def test_one_that_the_recording_makes_is_not_made_up() -> None:
    made = exchange("/character/create", {"charName": "Coach"}, {"charID": "coach"})
    assert begun(made, exchange("/connect", {"character_id": "coach"})) == {}


def test_one_that_is_copied_is_used_before_it_is_made() -> None:
    copied = exchange("/user/clone_character", {"charID": "coach"}, {"charID": "guide"})
    assert begun(copied, exchange("/connect", {"character_id": "guide"})) == {"secret-1": {"coach": OFF}}


def test_what_was_refused_says_nothing() -> None:
    assert begun(exchange("/connect", {"character_id": "coach"}, status=404)) == {}


def test_it_has_memory_when_anybody_asks_what_it_remembers() -> None:
    asked = exchange("/memory/list", {"character_id": "coach"})
    talked = exchange("/connect", {"character_id": "coach"})
    other = exchange("/connect", {"character_id": "guide"})
    for order in ((asked, talked, other), (talked, asked, other)):
        assert begun(*order) == {"secret-1": {"coach": ON, "guide": OFF}}


def test_it_looks_as_it_was_shown_first() -> None:
    def shown(name: str) -> dict[str, Any]:
        return {"character_id": "coach", "character_name": name, "memory_settings": {"enabled": True}, "more": 1}

    first = exchange("/character/get", {"charID": "coach"}, shown("Coach"))
    later = exchange("/character/get", {"charID": "coach"}, shown("Trainer"))
    assert begun(first, later) == {"secret-1": {"coach": {**ON, "character_name": "Coach"}}}


def test_one_of_a_list_counts_when_it_is_used() -> None:
    used = exchange("/connect", {"character_id": "coach"})
    listed = {"characters": [{"character_id": "coach", "character_name": "Coach"}, {"character_id": "muse"}, "odd"]}
    expected = {"secret-1": {"coach": {**OFF, "character_name": "Coach"}}}
    assert begun(used, exchange("/character/list", {}, listed)) == expected


def test_it_belongs_to_the_account_that_uses_it_first() -> None:
    used = [exchange("/connect", {"character_id": "coach"}, key=key) for key in ("secret-2", "secret-1")]
    assert begun(*used) == {"secret-2": {"coach": OFF}}


def test_one_that_is_used_with_a_token_is_the_first_accounts() -> None:
    assert begun(exchange("/connect", {"character_id": "coach"}, key="secret-9")) == {"secret-1": {"coach": OFF}}


def test_odd_answers_are_passed_over() -> None:
    used = exchange("/connect", {"character_id": "coach"}, {"characters": 5, "charID": 7})
    odd = exchange("/character/get", {"charID": ["coach"]}, {"character_id": ["coach"], "character_name": None})
    assert begun(used, odd) == {"secret-1": {"coach": OFF}}
