"""The Unity SDK's services against a strict fake, byte for byte. (What they mean: tests/api/test_sdk_requests.py.)

The SDK has two transports: HttpClient, in the editor and in most builds, and UnityWebRequest, for WebGL. C# itself is
not run here: the bytes are written after the SDK's code and after what Mono sends.
"""

from collections.abc import Callable, Iterator, Mapping

import pytest

from fake_convai import FakeConvai
from tests.clients.unity import (
    AddMemoriesResponse,
    CharacterDetails,
    CreateSpeakerIdResult,
    EndUserDeleteResponse,
    EndUserDetails,
    EndUsersListResponse,
    EndUserUpdateResponse,
    MemoryDeleteAllResponse,
    MemoryDeleteResponse,
    MemoryListResponse,
    MemoryRecord,
    RoomDetails,
    UnityClient,
    newtonsoft,
    request_bytes,
)

DEVICE = "a1b2c3d4e5f6789012345678abcdef01"
FACTS = ["The user's name is J\u00f6rg.", "The user has a dog. \U0001f415"]


@pytest.fixture
def fake(make_fake_convai: Callable[[Mapping[str, object]], FakeConvai]) -> FakeConvai:
    """An account of a server that refuses what it does not know."""
    return make_fake_convai({"strict": True})


@pytest.fixture
def unity(fake: FakeConvai) -> Iterator[UnityClient]:
    """The SDK's HttpClient."""
    with UnityClient(fake.url, fake.api_key) as client:
        yield client


def test_the_bytes_are_those_that_mono_sends() -> None:
    assert request_bytes("127.0.0.1:45847", "POST", "/list", {"CONVAI-API-KEY": "unity"}, '{"name":"J\u00f6rg"}') == (
        b"POST /list HTTP/1.1\r\n"
        b"CONVAI-API-KEY: unity\r\n"
        b"Accept: application/json\r\n"
        b"Content-Type: application/json; charset=utf-8\r\n"
        b"Content-Length: 16\r\n"
        b"Host: 127.0.0.1:45847\r\n"
        b"\r\n"
        b'{"name":"J\xc3\xb6rg"}'
    )


def test_memory_service(fake: FakeConvai, unity: UnityClient) -> None:
    npc = fake.character(memory=True)
    who = {"character_id": npc, "end_user_id": DEVICE}
    body = newtonsoft({**who, "memories": FACTS, "metadata": {"source": "quiz", "score": 9.0}})
    assert '"metadata":{"source":"quiz","score":9.0}' in body
    added = unity.post("/beta/memory/add", body).as_(AddMemoriesResponse).memories
    assert [(fact.event, fact.memory) for fact in added] == [("add", fact) for fact in FACTS]

    listed = unity.post("/beta/memory/list", newtonsoft({**who, "page": 1, "page_size": 1})).as_(MemoryListResponse)
    assert (listed.total_count, listed.page, listed.page_size, listed.has_more) == (2, 1, 1, True)
    one = newtonsoft({**who, "memory_id": added[0].id})
    record = unity.post("/beta/memory/get", one).as_(MemoryRecord)
    assert record == listed.memories[0]
    assert record.metadata == {"source": "quiz", "score": 9.0}
    deleted = unity.post("/beta/memory/delete", one).as_(MemoryDeleteResponse)
    assert (deleted.memory_id, deleted.deleted) == (added[0].id, True)
    emptied = unity.post("/beta/memory/delete-all", newtonsoft(who)).as_(MemoryDeleteAllResponse)
    assert (emptied.character_id, emptied.end_user_id) == (npc, DEVICE)
    assert fake.memories(npc, DEVICE) == []


def test_end_users_service(fake: FakeConvai, unity: UnityClient) -> None:
    players = [{"end_user_id": f"player-{number}", "last_active_ts": "2026-02-01T00:00:00Z"} for number in range(3)]
    fake.seed({"end_users": [*players, {"end_user_id": "never"}]})
    page = {"limit": 2, "cursor": None, "active_after": "2026-01-01", "active_before": None}
    assert newtonsoft(page) == '{"limit":2,"active_after":"2026-01-01"}'
    first = unity.post("/beta/user/end-users/list", newtonsoft(page)).as_(EndUsersListResponse)
    rest = unity.post("/beta/user/end-users/list", newtonsoft({**page, "cursor": first.next_cursor}))
    last = rest.as_(EndUsersListResponse)
    assert sorted(user.end_user_id for user in first.end_users + last.end_users) == ["player-0", "player-1", "player-2"]
    assert (first.total_count, first.has_more, last.next_cursor, last.has_more) == (3, True, None, False)

    never = unity.post("/beta/user/end-users/get", '{"end_user_id":"never"}').as_(EndUserDetails)
    assert (never.last_active_ts, never.last_ltm_usage_ts, never.end_user_metadata) == (None, None, {})
    patch = newtonsoft({"end_user_id": "never", "end_user_metadata": {"name": "Player 42", "rank": 4}})
    updated = unity.post("/beta/user/end-users/update", patch).as_(EndUserUpdateResponse)
    assert updated.end_user_metadata == {"name": "Player 42", "rank": 4}
    gone = unity.post("/beta/user/end-users/delete", '{"end_user_id":"never"}').as_(EndUserDeleteResponse)
    assert (gone.end_user_id, gone.deleted) == ("never", True)


