"""Section 8 of the contract: chat history."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from fake_convai.app import create_app
from fake_convai.settings import Plan, Settings
from tests.api.talking import MY_NAME, chat, connect, converse, details, events_in, facts, history, said_in
from tests.conftest import Api, refused

LIST, DETAILS, DELETE = (f"/production/character/chatHistory/{route}" for route in ("list", "details", "delete"))
NOBODY = uuid.UUID(int=0, version=4).hex
ANY_SESSION: dict[str, object] = {"sessionID": NOBODY, "sessionIDs": [NOBODY]}


def hexadecimal(session_id: str) -> str:
    """A session id as chat history spells it."""
    return uuid.UUID(session_id).hex


def hyphenated(session_id: str) -> str:
    """A session id as the live surface spells it."""
    return str(uuid.UUID(session_id))


def sessions_of_three_days(api: Api, character_id: str) -> list[str]:
    """Talk once a day; returns the session ids, newest first."""
    session_ids: list[str] = []
    for day in (1, 2, 3):
        api.freeze(f"2026-02-0{day}T20:52:57.124733Z")
        session_ids.insert(0, hexadecimal(converse(api, character_id, None, f"Day {day}.")["character_session_id"]))
    return session_ids


class TestList:
    def test_is_of_a_character_newest_first(self, api: Api) -> None:
        npc, other_npc = api.character(memory=True), api.character()
        api.freeze("2026-12-31T23:59:59.999999Z")
        first = converse(api, npc, "player-42", MY_NAME)
        converse(api, other_npc, "player-42", "Hello.")
        api.freeze("2027-01-01T00:00:00Z")
        second = connect(api, npc)
        assert history(api, npc) == [
            {
                "sessionID": hexadecimal(second["character_session_id"]),
                "date": "01-01-2027",
                "time": "00:00:00",
                "is_added_to_memory": False,
            },
            {
                "sessionID": hexadecimal(first["character_session_id"]),
                "date": "31-12-2026",
                "time": "23:59:59",
                "is_added_to_memory": True,
            },
        ]

    def test_is_newest_first_within_a_moment(self, api: Api) -> None:
        npc = api.character()
        api.freeze("2026-02-01T12:00:00Z")
        made = [hexadecimal(connect(api, npc)["character_session_id"]) for _ in range(5)]
        assert [summary["sessionID"] for summary in history(api, npc)] == made[::-1]

    def test_is_empty_at_first(self, api: Api) -> None:
        assert history(api, api.character()) == []

    @pytest.mark.parametrize(
        ("fields", "count"),
        [
            ({}, 3),
            ({"limit": None}, 3),
            *(({"limit": limit}, 3) for limit in ("-1", -1, -1.0, "3", 3, "1000000", 4)),
            *(({"limit": limit}, 2) for limit in ("2", 2, 2.0)),
            *(({"limit": limit}, 1) for limit in ("1", 1)),
        ],
        ids=repr,
    )
    def test_takes_a_limit(self, api: Api, fields: dict[str, Any], count: int) -> None:
        npc = api.character()
        session_ids = sessions_of_three_days(api, npc)
        assert [summary["sessionID"] for summary in history(api, npc, **fields)] == session_ids[:count]

    @pytest.mark.parametrize(
        "limit", ["0", 0, "-2", -2, "", " ", "ten", "1.5", 1.5, True, [], {}, "\u0663", "1e1"], ids=repr
    )
    def test_refuses_a_limit_that_is_none(self, api: Api, limit: object) -> None:
        refused(api.post(LIST, {"charID": api.character(), "limit": limit}), 400, "limit", "-1")

    def test_is_each_accounts_own(self, api: Api, other: Api) -> None:
        npc = api.character(listing="public")
        mine = connect(api, npc)
        theirs = connect(other, npc)
        for account, session in ((api, mine), (other, theirs)):
            (summary,) = history(account, npc)
            assert summary["sessionID"] == hexadecimal(session["character_session_id"])


class TestDetails:
    def test_are_what_was_said_oldest_first(self, api: Api) -> None:
        npc = api.character()
        api.freeze("2024-09-25T19:54:59.124733Z")
        session = connect(api, npc)
        with chat(api, session) as talk:
            first = talk.say("Hi there")
            api.freeze("2024-09-25T19:55:00Z")
            talk.send("trigger-message", trigger_message="The alarm rings.")
            talk.turn()
        found = details(api, npc, session["character_session_id"])
        assert found == [
            {
                "timestamp": "2024-09-25 19:54:59.124733",
                "interaction": [
                    {"speaker": "User", "message": "Hi there"},
                    {"speaker": "Character", "message": first},
                ],
                "is_trigger_input": False,
            },
            {
                "timestamp": "2024-09-25 19:55:00.000000",
                "interaction": [
                    {"speaker": "User", "message": "The alarm rings."},
                    {"speaker": "Character", "message": found[1]["interaction"][1]["message"]},
                ],
                "is_trigger_input": True,
            },
        ]

    @pytest.mark.parametrize("spelled", [hexadecimal, hyphenated, str.upper])
    def test_take_both_spellings(self, api: Api, spelled: Callable[[str], str]) -> None:
        npc = api.character()
        session = converse(api, npc, None, "Hello.")
        assert said_in(api, npc, spelled(session["character_session_id"])) == ["Hello."]

    def test_of_an_unknown_session_are_404(self, api: Api) -> None:
        npc = api.character()
        for session_id in (NOBODY, "-1", "no UUID"):
            refused(api.post(DETAILS, {"charID": npc, "sessionID": session_id}), 404, session_id)

    def test_of_a_session_with_another_character_are_404(self, api: Api) -> None:
        session_id = connect(api, api.character())["character_session_id"]
        refused(api.post(DETAILS, {"charID": api.character(), "sessionID": session_id}), 404, session_id)

    def test_of_anothers_session_are_403(self, api: Api, other: Api) -> None:
        npc = other.character(listing="public")
        session_id = connect(other, npc)["character_session_id"]
        refused(api.post(DETAILS, {"charID": npc, "sessionID": session_id}), 403, session_id)


class TestDelete:
    @pytest.mark.parametrize("spelled", [hexadecimal, hyphenated])
    def test_removes_sessions_and_leaves_memories(self, api: Api, spelled: Callable[[str], str]) -> None:
        npc = api.character(memory=True)
        gone = [converse(api, npc, "player-42", MY_NAME)["character_session_id"] for _ in range(2)]
        kept = converse(api, npc, "player-42", "Hello.")["character_session_id"]
        body = {"charID": npc, "sessionIDs": [*map(spelled, gone), NOBODY, "no UUID"]}
        for _ in range(2):
            assert api.ok(DELETE, body) == {"status": "SUCCESSFULLY DELETED"}
            assert [summary["sessionID"] for summary in history(api, npc)] == [hexadecimal(kept)]
        refused(api.post(DETAILS, {"charID": npc, "sessionID": gone[0]}), 404, gone[0])
        refused(api.post("/live/connect", {"character_id": npc, "character_session_id": gone[0]}), 404, key="detail")
        assert len(facts(api, npc, "player-42")) == 1

    def test_leaves_other_characters_and_accounts_alone(self, api: Api, other: Api) -> None:
        npc, other_npc = api.character(listing="public"), api.character()
        for account, character in ((other, npc), (api, other_npc)):
            session_id = converse(account, character, None, "Hello.")["character_session_id"]
            assert api.ok(DELETE, {"charID": npc, "sessionIDs": [session_id]}) == {"status": "SUCCESSFULLY DELETED"}
            assert said_in(account, character, session_id) == ["Hello."]

    def test_of_none_is_no_error(self, api: Api) -> None:
        assert api.ok(DELETE, {"charID": api.character(), "sessionIDs": []}) == {"status": "SUCCESSFULLY DELETED"}

    @pytest.mark.parametrize("session_ids", [None, "x", {}, [5], [None]], ids=repr)
    def test_wants_a_list(self, api: Api, session_ids: object) -> None:
        refused(api.post(DELETE, {"charID": api.character(), "sessionIDs": session_ids}), 400, "sessionIDs")


@pytest.mark.parametrize("path", [LIST, DETAILS, DELETE])
class TestEachRoute:
    @pytest.mark.parametrize("character_id", [None, "", 5])
    def test_wants_a_character(self, api: Api, path: str, character_id: object) -> None:
        refused(api.post(path, {**ANY_SESSION, "charID": character_id}), 400, "charID")

    def test_does_not_know_every_character(self, api: Api, path: str) -> None:
        refused(api.post(path, {**ANY_SESSION, "charID": NOBODY}), 404, NOBODY)

    def test_refuses_anothers_private_character(self, api: Api, other: Api, path: str) -> None:
        npc = other.character()
        refused(api.post(path, {**ANY_SESSION, "charID": npc}), 403, npc)

    def test_refuses_a_bad_key(self, client: TestClient, path: str) -> None:
        response = client.post(path, json={}, headers={"CONVAI-API-KEY": "invalid"})
        assert (response.status_code, response.json()) == (401, {"ERROR": "Invalid API key provided."})


@pytest.mark.parametrize(
    ("plan", "status"),
    [("free", 403), ("gamer", 403), ("indie", 403), ("professional", 403), ("scale", 200), ("enterprise", 200)],
)
def test_the_plan_must_include_it(plan: Plan, status: int) -> None:
    with TestClient(create_app(Settings(plan=plan))) as client:
        api = Api(client, "key")
        npc = api.character()
        session_id = converse(api, npc, None, "Hello.")["character_session_id"]
        body = {"charID": npc, "sessionID": session_id, "sessionIDs": [session_id]}
        for path in (LIST, DETAILS, DELETE):
            response = api.post(path, body)
            assert response.status_code == status
            if status == 403:
                refused(response, 403, "plan", "enterprise")


def test_the_walk_of_the_vendors_page(api: Api) -> None:
    """List with the limit "-1", then the details of each session; every way of talking is in it."""
    npc = api.character()
    headers = {"CONVAI-API-KEY": api.key, "Content-Type": "application/json"}
    converse(api, npc, "player-42", "Over the WebSocket.")
    form = {"character_id": npc, "text_input": "Over the stream."}
    events_in(api.client.post("/live/connect/stream", data=form, headers={"X-API-Key": api.key}))
    form = {"charID": npc, "userText": "Over the form.", "sessionID": "-1", "voiceResponse": "False"}
    api.client.post("/production/character/getResponse", data=form, headers={"CONVAI-API-KEY": api.key})
    listed = api.client.post(LIST, headers=headers, content=json.dumps({"charID": npc, "limit": "-1"}))
    assert listed.status_code == 200
    said = []
    for summary in listed.json():
        payload = json.dumps({"charID": npc, "sessionID": summary["sessionID"]})
        response = api.client.post(DETAILS, headers=headers, content=payload)
        assert response.status_code == 200
        for turn in response.json():
            assert [line["speaker"] for line in turn["interaction"]] == ["User", "Character"]
            assert turn["is_trigger_input"] is False
            said.append(turn["interaction"][0]["message"])
    assert said == ["Over the form.", "Over the stream.", "Over the WebSocket."]
