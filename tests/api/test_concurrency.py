"""Many clients at once: only 200s, nothing doubled, nothing lost."""

import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.testclient import TestClient

from fake_convai.app import create_app
from fake_convai.settings import Settings
from tests.conftest import Api

CLIENTS = 32
FACTS = ("The user has a dog.", "A cat lives with the user.", "Jordan is the user's name.", "Tea is liked.")


def together(work: Callable[[int], Any]) -> list[Any]:
    """The results of as many clients, all at the same time."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(work, range(CLIENTS)))


def test_no_fact_is_doubled_in_one_partition(api: Api) -> None:
    npc = api.character()

    def tell(client: int) -> list[dict[str, Any]]:
        facts = FACTS[client % 4 :] + FACTS[: client % 4]
        return [result for fact in facts for result in api.remember(npc, "player-42", fact)]

    results = [result for results in together(tell) for result in results]
    assert Counter(result["event"] for result in results) == {"add": 4, "update": 4 * (CLIENTS - 1)}
    stored = {(memory["memory"], memory["id"]) for memory in api.memories(npc, "player-42")}
    assert sorted(memory for memory, _ in stored) == sorted(FACTS)
    assert {(result["memory"], result["id"]) for result in results} == stored
    assert api.end_users() == ["player-42"]


def test_every_fact_of_one_partition_is_kept(api: Api) -> None:
    npc = api.character()
    words = [uuid.uuid4().hex for _ in range(CLIENTS)]
    together(lambda client: api.remember(npc, "player-42", f"{words[client]} is liked."))
    stored = [memory["memory"] for memory in api.memories(npc, "player-42", page_size=100)]
    assert sorted(stored) == sorted(f"{word} is liked." for word in words)


def test_no_patch_of_one_end_user_is_lost(api: Api) -> None:
    api.was_active("player-42", "2026-01-01")

    def patch(client: int) -> None:
        for step in ("first", "second"):
            body = {"end_user_id": "player-42", "end_user_metadata": {f"key-{client}": step, "all": client}}
            assert api.ok("/beta/user/end-users/update", body)["end_user_metadata"][f"key-{client}"] == step

    together(patch)
    metadata = api.ok("/beta/user/end-users/get", {"end_user_id": "player-42"})["end_user_metadata"]
    assert metadata.pop("all") in range(CLIENTS)
    assert metadata == {f"key-{client}": "second" for client in range(CLIENTS)}


def test_patches_and_facts_of_one_end_user_do_not_meet(api: Api) -> None:
    npc = api.character()
    api.was_active("player-42", "2026-01-01")

    def work(client: int) -> None:
        if client % 2:
            api.remember(npc, "player-42", f"{uuid.uuid4().hex} is liked.")
        else:
            body = {"end_user_id": "player-42", "end_user_metadata": {f"key-{client}": client}}
            api.ok("/beta/user/end-users/update", body)

    together(work)
    user = api.ok("/beta/user/end-users/get", {"end_user_id": "player-42"})
    assert user["end_user_metadata"] == {f"key-{client}": client for client in range(0, CLIENTS, 2)}
    assert user["last_ltm_usage_ts"] is not None
    assert len(api.memories(npc, "player-42")) == CLIENTS / 2


def test_a_new_key_opens_one_account(api: Api) -> None:
    made = together(lambda client: api.character())
    listed = [character["character_id"] for character in api.ok("/production/character/list")["characters"]]
    assert sorted(listed) == sorted(made)


def test_a_device_is_one_speaker(api: Api) -> None:
    body = {"name": "Jordan", "deviceId": "headset-1"}
    speakers = {answer["speaker_id"] for answer in together(lambda _: api.ok("/beta/user/speaker/new", body))}
    assert [speaker["speaker_id"] for speaker in api.ok("/beta/user/speaker/list")] == list(speakers)


def test_an_end_user_and_their_device_are_one_person(api: Api) -> None:
    npc = api.character()

    def meet(client: int) -> None:
        if client % 2:
            api.remember(npc, "player-42", "The user has a dog.")
        else:
            api.ok("/beta/user/speaker/new", {"deviceId": "player-42"})

    together(meet)
    assert len(api.ok("/beta/user/speaker/list")) == 1
    assert len(api.memories(npc, "player-42")) == 1


def test_an_unknown_character_is_made_once(database_url: str | None) -> None:
    with TestClient(create_app(Settings(database=database_url, auto_create_characters=True))) as client:
        api = Api(client, f"key-{uuid.uuid4()}")
        api.ok("/production/character/list")
        together(lambda client: api.remember("npc-1", f"player-{client % 4}", "The user has a dog."))
        (character,) = api.ok("/production/character/list")["characters"]
        assert character["character_id"] == "npc-1"
        assert [len(api.memories("npc-1", f"player-{number}")) for number in range(4)] == [1] * 4


def test_people_who_go_while_facts_come_in_are_no_error(api: Api) -> None:
    npc = api.character()

    def work(client: int) -> None:
        if client % 4:
            api.remember(npc, "player-42", *FACTS)
        else:
            assert api.ok("/beta/user/end-users/delete", {"end_user_id": "player-42"})["end_user_id"] == "player-42"

    together(work)
    api.remember(npc, "player-42", *FACTS)
    assert len(api.memories(npc, "player-42")) == len(FACTS)


def test_a_character_that_goes_while_facts_come_in_is_unknown(api: Api) -> None:
    for _ in range(2):
        npc = api.character()

        def work(client: int, npc: str = npc) -> int:
            if client == CLIENTS // 2:
                return api.post("/production/character/delete", {"charID": npc}).status_code
            body = {"character_id": npc, "end_user_id": f"player-{client}", "memories": FACTS[:2]}
            return api.post("/beta/memory/add", body).status_code

        assert set(together(work)) <= {200, 404}
