"""What goes wrong in a room with several characters, on demand and otherwise."""

import asyncio
import queue
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest

pytest.importorskip("livekit.rtc", reason="the package livekit is not installed, so no room is tried")

from fake_convai.domain.errors import Unavailable
from fake_convai.live.ensemble import BROKEN
from fake_convai.live.instance import Instance
from fake_convai.live.participant import CannotJoin, Participant
from fake_convai.testing import FakeConvai, RoomConversation
from fake_convai.testing.lines import RoomLine
from tests.room.test_livekit_server import soon
from tests.room.test_room import joined


def lose(fake: FakeConvai, event: str, npc: str, **more: Any) -> None:
    """Let the next event of this type be lost that is about a character."""
    fake.fail(more.pop("path", "/room"), character_id=npc, at={"event": event}, do="drop", **more)


def kinds(room: RoomConversation) -> list[str]:
    return [event.type for event in room.events]


@pytest.mark.parametrize("path", ["/room", "/chat", None])
def test_a_command_is_carried_out_and_its_acknowledgement_is_lost(fake: FakeConvai, path: str | None) -> None:
    nurse, doctor = fake.character(), fake.character()
    with fake.conversation(npcs=[nurse, doctor], person="player-42") as room:
        lose(fake, "server-response", doctor, path=path)
        with pytest.raises(TimeoutError):
            room.target(doctor, command_id="switch-1", timeout=0.5)
        doctors = room.characters[1].membership_id
        asyncio.run(soon(lambda: fake.state()["rooms"][0]["active_membership_id"] == doctors))
        with pytest.raises(TimeoutError):  # the same again is accepted in silence
            room.target(doctor, command_id="switch-1", timeout=0.5)
        stale = room.target(nurse)
        assert (stale["extras"]["code"], stale["extras"]["route_epoch"]) == ("stale_route_epoch", 1)
        assert room.target(nurse)["extras"]["changed"] is True
    [entry] = [one for one in fake.requests() if one.method == "WEBSOCKET"]
    assert entry.body["type"] == "server-response"


def test_a_group_turn_whose_response_is_lost_is_over_all_the_same(fake: FakeConvai) -> None:
    nurse = fake.character()
    with fake.conversation(npcs=[nurse], person="player-42") as room:
        fake.fail("/room", at={"event": "server-response"}, do="drop", character_id=nurse)
        with pytest.raises(TimeoutError):
            room.address("Hello.", timeout=2)
        room.wait_for("turn-complete", timeout=60)
        assert room.address("Hello?").answered == (nurse,)


@pytest.mark.parametrize("event", ["character-removed", "character-status", "turn-complete"])
def test_an_event_of_the_room_is_lost(fake: FakeConvai, event: str) -> None:
    nurse, doctor = fake.character(), fake.character()
    with fake.conversation(npcs=[doctor], person="player-42") as room:
        lose(fake, event, nurse)
        room.change(add=[nurse])
        room.address("Hello.", nurse)
        room.change(remove=[nurse], then=doctor)
        assert kinds(room).count(event) == (1 if event == "character-status" else 0)
    assert {one.type for one in fake.messages()} >= {event}


def test_an_acknowledgement_comes_twice_or_in_halves(fake: FakeConvai) -> None:
    nurse = fake.character()
    with fake.conversation(npcs=[nurse], person="player-42") as room:
        fake.fail("/room", at={"event": "server-response"}, do="duplicate", character_id=nurse)
        room.target(None)
        assert room.wait_for("server-response") == room.wait_for("server-response")
        fake.fail("/room", at={"event": "server-response"}, do="malformed", character_id=nurse)
        with pytest.raises(TimeoutError):
            room.target(nurse, timeout=0.5)
        fake.fail("/room", at={"event": "server-response"}, do="reset", character_id=nurse)
        with pytest.raises(TimeoutError):
            room.target(None, epoch=2, timeout=0.5)
        assert room.target(nurse, epoch=3)["status"] == "success"


def test_an_instance_never_comes_for_a_reason_of_the_tests(fake: FakeConvai) -> None:
    nurse, doctor = fake.character(), fake.character()
    fake.fail("/room", status=503, body={"failure_code": "quota_exceeded"}, character_id=doctor, times=2)
    with fake.conversation(npcs=[nurse, doctor], person="player-42") as room:
        fates = [(one.provisioning_status, one.failure_code) for one in room.characters]
        assert fates == [("dispatch_accepted", None), ("dispatch_failed", "quota_exceeded")]
        [added] = room.change(add=[doctor])["extras"]["added"]
        assert (added["provisioning_status"], added["failure_code"]) == ("dispatch_failed", "quota_exceeded")
        statuses = [room.wait_for("character-status").data for _ in range(2)]
        assert [one["failure_code"] for one in statuses] == [None, "quota_exceeded"]
        assert room.address("Hello.").answered == (nurse,)
        assert room.target(added["membership_id"])["extras"]["code"] == "invalid_target_membership"
        kept = [one["status"] for one in fake.state()["rooms"][0]["characters"]]
        assert kept == ["ready", "dispatch_failed", "dispatch_failed"]
    explained = [one for entry in fake.requests(path="/connect") for one in entry.explanations]
    assert [one["event"] for one in explained] == ["instance"]


def test_nobody_comes_at_all(fake: FakeConvai) -> None:
    nurse = fake.character()
    fake.fail("/room", status=503, character_id=nurse)
    with fake.conversation(npcs=[nurse], person="player-42") as room:
        assert room.active is None


