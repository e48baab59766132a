"""Section 7 of the contract: characters, and who may use them."""

import uuid
from typing import Any

import pytest

from tests.conftest import Api, refused

CREATED = "2026-01-01T00:00:00.000000Z"
UNKNOWN_ON_GET = {"ERROR": "INTERNAL SERVER ERROR, one or more database calls failed!"}
UNKNOWN_ON_UPDATE = {"ERROR": "Could not fetch character details from all_characters table."}


def get(api: Api, character_id: str) -> dict[str, Any]:
    """A character's details."""
    found: dict[str, Any] = api.ok("/production/character/get", {"charID": character_id})
    return found


def test_a_new_character_has_no_memory(api: Api) -> None:
    api.freeze(CREATED)
    body = {"charName": "Coach", "voiceType": "MALE", "backstory": "Trains people."}
    answer = api.ok("/production/character/create", body)
    assert answer == {"charID": str(uuid.UUID(answer["charID"]))}
    found = get(api, answer["charID"])
    user_id = found["user_id"]
    assert str(uuid.UUID(user_id)) == user_id
    assert found == {
        "character_id": answer["charID"],
        "character_name": "Coach",
        "user_id": user_id,
        "voice_type": "MALE",
        "timestamp": CREATED,
        "backstory": "Trains people.",
        "listing": found["listing"],
        "language_code": found["language_codes"][0],
        "language_codes": found["language_codes"],
        "character_actions": [],
        "model_details": found["model_details"],
        "memory_settings": {"enabled": False},
    }
    assert found["listing"] != "public"
    assert isinstance(found["model_details"], dict)
    assert api.ok("/production/character/get", {"charName": "Coach"}) == found
    assert api.ok("/production/character/list") == {"characters": [found]}
    query = {"character_id": answer["charID"]}
    got = api.client.get("/production/character/get", params=query, headers=api.headers("/production/"))
    assert (got.status_code, got.json()) == (200, found)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"memorySettings": {"enabled": True}}, {"memory_settings": {"enabled": True}}, id="memory"),
        pytest.param({"charName": "Guide"}, {"character_name": "Guide"}, id="name"),
        pytest.param({"backstory": ""}, {"backstory": ""}, id="backstory"),
        pytest.param({"voiceType": "FEMALE"}, {"voice_type": "FEMALE"}, id="voice"),
        pytest.param({"listing": "public"}, {"listing": "public"}, id="listing"),
        pytest.param(
            {"languageCodes": ["de-DE", "fr-FR"]},
            {"language_codes": ["de-DE", "fr-FR"], "language_code": "de-DE"},
            id="languages",
        ),
        pytest.param({"somethingElse": 1, "charName": None}, {}, id="nothing that is known"),
    ],
)
def test_an_update_changes_what_it_names(api: Api, changes: dict[str, object], expected: dict[str, object]) -> None:
    npc = api.character()
    before = get(api, npc)
    assert api.ok("/production/character/update", {"charID": npc, **changes}) == {"STATUS": "SUCCESS"}
    assert get(api, npc) == {**before, **expected}


def test_memory_is_switched_for_everybody(api: Api, other: Api) -> None:
    npc = api.character(memory=True, listing="public")
    assert get(other, npc)["memory_settings"] == {"enabled": True}
    api.ok("/production/character/update", {"charID": npc, "memorySettings": {"enabled": False}})
    assert get(other, npc) == get(api, npc)
    assert get(other, npc)["memory_settings"] == {"enabled": False}


@pytest.mark.parametrize("body", [{"charID": "ghost"}, {"charName": "Nobody"}], ids=["id", "name"])
def test_an_unknown_character_is_not_got(api: Api, body: dict[str, str]) -> None:
    response = api.post("/production/character/get", body)
    assert (response.status_code, response.json()) == (400, UNKNOWN_ON_GET)
    got = api.client.get(
        "/production/character/get", params={"character_id": "ghost"}, headers=api.headers("/production/")
    )
    assert (got.status_code, got.json()) == (400, UNKNOWN_ON_GET)


