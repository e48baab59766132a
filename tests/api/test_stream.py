"""Section 9 of the contract: talking over plain HTTP, with `/connect/stream` and `/character/getResponse`."""

import base64
import io
import re
import uuid
import wave
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient

from fake_convai.app import create_app
from fake_convai.settings import Settings
from tests.api.talking import (
    ASK_NAME,
    MY_NAME,
    NAME_FACT,
    UUID,
    Frame,
    answer_in,
    chat,
    connect,
    converse,
    details,
    events_in,
    facts,
    history,
    said_in,
)
from tests.conftest import Api, refused

STREAM, GET_RESPONSE = "/live/connect/stream", "/production/character/getResponse"
NOBODY = str(uuid.UUID(int=0, version=4))
ONE_INPUT = {"ERROR": "Expecting only one; either an audio file or user's query as a string"}
UPLOAD = ("hello.wav", b"RIFF\x24\x00\x00\x00WAVEfmt ", "audio/wav")


def hexadecimal(session_id: str) -> str:
    """A session id as production spells it."""
    return uuid.UUID(session_id).hex


def hyphenated(session_id: str) -> str:
    """A session id as the live surface spells it."""
    return str(uuid.UUID(session_id))


def send(api: Api, path: str, **fields: Any) -> httpx.Response:
    """POST fields as multipart/form-data; a tuple is a file."""
    parts = {name: value if isinstance(value, tuple) else (None, value) for name, value in fields.items()}
    return api.client.post(path, files=parts, headers=api.headers(path))


def stream(api: Api, character_id: str, text: str, **fields: Any) -> list[Frame]:
    """Say something over the stream; returns its events."""
    return events_in(send(api, STREAM, character_id=character_id, text_input=text, **fields))


def respond(api: Api, character_id: str, text: str | None = None, **fields: Any) -> Frame:
    """Say something with `/character/getResponse`; returns the answer."""
    said = {} if text is None else {"userText": text}
    response = send(api, GET_RESPONSE, charID=character_id, **said, **fields)
    assert response.status_code == 200, response.text
    answer: Frame = response.json()
    return answer


