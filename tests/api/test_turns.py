"""Turns that say more than text, take time, and can be cut: scripted replies, pace and interruption."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.talking import Chat, Frame, answer_in, chat, connect, details, events_in, history, server_message
from tests.conftest import Api
from tests.control.driving import NOON, Control

STREAM, GET_RESPONSE = "/live/connect/stream", "/production/character/getResponse"
SPEECH = "One two three four five."


def kinds(frames: list[Frame]) -> list[str]:
    """What the frames are called."""
    return [frame["data"]["type"] if frame["type"] == "server-message" else frame["type"] for frame in frames]


def say(talk: Chat, text: str = "Hello.") -> list[Frame]:
    """Say something; returns the frames of the whole turn, without the interaction's."""
    assert talk.send("user_text_message", text=text)["status"] == "success"
    return [frame for frame in talk.turn() if frame["data"].get("type") != "interaction-created"]


def until(talk: Chat, kind: str) -> list[Frame]:
    """The frames up to the first of a kind."""
    frames = [talk.receive()]
    while kinds(frames)[-1] != kind:
        frames.append(talk.receive())
    return frames


@pytest.fixture
def npc(api: Api) -> str:
    """A character that remembers."""
    return api.character(memory=True)


@pytest.fixture
def control(api: Api) -> Control:
    """The control plane of its account, whose clock stands still."""
    control = Control(api.client, api.key)
    control.freeze()
    return control


@pytest.fixture
def session(api: Api, npc: str) -> Frame:
    """A session with it."""
    return connect(api, npc, "player-42", end_user_metadata={"name": "Jordan"})


@pytest.fixture
def talk(api: Api, session: Frame) -> Iterator[Chat]:
    """Its WebSocket."""
    with chat(api, session) as open_chat:
        yield open_chat


def script(control: Control, **reply: Any) -> None:
    """Answer everything with this."""
    control.ok("PUT", "/replies", {"replies": [{"match": "", "reply": "Sure."} | {"match": ".", **reply}]})


