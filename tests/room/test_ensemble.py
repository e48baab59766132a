"""Rooms with several characters, with LiveKit's own client: the scenarios of the vendor's two pages."""

import asyncio
import base64
import functools
import json
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

pytest.importorskip("livekit.rtc", reason="the package livekit is not installed, so no room is tried")

from fake_convai.api.published import published
from fake_convai.backend.surface import Surface
from fake_convai.testing import FakeConvai
from tests.openapi.contract import value_departures
from tests.room.person import Person
from tests.room.test_livekit_server import soon

LIVE = published(Surface.LIVE)
OF_THE_ROOM = ("bot-ready", "server-response", "character-status", "character-removed", "turn-complete")


def in_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test in a loop of its own."""

    @functools.wraps(test)
    def run(**arguments: Any) -> None:
        asyncio.run(test(**arguments))

    return run


async def ask(fake: FakeConvai, **body: Any) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.post(f"{fake.live_url}/connect", json=body, headers={"X-API-Key": fake.api_key})


async def script(fake: FakeConvai, *replies: dict[str, Any]) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.put(
            f"{fake.url}/_fake/replies", json={"replies": replies}, headers={"X-API-Key": fake.api_key}
        )
    assert answer.status_code == 200, answer.text


async def connect(fake: FakeConvai, *npcs: str, person: str = "player-42", **wish: Any) -> dict[str, Any]:
    characters = [{"character_id": npc} for npc in npcs]
    body = {"characters": characters, **wish} if npcs else wish
    answer = await ask(fake, end_user_id=person, **body)
    assert answer.status_code == 200, answer.text
    connected: dict[str, Any] = answer.json()
    return connected


class Guest(Person):
    """Somebody in a room with several characters."""

    def bind(self, connected: dict[str, Any]) -> "Guest":
        """Note which room it is."""
        self.connected = connected
        self.epoch = 0
        return self

    def _received(self, packet: Any) -> None:
        """Hold what the room itself says to the document."""
        message = json.loads(packet.data)
        told = message["data"] if message["type"] == "server-message" else message
        if told["type"] in OF_THE_ROOM and told.get("event_type") not in ("user_text_message", "context-update"):
            self.errors += value_departures(LIVE, {"$ref": "#/components/schemas/RosterEvent"}, message)
        super()._received(packet)

    def member(self, number: int) -> str:
        """The membership id of an entry of the roster."""
        membership: str = self.connected["characters"][number]["membership_id"]
        return membership

    async def command(self, kind: str, command_id: str | None = None, **data: Any) -> dict[str, Any]:
        """Send a command, and wait for what the server says to it."""
        seen = len(self.messages)
        await self.order(kind, command_id or str(uuid.uuid4()), **data)
        return await self.answer(kind, seen)

    async def order(self, kind: str, command_id: str, **data: Any) -> None:
        """Send a command."""
        data = {"room_session_id": self.connected["room_session_id"], **data}
        message = {"label": "rtvi-ai", "type": kind, "id": command_id, "data": data}
        await self.room.local_participant.publish_data(json.dumps(message))

    async def answer(self, kind: str, seen: int = 0) -> dict[str, Any]:
        """The flat response to a command, without the message's own wording."""

        def found() -> dict[str, Any] | None:
            return next(
                (
                    one.data
                    for one in self.messages[seen:]
                    if (one.kind, one.shape) == ("server-response", "flat") and one.data["event_type"] == kind
                ),
                None,
            )

        await soon(lambda: found() is not None)
        return found() or {}

    def lines(self) -> dict[str, str]:
        """What each instance has said, by membership."""
        said: dict[str, str] = {}
        for message in self.messages:
            if message.kind == "bot-llm-text":
                said[message.data["membership_id"]] = said.get(message.data["membership_id"], "") + message.data["text"]
        return said


@asynccontextmanager
async def entered(fake: FakeConvai, connected: dict[str, Any]) -> AsyncIterator[Guest]:
    """Somebody in the room, to whom every instance is ready."""
    guest = Guest(listens=False).bind(connected)
    try:
        await guest.join(connected["room_url"], connected["token"])
        wanted = {one["membership_id"] for one in connected["characters"] if one["failure_code"] is None}
        await soon(lambda: {one.data["membership_id"] for one in guest.messages if one.kind == "bot-ready"} >= wanted)
        yield guest
        assert not guest.errors
    finally:
        await guest.leave()


