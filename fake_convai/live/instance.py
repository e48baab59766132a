"""One character of a room with several, and each person's chair with it (docs/contract.md section 9)."""

from collections.abc import Mapping
from typing import Any, Protocol

import orjson

from fake_convai.backend.backend import Backend
from fake_convai.domain.group_turn import Outcome
from fake_convai.domain.roster import Member, Roster
from fake_convai.domain.script import ABSTAIN
from fake_convai.live import shapes
from fake_convai.live.hearing import Change
from fake_convai.live.hub import INTERNAL_ERROR, Hub
from fake_convai.live.livekit_server import LiveKit
from fake_convai.live.messages import Event, kind_of
from fake_convai.live.room import Room
from fake_convai.live.room_service import RoomService
from fake_convai.live.seat import Seat
from fake_convai.live.shapes import Sound
from fake_convai.store.sessions import Session


class Company(Protocol):
    """The room (`ensemble.py`, which explains each of these), as an instance in it sees it."""

    name: str
    backend: Backend
    hub: Hub

    @property
    def roster(self) -> Roster: ...
    def identity(self, member: Member) -> dict[str, Any]: ...
    def stranger(self, identity: str) -> None: ...
    def is_first(self, instance: "Instance") -> bool: ...
    def plays(self, instance: "Instance") -> bool: ...
    def came(self, identity: str) -> None: ...
    def packet(self, identity: str, data: bytes) -> None: ...
    def greet(self, instance: "Instance", identity: str) -> None: ...
    def person_left(self, identity: str) -> None: ...
    def broke(self, instance: "Instance", failure_code: str = ...) -> None: ...
    def turned(self, member: Member, outcome: Outcome) -> None: ...


class Chair(Seat):
    """A person's place with one instance. It notices what became of the instance's turn."""

    def __init__(self, instance: "Instance", company: Company, session: Session, identity: str, sound: Sound) -> None:
        super().__init__(instance, company.backend, company.hub, session, identity, sound)
        self.session = session
        self._instance = instance
        self._company = company
        self._outcome: Outcome = "failed"

    async def send(self, event: Event) -> None:
        """Send an event, and tell the room when a turn is over."""
        kind = kind_of(event)
        if kind == "user-idle-warning" and not self._company.is_first(self._instance):
            return  # one of all is enough
        if kind == "bot-llm-started":
            self._outcome = "failed"
        elif kind == "bot-llm-text":
            self._outcome = "answered"
        elif kind == "llm-no-response" and self._outcome == "failed" and _reason(event) == ABSTAIN:
            self._outcome = "passed"
        await super().send(event)
        if kind == "bot-turn-completed":
            await self._instance.wait_sent()  # or the next one is heard before this one has finished
            self._company.turned(self._instance.member, self._outcome)
        elif kind == "server-response" and event.get("status") == "error":
            self._company.turned(self._instance.member, "failed")

    async def over(self, code: int) -> None:
        """The session is over; when something broke, it is the instance that breaks."""
        if code == INTERNAL_ERROR:
            self._company.broke(self._instance, "crashed")
        else:
            await super().over(code)

    async def close(self, code: int, reason: str) -> None:
        """The session was ended; when something broke, it is the instance that breaks."""
        if code == INTERNAL_ERROR:
            self._company.broke(self._instance, "crashed")
        else:
            await super().close(code, reason)

    def say(self, text: str) -> None:
        """Let the person say this to the instance; it may be longer than a packet, since it may have come in parts."""
        self._instance.hush()
        self._put(orjson.dumps({"type": "user_text_message", "data": {"text": text}}))


class Instance(Room):
    """One character of the room: a `Room` that lets the company decide what it hears."""

    def __init__(self, company: Company, member: Member, livekit: LiveKit, service: RoomService) -> None:
        who = (member.participant_identity, member.display_name)
        super().__init__(
            company.name, who, livekit, service, lambda _: None, lambda _, identity: company.stranger(identity)
        )
        self.member = member
        self._company = company

    @property
    def is_there(self) -> bool:
        """Whether its participant is in the room."""
        return self._participant is not None

    def chair(self, identity: str) -> Chair | None:
        """A person's place with it, while it is in the room."""
        seat = self.seats.get(identity)
        return seat if self.is_there and isinstance(seat, Chair) else None

    def send(self, message: shapes.Message, to: str | None) -> None:
        """Send a message, with the fields that say whose it is."""
        self.send_plain(belonging(message, self._company.identity(self.member)), to)

    async def wait_sent(self) -> None:
        """Return once all that it has said is on its way."""
        if self._participant is not None:
            await self._participant.wait_sent()

    def send_plain(self, message: shapes.Message, to: str | None) -> None:
        """Send a message as it is."""
        super().send(message, to)

    def greet(self, identity: str) -> None:
        """Say that the instance is there, to one person."""
        self._company.greet(self, identity)

    def came(self, identity: str | None) -> None:
        """Somebody is there, whom every instance is to greet."""
        if identity is None:
            super().came(None)
        else:
            self._company.came(identity)

    def notice(self, identity: str) -> None:
        """Somebody is there, as one of the instances knows."""
        super().came(identity)

    async def look(self) -> None:
        """See who is there, which one of the instances does for all."""
        if self._company.is_first(self):
            await super().look()

    async def reveal(self, identity: str) -> None:
        """Let the server tell of somebody, which one of the instances asks for."""
        if self._company.is_first(self):
            await super().reveal(identity)

    def packet(self, identity: str | None, data: bytes) -> None:
        """Somebody sent a packet, which every instance receives: one of them takes it for all."""
        chair = self.sender(identity)
        if chair is not None and self._company.is_first(self):
            self._company.packet(chair.identity, data)

    def voice(self, identity: str, change: Change) -> None:
        """Somebody speaks: the active instance hears it."""
        if self._company.roster.active_membership_id == self.member.membership_id:
            super().voice(identity, change)

    def vacate(self, seat: Seat) -> None:
        """Somebody's session with this instance is over, and with it their time in the room."""
        if self.seats.pop(seat.identity, None) is not None and self._company.plays(self):
            self._company.person_left(seat.identity)

    def lost(self) -> None:
        """The instance is out of the room, and not by its own will."""
        self._company.broke(self)


def belonging(message: shapes.Message, fields: Mapping[str, Any]) -> shapes.Message:
    """A message with the fields that say whose it is: in its `data`, or in one that is made for them."""
    if message["type"] == "server-message":
        inner = message["data"]
        return {**message, "data": {**inner, "data": {**inner.get("data", {}), **fields}}}
    return {**message, "data": {**(message.get("data") or {}), **fields}}


def _reason(event: Any) -> Any:
    return event["data"].get("reason") if event["type"] == "server-message" else None
