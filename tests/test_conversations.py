"""Conversations with a real server process, over real sockets: the `websockets` package is the client."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import ConnectionClosed

from tests.serving import Answering, Served, serve, serve_here

MY_NAME, NAME_FACT, ASK_NAME = "My name is Jordan.", "The user's name is Jordan.", "What is my name?"
MEBIBYTE = 1024 * 1024
MANY = 60
TIMEOUT = 300
"""Seconds until a test gives up waiting for the server."""


async def post(server: Answering, path: str, body: dict[str, Any]) -> Any:
    """The answer's JSON, after making sure that it is a 200."""
    key = "X-API-Key" if path.startswith("/live/") else "CONVAI-API-KEY"
    # Nothing to verify on a server of plain HTTP: loading the certificates would be most of the work.
    options: Any = {"base_url": server.url, "headers": {key: "a key"}, "timeout": TIMEOUT, "verify": False}
    async with httpx.AsyncClient(**options) as client:
        response = await client.post(path, json=body)
    assert response.status_code in (200, 201), response.text
    return response.json()


async def character(server: Answering) -> str:
    """A new character with memory."""
    body = {"charName": "Coach", "voiceType": "MALE", "backstory": "Trains people."}
    character_id: str = (await post(server, "/production/character/create", body))["charID"]
    changes = {"charID": character_id, "memorySettings": {"enabled": True}}
    assert await post(server, "/production/character/update", changes) == {"STATUS": "SUCCESS"}
    return character_id


async def connect(server: Answering, character_id: str, end_user_id: str | None = "player-42") -> dict[str, Any]:
    """A session over a WebSocket."""
    body = {"character_id": character_id, "end_user_id": end_user_id, "transport": "websocket"}
    session: dict[str, Any] = await post(server, "/live/connect", body)
    assert session["room_url"] == f"ws://{server.netloc}/live/chat?session_id={session['session_id']}"
    return session


@asynccontextmanager
async def chat(session: dict[str, Any]) -> AsyncIterator[ClientConnection]:
    """Its WebSocket."""
    opening = open_websocket(session["room_url"], open_timeout=TIMEOUT, compression=None)
    async with opening as websocket, asyncio.timeout(TIMEOUT):
        yield websocket


async def say(websocket: ClientConnection, text: str) -> str:
    """Say something; returns the answer."""
    await websocket.send(json.dumps({"type": "user_text_message", "data": {"text": text}}))
    acknowledgement = json.loads(await websocket.recv())
    assert (acknowledgement["event_type"], acknowledgement["status"]) == ("user_text_message", "success")
    answer = ""
    while True:
        frame = json.loads(await websocket.recv())
        if frame["type"] == "bot-llm-text":
            answer += frame["data"]["text"]
        if frame["data"].get("type") == "bot-turn-completed":
            return answer


async def closing(websocket: ClientConnection, frame: str | bytes | None = None) -> tuple[int | None, str | None]:
    """Code and reason of the close that comes, in answer to a frame if one is given."""
    if frame is not None:
        with suppress(ConnectionClosed):  # it may come before the whole frame is sent
            await websocket.send(frame)
    await websocket.wait_closed()
    return websocket.close_code, websocket.close_reason


async def disconnect(server: Answering, session: dict[str, Any]) -> None:
    """End a session. The client knows of a close before the server is done with it; this waits until it is."""
    answer = {"status": "success", "message": "Session disconnected successfully"}
    assert await post(server, f"/live/disconnect?session_id={session['session_id']}", {}) == answer


async def facts(server: Answering, character_id: str, end_user_id: str = "player-42") -> list[str]:
    """What the character remembers of a player."""
    listed = await post(server, "/beta/memory/list", {"character_id": character_id, "end_user_id": end_user_id})
    return [memory["memory"] for memory in listed["memories"]]


async def said_in(server: Answering, character_id: str, session: dict[str, Any]) -> list[str]:
    """What the player said, as chat history has it."""
    body = {"charID": character_id, "sessionID": session["character_session_id"]}
    turns = await post(server, "/production/character/chatHistory/details", body)
    return [turn["interaction"][0]["message"] for turn in turns]


