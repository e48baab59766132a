"""Section 9 of the contract: the WebSocket `/chat`."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from fake_convai.live.client_messages import NOT_EMULATED
from tests.api.talking import Chat, Frame, answer_in, chat, connect, details, said_in, server_message
from tests.conftest import Api, on_sqlite

PARSE_ERROR = {
    "type": "server-response",
    "event_type": "parse-error",
    "status": "error",
    "message": "Failed to parse message: invalid JSON or UTF-8 encoding",
}
TYPES = [
    "user_text_message",
    "trigger-message",
    "update-template-keys",
    "update-scene-metadata",
    "update-dynamic-info",
    "context-update",
    "tts-toggle",
    "stt-toggle",
    "kill-pipeline",
    "interrupt-bot",
    "force-user-stopped-speaking",
    "reset-idle-timer",
]

BAD_DATA: dict[str, list[Any]] = {
    "user_text_message": [
        *({}, None, [], "Hello", {"text": ""}, {"text": " \n"}),
        *({"text": text} for text in (None, 5, ["Hello"], {"text": "Hello"}, "a\u0000b")),
    ],
    "trigger-message": [{"trigger_name": 5}, {"trigger_message": "\u0000"}],
    "update-template-keys": [{}, {"template_keys": "x"}, {"template_keys": []}],
    "update-scene-metadata": [
        *({}, {"scene_metadata": {}}, {"scene_metadata": "x"}, {"scene_metadata": [{"name": "torch"}]}),
    ],
    "update-dynamic-info": [
        *({}, {"text": "It rains."}, {"text": 5}, {"dynamic_info": 5}, {"dynamic_info": {}}),
        {"dynamic_info": {"text": 5}},
    ],
    "context-update": [{}, {"text": 5}, {"text": "x", "mode": "burn"}, {"mode": "append"}, {"text": "x", "run_llm": 1}],
    "tts-toggle": [{}, {"enabled": None}, {"enabled": "true"}, {"enabled": 1}],
    "stt-toggle": [{}, {"muted": None}, {"muted": "false"}, {"enabled": True}],
}


@pytest.fixture
def session(api: Api) -> Frame:
    """A session with a character that has no memory."""
    return connect(api, api.character(), "player-42")


@pytest.fixture
def talk(api: Api, session: Frame) -> Iterator[Chat]:
    """Its WebSocket."""
    with chat(api, session) as open_chat:
        yield open_chat


def bot_output(kind: str, **data: Any) -> Frame:
    """A frame whose type is at the top."""
    return {"label": "rtvi-ai", "type": kind, "data": data}


def acknowledged(kind: str, message: str, extras: Frame | None = None) -> Frame:
    """The answer to a message that was understood."""
    answer: Frame = {"type": "server-response", "event_type": kind, "status": "success", "message": message}
    return answer if extras is None else {**answer, "extras": extras}


def speaking(kind: str) -> Frame:
    """A frame about the voice, which has its label twice."""
    return server_message(kind, label="rtvi-ai")


class TestATurn:
    def test_comes_in_the_documented_order(self, talk: Chat, session: Frame) -> None:
        text = "Hello, how are you?"
        echoed = acknowledged("user_text_message", "User text message processed", {"text": text})
        assert talk.send("user_text_message", text=text) == echoed
        created, *turn = talk.turn()
        interaction_id = created["data"]["interaction_id"]
        session_id = session["character_session_id"]
        assert created == server_message(
            "interaction-created", interaction_id=interaction_id, character_session_id=session_id
        )
        assert isinstance(interaction_id, str)
        assert interaction_id
        texts = [frame for frame in turn if frame["type"] == "bot-llm-text"]
        assert turn == [
            server_message("final-user-transcription", text=text),
            bot_output("bot-llm-started"),
            *(bot_output("bot-llm-text", text=frame["data"]["text"]) for frame in texts),
            bot_output("bot-llm-stopped"),
            bot_output("bot-tts-started"),
            speaking("bot-started-speaking"),
            speaking("bot-stopped-speaking"),
            server_message("bot-turn-completed", was_interrupted=False),
        ]
        assert answer_in(texts)

    def test_creates_the_interaction_once(self, talk: Chat) -> None:
        for number in range(3):
            talk.send("user_text_message", text="Hello.")
            kinds = [frame["data"].get("type") for frame in talk.turn()]
            assert kinds.count("interaction-created") == (1 if number == 0 else 0)

    def test_is_written_down(self, talk: Chat, api: Api, session: Frame) -> None:
        npc = api.ok("/production/character/list")["characters"][0]["character_id"]
        texts = ["Hello.", " Na\u00efve \U0001f600\n\u2028 ", "\\", "x" * 100_000]
        for text in texts:
            answer = talk.say(text)
            said = details(api, npc, session["character_session_id"])[-1]["interaction"]
            assert said == [{"speaker": "User", "message": text}, {"speaker": "Character", "message": answer}]
        assert said_in(api, npc, session["character_session_id"]) == texts

    def test_without_tts_says_nothing_aloud(self, talk: Chat) -> None:
        disabled = acknowledged("tts-toggle", "TTS disabled", {"enabled": False})
        assert talk.send("tts-toggle", enabled=False) == disabled
        talk.send("user_text_message", text="Hello.")
        _, *turn = talk.turn()
        assert [frame for frame in turn if frame["type"] != "bot-llm-text"] == [
            server_message("final-user-transcription", text="Hello."),
            bot_output("bot-llm-started"),
            bot_output("bot-llm-stopped"),
            server_message("bot-turn-completed", was_interrupted=False),
        ]
        assert talk.send("tts-toggle", enabled=True) == acknowledged("tts-toggle", "TTS enabled", {"enabled": True})
        talk.send("user_text_message", text="Hello.")
        assert speaking("bot-started-speaking") in talk.turn()

    @pytest.mark.parametrize("name", ["trigger_name", "trigger_message"])
    def test_can_begin_with_a_trigger(self, talk: Chat, api: Api, session: Frame, name: str) -> None:
        npc = api.ok("/production/character/list")["characters"][0]["character_id"]
        extras = {"trigger_name": "alarm" if name == "trigger_name" else None, "has_speak_tag": False}
        assert talk.send("trigger-message", **{name: "alarm"}) == acknowledged(
            "trigger-message", "Trigger message processed successfully", extras
        )
        kinds = [frame["data"].get("type", frame["type"]) for frame in talk.turn()]
        assert kinds[:2] == ["interaction-created", "bot-llm-started"]
        talk.say("Hello.")
        turns = details(api, npc, session["character_session_id"])
        assert [turn["is_trigger_input"] for turn in turns] == [True, False]
        assert turns[0]["interaction"][0] == {"speaker": "User", "message": "alarm"}

    def test_can_begin_with_a_context_update(self, talk: Chat) -> None:
        assert talk.send("context-update", text="It rains.", run_llm="true")["status"] == "success"
        assert talk.turn()[-1] == server_message("bot-turn-completed", was_interrupted=False)
        for run_llm in ("false", "auto"):
            assert talk.send("context-update", text="It rains.", run_llm=run_llm)["status"] == "success"
        assert talk.send("interrupt-bot")["event_type"] == "interrupt-bot"


@on_sqlite
@pytest.mark.parametrize(
    ("kind", "data", "message", "extras"),
    [
        ("update-template-keys", {"template_keys": {"a": "b"}}, "Template keys updated successfully", None),
        (
            "update-scene-metadata",
            {"scene_metadata": [{"name": "torch", "description": "A torch."}]},
            "Scene metadata updated successfully",
            None,
        ),
        ("update-dynamic-info", {"dynamic_info": {"text": "It rains."}}, "Dynamic info updated successfully", None),
        ("update-dynamic-info", {"dynamic_info": {"text": ""}}, "Dynamic info updated successfully", None),
        ("tts-toggle", {"enabled": True}, "TTS enabled", {"enabled": True}),
        ("tts-toggle", {"enabled": False}, "TTS disabled", {"enabled": False}),
        ("stt-toggle", {"muted": True}, "STT muted", {"muted": True}),
        ("stt-toggle", {"muted": False}, "STT unmuted", {"muted": False}),
        ("interrupt-bot", {}, "Bot interrupted successfully", None),
        ("force-user-stopped-speaking", {}, "User stopped speaking", None),
        ("reset-idle-timer", {"ignored": 1}, "Idle timer reset successfully", None),
    ],
    ids=json.dumps,
)
def test_each_message_is_acknowledged(talk: Chat, kind: str, data: Frame, message: str, extras: Frame | None) -> None:
    assert talk.send(kind, **data) == acknowledged(kind, message, extras)


@on_sqlite
@pytest.mark.parametrize("kind", ["interrupt-bot", "force-user-stopped-speaking", "reset-idle-timer"])
@pytest.mark.parametrize("rest", [{}, {"data": None}, {"data": {}}, {"data": "x"}], ids=["none", "null", "{}", "x"])
def test_some_messages_need_no_data(talk: Chat, kind: str, rest: Frame) -> None:
    talk.socket.send_json({"type": kind, **rest})
    assert (talk.receive()["event_type"], talk.send("interrupt-bot")["status"]) == (kind, "success")


def test_the_context_grows_and_is_replaced_and_reset(talk: Chat) -> None:
    for mode, text, content in (
        ("append", "abcd", "abcd"),
        (None, "efgh", "abcd\nefgh"),
        ("replace", "new", "new"),
        ("reset", None, ""),
    ):
        sent = {"text": text, "mode": mode, "run_llm": "false"}
        answer = talk.send("context-update", **{name: value for name, value in sent.items() if value is not None})
        tokens = answer["extras"]["token_count"]
        assert answer == acknowledged(
            "context-update",
            f"Context updated successfully ({mode or 'append'} mode)",
            {
                "token_count": tokens,
                "static_token_count": 0,
                "runtime_token_count": tokens,
                "max_tokens": 50_000,
                "static_max_tokens": 20_000,
                "runtime_max_tokens": 30_000,
                "remaining_tokens": 50_000 - tokens,
                "content": content,
            },
        )
        assert (tokens > 0) == (content != "")


def test_of_a_context_that_grows_too_long_the_oldest_part_goes(talk: Chat) -> None:
    talk.send("context-update", text="a" * 119_999)
    full = talk.send("context-update", text="b")["extras"]
    assert (full["content"], full["runtime_token_count"]) == ("a" * 119_998 + "\nb", 30_000)
    replaced = talk.send("context-update", text="c" + "d" * 120_000, mode="replace")["extras"]
    assert (replaced["content"], replaced["remaining_tokens"]) == ("d" * 120_000, 20_000)


@on_sqlite
class TestABadFrame:
    @pytest.mark.parametrize(
        "frame",
        [
            *(b"", b"{", b"hello", b"{'type': 'x'}", b'{"type": "x",}', b"NaN", b'{"type": "x"} {}'),
            *(b'{"type": "\xff"}', b"\xff\xfe", b"\x00", b"RIFF\x24\x00\x00\x00WAVEfmt "),
            *(b'{"type": "user_text_message", "data": {"text": "\\ud800"}}', b'"\\udfff"', b'{"\\ud83d": 1}'),
            b"[" * 100_000,
        ],
        ids=lambda frame: repr(frame[:50]),
    )
    def test_that_is_not_json(self, talk: Chat, frame: bytes) -> None:
        talk.socket.send_bytes(frame)
        assert talk.receive() == PARSE_ERROR
        if frame.isascii():
            talk.socket.send_text(frame.decode())
            assert talk.receive() == PARSE_ERROR
        assert talk.say("Hello.")

    @pytest.mark.parametrize(
        "message",
        [
            {},
            {"data": {"text": "Hello"}},
            {"type": None},
            {"type": 5},
            {"Type": "x"},
            [],
            ["type"],
            "type",
            5,
            None,
            True,
        ],
        ids=json.dumps,
    )
    def test_that_has_no_type(self, talk: Chat, message: Any) -> None:
        talk.socket.send_json(message)
        assert talk.receive() == {
            "type": "server-response",
            "event_type": "validation-error",
            "status": "error",
            "message": "Message missing required 'type' field",
            "extras": {"received_message": message},
        }
        assert talk.say("Hello.")

    @pytest.mark.parametrize("kind", ["hello", "", "User_Text_Message", "user-text-message", "\u0000", "\U0001f600"])
    def test_that_has_an_unknown_type(self, talk: Chat, kind: str) -> None:
        assert talk.send(kind, text="Hello.") == {
            "type": "server-response",
            "event_type": kind,
            "status": "error",
            "message": f"Unknown message type: {kind}",
            "extras": {"supported_types": TYPES},
        }
        assert talk.say("Hello.")

    @pytest.mark.parametrize("kind", NOT_EMULATED)
    def test_that_is_known_and_not_emulated(self, talk: Chat, kind: str) -> None:
        assert talk.send(kind) == {
            "type": "server-response",
            "event_type": kind,
            "status": "error",
            "message": f"fake-convai does not emulate {kind}: {NOT_EMULATED[kind]}.",
        }
        assert talk.say("Hello.")

    def test_is_told_what_to_send_instead(self, talk: Chat) -> None:
        assert talk.send("update-dynamic-info", text=5)["message"] == (
            'Missing required parameter \'data.dynamic_info\': send an object such as {"text": "The alarm rings."}.'
        )
        assert talk.send("tts-toggle", enabled=1)["message"] == (
            "Invalid parameter 'data.enabled': send true or false, not 1."
        )

    @pytest.mark.parametrize(
        ("kind", "data"),
        [
            pytest.param(kind, data, id=f"{kind} {json.dumps(data)}")
            for kind, bad_data in BAD_DATA.items()
            for data in bad_data
        ],
    )
    def test_that_has_bad_data(self, talk: Chat, api: Api, session: Frame, kind: str, data: Any) -> None:
        talk.socket.send_json({"type": kind, "data": data})
        answer = talk.receive()
        assert answer == {
            "type": "server-response",
            "event_type": kind,
            "status": "error",
            "message": answer["message"],
        }
        assert answer["message"]
        talk.say("Hello.")
        npc = api.ok("/production/character/list")["characters"][0]["character_id"]
        assert said_in(api, npc, session["character_session_id"]) == ["Hello."]

    @pytest.mark.parametrize("depth", [200, *range(248, 258), 1000])
    def test_that_is_nested_deeply(self, talk: Chat, depth: int) -> None:
        nested = "[" * depth + "]" * depth
        for text in (nested, f'{{"data": {nested}}}', f'{{"type": "hello", "data": {nested}}}'):
            talk.socket.send_text(text)
            assert talk.receive()["status"] == "error"
        talk.socket.send_text(f'{{"type": "interrupt-bot", "data": {nested}}}')
        assert talk.receive()["event_type"] == "interrupt-bot"
        assert talk.say("Hello.")

    def test_may_be_binary_and_good(self, talk: Chat) -> None:
        talk.socket.send_json({"type": "tts-toggle", "data": {"enabled": True}}, mode="binary")
        assert talk.receive() == acknowledged("tts-toggle", "TTS enabled", {"enabled": True})
