"""The frames of live sessions, and waiting for them and for requests."""

import json
import threading
from typing import Any

import pytest

from tests.api.talking import Frame, chat, connect, disconnect, events_in
from tests.conftest import Api, refused
from tests.control.conftest import Run
from tests.control.driving import NOON, Control, account


@pytest.fixture
def control(api: Api) -> Control:
    """The control plane of an account whose clock stands still."""
    control = Control(api.client, api.key)
    control.freeze()
    return control


def read(control: Control, **query: Any) -> Frame:
    """What `GET /_fake/messages` answers."""
    headers = {} if control.key is None else {"CONVAI-API-KEY": control.key}
    response = control.client.get("/_fake/messages", params=query, headers=headers)
    assert response.status_code == 200, response.text
    found: Frame = response.json()
    return found


def test_every_frame_is_there_in_order(api: Api, control: Control) -> None:
    npc = api.character()
    session = connect(api, npc)
    with chat(api, session) as talk:
        sent = {"type": "user_text_message", "data": {"text": "Hello.", "token": "abcdefgh"}}
        talk.socket.send_json(sent)
        frames = [talk.receive()]
        frames += talk.turn()
        talk.socket.send_text("{")
        frames.append(talk.receive())
    found = read(control)
    assert found["dropped"] == 0
    ids = {"session_id": session["session_id"], "character_session_id": session["character_session_id"]}
    ids |= {"character_id": npc, "end_user_id": None}
    shown = {**sent, "data": {"text": "Hello.", "token": "...efgh"}}
    bad = found["messages"][-2]
    assert bad == {"at": NOON, **ids, "direction": "in", "type": None, "message": "{"}
    assert found["messages"][0] == {
        "at": NOON,
        **ids,
        "direction": "in",
        "type": "user_text_message",
        "message": shown,
    }
    out = [entry for entry in found["messages"] if entry["direction"] == "out"]
    assert [entry["message"] for entry in out] == frames
    assert [entry["type"] for entry in out][:4] == [
        "server-response",
        "interaction-created",
        "final-user-transcription",
        "bot-llm-started",
    ]


def test_they_are_filtered_and_forgotten(api: Api, control: Control) -> None:
    npc = api.character()
    first, second = connect(api, npc), connect(api, npc)
    for session in (first, second):
        with chat(api, session) as talk:
            talk.say("Hello.")
    completed = read(control, session_id=first["session_id"], type="bot-turn-completed", direction="out")
    assert [entry["session_id"] for entry in completed["messages"]] == [first["session_id"]]
    assert len(read(control, direction="in")["messages"]) == 2
    assert control.ok("DELETE", "/messages") == {"messages": [], "dropped": 0}
    assert read(control)["messages"] == []


def test_those_of_one_conversation(api: Api, control: Control) -> None:
    npc = api.character()
    first = connect(api, npc, "player-42")
    again = connect(api, npc, "player-42", character_session_id=first["character_session_id"])
    for session in (first, connect(api, npc), again):
        with chat(api, session) as talk:
            talk.say("Hello.")
    found = read(control, character_session_id=first["character_session_id"], direction="in")["messages"]
    assert [entry["session_id"] for entry in found] == [first["session_id"], again["session_id"]]
    assert read(control, character_session_id="none")["messages"] == []


