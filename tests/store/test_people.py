"""Finding people: by an index, whichever id they are known by."""

import sqlite3

import pytest

from fake_convai.store import people
from fake_convai.store.query import Query
from fake_convai.store.schema import creation_script
from tests.conftest import Api


@pytest.mark.parametrize("query", [people._BY_END_USER_ID[0], people._BY_SPEAKER_ID[0], people._BY_ANY_ID[0]])
def test_no_search_for_a_person_reads_a_whole_account(query: Query) -> None:
    connection = sqlite3.connect(":memory:")
    connection.executescript(creation_script())
    sql, fixed = query.sqlite
    plan = connection.execute(f"EXPLAIN QUERY PLAN {sql}", {**fixed, "account_id": 1, "id": "x"}).fetchall()
    steps = [step for *_, step in plan if "speakers" in step]
    assert steps
    assert [step for step in steps if "_id=?)" not in step or step.endswith("(account_id=?)")] == []
    connection.close()


def test_many_are_found_at_once_whichever_ids_they_are_known_by(api: Api) -> None:
    device = api.ok("/production/user/speaker/new", {"deviceId": "device-1"})
    named = api.ok("/production/user/speaker/new", {"name": "Jordan"})
    api.remember(api.character(), "player-1", "The user has a dog.")
    ids = ["player-1", "device-1", str(named["speaker_id"]), "player-2", "player-1"]
    found = api.write(lambda tx: people.seen_all(tx, ids))
    assert {one: person.end_user_id for one, person in found.items()} == {one: one for one in ids}
    assert found["device-1"].speaker_id == device["speaker_id"]
    assert api.end_users() == ["device-1", named["speaker_id"], "player-1", "player-2"]
    assert api.write(lambda tx: people.seen_all(tx, ids)) == found
    one, two = api.write(lambda tx: people.seen_all(tx, [device["speaker_id"], "device-1"])).values()
    assert one == two == found["device-1"]
