"""A room: one character, the people in it, and the sessions that they hold (docs/contract.md section 9, "The room").

Each person has a seat in it (`seat.py`). The conversation itself is that of every transport (`conversation.py`); what
clients read is in `shapes.py`, and what LiveKit needs in `participant.py`.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from fake_convai.domain.clock import real_time
from fake_convai.live import shapes
from fake_convai.live.hearing import Change
from fake_convai.live.livekit import participant_token
from fake_convai.live.livekit_server import LiveKit
from fake_convai.live.room_service import NoAnswer, RoomService
from fake_convai.live.seat import Seat

if TYPE_CHECKING:
    from fake_convai.live.participant import Participant

T = TypeVar("T")
logger = logging.getLogger("fake_convai")

SETTLE_SECONDS = 0.3
"""Between the first sign of a person and `bot-ready`. The Web SDK forgets one that comes before its room is connected,
which is up to 60 ms after the server takes it for connected."""

_LOOK_SECONDS, _AWAITED_SECONDS = 1.0, 0.25
"""How often the room is looked at: LiveKit tells of people who publish nothing, and of their leaving, up to three
seconds late. More often for ten seconds after somebody got a token."""
_AWAITED_LOOKS = 40
_MOST_LOOKS = 100
"""Looks for the first person, before the character goes and comes back with them: 70 seconds."""
_CERTAIN_SECONDS = 0.15
"""Who joins anew, after a bad connection, is away for a moment."""


class Room:
    """A LiveKit room with a character in it, whose participant it listens to."""

    def __init__(
        self,
        name: str,
        character: tuple[str, str],
        livekit: LiveKit,
        service: RoomService,
        emptied: Callable[["Room"], None],
        stranger: Callable[["Room", str], None],
    ) -> None:
        """`character` is its identity and its name.

        `emptied` is called when the last session in the room is over, and when nobody comes; `stranger` once for each
        person who is there without a seat.
        """
        self.name = name
        self.seats: dict[str, Seat] = {}
        self._character = character
        self._livekit = livekit
        self._service = service
        self._emptied = emptied
        self._stranger = stranger
        self._strangers: set[str] = set()
        self._participant: Participant | None = None
        self._awaited = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def has_people(self) -> bool:
        """Whether anybody has come."""
        return any(seat.is_here for seat in self.seats.values())

    async def open(self) -> None:
        """Let the character join. Raises `CannotJoin`."""
        from fake_convai.live.participant import Participant  # loads LiveKit, which many never need

        participant = self._participant = Participant(self)
        livekit = self._livekit
        token = participant_token(
            livekit.key,
            livekit.secret,
            identity=self._character[0],
            name=self._character[1],
            room_name=self.name,
            now=real_time(),
            agent=True,
        )
        try:
            await participant.join(livekit.url, token)
        except BaseException:
            self._participant = None
            await participant.leave()
            raise
        self.start(self._look_after())

    async def close(self) -> None:
        """Let the character leave, and close the room."""
        await self.retire()
        await self._ask(self._service.close(self.name))

    async def retire(self) -> None:
        """Let the character leave."""
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        participant, self._participant = self._participant, None
        if participant is not None:
            await participant.leave()

    def take(self, seat: Seat) -> None:
        """Give somebody a place who has got their token."""
        self.seats[seat.identity] = seat
        self._awaited = _AWAITED_LOOKS

    def vacate(self, seat: Seat) -> None:
        """Somebody's session is over. With the last one the character leaves."""
        if self.seats.pop(seat.identity, None) is None:
            return
        if self.seats:
            self.start(self._ask(self._service.remove(self.name, seat.identity)))
        else:
            self._emptied(self)

    # What seats need

    def send(self, message: shapes.Message, to: str | None) -> None:
        """Send a message to one person, or to everybody."""
        self.send_packet(shapes.packet(message), to)

    def send_packet(self, data: bytes, to: str | None) -> None:
        """Send a packet, whatever it holds."""
        if self._participant is not None:
            self._participant.send(data, to)

    async def desert(self) -> None:
        """Let the character leave, while its people stay."""
        participant, self._participant = self._participant, None
        if participant is not None:
            await participant.leave()

    def sound(self, *, track: bool, tap: Callable[[bytes], None] | None) -> None:
        """Let the character begin to sound."""
        if self._participant is not None:
            self._participant.voice.start(audible=track, tap=tap)

    async def finish(self, seconds: float) -> bool:
        """Let the character sound for so long in all; False when it was cut short."""
        return self._participant is None or await self._participant.voice.finish(seconds)

    def hush(self) -> None:
        """Cut the character short."""
        if self._participant is not None:
            self._participant.voice.cut()

    def finished_speaking(self, identity: str) -> None:
        """Take somebody's speech for finished."""
        if self._participant is not None:
            self._participant.finished_speaking(identity)

    def greet(self, identity: str) -> None:
        """Tell somebody that the character is there."""
        if identity in self.seats:
            self.start(self.seats[identity].greet())

    # What the participant tells

    def came(self, identity: str | None) -> None:
        """Somebody is there, or more of them than were known."""
        if identity is None and len(self.seats) == 1:
            [seat] = self.seats.values()  # of several, a sign of one who is here already must not be taken for another
        elif identity is None:
            self.start(self.look())
            return
        elif identity in self.seats:
            seat = self.seats[identity]
        else:
            if identity not in self._strangers:
                self._strangers.add(identity)
                self._stranger(self, identity)
            return
        if not seat.is_here:
            seat.is_here = True
            self.start(self._welcome(seat))

    def left(self, identity: str) -> None:
        """Somebody has left."""
        if identity in self.seats:
            self.start(self.seats[identity].leave())

    def packet(self, identity: str | None, data: bytes) -> None:
        """Somebody sent a packet."""
        seat = self.sender(identity)
        if seat is not None:
            seat.receive(data)

    def sender(self, identity: str | None) -> Seat | None:
        """Who sent a packet: whoever is hidden from the character so far, where it is not known who."""
        if identity is None and self._participant is not None:
            hidden = [one for one in self.seats if not self._participant.knows(one)]
            identity = hidden[0] if len(hidden) == 1 else None
        if identity not in self.seats:
            return None
        self.came(identity)
        return self.seats[identity]

    def voice(self, identity: str, change: Change) -> None:
        """Somebody begins to speak, or has finished."""
        if identity in self.seats:
            self.seats[identity].hear(change)

    def lost(self) -> None:
        """The room is gone, or its server: all sessions in it end."""
        for seat in list(self.seats.values()):
            self.start(seat.leave())

    # Inside

    async def _look_after(self) -> None:
        """See who comes and goes, for as long as the character is there."""
        looks = 0
        while looks < _MOST_LOOKS or self.has_people:
            awaited = self._awaited > 0 and not all(seat.is_here for seat in self.seats.values())
            self._awaited -= awaited
            await asyncio.sleep(_AWAITED_SECONDS if awaited else _LOOK_SECONDS)
            await self.look()
            looks += 1
        self._emptied(self)

    async def look(self) -> None:
        """See who is there, and who is not any more."""
        people = await self._ask(self._service.people(self.name))
        if people is None:
            return
        for identity, is_connected in people.items():
            if is_connected and identity != self._character[0]:
                self.came(identity)
        missing = {one.identity for one in self.seats.values() if one.is_here} - people.keys()
        if missing:
            await asyncio.sleep(_CERTAIN_SECONDS)
            still_there = await self._ask(self._service.people(self.name))
            for identity in missing - (missing if still_there is None else still_there.keys()):
                self.left(identity)

    async def _welcome(self, seat: Seat) -> None:
        await self.reveal(seat.identity)
        if self._participant is not None:
            await self._participant.wait_heard()
        await asyncio.sleep(SETTLE_SECONDS)
        self.greet(seat.identity)

    async def reveal(self, identity: str) -> None:
        """Let the server tell everybody of somebody who publishes nothing."""
        await self._ask(self._service.show(self.name, identity))

    async def _ask(self, call: Coroutine[Any, Any, T]) -> T | None:
        """What the server's own API says; None when it does not answer, which the participant learns by itself."""
        with suppress(NoAnswer):
            return await call
        return None

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do something meanwhile, for as long as the character is there."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
