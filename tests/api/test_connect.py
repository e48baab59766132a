"""Section 9 of the contract: how sessions are opened and ended from outside; section 3: who connects."""

import re
import uuid
from typing import Any

import pytest
from livekit.api import TokenVerifier
from starlette.testclient import TestClient

from fake_convai.app import create_app
from fake_convai.settings import Settings
from tests.api.talking import ASK_NAME, MY_NAME, UUID, chat, connect, converse, end_user, history
from tests.conftest import Api, on_sqlite, refused

CONNECT = "/live/connect"
NOBODY = str(uuid.UUID(int=0, version=4))

BAD_VALUES: dict[str, list[Any]] = {
    "character_id": ["", " \t", 5, [], {}],
    "transport": ["sse", "", "LIVEKIT", 5],
    "connection_type": ["smell", 1, []],
    "mode": ["leave", True],
    "room_name": ["", "r" * 129, "convai-0123abcd", 5],
    "room_session_id": [5],
    "capabilities": [2, []],
    "shared_session_key": ["", "k" * 129, "a b", "key\n", "caf\u00e9", 5],
    "end_user_metadata": ["Jordan", 5, ["name"], {"name": 5}, {"name": {}}, {"name": ["Jordan"]}, {"name": False}],
    "end_user_id": [42, "x" * 513],
    "character_session_id": [5],
    "speaker_id": [{}],
    "max_num_participants": ["2", True],
}

ALONE = {
    "room_session_id": None,
    "active_membership_id": None,
    "route_epoch": None,
    "roster_epoch": None,
    "partial_dispatch": False,
    "characters": None,
}

# The secret of a local LiveKit server is "secret", which a cryptography library rightly finds short.
pytestmark = pytest.mark.filterwarnings("ignore::jwt.InsecureKeyLengthWarning")