@in_a_loop
async def test_each_instance_is_somebody_of_its_own(fake: FakeConvai) -> None:
    one, two = fake.character(), fake.character()
    connected = await connect(fake, one, two, one)
    entries = connected["characters"]
    assert [entry["character_id"] for entry in entries] == [one, two, one]
    for name in ("membership_id", "participant_identity", "character_session_id", "session_id"):
        assert len({entry[name] for entry in entries}) == 3
    assert [entry["is_initial"] for entry in entries] == [True, False, False]
    assert {(entry["provisioning_status"], entry["failure_code"]) for entry in entries} == {("dispatch_accepted", None)}
    assert connected["active_membership_id"] == entries[0]["membership_id"]
    assert (connected["route_epoch"], connected["roster_epoch"], connected["partial_dispatch"]) == (0, 0, False)
    async with entered(fake, connected) as guest:
        ready = {
            message.data["membership_id"]: message.data for message in guest.messages if message.kind == "bot-ready"
        }
        for entry in entries:
            about = ready[entry["membership_id"]]["about"]
            assert about == {
                "room_session_id": connected["room_session_id"],
                **{name: entry[name] for name in ("membership_id", "character_id", "character_session_id")},
                **{name: entry[name] for name in ("participant_identity", "is_initial", "display_name")},
                "roster_epoch": 0,
            }
        assert set(guest.room.remote_participants) == {entry["participant_identity"] for entry in entries}


@in_a_loop
async def test_only_the_active_instance_hears(fake: FakeConvai) -> None:
    coach, guide = fake.character(memory=True), fake.character(memory=True)
    fake.set_replies({"My name is": "Pleased to meet you.", "dog": "A dog!"})
    async with entered(fake, await connect(fake, coach, guide)) as guest:
        await guest.send("user_text_message", {"text": "My name is Jordan."})
        await soon(lambda: guest.lines() == {guest.member(0): "Pleased to meet you."})
        switched = await guest.command(
            "interaction-target", "switch-1", target_membership_id=guest.member(1), expected_route_epoch=0
        )
        assert switched["status"] == "success"
        assert switched["extras"] == {
            "success": True,
            "command_id": "switch-1",
            "room_session_id": guest.connected["room_session_id"],
            "previous_membership_id": guest.member(0),
            "active_membership_id": guest.member(1),
            "route_epoch": 1,
            "changed": True,
        }
        await guest.send("user_text_message", {"text": "I have a dog named Rex."})
        await soon(lambda: guest.lines().get(guest.member(1)) == "A dog!")
        nobody = await guest.command("interaction-target", target_membership_id=None, expected_route_epoch=1)
        assert nobody["extras"]["active_membership_id"] is None
        await guest.send("user_text_message", {"text": "Hello?"})
        assert (await guest.answer("user_text_message", len(guest.messages)))["status"] == "error"
        stale = await guest.command("interaction-target", target_membership_id=None, expected_route_epoch=1)
        assert (stale["status"], stale["extras"]["code"]) == ("error", "stale_route_epoch")
        assert stale["extras"]["route_epoch"] == 2
    await soon(lambda: [one.memory for one in fake.memories(coach, "player-42")] == ["The user's name is Jordan."])
    await soon(lambda: [one.memory for one in fake.memories(guide, "player-42")] == ["The user has a dog named Rex."])


@in_a_loop
async def test_the_active_instance_hears_a_voice(fake: FakeConvai) -> None:
    coach, guide = fake.character(memory=True), fake.character(memory=True)
    fake.set_replies({"Jordan": "Hello, Jordan."}, heard=["My name is Jordan."])
    async with entered(fake, await connect(fake, coach, guide)) as guest:
        await guest.command("interaction-target", target_membership_id=guest.member(1), expected_route_epoch=0)
        await guest.speak(0.6, rest=1.5)
        await soon(lambda: guest.lines() == {guest.member(1): "Hello, Jordan."})
        assert guest.kinds().count("user-started-speaking") == 1
    await soon(lambda: [one.memory for one in fake.memories(guide, "player-42")] == ["The user's name is Jordan."])
    assert fake.memories(coach, "player-42") == []


