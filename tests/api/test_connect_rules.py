"""Section 9 of the contract: who may connect when, to which conversation and room, and the end from outside."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from livekit.api import TokenVerifier
from starlette.testclient import TestClient

from fake_convai.app import create_app
from fake_convai.settings import Settings
from tests.api.talking import ASK_NAME, MY_NAME, UUID, chat, connect, converse, disconnect, history, said_in
from tests.conftest import Api, refused

CONNECT = "/live/connect"
NOBODY = str(uuid.UUID(int=0, version=4))
NOT_FOUND = {"detail": "Character not found or doesn't belong to user"}
MISSING_END_USER_ID = {
    "detail": "Missing end_user_id. end_user_id is required when the character has Long Term Memory enabled. "
    "Provide end_user_id or disable Long Term Memory."
}
INVALID_KEY = {"detail": "Invalid API key"}
DISCONNECTED = {"status": "success", "message": "Session disconnected successfully"}

# The secret of a local LiveKit server is "secret", which a cryptography library rightly finds short.
pytestmark = pytest.mark.filterwarnings("ignore::jwt.InsecureKeyLengthWarning")


@pytest.fixture
def strict_api(database_url: str | None) -> Iterator[Api]:
    """An account of an app that allows one session at a time, and no anonymous ones with memory."""
    settings = Settings(database=database_url, max_sessions=1, anonymous_sessions="reject")
    with TestClient(create_app(settings)) as client:
        yield Api(client, f"key-{uuid.uuid4()}")


class TestTheCharacter:
    def test_must_exist(self, api: Api) -> None:
        response = api.post(CONNECT, {"character_id": NOBODY})
        assert (response.status_code, response.json()) == (404, NOT_FOUND)

    def test_must_not_be_anothers_private_one(self, api: Api, other: Api) -> None:
        response = api.post(CONNECT, {"character_id": other.character(), "end_user_id": "player-42"})
        assert (response.status_code, response.json()) == (404, NOT_FOUND)
        assert api.end_users() == []

    def test_may_be_anothers_public_one(self, api: Api, other: Api) -> None:
        npc = other.character(listing="public", memory=True)
        session = converse(api, npc, "player-42", MY_NAME)
        assert len(api.memories(npc, "player-42")) == 1
        assert said_in(api, npc, session["character_session_id"]) == [MY_NAME]
        assert (history(other, npc), other.end_users()) == ([], [])


class TestTheOrderOfChecks:
    """Each request is wrong in the way that is named and in every later one."""

    def test_first_the_key(self, strict_api: Api) -> None:
        response = strict_api.client.post(CONNECT, json={"transport": "sse"}, headers={"X-API-Key": "invalid"})
        assert (response.status_code, response.json()) == (401, INVALID_KEY)

    def test_then_the_body(self, strict_api: Api) -> None:
        response = strict_api.post(CONNECT, {"character_id": NOBODY, "transport": "sse"})
        assert response.status_code == 422

    def test_then_the_character(self, strict_api: Api) -> None:
        response = strict_api.post(CONNECT, {"character_id": NOBODY, "character_session_id": NOBODY})
        assert (response.status_code, response.json()) == (404, NOT_FOUND)

    def test_then_the_memory_rule(self, strict_api: Api) -> None:
        npc = strict_api.character(memory=True)
        connect(strict_api, npc, "player-42")
        response = strict_api.post(CONNECT, {"character_id": npc, "character_session_id": NOBODY})
        assert (response.status_code, response.json()) == (400, MISSING_END_USER_ID)

    def test_then_the_conversation(self, strict_api: Api) -> None:
        npc = strict_api.character()
        connect(strict_api, npc)
        response = strict_api.post(CONNECT, {"character_id": npc, "character_session_id": NOBODY})
        refused(response, 404, NOBODY, key="detail")

    def test_then_the_number_of_sessions(self, strict_api: Api) -> None:
        npc = strict_api.character()
        session = connect(strict_api, npc, "player-42")
        response = strict_api.post(CONNECT, {"character_id": npc, "end_user_id": "player-43"})
        refused(response, 429, key="detail")
        assert int(response.headers["retry-after"]) >= 1
        assert (strict_api.end_users(), len(history(strict_api, npc))) == (["player-42"], 1)
        disconnect(strict_api, session)
        connect(strict_api, npc, "player-43")

    def test_the_number_of_sessions_is_each_accounts_own(self, strict_api: Api) -> None:
        other = Api(strict_api.client, f"key-{uuid.uuid4()}")
        connect(strict_api, strict_api.character())
        connect(other, other.character())


class TestTheMemoryRule:
    @pytest.mark.parametrize("end_user_id", [None, "", " \t"], ids=["null", "empty", "blank"])
    def test_may_ask_for_an_end_user(self, strict_api: Api, end_user_id: str | None) -> None:
        npc = strict_api.character(memory=True)
        response = strict_api.post(CONNECT, {"character_id": npc, "end_user_id": end_user_id})
        assert (response.status_code, response.json()) == (400, MISSING_END_USER_ID)
        assert history(strict_api, npc) == []

    def test_is_only_for_characters_with_memory(self, strict_api: Api) -> None:
        assert connect(strict_api, strict_api.character())["end_user_id"] is None

    def test_is_kept_by_an_end_user(self, strict_api: Api) -> None:
        assert connect(strict_api, strict_api.character(memory=True), "player-42")["end_user_id"] == "player-42"


def hexadecimal(session_id: str) -> str:
    """The other spelling of a session id."""
    return uuid.UUID(session_id).hex


class TestAnEarlierConversation:
    @pytest.mark.parametrize("spelled", [str, hexadecimal, str.upper])
    def test_goes_on(self, api: Api, spelled: Callable[[str], str]) -> None:
        npc = api.character()
        first = converse(api, npc, None, MY_NAME)
        second = connect(api, npc, None, character_session_id=spelled(first["character_session_id"]))
        assert second["character_session_id"] == first["character_session_id"]
        assert second["session_id"] != first["session_id"]
        with chat(api, second) as talk:
            assert "Jordan" in talk.say(ASK_NAME)
        assert said_in(api, npc, first["character_session_id"]) == [MY_NAME, ASK_NAME]
        assert len(history(api, npc)) == 1

    @pytest.mark.parametrize("nothing", [None, "", "  "], ids=["null", "empty", "blank"])
    def test_need_not_be(self, api: Api, nothing: str | None) -> None:
        npc = api.character()
        sessions = [connect(api, npc, None, character_session_id=nothing) for _ in range(2)]
        assert len({session["character_session_id"] for session in sessions}) == 2

    @pytest.mark.parametrize(
        "session_id", [NOBODY, "-1", "not a UUID", "x" * 5000], ids=["unknown", "-1", "no UUID", "5000 characters"]
    )
    def test_must_exist(self, api: Api, session_id: str) -> None:
        body = {"character_id": api.character(), "end_user_id": "player-42", "character_session_id": session_id}
        refused(api.post(CONNECT, body), 404, session_id, key="detail")
        assert api.end_users() == []

    def test_must_be_with_the_same_character(self, api: Api) -> None:
        npc, other_npc = api.character(), api.character()
        session_id = connect(api, npc)["character_session_id"]
        body = {"character_id": other_npc, "character_session_id": session_id}
        refused(api.post(CONNECT, body), 404, session_id, key="detail")

    def test_must_not_be_anothers(self, api: Api, other: Api) -> None:
        npc = other.character(listing="public")
        session_id = connect(other, npc)["character_session_id"]
        body = {"character_id": npc, "character_session_id": session_id}
        refused(api.post(CONNECT, body), 403, session_id, key="detail")


def share(api: Api, character_id: str | None, mode: str | None = None, **fields: Any) -> dict[str, Any]:
    """Take part in the room with the key `room-1`, or in the one that `fields` name."""
    called = {} if "room_name" in fields else {"shared_session_key": "room-1"}
    body = {"character_id": character_id, "mode": mode, "end_user_id": "player-1", **called, **fields}
    session: dict[str, Any] = api.ok(CONNECT, body)
    return session


JOIN = {"mode": "join", "shared_session_key": "room-1", "end_user_id": "player-2"}
MISSING_END_USER_ID_OF_ROOM = {"detail": "Missing end_user_id. end_user_id is required to share a room or to join one."}


class TestASharedRoom:
    @pytest.mark.parametrize("called", [{}, {"room_name": "lobby"}], ids=["by key", "by name"])
    @pytest.mark.parametrize("named", [True, False], ids=["with the character", "without a character"])
    def test_is_the_same_for_all_participants(self, api: Api, called: dict[str, str], named: bool) -> None:
        npc = api.character(memory=True)
        sessions = [share(api, npc, max_num_participants=3, **called)]
        sessions += [
            share(api, npc if named else None, "join", end_user_id=f"player-{number}", **called) for number in (2, 3)
        ]
        rooms = {session["room_name"] for session in sessions}
        assert len(rooms) == 1
        claims = [TokenVerifier("devkey", "secret").verify(session["token"]) for session in sessions]
        assert len({claim.video.room for claim in claims if claim.video is not None}) == 1
        assert len({claim.identity for claim in claims}) == len({session["session_id"] for session in sessions}) == 3
        assert len(history(api, npc)) == 3

    def test_can_be_given_a_name(self, api: Api, other: Api) -> None:
        """Two accounts that choose the same one are not in one room."""
        sessions = [share(one, one.character(), room_name="lobby") for one in (api, other)]
        assert [session["room_name"] for session in sessions] == ["lobby", "lobby"]
        claims = [TokenVerifier("devkey", "secret").verify(session["token"]) for session in sessions]
        assert len({claim.video.room for claim in claims if claim.video is not None}) == 2

    def test_is_full_at_some_point(self, api: Api) -> None:
        npc = api.character()
        share(api, npc, max_num_participants=2)
        joined = share(api, npc, "join")
        body = {**JOIN, "character_id": npc, "max_num_participants": 9}
        refused(api.post(CONNECT, body), 409, "room-1", "2", key="detail")
        disconnect(api, joined)
        share(api, npc, "join")

    def test_holds_one_unless_told_otherwise(self, api: Api) -> None:
        npc = api.character()
        share(api, npc)
        refused(api.post(CONNECT, {**JOIN, "character_id": npc}), 409, "room-1", key="detail")
        assert api.end_users() == ["player-1"]

    def test_is_made_once(self, api: Api) -> None:
        npc = api.character()
        first = share(api, npc, max_num_participants=9)
        refused(api.post(CONNECT, {**JOIN, "character_id": npc, "mode": "create"}), 409, "room-1", key="detail")
        disconnect(api, first)
        assert share(api, npc)["room_name"] != first["room_name"]

    @pytest.mark.parametrize("locator", ["room_session_id", "shared_session_key", "room_name"])
    def test_must_be_there_to_be_joined(self, api: Api, locator: str) -> None:
        body = {"end_user_id": "player-2", "mode": "join", locator: "room-2"}
        refused(api.post(CONNECT, body), 404, "room-2", key="detail")
        assert api.end_users() == []

    def test_is_with_one_character(self, api: Api) -> None:
        share(api, api.character(), max_num_participants=9)
        refused(api.post(CONNECT, {**JOIN, "character_id": api.character()}), 409, "room-1", key="detail")

    def test_is_each_accounts_own(self, api: Api, other: Api) -> None:
        npc = api.character(listing="public")
        share(api, npc, max_num_participants=9)
        refused(other.post(CONNECT, {**JOIN, "character_id": npc}), 404, "room-1", key="detail")
        share(other, npc)

    @pytest.mark.parametrize("fields", [{}, {"mode": "join"}], ids=["made", "joined"])
    def test_is_for_known_people(self, api: Api, fields: dict[str, str]) -> None:
        body = {"character_id": api.character(), "shared_session_key": "room-1", **fields}
        response = api.post(CONNECT, body)
        assert (response.status_code, response.json()) == (400, MISSING_END_USER_ID_OF_ROOM)

    @pytest.mark.parametrize(
        "locators",
        [{}, {"room_name": "a", "shared_session_key": "b"}, {"room_name": "a", "room_session_id": "b"}],
        ids=["none", "two", "two others"],
    )
    def test_is_joined_by_exactly_one_locator(self, api: Api, locators: dict[str, str]) -> None:
        response = api.post(CONNECT, {"mode": "join", "end_user_id": "player-2", **locators})
        message = "Joining needs exactly one of room_session_id, shared_session_key, room_name"
        detail = {"type": "value_error", "loc": ["body", "mode"], "msg": message, "input": "join"}
        assert (response.status_code, response.json()) == (422, {"detail": [detail]})

    @pytest.mark.parametrize("key", ["k", "k" * 128, "a-Z_09"], ids=["short", "128 characters", "every kind"])
    def test_may_be_called(self, api: Api, key: str) -> None:
        assert UUID.fullmatch(share(api, api.character(), shared_session_key=key)["session_id"])


class TestTheIdOfASession:
    @pytest.mark.parametrize("path", ["/live/connect", "/connect", "/live/connect/stream"])
    def test_stands_in_for_a_token_while_it_lasts(self, api: Api, path: str) -> None:
        npc = api.character()
        session = connect(api, npc)
        sent: dict[str, Any] = {"json": {"character_id": npc}}
        if path.endswith("stream"):
            sent = {"data": {"character_id": npc, "text_input": "Hi"}}
        headers = {"API-AUTH-TOKEN": session["session_id"]}
        assert api.client.post(path, headers=headers, **sent).status_code == 200
        assert len(history(api, npc)) == 2
        disconnect(api, session)
        response = api.client.post(path, headers=headers, **sent)
        assert (response.status_code, response.json()) == (401, INVALID_KEY)

    def test_is_no_token_elsewhere(self, api: Api) -> None:
        headers = {"API-AUTH-TOKEN": connect(api, api.character())["session_id"]}
        for path in ("/beta/user/end-users/list", "/production/user/speaker/list"):
            refused(api.client.post(path, headers=headers), 401, "Invalid API key provided.")

    def test_is_no_key(self, api: Api) -> None:
        npc = api.character()
        session = connect(api, npc)
        response = api.client.post(CONNECT, json={"character_id": npc}, headers={"X-API-Key": session["session_id"]})
        assert (response.status_code, response.json()) == (404, NOT_FOUND)

    def test_yields_to_a_key(self, api: Api, other: Api) -> None:
        npc = api.character()
        headers = {"API-AUTH-TOKEN": connect(api, npc)["session_id"], "X-API-Key": other.key}
        response = api.client.post(CONNECT, json={"character_id": npc}, headers=headers)
        assert (response.status_code, response.json()) == (404, NOT_FOUND)


class TestDisconnect:
    @pytest.mark.parametrize("transport", ["livekit", "websocket"])
    def test_ends_a_session_once_and_for_all(self, api: Api, transport: str) -> None:
        session = connect(api, api.character(), transport=transport)
        disconnect(api, session)
        disconnect(api, session)

    @pytest.mark.parametrize(
        "headers",
        [{}, {"X-API-Key": "invalid"}, {"X-API-Key": "somebody else"}],
        ids=["none", "a bad one", "anothers"],
    )
    def test_needs_no_key(self, api: Api, headers: dict[str, str]) -> None:
        session = connect(api, api.character())
        params = {"session_id": session["session_id"]}
        response = api.client.post("/live/disconnect", params=params, headers=headers)
        assert (response.status_code, response.json()) == (200, DISCONNECTED)
        with chat(api, session) as talk:
            assert talk.closed() == (1008, "Session expired. Please reconnect via /connect")

    @pytest.mark.parametrize("spelled", [hexadecimal, str.upper])
    def test_takes_both_spellings(self, api: Api, spelled: Callable[[str], str]) -> None:
        session = connect(api, api.character())
        response = api.client.post("/live/disconnect", params={"session_id": spelled(session["session_id"])})
        assert (response.status_code, response.json()) == (200, DISCONNECTED)
        with chat(api, session) as talk:
            assert talk.closed()[0] == 1008

    def test_of_an_unknown_session_is_no_error(self, client: TestClient) -> None:
        response = client.post("/live/disconnect", params={"session_id": NOBODY})
        assert (response.status_code, response.json()) == (200, DISCONNECTED)

    @pytest.mark.parametrize("query", ["", "?session_id=", "?session_id=5", f"?session_id={NOBODY}0", "?id=" + NOBODY])
    def test_wants_a_uuid(self, client: TestClient, query: str) -> None:
        response = client.post(f"/live/disconnect{query}")
        assert (response.status_code, response.json()) == (400, {"detail": "Invalid session ID format"})
