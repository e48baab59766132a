"""A LiveKit room with several characters: who plays whom, and whom people are talking to (docs/contract.md section 9).

The rules are those of `domain/roster.py`; here they meet LiveKit. An `Instance` is one character in the room, with a
participant, a voice and a conversation of its own, and a `Chair` with it for each person.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import orjson

from fake_convai.backend.backend import Backend
from fake_convai.domain.errors import FakeConvaiError
from fake_convai.domain.group_turn import Outcome, TurnDone
from fake_convai.domain.roster import CommandRefused, Member, Retargeted, Roster, TurnBegun, Updated
from fake_convai.live import roster_commands, shapes
from fake_convai.live.announcer import Announcer
from fake_convai.live.floor import Floor
from fake_convai.live.group_parts import Parts
from fake_convai.live.guest import Guest
from fake_convai.live.hub import Hub
from fake_convai.live.instance import Chair, Instance, belonging
from fake_convai.live.livekit_server import LiveKit
from fake_convai.live.messages import LABEL, Event, response
from fake_convai.live.room_service import RoomService
from fake_convai.live.roster_messages import COMMANDS
from fake_convai.live.seat import Seat
from fake_convai.store import rosters
from fake_convai.store.rosters import RosterRoom
from fake_convai.store.sessions import Session

logger = logging.getLogger("fake_convai")

_JOINING_AT_ONCE = 3
_ACCEPTED = {
    "interaction-target": "Interaction target updated",
    "character-roster-update": "Roster updated",
    "group-address": "Group turn completed",
}
BROKEN = "The room could not carry this out: see the log of fake-convai."


class Ensemble:
    """The room. Commands are carried out one after the other, each with what follows from it."""

    def __init__(
        self,
        room: RosterRoom,
        name: str,
        backend: Backend,
        hub: Hub,
        account_id: int,
        service: RoomService,
        livekit: LiveKit,
        ended: Callable[["Ensemble"], None],
    ) -> None:
        """`name` is that of the LiveKit room; `ended` is called when its last person has left."""
        self.name = name
        self.backend = backend
        self.hub = hub
        self.account_id = account_id
        self._room = room
        self._service = service
        self._livekit = livekit
        self._ended = ended
        self._store = backend.account_store(account_id)
        self._instances: dict[str, Instance] = {}
        self._guests: dict[str, Guest] = {}
        self._left: set[str] = set()
        self._parts = Parts()
        self._commands = asyncio.Lock()
        self._joining = asyncio.Semaphore(_JOINING_AT_ONCE)
        self._announcer = Announcer(backend, account_id)
        self._floor = Floor(lambda: self.roster, self._let_speak, self._turn_is_over)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def roster(self) -> Roster:
        """Who is in the room."""
        return self._room.roster

    def identity(self, member: Member) -> dict[str, Any]:
        """The six fields that tie a message to an instance."""
        return {"room_session_id": self._room.room_session_id, **member.identity()}

    def entered(self, room: RosterRoom) -> None:
        """Somebody has joined, as the database has it."""
        self._room.people.update(room.people)

    async def reload(self) -> None:
        """Go on from what the database has, which was put back to an earlier state: the target, the epochs and the
        commands. With other instances than those who are here nobody could go on, so everybody leaves."""
        stored = await self._store.write(rosters.find, "room_session_id", self._room.room_session_id)
        if stored is None:
            return  # its sessions are gone as well, and end by themselves
        if [one.membership_id for one in stored.roster.members] != [one.membership_id for one in self.roster.members]:
            await self.close()
            return
        self.roster.take_back(stored.roster)
        await self._save()

    def stranger(self, identity: str) -> None:
        """Somebody is in the room whom this process did not let in: another replica may have."""
        if identity not in self._guests:
            self._start(self._look_up(identity))

    async def _look_up(self, identity: str) -> None:
        found = await self._store.write(roster_commands.admitted, self._room, identity, self.hub.holder)
        if found is not None and identity not in self._guests:
            room, guest = found
            self.entered(room)
            self.welcome(identity, guest)

    def welcome(self, identity: str, guest: Guest) -> None:
        """Give a person a chair with each instance; instances that are not there yet are called."""
        self._guests[identity] = guest
        for membership_id, session in guest.sessions.items():
            member = self.roster.member(membership_id)
            if member is None or not member.live:
                continue
            instance = self._instances.get(membership_id)
            if instance is None:
                instance = self._instances[membership_id] = Instance(self, member, self._livekit, self._service)
                self._start(self._call(instance))
            instance.take(Chair(instance, self, session, identity, guest.sound))

    def is_first(self, instance: Instance) -> bool:
        """Whether this instance takes packets for all: the first that is in the room."""
        return self._first() is instance

    def plays(self, instance: Instance) -> bool:
        """Whether the instance belongs to the room still."""
        return self._instances.get(instance.member.membership_id) is instance

    def came(self, identity: str) -> None:
        """Somebody is there, as one instance knows: now all do."""
        for instance in list(self._instances.values()):
            if instance.is_there:
                instance.notice(identity)

    def packet(self, identity: str, data: bytes) -> None:
        """Take a packet of a person: a command to the room, or words to the active instance."""
        message = _parsed(data)
        kind = message.get("type") if isinstance(message, dict) else None
        if isinstance(message, dict) and kind in COMMANDS and len(data) <= shapes.MAX_PACKET:
            self._announcer.heard(self._session_of(identity), kind, data)
            self._start(self._command(identity, message))
            return
        active = self._instances.get(self.roster.active_membership_id or "")
        mine = self._guests[identity].sessions.values()
        self._start(self._touch([session.session_id for session in mine]))
        if active is not None and identity in active.seats:
            active.seats[identity].receive(data)
        elif isinstance(kind, str):
            words = "No character is addressed: send interaction-target first."
            self._respond(identity, response(kind, "error", words), [])

    def person_left(self, identity: str) -> None:
        """Somebody's sessions are over: all of them end. With the last person the room is."""
        if self._guests.pop(identity, None) is None:
            return
        self._room.people.pop(identity, None)
        self._left.add(identity)
        chairs = [one.seats[identity] for one in self._instances.values() if identity in one.seats]
        self._floor.left(identity)
        self._start(self._see_off(identity, chairs))

    def broke(self, instance: Instance, failure_code: str = "participant_lost") -> None:
        """An instance is gone though nobody sent it away."""
        if not self.plays(instance):
            return
        member = instance.member
        done = self.roster.fail(member.membership_id, failure_code)
        self._dismiss(instance)
        self._tell_failure(member)
        self._start(self._save())
        if self._first() is None:
            for identity in list(self._guests):
                self.person_left(identity)
        else:
            self._floor.broke(done)

    def turned(self, member: Member, outcome: Outcome) -> None:
        """An instance has finished a turn; of a group turn it may have been the last."""
        self._floor.turned(member, outcome)

    async def close(self) -> None:
        """End everything."""
        for identity in list(self._guests):
            self.person_left(identity)
        current = asyncio.current_task()
        while others := [task for task in self._tasks if task is not current]:
            await asyncio.gather(*others, return_exceptions=True)

    # Commands

    async def _command(self, identity: str, message: dict[str, Any]) -> None:
        kind = "group-address" if message["type"] == "group-address-part" else message["type"]
        async with self._commands:
            about = roster_commands.concerned(message, self.roster)
            try:
                whole = self._parts.take(message) if message["type"] == "group-address-part" else message
                if whole is None:
                    return
                about = roster_commands.concerned(whole, self.roster)
                carried = await self._store.write(
                    roster_commands.carry_out, self._room, self._guests, self._left, whole, identity, self.hub.holder
                )
            except CommandRefused as refusal:
                self._respond(identity, response(kind, "error", refusal.message, refusal.extras), about)
                return
            except FakeConvaiError as error:
                self._respond(identity, response(kind, "error", error.message), about)
                return
            except Exception:
                logger.exception("A command to a room could not be carried out")
                self._respond(identity, response(kind, "error", BROKEN), about)
                return
            self._follow(identity, kind, carried, about)

    def _follow(self, identity: str, kind: str, carried: roster_commands.Carried, about: Sequence[str]) -> None:
        before, self._room = self._instances, carried.room
        for member in self.roster.members:
            if member.membership_id in before:
                before[member.membership_id].member = member
        outcome = carried.outcome
        if isinstance(outcome, TurnBegun):
            self._floor.begin(identity, outcome.turn)
            self._start(self._floor.expire(self.backend.time, self.account_id))
            return
        if isinstance(outcome, Updated):
            self._change(outcome, carried.sessions)
        if isinstance(outcome, Updated | Retargeted):
            self._respond(identity, response(kind, "success", _ACCEPTED[kind], outcome.extras), about)

    def _change(self, update: Updated, seats: Mapping[str, Mapping[str, Session]]) -> None:
        for member in update.removed:
            self._tell_status(member, "character-removed", roster_epoch=self.roster.roster_epoch)
            if member.membership_id in self._instances:
                self._dismiss(self._instances[member.membership_id])
        for member in update.added:
            if not member.live:
                self._tell_failure(member)
        added = {member.membership_id for member in update.added}
        for who, mine in seats.items():
            guest = self._guests.get(who)
            if guest is not None:
                self.welcome(who, replace(guest, sessions={key: one for key, one in mine.items() if key in added}))
                self._guests[who] = replace(guest, sessions=mine)

    def _let_speak(self, asker: str, membership_id: str, text: str) -> bool:
        instance = self._instances.get(membership_id)
        chair = None if instance is None else instance.chair(asker)
        if chair is not None:
            chair.say(text)
        return chair is not None

    def _turn_is_over(self, asker: str, done: TurnDone) -> None:
        targets = done.extras["target_membership_ids"]
        about = [member.character_id for member in self.roster.members if member.membership_id in targets]
        complete = {"type": "server-message", "data": {"type": "turn-complete", "data": done.complete}}
        self._tell(complete, self._session_of(asker), about)
        answer = response("group-address", "success", _ACCEPTED["group-address"], done.extras)
        self._respond(asker, answer, about)
        self._start(self._save())

    # Who comes and goes

    async def _call(self, instance: Instance) -> None:
        from fake_convai.live.participant import CannotJoin

        try:
            async with self._joining:
                await instance.open()
        except CannotJoin as error:
            logger.warning("A character does not come to room %s: %s", self.name, error)
            self.broke(instance, "dispatch_failed")
            return
        if not self.plays(instance):
            await instance.retire()
            return
        for identity in self._guests:
            if any(identity in one.seats and one.seats[identity].is_here for one in self._instances.values()):
                instance.notice(identity)
        if self.roster.ready(instance.member.membership_id):
            await self._save()

    def _dismiss(self, instance: Instance) -> None:
        del self._instances[instance.member.membership_id]
        for who in self._room.people.values():
            who.pop(instance.member.membership_id, None)
        self._start(self._let_go(instance))

    async def _let_go(self, instance: Instance) -> None:
        await asyncio.gather(*(seat.leave() for seat in list(instance.seats.values())))
        await instance.retire()

    async def _see_off(self, identity: str, chairs: Sequence[Seat]) -> None:
        await asyncio.gather(*(chair.leave() for chair in chairs), return_exceptions=True)
        if self._guests:
            await self._service.remove(self.name, identity)
            await self._save()
            return
        instances, self._instances = list(self._instances.values()), {}
        await asyncio.gather(*(instance.retire() for instance in instances), return_exceptions=True)
        with suppress(Exception):
            await self._service.close(self.name)
        await self._store.write(rosters.close, self._room.room_session_id)
        self._ended(self)

    async def _touch(self, session_ids: Sequence[str]) -> None:
        await self._store.write(roster_commands.touch, session_ids)

    async def _save(self) -> None:
        await self._store.write(roster_commands.save, self._room, self._left)

    # What is said by the room

    def greet(self, instance: Instance, identity: str) -> None:
        """Say that an instance is there, to one person."""
        member, chair = instance.member, instance.chair(identity)
        if chair is None:
            return
        who = self.identity(member)
        about = {**who, "roster_epoch": self.roster.roster_epoch, "display_name": member.display_name}
        status = {"type": "character-status", "status": "ready", "failure_code": None, **about}
        for message in (
            {"label": LABEL, "type": "server-message", "data": status},
            {"label": LABEL, "type": "bot-ready", "data": {**about, "about": about}},
        ):
            session_id = chair.session.session_id
            self._say(
                message, session_id, lambda it: instance.send_plain(it, identity), [member.character_id], identity
            )

    def _tell_failure(self, member: Member) -> None:
        self._tell_status(member, "character-status", status=member.status, failure_code=member.failure_code)

    def _tell_status(self, member: Member, kind: str, **what: Any) -> None:
        data = {"type": kind, **what, **self.identity(member)}
        self._tell({"label": LABEL, "type": "server-message", "data": data}, member.session_id, [member.character_id])

    def _tell(self, message: dict[str, Any], session_id: str, about: Iterable[str]) -> None:
        """Say something to everybody, through one instance."""

        def write(it: dict[str, Any]) -> None:
            if (first := self._first()) is not None:
                first.send_plain(it, None)

        self._say(message, session_id, write, about)

    def _respond(self, identity: str, event: Event, about: Iterable[str]) -> None:
        """Answer one person, in both shapes of a response."""

        def write(it: Any) -> None:
            if (first := self._first()) is not None:
                for message in shapes.Shapes().of(it, ""):
                    first.send_plain(belonging(message, self.identity(first.member)), identity)

        self._say(event, self._session_of(identity), write, about, identity)

    def _say(
        self,
        event: Any,
        session_id: str,
        write: Callable[[dict[str, Any]], None],
        about: Iterable[str],
        identity: str | None = None,
    ) -> None:
        guest = self._guests.get(identity or "")
        end_user_id = None if guest is None else guest.wish.end_user_id
        self._start(self._announcer.say(event, session_id, write, list(about), end_user_id))

    def _session_of(self, identity: str) -> str:
        """The session that a person's commands are noted under: with the active instance, or else with any."""
        guest = self._guests.get(identity)
        mine = {} if guest is None else guest.sessions
        session = mine.get(self.roster.active_membership_id or "") or next(iter(mine.values()), None)
        return "" if session is None else session.session_id

    def _first(self) -> Instance | None:
        return next((one for one in self._instances.values() if one.is_there), None)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _parsed(data: bytes) -> Any:
    with suppress(orjson.JSONDecodeError):
        return orjson.loads(data)
    return None