@in_a_loop
async def test_the_roster_changes(fake: FakeConvai) -> None:
    coach, guide, late = fake.character(), fake.character(), fake.character()
    async with entered(fake, await connect(fake, coach, guide)) as guest:
        changed = await guest.command(
            "character-roster-update",
            expected_roster_epoch=0,
            add=[{"character_id": late}],
            remove_membership_ids=[guest.member(0)],
            replacement_target_membership_id=guest.member(1),
        )
        assert changed["status"] == "success", changed
        (added,) = changed["extras"]["added"]
        assert added["character_id"] == late
        assert changed["extras"]["removed_membership_ids"] == [guest.member(0)]
        assert changed["extras"]["active_membership_id"] == guest.member(1)
        assert (changed["extras"]["route_epoch"], changed["extras"]["roster_epoch"]) == (1, 1)
        removed = await guest.message("character-removed")
        assert (removed.data["membership_id"], removed.data["roster_epoch"]) == (guest.member(0), 1)
        await soon(
            lambda: (
                added["membership_id"]
                in {message.data["membership_id"] for message in guest.messages if message.kind == "bot-ready"}
            )
        )
        await soon(lambda: added["participant_identity"] in guest.room.remote_participants)
        assert guest.connected["characters"][0]["participant_identity"] not in guest.room.remote_participants
        unknown = await guest.command("character-roster-update", expected_roster_epoch=1, add=[{"character_id": "no"}])
        assert (unknown["status"], unknown["extras"]["code"]) == ("error", "character_not_found")


@in_a_loop
async def test_a_group_turn(fake: FakeConvai) -> None:
    ada, bo, cy = fake.character(), fake.character(), fake.character()
    await script(
        fake,
        {"match": "Introduce", "reply": "I am Ada.", "characters": [ada]},
        {"match": "Introduce", "reply": "I am Bo.", "characters": [bo]},
        {"match": "Introduce", "pass": True, "characters": [cy]},
    )
    async with entered(fake, await connect(fake, ada, bo, cy, group_chat=True)) as guest:
        members = [guest.member(number) for number in range(3)]
        done = await guest.command(
            "group-address", "turn-1", mode="open", expected_route_epoch=0, text="Introduce yourselves."
        )
        assert done["status"] == "success"
        lists = {
            "answered_membership_ids": members[:2],
            "passed_membership_ids": members[2:],
            "failed_membership_ids": [],
        }
        counts = {"addressed": 3, "answered": 2, "passed": 1, "failed": 0, "cancelled": False, "route_epoch": 0}
        about = {"command_id": "turn-1", "room_session_id": guest.connected["room_session_id"], "mode": "open"}
        assert done["extras"] == {
            **about,
            "route_epoch": 0,
            "target_membership_ids": members,
            **lists,
            "summary": {"turn_id": "turn-1", **counts},
        }
        complete = await guest.message("turn-complete")
        outcome = {**about, "addressed_membership_ids": members, **lists, "turn_id": "turn-1", **counts}
        assert complete.data["data"] == outcome
        await soon(lambda: guest.lines() == {members[0]: "I am Ada.", members[1]: "I am Bo."})
        passed = await guest.message("llm-no-response")
        assert (passed.data["reason"], passed.data["data"]["membership_id"]) == ("abstain", members[2])
        assert guest.kinds().count("turn-complete") == 1
        refused = await guest.command("group-address", mode="all", expected_route_epoch=0, text="")
        assert refused["extras"] == {"code": "empty_message"}


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({"characters": []}, 422),
        ({"characters": [{}]}, 422),
        ({"characters": [{"character_id": "a"}], "character_id": "a"}, 422),
        ({"characters": [{"character_id": "a"}], "transport": "websocket"}, 422),
        ({"characters": [{"character_id": "a"}]}, 404),
        ({"mode": "join", "room_session_id": str(uuid.uuid4())}, 404),
    ],
)
@in_a_loop
async def test_what_cannot_be_made(fake: FakeConvai, wish: dict[str, Any], status: int) -> None:
    answer = await ask(fake, end_user_id="player-42", **wish)
    assert answer.status_code == status, answer.text
    assert fake.end_users() == []


