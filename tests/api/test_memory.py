"""Section 4 of the contract: memories."""

import uuid

import pytest
from starlette.testclient import TestClient

from fake_convai.app import create_app
from fake_convai.settings import Settings
from tests.conftest import Api, refused

FIRST, SECOND, THIRD = (f"2026-01-0{day}T12:00:00.000000Z" for day in (1, 2, 3))
NOBODY = str(uuid.UUID(int=0, version=4))


def of(character_id: str, end_user_id: str, **fields: object) -> dict[str, object]:
    """The body of a request about one partition."""
    return {"character_id": character_id, "end_user_id": end_user_id, **fields}


def test_a_fact_is_added_then_updated_in_place(api: Api) -> None:
    npc = api.character(memory=True)
    api.freeze(FIRST)
    first = api.ok("/beta/memory/add", of(npc, "player-42", memories=["The user's name is Jordan."]))
    memory_id = first["memories"][0]["id"]
    assert first == {"memories": [{"id": memory_id, "event": "add", "memory": "The user's name is Jordan."}]}
    assert str(uuid.UUID(memory_id)) == memory_id
    api.freeze(SECOND)
    assert api.ok("/beta/memory/add", of(npc, "player-42", memories=["The user's name is Jordan Kim."])) == {
        "memories": [{"id": memory_id, "event": "update", "memory": "The user's name is Jordan Kim."}]
    }
    assert api.ok("/beta/memory/list", of(npc, "player-42")) == {
        "memories": [
            {
                "id": memory_id,
                "memory": "The user's name is Jordan Kim.",
                "created_at": FIRST,
                "updated_at": SECOND,
                "metadata": {},
            }
        ],
        "total_count": 1,
        "page": 1,
        "page_size": 50,
        "has_more": False,
    }


def test_an_exact_repeat_is_an_update(api: Api) -> None:
    npc = api.character()
    fact = "The user's name is Jordan."
    (added,), (repeated,) = api.remember(npc, "player-42", fact), api.remember(npc, "player-42", fact)
    assert repeated == {"id": added["id"], "event": "update", "memory": fact}
    assert len(api.memories(npc, "player-42")) == 1


def test_a_dog_is_not_a_cat(api: Api) -> None:
    npc = api.character()
    facts = ["The user has a dog.", "The user has a cat."]
    assert [added["event"] for added in api.remember(npc, "player-42", *facts)] == ["add", "add"]
    assert [memory["memory"] for memory in api.memories(npc, "player-42")] == facts


def test_facts_of_one_call_are_deduplicated_and_answered_in_order(api: Api) -> None:
    npc = api.character()
    name, longer, dog = "The user's name is Jordan.", "The user's name is Jordan Kim.", "The user has a dog."
    one, two, three = api.remember(npc, "player-42", name, dog, longer)
    assert [one["event"], two["event"], three["event"]] == ["add", "add", "update"]
    assert [one["memory"], two["memory"], three["memory"]] == [name, dog, longer]
    assert three["id"] == one["id"] != two["id"]
    assert [memory["memory"] for memory in api.memories(npc, "player-42")] == [longer, dog]


def test_the_stored_text_is_trimmed_collapsed_and_composed(api: Api) -> None:
    npc = api.character()
    (added,) = api.remember(npc, "player-42", "  The user\t likes \n cafe\u0301s.\u00a0 ")
    assert added["memory"] == "The user likes caf\u00e9s."
    assert api.memories(npc, "player-42")[0]["memory"] == "The user likes caf\u00e9s."


def test_metadata_is_kept_and_merged_by_an_update(api: Api) -> None:
    npc = api.character()
    api.remember(npc, "player-42", "The user has a dog.", "The user has a cat.", metadata={"source": "quiz", "n": [1]})
    assert [memory["metadata"] for memory in api.memories(npc, "player-42")] == [{"source": "quiz", "n": [1]}] * 2
    api.remember(npc, "player-42", "The user has a dog.", metadata={"n": 2, "new": {"a": None}})
    merged = {"source": "quiz", "n": 2, "new": {"a": None}}
    assert api.memories(npc, "player-42")[0]["metadata"] == merged
    api.remember(npc, "player-42", "The user has a dog.", metadata=None)
    assert api.memories(npc, "player-42")[0]["metadata"] == merged


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(["The user has a dog.", " \n\t\u00a0"], id="one blank"),
        pytest.param(["The user has a dog.", ""], id="one empty"),
        pytest.param([f"Fact number {number}." for number in range(101)], id="101 facts"),
        pytest.param(["The user has a dog.", "x" * 10_001], id="10,001 characters"),
        pytest.param(["The user has a dog.", 5], id="a number"),
        pytest.param([], id="none"),
    ],
)
def test_a_bad_list_stores_nothing(api: Api, facts: list[object]) -> None:
    npc = api.character()
    refused(api.post("/beta/memory/add", of(npc, "player-42", memories=facts)), 400, "memories")
    assert api.end_users() == []
    api.remember(npc, "player-42", "The user has a cat.")
    assert [memory["memory"] for memory in api.memories(npc, "player-42")] == ["The user has a cat."]