class TestTheAnswer:
    def test_of_livekit_has_everything_to_join_a_room(self, api: Api) -> None:
        metadata = {"name": "Jordan", "level": 3}
        body = {"character_id": api.character(), "end_user_id": "player-42", "end_user_metadata": metadata}
        answer = api.ok(CONNECT, body)
        assert answer == {
            "session_id": answer["session_id"],
            "request_trace_id": answer["request_trace_id"],
            "character_session_id": answer["character_session_id"],
            "room_url": "ws://localhost:7880",
            "room_name": answer["room_name"],
            "token": answer["token"],
            "end_user_id": "player-42",
            "end_user_metadata": metadata,
            "transport": "livekit",
            **ALONE,
        }
        assert UUID.fullmatch(answer["session_id"])
        assert UUID.fullmatch(answer["character_session_id"])
        assert answer["session_id"] != answer["character_session_id"]
        assert re.fullmatch("req_[0-9a-f]{32}", answer["request_trace_id"])
        assert re.fullmatch("convai-[0-9a-f]{8}", answer["room_name"])

    def test_of_livekit_has_a_token_that_livekit_accepts(self, api: Api) -> None:
        body = {"character_id": api.character(), "end_user_id": "player-42", "end_user_metadata": {"name": "Jordan"}}
        answer = api.ok(CONNECT, body)
        claims = TokenVerifier("devkey", "secret").verify(answer["token"])
        assert claims.video is not None
        assert (claims.video.room, claims.video.room_join) == (answer["room_name"], True)
        assert (claims.video.can_publish, claims.video.can_subscribe) == (True, True)
        assert claims.video.can_publish_data is True
        assert claims.video.room_admin is None
        assert "player-42" in claims.identity
        assert claims.name == "Jordan"
        again = TokenVerifier("devkey", "secret").verify(api.ok(CONNECT, body)["token"])
        assert again.identity != claims.identity, "LiveKit throws out whoever has the same identity"

    def test_of_livekit_is_for_the_configured_server(self) -> None:
        secret = "a secret of at least thirty-two bytes"
        settings = Settings(livekit_url="wss://room.test", livekit_key="mine", livekit_secret=secret)
        with TestClient(create_app(settings)) as client:
            api = Api(client, "key")
            answer = api.ok(CONNECT, {"character_id": api.character()})
        assert answer["room_url"] == "wss://room.test"
        claims = TokenVerifier("mine", secret).verify(answer["token"])
        assert claims.video is not None
        assert claims.video.room == answer["room_name"]

    @pytest.mark.parametrize("transport", ["internal", "external"])
    def test_repeats_the_transport_as_it_was_asked_for(self, api: Api, transport: str) -> None:
        answer = api.ok(CONNECT, {"character_id": api.character(), "transport": transport})
        assert (answer["transport"], answer["room_url"]) == (transport, "ws://localhost:7880")

    def test_says_what_was_selected_when_anything_was_asked_for(self, api: Api) -> None:
        wanted = {"action_protocol_version": 2, "model_output_version": 2, "bot_llm_text_mode": "raw"}
        answer = api.ok(CONNECT, {"character_id": api.character(), "capabilities": wanted})
        assert answer["capabilities"] == {
            "action_protocol_version": 1,
            "model_output_version": 1,
            "bot_llm_text_mode": "legacy",
        }

    @pytest.mark.parametrize("kind", ["audio", "video", "text", "conversation", ""])
    def test_is_the_same_for_every_kind_of_connection(self, api: Api, kind: str) -> None:
        answer = api.ok(CONNECT, {"character_id": api.character(), "connection_type": kind})
        assert {name: answer[name] for name in ALONE} == ALONE
        assert "capabilities" not in answer

    @pytest.mark.parametrize(
        ("url", "headers", "room_url"),
        [
            pytest.param("/live/connect", {}, "ws://testserver/live/chat", id="prefix"),
            pytest.param("/connect", {}, "ws://testserver/chat", id="combined surface"),
            pytest.param("http://localhost:2668/live/connect", {}, "ws://localhost:2668/live/chat", id="port"),
            pytest.param("http://[::1]:2668/connect", {}, "ws://[::1]:2668/chat", id="IPv6"),
            pytest.param("https://fake.test/live/connect", {}, "wss://fake.test/live/chat", id="https"),
            pytest.param("http://live.fake.test:8080/connect", {}, "ws://live.fake.test:8080/chat", id="live label"),
            pytest.param("https://realtime-api.fake.test/connect", {}, "wss://realtime-api.fake.test/chat", id="old"),
            pytest.param("/connect", {"host": "live.fake.test"}, "ws://live.fake.test/chat", id="Host header"),
        ],
    )
    def test_of_a_websocket_names_the_host_that_the_client_used(
        self, api: Api, url: str, headers: dict[str, str], room_url: str
    ) -> None:
        body = {"character_id": api.character(), "transport": "websocket"}
        response = api.client.post(url, json=body, headers={"X-API-Key": api.key, **headers})
        answer = response.json()
        assert response.status_code == 200
        assert answer == {
            "session_id": answer["session_id"],
            "request_trace_id": answer["request_trace_id"],
            "character_session_id": answer["character_session_id"],
            "room_url": f"{room_url}?session_id={answer['session_id']}",
            "room_name": None,
            "token": "",
            "end_user_id": None,
            "end_user_metadata": None,
            "transport": "websocket",
            **ALONE,
        }
        with chat(api, answer) as talk:
            assert talk.send("interrupt-bot")["status"] == "success"

    @pytest.mark.parametrize("transport", ["livekit", "internal", "external", None])
    def test_is_livekit_for_its_aliases_and_by_default(self, api: Api, transport: str | None) -> None:
        answer = api.ok(CONNECT, {"character_id": api.character(), "transport": transport})
        assert answer["room_url"] == "ws://localhost:7880"
        assert TokenVerifier("devkey", "secret").verify(answer["token"]).identity

    def test_ignores_what_sdks_send_beyond_the_documentation(self, api: Api) -> None:
        body = {
            "character_id": api.character(),
            "transport": "websocket",
            "blendshape_provider": "none",
            "blendshape_config": {"format": "mha", "output_fps": 60},
            "invocation_metadata": {"source": "unity", "sdk": ["4.0"]},
            "spawn_agent": "yes",
            "llm_provider": "dynamic",
            "action_config": {"actions": ["Wave"], "objects": [], "characters": []},
            "dynamic_info": {"text": "It rains."},
            "emotion_config": None,
            "debug": 1,
            "nobody_knows_this": [{"deep": [None]}],
        }
        assert UUID.fullmatch(api.ok(CONNECT, body)["session_id"])