def test_a_second_conversation_after_a_restart_knows_the_name_from_the_first(tmp_path: Path) -> None:
    database = str(tmp_path / "fake.db")

    async def first(server: Answering) -> str:
        npc = await character(server)
        session = await connect(server, npc)
        async with chat(session) as websocket:
            assert "Jordan" not in await say(websocket, ASK_NAME)
            await say(websocket, MY_NAME)
        return npc

    async def second(server: Answering, npc: str) -> None:
        session = await connect(server, npc)
        async with chat(session) as websocket:
            assert "Jordan" in await say(websocket, ASK_NAME)
        await disconnect(server, session)
        assert await facts(server, npc) == [NAME_FACT]
        listed = await post(server, "/production/character/chatHistory/list", {"charID": npc, "limit": "-1"})
        assert [summary["is_added_to_memory"] for summary in listed] == [True, True]

    with serve_here(database=database) as server:
        npc = asyncio.run(first(server))
    with serve_here(database=database) as server:
        asyncio.run(second(server, npc))


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_what_was_said_when_the_server_went_is_remembered(tmp_path: Path, how: signal.Signals) -> None:
    database = str(tmp_path / "fake.db")

    async def interrupted(server: Served) -> tuple[str, dict[str, Any]]:
        npc = await character(server)
        session = await connect(server, npc)
        async with chat(session) as websocket:
            await say(websocket, MY_NAME)
            server.process.send_signal(how)
            with pytest.raises(ConnectionClosed):
                await websocket.recv()
        return npc, session

    async def after(server: Answering, npc: str, session: dict[str, Any]) -> None:
        assert await facts(server, npc) == [NAME_FACT]
        assert await said_in(server, npc, session) == [MY_NAME]
        url = f"ws://{server.netloc}/live/chat?session_id={session['session_id']}"
        async with chat({"room_url": url}) as websocket:
            assert await closing(websocket) == (1008, "Session expired. Please reconnect via /connect")
        async with chat(await connect(server, npc)) as websocket:
            assert "Jordan" in await say(websocket, ASK_NAME)

    with serve("--database", database) as server:
        npc, session = asyncio.run(interrupted(server))
        server.process.wait(timeout=TIMEOUT)
    with serve_here(database=database) as again:
        asyncio.run(after(again, npc, session))


def test_many_talk_at_once(tmp_path: Path) -> None:
    async def talk(server: Served, npc: str, number: int, everybody: asyncio.Barrier) -> None:
        session = await connect(server, npc, f"player-{number}")
        async with chat(session) as websocket:
            await everybody.wait()
            await say(websocket, f"My name is Player{number}.")
            assert f"Player{number}" in await say(websocket, ASK_NAME)
            await everybody.wait()
        await disconnect(server, session)
        assert await facts(server, npc, f"player-{number}") == [f"The user's name is Player{number}."]

    async def all_at_once(server: Served) -> None:
        npc = await character(server)
        everybody = asyncio.Barrier(MANY)
        async with asyncio.timeout(TIMEOUT), asyncio.TaskGroup() as tasks:
            for number in range(MANY):
                tasks.create_task(talk(server, npc, number, everybody))
        listed = await post(server, "/production/character/chatHistory/list", {"charID": npc})
        assert [summary["is_added_to_memory"] for summary in listed] == [True] * MANY

    with serve("--database", str(tmp_path / "fake.db")) as server:
        asyncio.run(all_at_once(server))


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    """A server in memory, for tests that leave it running."""
    with serve() as running:
        yield running


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
def test_a_frame_over_the_limit_ends_the_session_and_nothing_else(server: Served, binary: bool) -> None:
    async def send_too_much() -> None:
        npc = await character(server)
        session, other_session = await connect(server, npc), await connect(server, npc, None)
        frame = json.dumps({"type": "hello", "data": "x" * (16 * MEBIBYTE)})
        async with chat(other_session) as other:
            async with chat(session) as websocket:
                await say(websocket, MY_NAME)
                code, _ = await closing(websocket, frame.encode() if binary else frame)
                assert code == 1009
            assert await say(other, "Hello.")
        assert await said_in(server, npc, session) == [MY_NAME]
        assert await said_in(server, npc, other_session) == ["Hello."]
        await disconnect(server, session)
        assert await facts(server, npc) == [NAME_FACT]

    asyncio.run(send_too_much())


def test_a_frame_at_the_limit_is_read(server: Served) -> None:
    async def send_much() -> None:
        async with chat(await connect(server, await character(server))) as websocket:
            empty = json.dumps({"type": "hello", "data": ""})
            await websocket.send(json.dumps({"type": "hello", "data": "x" * (16 * MEBIBYTE - len(empty))}))
            assert json.loads(await websocket.recv())["message"] == "Unknown message type: hello"
            assert await say(websocket, "Hello.")

    asyncio.run(send_much())
