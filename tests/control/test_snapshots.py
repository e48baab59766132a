"""Snapshots: an account saved under a name and put back exactly."""

import pytest
from starlette.testclient import TestClient

from tests.api.talking import chat, connect, disconnect, facts, history, said_in
from tests.conftest import Api, refused
from tests.control.conftest import Run
from tests.control.driving import NOON, Control, account, use_everything

NEXT_DAY = "2026-01-02T12:00:00.000000Z"


def save(control: Control, name: str = "before") -> None:
    """Save the account."""
    assert control.ok("PUT", f"/snapshots/{name}") == {"name": name}


def restore(control: Control, name: str = "before") -> None:
    """Put the account back."""
    assert control.ok("POST", f"/snapshots/{name}/restore") == {"name": name}


def test_what_is_restored_is_what_was_saved(api: Api, control: Control) -> None:
    use_everything(api)
    control.freeze()
    paths = ("/state", "/clock", "/faults", "/replies", "/snapshots")
    save(control)
    before = [control.ok("GET", path) for path in paths]
    control.ok("DELETE", "/faults")
    control.ok("PUT", "/replies", {})
    control.ok("DELETE", "/clock")
    for npc in api.ok("/production/character/list")["characters"]:
        api.ok("/production/character/delete", {"charID": npc["character_id"]})
    for user in api.end_users():
        api.ok("/beta/user/end-users/delete", {"end_user_id": user})
    control.ok("POST", "/seed", {"account": {"plan": "scale"}, "characters": [{"character_id": "new"}]})
    assert [path for path, was in zip(paths[:4], before, strict=False) if control.ok("GET", path) == was] == []
    for _ in range(2):
        restore(control)
        assert [control.ok("GET", path) for path in paths] == before


def test_a_restored_character_is_as_it_was_and_one_made_since_is_gone(api: Api, control: Control) -> None:
    npc = api.character(memory=True, listing="public", characterActions=["wave"])
    before = api.ok("/production/character/get", {"charID": npc})
    save(control)
    api.character()
    changes = {"charName": "Other", "listing": "private", "memorySettings": {"enabled": False}}
    api.ok("/production/character/update", {"charID": npc, **changes})
    restore(control)
    assert api.ok("/production/character/list")["characters"] == [before]


def test_facts_are_compared_with_restored_ones(api: Api, control: Control) -> None:
    npc = api.character(memory=True)
    (name,) = api.remember(npc, "player-42", "The user's name is Jordan.")
    save(control)
    api.ok("/beta/memory/delete-all", {"character_id": npc, "end_user_id": "player-42"})
    (other,) = api.remember(npc, "player-42", "The user's name is Sam.")
    assert other["id"] != name["id"]
    restore(control)
    assert api.remember(npc, "player-42", "The user's name is Jordan Kim.") == [
        {"id": name["id"], "event": "update", "memory": "The user's name is Jordan Kim."}
    ]
    assert len(api.memories(npc, "player-42")) == 1
    assert api.remember(npc, "player-42", "The user has a dog.")[0]["event"] == "add"


def test_a_cursor_goes_on_after_a_restore(api: Api, control: Control) -> None:
    npc = api.character()
    for user in ("player-1", "player-2", "player-3"):
        api.remember(npc, user, "Tall.")
    cursor = api.ok("/beta/user/end-users/list", {"limit": 1})["next_cursor"]
    save(control)
    api.ok("/beta/user/end-users/delete", {"end_user_id": "player-2"})
    restore(control)
    assert api.end_users(cursor=cursor) == ["player-2", "player-3"]


def test_a_token_that_was_revoked_works_again(api: Api, control: Control) -> None:
    token = api.ok("/production/user/connect")["apiAuthToken"]
    later = []
    save(control)
    api.ok("/production/user/revoke-token", {"apiAuthToken": token})
    later.append(api.ok("/production/user/connect")["apiAuthToken"])
    restore(control)
    path = "/beta/user/end-users/list"
    statuses = [api.client.post(path, headers={"API-AUTH-TOKEN": one}).status_code for one in (token, *later)]
    assert statuses == [200, 401]


def test_a_session_that_has_ended_since_can_be_gone_on_with(api: Api, control: Control) -> None:
    npc = api.character(memory=True)
    session = connect(api, npc, "player-42")
    with chat(api, session) as talk:
        talk.say("My name is Jordan.")
        save(control)
        talk.say("I live in Bergen.")
    assert len(facts(api, npc, "player-42")) == 2
    restore(control)
    assert facts(api, npc, "player-42") == []
    assert said_in(api, npc, session["character_session_id"]) == ["My name is Jordan."]
    with chat(api, session) as talk:
        talk.say("I like tea.")
    assert said_in(api, npc, session["character_session_id"]) == ["My name is Jordan.", "I like tea."]
    assert [one["is_added_to_memory"] for one in history(api, npc)] == [True]
    assert len(facts(api, npc, "player-42")) == 2


def test_an_open_connection_of_a_restored_session_goes_on(api: Api, control: Control) -> None:
    npc = api.character(memory=True)
    session = connect(api, npc, "player-42")
    with chat(api, session) as talk:
        talk.say("My name is Jordan.")
        save(control)
        restore(control)
        talk.say("I like tea.")
    assert len(facts(api, npc, "player-42")) == 2


def test_a_connection_made_since_is_closed(api: Api, control: Control) -> None:
    npc = api.character(memory=True)
    save(control)
    with chat(api, connect(api, npc, "player-42")) as talk:
        talk.say("My name is Jordan.")
        restore(control)
        assert talk.closed() == (1008, "Session not found in cache or database")
    assert (api.end_users(), history(api, npc)) == ([], [])


