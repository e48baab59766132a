"""The order in which transactions take their locks (docs/design.md), recorded while everything is used.

The locks are those that the statements take on PostgreSQL; they are read off the statements, so that it does not matter
which database runs them, or whether two requests happen to meet.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pytest
from sqlalchemy import Delete, Insert, Select, Table, Update
from starlette.testclient import TestClient

from fake_convai.app import create_app
from fake_convai.settings import Settings
from fake_convai.store import tables
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.query import Query
from fake_convai.store.sqlite import _SqliteTransaction
from tests.api.talking import chat, connect, disconnect
from tests.conftest import Api
from tests.control.driving import Control, use_everything

ORDER = ("accounts", "speakers", "characters", "partitions", "memories", "conversations", "live_sessions", "ltm_usage")


class Recorder:
    """What one transaction has locked so far."""

    def __init__(self) -> None:
        self.locks: list[str] = []
        self._made: set[str] = set()

    def note(self, query: Query, result: Any) -> None:
        """A statement has run."""
        self.locks += self._locked_by(query.postgresql, result)

    def _locked_by(self, statement: Any, result: Any) -> list[str]:
        if isinstance(statement, Select):
            wanted = statement._for_update_arg
            if wanted is None or not result:  # nobody was found, so nothing was locked
                return []
            tables: Any = wanted.of or statement.get_final_froms()
            return [str(table.name) for table in tables]
        if isinstance(statement, Insert):
            table = statement.table
            assert isinstance(table, Table)
            parents = {str(key.column.table.name) for key in table.foreign_keys}
            # An account is never deleted, so what hangs from one never waits for it; and nobody else sees new rows yet.
            waited = parents - self._made - {"accounts"}
            self._made.add(str(table.name))
            return sorted((name for name in waited if name in ORDER), key=ORDER.index)
        if isinstance(statement, Update | Delete):
            changed: Any = statement.table
            return [str(changed.name)] if changed.name not in self._made and result != 0 else []
        return []


def out_of_order(locks: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of which the second was locked after the first and should have been before."""
    taken: list[str] = []
    wrong = []
    for name in locks:
        if name not in ORDER or name in taken:
            continue
        wrong += [(earlier, name) for earlier in taken if ORDER.index(earlier) > ORDER.index(name)]
        taken.append(name)
    return wrong


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> dict[_SqliteTransaction, Recorder]:
    """Each transaction from now on, as if others ran beside it, and what it locks."""
    transactions: dict[_SqliteTransaction, Recorder] = defaultdict(Recorder)

    def recording(name: str) -> Any:
        plain = getattr(_SqliteTransaction, name)

        def run(self: _SqliteTransaction, query: Query, *rows: Any, **parameters: Any) -> Any:
            result = plain(self, query, *rows, **parameters)
            transactions[self].note(query, result)
            return result

        return run

    for name in ("all", "first", "run", "run_many"):
        monkeypatch.setattr(_SqliteTransaction, name, recording(name))
    monkeypatch.setattr(_SqliteTransaction, "shared", True)
    monkeypatch.setattr(AccountTransaction, "see_one_state", lambda self: None)
    return transactions


def test_the_tables_are_those_that_others_hang_from() -> None:
    assert set(ORDER) <= set(tables.metadata.tables)


@pytest.mark.parametrize(
    ("locks", "wrong"),
    [
        (["accounts", "speakers", "memories", "ltm_usage"], []),
        (["speakers", "accounts"], [("speakers", "accounts")]),
        (["accounts", "speakers", "accounts"], []),
        (["live_sessions", "conversations"], [("live_sessions", "conversations")]),
    ],
)
def test_what_is_out_of_order_is_noticed(locks: list[str], wrong: list[tuple[str, str]]) -> None:
    assert out_of_order(locks) == wrong


@pytest.mark.parametrize("options", [{}, {"random_seed": 7}, {"max_sessions": 50, "auto_create_characters": True}])
def test_every_transaction_takes_its_locks_in_one_order(
    recorded: dict[_SqliteTransaction, Recorder], options: dict[str, Any]
) -> None:
    with TestClient(create_app(Settings(livekit="off", **options))) as client:
        api, other = Api(client, "key"), Api(client, "other")
        use_everything(api)
        use_everything(other)
        control = Control(client, "other")
        control.ok("DELETE", "/faults")
        control.ok("POST", "/seed", {"account": {"plan": "enterprise", "dedup": "naive"}})
        npc = other.ok("/production/character/list")["characters"][0]["character_id"]
        for user in ("player-1", "player-2"):
            (fact,) = other.remember(npc, user, "The user has a dog.")
            other.remember(npc, user, "The user has a dog.", "The user likes tea.")
            other.memories(npc, user)
            body = {"character_id": npc, "end_user_id": user, "memory_id": fact["id"]}
            for path in ("get", "delete", "delete-all"):
                other.ok(f"/beta/memory/{path}", body)
            other.ok("/beta/user/end-users/update", {"end_user_id": user, "end_user_metadata": {"name": "Jo"}})
        session = connect(other, npc, "player-1", shared_session_key="key", max_num_participants=2)
        connect(other, npc, "player-2", shared_session_key="key", mode="join")
        with chat(other, session) as talk:
            talk.say("My name is Jordan.")
            sessions = [session["character_session_id"]]
            other.ok("/production/character/chatHistory/delete", {"charID": npc, "sessionIDs": sessions})
        disconnect(other, session)
        other.ok("/production/user/speaker/new", {"deviceId": "device", "name": "Jo"})
        other.ok("/production/user/speaker/new", {"deviceId": "player-1", "name": "Jo"})
        control.ok("PUT", "/snapshots/one")
        control.ok("POST", "/seed", control.ok("GET", "/state"))
        control.ok("POST", "/snapshots/one/restore")
        other.ok("/beta/user/end-users/delete", {"end_user_id": "player-1"})
        other.ok("/production/character/update", {"charID": npc, "charName": "Sam"})
        other.ok("/production/character/delete", {"charID": npc})
        Control(client).ok("PUT", "/clock", {"advance": 10})
        control.ok("POST", "/reset")
        Control(client).ok("POST", "/reset")
    wrong = {pair: one.locks for one in recorded.values() for pair in out_of_order(one.locks)}
    assert wrong == {}
    assert {name for one in recorded.values() for name in one.locks} >= set(ORDER)