def test_a_hundred_facts_fit(api: Api) -> None:
    npc = api.character()
    added = api.remember(npc, "player-42", *(f"{number} is a number that the user likes." for number in range(100)))
    assert len(added) == 100


@pytest.mark.parametrize("letter", ["word ", "x", "\U0001f600", "\u00e9"])
def test_ten_thousand_characters_fit(api: Api, letter: str) -> None:
    npc = api.character()
    fact = (letter * 10_000)[:9_999] + "."
    assert api.remember(npc, "player-42", fact)[0]["memory"] == fact
    assert api.memories(npc, "player-42")[0]["memory"] == fact


def test_a_fact_that_does_not_compress_fits(api: Api) -> None:
    npc = api.character()
    fact = "".join(uuid.uuid4().hex for _ in range(312))
    assert api.remember(npc, "player-42", fact)[0]["memory"] == fact


def test_pages_are_oldest_first_and_do_not_shift(api: Api) -> None:
    npc = api.character()
    api.freeze(SECOND)
    api.remember(npc, "player-42", "Bicycles frighten the user.", "Chess is played on Fridays.")
    api.freeze(FIRST)
    api.remember(npc, "player-42", "Anna is the user's sister.")
    api.freeze(THIRD)
    first = api.ok("/beta/memory/list", of(npc, "player-42", page=1, page_size=2))
    assert [memory["memory"][0] for memory in first["memories"]] == ["A", "B"]
    assert {**first, "memories": []} == {
        "memories": [],
        "total_count": 3,
        "page": 1,
        "page_size": 2,
        "has_more": True,
    }
    api.remember(npc, "player-42", "Dentistry is the user's job.")
    second = api.ok("/beta/memory/list", of(npc, "player-42", page=2, page_size=2))
    assert [memory["memory"][0] for memory in second["memories"]] == ["C", "D"]
    assert (second["total_count"], second["has_more"]) == (4, False)
    assert api.ok("/beta/memory/list", of(npc, "player-42", page=1000, page_size=100)) == {
        "memories": [],
        "total_count": 4,
        "page": 1000,
        "page_size": 100,
        "has_more": False,
    }


def test_one_record_by_its_id(api: Api) -> None:
    npc = api.character()
    api.freeze(FIRST)
    (added,) = api.remember(npc, "player-42", "The user has a dog.", metadata={"a": 1})
    record = {
        "id": added["id"],
        "memory": "The user has a dog.",
        "created_at": FIRST,
        "updated_at": FIRST,
        "metadata": {"a": 1},
    }
    assert api.ok("/beta/memory/get", of(npc, "player-42", memory_id=added["id"])) == record
    assert api.memories(npc, "player-42") == [record]
    refused(api.post("/beta/memory/get", of(npc, "player-42", memory_id=NOBODY)), 404, NOBODY)


def test_deleting_one_record_says_whether_it_was_there(api: Api) -> None:
    npc = api.character()
    dog, cat = api.remember(npc, "player-42", "The user has a dog.", "The user has a cat.")
    body = of(npc, "player-42", memory_id=dog["id"])
    deleted = api.ok("/beta/memory/delete", body)
    assert deleted == {"message": deleted["message"], "memory_id": dog["id"], "deleted": True}
    again = api.ok("/beta/memory/delete", body)
    assert again == {"message": again["message"], "memory_id": dog["id"], "deleted": False}
    assert "" not in (deleted["message"], again["message"])
    assert [memory["id"] for memory in api.memories(npc, "player-42")] == [cat["id"]]
    assert api.remember(npc, "player-42", "The user has a dog.")[0]["event"] == "add"


