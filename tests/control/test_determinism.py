"""`--random-seed` and a frozen clock: the same script gets the same answers, byte for byte."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from fake_convai.app import create_app
from fake_convai.settings import Settings
from tests.conftest import Api
from tests.control.conftest import Run
from tests.control.driving import Control, account, play, use_everything

KEY = "test-key"


@pytest.fixture
def fresh() -> Iterator[Callable[..., TestClient]]:
    """Starts servers with nothing in them."""
    running: list[TestClient] = []

    def start(**settings: Any) -> TestClient:
        running.append(TestClient(create_app(Settings(**settings))).__enter__())
        return running[-1]

    yield start
    for client in running:
        client.__exit__(None, None, None)


def test_two_runs_say_the_same(fresh: Callable[..., TestClient]) -> None:
    first, second = (play(Api(fresh(random_seed=1), KEY)) for _ in range(2))
    assert first == second
    assert len(first) > 20


def test_another_seed_another_key_or_none_says_something_else(fresh: Callable[..., TestClient]) -> None:
    runs = [(1, KEY), (2, KEY), (1, f"{KEY}-2"), (None, KEY), (None, KEY)]
    played = [play(Api(fresh(random_seed=seed), key)) for seed, key in runs]
    assert [one for number, one in enumerate(played) if one in played[:number]] == []


def test_the_state_and_the_journal_are_the_same(fresh: Callable[..., TestClient]) -> None:
    shown = []
    for client in (fresh(random_seed=1), fresh(random_seed=1)):
        api, control = account(client, KEY)
        control.freeze()
        use_everything(api)
        requests = control.requests()
        for entry in requests:
            assert entry.pop("duration_ms") > 0
            assert entry.pop("trace_id")
        shown.append((control.state(), requests))
    assert shown[0] == shown[1]


def test_faults_are_the_same_too(fresh: Callable[..., TestClient]) -> None:
    played = []
    for client in (fresh(random_seed=1), fresh(random_seed=1)):
        api, control = account(client, KEY)
        control.fault(status=500, rate=0.5, times=None)
        played.append([api.post("/beta/user/end-users/list").content for _ in range(20)])
        played[-1].append(api.post("/beta/memory/list", **{"X-Fake-Convai-Fault": "500"}).content)
    assert played[0] == played[1]
    assert len(set(played[0])) > 5


def test_other_accounts_change_nothing(run: Run) -> None:
    key = f"key-{uuid.uuid4()}"
    with run(random_seed=1) as client:
        for _ in range(3):
            account(client)[0].character()
        api, control = account(client, key)
        alone = [play(api, cursors=False)]
        control.ok("POST", "/reset")
        account(client)[0].character()
        alone.append(play(api, cursors=False))
    assert alone[0] == alone[1]


def test_a_file_goes_on_where_it_was(fresh: Callable[..., TestClient], tmp_path: Path) -> None:
    ids = []
    for _ in range(2):
        with TestClient(create_app(Settings(random_seed=1, database=str(tmp_path / "fake.db")))) as client:
            ids.append(Api(client, KEY).character())
    api = Api(fresh(random_seed=1), KEY)
    assert [api.character(), api.character()] == ids


def test_what_a_seed_leaves_out_is_the_same_without_any_seed(fresh: Callable[..., TestClient]) -> None:
    document = {
        "characters": [{"character_id": "npc"}],
        "memories": [{"character_id": "npc", "end_user_id": "player-42", "memory": "Tall."}],
        "sessions": [{"character_id": "npc"}],
    }
    states = []
    for client in (fresh(), fresh()):
        control = Control(client, KEY)
        control.freeze()
        control.ok("POST", "/seed", document)
        states.append(control.state())
    assert states[0] == states[1]
