"""The database goes away and comes back: 503 in the words of each surface, then everything works again by itself."""

import json
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient
from websockets.sync.client import connect as open_websocket

from fake_convai import __version__
from fake_convai.app import create_app
from fake_convai.settings import Settings
from fake_convai.store import postgres
from tests.api.talking import MY_NAME, NAME_FACT, connect, facts, history
from tests.conftest import Api
from tests.control.driving import Control
from tests.replicas.conftest import Replica, Replicas, replica
from tests.replicas.database import DEADLINE, Network, Watcher, eventually, network
from tests.replicas.test_sessions import closed, say

DOG = "The user has a dog."
NO_ANSWER = "The database does not answer."
READY = (200, {"status": "ready", "version": __version__})
GONE = (503, {"status": "unavailable", "version": __version__, "reason": NO_ANSWER})


@pytest.fixture(scope="module")
def between(replicas_url: str) -> Iterator[Network]:
    """The network between a replica and the database."""
    (folder,) = parse_qs(urlsplit(replicas_url).query)["host"]
    with network(f"{folder}/.s.PGSQL.5432") as works:
        yield works


@pytest.fixture(scope="module")
def far_url(between: Network) -> str:
    """The database, over this network."""
    return f"postgresql+asyncpg://postgres@127.0.0.1:{between.port}/replicas"


@pytest.fixture(scope="module")
def far_replica(replicas: Replicas, far_url: str) -> Iterator[Replica]:
    """A third replica, which reaches the database over this network."""
    with replica(far_url) as running:
        yield running


@pytest.fixture
def far(far_replica: Replica, between: Network) -> Iterator[Api]:
    """An account there."""
    yield far_replica.account(f"key-{uuid.uuid4()}")
    between.restore()


def health(client: TestClient) -> tuple[int, Any]:
    """Whether it says that it is ready."""
    response = client.get("/_fake/health")
    return response.status_code, response.json()


def assert_unavailable(api: Api, npc: str) -> None:
    """A request to each surface is answered 503 in the shape of the surface, and so is one to the control plane."""
    for path, body, shape in (
        ("/production/character/list", {}, {"ERROR": NO_ANSWER}),
        ("/beta/memory/add", {"character_id": npc, "end_user_id": "u", "memories": [DOG]}, {"ERROR": NO_ANSWER}),
        ("/live/connect", {"character_id": npc}, {"detail": NO_ANSWER}),
    ):
        # An account that the replica has not met yet must be looked up, which fails as well.
        for each in (api, Api(api.client, f"key-{uuid.uuid4()}")):
            response = each.post(path, body)
            assert (response.status_code, response.json()) == (503, shape)
            assert response.headers["content-type"] == "application/json"
    response = Control(api.client, api.key).send("GET", "/state")
    assert (response.status_code, response.json()) == (503, {"ERROR": NO_ANSWER})
    assert health(api.client) == GONE


def test_what_is_asked_meanwhile_is_answered_503_and_what_is_asked_later_as_ever(far: Api, between: Network) -> None:
    npc = far.character()
    (dog,) = far.remember(npc, "player-42", DOG)
    for _ in range(2):
        between.cut()
        assert_unavailable(far, npc)
        between.restore()
        assert health(far.client) == READY
        (again,) = far.remember(npc, "player-42", DOG)
        assert again == {**dog, "event": "update"}


def test_connections_that_were_lost_while_idle_are_not_noticed(far: Api, between: Network, watcher: Watcher) -> None:
    npc = far.character()
    for _ in range(5):  # the next request comes before the replica has heard of it, or after
        assert watcher.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = 'replicas' AND pid <> pg_backend_pid()"
        )
        far.remember(npc, "player-42", DOG)
    between.cut()
    between.restore()
    assert facts(far, npc, "player-42") == [DOG]


