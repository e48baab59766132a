"""A LiveKit room with several characters: who plays whom, and whom people are talking to (docs/contract.md section 9).

An `Instance` is one character in the room, with a participant, a voice and a conversation of its own: a `Room` that
lets the `Ensemble` decide what it hears. The rules are those of `domain/roster.py`; here they meet LiveKit.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import orjson

from fake_convai.backend.backend import Backend
from fake_convai.backend.waiting import Cut
from fake_convai.domain.clock import SECOND
from fake_convai.domain.errors import FakeConvaiError, Forbidden, NotFound
from fake_convai.domain.roster import (
    CommandRefused,
    Member,
    Outcome,
    Retargeted,
    Roster,
    TurnBegun,
    TurnDone,
    Updated,
)
from fake_convai.domain.script import ABSTAIN
from fake_convai.live import shapes
from fake_convai.live.group_parts import Parts
from fake_convai.live.guest import Guest
from fake_convai.live.hearing import Change
from fake_convai.live.hub import INTERNAL_ERROR, Hub
from fake_convai.live.livekit_server import LiveKit
from fake_convai.live.messages import LABEL, Event, kind_of, response
from fake_convai.live.room import Room
from fake_convai.live.room_service import RoomService
from fake_convai.live.seat import Seat
from fake_convai.live.shapes import Sound
from fake_convai.store import rosters, sessions
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.rosters import RosterRoom
from fake_convai.store.sessions import Session, Wish

logger = logging.getLogger("fake_convai")

COMMANDS = frozenset({"interaction-target", "character-roster-update", "group-address", "group-address-part"})
_JOINING_AT_ONCE = 3
TURN_SECONDS = 120
"""After which a group turn is over, by the account's clock: "about two minutes" on the page."""
_ACCEPTED = {
    "interaction-target": "Interaction target updated",
    "character-roster-update": "Roster updated",
    "group-address": "Group turn completed",
}


class Chair(Seat):
    """A person's place with one instance. It notices what became of the instance's turn."""

    def __init__(
        self, instance: "Instance", ensemble: "Ensemble", session: Session, identity: str, sound: Sound
    ) -> None:
        super().__init__(instance, ensemble.backend, ensemble.hub, session, identity, sound)
        self._instance = instance
        self._ensemble = ensemble
        self._outcome: Outcome = "failed"

    async def send(self, event: Event) -> None:
        """Send an event, and tell the ensemble when a turn is over."""
        kind = kind_of(event)
        if kind == "user-idle-warning" and not self._ensemble.is_first(self._instance):
            return  # one of all is enough
        if kind == "bot-llm-started":
            self._outcome = "failed"
        elif kind == "bot-llm-text":
            self._outcome = "answered"
        elif kind == "llm-no-response" and self._outcome == "failed" and _reason(event) == ABSTAIN:
            self._outcome = "passed"
        await super().send(event)
        if kind == "bot-turn-completed":
            self._ensemble.turned(self._instance.member, self._outcome)
        elif kind == "server-response" and event.get("status") == "error":
            self._ensemble.turned(self._instance.member, "failed")

    async def over(self, code: int) -> None:
        """The session is over; when something broke, it is the instance that breaks."""
        if code == INTERNAL_ERROR:
            self._ensemble.broke(self._instance, "crashed")
        else:
            await super().over(code)

    async def close(self, code: int, reason: str) -> None:
        """The session was ended; when something broke, it is the instance that breaks."""
        if code == INTERNAL_ERROR:
            self._ensemble.broke(self._instance, "crashed")
        else:
            await super().close(code, reason)

    def say(self, text: str) -> None:
        """Let the person say this to the instance; it may be longer than a packet, since it may have come in parts."""
        self._instance.hush()
        self._put(orjson.dumps({"type": "user_text_message", "data": {"text": text}}))