class TestAScriptedReply:
    def test_may_come_with_all_that_a_character_can_do(self, control: Control, talk: Chat) -> None:
        actions = [{"name": "Move To", "target": "cube"}, {"name": "Wave"}, "Jump"]
        script(
            control,
            actions=actions,
            emotion={"emotion": "happy", "scale": 2},
            narrative_section_id="section-1",
            moderation={"result": True},
        )
        turn = say(talk)
        assert kinds(turn) == [
            "final-user-transcription",
            "moderation-response",
            "bot-llm-started",
            "bot-llm-text",
            "bot-llm-stopped",
            "action-response",
            "bot-emotion",
            "behavior-tree-response",
            "bot-tts-started",
            "bot-started-speaking",
            "bot-stopped-speaking",
            "bot-turn-completed",
        ]
        assert turn[1] == server_message("moderation-response", result=True, user_input="Hello.", reason=None)
        assert turn[5:8] == [
            server_message("action-response", actions=actions),
            server_message("bot-emotion", emotion="happy", scale=2),
            server_message("behavior-tree-response", bt_code="", bt_constants="", narrative_section_id="section-1"),
        ]

    def test_of_blocked_words_is_none(self, control: Control, api: Api, npc: str, session: Frame, talk: Chat) -> None:
        control.ok(
            "PUT", "/replies", {"replies": [{"match": "bad", "moderation": {"result": False, "reason": "Rude."}}]}
        )
        assert say(talk, "bad words") == [
            server_message("final-user-transcription", text="bad words"),
            server_message("moderation-response", result=False, user_input="bad words", reason="Rude."),
            server_message("bot-turn-completed", was_interrupted=False),
        ]
        (turn,) = details(api, npc, session["character_session_id"])
        assert [line["message"] for line in turn["interaction"]] == ["bad words", ""]

    @pytest.mark.parametrize(("reason", "data"), [("abstain", {"reason": "abstain"}), ("", {})])
    def test_may_be_silence(self, control: Control, talk: Chat, reason: str, data: Frame) -> None:
        control.ok("PUT", "/replies", {"replies": [{"match": "e", "no_response": reason}]})
        turn = say(talk)
        assert turn[2] == server_message("llm-no-response", **data)
        assert kinds(turn) == [
            "final-user-transcription",
            "bot-llm-started",
            "llm-no-response",
            "bot-llm-stopped",
            "bot-turn-completed",
        ]

    def test_may_move_the_mouth(self, control: Control, talk: Chat) -> None:
        script(control, reply="Hello there", visemes=True)
        shapes = [frame["data"]["visemes"] for frame in say(talk) if frame["data"].get("type") == "visemes"]
        assert [[name for name, weight in shape.items() if weight] for shape in shapes] == [["e"], ["e"]]
        assert all(len(shape) == 15 for shape in shapes)

    def test_may_be_a_sequence_which_each_conversation_begins_anew(
        self, control: Control, api: Api, npc: str, talk: Chat
    ) -> None:
        control.ok("PUT", "/replies", {"replies": [{"match": "hello", "replies": ["First.", "Second.", "Last."]}]})
        assert [talk.say("Hello.") for _ in range(4)] == ["First.", "Second.", "Last.", "Last."]
        with chat(api, connect(api, npc)) as another:
            assert another.say("Hello.") == "First."

    def test_may_have_blanks(self, control: Control, api: Api, npc: str) -> None:
        api.remember(npc, "player-42", "The user likes tea.")
        text = "{{ end_user.name }}: {{ user_text|upper }} {{ memories[0] }} {{ end_user.end_user_id }}"
        control.ok("PUT", "/replies", {"replies": [{"match": "hello", "reply": text}], "default": "{{ memories[9] }}"})
        with chat(api, connect(api, npc, "player-42", end_user_metadata={"name": "Jordan"})) as talk:
            assert talk.say("Hello.") == "Jordan: HELLO. The user likes tea. player-42"
            assert talk.say("Bye.") == ""
        with chat(api, connect(api, npc)) as talk:
            assert talk.say("Hello.") == ": HELLO.  "

    def test_does_only_what_the_client_lets_it(self, control: Control, api: Api, npc: str) -> None:
        script(control, actions=["Wave", {"name": "Move To", "target": "cube"}])
        config = {"actions": ["Move To"], "objects": [{"name": "cube"}], "classification": "multistep"}
        with chat(api, connect(api, npc, action_config=config)) as talk:
            assert say(talk)[4] == server_message("action-response", actions=[{"name": "Move To", "target": "cube"}])
            update = {"text": "x", "action_config": {"actions": ["Wave"], "objects": []}}
            assert talk.send("context-update", **update)["status"] == "success"
            assert say(talk)[4] == server_message("action-response", actions=["Wave"])
            talk.send("context-update", text="x", action_config={"actions": []})
            assert "action-response" not in kinds(say(talk))

    def test_says_the_same_in_a_stream(self, control: Control, api: Api, npc: str) -> None:
        script(control, actions=["Wave"], emotion={"emotion": "sad", "scale": 1})
        form = {"character_id": npc, "text_input": "Hello."}
        response = api.client.post(STREAM, data=form, headers=api.headers(STREAM))
        assert kinds(events_in(response)) == [
            "connection-started",
            "bot-llm-started",
            "bot-llm-text",
            "bot-transcription",
            "bot-llm-stopped",
            "action-response",
            "bot-emotion",
            "connection-stoppped",
        ]

    @pytest.mark.parametrize("mute", [{"no_response": "abstain"}, {"moderation": {"result": False}}])
    def test_may_be_nothing_over_plain_http(self, control: Control, api: Api, npc: str, mute: Frame) -> None:
        control.ok("PUT", "/replies", {"replies": [{"match": ".", **mute}]})
        form = {"charID": npc, "userText": "Hello.", "sessionID": "-1", "voiceResponse": "True"}
        answer = api.client.post(GET_RESPONSE, data=form, headers=api.headers(GET_RESPONSE)).json()
        assert answer["text"] == ""


