"""The real server process: how it starts, serves, stops, and what it keeps."""

import json
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from fake_convai import __version__
from tests.serving import Answering, Served, serve, serve_here

CHARACTER = {"charName": "Coach", "voiceType": "MALE", "backstory": "Trains people."}
SEED: dict[str, Any] = {
    "characters": [{"character_id": "npc-1", "character_name": "Guide", "memory_settings": {"enabled": True}}],
    "end_users": [{"end_user_id": "player-42", "end_user_metadata": {"name": "Jordan"}}],
    "memories": [{"character_id": "npc-1", "end_user_id": "player-42", "memory": "The user has a dog."}],
}


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    """A server with its defaults."""
    with serve() as served:
        yield served


def post(server: Answering, path: str, body: Any = None, key: str = "key") -> Any:
    """What a route answers with 200."""
    response = httpx.post(server.url + path, json=body or {}, headers={"CONVAI-API-KEY": key})
    assert response.status_code in (200, 201), response.text
    return response.json()


def memories(server: Answering, character_id: str, end_user_id: str = "player-42", key: str = "key") -> list[str]:
    """What a character remembers."""
    body = {"character_id": character_id, "end_user_id": end_user_id}
    return [memory["memory"] for memory in post(server, "/beta/memory/list", body, key)["memories"]]


def test_the_ready_lines_name_each_surface(server: Served) -> None:
    origin = server.url
    assert server.process.stdout is not None
    lines = [server.process.stdout.readline().split() for _ in range(6)]
    assert lines == [
        ["production", f"{origin}/production"],
        ["beta", f"{origin}/beta"],
        ["live", f"{origin}/live"],
        ["all", origin],
        ["control", f"{origin}/_fake"],
        ["page", f"{origin}/"],
    ]
    for _, url in lines[:4]:
        response = httpx.get(f"{url}/_fake/health")
        assert (response.status_code, response.json()) == (200, {"status": "ready", "version": __version__})


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_base_url_may_end_in_a_slash(server: Served, slash: str) -> None:
    base = f"{server.url}/beta{slash}".rstrip("/") + "/"
    response = httpx.post(f"{base}user/end-users/list", headers={"CONVAI-API-KEY": "key"})
    assert (response.status_code, response.json()["has_more"]) == (200, False)


def test_errors_over_a_real_connection(server: Served) -> None:
    key = {"CONVAI-API-KEY": "key"}
    big = httpx.post(f"{server.url}/beta/memory/add", content=b"x" * 3_000_000, headers=key)
    assert (big.status_code, list(big.json())) == (413, ["ERROR"])
    streamed = httpx.post(f"{server.url}/beta/memory/add", content=iter([b"x" * 65_536] * 40), headers=key)
    assert (streamed.status_code, list(streamed.json())) == (413, ["ERROR"])
    assert httpx.post(f"{server.url}/beta/memory/add").json() == {"ERROR": "The request is missing an API key."}
    hosted = httpx.post(f"{server.url}/connect", headers={**key, "Host": f"api.localhost:{server.url[-5:]}"})
    assert hosted.status_code == 404
    assert "/live/connect" in hosted.json()["ERROR"]


def test_a_grpc_client_is_told_what_this_is(server: Served) -> None:
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b"")).decode()
    assert answer.startswith("HTTP/1.1 400 ")
    assert "This is gRPC, and the fake speaks HTTP with JSON" in answer


def test_thirty_two_clients_at_once(server: Served) -> None:
    key = {"CONVAI-API-KEY": "together"}
    npc = post(server, "/production/character/create", CHARACTER, "together")["charID"]
    body = {"character_id": npc, "end_user_id": "player-42", "memories": ["The user has a dog.", "Tea is liked."]}
    with httpx.Client(base_url=server.url, headers=key, limits=httpx.Limits(max_connections=32)) as client:

        def work(number: int) -> list[int]:
            patch = {"end_user_id": "player-42", "end_user_metadata": {f"key-{number}": number}}
            requests = (("/beta/memory/add", body), ("/beta/user/end-users/update", patch))
            return [client.post(path, json=sent).status_code for path, sent in requests]

        with ThreadPoolExecutor(32) as pool:
            assert list(pool.map(work, range(32))) == [[200, 200]] * 32
    assert memories(server, npc, key="together") == body["memories"]
    user = post(server, "/beta/user/end-users/get", {"end_user_id": "player-42"}, "together")
    assert user["end_user_metadata"] == {f"key-{number}": number for number in range(32)}


def test_ctrl_c_stops_it_cleanly_also_with_an_open_connection() -> None:
    with serve() as server, httpx.Client(base_url=server.url, headers={"CONVAI-API-KEY": "key"}) as client:
        assert client.post("/beta/user/end-users/list").status_code == 200
        assert server.stop(signal.SIGINT) == 0


def test_a_file_keeps_what_was_acknowledged_before_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "data.db"
    with serve("--database", str(path)) as server:
        npc = post(server, "/production/character/create", CHARACTER)["charID"]
        token = post(server, "/production/user/connect")["apiAuthToken"]
        post(server, "/beta/memory/add", {"character_id": npc, "end_user_id": "player-41", "memories": ["A fact."]})
        facts = [f"{number} is a number that the user likes." for number in range(20)]
        for fact in facts:
            post(server, "/beta/memory/add", {"character_id": npc, "end_user_id": "player-42", "memories": [fact]})
        first = post(server, "/beta/user/end-users/list", {"limit": 1})
        rest = post(server, "/beta/user/end-users/list", {"cursor": first["next_cursor"]})
        assert server.stop(signal.SIGKILL) == -signal.SIGKILL
    with serve_here(database=str(path)) as again:
        assert post(again, "/beta/user/end-users/list", {"limit": 1}) == first
        assert post(again, "/beta/user/end-users/list", {"cursor": first["next_cursor"]}) == rest
        assert memories(again, npc) == facts
        response = httpx.post(f"{again.url}/user/end-users/list", headers={"API-AUTH-TOKEN": token})
        assert response.json()["total_count"] == 2
        assert post(again, "/beta/user/end-users/list", key="another")["total_count"] == 0


