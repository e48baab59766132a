"""A client that does not read what it is sent is dropped, and holds up nobody until then (issue 16)."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.websockets import WebSocket, WebSocketState

from fake_convai.backend import responses
from fake_convai.backend.responses import AT_ONCE, EventStream
from fake_convai.live import websocket
from fake_convai.live.websocket import SocketConnection
from fake_convai.testing.server_thread import ServerThread

KEY = {"CONVAI-API-KEY": "key", "X-API-Key": "key"}
HANDSHAKE = "\r\n".join(
    (
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==",
    )
)
PATIENCE = 60
LONG = 8_000_000
"""Bytes, more than the buffers of a socket take."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ServerThread]:
    """A server that is soon out of patience."""
    monkeypatch.setattr(responses, "SEND_SECONDS", 0.2)
    monkeypatch.setattr(websocket, "SEND_SECONDS", 0.2)
    monkeypatch.setattr(websocket, "CLOSE_SECONDS", 0.2)
    running = ServerThread()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def http(server: ServerThread) -> Iterator[httpx.Client]:
    """A client that does read, of an account whose character says a lot."""
    with httpx.Client(base_url=server.url, headers=KEY, trust_env=False, timeout=PATIENCE) as client:
        client.post("/_fake/seed", json={"characters": [{"character_id": "npc"}]}).raise_for_status()
        client.put("/_fake/replies", json={"default": "x" * LONG}).raise_for_status()
        yield client


def dial(server: ServerThread, head: str, body: bytes = b"") -> socket.socket:
    """A connection that sends a request and reads nothing."""
    address = urlsplit(server.url)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect((address.hostname, address.port))
    connection.sendall(f"{head} HTTP/1.1\r\nHost: {address.netloc}\r\n".encode() + body)
    return connection


def frame(text: bytes) -> bytes:
    """A masked text frame of a short text, as a client sends it."""
    return bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text


def left_until_dropped(connection: socket.socket) -> int:
    """Read what is left until the connection is gone; returns how much that was."""
    connection.settimeout(PATIENCE)
    read = 0
    with suppress(ConnectionResetError):
        while part := connection.recv(65536):
            read += len(part)
    return read


def wait_until_ended(http: httpx.Client, session_id: str) -> None:
    """Look at the session until it is over."""
    end = time.monotonic() + PATIENCE
    while (
        http.post("/live/connect", headers={"API-AUTH-TOKEN": session_id, "X-API-Key": ""}, json={}).status_code != 401
    ):
        assert time.monotonic() < end, "the session does not end"


def test_a_websocket_that_is_not_read_is_dropped(server: ServerThread, http: httpx.Client) -> None:
    sessions = [http.post("/live/connect", json={"character_id": "npc", "transport": "websocket"}).json() for _ in "ab"]
    with ExitStack() as stack:
        connections = []
        for session in sessions:
            head = f"GET /live/chat?session_id={session['session_id']}"
            connection = stack.enter_context(dial(server, head, f"{HANDSHAKE}\r\n\r\n".encode()))
            assert connection.recv(12) == b"HTTP/1.1 101"
            connection.sendall(frame(b'{"type":"user_text_message","data":{"text":"Hello."}}'))
            connections.append(connection)
        answer = http.post("/live/disconnect", params={"session_id": sessions[0]["session_id"]})
        assert answer.status_code == 200
        assert http.put("/_fake/clock", json={"advance": 1}).status_code == 200
        wait_until_ended(http, sessions[1]["session_id"])
        for connection in connections:
            assert left_until_dropped(connection) < LONG


@pytest.mark.parametrize("disturbed", [False, True])
def test_a_stream_that_is_not_read_is_dropped(server: ServerThread, http: httpx.Client, disturbed: bool) -> None:
    if disturbed:
        fault = {"match": {"path": "/connect/stream"}, "at": {"event": "connection-stoppped"}, "do": "drop"}
        assert http.post("/_fake/faults", json={**fault, "times": None}).status_code == 200
    body = b"character_id=npc&text_input=Hello."
    head = f"X-API-Key: key\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    with ExitStack() as stack:
        connections = [
            stack.enter_context(dial(server, "POST /live/connect/stream", head.encode() + body)) for _ in range(5)
        ]
        # Until the server has begun to wait for each.
        assert [connection.recv(12) for connection in connections] == [b"HTTP/1.1 200"] * 5
        assert http.get("/_fake/health").status_code == 200
        read = time.monotonic() + 1
        while time.monotonic() < read:
            assert http.get("/_fake/health").status_code == 200
        for connection in connections:
            assert left_until_dropped(connection) < LONG


async def _turns_of_others(send_all: Callable[[], Awaitable[None]]) -> int:
    """How often another task has its turn while something is sent to a client that is never slow."""
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    waiting = asyncio.create_task(other())
    await send_all()
    waiting.cancel()
    return turns


def test_a_long_answer_lets_others_in() -> None:
    async def take(message: Any) -> None:
        pass

    async def gone() -> Any:
        await asyncio.Event().wait()

    async def events() -> AsyncIterator[tuple[str, Any]]:
        for number in range(100 * AT_ONCE):
            yield "bot-llm-text", number

    async def as_stream() -> None:
        await EventStream(events())({"type": "http"}, gone, take)

    async def as_frames() -> None:
        client = WebSocket({"type": "websocket"}, gone, take)
        client.application_state = WebSocketState.CONNECTED
        connection = SocketConnection(client)
        for _ in range(100 * AT_ONCE):
            await connection.send_raw(b"{}")

    assert asyncio.run(_turns_of_others(as_stream)) >= 90
    assert asyncio.run(_turns_of_others(as_frames)) >= 90