class TestConnectStream:
    def test_answers_with_the_documented_events(self, api: Api) -> None:
        npc = api.character()
        events = stream(api, npc, "Hello.")
        message = events[0]["message"]
        texts = [event for event in events if event["type"] == "bot-llm-text"]
        answer = answer_in(texts)
        assert events == [
            {
                "type": "connection-started",
                "message": {
                    "session_id": message["session_id"],
                    "transport": "sse",
                    "character_session_id": message["character_session_id"],
                },
            },
            {"label": "rtvi-ai", "type": "bot-llm-started"},
            *({"label": "rtvi-ai", "type": "bot-llm-text", "data": {"text": text["data"]["text"]}} for text in texts),
            {"label": "rtvi-ai", "type": "bot-transcription", "data": {"text": answer}},
            {"label": "rtvi-ai", "type": "bot-llm-stopped"},
            {"type": "connection-stoppped"},
        ]
        assert UUID.fullmatch(message["session_id"])
        assert UUID.fullmatch(message["character_session_id"])
        (turn,) = details(api, npc, message["character_session_id"])
        assert turn["interaction"] == [
            {"speaker": "User", "message": "Hello."},
            {"speaker": "Character", "message": answer},
        ]
        assert turn["is_trigger_input"] is False

    def test_may_be_url_encoded(self, api: Api) -> None:
        form = {"character_id": api.character(), "text_input": "Gr\u00fc\u00df dich \U0001f600"}
        response = api.client.post(STREAM, data=form, headers=api.headers(STREAM))
        session_id = events_in(response)[0]["message"]["character_session_id"]
        assert said_in(api, form["character_id"], session_id) == [form["text_input"]]

    @pytest.mark.parametrize("spelled", [hexadecimal, hyphenated])
    def test_goes_on_with_a_conversation(self, api: Api, spelled: Callable[[str], str]) -> None:
        npc = api.character()
        first = stream(api, npc, MY_NAME)[0]["message"]
        events = stream(api, npc, ASK_NAME, character_session_id=spelled(first["character_session_id"]))
        second = events[0]["message"]
        assert second["character_session_id"] == first["character_session_id"]
        assert second["session_id"] != first["session_id"]
        assert "Jordan" in answer_in(events)
        assert said_in(api, npc, first["character_session_id"]) == [MY_NAME, ASK_NAME]

    def test_goes_on_with_what_began_over_a_websocket(self, api: Api) -> None:
        npc = api.character()
        session_id = converse(api, npc, None, MY_NAME)["character_session_id"]
        assert "Jordan" in answer_in(stream(api, npc, ASK_NAME, character_session_id=session_id))

    def test_is_anonymous(self, api: Api) -> None:
        npc = api.character(memory=True)
        session = converse(api, npc, "player-42", "Hello.")
        stream(api, npc, MY_NAME, end_user_id="player-42", character_session_id=session["character_session_id"])
        assert facts(api, npc, "player-42") == []
        stream(api, npc, MY_NAME, end_user_id="player-43")
        assert api.end_users() == ["player-42"]
        assert history(api, npc)[0]["is_added_to_memory"] is False

    def test_leaves_no_session_open(self, database_url: str | None) -> None:
        with TestClient(create_app(Settings(database=database_url, max_sessions=1))) as client:
            api = Api(client, f"key-{uuid.uuid4()}")
            npc = api.character()
            for _ in range(2):
                session_id = stream(api, npc, "Hello.")[0]["message"]["session_id"]
            connect(api, npc)
            response = client.post("/live/connect", json={}, headers={"API-AUTH-TOKEN": session_id})
            assert response.status_code == 401
            with chat(api, {"room_url": f"ws://testserver/live/chat?session_id={session_id}"}) as talk:
                assert talk.closed() == (1008, "Session expired. Please reconnect via /connect")

    @pytest.mark.parametrize("field", ["character_id", "text_input"])
    @pytest.mark.parametrize("value", [None, "", " \n", UPLOAD], ids=["missing", "empty", "blank", "file"])
    def test_wants_both_fields(self, api: Api, field: str, value: Any) -> None:
        fields = {"character_id": api.character(), "text_input": "Hello.", field: value}
        response = send(api, STREAM, **{name: value for name, value in fields.items() if value is not None})
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

    def test_wants_a_form(self, api: Api) -> None:
        fields = {"character_id": api.character(), "text_input": "Hello."}
        refused(api.post(STREAM, fields), 400, "Send form data", "not application/json", key="detail")
        asked = api.client.post(STREAM, params=fields, headers=api.headers(STREAM))
        refused(asked, 400, "Send form data", "not a query", key="detail")
        assert history(api, fields["character_id"]) == []

    def test_knows_only_what_connect_knows(self, api: Api, other: Api) -> None:
        mine, theirs, public = api.character(), other.character(), other.character(listing="public")
        not_found = {"detail": "Character not found or doesn't belong to user"}
        for npc in (NOBODY, theirs):
            response = send(api, STREAM, character_id=npc, text_input="Hello.")
            assert (response.status_code, response.json()) == (404, not_found)
        elsewhere = connect(api, mine)["character_session_id"]
        anothers = connect(other, public)["character_session_id"]
        for session_id, status in ((NOBODY, 404), ("-1", 404), (elsewhere, 404), (anothers, 403)):
            fields = {"character_id": public, "text_input": "Hello.", "character_session_id": session_id}
            refused(send(api, STREAM, **fields), status, session_id, key="detail")
        assert history(api, public) == []

    def test_wants_a_key(self, api: Api) -> None:
        form = {"character_id": api.character(), "text_input": "Hello."}
        response = api.client.post(STREAM, data=form)
        missing = {"detail": "Authentication required: provide X-API-Key or API-AUTH-TOKEN"}
        assert (response.status_code, response.json()) == (401, missing)


