"""What the tests of the order of events share: random steps, and a small model of what may come next.

The order is that of docs/contract.md section 9.
"""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2 as httpx
from hypothesis import strategies as st
from starlette.testclient import TestClient

from fake_convai.live.messages import Event, kind_of
from tests.api.talking import Frame, connect, details
from tests.conftest import Api
from tests.control.driving import Control

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
ANY_STEP = st.one_of(
    st.tuples(st.just("say"), st.sampled_from(TEXTS)),
    st.tuples(st.just("trigger"), st.sampled_from(TEXTS)),
    st.tuples(st.just("interrupt")),
    st.tuples(st.just("toggle"), st.booleans()),
    st.tuples(st.just("advance"), st.sampled_from([0.5, 1, 3, 20])),
    st.tuples(st.just("pace"), st.sampled_from(range(len(PACES)))),
    st.tuples(st.just("fault"), st.sampled_from([{"status": 503}, {"delay_ms": 1}, {"status": 500, "when": "after"}])),
    st.tuples(st.just("break"), st.sampled_from(DEEDS)),
)
PACE = st.tuples(st.just("pace"), st.sampled_from(range(len(PACES))))


def _beginning_with_a_pace(step: st.SearchStrategy[Step]) -> st.SearchStrategy[list[Step]]:
    """Most of what may go wrong needs turns that take time."""
    return st.builds(lambda pace, steps: [pace, *steps], PACE, st.lists(step, min_size=1, max_size=12))


STEPS = _beginning_with_a_pace(ANY_STEP)
ROOM_STEPS = _beginning_with_a_pace(st.one_of(ANY_STEP, st.tuples(st.just("speak"))))


class Model:
    """What may come next on a session."""

    ORDER: tuple[str, ...] = (
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


def prepared(client: TestClient) -> tuple[Api, Control, str, Frame]:
    """An account whose clock stands still, with a character, and a session with it."""
    api = Api(client, f"key-{uuid.uuid4()}")
    control = Control(client, api.key)
    control.freeze()
    control.ok("PUT", "/replies", REPLIES)
    npc = api.character()
    return api, control, npc, connect(api, npc)


@contextmanager
def stage(url: str) -> Iterator[tuple[httpx.Client, Callable[..., Any]]]:
    """A client of a server at `url` and its control plane, for an account of its own whose clock stands still and whose
    character "npc" answers in all the ways."""
    headers = {"X-API-Key": f"key-{uuid.uuid4()}"}
    with httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=120) as http:

        def control(method: str, path: str, body: Any = None) -> Any:
            answer = http.request(method, f"/_fake{path}", json=body)
            assert answer.status_code == 200, answer.text
            return answer.json()

        control("PUT", "/clock", {"now": "2026-01-01"})
        control("POST", "/seed", {"characters": [{"character_id": "npc"}], "account": {"replies": REPLIES}})
        yield http, control
