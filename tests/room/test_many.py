"""Many rooms, at once and one after the other, and what becomes of them when the LiveKit server dies."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.applications import Starlette

pytest.importorskip("livekit.rtc", reason="the package livekit is not installed, so no room is tried")

from fake_convai.live import rooms
from fake_convai.live.room_service import RoomService
from fake_convai.live.running import Running
from fake_convai.testing import FakeConvai
from tests.room.conftest import Servers, linux_only
from tests.room.person import Person
from tests.room.test_livekit_server import soon
from tests.room.test_room import connect, disconnect, joined, remembered, told

AT_ONCE, ONE_BY_ONE = 10, 8


@pytest.fixture
def own(livekit_program: str) -> Iterator[FakeConvai]:
    """A fake of this test alone, with a LiveKit server of its own."""
    with FakeConvai({"livekit": livekit_program}) as fake:
        yield fake


def rooms_of(fake: FakeConvai) -> rooms.Rooms:
    found = Running.of(cast(Starlette, fake.transport._app))
    assert found is not None
    return found.rooms


async def open_rooms(fake: FakeConvai) -> set[str]:
    livekit = rooms_of(fake)._livekit
    assert livekit is not None
    service = RoomService(livekit)
    try:
        return await service.rooms()
    finally:
        await service.aclose()


def test_many_rooms_at_once_are_all_answered_and_all_closed(own: FakeConvai) -> None:
    npc = own.character(memory=True)

    async def talk(number: int) -> None:
        async with joined(own, npc, f"player-{number}", listens=False) as person:
            await person.say(f"I live in Town{number}.")
            await person.turn()
            assert not person.errors
        await remembered(own, npc, f"The user lives in Town{number}.", person=f"player-{number}")

    async def run() -> None:
        await asyncio.gather(*map(talk, range(AT_ONCE)))
        await soon(lambda: rooms_of(own)._rooms == {})
        await soon(lambda: all_closed(own))

    asyncio.run(run())


@linux_only
def test_rooms_one_after_the_other_leave_nothing_behind(
    own: FakeConvai, livekit_program: str, started: Servers
) -> None:
    npc = own.character()
    measured = measuring(own, started)

    async def talk() -> None:
        connected = await connect(own, npc)
        person = Person(listens=False)
        await person.join(connected["room_url"], connected["token"])
        await person.message("bot-ready")
        await person.say("Hello")
        await person.turn()
        await disconnect(own, connected["session_id"])
        await person.wait(lambda: person.ended)
        await person.leave()
        await soon(lambda: rooms_of(own)._rooms == {} and rooms_of(own)._closing == set())

    async def run() -> None:
        for _ in range(3):
            await talk()
        before = measured()
        for _ in range(ONE_BY_ONE):
            await talk()
        await soon(lambda: grown(before, measured()) == [])
        await soon(lambda: all_closed(own))

    asyncio.run(run())


@linux_only
def test_a_room_of_ten_characters_leaves_nothing_behind(
    own: FakeConvai, livekit_program: str, started: Servers
) -> None:
    npcs = [own.character() for _ in range(10)]
    own.set_replies({}, default="Yes.")
    measured = measuring(own, started)

    def hold(*cast: str) -> None:
        with own.conversation(npcs=cast, person="player-42", max_num_participants=2) as room:
            where = room.room_session_id
            with own.conversation(person="player-43", mode="join", room_session_id=where) as other:
                other.say("Hello.")
                assert room.address("Hello.").answered == cast
        asyncio.run(soon(lambda: all_closed(own)))
        asyncio.run(soon(lambda: rooms_of(own)._ensembles == {}))

    hold(npcs[0])
    before = measured()
    hold(*npcs)
    asyncio.run(soon(lambda: grown(before, measured()) == []))


def measuring(fake: FakeConvai, started: Servers) -> Callable[[], dict[str, int]]:
    """Counts what rooms could leave behind."""
    return lambda: {
        "tasks of the server": len(asyncio.all_tasks(fake.transport._loop)),
        "threads": threading.active_count(),
        "processes": len(started()),
        "subscriptions": subscriptions(),
        "descriptors": descriptors(),
    }


def grown(before: dict[str, int], now: dict[str, int]) -> list[str]:
    """What there is more of; of the descriptors the libraries keep a few to use again."""
    return [name for name, number in now.items() if number > before[name] + (5 if name == "descriptors" else 0)]


async def all_closed(fake: FakeConvai) -> bool:
    return await open_rooms(fake) == set()


def descriptors() -> int:
    """How many files and sockets this process has open."""
    return len(os.listdir("/proc/self/fd"))


def subscriptions() -> int:
    """How many listeners LiveKit's library has for its events."""
    from livekit.rtc._ffi_client import FfiClient

    return len(FfiClient.instance.queue._subscribers)


