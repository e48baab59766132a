"""Requests that meet at different replicas: each race is forced, by a lock that lets go once all wait for it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fake_convai.domain.identity import hash_secret
from fake_convai.store import people
from fake_convai.store.accounts import AccountTransaction
from tests.api.talking import facts
from tests.conftest import Api
from tests.control.driving import Control
from tests.replicas.conftest import Replicas
from tests.replicas.database import DEADLINE, Watcher

DOG = "The user has a dog."
Both = tuple[Api, Api]


def person(user: str) -> tuple[str, str]:
    """The lock on an end user."""
    return "SELECT 1 FROM speakers WHERE end_user_id = $1 FOR UPDATE", user


def account(api: Api) -> tuple[str, str]:
    """The lock on an account, as whoever makes a person takes it."""
    return "SELECT 1 FROM accounts WHERE key_hash = $1 FOR NO KEY UPDATE", hash_secret(api.key)


def memory(memory_id: str) -> tuple[str, str]:
    """The lock on a memory: whoever changes it waits, and whoever deletes what it hangs from."""
    return "SELECT 1 FROM memories WHERE id = $1 FOR UPDATE", memory_id


def test_replicas_that_start_together_migrate_once(replicas: Replicas, watcher: Watcher) -> None:
    assert replicas.waited == 2
    assert watcher.value("SELECT count(*) FROM alembic_version") == 1
    for replica in (replicas.one, replicas.two):
        assert replica.control().ok("GET", "/health")["status"] == "ready"


@pytest.mark.parametrize("known", [True, False], ids=["of a known person", "of a new person"])
def test_the_same_fact_makes_one_record(both: Both, watcher: Watcher, known: bool) -> None:
    one, two = both
    npc, user = one.character(), f"player-{one.key}"
    if known:
        one.remember(npc, user, "The user likes tea.")
    lock = person(user) if known else account(one)
    (first,), (second,) = watcher.race(lock, lambda: one.remember(npc, user, DOG), lambda: two.remember(npc, user, DOG))
    assert (first["event"], second["event"], first["id"]) == ("add", "update", second["id"])
    assert facts(two, npc, user) == [*(["The user likes tea."] if known else []), DOG]
    assert two.end_users() == [user]


def test_two_patches_of_one_person_survive(both: Both, watcher: Watcher) -> None:
    one, two = both
    user = f"player-{one.key}"
    one.remember(one.character(), user, DOG)

    def patch(api: Api, key: str) -> Any:
        body = {"end_user_id": user, "end_user_metadata": {key: True}}
        return api.ok("/beta/user/end-users/update", body)["end_user_metadata"]

    answers = watcher.race(person(user), lambda: patch(one, "one"), lambda: patch(two, "two"))
    assert answers == [{"one": True}, {"one": True, "two": True}]
    for api in both:
        stored = api.ok("/beta/user/end-users/get", {"end_user_id": user})["end_user_metadata"]
        assert stored == {"one": True, "two": True}


READS = (
    ("/beta/memory/list", ()),
    ("/beta/memory/get", ("memory_id",)),
    ("/beta/user/end-users/get", ()),
    ("/beta/user/end-users/list", ()),
    ("/production/user/speaker/list", ()),
    ("/production/character/get", ()),
)


@pytest.mark.parametrize("path", [path for path, _ in READS])
def test_a_read_neither_waits_for_a_writer_nor_rewrites_what_it_reads(both: Both, watcher: Watcher, path: str) -> None:
    one, two = both
    npc, user = one.character(), f"player-{one.key}"
    (dog,) = one.remember(npc, user, DOG)
    body = {"character_id": npc, "charID": npc, "end_user_id": user, "memory_id": dog["id"]}
    if path == "/beta/user/end-users/list":
        body = {"active_after": "2026-01-01"}
    rows = [
        ("SELECT xmin, xmax, ctid FROM speakers WHERE end_user_id = $1", user),
        ("SELECT xmin, xmax, ctid FROM characters WHERE character_id = $1", npc),
        ("SELECT xmin, xmax, ctid FROM memories WHERE id = $1", dog["id"]),
    ]
    before = [watcher.rows(*row) for row in rows]
    assert two.post(path, body).status_code == 200
    assert [watcher.rows(*row) for row in rows] == before
    locks = (person(user), memory(dog["id"]), account(one), ("SELECT 1 FROM characters FOR UPDATE",))
    for lock in locks:
        with watcher.holding(*lock):
            assert two.post(path, body).status_code == 200


def test_a_token_revoked_at_one_replica_is_not_extended_at_another(both: Both, watcher: Watcher) -> None:
    one, two = both
    token = one.ok("/production/user/connect")["apiAuthToken"]
    lock = ("SELECT 1 FROM tokens WHERE token_hash = $1 FOR UPDATE", hash_secret(token))

    def ask(api: Api, what: str) -> int:
        return api.post(f"/production/user/{what}-token", {"apiAuthToken": token}).status_code

    assert watcher.race(lock, lambda: ask(one, "revoke"), lambda: ask(two, "extend")) == [200, 400]
    headers = {"API-AUTH-TOKEN": token}
    assert two.client.post("/production/character/list", json={}, headers=headers).status_code == 401


def test_savers_of_one_snapshot_come_in_nobodys_way(
    both: Both, controls: tuple[Control, Control], watcher: Watcher
) -> None:
    one, _ = both
    npc = one.character()
    lock = account(one)
    answers = watcher.race(
        lock,
        lambda: controls[0].ok("PUT", "/snapshots/same"),
        lambda: controls[1].ok("PUT", "/snapshots/same"),
        lambda: one.remember(npc, "player-1", DOG)[0],
    )
    assert answers[:2] == [{"name": "same"}] * 2
    assert controls[1].ok("POST", "/snapshots/same/restore") == {"name": "same"}
    assert one.end_users() == []


def remove_end_user(api: Api, npc: str, user: str) -> None:
    """Delete a person."""
    assert api.ok("/beta/user/end-users/delete", {"end_user_id": user})["deleted"] is True


def remove_character(api: Api, npc: str, user: str) -> None:
    """Delete a character."""
    assert api.ok("/production/character/delete", {"charID": npc}) == {"STATUS": "SUCCESS"}


@pytest.mark.parametrize("remove", [remove_end_user, remove_character])
@pytest.mark.parametrize("first", ["add", "delete"])
def test_a_delete_beside_an_add_leaves_no_orphan(
    both: Both, watcher: Watcher, remove: Callable[[Api, str, str], None], first: str
) -> None:
    one, two = both
    npc, user = one.character(), f"player-{one.key}"
    (dog,) = one.remember(npc, user, DOG)
    body = {"character_id": npc, "end_user_id": user, "memories": [DOG, "The user likes tea."]}

    def add() -> int:
        return two.post("/beta/memory/add", body).status_code

    def delete() -> int:
        remove(one, npc, user)
        return 200

    requests = (add, delete) if first == "add" else (delete, add)
    answers = watcher.race(memory(dog["id"]), *requests)
    lost = remove is remove_character and first == "delete"
    assert answers == [200, 404 if lost else 200]
    assert watcher.orphans() == []
    if remove is remove_character:
        assert two.post("/beta/memory/list", {"character_id": npc, "end_user_id": user}).status_code == 404
        assert watcher.rows("SELECT 1 FROM memories WHERE memory = $1 AND id = $2", DOG, dog["id"]) == []
        assert two.end_users() == [user]
    elif first == "add":
        assert two.end_users() == []
    else:
        assert facts(two, npc, user) == body["memories"]
        assert [again["id"] for again in two.memories(npc, user) if again["id"] == dog["id"]] == []


def test_a_fault_happens_once_whoever_meets_it(both: Both, controls: tuple[Control, Control], watcher: Watcher) -> None:
    one, two = both
    npc = one.character()
    one.remember(npc, "player-42", DOG)
    controls[0].fault(status=503, times=1, match={"path": "/memory/list"})
    lock = ("SELECT 1 FROM faults JOIN accounts USING (account_id) WHERE key_hash = $1 FOR UPDATE OF faults",)

    def ask(api: Api) -> int:
        return api.post("/beta/memory/list", {"character_id": npc, "end_user_id": "player-42"}).status_code

    answers = watcher.race((*lock, hash_secret(one.key)), lambda: ask(one), lambda: ask(two))
    assert answers == [503, 200]
    assert controls[1].ok("GET", "/faults") == {"faults": []}


def test_transactions_that_wait_for_each_other_both_happen(inside: Both) -> None:
    three, _ = inside
    npc = three.character()
    for user in ("one", "two"):
        three.remember(npc, user, DOG)
    both_hold_one = threading.Barrier(2)
    attempts: list[str] = []

    def meet(tx: AccountTransaction, users: tuple[str, str]) -> None:
        assert people.find(tx, users[0], hold=True) is not None
        attempts.append(users[0])
        if len(attempts) <= 2:
            both_hold_one.wait(DEADLINE)
        second = people.find(tx, users[1], hold=True)
        assert second is not None
        people.change_metadata(tx, second, {f"after {users[0]}": True})

    with ThreadPoolExecutor(2) as pool:
        orders = (("one", "two"), ("two", "one"))
        running = [
            pool.submit(api.write, lambda tx, users=users: meet(tx, users))
            for api, users in zip(inside, orders, strict=True)
        ]
        for each in running:
            each.result(DEADLINE)
    assert len(attempts) == 3
    listed = three.ok("/beta/user/end-users/list")["end_users"]
    assert [user["end_user_metadata"] for user in listed] == [{"after two": True}, {"after one": True}]
