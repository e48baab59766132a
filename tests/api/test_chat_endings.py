"""Section 9 of the contract: how a WebSocket `/chat` is opened and how it ends."""

from collections.abc import Iterator
from typing import Any, cast

import pytest
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.types import Message
from starlette.websockets import WebSocket, WebSocketState

from fake_convai.app import create_app
from fake_convai.live.hub import Hub
from fake_convai.live.websocket import SocketConnection
from fake_convai.settings import Settings
from fake_convai.store import sessions
from fake_convai.store.accounts import AccountTransaction
from tests.api.talking import (
    ASK_NAME,
    NAME_FACT,
    Chat,
    Frame,
    chat,
    connect,
    disconnect,
    facts,
    history,
    server_message,
    sweep,
)
from tests.conftest import Api, refused, running
from tests.control.driving import Control

UNKNOWN = (1008, "Session not found in cache or database")
EXPIRED = (1008, "Session expired. Please reconnect via /connect")
MISMATCH = (1008, "Session transport mismatch. Please reconnect via /connect")
TAKEN = (1008, "Session already has an active connection. Only one WebSocket per session allowed.")
ENDED = (1000, "Session ended")


@pytest.fixture
def session(api: Api) -> Frame:
    """A session with a character that has no memory."""
    return connect(api, api.character(), "player-42")


@pytest.fixture
def talk(api: Api, session: Frame) -> Iterator[Chat]:
    """Its WebSocket, which the server has taken up: it says so with the first answer."""
    with chat(api, session) as open_chat:
        assert open_chat.send("reset-idle-timer")["status"] == "success"
        yield open_chat