class Instance(Room):
    """One character of the room."""

    def __init__(self, ensemble: "Ensemble", member: Member, livekit: LiveKit, service: RoomService) -> None:
        who = (member.participant_identity, member.display_name)
        super().__init__(
            ensemble.name, who, livekit, service, lambda _: None, lambda _, identity: ensemble.stranger(identity)
        )
        self.member = member
        self._ensemble = ensemble

    @property
    def is_there(self) -> bool:
        """Whether its participant is in the room."""
        return self._participant is not None

    def send(self, message: shapes.Message, to: str | None) -> None:
        """Send a message, with the fields that say whose it is."""
        super().send(_belongs(message, self._ensemble.identity(self.member)), to)

    def greet(self, identity: str) -> None:
        """Say that the instance is there, to one person."""
        about = {
            **self._ensemble.identity(self.member),
            "roster_epoch": self._ensemble.roster.roster_epoch,
            "display_name": self.member.display_name,
        }
        status = {"type": "character-status", "status": "ready", "failure_code": None, **about}
        super().send({"label": LABEL, "type": "server-message", "data": status}, identity)
        super().send({"label": LABEL, "type": "bot-ready", "data": {**about, "about": about}}, identity)

    def packet(self, identity: str | None, data: bytes) -> None:
        """Somebody sent a packet, which every instance receives: one of them takes it for all."""
        chair = self.sender(identity)
        if chair is not None and self._ensemble.is_first(self):
            self._ensemble.packet(chair.identity, data)

    def voice(self, identity: str, change: Change) -> None:
        """Somebody speaks: the active instance hears it."""
        if self._ensemble.roster.active is self.member:
            super().voice(identity, change)

    def vacate(self, seat: Seat) -> None:
        """Somebody's session with this instance is over, and with it their time in the room."""
        if self.seats.pop(seat.identity, None) is not None and self._ensemble.plays(self):
            self._ensemble.person_left(seat.identity)

    def lost(self) -> None:
        """The instance is out of the room, and not by its own will."""
        self._ensemble.broke(self)


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
        self._parts = Parts()
        self._commands = asyncio.Lock()
        self._joining = asyncio.Semaphore(_JOINING_AT_ONCE)
        self._asker: str | None = None
        self._queue: list[str] = []
        self._limit: Cut | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def roster(self) -> Roster:
        """Who is in the room."""
        return self._room.roster

    def identity(self, member: Member) -> dict[str, Any]:
        """The six fields that tie a message to an instance."""
        return {
            "room_session_id": self._room.room_session_id,
            "membership_id": member.membership_id,
            "character_id": member.character_id,
            "character_session_id": member.character_session_id,
            "participant_identity": member.participant_identity,
            "is_initial": member.is_initial,
        }

    def entered(self, room: RosterRoom) -> None:
        """Somebody has joined, as the database has it."""
        self._room.people.update(room.people)

    def stranger(self, identity: str) -> None:
        """Somebody is in the room whom this process did not let in: another replica may have."""
        if identity not in self._guests:
            self._start(self._look_up(identity))

    async def _look_up(self, identity: str) -> None:
        found = await self._store.write(_admitted, self._room, identity, self.hub.holder)
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
        return next((one for one in self._instances.values() if one.is_there), None) is instance

    def plays(self, instance: Instance) -> bool:
        """Whether the instance belongs to the room still."""
        return self._instances.get(instance.member.membership_id) is instance

    def packet(self, identity: str, data: bytes) -> None:
        """Take a packet of a person: a command to the room, or words to the active instance."""
        message = _parsed(data)
        if isinstance(message, dict) and message.get("type") in COMMANDS and len(data) <= shapes.MAX_PACKET:
            self._start(self._command(identity, message))
            return
        active = self._instances.get(self.roster.active_membership_id or "")
        mine = self._guests[identity].sessions.values()
        self._start(self._touch([session.session_id for session in mine]))
        if active is not None and identity in active.seats:
            active.seats[identity].receive(data)
        elif isinstance(message, dict) and isinstance(message.get("type"), str):
            words = "No character is addressed: send interaction-target first."
            self._respond(identity, response(message["type"], "error", words))

    def person_left(self, identity: str) -> None:
        """Somebody's sessions are over: all of them end. With the last person the room is."""
        if self._guests.pop(identity, None) is None:
            return
        self._room.people.pop(identity, None)
        chairs = [one.seats[identity] for one in self._instances.values() if identity in one.seats]
        self._start(self._see_off(identity, chairs))

    def broke(self, instance: Instance, failure_code: str = "participant_lost") -> None:
        """An instance is gone though nobody sent it away."""
        if not self.plays(instance):
            return
        member = instance.member
        done = self.roster.fail(member.membership_id, failure_code)
        self._dismiss(instance)
        status = {"status": member.status, "failure_code": failure_code, **self.identity(member)}
        self._tell({"label": LABEL, "type": "server-message", "data": {"type": "character-status", **status}})
        self._start(self._save())
        if not any(one.is_there for one in self._instances.values()):
            for identity in list(self._guests):
                self.person_left(identity)
        elif done is not None:
            self._finish(done)
        else:
            self._next()

    def turned(self, member: Member, outcome: Outcome) -> None:
        """An instance has finished a turn; of a group turn it may have been the last."""
        turn = self.roster.turn
        if turn is None or member.membership_id not in turn.targets or member.membership_id in self._queue:
            return
        done = self.roster.settle(member.membership_id, outcome)
        if done is not None:
            self._finish(done)
        else:
            self._next()

    async def close(self) -> None:
        """End everything."""
        for identity in list(self._guests):
            self.person_left(identity)
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    # Commands

    async def _command(self, identity: str, message: dict[str, Any]) -> None:
        async with self._commands:
            kind = message["type"]
            try:
                whole = self._parts.take(message) if kind == "group-address-part" else message
                if whole is None:
                    return
                kind = whole["type"]
                outcome = await self._store.write(self._carry_out, whole, identity)
            except CommandRefused as refusal:
                kind = "group-address" if kind == "group-address-part" else kind
                self._respond(identity, response(kind, "error", refusal.message, refusal.extras))
                return
            except FakeConvaiError as error:
                self._respond(identity, response(kind, "error", error.message))
                return
            self._follow(identity, kind, outcome)

    def _carry_out(self, tx: AccountTransaction, message: dict[str, Any], identity: str) -> object:
        """Carry out a command in a transaction, on a copy until it is committed."""
        room = RosterRoom(
            self._room.room_session_id,
            self._room.room_name,
            self._room.shared_session_key,
            self._room.size,
            Roster.load(self.roster.dump()),
            {who: dict(mine) for who, mine in self._room.people.items()},
        )

        def make(entries: list[dict[str, Any]]) -> list[Member]:
            try:
                members = rosters.new_members(tx, room, [rosters.part(tx, entry) for entry in entries], None)
            except (NotFound, Forbidden) as error:
                raise CommandRefused("character_not_found", error.message) from error
            for who, guest in self._guests.items():
                rosters.seat(tx, room, who, members, guest.wish)
            return members

        try:
            outcome = room.roster.heard(message, make)
        except CommandRefused:
            self.roster.commands = room.roster.commands
            raise
        rosters.save(tx, room)
        seats = {
            who: rosters.held(tx, mine, self.hub.holder) for who, mine in room.people.items() if who in self._guests
        }
        return _Carried(outcome, room, seats)

    def _follow(self, identity: str, kind: str, carried: object) -> None:
        assert isinstance(carried, _Carried)
        before, self._room = self._instances, carried.room
        for member in self.roster.members:
            if member.membership_id in before:
                before[member.membership_id].member = member
        outcome = carried.outcome
        if isinstance(outcome, TurnBegun):
            self._asker, self._queue = identity, list(outcome.turn.targets)
            self._limit = Cut()
            self._start(self._time_out(self._limit))
            self._next()
            return
        if isinstance(outcome, Updated):
            self._change(outcome, carried.sessions)
        if isinstance(outcome, Updated | Retargeted):
            self._respond(identity, response(kind, "success", _ACCEPTED[kind], outcome.extras))

    def _change(self, update: Updated, seats: Mapping[str, Mapping[str, Session]]) -> None:
        for member in update.removed:
            self._say_goodbye(member)
        added = {member.membership_id for member in update.added}
        for who, mine in seats.items():
            guest = self._guests[who]
            self.welcome(who, replace(guest, sessions={key: one for key, one in mine.items() if key in added}))
            self._guests[who] = replace(guest, sessions=mine)

    def _next(self) -> None:
        """Let the next instance of a group turn answer."""
        turn = self.roster.turn
        while turn is not None and self._queue:
            running = [one for one in turn.targets if one not in turn.outcomes and one not in self._queue]
            if running:
                return
            membership_id = self._queue.pop(0)
            instance = self._instances.get(membership_id)
            chair = None if instance is None or not instance.is_there else instance.seats.get(self._asker or "")
            if isinstance(chair, Chair):
                chair.say(turn.text)
                return
            done = self.roster.settle(membership_id, "failed")
            if done is not None:
                self._finish(done)
                return

    def _finish(self, done: TurnDone) -> None:
        if self._limit is not None:
            self._limit.make()
        identity, self._asker, self._queue, self._limit = self._asker, None, [], None
        inner = {"type": "turn-complete", "data": done.complete}
        self._tell({"type": "server-message", "data": inner})
        if identity is not None:
            self._respond(identity, response("group-address", "success", _ACCEPTED["group-address"], done.extras))
        self._start(self._save())

    async def _time_out(self, cut: Cut) -> None:
        time = self.backend.time
        until = await time.now(self.account_id) + TURN_SECONDS * SECOND
        if await time.until(self.account_id, until, cut):
            done = self.roster.expire()
            if done is not None:
                self._finish(done)

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
        if self.roster.ready(instance.member.membership_id):
            await self._save()

    def _say_goodbye(self, member: Member) -> None:
        instance = self._instances[member.membership_id]
        removed = {"type": "character-removed", "roster_epoch": self.roster.roster_epoch, **self.identity(member)}
        self._tell({"label": LABEL, "type": "server-message", "data": removed})
        self._dismiss(instance)

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
        if self._limit is not None:
            self._limit.make()
        await asyncio.gather(*(instance.retire() for instance in instances), return_exceptions=True)
        with suppress(Exception):
            await self._service.close(self.name)
        await self._store.write(rosters.close, self._room.room_session_id)
        self._ended(self)

    async def _touch(self, session_ids: Sequence[str]) -> None:
        """Who talks to one instance is there for all of them."""
        await self._store.write(_touch, session_ids)

    async def _save(self) -> None:
        await self._store.write(rosters.save, self._room)

    # What is said by the room

    def _tell(self, message: shapes.Message) -> None:
        """Say something to everybody, through one instance."""
        first = next((one for one in self._instances.values() if one.is_there), None)
        if first is not None:
            Room.send(first, message, None)

    def _respond(self, identity: str, event: Event) -> None:
        first = next((one for one in self._instances.values() if one.is_there), None)
        if first is not None:
            for message in shapes.Shapes().of(event, ""):
                Room.send(first, _belongs(message, self.identity(first.member)), identity)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@dataclass(frozen=True, slots=True)
