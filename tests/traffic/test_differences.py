"""What counts as a difference, and what does not."""

from typing import Any

import pytest

from fake_convai.traffic.differences import Difference, compare, compare_messages
from fake_convai.traffic.recording import Body, Received
from fake_convai.traffic.translation import Translation

ONE, TWO, THREE = (f"{digit * 8}-{digit * 4}-4{digit * 3}-8{digit * 3}-{digit * 12}" for digit in "123")


def answer(value: Any, status: int = 200, **headers: str) -> Received:
    """An answer with a JSON body."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Received(
        status=status, headers={"content-type": "application/json", **named}, body=Body(kind="json", value=value)
    )


def differences(recorded: Any, fake: Any) -> list[tuple[str, str]]:
    """Kind and place of the differences between two bodies."""
    return [(one.kind, one.place) for one in compare(answer(recorded), answer(fake), Translation())]


ALIKE = [
    ({"id": ONE}, {"id": TWO}),
    ({"id": f"req_{ONE.replace('-', '')}"}, {"id": f"req_{TWO.replace('-', '')}"}),
    ({"at": "2026-01-01T00:00:00.000000Z"}, {"at": "2027-02-03T04:05:06.789000Z"}),
    ({"date": "31-01-2026", "time": "09:30:00"}, {"date": "01-02-2027", "time": "10:00:00"}),
    ({"text": "Good evening, traveller."}, {"text": "This is Coach."}),
    ({"room_url": "wss://a.example/x", "room_name": "a"}, {"room_url": "ws://localhost:7880", "room_name": "b"}),
    ({"token": "secret-1"}, {"token": "abc"}),
    ({"next_cursor": "abc"}, {"next_cursor": "def"}),
    ({"ERROR": "end_user_id is required."}, {"ERROR": "Missing required parameter 'end_user_id': send a string."}),
    ({"ERROR": "Character not found"}, {"ERROR": "Unknown character 'x': create it first."}),
    ({"detail": [{"type": "missing", "msg": "Field required"}]}, {"detail": [{"type": "missing", "msg": "Send it"}]}),
    ([{"speaker": "Character", "message": "Hello."}], [{"speaker": "Character", "message": "Hi."}]),
    ({"number": 1}, {"number": 1.0}),
]


@pytest.mark.parametrize(("recorded", "fake"), ALIKE)
def test_no_difference(recorded: Any, fake: Any) -> None:
    assert differences(recorded, fake) == []


DIFFERENT = [
    ({"a": 1}, {}, ("shape", "a")),
    ({}, {"a": 1}, ("shape", "a")),
    ({"a": {"b": [{"c": None}]}}, {"a": {"b": [{"c": ""}]}}, ("shape", "a.b[0].c")),
    ({"a": True}, {"a": 1}, ("shape", "a")),
    ([], {}, ("shape", "body")),
    ({"at": "2026-01-01T00:00:00Z"}, {"at": "2026-01-01T00:00:00.000000Z"}, ("shape", "at")),
    ({"id": ONE}, {"id": TWO.replace("-", "")}, ("shape", "id")),
    ({"a": False}, {"a": True}, ("meaning", "a")),
    ({"message": "Done."}, {"message": "Ready."}, ("meaning", "message")),
    ({"text": "Hello."}, {"text": " "}, ("meaning", "text")),
    ({"token": "secret-1"}, {"token": ""}, ("meaning", "token")),
    ({"ERROR": "Character not found"}, {"ERROR": "Rate limit exceeded"}, ("meaning", "ERROR")),
    ([{"speaker": "User", "message": "Hello."}], [{"speaker": "User", "message": "Hi."}], ("meaning", "[0].message")),
    ([1, 2], [2, 1], ("meaning", "order of items")),
    ([1, 2], [1], ("meaning", "number of items")),
    ({"a": [ONE, ONE]}, {"a": [TWO, THREE]}, ("meaning", "a[1]")),
    ({"a": [ONE, TWO]}, {"a": [THREE, THREE]}, ("meaning", "a[1]")),
]


@pytest.mark.parametrize(("recorded", "fake", "expected"), DIFFERENT)
def test_one_difference(recorded: Any, fake: Any, expected: tuple[str, str]) -> None:
    assert differences(recorded, fake) == [expected]


def test_another_status_is_the_only_difference() -> None:
    assert compare(answer({"a": 1}), answer({"ERROR": "No."}, 404), Translation()) == [
        Difference("status", "status", '200 {"a": 1}', '404 {"ERROR": "No."}')
    ]


def test_headers_that_matter() -> None:
    recorded = answer({}, 429, retry_after="5", content_type="application/json; charset=utf-8", x_served_by="a")
    assert compare(recorded, answer({}, 429, retry_after="1"), Translation()) == []
    found = compare(recorded, answer({}, 429, content_type="text/html"), Translation())
    assert found == [
        Difference("shape", "header content-type", "application/json", "text/html"),
        Difference("shape", "header retry-after", "5", None),
    ]


def test_another_kind_of_body() -> None:
    page = Received(status=200, headers={"content-type": "application/json"}, body=Body(kind="text", value="<html>"))
    assert compare(answer({}), page, Translation()) == [Difference("shape", "body", "json {}", 'text "<html>"')]


def test_an_id_that_the_client_chose_stays_the_same() -> None:
    translation = Translation()
    translation.note_sent({"end_user_id": ONE})
    (found,) = compare(answer({"end_user_id": ONE}), answer({"end_user_id": TWO}), translation)
    assert compare(answer({"end_user_id": ONE}), answer({"end_user_id": ONE}), translation) == []
    assert (found.kind, found.recorded, found.fake) == ("meaning", f"{ONE} (as the client sent it)", TWO)


def test_an_id_is_known_again_later() -> None:
    translation = Translation()
    assert compare(answer({"id": ONE}), answer({"id": TWO}), translation) == []
    assert translation.to_fake({"memory_id": ONE, "url": f"/chat?session_id={ONE}", "n": [1, None]}) == {
        "memory_id": TWO,
        "url": f"/chat?session_id={TWO}",
        "n": [1, None],
    }
    assert translation.to_fake(ONE.replace("-", "")) == TWO.replace("-", "")
    assert translation.to_fake(THREE) == THREE
    (found,) = compare(answer({"id": ONE}), answer({"id": THREE}), translation)
    assert (found.recorded, found.fake) == (f"{ONE} (the fake said {TWO} before)", f"{THREE} (new)")
    (found,) = compare(answer({"id": THREE}), answer({"id": TWO}), translation)
    assert (found.recorded, found.fake) == (f"{THREE} (new)", f"{TWO} (the recording has {ONE} for it)")


def test_of_lists_of_another_length_the_same_items_are_compared() -> None:
    recorded = [{"id": ONE, "memory": "Tea."}, {"id": TWO, "memory": "Coffee."}]
    assert differences(recorded, [{"id": THREE, "memory": "Coffee.", "extra": 1}]) == [("meaning", "number of items")]
    translation = Translation()
    compare(answer(recorded), answer([{"id": THREE, "memory": "Coffee."}]), translation)
    assert translation.to_fake([ONE, TWO]) == [ONE, THREE]


def event(kind: str, **members: Any) -> dict[str, Any]:
    """An event of a stream."""
    return {"type": kind, **members}


def test_pieces_of_an_answer_are_one_event_and_the_order_counts() -> None:
    pieces = [event("bot-llm-text", data={"text": text}) for text in ("Good ", "evening.")]
    turn = [event("bot-llm-started"), *pieces, event("bot-llm-stopped")]
    assert compare_messages(turn, [turn[0], pieces[0], turn[-1]], Translation()) == []
    assert compare_messages(turn, [turn[0], turn[-1], pieces[0]], Translation()) == [
        Difference(
            "meaning",
            "order of messages from [1]",
            "bot-llm-text, bot-llm-stopped",
            "bot-llm-stopped, bot-llm-text",
        )
    ]
    assert compare_messages(turn, turn[:1], Translation()) == [
        Difference("meaning", "order of messages from [1]", "bot-llm-text, bot-llm-stopped", "nothing more")
    ]


def test_events_are_told_apart_by_what_is_inside() -> None:
    first = event("server-message", data={"type": "bot-started-speaking"})
    second = event("server-message", data={"type": "bot-turn-completed", "was_interrupted": False})
    interrupted = event("server-message", data={"type": "bot-turn-completed", "was_interrupted": True})
    found = compare_messages([first, second], [first, interrupted], Translation())
    assert found == [Difference("meaning", "messages[1].data.was_interrupted", False, True)]
    (found_one,) = compare_messages([first], [second], Translation())
    assert (found_one.recorded, found_one.fake) == (
        "server-message bot-started-speaking",
        "server-message bot-turn-completed",
    )