@pytest.mark.parametrize("elsewhere", ["character", "end user"])
def test_a_record_of_another_partition_is_out_of_reach(api: Api, elsewhere: str) -> None:
    npc, other_npc = api.character(), api.character()
    (dog,) = api.remember(npc, "player-42", "The user has a dog.")
    api.remember(other_npc, "player-42", "The user has a cat.")
    api.remember(npc, "player-43", "The user has a cat.")
    there = (other_npc, "player-42") if elsewhere == "character" else (npc, "player-43")
    refused(api.post("/beta/memory/get", of(*there, memory_id=dog["id"])), 404, dog["id"])
    assert api.ok("/beta/memory/delete", of(*there, memory_id=dog["id"]))["deleted"] is False
    assert [memory["id"] for memory in api.memories(npc, "player-42")] == [dog["id"]]


def test_delete_all_empties_one_partition_and_keeps_the_end_user(api: Api) -> None:
    npc, other_npc = api.character(), api.character()
    for character, user in ((npc, "player-42"), (other_npc, "player-42"), (npc, "player-43")):
        api.remember(character, user, "The user has a dog.", "The user has a cat.")
    for _ in range(2):
        assert api.ok("/beta/memory/delete-all", of(npc, "player-42")) == {
            "message": "Memory deletion in progress...",
            "character_id": npc,
            "end_user_id": "player-42",
        }
        assert api.memories(npc, "player-42") == []
    assert len(api.memories(other_npc, "player-42")) == len(api.memories(npc, "player-43")) == 2
    assert api.end_users() == ["player-42", "player-43"]


@pytest.mark.parametrize(
    ("route", "fields"),
    [("list", {}), ("get", {"memory_id": NOBODY}), ("delete", {"memory_id": NOBODY}), ("delete-all", {})],
)
class TestOnAllThatNeedAPerson:
    def test_an_end_user_without_a_record_is_unknown(self, api: Api, route: str, fields: dict[str, str]) -> None:
        npc = api.character()
        refused(api.post(f"/beta/memory/{route}", of(npc, "ghost", **fields)), 404, "end_user_id", "ghost")
        assert api.end_users() == []

    def test_an_unknown_character_is_unknown(self, api: Api, route: str, fields: dict[str, str]) -> None:
        api.remember(api.character(), "player-42", "The user has a dog.")
        refused(api.post(f"/beta/memory/{route}", of("ghost", "player-42", **fields)), 404, "character_id", "ghost")


def test_adding_to_an_unknown_character_makes_no_end_user(api: Api) -> None:
    refused(api.post("/beta/memory/add", of("ghost", "player-42", memories=["A fact."])), 404, "character_id", "ghost")
    assert api.end_users() == []


def test_a_known_end_user_without_memories_has_an_empty_list(api: Api) -> None:
    npc, other_npc = api.character(), api.character()
    api.remember(npc, "player-42", "The user has a dog.")
    assert api.ok("/beta/memory/list", of(other_npc, "player-42")) == {
        "memories": [],
        "total_count": 0,
        "page": 1,
        "page_size": 50,
        "has_more": False,
    }
    assert api.ok("/beta/memory/delete-all", of(other_npc, "player-42"))["character_id"] == other_npc


def test_a_disabled_character_can_be_told_and_keeps_what_it_knows(api: Api) -> None:
    npc = api.character(memory=False)
    assert api.remember(npc, "player-42", "The user has a dog.")[0]["event"] == "add"
    for enabled in (True, False):
        api.ok("/production/character/update", {"charID": npc, "memorySettings": {"enabled": enabled}})
        assert [memory["memory"] for memory in api.memories(npc, "player-42")] == ["The user has a dog."]


@pytest.mark.parametrize("route", ["add", "list", "get", "delete", "delete-all"])
def test_anothers_private_character_is_forbidden(api: Api, other: Api, route: str) -> None:
    npc = other.character()
    api.remember(api.character(), "player-42", "The user has a dog.")
    body = of(npc, "player-42", memories=["A fact."], memory_id=NOBODY)
    refused(api.post(f"/beta/memory/{route}", body), 403, npc)