def test_a_group_turn_is_over_after_two_minutes(fake: FakeConvai) -> None:
    nurse, doctor = fake.character(), fake.character()
    fake.set_replies({}, default="word " * 300)
    with fake.conversation(npcs=[nurse, doctor], person="player-42") as room, ThreadPoolExecutor() as threads:
        fake.freeze()
        fake._call("PUT", "/pace", {"tokens_per_second": 1})
        address = threads.submit(room.address, "Tell me a story.")
        fake.wait_for_message("bot-llm-text", timeout=60)
        fake.advance(119)
        assert not address.done()
        fake.advance(1)
        turn = address.result(60)
        assert (turn.answered, turn.failed) == ((), (nurse, doctor))
        assert turn.response["status"] == "success"


def test_a_group_turn_is_over_when_who_began_it_leaves(fake: FakeConvai) -> None:
    nurse = fake.character()
    fake.set_replies({}, default="word " * 300)
    with fake.conversation(npcs=[nurse], person="player-42", max_num_participants=2) as room:
        with fake.conversation(person="player-43", mode="join", room_session_id=room.room_session_id) as other:
            fake._call("PUT", "/pace", {"tokens_per_second": 1})
            with pytest.raises(TimeoutError):
                other.address("Tell me a story.", timeout=0.5)
            fake.wait_for_message("bot-llm-text", timeout=60)
            assert room.target(None)["extras"]["code"] == "turn_in_progress"
        outcome = room.wait_for("turn-complete").data["data"]
        assert outcome["answered"] + outcome["failed"] == outcome["addressed"] == 1
        assert room.target(None)["status"] == "success"


def test_a_restored_snapshot_puts_the_target_back(fake: FakeConvai) -> None:
    nurse, doctor = fake.character(), fake.character()
    fake.set_replies({}, default="Yes.")
    with fake.conversation(npcs=[nurse, doctor], person="player-42") as room:
        before = fake.snapshot()
        room.target(doctor)
        fake.restore(before)
        assert [event.data["character_id"] for event in room.say("Hello.").events if event.type == "bot-llm-text"] == [
            nurse
        ]
        assert room.target(doctor, epoch=0)["status"] == "success"
        room.change(remove=[nurse])
        fake.restore(before)  # who has left does not come back, so the room is over
        with pytest.raises(ConnectionError, match="the room is closed"):
            room.wait_for("anything", timeout=60)
    assert "rooms" not in fake.state()


def test_a_room_with_one_character_is_no_roster(fake: FakeConvai) -> None:
    async def run() -> None:
        async with joined(fake, fake.character()) as person:
            await person.send("group-address", {"mode": "all", "text": "Hello."})
            refused = await person.message("server-response", "flat")
            assert (refused.data["status"], refused.data["extras"]) == ("error", {"code": "not_roster_room"})

    asyncio.run(run())


def test_one_that_is_ready_late_holds_up_nobody(fake: FakeConvai, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: queue.Queue[str] = queue.Queue()
    receive = RoomLine.receive

    def note(self: RoomLine, patience: float) -> str:
        text = receive(self, patience)
        heard.put(text)
        return text

    monkeypatch.setattr(RoomLine, "receive", note)
    nurse, doctor = fake.character(), fake.character()
    fake.fail("/room", character_id=doctor, at={"event": "bot-ready"}, do="stall", delay_ms=60_000)
    with ThreadPoolExecutor() as threads:
        begun = threads.submit(fake.conversation, npcs=[doctor, nurse], person="player-42")
        while "bot-ready" not in (text := heard.get(timeout=60)):
            pass
        assert nurse in text
        while not begun.done():
            fake.advance(60)
            wait([begun], timeout=1)
        with begun.result() as room:
            ready = [event.data["character_id"] for event in room.events if event.type == "bot-ready"]
    assert ready == [nurse, doctor]


@pytest.mark.parametrize(
    ("error", "words"), [(RuntimeError("bug"), BROKEN), (Unavailable("The database is away."), "The database is away.")]
)
def test_a_command_that_breaks_is_answered_in_a_sentence(
    fake: FakeConvai, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    def fail(*_: Any) -> None:
        raise error

    nurse = fake.character()
    with fake.conversation(npcs=[nurse], person="player-42") as room:
        with monkeypatch.context() as broken:
            broken.setattr("fake_convai.live.roster_commands.carry_out", fail)
            answer = room.target(None)
        assert (answer["status"], answer["message"], "extras" in answer) == ("error", words, False)
        assert room.target(None)["status"] == "success"


def test_an_instance_that_finds_no_way_into_the_room(fake: FakeConvai, monkeypatch: pytest.MonkeyPatch) -> None:
    nurse, doctor = fake.character(), fake.character()
    join = Participant.join

    async def refuse(self: Participant, url: str, token: str) -> None:
        if isinstance(self._listener, Instance) and self._listener.member.character_id == doctor:
            raise CannotJoin("the LiveKit server refuses the character")
        await join(self, url, token)

    with fake.conversation(npcs=[nurse], person="player-42") as room:
        monkeypatch.setattr(Participant, "join", refuse)
        monkeypatch.setattr("fake_convai.testing.company.PATIENCE", 1.0)
        with pytest.raises(TimeoutError):
            room.change(add=[doctor])
        room.wait_for("character-status")  # of the nurse
        failed = room.wait_for("character-status", timeout=60).data
        assert (failed["status"], failed["failure_code"]) == ("dispatch_failed", "dispatch_failed")
        assert room.address("Hello.").answered == (nurse,)


def test_an_instance_fails_its_turn_and_stays(fake: FakeConvai) -> None:
    nurse, doctor = fake.character(), fake.character()
    with fake.conversation(npcs=[nurse, doctor], person="player-42") as room:
        fake.fail("/chat", status=500, character_id=nurse)
        turn = room.address("Hello.")
        assert (turn.answered, turn.failed) == ((doctor,), (nurse,))
        assert room.address("Hello?").answered == (nurse, doctor)