class TestPace:
    def test_is_set_shown_and_cleared(self, control: Control) -> None:
        pace = {"first_token_ms": 300, "tokens_per_second": 20, "jitter": 0.2, "words_per_minute": 150}
        assert control.ok("GET", "/pace") == {}
        assert control.ok("PUT", "/pace", pace) == pace
        assert control.ok("GET", "/pace") == pace
        assert control.ok("PUT", "/pace", {"jitter": 0.1}) == {"jitter": 0.1}
        assert control.ok("DELETE", "/pace") == {}
        assert control.ok("GET", "/pace") == {}

    @pytest.mark.parametrize(
        "pace",
        [{"first_token_ms": -1}, {"tokens_per_second": 0}, {"jitter": 2}, {"words_per_minute": "fast"}, {"speed": 1}],
    )
    def test_is_refused_by_place(self, control: Control, pace: Frame) -> None:
        response = control.send("PUT", "/pace", pace)
        assert response.status_code == 400
        assert f"Invalid pace at '{min(pace)}'" in response.json()["ERROR"]

    def test_goes_by_the_accounts_clock(self, control: Control, talk: Chat) -> None:
        control.ok("PUT", "/pace", {"first_token_ms": 1000, "tokens_per_second": 1, "words_per_minute": 60})
        script(control, reply="One two.")
        assert talk.send("user_text_message", text="Hello.")["status"] == "success"
        assert kinds(until(talk, "bot-llm-started"))[-1] == "bot-llm-started"
        for advance, expected in (
            (0.999, []),
            (0.001, ["bot-llm-text"]),
            (1, ["bot-llm-text", "bot-llm-stopped", "bot-tts-started", "bot-started-speaking"]),
            (1.999, []),
            (0.001, ["bot-stopped-speaking", "bot-turn-completed"]),
        ):
            control.ok("PUT", "/clock", {"advance": advance})
            assert kinds([talk.receive() for _ in expected]) == expected
            # Nothing else is on its way: the next frame is the answer to this.
            assert talk.send("reset-idle-timer")["event_type"] == "reset-idle-timer"

    def test_of_a_reply_wins_over_the_accounts(self, control: Control, talk: Chat) -> None:
        control.ok("PUT", "/pace", {"first_token_ms": 60_000})
        script(control, reply="Quick.", pace={"first_token_ms": 0})
        assert talk.say("Hello.") == "Quick."

    def test_passes_by_itself_while_the_clock_runs(self, control: Control, api: Api, npc: str) -> None:
        control.ok("DELETE", "/clock")
        pace = {"first_token_ms": 1, "tokens_per_second": 1000, "words_per_minute": 60_000, "jitter": 1}
        control.ok("PUT", "/pace", pace)
        script(control, reply=SPEECH)
        with chat(api, connect(api, npc)) as talk:
            assert talk.say("Hello.") == SPEECH

    @pytest.mark.parametrize("stream", ["", "True"])
    def test_holds_on_plain_http_too(self, control: Control, api: Api, npc: str, stream: str) -> None:
        control.ok("DELETE", "/clock")
        control.ok("PUT", "/pace", {"first_token_ms": 30, "tokens_per_second": 100})
        script(control, reply=SPEECH)
        form = {"charID": npc, "userText": "Hello.", "sessionID": "-1", **({"stream": stream} if stream else {})}
        response = api.client.post(GET_RESPONSE, data=form, headers=api.headers(GET_RESPONSE))
        if stream:
            assert [piece["text"] for piece in events_in(response)] == ["One ", "two ", "three ", "four ", "five."]
        else:
            assert response.json()["text"] == SPEECH

    def test_holds_in_a_stream(self, control: Control, api: Api, npc: str) -> None:
        control.ok("DELETE", "/clock")
        control.ok("PUT", "/pace", {"first_token_ms": 5, "tokens_per_second": 1000})
        script(control, reply=SPEECH)
        form = {"character_id": npc, "text_input": "Hello."}
        events = events_in(api.client.post(STREAM, data=form, headers=api.headers(STREAM)))
        assert kinds(events).count("bot-llm-text") == 5

    def test_and_replies_are_part_of_state_and_snapshots(self, control: Control, api: Api, other: Api) -> None:
        control.ok("PUT", "/pace", {"first_token_ms": 300})
        script(control, reply="Hi.")
        replies = control.ok("GET", "/replies")
        state = control.state()
        assert state["account"] == {"replies": replies, "pace": {"first_token_ms": 300}}
        copy = Control(other.client, other.key)
        copy.ok("POST", "/seed", state)
        assert (copy.ok("GET", "/pace"), copy.ok("GET", "/replies")) == ({"first_token_ms": 300}, replies)
        control.ok("PUT", "/snapshots/slow", None)
        control.ok("DELETE", "/pace")
        control.ok("POST", "/snapshots/slow/restore", None)
        assert control.ok("GET", "/pace") == {"first_token_ms": 300}
        control.ok("POST", "/reset")
        assert control.ok("GET", "/pace") == {}


