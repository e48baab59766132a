"""A stop ends in time, whatever clients leave undone, and keeps what was acknowledged; and where a server listens."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.serving import Served, serve, serve_here

TIMEOUT = 2.0
SLACK = 120.0
"""Seconds more than a stop may take until a test is sure that it hangs: for a busy machine."""
KEY = {"CONVAI-API-KEY": "key"}


@contextmanager
def connected(served: Served) -> Iterator[socket.socket]:
    """A socket to a server."""
    parts = urlsplit(served.url)
    assert parts.hostname is not None
    with socket.create_connection((parts.hostname, parts.port or 80)) as connection:
        yield connection


def request(path: str, body: bytes, length: int, key: str = "key") -> bytes:
    """A request that announces a body of this length."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nCONVAI-API-KEY: {key}\r\nContent-Length: {length}\r\n"
    return f"{head}Content-Type: application/json\r\n\r\n".encode() + body


def half_a_body(connection: socket.socket) -> None:
    """A client stops in the middle of its request."""
    connection.sendall(request("/beta/memory/add", b'{"memories": [', 1000))


def a_delayed_fault(served: Served, connection: socket.socket) -> None:
    """A client waits for an answer that is delayed."""
    fault = {"match": {"path": "/user/end-users/list"}, "delay_ms": 600_000}
    httpx.post(f"{served.url}/_fake/faults", json=fault, headers=KEY).raise_for_status()
    connection.sendall(request("/beta/user/end-users/list", b"{}", 2))


def an_unread_answer(served: Served, connection: socket.socket) -> None:
    """A client asks for much, and reads nothing."""
    text = "x" * 500_000
    seed = {
        "characters": [{"character_id": "npc"}, {"character_id": "kept"}],
        "sessions": [{"character_id": "npc", "interactions": [{"user": text, "character": text}]} for _ in range(20)],
    }
    httpx.post(f"{served.url}/_fake/seed", json=seed, headers=KEY, timeout=60).raise_for_status()
    connection.sendall(b"GET /_fake/state HTTP/1.1\r\nHost: localhost\r\nCONVAI-API-KEY: key\r\n\r\n")
    assert connection.recv(1)


def test_a_stop_ends_in_time_and_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    database = str(tmp_path / "data.db")
    body = {"character_id": "kept", "end_user_id": "player-42"}
    with (
        serve("--database", database, "--stop-timeout", str(TIMEOUT)) as served,
        connected(served) as unfinished,
        connected(served) as delayed,
        connected(served) as unread,
    ):
        half_a_body(unfinished)
        an_unread_answer(served, unread)
        a_delayed_fault(served, delayed)
        facts = {**body, "memories": ["The user has a dog."]}
        httpx.post(f"{served.url}/beta/memory/add", json=facts, headers=KEY).raise_for_status()
        served.process.terminate()
        assert served.process.wait(timeout=TIMEOUT + SLACK) == 0
        answer = delayed.recv(4096)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert answer.endswith(b'{"ERROR":"The server is stopping."}')
    with serve_here(database=database) as again:
        found = httpx.post(f"{again.url}/beta/memory/list", json=body, headers=KEY).json()["memories"]
        assert [one["memory"] for one in found] == ["The user has a dog."]


@pytest.mark.parametrize("options", [(), ("--host", "localhost")])
def test_both_loopbacks_are_listened_to_on_one_port(options: tuple[str, ...]) -> None:
    with serve(*options) as served:
        port = urlsplit(served.url).port
        for host in ("127.0.0.1", "[::1]"):
            assert httpx.get(f"http://{host}:{port}/_fake/health").status_code == 200


def test_a_proxy_in_another_container_may_say_that_it_was_reached_by_tls() -> None:
    with serve("--host", "0.0.0.0", "--control-key", "control") as served:
        headers = {"X-API-Key": "key", "X-Forwarded-Proto": "https"}
        key = {"CONVAI-API-KEY": "key"}
        made = httpx.post(
            f"{served.url}/production/character/create",
            json={"charName": "Guide", "voiceType": "MALE", "backstory": ""},
            headers=key,
        ).json()
        body = {"character_id": made["charID"], "transport": "websocket"}
        answer = httpx.post(f"{served.url}/live/connect", json=body, headers=headers).json()
        assert answer["room_url"].startswith("wss://")