class TestGetResponse:
    def test_answers(self, api: Api) -> None:
        npc = api.character()
        answer = respond(api, npc, "Hello.", sessionID="-1", voiceResponse="False")
        assert answer == {
            "charID": npc,
            "text": answer["text"],
            "response": answer["text"],
            "audio": None,
            "sample_rate": None,
            "sessionID": answer["sessionID"],
        }
        assert re.fullmatch("[0-9a-f]{32}", answer["sessionID"])
        (turn,) = details(api, npc, answer["sessionID"])
        assert turn["interaction"] == [
            {"speaker": "User", "message": "Hello."},
            {"speaker": "Character", "message": answer["text"]},
        ]
        assert [summary["sessionID"] for summary in history(api, npc)] == [answer["sessionID"]]

    @pytest.mark.parametrize("voice", ["True", "true", "TRUE"])
    def test_answers_aloud(self, api: Api, voice: str) -> None:
        npc = api.character()
        answer = respond(api, npc, "Hello.", voiceResponse=voice)
        spoken = {name: answer[name] for name in ("audio", "sample_rate", "sessionID")}
        assert answer == {**respond(api, npc, "Hello."), **spoken}
        with wave.open(io.BytesIO(base64.b64decode(answer["audio"], validate=True))) as sound:
            assert (sound.getnchannels(), sound.getsampwidth()) == (1, 2)
            assert str(sound.getframerate()) == answer["sample_rate"]
            assert 0 < sound.getnframes() < 10 * sound.getframerate()
            assert len(sound.readframes(sound.getnframes())) == 2 * sound.getnframes()

    def test_takes_a_sound(self, api: Api) -> None:
        npc = api.character()
        answer = respond(api, npc, file=UPLOAD)
        assert answer["text"]
        (said,) = said_in(api, npc, answer["sessionID"])
        assert said

    def test_takes_a_sound_for_what_is_scripted_to_be_heard(self, api: Api) -> None:
        npc = api.character()
        script = {"replies": [{"match": "Jordan", "reply": "Hello, Jordan."}], "heard": ["I am Jordan.", "I am tired."]}
        answer = api.client.put("/_fake/replies", json=script, headers=api.headers("/_fake"))
        assert answer.json() == {"replies": script["replies"], "default": None, "heard": script["heard"]}
        first = respond(api, npc, file=UPLOAD)
        assert first["text"] == "Hello, Jordan."
        session = first["sessionID"]
        for _ in range(2):
            respond(api, npc, file=UPLOAD, sessionID=session)
        assert said_in(api, npc, session) == ["I am Jordan.", "I am tired.", "I am tired."]
        assert said_in(api, npc, respond(api, npc, file=UPLOAD)["sessionID"]) == ["I am Jordan."]

    def test_takes_a_long_sound(self, api: Api) -> None:
        npc = api.character()
        assert respond(api, npc, file=("long.wav", bytes(5 * 1024 * 1024), "audio/wav"))["text"]
        too_long = send(api, GET_RESPONSE, charID=npc, file=("too-long.wav", bytes(16 * 1024 * 1024), "audio/wav"))
        refused(too_long, 413, "16 MiB")

    @pytest.mark.parametrize(
        "fields",
        [
            pytest.param({}, id="neither"),
            pytest.param({"userText": ""}, id="empty text"),
            pytest.param({"userText": " \n"}, id="blank text"),
            pytest.param({"userText": "Hello.", "file": UPLOAD}, id="both"),
        ],
    )
    def test_takes_one_of_text_and_sound(self, api: Api, fields: dict[str, Any]) -> None:
        npc = api.character()
        response = send(api, GET_RESPONSE, charID=npc, **fields)
        assert (response.status_code, response.json()) == (400, ONE_INPUT)
        assert history(api, npc) == []

    @pytest.mark.parametrize("spelled", [str, hyphenated, str.upper])
    def test_goes_on_with_a_conversation(self, api: Api, spelled: Callable[[str], str]) -> None:
        npc = api.character()
        first = respond(api, npc, MY_NAME)
        second = respond(api, npc, ASK_NAME, sessionID=spelled(first["sessionID"]))
        assert second["sessionID"] == first["sessionID"]
        assert "Jordan" in second["text"]
        assert said_in(api, npc, first["sessionID"]) == [MY_NAME, ASK_NAME]

    def test_goes_on_with_what_began_on_the_live_surface(self, api: Api) -> None:
        npc = api.character()
        session_id = stream(api, npc, MY_NAME)[0]["message"]["character_session_id"]
        answer = respond(api, npc, ASK_NAME, sessionID=session_id)
        assert (answer["sessionID"], "Jordan" in answer["text"]) == (hexadecimal(session_id), True)
        session = connect(api, npc, None, character_session_id=answer["sessionID"])
        assert session["character_session_id"] == session_id

    @pytest.mark.parametrize("session_id", [None, "-1", "", " -1 "])
    def test_begins_a_conversation(self, api: Api, session_id: str | None) -> None:
        npc = api.character()
        fields = {} if session_id is None else {"sessionID": session_id}
        assert respond(api, npc, "Hello.", **fields)["sessionID"] != respond(api, npc, "Hello.", **fields)["sessionID"]

    def test_remembers_nothing_beyond_the_conversation(self, api: Api) -> None:
        npc = api.character(memory=True)
        api.remember(npc, "player-42", NAME_FACT)
        assert "Jordan" not in respond(api, npc, ASK_NAME)["text"]
        session_id = converse(api, npc, "player-43", "Hello.")["character_session_id"]
        respond(api, npc, MY_NAME, sessionID=session_id)
        assert facts(api, npc, "player-43") == []

    def test_streams(self, api: Api) -> None:
        npc = api.character()
        fields = {"charID": npc, "userText": "Hello.", "stream": "True", "voiceResponse": "True"}
        pieces = events_in(send(api, GET_RESPONSE, **fields))
        (session_id,) = {piece["sessionID"] for piece in pieces}
        for number, piece in enumerate(pieces):
            sound = {"audio": piece["audio"]} if number == 0 else {}
            assert piece == {
                "charID": npc,
                "text": piece["text"],
                "response": piece["text"],
                "sample_rate": piece["sample_rate"],
                "sessionID": session_id,
                **sound,
            }
        assert len(pieces) > 1
        (turn,) = details(api, npc, session_id)
        assert "".join(piece["text"] for piece in pieces) == turn["interaction"][1]["message"]

    def test_streams_without_sound(self, api: Api) -> None:
        fields = {"charID": api.character(), "userText": "Hello.", "stream": "True"}
        assert all("audio" not in piece for piece in events_in(send(api, GET_RESPONSE, **fields)))

    @pytest.mark.parametrize("empty", ["", ("", b"", "application/octet-stream"), ("a.wav", b"", "audio/wav")])
    def test_takes_an_empty_field_for_one_that_is_left_out(self, api: Api, empty: Any) -> None:
        answer = respond(api, api.character(), "Hello.", file=empty, voiceResponse="", stream="")
        assert (answer["audio"], answer["sample_rate"]) == (None, None)

    @pytest.mark.parametrize("escaped", [False, True])
    def test_reads_url_encoded_bytes_as_utf_8(self, api: Api, escaped: bool) -> None:
        npc = api.character()
        text = quote("Né à Málaga, 日本.") if escaped else "Né à Málaga, 日本."
        headers = api.headers(GET_RESPONSE) | {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
        content = f"charID={npc}&userText={text}&sessionID=-1".encode()
        response = api.client.post(GET_RESPONSE, content=content, headers=headers)
        assert said_in(api, npc, response.json()["sessionID"]) == ["Né à Málaga, 日本."]

    def test_wants_url_encoded_bytes_to_be_utf_8_and_not_too_many_fields(self, api: Api) -> None:
        headers = api.headers(GET_RESPONSE) | {"content-type": "application/x-www-form-urlencoded"}
        latin = api.client.post(GET_RESPONSE, content=b"charID=x&userText=N\xe9", headers=headers)
        refused(latin, 400, "form", "UTF-8")
        many = api.client.post(GET_RESPONSE, content=b"&".join([b"a=b"] * 1001), headers=headers)
        refused(many, 400, "form", "1000")

    def test_reads_a_long_url_encoded_text(self, api: Api) -> None:
        npc = api.character()
        headers = api.headers(GET_RESPONSE) | {"content-type": "application/x-www-form-urlencoded"}
        content = f"charID={npc}&userText={quote('é' * 20_000)}".encode()
        response = api.client.post(GET_RESPONSE, content=content, headers=headers)
        assert said_in(api, npc, response.json()["sessionID"]) == ["é" * 20_000]

    def test_wants_a_form(self, api: Api) -> None:
        fields = {"charID": api.character(), "userText": "Hello."}
        refused(api.post(GET_RESPONSE, fields), 400, "Send form data", "not application/json")
        asked = api.client.post(GET_RESPONSE, params=fields, headers=api.headers(GET_RESPONSE))
        refused(asked, 400, "Send form data", "not a query")
        bare = api.client.post(GET_RESPONSE, headers=api.headers(GET_RESPONSE))
        refused(bare, 400, "Send form data", "without a content type")

    @pytest.mark.parametrize("name", ["voiceResponse", "stream"])
    def test_wants_a_switch_to_be_one(self, api: Api, name: str) -> None:
        fields = {"charID": api.character(), "userText": "Hello.", name: "perhaps"}
        refused(send(api, GET_RESPONSE, **fields), 400, name, "perhaps")

    @pytest.mark.parametrize("value", [None, "", UPLOAD], ids=["missing", "empty", "file"])
    def test_wants_a_character(self, api: Api, value: Any) -> None:
        fields = {} if value is None else {"charID": value}
        refused(send(api, GET_RESPONSE, userText="Hello.", **fields), 400, "charID")

    def test_wants_text_that_can_be_stored(self, api: Api) -> None:
        refused(send(api, GET_RESPONSE, charID=api.character(), userText="a\0b"), 400, "NUL")

    def test_knows_only_what_may_be_known(self, api: Api, other: Api) -> None:
        mine, theirs, public = api.character(), other.character(), other.character(listing="public")
        response = send(api, GET_RESPONSE, charID=NOBODY, userText="Hello.")
        assert (response.status_code, response.json()["charID"]) == (404, NOBODY)
        assert response.json()["text"].startswith("process_failure, error: Unknown character")
        refused(send(api, GET_RESPONSE, charID=theirs, userText="Hello."), 403, theirs)
        elsewhere, anothers = respond(api, mine, "Hello.")["sessionID"], respond(other, public, "Hello.")["sessionID"]
        for session_id, status in ((NOBODY, 404), ("no UUID", 404), (elsewhere, 404), (anothers, 403)):
            fields = {"charID": public, "userText": "Hello.", "sessionID": session_id}
            response = send(api, GET_RESPONSE, **fields)
            assert (response.status_code, session_id in response.text) == (status, True)
            assert list(response.json()) == (["charID", "text"] if status == 404 else ["ERROR"])
        assert (len(said_in(api, mine, elsewhere)), len(said_in(other, public, anothers))) == (1, 1)
