"""Whatever happens while characters speak, the events of a session come in the documented order.

Random interleavings of texts, interruptions, clock steps, faults and disconnects are held against a small model of it
(docs/contract.md section 9), on a real WebSocket as well as on the class that every transport carries.
"""

import asyncio
import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect as dial

from fake_convai.live.conversation import Conversation, Over
from fake_convai.live.messages import Event, kind_of
from fake_convai.store import sessions
from tests.api.talking import Frame, connect, details
from tests.conftest import Api, running
from tests.control.driving import Control
from tests.serving import serve

REPLIES = {
    "replies": [
        {"match": "act", "reply": "On my way to it.", "actions": ["Wave"], "emotion": {"emotion": "happy", "scale": 1}},
        {"match": "mute", "no_response": "abstain"},
        {"match": "rude", "moderation": {"result": False, "reason": "rude"}},
        {"match": "mouth", "reply": "One two three.", "visemes": True},
    ],
    "default": "One two three four five.",
}
PACES: list[Frame] = [{}, {"tokens_per_second": 1}, {"first_token_ms": 1500, "words_per_minute": 60}]
TEXTS = ["hello", "act", "mute", "rude", "mouth"]
DEEDS = ["duplicate", "reorder", "malformed", "end", "error"]

Step = tuple[Any, ...]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.sampled_from(TEXTS)),
        st.tuples(st.just("trigger"), st.sampled_from(TEXTS)),
        st.tuples(st.just("interrupt")),
        st.tuples(st.just("toggle"), st.booleans()),
        st.tuples(st.just("advance"), st.sampled_from([0.5, 1, 3, 30])),
        st.tuples(st.just("pace"), st.sampled_from(range(len(PACES)))),
        st.tuples(
            st.just("fault"), st.sampled_from([{"status": 503}, {"delay_ms": 1}, {"status": 500, "when": "after"}])
        ),
        st.tuples(st.just("break"), st.sampled_from(DEEDS)),
    ),
    min_size=1,
    max_size=12,
)


class Model:
    """What may come next on a session."""

    ORDER = (
        "final-user-transcription",
        "moderation-response",
        "bot-llm-started",
        "bot-llm-text",
        "llm-no-response",
        "bot-llm-stopped",
        "action-response",
        "bot-emotion",
        "behavior-tree-response",
        "bot-tts-started",
        "bot-started-speaking",
        "visemes",
        "bot-stopped-speaking",
    )
    """Of one turn; each comes after those before it, and some not at all."""
    MANY = ("bot-llm-text", "visemes")

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.created = 0
        self.turns = 0
        self.is_broken = False
        """Whether a fault has happened: then frames may be missing, doubled or out of order."""

    def take(self, event: Frame) -> None:
        """The next event; raises what it breaks."""
        kind = kind_of(event)  # type: ignore[arg-type]
        if kind == "server-response":
            assert "status" in event
            return
        if kind == "interaction-created":
            self.created += 1
            assert self.created == 1
            assert self.turns == 0
            assert not self.seen
            return
        if self.is_broken:
            return
        if kind == "bot-turn-completed":
            self._completed(was_interrupted=event["data"]["was_interrupted"])
            return
        place = self.ORDER.index(kind)
        assert all(self.ORDER.index(other) <= place for other in self.seen), (kind, self.seen)
        assert kind not in self.seen or kind in self.MANY, (kind, self.seen)
        self.seen.append(kind)

    def _completed(self, *, was_interrupted: bool) -> None:
        for begin, end in (
            ("bot-llm-started", "bot-llm-stopped"),
            ("bot-tts-started", "bot-stopped-speaking"),
            ("bot-started-speaking", "bot-stopped-speaking"),
        ):
            assert (begin in self.seen) == (end in self.seen), self.seen
        if "bot-llm-text" in self.seen:
            assert "llm-no-response" not in self.seen
        assert not was_interrupted or "bot-llm-started" in self.seen
        self.seen = []
        self.turns += 1


def message(step: Step) -> Frame:
    """What a client sends for a step."""
    if step[0] == "say":
        return {"type": "user_text_message", "data": {"text": step[1]}}
    if step[0] == "trigger":
        return {"type": "trigger-message", "data": {"trigger_message": step[1]}}
    if step[0] == "toggle":
        return {"type": "tts-toggle", "data": {"enabled": step[1]}}
    return {"type": "interrupt-bot"}


def steer(control: Control, step: Step) -> None:
    """Do to the account what a step says."""
    if step[0] == "advance":
        control.ok("PUT", "/clock", {"advance": step[1]})
    elif step[0] == "pace":
        control.ok("PUT", "/pace", PACES[step[1]])
    elif step[0] == "fault":
        control.fault(match={"path": "/chat"}, **step[1])
    else:
        control.fault(match={"path": "/chat"}, at={"event": "*", "nth": 3}, do=step[1])