@pytest.mark.parametrize("how", ["the backend is terminated", "the network is cut"])
@pytest.mark.parametrize("surface", ["beta", "live"])
def test_a_request_that_loses_its_connection_is_answered_503_and_did_nothing(
    far: Api, between: Network, watcher: Watcher, how: str, surface: str
) -> None:
    npc, user = far.character(), f"player-{far.key}"
    (dog,) = far.remember(npc, user, DOG)
    body: dict[str, Any] = {"character_id": npc, "end_user_id": user}
    tea = "The user likes tea."
    path = "/live/connect" if surface == "live" else "/beta/memory/add"
    body |= {} if surface == "live" else {"memories": [tea, DOG]}
    with ThreadPoolExecutor(1) as pool:
        # The first fact is added, the second waits for the memory that it updates; a session waits for its person.
        table, row, locked = ("speakers", "end_user_id", user) if surface == "live" else ("memories", "id", dog["id"])
        with watcher.holding(f"SELECT 1 FROM {table} WHERE {row} = $1 FOR UPDATE", locked):
            answer: Future[Any] = pool.submit(far.post, path, body)
            (backend,) = eventually(watcher.blocked)
            if how == "the network is cut":
                between.cut()
            else:
                assert watcher.value("SELECT pg_terminate_backend($1)", backend)
            response = answer.result(DEADLINE)
    shape = "detail" if surface == "live" else "ERROR"
    assert (response.status_code, response.json()) == (503, {shape: NO_ANSWER})
    between.restore()
    assert health(far.client) == READY
    assert facts(far, npc, user) == [DOG]
    assert history(far, npc) == []
    assert far.post(path, body).status_code == 200


def test_a_live_session_is_ended_and_remembered_when_the_database_is_back(
    far_replica: Replica, far: Api, between: Network
) -> None:
    npc = far.character(memory=True)
    session = connect(far, npc, "player-42")
    with open_websocket(session["room_url"], open_timeout=DEADLINE, compression=None) as websocket:
        say(websocket, MY_NAME)
        between.cut()
        websocket.send(json.dumps({"type": "user_text_message", "data": {"text": "Hello?"}}))
        assert closed(websocket) == (1011, NO_ANSWER)
    with open_websocket(session["room_url"], open_timeout=DEADLINE, compression=None) as websocket:
        assert closed(websocket) == (1011, NO_ANSWER)
    between.restore()
    assert eventually(lambda: facts(far, npc, "player-42")) == [NAME_FACT]
    assert [summary["is_added_to_memory"] for summary in history(far, npc)] == [True]


def when_idle(api: Api, npc: str, stall: Callable[[], None]) -> int:
    """The status of a request after the network has stalled."""
    stall()
    return api.post("/beta/memory/list", {"character_id": npc, "end_user_id": "player-42"}).status_code


def in_the_middle(api: Api, npc: str, stall: Callable[[], None]) -> int:
    """The status of a request in the middle of which the network stalls."""
    body = {"character_id": npc, "end_user_id": "player-42", "memories": [DOG]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fake_convai.store.memories.people.note_ltm_usage", lambda *_: stall())
        return api.post("/beta/memory/add", body).status_code


@pytest.mark.parametrize("ask", [when_idle, in_the_middle])
def test_a_network_that_swallows_everything_holds_nobody_up_for_ever(
    replicas: Replicas,
    between: Network,
    far_url: str,
    monkeypatch: pytest.MonkeyPatch,
    ask: Callable[[Api, str, Callable[[], None]], int],
) -> None:
    monkeypatch.setattr(postgres, "CONNECT_SECONDS", 0.5)
    monkeypatch.setattr(postgres, "STATEMENT_SECONDS", 0.5)
    with TestClient(create_app(Settings(database=far_url))) as client:
        api = Api(client, f"key-{uuid.uuid4()}")
        npc = api.character()
        api.remember(npc, "player-42", DOG)
        assert ask(api, npc, between.stall) == 503
        assert health(client) == GONE
        between.restore()
        assert facts(api, npc, "player-42") == [DOG]
        assert health(client) == READY
