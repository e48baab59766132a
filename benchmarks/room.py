"""Rooms: how soon a character answers in one, what silent people cost others, and what a hundred leave behind."""

import asyncio
import json
import statistics
import time
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import websockets

from benchmarks.http_rows import LIST
from benchmarks.load import KEY, Server, control, running_fake
from benchmarks.rows import Row
from fake_convai.live.livekit_server import find_program
from tests.room.person import Person

PORT = 7805
TURNS, PEOPLE, ROOMS, ROUNDS = 200, 20, 100, 5
SECTION = "In a room"


def rows() -> Iterator[Row]:
    """All of it against one server; nothing where there is no LiveKit server."""
    if find_program("auto") is None:
        print("no livekit-server: rooms are not measured (make livekit)")
        return
    with running_fake(PORT) as fake:
        control(fake, "replies", {"replies": [], "default": "Yes."}, "PUT")
        yield from _latency(fake)
        yield _beside(fake)
        yield from _one_by_one(fake)


def _latency(fake: Server) -> Iterator[Row]:
    in_room, on_socket = asyncio.run(_in_room(fake)), asyncio.run(_on_socket(fake))
    for name, of in (("median", statistics.median), ("95th percentile", _p95)):
        detail = f"{of(on_socket):.1f} ms over `/chat`"
        work = f"text sent to the first `bot-llm-text`, {name} of {TURNS}"
        yield Row(work, "at most", 50, [of(in_room)], "ms", detail, section=SECTION)


def _p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


async def _connect(fake: Server, person: str, **wish: Any) -> dict[str, Any]:
    body = {"character_id": "npc", "end_user_id": person, **wish}
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{fake.url}/live/connect", json=body, headers={"X-API-Key": KEY})
    connected: dict[str, Any] = answer.raise_for_status().json()
    return connected


async def _join(fake: Server, name: str) -> tuple[Person, str]:
    connected = await _connect(fake, name)
    person = Person(listens=False)
    await person.join(connected["room_url"], connected["token"])
    await person.message("bot-ready")
    return person, connected["session_id"]


async def _in_room(fake: Server) -> list[float]:
    person, _ = await _join(fake, "player-42")
    await person.send("tts-toggle", {"enabled": False})
    waited = []
    for turn in range(1, TURNS + 1):
        began = time.perf_counter()
        await person.say("Hello")
        await person.message("bot-llm-text", nth=turn)
        waited.append((time.perf_counter() - began) * 1000)
        await person.turn(turn)
    await person.leave()
    return waited


async def _on_socket(fake: Server) -> list[float]:
    connected = await _connect(fake, "player-42", transport="websocket")
    waited = []
    async with websockets.connect(connected["room_url"]) as socket:
        for _ in range(TURNS):
            began = time.perf_counter()
            await socket.send(json.dumps({"type": "user_text_message", "data": {"text": "Hello"}}))
            while json.loads(await socket.recv())["type"] != "bot-llm-text":
                pass
            waited.append((time.perf_counter() - began) * 1000)
            while "bot-turn-completed" not in str(await socket.recv()):
                pass
    return waited


def _beside(fake: Server) -> Row:
    """REST while people are in rooms and say nothing, against REST alone."""

    async def run() -> list[float]:
        alone = [await asyncio.to_thread(fake.requests_a_second, LIST) for _ in range(ROUNDS)]
        people = [await _join(fake, f"silent-{number}") for number in range(PEOPLE)]
        beside = [await asyncio.to_thread(fake.requests_a_second, LIST) for _ in range(ROUNDS)]
        for person, _ in people:
            await person.leave()
        return [one / statistics.median(alone) for one in beside]

    work = f"`/memory/list` beside {PEOPLE} people who are silent in rooms, against alone"
    return Row(work, "at least", 0.8, asyncio.run(run()), section=SECTION)


def _one_by_one(fake: Server) -> Iterator[Row]:
    """A hundred rooms, one after the other: all greeted, and memory level."""
    ready = 0

    async def talk(number: int) -> None:
        nonlocal ready
        person, session_id = await _join(fake, f"visitor-{number}")
        ready += person.kinds().count("bot-ready")
        await person.say("Hello")
        await person.turn()
        async with httpx.AsyncClient() as client:
            await client.post(f"{fake.url}/live/disconnect", params={"session_id": session_id})
        await person.leave()

    async def run(numbers: range) -> float:
        for number in numbers:
            await talk(number)
        return fake.resident_mebibytes()

    early = asyncio.run(run(range(ROOMS // 5)))
    late = asyncio.run(run(range(ROOMS // 5, ROOMS)))
    detail = f"{late:.0f} against {early:.0f} MiB"
    work = f"memory after {ROOMS} rooms against after {ROOMS // 5}"
    yield Row(work, "at most", 1.1, [late / early], detail=detail, section=SECTION)
    yield Row(f"people of {ROOMS} who see `bot-ready`", "at least", ROOMS, [ready], section=SECTION)