@linux_only
def test_a_livekit_server_that_is_killed_ends_the_sessions_and_is_started_again(
    own: FakeConvai, livekit_program: str, started: Servers
) -> None:
    npc = own.character(memory=True)
    own.set_replies({"story": "Once upon a time. " * 40}, default="Yes.")

    async def run() -> None:
        async with joined(own, npc) as person:
            url = rooms_of(own)._livekit
            await person.say("My name is Jordan.")
            await person.turn()
            await person.say("Tell me a story.")
            await person.message("bot-started-speaking", "top", nth=2)
            for pid in started():
                os.kill(pid, signal.SIGKILL)
            await remembered(own, npc, "The user's name is Jordan.")
            await soon(lambda: rooms_of(own)._livekit not in (None, url))
        async with joined(own, npc) as person:
            await person.say("Are you there?")
            await person.turn()
        assert len(started()) == 1

    asyncio.run(run())
    own.close()
    assert started() == []


def test_of_a_flood_only_some_characters_wait_and_the_others_come_late(
    own: FakeConvai, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "_MAX_WAITING", 2)
    npc = own.character()

    async def run() -> None:
        flood = [await connect(own, npc, f"player-{number}") for number in range(6)]
        assert len(rooms_of(own)._late) == 4
        last = Person()
        await last.join(flood[-1]["room_url"], flood[-1]["token"])
        await last.message("bot-ready")
        await last.say("Hello")
        await last.turn()
        await last.leave()
        await soon(lambda: len(rooms_of(own)._rooms) == 5)

    asyncio.run(run())
    own.close()


def test_who_never_comes_is_not_waited_for(own: FakeConvai, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fake_convai.live.room._MOST_LOOKS", 2)
    npc = own.character()

    async def run() -> None:
        connected = await connect(own, npc)
        await soon(lambda: len(rooms_of(own)._late) == 1)
        await soon(lambda: all_closed(own))
        late = Person()
        await late.join(connected["room_url"], connected["token"])
        await late.message("bot-ready")
        await late.leave()

    asyncio.run(run())


def test_a_stop_ends_the_sessions_and_keeps_what_was_said(
    livekit_program: str, tmp_path: Path, started: Servers
) -> None:
    settings: dict[str, Any] = {"livekit": livekit_program, "database": str(tmp_path / "fake.db")}

    async def talk(fake: FakeConvai, npc: str) -> Person:
        connected = await connect(fake, npc)
        person = Person()
        await person.join(connected["room_url"], connected["token"])
        await person.message("bot-ready")
        await person.say("My name is Jordan.")
        await person.turn()
        return person

    async def run() -> None:
        with FakeConvai(settings) as fake:
            npc = fake.character(memory=True)
            person = await talk(fake, npc)
            await asyncio.to_thread(fake.close)
            assert started() == []
            await person.leave()
        with FakeConvai(settings, api_key=fake.api_key) as again:
            assert told(again, npc) == ["The user's name is Jordan."]

    asyncio.run(run())
