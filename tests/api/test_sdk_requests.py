"""Requests as the SDKs send them (docs/contract.md): the same path, headers and body, unknown members included."""

from typing import Any

import pytest

from tests.api.test_bad_input import ROUTES
from tests.conftest import Api, on_sqlite

DEVICE = "a1b2c3d4e5f6789012345678abcdef01"


class TestUnity:
    """ConvaiRestClient: MemoryService, EndUsersService, CharacterService and the older LtmService."""

    def test_memory_service(self, api: Api) -> None:
        npc = api.character(memory=True)
        who = {"character_id": npc, "end_user_id": DEVICE}
        facts = ["The user's name is Jordan.", "The user prefers concise answers."]
        added = api.ok("/beta/memory/add", {**who, "memories": facts})["memories"]
        api.ok("/beta/memory/add", {**who, "memories": facts[:1], "metadata": {"source": "quiz", "score": 9.5}})
        listed = api.ok("/beta/memory/list", {**who, "page": 1, "page_size": 50})
        assert [memory["memory"] for memory in listed["memories"]] == facts
        assert api.ok("/beta/memory/get", {**who, "memory_id": added[0]["id"]})["metadata"]["source"] == "quiz"
        assert api.ok("/beta/memory/delete", {**who, "memory_id": added[0]["id"]})["deleted"] is True
        assert api.ok("/beta/memory/delete-all", who)["message"] == "Memory deletion in progress..."

    def test_end_users_service(self, api: Api) -> None:
        for number in range(30):
            api.was_active(f"player-{number}", "2026-02-01")
        first = api.ok("/beta/user/end-users/list", {"limit": 25, "active_after": "2026-01-01"})
        body = {"limit": 25, "cursor": first["next_cursor"], "active_after": "2026-01-01"}
        assert len(api.ok("/beta/user/end-users/list", body)["end_users"]) == 5
        assert api.ok("/beta/user/end-users/get", {"end_user_id": "player-7"})["end_user_id"] == "player-7"
        patch = {"end_user_id": "player-7", "end_user_metadata": {"name": "Player 7", "rank": 4}}
        assert api.ok("/beta/user/end-users/update", patch)["end_user_metadata"] == {"name": "Player 7", "rank": 4}
        assert api.ok("/beta/user/end-users/delete", {"end_user_id": "player-7"})["deleted"] is True

    def test_the_editor_window_walks_two_hundred_at_a_time(self, api: Api) -> None:
        api.was_active(DEVICE, "2026-02-01")
        assert api.ok("/beta/user/end-users/list", {"limit": 200, "cursor": None})["has_more"] is False

    def test_newer_services_with_one_base_url_and_a_token(self, api: Api) -> None:
        npc = api.character()
        token = {"API-AUTH-TOKEN": api.ok("/production/user/connect")["apiAuthToken"]}
        body = {"character_id": npc, "end_user_id": DEVICE, "memories": ["The user has a dog."]}
        assert api.client.post("/memory/add", json=body, headers=token).status_code == 200
        listed = api.client.post("/user/end-users/list", json={"limit": 50}, headers=token)
        assert [user["end_user_id"] for user in listed.json()["end_users"]] == [DEVICE]

    def test_character_service(self, api: Api) -> None:
        npc = api.character()
        switch = {"charID": npc, "memorySettings": {"enabled": True}}
        assert api.ok("/production/character/update", switch) == {"STATUS": "SUCCESS"}
        assert api.ok("/production/character/update", {"charID": npc, "displayName": "Guide"}) == {"STATUS": "SUCCESS"}
        assert api.ok("/production/character/get", {"charID": npc})["memory_settings"] == {"enabled": True}
        response = api.client.get(f"/production/character/get?character_id={npc}", headers={"CONVAI-API-KEY": api.key})
        assert response.json()["character_id"] == npc

    def test_speakers_of_the_older_service(self, api: Api) -> None:
        speaker_id = api.ok("/beta/user/speaker/new", {"name": "Jordan"})["speaker_id"]
        assert [speaker["speaker_id"] for speaker in api.ok("/beta/user/speaker/list", {})] == [speaker_id]
        assert api.ok("/beta/user/speaker/delete", {"speakerId": speaker_id}) == {"STATUS": "SUCCESS"}
        assert api.ok("/beta/user/end-users/list", {"limit": 100})["total_count"] == 0


class TestUnreal:
    """The long-term-memory proxies of the plugin, all on the production URL."""

    def test_speakers(self, api: Api) -> None:
        made = api.ok("/production/user/speaker/new", {"name": "Jordan", "deviceId": DEVICE})
        read = {name: made[name] for name in ("speaker_id", "name", "device_id")}
        assert (read["name"], read["device_id"]) == ("Jordan", DEVICE)
        response = api.client.post("/production/user/speaker/list", headers={"CONVAI-API-KEY": api.key})
        assert response.json() == [read]
        npc = api.character(memory=True)
        api.remember(npc, made["speaker_id"], "The user has a dog.")
        assert len(api.memories(npc, DEVICE)) == 1
        assert api.ok("/production/user/speaker/delete", {"speakerId": made["speaker_id"]}) == {"STATUS": "SUCCESS"}

    @pytest.mark.parametrize("enabled", [True, False])
    def test_the_memory_switch(self, api: Api, enabled: bool) -> None:
        npc = api.character(memory=not enabled)
        api.ok("/production/character/update", {"charID": npc, "memorySettings": {"enabled": enabled}})
        assert api.ok("/production/character/get", {"charID": npc})["memory_settings"]["enabled"] is enabled


class TestWeb:
    """@convai/web-sdk, from a page of another origin."""

    def test_the_end_user_is_registered_as_a_device_first(self, api: Api) -> None:
        headers = {"Origin": "https://game.example"}
        response = api.post("/production/user/speaker/new", {"deviceId": DEVICE}, **headers)
        speaker_id = response.json()["speakerId"]
        assert response.headers["access-control-allow-origin"] == "*"
        assert api.post("/production/user/speaker/new", {"deviceId": DEVICE}, **headers).json()["speakerId"] == (
            speaker_id
        )
        npc = api.character(memory=True)
        api.remember(npc, DEVICE, "The user has a dog.")
        assert len(api.memories(npc, speaker_id)) == 1


UNKNOWN: dict[str, Any] = {
    "speaker_id": "legacy",
    "invocation_metadata": {"source": "unity_sdk", "client_version": "4.0.0"},
    "spawn_agent": True,
    "emotion_config": None,
    "tags": [1, "two", {"three": 3}],
}


@on_sqlite
@pytest.mark.parametrize("path", ROUTES)
def test_members_nobody_documented_are_ignored(api: Api, other: Api, path: str) -> None:
    statuses = []
    for account, more in ((api, UNKNOWN), (other, {})):
        npc = account.character()
        account.was_active("player-42", "2026-01-01")
        body = {name: npc if value == "NPC" else value for name, value in ROUTES[path].valid.items()}
        statuses.append(account.post(path, {**more, **body}).status_code)
    assert statuses in ([200] * 2, [201] * 2, [404] * 2, [400] * 2), path
    assert statuses[0] != 400 or "token" in path  # which is unknown