def test_other_accounts_keep_what_they_have_with_a_public_character(api: Api, control: Control, other: Api) -> None:
    npc = api.character(memory=True, listing="public")
    save(control)
    other.remember(npc, "player-42", "The user has a dog.")
    disconnect(other, connect(other, npc, "player-42"))
    restore(control)
    assert facts(other, npc, "player-42") == ["The user has a dog."]
    assert len(history(other, npc)) == 1


def test_what_hung_from_a_character_that_its_owner_has_deleted_stays_gone(
    api: Api, control: Control, other: Api
) -> None:
    mine, theirs = api.character(), other.character(memory=True, listing="public")
    for npc in (mine, theirs):
        api.remember(npc, "player-42", "The user has a dog.")
    with chat(api, connect(api, theirs, "player-42")) as talk:
        talk.say("I like tea.")
    save(control)
    other.ok("/production/character/delete", {"charID": theirs})
    restore(control)
    assert facts(api, mine, "player-42") == ["The user has a dog."]
    refused(api.post("/beta/memory/list", {"character_id": theirs, "end_user_id": "player-42"}), 404, theirs)


def test_the_clock_goes_back_too(api: Api, control: Control) -> None:
    control.freeze(NOON)
    save(control)
    control.freeze(NEXT_DAY)
    restore(control)
    assert control.ok("GET", "/clock") == {"now": NOON, "frozen": True, "offset": 0.0}


def test_a_fault_that_was_used_up_since_waits_again(run: Run) -> None:
    path = "/beta/user/end-users/list"
    with run() as client:  # of its own: while nothing waits for anybody, nobody looks whether something does
        api, control = account(client)
        control.fault(status=503)
        save(control)
        assert [api.post(path).status_code for _ in range(3)] == [503, 200, 200]
        restore(control)
        assert [api.post(path).status_code for _ in range(2)] == [503, 200]


def test_a_stub_that_was_taken_back_since_answers_again(run: Run) -> None:
    path = "/beta/user/end-users/list"
    with run() as client:
        api, control = account(client)
        control.ok("PUT", "/stubs", {"stubs": [{"match": {"path": "/user/end-users/list"}, "status": 418}]})
        save(control)
        control.ok("DELETE", "/stubs")
        assert [api.post(path).status_code for _ in range(2)] == [200, 200]
        restore(control)
        assert api.post(path).status_code == 418


def test_the_journal_is_not_part_of_a_snapshot(api: Api, control: Control) -> None:
    save(control)
    api.ok("/beta/user/end-users/list")
    restore(control)
    assert [entry["path"] for entry in control.requests()] == ["/user/end-users/list"]


def test_ids_go_on_from_where_they_were(run: Run) -> None:
    with run(random_seed=1) as client:
        api, control = account(client)
        npc = api.character()
        save(control)
        first = api.remember(npc, "player-42", "The user has a dog.")
        restore(control)
        assert api.remember(npc, "player-42", "The user has a dog.") == first


def test_names_are_listed_replaced_and_forgotten(api: Api, control: Control) -> None:
    assert control.ok("GET", "/snapshots") == {"snapshots": []}
    for name in ("b", "a", "%C3%A9%20%3F"):
        control.ok("PUT", f"/snapshots/{name}")
    assert control.ok("GET", "/snapshots") == {"snapshots": ["a", "b", "\u00e9 ?"]}
    npc = api.character()
    save(control, "a")
    assert control.ok("DELETE", "/snapshots/b") == {"name": "b"}
    assert control.ok("GET", "/snapshots") == {"snapshots": ["a", "\u00e9 ?"]}
    api.ok("/production/character/delete", {"charID": npc})
    restore(control, "a")
    assert [one["character_id"] for one in control.state()["characters"]] == [npc]


def test_each_account_has_its_own(control: Control, other: Api) -> None:
    save(control)
    theirs = Control(other.client, other.key)
    assert theirs.ok("GET", "/snapshots") == {"snapshots": []}
    refused(theirs.send("POST", "/snapshots/before/restore"), 404, "'before'", "none")


def test_an_unknown_one_is_named_with_those_there_are(api: Api, control: Control) -> None:
    npc = api.character()
    save(control)
    refused(control.send("POST", "/snapshots/after/restore"), 404, "'after'", "before")
    refused(control.send("DELETE", "/snapshots/after"), 404, "'after'", "before")
    assert [one["character_id"] for one in control.state()["characters"]] == [npc]


@pytest.mark.parametrize("name", ["%00", "%20", "x" * 201])
def test_a_bad_name_is_refused(control: Control, name: str) -> None:
    for method, path in (("PUT", ""), ("DELETE", ""), ("POST", "/restore")):
        refused(control.send(method, f"/snapshots/{name}{path}"), 400, "snapshot name")


def test_a_snapshot_needs_an_account(client: TestClient) -> None:
    whole = Control(client)
    for method, path in (("GET", ""), ("PUT", "/a"), ("DELETE", "/a"), ("POST", "/a/restore")):
        refused(whole.send(method, f"/snapshots{path}"), 400, "CONVAI-API-KEY")


def test_there_is_a_limit_to_their_bytes(run: Run) -> None:
    with run(snapshot_bytes=8000) as client:
        api, control = account(client)
        save(control)
        api.remember(api.character(), "player-42", *(f"Fact {'x' * 50} {number}" for number in range(50)))
        refused(control.send("PUT", "/snapshots/large"), 413, "8000 are allowed: delete one of before, or start")
        control.ok("DELETE", "/snapshots/before")
        refused(control.send("PUT", "/snapshots/large"), 413, "8000 are allowed: start the fake with more")
        assert control.ok("GET", "/snapshots") == {"snapshots": []}