class TestAConnection:
    def test_needs_a_session(self, api: Api, session: Frame) -> None:
        for session_id in ("00000000-0000-4000-8000-000000000000", "not-a-uuid", "", "%00", "%FF", "a%20b"):
            url = session["room_url"].replace(session["session_id"], session_id)
            with chat(api, {"room_url": url}) as talk:
                assert talk.closed() == UNKNOWN
        with chat(api, {"room_url": "ws://testserver/live/chat"}) as talk:
            assert talk.closed() == UNKNOWN

    def test_needs_a_session_that_is_open(self, api: Api, session: Frame) -> None:
        disconnect(api, session)
        with chat(api, session) as talk:
            assert talk.closed() == EXPIRED

    def test_needs_a_websocket_session(self, api: Api) -> None:
        session = connect(api, api.character(), transport="livekit")
        with chat(api, {"room_url": f"ws://testserver/live/chat?session_id={session['session_id']}"}) as talk:
            assert talk.closed() == MISMATCH

    def test_is_the_only_one_of_its_session(self, api: Api, session: Frame, talk: Chat) -> None:
        for _ in range(2):
            with chat(api, session) as second:
                assert second.closed() == TAKEN
        assert talk.say("Hello.")

    def test_cannot_be_made_again(self, api: Api, session: Frame) -> None:
        with chat(api, session) as talk:
            talk.say("Hello.")
        with chat(api, session) as again:
            assert again.closed() == EXPIRED

    def test_is_closed_by_disconnect(self, api: Api, session: Frame, talk: Chat) -> None:
        disconnect(api, session)
        assert talk.closed() == ENDED

    def test_is_closed_once_when_a_message_crosses_the_end(self, api: Api, session: Frame, talk: Chat) -> None:
        disconnect(api, session)
        talk.socket.send_json({"type": "user_text_message", "data": {"text": "Are you there?"}})
        assert talk.closed() == ENDED
        talk.leave()

    def test_is_refused_when_the_session_ends_while_it_is_opened(
        self, api: Api, session: Frame, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def ended_first(tx: AccountTransaction, session_id: str, holder: str) -> bool:
            sessions.end(tx, session_id)
            return hold(tx, session_id, holder)

        hold = sessions.hold
        monkeypatch.setattr(sessions, "hold", ended_first)
        with chat(api, session) as talk:
            assert talk.closed() == EXPIRED

    def test_ends_in_the_same_words_when_a_fault_waits(
        self, api: Api, session: Frame, talk: Chat, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def too_late(_: Hub) -> None:
            """Come after the message."""

        monkeypatch.setattr(Hub, "sweep", too_late)
        monkeypatch.setattr(sessions, "touch", lambda *_: None)
        headers = api.headers("/production/")
        api.client.post("/_fake/reset", headers=headers)
        api.client.post("/_fake/faults", json={"status": 500, "match": {"path": "/beta"}}, headers=headers)
        assert talk.send("user_text_message", text="Hello?")["status"] == "success"
        assert talk.closed() == UNKNOWN

    @pytest.mark.parametrize(
        ("path", "key", "message"),
        [
            (
                f"/{surface}/chat",
                "ERROR",
                f"/chat is not on the {surface} surface: it lives on the live surface (/live/chat).",
            )
            for surface in ("production", "beta")
        ]
        + [
            (
                f"/live{path}",
                "detail",
                f"Unknown route WEBSOCKET {path}. The only WebSocket is /chat on the live surface (/live/chat).",
            )
            for path in ("/chatter", "/chat/chat", "/", "/connect")
        ],
    )
    def test_is_only_on_the_live_surface(self, api: Api, session: Frame, path: str, key: str, message: str) -> None:
        url = f"ws://testserver{path}?session_id={session['session_id']}"
        with pytest.raises(WebSocketDenialResponse) as refusal, api.client.websocket_connect(url):
            pass
        refused(cast(Any, refusal.value), 404, message, key=key)
        surface, _, rest = path[1:].partition("/")
        (entry,) = Control(api.client, api.key).requests(status=404)
        assert {name: entry[name] for name in ("method", "surface", "path", "response")} == {
            "method": "WEBSOCKET",
            "surface": surface,
            "path": "/" + rest,
            "response": {key: message},
        }
        with chat(api, session) as talk:
            assert talk.say("Hello.")

    def test_may_have_a_slash_at_the_end(self, api: Api, session: Frame) -> None:
        with chat(api, {"room_url": session["room_url"].replace("/chat?", "/chat/?")}) as talk:
            assert talk.say("Hello.")

    def test_that_leads_nowhere_is_in_the_journal_of_its_key(self, api: Api) -> None:
        with (
            pytest.raises(WebSocketDenialResponse),
            api.client.websocket_connect("/live/ws", headers={"X-API-Key": api.key}),
        ):
            pass
        assert [entry["path"] for entry in Control(api.client, api.key).requests()] == ["/ws"]

    def test_does_not_outlive_its_character(self, api: Api) -> None:
        npc = api.character(memory=True)
        session, waiting = connect(api, npc, "player-42"), connect(api, npc, "player-42")
        with chat(api, session) as talk:
            talk.say("My name is Jordan.")
            api.ok("/production/character/delete", {"charID": npc})
            sweep(api)
            assert talk.closed() == UNKNOWN
        with chat(api, waiting) as talk:
            assert talk.closed() == UNKNOWN
        assert api.end_users() == ["player-42"]

    def test_is_not_taken_for_lost_when_it_comes_while_the_database_is_asked(
        self, api: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hub = running(api.client).hub
        first, second = (connect(api, api.character()) for _ in range(2))
        with chat(api, first) as talk, chat(api, second) as late:
            assert (talk.say("Hello."), late.say("Hello.")) != ("", "")
            attached = hub._attached.pop(second["session_id"])

            def answers_before_it_came(*_: object) -> set[str]:
                hub._attached[second["session_id"]] = attached
                return {first["session_id"]}

            with monkeypatch.context() as patch:
                patch.setattr("fake_convai.store.open_sessions.held", answers_before_it_came)
                sweep(api)
            assert late.say("Are you there?") != ""

    def test_is_told_when_it_speaks_to_a_deleted_character(self, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        async def too_late(_: Hub) -> None:
            """Come after the message."""

        npc = api.character()
        with chat(api, connect(api, npc)) as talk:
            talk.say("Hello.")
            monkeypatch.setattr(Hub, "sweep", too_late)
            api.ok("/production/character/delete", {"charID": npc})
            talk.socket.send_json({"type": "user_text_message", "data": {"text": "Are you there?"}})
            assert talk.closed() == UNKNOWN

    def test_outlives_its_conversation_in_the_history(self, api: Api) -> None:
        npc = api.character(memory=True)
        session = connect(api, npc, "player-42")
        conversation = {"charID": npc, "sessionIDs": [session["character_session_id"]]}
        with chat(api, session) as talk:
            talk.say("My name is Jordan.")
            api.ok("/production/character/chatHistory/delete", conversation)
            assert history(api, npc) == []
            assert "Jordan" in talk.say(ASK_NAME)
            talk.say("I live in Oslo.")
            assert history(api, npc) == []
            again = {"character_id": npc, "character_session_id": session["character_session_id"]}
            refused(api.post("/live/connect", again), 404, session["character_session_id"], key="detail")
        assert facts(api, npc, "player-42") == [NAME_FACT, "The user lives in Oslo."]
        assert history(api, npc) == []
        api.ok("/production/character/chatHistory/delete", conversation)


def test_killing_the_pipeline_ends_the_session(api: Api, session: Frame, talk: Chat) -> None:
    answer = talk.send("kill-pipeline")
    assert answer == {
        "type": "server-response",
        "event_type": "kill-pipeline",
        "status": "success",
        "message": "Pipeline killed successfully",
        "extras": {"room_name": answer["extras"]["room_name"]},
    }
    assert answer["extras"]["room_name"]
    assert talk.closed() == ENDED
    with chat(api, session) as again:
        assert again.closed() == EXPIRED


def idle_warning(frame: Frame, seconds: int) -> Frame:
    """What a client is told this long before the end; the words are free."""
    message = frame["data"]["message"]
    assert isinstance(message, str)
    return server_message("user-idle-warning", remaining_seconds=seconds, message=message)


@pytest.mark.parametrize("end", ["disconnect", "idle timeout"])
def test_a_client_that_vanished_is_no_obstacle(api: Api, end: str) -> None:
    async def receive() -> Message:
        raise AssertionError("nobody asks")

    async def send(message: Message) -> None:
        raise OSError("the connection is gone")

    api.freeze("2026-01-01T12:00:00Z")
    session = connect(api, api.character())
    websocket = WebSocket({"type": "websocket"}, receive, send)
    websocket.application_state = WebSocketState.CONNECTED
    running(api.client).hub.attach(session["session_id"], SocketConnection(websocket))
    if end == "disconnect":
        disconnect(api, session)
    else:
        api.freeze("2026-01-01T12:10:00Z")
        sweep(api)
    with chat(api, session) as talk:
        assert talk.closed() == EXPIRED


class TestTheIdleTimeout:
    """Ten minutes by the account's clock, five of them after a warning."""

    @pytest.fixture(autouse=True)
    def frozen(self, api: Api) -> None:
        """Before the session is made."""
        api.freeze("2026-01-01T12:00:00Z")

    def test_warns_once_and_then_ends(self, api: Api, session: Frame, talk: Chat) -> None:
        talk.say("Hello.")
        for at in ("12:04:59.999999", "12:05:00", "12:05:01"):
            api.freeze(f"2026-01-01T{at}Z")
            sweep(api)
        warning = talk.receive()
        assert warning == idle_warning(warning, 300)
        api.freeze("2026-01-01T12:09:59.999999Z")
        sweep(api)
        api.freeze("2026-01-01T12:10:00Z")
        sweep(api)
        assert talk.closed() == ENDED
        with chat(api, session) as again:
            assert again.closed() == EXPIRED

    @pytest.mark.parametrize("message", ["reset-idle-timer", "stt-toggle", "hello"])
    def test_begins_anew_with_every_message(self, api: Api, talk: Chat, message: str) -> None:
        for at in ("12:05:00", "12:12:00"):
            api.freeze(f"2026-01-01T{at}Z")
            sweep(api)
            warning = talk.receive()
            assert warning == idle_warning(warning, warning["data"]["remaining_seconds"])
            assert talk.send(message)["event_type"] == message
            sweep(api)
        assert talk.say("Hello.")

    def test_holds_for_sessions_that_nobody_joined(self, api: Api) -> None:
        npc = api.character()
        for transport in ("livekit", "websocket"):
            session = connect(api, npc, transport=transport)
            api.freeze("2026-01-01T12:10:00Z")
            sweep(api)
            url = f"ws://testserver/live/chat?session_id={session['session_id']}"
            with chat(api, {"room_url": url}) as talk:
                assert talk.closed() == EXPIRED
            api.freeze("2026-01-01T12:00:00Z")

    def test_is_each_accounts_own(self, api: Api, other: Api, talk: Chat) -> None:
        other.freeze("2026-01-01T12:00:00Z")
        with chat(other, connect(other, other.character())) as elsewhere:
            api.freeze("2026-01-01T12:10:00Z")
            sweep(api)
            assert elsewhere.say("Hello.")
        warning = talk.receive()
        assert warning == idle_warning(warning, 0)
        assert talk.closed() == ENDED


def test_a_warning_comes_five_minutes_before_the_end_at_the_earliest() -> None:
    with TestClient(create_app(Settings(idle_timeout=3600))) as client:
        api = Api(client, f"key-{id(client)}")
        api.freeze("2026-01-01T12:00:00Z")
        with chat(api, connect(api, api.character())) as talk:
            for at in ("12:54:58", "12:55:00"):
                api.freeze(f"2026-01-01T{at}Z")
                sweep(api)
            warning = talk.receive()
            assert warning == idle_warning(warning, 300)


def test_the_idle_timeout_is_a_setting(database_url: str | None) -> None:
    with TestClient(create_app(Settings(database=database_url, idle_timeout=60))) as client:
        api = Api(client, f"key-{id(client)}")
        api.freeze("2026-01-01T12:00:00Z")
        with chat(api, connect(api, api.character())) as talk:
            talk.say("Hello.")
            api.freeze("2026-01-01T12:00:30Z")
            sweep(api)
            warning = talk.receive()
            assert warning == idle_warning(warning, 30)
            api.freeze("2026-01-01T12:01:00Z")
            sweep(api)
            assert talk.closed() == ENDED
