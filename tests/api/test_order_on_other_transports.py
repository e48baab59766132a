"""The same order in a room (without its LiveKit, which only hands packets on) and on `/connect/stream`."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import httpx2 as httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from fake_convai.live.seat import Seat
from fake_convai.live.shapes import Message, Sound
from fake_convai.store import sessions
from tests.api.ordering import (
    DEEDS,
    PACES,
    ROOM_STEPS,
    TEXTS,
    Model,
    Recorder,
    Step,
    message,
    prepared,
    stage,
    steer,
    texts_are_kept,
)
from tests.conftest import on_sqlite, running

SECONDS = 120


class Stage:
    """A room of which only what is said in it is looked at, without what its SDKs read besides."""

    BESIDES = (
        *("user-transcription", "bot-transcription", "bot-tts-stopped", "bot-started-speaking", "bot-stopped-speaking"),
        *("bot-turn-completed", "user-started-speaking", "user-stopped-speaking"),
    )

    def __init__(self, model: Model, *, is_heard_out: bool) -> None:
        """`is_heard_out` is whether voices sound to their end when nobody cuts them."""
        self.recorder = Recorder(model)
        self._is_heard_out = is_heard_out
        self.acknowledged = 0
        self._working: set[asyncio.Task[Any]] = set()
        self._is_cut = False

    def send(self, message: Message, to: str | None) -> None:
        """Hold a message against the model, unless it is one of those besides."""
        is_again = message["type"] == "server-message" and message["data"]["type"] == "server-response"
        self.acknowledged += is_again
        if message["type"] not in self.BESIDES and not is_again:
            self.start(self.recorder.send(message))  # type: ignore[arg-type]

    def send_packet(self, data: bytes, to: str | None) -> None:
        """Only a fault makes packets that are no messages."""
        assert self.recorder.model.is_broken

    def sound(self, *, track: bool, tap: Callable[[bytes], None] | None) -> None:
        """Begin to sound."""
        self._is_cut = False

    async def finish(self, seconds: float) -> bool:
        """Sound for no time."""
        await asyncio.sleep(0)
        return self._is_heard_out and not self._is_cut

    def hush(self) -> None:
        """Sound no more."""
        self._is_cut = True

    def finished_speaking(self, identity: str) -> None:
        """Nobody's microphone is heard here."""

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do it meanwhile."""
        task = asyncio.ensure_future(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    def vacate(self, seat: Seat) -> None:
        """Nobody follows."""

    async def desert(self) -> None:
        """The character has gone."""


@on_sqlite
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=ROOM_STEPS, is_heard_out=st.booleans())
def test_in_a_room(client: TestClient, steps: list[Step], is_heard_out: bool) -> None:
    api, control, npc, session = prepared(client)
    model = Model()
    backend, hub, portal = running(client).backend, running(client).hub, client.portal
    assert portal is not None

    async def sit() -> tuple[Stage, Seat]:
        stored = await backend.database.read(lambda tx: sessions.find(tx, session["session_id"]))
        assert stored is not None
        await backend.account_store(stored.account_id).write(sessions.hold, stored.session_id, hub.holder)
        stage = Stage(model, is_heard_out=is_heard_out)
        return stage, Seat(stage, backend, hub, stored, "player-42", Sound())

    def is_heard(stage: Stage, seat: Seat, sent: int) -> bool:
        is_over = seat._carrying.done() or seat._inbox.empty()  # a fault may end it before all is heard
        return is_over if model.is_broken else stage.acknowledged == sent

    async def speak(seat: Seat) -> None:
        seat.hear("started")
        seat.hear("stopped")

    async def receive(seat: Seat, step: Step) -> None:
        seat.receive(json.dumps(message(step)).encode())

    stage, seat = portal.call(sit)
    sent = 0
    for step in [*steps, ("toggle", True)]:  # whose acknowledgement says that all before it has been heard
        if step[0] == "speak":
            portal.call(speak, seat)
        elif step[0] in ("say", "trigger", "interrupt", "toggle"):
            portal.call(receive, seat, step)
            sent += 1
        else:
            model.is_broken = model.is_broken or step[0] in ("fault", "break")
            steer(control, step)
    give_up = time.monotonic() + SECONDS
    while not portal.call(is_heard, stage, seat, sent):
        assert time.monotonic() < give_up
    portal.call(seat.leave)
    portal.call(asyncio.sleep, 0)
    assert stage.recorder.wrong == []
    if not model.is_broken:
        assert model.seen == []
        assert model.turns == sum(step[0] in ("say", "trigger", "speak") for step in steps)
    texts_are_kept(api, npc, session)


class StreamModel(Model):
    """What may come next on a stream, which is one turn without a voice."""

    ORDER: tuple[str, ...] = (
        "connection-started",
        "moderation-response",
        "bot-llm-started",
        "bot-llm-text",
        "llm-no-response",
        "bot-transcription",
        "bot-llm-stopped",
        "action-response",
        "bot-emotion",
        "behavior-tree-response",
        "connection-stoppped",
    )


STREAM_STEPS = st.lists(
    st.tuples(
        st.sampled_from(TEXTS),
        st.sampled_from(PACES),
        st.sampled_from([None, *DEEDS, "reset"]),
        st.lists(st.sampled_from([0.5, 1, 3]), max_size=3),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(turns=STREAM_STEPS)
def test_on_a_real_stream(served: str, turns: list[Step]) -> None:
    with stage(served) as (http, control):
        for text, pace, deed, advances in turns:
            control("PUT", "/pace", pace)
            if deed is not None:
                control("POST", "/faults", {"match": {}, "at": {"event": "*", "nth": 3}, "do": deed})
            over = threading.Event()
            clock = threading.Thread(target=_tick, args=(control, advances, over))
            clock.start()
            model = StreamModel()
            model.is_broken = deed is not None
            try:
                with http.stream(
                    "POST", "/live/connect/stream", data={"character_id": "npc", "text_input": text}
                ) as it:
                    for line in it.iter_lines():
                        _take(model, line)
            except httpx.TransportError:
                assert model.is_broken
            finally:
                over.set()
                clock.join()
            if not model.is_broken:
                assert model.seen[0] == "connection-started"
                assert model.seen[-1] == "connection-stoppped"
                assert ("bot-llm-started" in model.seen) == ("bot-llm-stopped" in model.seen)
            control("DELETE", "/faults")


def _tick(control: Callable[..., Any], advances: list[float], over: threading.Event) -> None:
    """Let the account's time pass until the stream is over."""
    for seconds in [*advances, *[30] * 1000]:
        if over.wait(0.01):
            return
        control("PUT", "/clock", {"advance": seconds})


def _take(model: Model, line: str) -> None:
    if line.startswith("data: "):
        try:
            event = json.loads(line.removeprefix("data: "))
        except json.JSONDecodeError:
            assert model.is_broken
        else:
            model.take(event)