class _Carried:
    """What came of a command, the room afterwards, and the sessions in it."""

    outcome: object
    room: RosterRoom
    sessions: Mapping[str, Mapping[str, Session]]


def _admitted(tx: AccountTransaction, room: RosterRoom, identity: str, holder: str) -> tuple[RosterRoom, Guest] | None:
    """A person whom another replica let into the room, and the room with them."""
    stored = rosters.find(tx, "room_session_id", room.room_session_id)
    if stored is None or identity not in stored.people:
        return None
    wish = Wish(
        None, identity.rpartition("-")[0], None, {}, None, "livekit", shared_session_key=room.shared_session_key
    )
    return stored, Guest(wish, Sound(), rosters.held(tx, stored.people[identity], holder))


def _touch(tx: AccountTransaction, session_ids: Sequence[str]) -> None:
    for session_id in session_ids:
        with suppress(sessions.SessionGone):
            sessions.touch(tx, session_id)


def _belongs(message: shapes.Message, fields: Mapping[str, Any]) -> shapes.Message:
    """A message with the fields that say whose it is: in its `data`, or in one that is made for them."""
    if message["type"] == "server-message":
        inner = message["data"]
        return {**message, "data": {**inner, "data": {**inner.get("data", {}), **fields}}}
    return {**message, "data": {**(message.get("data") or {}), **fields}}


def _reason(event: Any) -> Any:
    return event["data"].get("reason") if event["type"] == "server-message" else None


def _parsed(data: bytes) -> Any:
    with suppress(orjson.JSONDecodeError):
        return orjson.loads(data)
    return None