@in_a_loop
async def test_somebody_else_joins(fake: FakeConvai) -> None:
    npc = fake.character(memory=True)
    made = await connect(fake, npc, max_num_participants=2, shared_session_key="raid-7")
    assert (await ask(fake, characters=[{"character_id": npc}], mode="create")).status_code == 400
    async with entered(fake, made) as first:
        second = await connect(fake, person="player-43", mode="join", room_session_id=made["room_session_id"])
        assert second["room_name"] == made["room_name"]
        assert second["characters"][0]["session_id"] != made["characters"][0]["session_id"]
        full = await ask(fake, end_user_id="player-44", mode="join", shared_session_key="raid-7")
        assert full.status_code == 409, full.text
        async with entered(fake, second) as other:
            await other.send("user_text_message", {"text": "I have a cat."})
            await soon(lambda: bool(first.lines()) and bool(other.lines()))
    await soon(lambda: [one.memory for one in fake.memories(npc, "player-43")] == ["The user has a cat."])
    assert fake.memories(npc, "player-42") == []
    gone = await ask(fake, end_user_id="player-44", mode="join", shared_session_key="raid-7")
    assert gone.status_code == 404


@in_a_loop
async def test_a_long_message_comes_in_parts(fake: FakeConvai) -> None:
    async with entered(fake, await connect(fake, fake.character(), group_chat=True)) as guest:
        data = {"room_session_id": guest.connected["room_session_id"], "mode": "all", "expected_route_epoch": 0}
        whole = {"type": "group-address", "id": "long-1", "data": {**data, "text": "Hello. " * 3_000}}
        encoded = base64.b64encode(json.dumps(whole).encode()).decode()
        slices = [encoded[at : at + 10_000] for at in range(0, len(encoded), 10_000)]
        for index, payload in enumerate(slices):
            part = {"index": index, "count": len(slices), "payload": payload}
            message = {"type": "group-address-part", "id": "long-1", "data": part}
            await guest.room.local_participant.publish_data(json.dumps(message))
        assert (await guest.answer("group-address"))["extras"]["summary"]["answered"] == 1


@in_a_loop
async def test_ten_instances_and_two_people(fake: FakeConvai) -> None:
    npcs = [fake.character() for _ in range(10)]
    made = await connect(fake, *npcs, max_num_participants=2)
    second = await connect(fake, person="player-43", mode="join", room_session_id=made["room_session_id"])
    async with entered(fake, made), entered(fake, second) as other:
        assert len(other.room.remote_participants) == 11


@in_a_loop
async def test_an_instance_that_never_comes(fake: FakeConvai) -> None:
    coach, guide = fake.character(), fake.character()
    fake.fail("/room", status=503, character_id=guide)
    connected = await connect(fake, coach, guide, group_chat=True)
    assert connected["partial_dispatch"] is True
    failed = connected["characters"][1]
    assert (failed["provisioning_status"], failed["failure_code"]) == ("dispatch_failed", "injected_fault")
    async with entered(fake, connected) as guest:
        done = await guest.command("group-address", mode="all", expected_route_epoch=0, text="Hello.")
        assert done["extras"]["target_membership_ids"] == [guest.member(0)]
        target = guest.member(1)
        refused = await guest.command("interaction-target", target_membership_id=target, expected_route_epoch=0)
        assert refused["extras"]["code"] == "invalid_target_membership"


@in_a_loop
async def test_an_instance_that_breaks_in_the_middle_of_a_turn(fake: FakeConvai) -> None:
    coach, guide = fake.character(), fake.character()
    async with entered(fake, await connect(fake, coach, guide, group_chat=True)) as guest:
        fake.fail("/chat", disconnect=True, character_id=coach)
        done = await guest.command("group-address", mode="all", expected_route_epoch=0, text="Hello.")
        assert done["extras"]["failed_membership_ids"] == [guest.member(0)]
        assert done["extras"]["answered_membership_ids"] == [guest.member(1)]
        broken = [one for one in guest.messages if one.kind == "character-status" and one.data["status"] == "failed"]
        assert [one.data["membership_id"] for one in broken] == [guest.member(0)]
        assert done["extras"]["route_epoch"] == 1
        await soon(lambda: len(guest.room.remote_participants) == 1)