@on_sqlite
class TestABadBody:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            pytest.param(field, value, id=f"{field} {value!r:.40}")
            for field, values in BAD_VALUES.items()
            for value in values
        ],
    )
    def test_is_422_and_names_the_field(self, api: Api, field: str, value: object) -> None:
        npc = api.character()
        body: dict[str, Any] = {"character_id": npc, "end_user_id": "player-42", field: value}
        response = api.post(CONNECT, body)
        (complaint,) = response.json()["detail"]
        assert response.status_code == 422
        assert response.json() == {
            "detail": [
                {
                    "type": complaint["type"],
                    "loc": ["body", field],
                    "msg": complaint["msg"],
                    "input": complaint["input"],
                }
            ]
        }
        assert complaint["input"] == value
        assert isinstance(complaint["type"], str)
        assert isinstance(complaint["msg"], str)
        assert "" not in (complaint["type"], complaint["msg"])
        assert (history(api, npc), api.end_users()) == ([], [])

    @pytest.mark.parametrize("body", [{}, {"character_id": None}], ids=["missing", "null"])
    def test_without_a_character_is_422(self, api: Api, body: dict[str, Any]) -> None:
        response = api.post(CONNECT, body)
        (complaint,) = response.json()["detail"]
        assert (response.status_code, complaint["type"], complaint["loc"]) == (422, "missing", ["body", "character_id"])
        assert sorted(complaint) == ["input", "loc", "msg", "type"]

    def test_is_answered_as_documented(self, api: Api) -> None:
        response = api.post(CONNECT, {"character_id": NOBODY, "transport": "sse"})
        assert response.headers["content-type"] == "application/json"
        assert (response.status_code, response.json()) == (
            422,
            {
                "detail": [
                    {
                        "type": "value_error",
                        "loc": ["body", "transport"],
                        "msg": "Value error, Invalid transport: sse",
                        "input": "sse",
                    }
                ]
            },
        )
        (entry,) = api.client.get("/_fake/requests", headers={"X-API-Key": api.key}).json()["requests"]
        assert entry["violations"] == ["Invalid parameter 'transport': send livekit or websocket, not 'sse'."]

    def test_names_everything_that_is_wrong(self, api: Api) -> None:
        response = api.post(CONNECT, {"transport": "sse", "mode": "leave"})
        places = [complaint["loc"][-1] for complaint in response.json()["detail"]]
        assert (response.status_code, sorted(places)) == (422, ["character_id", "mode", "transport"])

    def test_that_asks_for_daily_is_told_that_it_is_not_emulated(self, api: Api) -> None:
        response = api.post(CONNECT, {"character_id": api.character(), "transport": "daily"})
        (complaint,) = response.json()["detail"]
        assert (response.status_code, complaint["loc"], complaint["input"]) == (422, ["body", "transport"], "daily")
        assert "not emulated" in complaint["msg"]

    @pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b'{"character_id": "\\ud800"}'])
    def test_that_is_no_object_is_400(self, api: Api, body: bytes) -> None:
        refused(api.raw(CONNECT, body), 400, "JSON object", key="detail")


