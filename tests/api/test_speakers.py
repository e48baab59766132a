"""Section 6 of the contract: speakers, and how they and end users are the same people."""

import uuid

import pytest

from tests.conftest import Api, refused


def register(api: Api, surface: str = "production", **body: object) -> str:
    """Make or find a speaker; returns their id, after making sure of the whole answer."""
    answer = api.ok(f"/{surface}/user/speaker/new", body)
    speaker_id: str = answer["speaker_id"]
    assert str(uuid.UUID(speaker_id)) == speaker_id
    assert answer == {
        "speaker_id": speaker_id,
        "speakerId": speaker_id,
        "name": answer["name"],
        "device_id": answer["device_id"],
    }
    return speaker_id


@pytest.mark.parametrize("surface", ["production", "beta"])
def test_speakers_are_on_two_surfaces(api: Api, surface: str) -> None:
    assert api.ok(f"/{surface}/user/speaker/list") == []
    jordan = register(api, surface, name="Jordan")
    headset = register(api, surface, deviceId="headset-1")
    sam = register(api, surface, name="Sam", deviceId="headset-2")
    assert api.ok(f"/{surface}/user/speaker/list") == [
        {"speaker_id": jordan, "name": "Jordan", "device_id": None},
        {"speaker_id": headset, "name": None, "device_id": "headset-1"},
        {"speaker_id": sam, "name": "Sam", "device_id": "headset-2"},
    ]
    assert api.ok(f"/{surface}/user/speaker/delete", {"speakerId": headset}) == {"STATUS": "SUCCESS"}
    assert [speaker["speaker_id"] for speaker in api.ok(f"/{surface}/user/speaker/list")] == [jordan, sam]


def test_the_same_device_is_the_same_speaker(api: Api) -> None:
    speaker_id = register(api, deviceId="headset-1")
    assert register(api, name="Jordan", deviceId=" headset-1 ") == speaker_id
    assert register(api, "beta", deviceId="headset-1") == speaker_id
    assert api.ok("/production/user/speaker/list") == [
        {"speaker_id": speaker_id, "name": "Jordan", "device_id": "headset-1"}
    ]


def test_the_same_name_may_be_two_people(api: Api) -> None:
    assert register(api, name="Jordan") != register(api, name="Jordan")


@pytest.mark.parametrize(
    "body",
    [{}, {"name": None, "deviceId": None}, {"name": " ", "deviceId": ""}, {"device_id": None}],
    ids=["empty", "null", "blank", "misspelt"],
)
def test_a_speaker_needs_a_name_or_a_device(api: Api, body: dict[str, object]) -> None:
    refused(api.post("/production/user/speaker/new", body), 400, "name", "deviceId")
    assert api.ok("/production/user/speaker/list") == []


def test_a_device_id_has_a_limit(api: Api) -> None:
    for too_long in ("x" * 513, f" {'x' * 512}"):  # the limit is of what is sent
        refused(api.post("/production/user/speaker/new", {"deviceId": too_long}), 400, "deviceId", "512")
    assert register(api, deviceId=f" {'x' * 510} ") == register(api, deviceId="x" * 510)


def test_a_speaker_becomes_an_end_user_once_seen_as_one(api: Api) -> None:
    npc = api.character()
    register(api, deviceId="headset-1")
    assert api.end_users() == []
    refused(api.post("/beta/user/end-users/get", {"end_user_id": "headset-1"}), 404)
    api.remember(npc, "headset-1", "The user has a dog.")
    assert api.end_users() == ["headset-1"]


def test_a_device_and_an_equal_end_user_id_are_one_person(api: Api) -> None:
    npc = api.character()
    speaker_id = register(api, deviceId="player-42")
    api.remember(npc, "player-42", "The user has a dog.")
    assert api.ok("/production/user/speaker/list") == [
        {"speaker_id": speaker_id, "name": None, "device_id": "player-42"}
    ]
    assert [memory["memory"] for memory in api.memories(npc, speaker_id)] == ["The user has a dog."]


def test_an_end_user_registered_as_a_device_later_is_one_person(api: Api) -> None:
    npc = api.character()
    api.remember(npc, "player-42", "The user has a dog.")
    (known,) = api.ok("/production/user/speaker/list")
    assert register(api, deviceId="player-42") == known["speaker_id"]
    assert api.end_users() == ["player-42"]


def test_an_end_user_id_may_be_a_speaker_id(api: Api) -> None:
    npc = api.character()
    speaker_id = register(api, name="Jordan")
    api.remember(npc, speaker_id, "The user has a dog.")
    assert api.end_users() == [speaker_id]
    assert len(api.ok("/production/user/speaker/list")) == 1
    assert register(api, deviceId=speaker_id) == speaker_id


def test_another_accounts_speaker_is_nobody(api: Api, other: Api) -> None:
    npc = api.character()
    speaker_id = register(other, deviceId="headset-1")
    api.remember(npc, speaker_id, "The user has a dog.")
    api.remember(npc, "headset-1", "The user has a cat.")
    assert api.end_users() == [speaker_id, "headset-1"]
    assert speaker_id not in [speaker["speaker_id"] for speaker in api.ok("/production/user/speaker/list")]
    refused(api.post("/production/user/speaker/delete", {"speakerId": speaker_id}), 404, "speakerId", speaker_id)
    assert len(other.ok("/production/user/speaker/list")) == 1


def test_deleting_a_speaker_takes_everything_that_hangs_on_them(api: Api) -> None:
    first, second = api.character(), api.character()
    speaker_id = register(api, deviceId="player-42")
    for npc in (first, second):
        api.remember(npc, "player-42", "The user has a dog.")
    assert api.ok("/production/user/speaker/delete", {"speakerId": speaker_id}) == {"STATUS": "SUCCESS"}
    assert api.ok("/production/user/speaker/list") == []
    assert api.end_users() == []
    for npc in (first, second):
        refused(api.post("/beta/memory/list", {"character_id": npc, "end_user_id": "player-42"}), 404)
    assert register(api, deviceId="player-42") != speaker_id


def test_deleting_an_end_user_takes_the_speaker(api: Api) -> None:
    register(api, deviceId="player-42")
    api.remember(api.character(), "player-42", "The user has a dog.")
    assert api.ok("/beta/user/end-users/delete", {"end_user_id": "player-42"})["deleted"] is True
    assert api.ok("/beta/user/speaker/list") == []


def test_an_unknown_speaker_cannot_be_deleted(api: Api) -> None:
    refused(api.post("/beta/user/speaker/delete", {"speakerId": "ghost"}), 404, "speakerId", "ghost")
