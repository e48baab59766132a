"""Parts of the room that need no LiveKit: what is heard, which shapes are sent, what is said when nobody comes."""

import json
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import Field, TypeAdapter

from fake_convai.api.sessions import ConnectRequest, sound
from fake_convai.live import rooms, shapes
from fake_convai.live.hearing import Change, Hearing
from fake_convai.live.livekit_server import ANY
from fake_convai.live.messages import Event, response, wrapped
from fake_convai.live.room_messages import RoomEvent
from fake_convai.live.shapes import MAX_PACKET, Shapes, Sound, packet
from fake_convai.settings import BadSetting, Settings, load_settings
from tests.conftest import Api

AT = "2026-01-01T00:00:00.000000Z"
LOUD, QUIET = -20.0, -70.0


@pytest.mark.parametrize(
    ("levels", "changes"),
    [
        ([QUIET] * 20, []),
        ([LOUD] * 3, ["started"]),
        ([LOUD, *[QUIET] * 6, LOUD, *[QUIET] * 6], ["started"]),
        ([LOUD, *[QUIET] * 7], ["started", "stopped"]),
        ([LOUD, *[QUIET] * 9, LOUD], ["started", "stopped", "started"]),
    ],
    ids=["silence", "speech", "a breath", "a pause", "again"],
)
def test_speech_begins_at_once_and_ends_after_a_pause(levels: list[float], changes: list[Change]) -> None:
    hearing = Hearing()
    assert [change for level in levels if (change := hearing.hear(level, 0.1)) is not None] == changes


def test_speech_ends_when_the_microphone_is_muted() -> None:
    hearing = Hearing()
    assert hearing.stop() is None
    assert hearing.hear(LOUD, 0.1) == "started"
    assert hearing.stop() == "stopped"
    assert hearing.stop() is None


def shaped(*events: Any) -> list[Any]:
    shapes_of_one = Shapes()
    return [message for event in events for message in shapes_of_one.of(event, AT)]


def test_every_message_of_a_room_is_one_of_those_that_are_published() -> None:
    known = TypeAdapter(Annotated[Event, Field()] | RoomEvent)
    turn = [
        wrapped({"type": "final-user-transcription", "text": "Hello"}),
        {"label": "rtvi-ai", "type": "bot-llm-started", "data": {}},
        {"label": "rtvi-ai", "type": "bot-llm-text", "data": {"text": "Yes."}},
        {"label": "rtvi-ai", "type": "bot-llm-stopped", "data": {}},
        wrapped({"label": "rtvi-ai", "type": "bot-started-speaking"}),
        wrapped({"label": "rtvi-ai", "type": "bot-stopped-speaking"}),
        wrapped({"type": "bot-turn-completed", "was_interrupted": False}),
        response("tts-toggle", "success", "", {"enabled": True}),
    ]
    heard: list[shapes.Message] = []
    audio = shapes.AudioData(heard.append, 10, with_header=False)
    audio.add(bytes(480))
    constant = [shapes.BOT_READY, shapes.USER_STARTED_SPEAKING, shapes.USER_STOPPED_SPEAKING]
    for message in [*shaped(*turn), *heard, *constant]:
        assert known.dump_python(known.validate_python(message)) == message


def test_a_line_that_is_cut_is_told_as_far_as_it_came() -> None:
    begun = {"label": "rtvi-ai", "type": "bot-llm-started", "data": {}}
    text = {"label": "rtvi-ai", "type": "bot-llm-text", "data": {"text": "Once "}}
    over = wrapped({"type": "bot-turn-completed", "was_interrupted": True})
    assert shaped(begun, text, over)[2:] == [
        {"label": "rtvi-ai", "type": "bot-transcription", "data": {"text": "Once "}},
        over,
        {
            "label": "rtvi-ai",
            "type": "bot-turn-completed",
            "data": {"was_interrupted": True},
            "was_interrupted": True,
        },
    ]