class TestWhoConnects:
    def test_is_recorded_with_metadata_and_the_time(self, api: Api) -> None:
        npc = api.character()
        api.freeze("2026-01-01T12:00:00Z")
        connect(api, npc, "  player-42\t", end_user_metadata={"name": "Jordan", "level": 3})
        assert end_user(api, "player-42") == {
            "end_user_id": "player-42",
            "last_active_ts": "2026-01-01T12:00:00.000000Z",
            "last_ltm_usage_ts": None,
            "end_user_metadata": {"name": "Jordan", "level": 3},
        }
        api.freeze("2026-01-02T12:00:00Z")
        connect(api, npc, "player-42", end_user_metadata={"level": 4, "team": "red"})
        assert end_user(api, "player-42") == {
            "end_user_id": "player-42",
            "last_active_ts": "2026-01-02T12:00:00.000000Z",
            "last_ltm_usage_ts": None,
            "end_user_metadata": {"name": "Jordan", "level": 4, "team": "red"},
        }
        assert api.end_users() == ["player-42"]

    def test_uses_memory_when_the_character_has_one(self, api: Api) -> None:
        npc = api.character(memory=True)
        api.freeze("2026-01-01T12:00:00Z")
        connect(api, npc, "player-42")
        assert end_user(api, "player-42")["last_ltm_usage_ts"] == "2026-01-01T12:00:00.000000Z"

    @pytest.mark.parametrize("end_user_id", [None, "", " \t\n"], ids=["null", "empty", "blank"])
    def test_may_be_nobody(self, api: Api, end_user_id: str | None) -> None:
        npc = api.character(memory=True)
        answer = connect(api, npc, end_user_id, end_user_metadata={"name": "Jordan"})
        assert (answer["end_user_id"], answer["end_user_metadata"]) == (None, None)
        assert api.end_users() == []

    def test_is_told_apart_by_case(self, api: Api) -> None:
        npc = api.character()
        for end_user_id in ("player-42", "Player-42", "player-42 "):
            connect(api, npc, end_user_id)
        assert api.end_users() == ["player-42", "Player-42"]

    def test_may_have_a_long_id(self, api: Api) -> None:
        longest = "\u00e9" * 512
        assert connect(api, api.character(), longest)["end_user_id"] == longest
        assert api.end_users() == [longest]

    @pytest.mark.parametrize("name", ["Jordan", "", None], ids=["string", "empty", "null"])
    def test_may_have_a_name(self, api: Api, name: str | None) -> None:
        connect(api, api.character(), "player-42", end_user_metadata={"name": name, "level": 3})
        assert end_user(api, "player-42")["end_user_metadata"].get("name") == name

    @pytest.mark.parametrize("field", ["end_user_id", "speaker_id"])
    def test_may_be_a_speaker(self, api: Api, field: str) -> None:
        npc = api.character(memory=True)
        speaker_id = api.ok("/production/user/speaker/new", {"name": "Jordan"})["speaker_id"]
        if field == "end_user_id":
            converse(api, npc, speaker_id, MY_NAME)
        else:
            converse(api, npc, None, MY_NAME, speaker_id=speaker_id)
        assert api.end_users() == ([speaker_id] if field == "end_user_id" else [])
        assert [speaker["speaker_id"] for speaker in api.ok("/beta/user/speaker/list")] == [speaker_id]
        with chat(api, connect(api, npc, speaker_id)) as talk:
            assert "Jordan" in talk.say(ASK_NAME)

    def test_is_the_end_user_when_a_speaker_is_given_too(self, api: Api) -> None:
        npc = api.character(memory=True)
        speaker_id = api.ok("/production/user/speaker/new", {"name": "Sam"})["speaker_id"]
        converse(api, npc, "player-42", MY_NAME, speaker_id=speaker_id)
        assert len(api.memories(npc, "player-42")) == 1
        with chat(api, connect(api, npc, None, speaker_id=speaker_id)) as talk:
            assert "Jordan" not in talk.say(ASK_NAME)

    def test_has_no_metadata_without_an_end_user_id(self, api: Api) -> None:
        npc = api.character()
        speaker_id = api.ok("/production/user/speaker/new", {"name": "Jordan"})["speaker_id"]
        answer = connect(api, npc, None, speaker_id=speaker_id, end_user_metadata={"level": 3})
        assert (answer["end_user_id"], answer["end_user_metadata"]) == (None, None)
        connect(api, npc, speaker_id)
        assert end_user(api, speaker_id)["end_user_metadata"] == {}

    def test_is_not_an_unknown_speaker(self, api: Api) -> None:
        body = {"character_id": api.character(), "speaker_id": NOBODY}
        refused(api.post(CONNECT, body), 404, NOBODY, key="detail")