class TestSize:
    def test_the_oldest_go_when_there_are_too_many(self, run: Run) -> None:
        with run(journal_size=3) as client:
            Control(client).ok("POST", "/reset")
            (api, control), (other, theirs) = account(client), account(client)
            for one in (api, other):
                with chat(one, connect(one, one.character())) as talk:
                    talk.say("Hello.")
                    everything = read(Control(client, one.key))
            assert [entry["type"] for entry in everything["messages"]][-1] == "bot-turn-completed"
            assert (len(everything["messages"]), everything["dropped"] > 5) == (3, True)
            assert read(control)["dropped"] == everything["dropped"]
            assert read(Control(client))["dropped"] == 2 * everything["dropped"]
            assert control.ok("DELETE", "/messages") == {"messages": [], "dropped": 0}
            assert (read(control)["dropped"], read(theirs)["dropped"]) == (0, everything["dropped"])
            assert Control(client).ok("DELETE", "/messages") == {"messages": [], "dropped": 0}
            assert read(Control(client)) == {"messages": [], "dropped": 0}

    @pytest.mark.parametrize("at_once", [False, True], ids=["written one by one", "written together"])
    def test_they_are_bounded_in_bytes(self, run: Run, at_once: bool) -> None:
        with run(journal_bytes=40_000) as client:
            api, control = account(client)
            with chat(api, connect(api, api.character())) as talk:
                for number in range(5):
                    talk.say(f"{number} " + (12_000 * "x" if number % 2 else 6_000 * "\u00e9"))
                    if not at_once:
                        read(control)
            found = read(control)
            assert sum(len(json.dumps(entry, ensure_ascii=False).encode()) for entry in found["messages"]) < 41_000
            assert found["dropped"] > 20
            assert found["messages"][-1]["message"]["data"]["type"] == "bot-turn-completed"


def test_a_stream_has_them_too(api: Api, control: Control) -> None:
    form = {"character_id": api.character(), "text_input": "Hello."}
    events = events_in(api.client.post("/live/connect/stream", data=form, headers=api.headers("/live/")))
    assert [entry["message"] for entry in read(control)["messages"]] == events


def test_large_ones_are_not_kept(api: Api, control: Control) -> None:
    with chat(api, connect(api, api.character())) as talk:
        talk.say("x" * 20_000)
    (entry,) = read(control, type="user_text_message")["messages"]
    assert entry["message"] == "(20047 bytes, not kept)"


def test_they_are_each_accounts_own_and_go_with_a_reset(api: Api, other: Api, control: Control) -> None:
    with chat(api, connect(api, api.character())) as talk:
        talk.say("Hello.")
    assert read(Control(other.client, other.key))["messages"] == []
    control.ok("POST", "/reset")
    assert read(control)["messages"] == []


@pytest.mark.parametrize(
    "query", ["kind=x", "direction=up", "type=%00", "wait=x", "wait=-1", "wait=301", "count=0", "count=1.5", "wait=nan"]
)
@pytest.mark.parametrize("route", ["/messages", "/requests"])
def test_a_bad_filter_is_refused(control: Control, route: str, query: str) -> None:
    refused(control.send("GET", f"{route}?{query}"), 400)


class TestWaiting:
    def test_ends_as_soon_as_it_is_enough(self, api: Api, control: Control) -> None:
        session = connect(api, api.character())
        found: list[Frame] = []
        reader = threading.Thread(
            target=lambda: found.append(read(control, type="bot-turn-completed", wait=20, count=2))
        )
        reader.start()
        with chat(api, session) as talk:
            talk.say("Hello.")
            talk.say("Hello.")
        reader.join(10)
        assert not reader.is_alive()
        assert (found[0]["complete"], len(found[0]["messages"])) == (True, 2)

    def test_for_requests(self, api: Api, control: Control) -> None:
        api.ok("/production/character/list")
        found = control.ok("GET", "/requests?path=/character/list&wait=5")
        assert (found["complete"], len(found["requests"])) == (True, 1)

    def test_in_vain_says_what_came_nearest(self, api: Api, control: Control) -> None:
        api.ok("/production/character/list")
        disconnect(api, connect(api, api.character()))
        found = control.ok("GET", "/requests?path=/character/list&status=500&count=1&wait=0.01")
        assert (found["complete"], found["requests"]) == (False, [])
        nearest = found["nearest"][0]
        assert (nearest["path"], nearest["differed"]) == ("/character/list", ["status is 200, not 500"])
        assert len(found["nearest"]) == 3
        with chat(api, connect(api, api.character())) as talk:
            talk.say("Hello.")
        found = read(control, type="bot-llm-texts", wait=0, count=1)
        assert (found["complete"], found["messages"]) == (False, [])
        assert found["nearest"][0]["differed"] == ["type is bot-llm-text, not bot-llm-texts"]