class Recorder:
    """A connection that keeps what is sent."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.closed: tuple[int, str] | None = None
        self.wrong: list[AssertionError] = []

    async def send(self, event: Event) -> None:
        """Hold an event against the model."""
        try:
            self.model.take(json.loads(json.dumps(event)))
        except AssertionError as error:
            self.wrong.append(error)

    async def close(self, code: int, reason: str) -> None:
        """Nothing may be sent from now on."""
        self.closed = self.closed or (code, reason)


def texts_are_kept(api: Api, npc: str, session: Frame) -> None:
    """What the history says that the character said is what it says, or the beginning of that."""
    default: str = "One two three four five."
    said = {"act": "On my way to it.", "mute": "", "rude": "", "mouth": "One two three."}
    for turn in details(api, npc, session["character_session_id"]):
        user, character = (line["message"] for line in turn["interaction"])
        assert said.get(user, default).startswith(character), (user, character)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_on_any_transport(client: TestClient, steps: list[Step]) -> None:
    api = Api(client, f"key-{uuid.uuid4()}")
    control = Control(client, api.key)
    control.freeze()
    control.ok("PUT", "/replies", REPLIES)
    npc = api.character()
    session, model = connect(api, npc), Model()
    recorder = Recorder(model)
    backend, hub = running(client).backend, running(client).hub
    assert client.portal is not None

    def call(work: Any, *arguments: Any) -> Any:
        assert client.portal is not None
        return client.portal.call(work, *arguments)

    stored = call(backend.database.read, lambda tx: sessions.find(tx, session["session_id"]))
    call(backend.account_store(stored.account_id).write, sessions.hold, stored.session_id, hub.holder)
    hub.attach(stored.session_id, recorder)
    conversation = Conversation(backend, hub, stored, recorder)
    try:
        for step in steps:
            if step[0] in ("say", "trigger", "interrupt", "toggle"):
                call(conversation.take, message(step))
            else:
                # On a connection that cannot be broken a stream's faults do not happen.
                model.is_broken = model.is_broken or step[0] == "fault"
                steer(control, step)
            call(asyncio.sleep, 0)
    except Over as over:
        if not model.is_broken:
            recorder.wrong.append(AssertionError(str(over)))
    finally:
        call(conversation.leave)
        call(hub.leave, stored.account_id, stored.session_id)
    assert recorder.wrong == []
    if not model.is_broken:
        assert model.seen == []
        assert model.turns == sum(step[0] in ("say", "trigger") for step in steps)
    texts_are_kept(api, npc, session)


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    """A server with real sockets."""
    with serve() as server:
        yield server.url


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_on_a_real_socket(served: str, steps: list[Step]) -> None:
    import httpx2 as httpx

    key, model, sent = f"key-{uuid.uuid4()}", Model(), 0
    with httpx.Client(base_url=served, headers={"X-API-Key": key}, trust_env=False, timeout=20) as http:

        def control(method: str, path: str, body: Any = None) -> Any:
            answer = http.request(method, f"/_fake{path}", json=body)
            assert answer.status_code == 200, answer.text
            return answer.json()

        control("PUT", "/clock", {"now": "2026-01-01"})
        control("POST", "/seed", {"characters": [{"character_id": "npc"}], "account": {"replies": REPLIES}})
        session = http.post("/live/connect", json={"character_id": "npc", "transport": "websocket"}).json()
        with dial(session["room_url"]) as socket:
            try:
                for step in steps:
                    if step[0] in ("say", "trigger", "interrupt", "toggle"):
                        socket.send(json.dumps(message(step)))
                        sent += 1
                    elif step[0] == "advance":
                        control("PUT", "/clock", {"advance": step[1]})
                    elif step[0] == "pace":
                        control("PUT", "/pace", PACES[step[1]])
                    else:
                        model.is_broken = True
                        deed = step[1] if step[0] == "fault" else {"at": {"event": "*", "nth": 3}, "do": step[1]}
                        control("POST", "/faults", {"match": {"path": "/chat"}, **deed})
                socket.send('{"type": "kill-pipeline"}')
            except ConnectionClosed:
                assert model.is_broken
            answers = 0
            for text in socket:
                try:
                    event = json.loads(text)
                except json.JSONDecodeError:
                    assert model.is_broken
                    continue
                answers += event["type"] == "server-response"
                model.take(event)
    if not model.is_broken:
        assert answers == sent + 1
        assert model.seen == []
        assert model.turns == sum(step[0] in ("say", "trigger") for step in steps)
