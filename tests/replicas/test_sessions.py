"""Live sessions: the WebSocket is in one replica, the session is everybody's."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as open_websocket

from fake_convai.live.hub import SILENT_SWEEPS
from fake_convai.store import sessions
from tests.api.talking import ASK_NAME, MY_NAME, NAME_FACT, connect, disconnect, facts, history, said_in, sweep
from tests.conftest import Api
from tests.control.driving import Control
from tests.replicas.conftest import Replica, Replicas, replica
from tests.replicas.database import DEADLINE, Watcher, eventually

ENDED = (1000, "Session ended")
TAKEN = (1008, "Session already has an active connection. Only one WebSocket per session allowed.")
EXPIRED = (1008, "Session expired. Please reconnect via /connect")


@contextmanager
def chat(at: Replica, session: dict[str, Any]) -> Iterator[ClientConnection]:
    """A WebSocket of the session, at a replica."""
    url = f"ws://{at.served.netloc}/live/chat?session_id={session['session_id']}"
    with open_websocket(url, open_timeout=DEADLINE, compression=None) as websocket:
        yield websocket


def say(websocket: ClientConnection, text: str) -> str:
    """Say something; returns the answer."""
    websocket.send(json.dumps({"type": "user_text_message", "data": {"text": text}}))
    answer = ""
    while True:
        frame = json.loads(websocket.recv(DEADLINE))
        if frame["type"] == "bot-llm-text":
            answer += frame["data"]["text"]
        if frame.get("data", {}).get("type") == "bot-turn-completed":
            return answer


def closed(websocket: ClientConnection) -> tuple[int | None, str | None]:
    """Code and reason of the close that comes next."""
    with pytest.raises(ConnectionClosed):
        websocket.recv(DEADLINE)
    return websocket.close_code, websocket.close_reason


@pytest.fixture
def npc(both: tuple[Api, Api], controls: tuple[Control, Control]) -> str:
    """A character with memory, in an account where a fact that is remembered twice is stored twice."""
    controls[0].ok("POST", "/seed", {"account": {"dedup": "off"}})
    return both[0].character(memory=True)


def test_a_session_is_ended_from_another_replica(
    replicas: Replicas, both: tuple[Api, Api], watcher: Watcher, npc: str
) -> None:
    one, two = both
    session = connect(one, npc, "player-42")
    with chat(replicas.one, session) as websocket:
        say(websocket, MY_NAME)
        # Two more find out at the same time that it is over: the idle sweep and the socket's own replica do just this.
        watcher.race(
            ("SELECT 1 FROM live_sessions WHERE session_id = $1 FOR UPDATE", session["session_id"]),
            lambda: disconnect(two, session),
            lambda: disconnect(one, session),
            lambda: disconnect(two, session),
        )
        assert facts(two, npc, "player-42") == [NAME_FACT]
        assert closed(websocket) == ENDED
    assert facts(one, npc, "player-42") == [NAME_FACT]
    assert [summary["is_added_to_memory"] for summary in history(two, npc)] == [True]
    assert said_in(two, npc, session["character_session_id"]) == [MY_NAME]


def test_a_socket_closes_whose_session_only_another_replica_has_ended(
    replicas: Replicas, both: tuple[Api, Api], npc: str
) -> None:
    _, two = both
    session = connect(two, npc, "player-42")
    with chat(replicas.one, session) as websocket:
        say(websocket, MY_NAME)
        disconnect(two, session)
        assert facts(two, npc, "player-42") == [NAME_FACT]
        assert closed(websocket) == ENDED
    with chat(replicas.one, session) as again:
        assert closed(again) == EXPIRED


def test_a_session_has_one_socket_among_all_replicas(replicas: Replicas, both: tuple[Api, Api], npc: str) -> None:
    session = connect(both[0], npc, "player-42")
    with chat(replicas.one, session) as websocket:
        say(websocket, MY_NAME)
        with chat(replicas.two, session) as second:
            assert closed(second) == TAKEN
        assert "Jordan" in say(websocket, ASK_NAME)


def test_a_conversation_goes_on_at_another_replica(replicas: Replicas, both: tuple[Api, Api], npc: str) -> None:
    one, two = both
    first = connect(one, npc, "player-42")
    with chat(replicas.one, first) as websocket:
        say(websocket, MY_NAME)
    second = connect(two, npc, "player-42", character_session_id=first["character_session_id"])
    with chat(replicas.two, second) as websocket:
        assert "Jordan" in say(websocket, ASK_NAME)
    disconnect(one, second)
    assert said_in(one, npc, first["character_session_id"]) == [MY_NAME, ASK_NAME]


def test_a_session_outlives_the_replica_that_was_killed(
    replicas: Replicas, replicas_url: str, both: tuple[Api, Api], controls: tuple[Control, Control], npc: str
) -> None:
    one, _ = both
    with replica(replicas_url) as third:
        session = connect(one, npc, "player-42")
        with chat(third, session) as websocket:
            say(websocket, MY_NAME)
            third.served.stop(signal.SIGKILL)
            with pytest.raises(ConnectionClosed):
                websocket.recv(DEADLINE)
    assert facts(one, npc, "player-42") == []
    controls[1].ok("PUT", "/clock", {"advance": 600})
    assert eventually(lambda: facts(one, npc, "player-42")) == [NAME_FACT]
    assert [summary["is_added_to_memory"] for summary in history(one, npc)] == [True]
    with chat(replicas.one, session) as again:
        assert closed(again) == EXPIRED


def test_what_a_process_held_that_falls_silent_ends(inside: tuple[Api, Api], npc: str) -> None:
    """As one does that was killed. One that is there says so; its sessions stay."""
    three, four = inside
    hall = {"shared_session_key": "hall", "max_num_participants": 3}
    mine, theirs = connect(three, npc, "ada"), connect(four, npc, "bob", transport="livekit", **hall)
    with three.client.websocket_connect(f"/live/chat?session_id={mine['session_id']}") as websocket:
        websocket.send_json({"type": "reset-idle-timer"})
        assert websocket.receive_json()["status"] == "success"
        assert four.write(lambda tx: sessions.hold(tx, theirs["session_id"], "killed")) is True
        joined = connect(four, npc, "cy", transport="livekit", mode="join", shared_session_key="hall")
        sweep(four)
        assert is_open(four, mine, theirs, joined) == [True, True, True]
        for _ in range(SILENT_SWEEPS):
            sweep(three)
            sweep(four)
        assert is_open(four, mine, theirs, joined) == [True, False, False]
        refused = four.post("/live/connect", {"mode": "join", "shared_session_key": "hall", "end_user_id": "dee"})
        assert refused.status_code == 404, refused.text


def is_open(api: Api, *connected: dict[str, Any]) -> list[bool]:
    """Whether each session is."""
    found = [api.write(partial(sessions.find, session_id=one["session_id"])) for one in connected]
    return [session is not None and session.ended_at is None for session in found]
