"""A room is held by the replica that made it, whichever replica lets people join."""

import asyncio
import uuid

import pytest

pytest.importorskip("livekit.rtc", reason="the package livekit is not installed, so no room is tried")

from tests.conftest import Api
from tests.replicas.conftest import replica
from tests.room.conftest import livekit_program
from tests.room.person import Person
from tests.room.test_livekit_server import running, soon

__all__ = ["livekit_program"]


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

    async def run() -> None:
        async with running(livekit_program) as (_, livekit):
            options = ("--livekit", "on", "--livekit-url", livekit.url)
            secret = ("--livekit-key", livekit.key, "--livekit-secret", livekit.secret)
            with replica(replicas_url, *options, *secret) as one, replica(replicas_url, *options, *secret) as two:
                key = f"rooms-{uuid.uuid4()}"
                await meet(one.account(key), two.account(key))

    asyncio.run(run())


def test_without_a_server_in_common_a_join_is_refused(livekit_program: str, replicas_url: str) -> None:
    options = ("--livekit", livekit_program)
    with replica(replicas_url, *options) as one, replica(replicas_url, *options) as two:
        key = f"rooms-{uuid.uuid4()}"
        first, second = one.account(key), two.account(key)
        key_of_room = {"shared_session_key": "hall", "max_num_participants": 2}
        first.ok("/live/connect", {"character_id": first.character(), "end_user_id": "ada", **key_of_room})
        join = {"mode": "join", "shared_session_key": "hall", "end_user_id": "bob"}
        for _ in range(2):  # the refused one takes no place
            refused = second.post("/live/connect", join)
            assert refused.status_code == 409
            assert "--livekit-url" in refused.json()["detail"]