class TestInterruption:
    @pytest.fixture(autouse=True)
    def slow(self, control: Control) -> None:
        """A word a second, written and then spoken."""
        control.ok("PUT", "/pace", {"tokens_per_second": 1, "words_per_minute": 60})
        script(control, reply=SPEECH)

    CLOSING = ("bot-llm-stopped", "bot-tts-started", "bot-started-speaking", "bot-stopped-speaking")

    def begin(self, control: Control, talk: Chat, seconds: float, words: int) -> None:
        """Let a turn be on its way for so long, and read so many words of it."""
        talk.send("user_text_message", text="Hello.")
        until(talk, "bot-llm-started")
        control.ok("PUT", "/clock", {"advance": seconds})
        for _ in range(words):
            assert talk.receive()["type"] == "bot-llm-text"

    def said(self, api: Api, npc: str, session: Frame) -> list[str]:
        """What the character said, by the history."""
        turns = details(api, npc, session["character_session_id"])
        return [turn["interaction"][1]["message"] for turn in turns]

    def test_cuts_the_text(self, control: Control, api: Api, npc: str, session: Frame, talk: Chat) -> None:
        self.begin(control, talk, 2, 3)
        assert talk.send("interrupt-bot")["message"] == "Bot interrupted successfully"
        rest = talk.turn()
        assert kinds(rest) == [*self.CLOSING, "bot-turn-completed"]
        assert rest[-1] == server_message("bot-turn-completed", was_interrupted=True)
        assert self.said(api, npc, session) == ["One two three "]

    def test_cuts_the_speech(self, control: Control, api: Api, npc: str, session: Frame, talk: Chat) -> None:
        self.begin(control, talk, 4, 5)
        until(talk, "bot-started-speaking")
        control.ok("PUT", "/clock", {"advance": 2.5})
        talk.send("interrupt-bot")
        assert kinds(talk.turn()) == ["bot-stopped-speaking", "bot-turn-completed"]
        assert self.said(api, npc, session) == ["One two"]

    @pytest.mark.parametrize(
        "message",
        [
            ("user_text_message", {"text": "Stop."}),
            ("trigger-message", {"trigger_name": "alarm"}),
            ("context-update", {"text": "It rains.", "run_llm": "true"}),
        ],
        ids=lambda message: message[0],
    )
    def test_comes_with_new_text(self, control: Control, talk: Chat, message: tuple[str, Frame]) -> None:
        self.begin(control, talk, 0, 1)
        assert talk.send(message[0], **message[1])["status"] == "success"
        assert talk.turn()[-1] == server_message("bot-turn-completed", was_interrupted=True)
        frames = until(talk, "bot-llm-text")
        control.ok("PUT", "/clock", {"advance": 60})
        frames += talk.turn()
        assert answer_in(frames) == SPEECH
        assert frames[-1] == server_message("bot-turn-completed", was_interrupted=False)

    def test_without_a_voice_ends_the_text(self, control: Control, talk: Chat) -> None:
        talk.send("tts-toggle", enabled=False)
        self.begin(control, talk, 0, 1)
        talk.send("interrupt-bot")
        assert kinds(talk.turn()) == ["bot-llm-stopped", "bot-turn-completed"]

    def test_happens_when_the_client_leaves(self, control: Control, api: Api, npc: str, session: Frame) -> None:
        with chat(api, session) as talk:
            self.begin(control, talk, 1, 2)
        assert self.said(api, npc, session) == ["One two "]
        assert [one["is_added_to_memory"] for one in history(api, npc)] == [True]

    def test_of_a_session_that_is_killed(self, control: Control, talk: Chat) -> None:
        self.begin(control, talk, 0, 1)
        talk.socket.send_json({"type": "kill-pipeline"})
        assert talk.turn()[-1] == server_message("bot-turn-completed", was_interrupted=True)
        assert talk.receive()["event_type"] == "kill-pipeline"
        assert talk.closed() == (1000, "Session ended")

    def test_of_what_is_not_being_said_is_only_acknowledged(self, control: Control, talk: Chat) -> None:
        assert talk.send("interrupt-bot")["status"] == "success"
        control.ok("DELETE", "/pace")
        assert talk.say("Hello.") == SPEECH
        assert talk.send("interrupt-bot")["status"] == "success"
        assert talk.say("Hello.") == SPEECH

    def test_the_history_of_a_turn_that_was_not_cut_is_whole(
        self, control: Control, api: Api, npc: str, session: Frame, talk: Chat
    ) -> None:
        self.begin(control, talk, 60, 5)
        assert kinds(talk.turn())[-1] == "bot-turn-completed"
        assert self.said(api, npc, session) == [SPEECH]
        assert details(api, npc, session["character_session_id"])[0]["timestamp"].startswith(NOON[:10])