def test_demo_is_something_to_look_at() -> None:
    with serve("--demo") as server:
        assert server.process.stdout is not None
        lines = [server.process.stdout.readline().split() for _ in range(6)]
        assert lines[-1] == ["page", f"{server.url}/?key=demo#/talk"]
        (account,) = httpx.get(f"{server.url}/_fake/accounts").json()["accounts"]
        assert account == {
            "last_four": "",
            "characters": 3,
            "end_users": 5,
            "memories": 12,
            "sessions": 4,
            "requests": 0,
        }
        characters = post(server, "/production/character/list", key="demo")["characters"]
        assert len(characters) >= 2
        assert {character["memory_settings"]["enabled"] for character in characters} == {True, False}
        users = post(server, "/beta/user/end-users/list", key="demo")["end_users"]
        assert len(users) >= 2
        assert any(user["end_user_metadata"].get("name") for user in users)
        remembering = next(c["character_id"] for c in characters if c["memory_settings"]["enabled"])
        assert any(
            post(
                server, "/beta/memory/list", {"character_id": remembering, "end_user_id": user["end_user_id"]}, "demo"
            )["total_count"]
            for user in users
        )
        assert post(server, "/beta/user/end-users/list", key="other")["end_users"] == []


def test_every_new_account_starts_with_the_seeds(tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.yaml"
    first.write_text(json.dumps(SEED), "utf-8")
    second.write_text(
        "end_users:\n- end_user_id: player-43\n  last_active_ts: 2026-01-01T12:00:00Z\n"
        "memories:\n- {character_id: npc-1, end_user_id: player-43, memory: The user has a cat.}\n",
        "utf-8",
    )
    with serve_here(seed=(first, second)) as server:
        for key in ("one", "two"):
            (character,) = post(server, "/production/character/list", key=key)["characters"]
            assert (character["character_id"], character["character_name"]) == ("npc-1", "Guide")
            assert character["memory_settings"] == {"enabled": True}
            users = post(server, "/beta/user/end-users/list", key=key)["end_users"]
            assert [user["end_user_id"] for user in users] == ["player-42", "player-43"]
            assert users[0]["end_user_metadata"] == {"name": "Jordan"}
            assert users[1]["last_active_ts"] == "2026-01-01T12:00:00.000000Z"
            assert memories(server, "npc-1", "player-42", key) == ["The user has a dog."]
            assert memories(server, "npc-1", "player-43", key) == ["The user has a cat."]
        post(server, "/beta/user/end-users/delete", {"end_user_id": "player-42"}, "one")
        assert memories(server, "npc-1", "player-42", "two") == ["The user has a dog."]


def test_variables_and_flags_are_settings_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with serve("--api-key", "flag", FAKE_CONVAI_API_KEY="variable", FAKE_CONVAI_SPLIT="strict") as server:
        response = httpx.post(f"{server.url}/production/user/end-users/list", headers={"CONVAI-API-KEY": "flag"})
        assert response.status_code == 404
        response = httpx.post(f"{server.url}/user/end-users/list", headers={"CONVAI-API-KEY": "variable"})
        assert (response.status_code, response.json()) == (401, {"ERROR": "Invalid API key provided."})
        post(server, "/production/character/create", CHARACTER, "flag")
    assert list(tmp_path.iterdir()) == []


LIMIT = 64 * 1024


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /_fake/health HTTP/1.1\r\nHost: localhost\r\nX-Long: %b\r\n\r\n" % (b"a" * LIMIT),
        b"GET /_fake/health HTTP/1.1\r\nHost: localhost\r\nX-Endless: %b" % (b"a" * 4 * LIMIT),
        b"GET /_fake/health HTTP/1.1\r\nHost: localhost\r\n%b\r\n" % (b"X-Many: aaaaaaaaaaaaaaaaaaa\r\n" * 4000),
        b"GET /%b HTTP/1.1\r\nHost: localhost\r\n\r\n" % (b"a" * LIMIT),
        b"POST /_fake/settle HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer: %b"
        % (b"a" * 4 * LIMIT),
        b"GET /live/chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX: %b\r\n\r\n"
        % (b"a" * LIMIT),
    ],
    ids=["one", "endless", "many", "path", "trailer", "websocket"],
)
def test_a_head_above_the_limit_is_refused(server: Served, request_: bytes) -> None:
    host, _, port = server.netloc.partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as client:
        answer = b""
        with suppress(ConnectionError):  # not all of it is read any more
            client.sendall(request_)
        with suppress(ConnectionError):
            while part := client.recv(4096):
                answer += part
    assert answer.startswith(b"HTTP/1.1 431 "), answer[:200]
    assert answer.endswith(b"\r\n\r\nThe request's first line and headers are over the limit of 65536 bytes (64 KiB).")


def test_a_head_below_the_limit_is_read(server: Served) -> None:
    assert httpx.get(f"{server.url}/_fake/health", headers={"X-Long": "a" * (LIMIT - 1000)}).status_code == 200