def test_an_unknown_character_is_not_updated(api: Api) -> None:
    response = api.post("/production/character/update", {"charID": "ghost", "memorySettings": {"enabled": True}})
    assert (response.status_code, response.json()) == (400, UNKNOWN_ON_UPDATE)


def test_a_deleted_character_is_gone_with_what_it_knew(api: Api) -> None:
    npc, kept = api.character(), api.character()
    for character in (npc, kept):
        api.remember(character, "player-42", "The user has a dog.")
    assert api.ok("/production/character/delete", {"charID": npc}) == {"STATUS": "SUCCESS"}
    assert [character["character_id"] for character in api.ok("/production/character/list")["characters"]] == [kept]
    refused(api.post("/beta/memory/list", {"character_id": npc, "end_user_id": "player-42"}), 404, npc)
    assert api.end_users() == ["player-42"]
    assert len(api.memories(kept, "player-42")) == 1
    refused(api.post("/production/character/delete", {"charID": npc}), 404, "charID", npc)


def test_a_clone_is_ones_own_and_knows_nothing(api: Api, other: Api) -> None:
    npc = other.character(listing="public", charName="Guide", languageCodes=["de-DE"])
    api.remember(npc, "player-42", "The user has a dog.")
    answer = api.ok("/production/user/clone_character", {"charID": npc})
    clone = answer["charID"]
    assert answer == {"charID": str(uuid.UUID(clone))}
    original, copy = get(api, npc), get(api, clone)
    assert clone != npc
    assert copy["user_id"] != original["user_id"]
    mine = {name: copy[name] for name in ("character_id", "user_id", "timestamp", "listing")}
    assert copy == {**original, **mine}
    assert api.ok("/production/character/list") == {"characters": [copy]}
    assert api.memories(clone, "player-42") == []
    refused(api.post("/production/user/clone_character", {"charID": "ghost"}), 404, "ghost")


class TestAnothers:
    """A character is usable by its owner, or by anyone when it is public."""

    @pytest.mark.parametrize("route", ["character/get", "character/update", "character/delete", "user/clone_character"])
    def test_private_one_is_forbidden(self, api: Api, other: Api, route: str) -> None:
        npc = other.character()
        refused(api.post(f"/production/{route}", {"charID": npc, "charName": "Mine"}), 403, npc)
        assert get(other, npc)["character_name"] == "Coach"

    @pytest.mark.parametrize("route", ["character/update", "character/delete"])
    def test_public_one_can_be_read_and_not_changed(self, api: Api, other: Api, route: str) -> None:
        npc = other.character(listing="public")
        assert get(api, npc) == get(other, npc)
        refused(api.post(f"/production/{route}", {"charID": npc, "charName": "Mine"}), 403, npc)
        assert get(other, npc)["character_name"] == "Coach"

    def test_list_shows_ones_own(self, api: Api, other: Api) -> None:
        other.character(listing="public")
        assert api.ok("/production/character/list") == {"characters": []}

    def test_name_is_not_found_among_private_ones(self, api: Api, other: Api) -> None:
        name = f"Coach {uuid.uuid4()}"
        npc = other.character(charName=name)
        response = api.post("/production/character/get", {"charName": name})
        assert (response.status_code, response.json()) == (400, UNKNOWN_ON_GET)
        other.ok("/production/character/update", {"charID": npc, "listing": "public"})
        assert api.ok("/production/character/get", {"charName": name})["character_id"] == npc
        mine = api.character(charName=name)
        assert api.ok("/production/character/get", {"charName": name})["character_id"] == mine


def test_characters_are_listed_oldest_first(api: Api) -> None:
    made = [api.character() for _ in range(3)]
    listed = api.ok("/production/character/list")["characters"]
    assert [character["character_id"] for character in listed] == made