def test_anothers_public_character_remembers_for_each_account_apart(api: Api, other: Api) -> None:
    npc = other.character(listing="public")
    api.remember(npc, "player-42", "The user has a dog.")
    other.remember(npc, "player-42", "The user has a cat.")
    assert [memory["memory"] for memory in api.memories(npc, "player-42")] == ["The user has a dog."]
    assert [memory["memory"] for memory in other.memories(npc, "player-42")] == ["The user has a cat."]


def test_the_end_user_id_is_stripped_and_otherwise_exact(api: Api) -> None:
    npc = api.character()
    longest = "\u00e9" * 512
    for end_user_id in (" player-42\t", "Player-42", longest):
        api.remember(npc, end_user_id, f"The user is {end_user_id.strip()}.")
    assert api.end_users() == ["player-42", "Player-42", longest]
    for end_user_id in ("player-42", "Player-42 ", longest):
        assert [m["memory"] for m in api.memories(npc, end_user_id)] == [f"The user is {end_user_id.strip()}."]


def test_each_read_and_write_is_a_use_of_memory(api: Api) -> None:
    npc = api.character()
    (dog,) = api.remember(npc, "player-42", "The user has a dog.")
    calls = [
        ("add", {"memories": ["The user has a cat."]}),
        ("list", {}),
        ("get", {"memory_id": dog["id"]}),
        ("delete", {"memory_id": dog["id"]}),
        ("delete-all", {}),
    ]
    for day, (route, fields) in enumerate(calls, start=10):
        at = f"2026-01-{day}T00:00:00.000000Z"
        api.freeze(at)
        api.ok(f"/beta/memory/{route}", of(npc, "player-42", **fields))
        user = api.ok("/beta/user/end-users/get", {"end_user_id": "player-42"})
        assert (user["last_active_ts"], user["last_ltm_usage_ts"]) == (None, at)


def test_delete_all_may_take_a_while(database_url: str | None) -> None:
    with TestClient(create_app(Settings(database=database_url, delete_all_delay=1.5))) as client:
        api = Api(client, f"key-{uuid.uuid4()}")
        npc = api.character()
        api.freeze("2026-01-01T00:00:00Z")
        api.remember(npc, "player-42", "The user has a dog.", "The user has a cat.")
        api.ok("/beta/memory/delete-all", of(npc, "player-42"))
        api.remember(npc, "player-42", "The user has a bird.")
        api.freeze("2026-01-01T00:00:01.499999Z")
        assert len(api.memories(npc, "player-42")) == 3
        api.freeze("2026-01-01T00:00:01.5Z")
        assert [memory["memory"] for memory in api.memories(npc, "player-42")] == ["The user has a bird."]


def test_an_unknown_character_is_made_when_the_server_is_told_so() -> None:
    with TestClient(create_app(Settings(auto_create_characters=True))) as client:
        api = Api(client, "key")
        assert api.remember("npc-1", "player-42", "The user has a dog.")[0]["event"] == "add"
        (character,) = api.ok("/production/character/list")["characters"]
        assert (character["character_id"], character["memory_settings"]) == ("npc-1", {"enabled": False})
        api.remember("a coach of mine", "player-42", "The user has a dog.")
        names = [one["character_name"] for one in api.ok("/production/character/list")["characters"]]
        assert names == ["Character npc-1", "Character a coach"]


def test_a_record_answers_to_all_it_has_ever_said(api: Api) -> None:
    npc = api.character(memory=True)
    facts = ["The user likes tea with honey.", "The user likes tea.", "The user likes tea with milk."]
    first = api.remember(npc, "player-42", *facts)
    again = api.remember(npc, "player-42", *facts)
    assert {one["id"] for one in again} == {one["id"] for one in first}
    assert {one["event"] for one in again} == {"update"}


def test_a_fact_finds_its_record_among_very_many(api: Api) -> None:
    npc = api.character(memory=True)
    for hundred in range(0, 1000, 100):
        api.remember(
            npc, "player-42", *(f"The user visited gallery {n} of the museum." for n in range(hundred, hundred + 100))
        )
    (added,) = api.remember(npc, "player-42", "The user's name is Jordan.")
    for number in range(3):
        api.remember(
            npc, "player-42", *(f"The user owns {n} red books." for n in range(number * 100 + 1, number * 100 + 101))
        )
    (updated,) = api.remember(npc, "player-42", "The user's name is Jordan Kim.")
    assert updated == {"id": added["id"], "event": "update", "memory": "The user's name is Jordan Kim."}
