"""A room is held by the replica that made it, whichever replica lets people join."""

import asyncio
import json
import signal
import uuid
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, cast

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient

pytest.importorskip("livekit.rtc", reason="the package livekit is not installed, so no room is tried")

from fake_convai.live.livekit_server import LiveKit
from tests.conftest import Api
from tests.control.driving import Control
from tests.replicas.conftest import replica
from tests.replicas.database import DEADLINE
from tests.room.conftest import livekit_program
from tests.room.person import Person
from tests.room.test_livekit_server import running, soon
from tests.serving import serve_here

__all__ = ["livekit_program"]


def options_of(livekit: LiveKit) -> dict[str, str]:
    """Those of a replica that uses this LiveKit server."""
    return {
        "livekit": "on",
        "livekit_url": livekit.url,
        "livekit_key": livekit.key,
        "livekit_secret": livekit.secret,
    }


@contextmanager
def here(database_url: str, key: str, **options: str) -> Iterator[Api]:
    """The account with this key at a replica in a thread of this process."""
    with (
        serve_here(database=database_url, **options) as served,
        httpx.Client(base_url=served.url, timeout=DEADLINE, verify=False) as client,
    ):
        yield Api(cast(TestClient, client), key)


def in_two_replicas(program: str, database_url: str, meet: Callable[[Api, Api], Coroutine[Any, Any, None]]) -> None:
    """Let people meet in an account that two replicas serve, with a LiveKit server in common."""

    async def run() -> None:
        async with running(program) as (_, livekit):
            key, options = f"rooms-{uuid.uuid4()}", options_of(livekit)
            with here(database_url, key, **options) as one, here(database_url, key, **options) as two:
                await meet(one, two)

    asyncio.run(run())


def test_who_joins_by_another_replica_meets_the_same_character(livekit_program: str, replicas_url: str) -> None:
    async def meet(first: Api, second: Api) -> None:
        npc = first.character(memory=True)
        people = [Person(listens=False), Person(listens=False)]
        key = {"shared_session_key": "hall", "max_num_participants": 2}
        made = first.ok("/live/connect", {"character_id": npc, "end_user_id": "ada", **key})
        await people[0].join(made["room_url"], made["token"])
        await people[0].message("bot-ready")
        joined = second.ok("/live/connect", {"mode": "join", "shared_session_key": "hall", "end_user_id": "bob"})
        await people[1].join(joined["room_url"], joined["token"])
        await people[1].message("bot-ready")
        await people[1].say("My name is Bob.")
        await people[0].turn()
        await people[1].turn()
        assert people[0].senders == people[1].senders
        assert len(people[0].senders) == 1
        for person in people:
            await person.leave()
        await soon(lambda: [one["memory"] for one in second.memories(npc, "bob")] == ["The user's name is Bob."])

    in_two_replicas(livekit_program, replicas_url, meet)


def test_who_joins_by_another_replica_meets_every_character(livekit_program: str, replicas_url: str) -> None:
    async def meet(first: Api, second: Api) -> None:
        coach, guide = first.character(memory=True), first.character(memory=True)
        people = [Person(listens=False), Person(listens=False)]
        cast = {"characters": [{"character_id": coach}, {"character_id": guide}], "group_chat": True}
        made = first.ok("/live/connect", {**cast, "end_user_id": "ada", "max_num_participants": 2})
        identities = {one["participant_identity"] for one in made["characters"]}
        await people[0].join(made["room_url"], made["token"])
        await people[0].message("bot-ready", nth=2)
        where = {"room_session_id": made["room_session_id"]}
        joined = second.ok("/live/connect", {"mode": "join", **where, "end_user_id": "bob"})
        assert {one["participant_identity"] for one in joined["characters"]} == identities
        await people[1].join(joined["room_url"], joined["token"])
        await people[1].message("bot-ready", nth=2)
        await people[1].say("My name is Bob.")
        await people[1].turn()
        data = {**where, "mode": "all", "expected_route_epoch": 0, "text": "I have a dog."}
        message = {"type": "group-address", "id": "turn-1", "data": data}
        await people[1].room.local_participant.publish_data(json.dumps(message))
        done = await people[0].message("turn-complete")
        assert done.data["data"]["answered"] == 2
        assert people[1].senders == identities
        [room] = Control(second.client, second.key).state()["rooms"]
        assert [one["end_user_id"] for one in room["participants"]] == ["ada", "bob"]
        for person in people:
            await person.leave()
        await soon(lambda: len(second.memories(coach, "bob")) == 2)
        await soon(lambda: [one["memory"] for one in second.memories(guide, "bob")] == ["The user has a dog."])
        await soon(lambda: "rooms" not in Control(second.client, second.key).state())

    in_two_replicas(livekit_program, replicas_url, meet)


def test_a_room_does_not_outlive_its_replica(livekit_program: str, replicas_url: str) -> None:
    """Its people's sessions end with the idle timeout, at another replica; then its key is free again."""

    async def run() -> None:
        async with running(livekit_program) as (_, livekit):
            key, options = f"rooms-{uuid.uuid4()}", options_of(livekit)
            words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]
            with replica(replicas_url, *words) as one, here(replicas_url, key, **options) as second:
                first = one.account(key)
                npc = first.character(memory=True)
                wish = {"characters": [{"character_id": npc}], "end_user_id": "ada", "shared_session_key": "hall"}
                made = first.ok("/live/connect", wish)
                person = Person(listens=False)
                await person.join(made["room_url"], made["token"])
                await person.message("bot-ready")
                await person.say("My name is Ada.")
                await person.turn()
                one.served.stop(signal.SIGKILL)
                assert second.post("/live/connect", wish).status_code == 409
                Control(second.client, key).ok("PUT", "/clock", {"advance": 3600})
                await soon(
                    lambda: [one["memory"] for one in second.memories(npc, "ada")] == ["The user's name is Ada."]
                )
                again = second.ok("/live/connect", wish)
                assert again["room_session_id"] != made["room_session_id"]
                await person.leave()

    asyncio.run(run())


def test_without_a_server_in_common_a_join_is_refused(livekit_program: str, replicas_url: str) -> None:
    key, livekit = f"rooms-{uuid.uuid4()}", livekit_program
    with here(replicas_url, key, livekit=livekit) as first, here(replicas_url, key, livekit=livekit) as second:
        key_of_room = {"shared_session_key": "hall", "max_num_participants": 2}
        first.ok("/live/connect", {"character_id": first.character(), "end_user_id": "ada", **key_of_room})
        join = {"mode": "join", "shared_session_key": "hall", "end_user_id": "bob"}
        for _ in range(2):  # the refused one takes no place
            refused = second.post("/live/connect", join)
            assert refused.status_code == 409
            assert "--livekit-url" in refused.json()["detail"]