def test_an_acknowledgement_comes_flat_and_inside() -> None:
    answer = response("tts-toggle", "success", "TTS enabled", {"enabled": True})
    inside = {"label": "rtvi-ai", "type": "server-message", "data": dict(answer)}
    assert shaped(answer) == [answer, inside]


@pytest.mark.parametrize("extras", [{"content": "x" * MAX_PACKET}, None], ids=["extras", "no extras"])
def test_what_does_not_fit_into_a_packet_is_left_out_and_said(extras: dict[str, Any] | None) -> None:
    words = "fine" if extras else "x" * MAX_PACKET
    for message in shaped(response("context-update", "success", words, extras)):
        data = packet(message)
        assert len(data) <= MAX_PACKET
        sent = json.loads(data)
        if extras is None:
            assert sent["data"] == {"error": sent["data"]["error"], "fatal": False}
            assert "15360" in sent["data"]["error"]
        else:
            told = sent.get("data", sent)
            assert (told["type"], told["status"]) == ("server-response", "success")
            assert "leaves out extras" in told["message"]


def test_the_voice_as_data_never_exceeds_a_packet() -> None:
    sent: list[shapes.Message] = []
    audio = shapes.AudioData(sent.append, 1000, with_header=True)
    for _ in range(60):
        audio.add(bytes(480))
    audio.flush()
    audio.flush()
    assert [len(packet(message)) <= MAX_PACKET for message in sent] == [True] * 3


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        (None, Sound()),
        ({"output": {"audio_routing": "both", "max_chunk_duration_ms": 20}}, Sound(data=True, chunk_ms=20)),
        ({"output": {"audio_routing": "data_only", "add_wav_header": True}}, Sound(False, True, wav_header=True)),
        ({"output": {"audio_routing": "telepathy", "max_chunk_duration_ms": 5}}, Sound()),
        ({"output": "loud"}, Sound()),
    ],
    ids=["nothing", "both", "data", "unknown", "no object"],
)
def test_what_is_no_documented_wish_is_the_default(config: Any, wanted: Sound) -> None:
    assert sound(ConnectRequest.model_validate({"character_id": "x", "audio_config": config})) == wanted


def test_the_journal_says_that_nobody_comes_and_what_to_do(api: Api) -> None:
    answer = api.ok("/live/connect", {"character_id": api.character()})
    assert answer["room_url"] == "ws://localhost:7880"
    headers = {"CONVAI-API-KEY": api.key}
    [entry] = api.client.get("/_fake/requests?path=/connect", headers=headers).json()["requests"]
    why = "No character comes to the room, since --livekit is off."
    assert entry["explanations"] == [{"event": "room", "because": why}]


def test_a_server_that_is_missing_is_explained_or_insisted_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = str(tmp_path / "nothing")
    missing = f"there is no {nowhere}"
    assert rooms.missing_part(Settings(livekit=nowhere)) == missing
    assert rooms.described(Settings(livekit=nowhere)).startswith(f"none, since {missing}")
    assert rooms.described(Settings(livekit="off")).startswith("off")
    assert rooms.described(Settings(livekit="auto", livekit_url="ws://room.test")) == "ws://room.test"
    with pytest.raises(BadSetting, match="there is no"):
        rooms.insist(Settings(livekit=nowhere))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(BadSetting, match="there is no livekit-server"):
        rooms.insist(load_settings(livekit=True))
    rooms.insist(load_settings(livekit=False))
    rooms.insist(Settings(livekit="auto"))


def test_it_listens_where_the_fake_does() -> None:
    for host in ("127.0.0.1", "localhost", "::1", "fake.localhost"):
        settings = Settings(host=host)
        assert (rooms.bind_address(settings), rooms.node_ip(settings)) == ("127.0.0.1", "127.0.0.1")
    settings = load_settings(host="0.0.0.0", livekit_node_ip="192.0.2.7")
    assert (rooms.bind_address(settings), rooms.node_ip(settings)) == (ANY, "192.0.2.7")
    assert rooms.node_ip(Settings(host="0.0.0.0")) != "0.0.0.0"
    assert rooms.bind_address(Settings(host="fake.test")) == ANY