def test_characters_and_speakers(fake: FakeConvai, unity: UnityClient) -> None:
    npc = fake.character(name="Guide")
    switch = newtonsoft({"charID": npc, "memorySettings": {"enabled": True}})
    assert unity.post("/production/character/update", switch).text == '{"STATUS":"SUCCESS"}'
    for answer in (
        unity.post("/production/character/get", newtonsoft({"charID": npc})),
        unity.get(f"/production/character/get?character_id={npc}"),
    ):
        details = answer.as_(CharacterDetails)
        assert (details.character_id, details.character_name, details.memory_settings.enabled) == (npc, "Guide", True)

    made = unity.post("/beta/user/speaker/new", '{"name":"Jordan"}').as_(CreateSpeakerIdResult)
    expected = f'[{{"speaker_id":"{made.speaker_id}","name":"Jordan","device_id":null}}]'
    assert unity.post("/beta/user/speaker/list", "{}").text == expected
    assert unity.post("/beta/user/speaker/list", None).text == expected  # Content-Length: 0 and no Content-Type
    assert unity.post("/beta/user/speaker/delete", newtonsoft({"speakerId": made.speaker_id})).status == 200


def test_room_service(fake: FakeConvai, unity: UnityClient) -> None:
    npc = fake.character(memory=True)
    request = {
        "character_id": npc,
        "transport": "livekit",
        "connection_type": "audio",
        "llm_provider": "dynamic",
        "core_service_url": f"{fake.live_url}/connect",
        "character_session_id": None,
        "invocation_metadata": {"source": "unity_sdk", "client_version": "4.0.0"},
        "end_user_id": DEVICE,
        "end_user_metadata": {"name": "J\u00f6rg"},
        "mode": "create",
        "spawn_agent": True,
        "default_stt_enabled": True,
        "vad_params": {"confidence": 0.7, "start_secs": 0.2, "stop_secs": 0.8, "min_volume": 0.6},
        "dynamic_info": {"text": "", "keep_in_context": False},
    }
    details = unity.post("/live/connect", newtonsoft(request), "x-api-key").as_(RoomDetails)
    assert (details.end_user_id, details.end_user_metadata) == (DEVICE, {"name": "J\u00f6rg"})
    again = newtonsoft({**request, "character_session_id": details.character_session_id})
    resumed = unity.post("/live/connect", again, "x-api-key").as_(RoomDetails)
    assert resumed.character_session_id == details.character_session_id
    assert resumed.session_id != details.session_id


def test_an_error_is_a_status_and_a_text(fake: FakeConvai, unity: UnityClient) -> None:
    fake.fail("/user/end-users/list", status=429)
    refused = unity.post("/beta/user/end-users/list", '{"limit":50}')
    assert (refused.status, refused.reason) == (429, "Too Many Requests")
    assert refused.text == '{"ERROR":"API rate limit exceeded. Please try again later."}'
    unknown = unity.post("/beta/user/end-users/get", '{"end_user_id":"nobody"}')
    assert (unknown.status, unknown.reason) == (404, "Not Found")
    # The connection is still good: HttpClient would use it for the next request.
    assert unity.post("/beta/user/end-users/list", '{"limit":50}').status == 200


def test_a_client_that_waits_before_it_sends_the_body(fake: FakeConvai, unity: UnityClient) -> None:
    """HttpWebRequest, which plug-ins of Unity still use, asks first whether the body is wanted."""
    whole = request_bytes("localhost", "POST", "/beta/user/end-users/list", {"CONVAI-API-KEY": fake.api_key}, "{}")
    head, _, body = whole.partition(b"\r\n\r\n")
    unity.socket.sendall(head + b"\r\nExpect: 100-continue\r\n\r\n")
    assert unity.socket.recv(1024) == b"HTTP/1.1 100 Continue\r\n\r\n"
    unity.send(body).as_(EndUsersListResponse)


def test_unity_web_request(fake: FakeConvai, unity: UnityClient) -> None:
    """Outside of a browser it is curl, with headers of Unity's own; the SDK gives it no charset."""
    answer = unity.send(
        b"POST /beta/user/end-users/list HTTP/1.1\r\n"
        b"Host: localhost:2668\r\n"
        b"User-Agent: UnityPlayer/6000.0.23f1 (UnityWebRequest/1.0, libcurl/8.6.0-DEV)\r\n"
        b"Accept-Encoding: deflate, gzip\r\n"
        b"Content-Type: application/json\r\n"
        b"Accept: application/json\r\n"
        b"CONVAI-API-KEY: " + fake.api_key.encode() + b"\r\n"
        b"X-Unity-Version: 6000.0.23f1\r\n"
        b"Content-Length: 12\r\n"
        b"\r\n"
        b'{"limit":50}'
    )
    assert answer.as_(EndUsersListResponse).has_more is False
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-encoding"] is None
