"""The rooms of this process, and the LiveKit server that they are on: the user's, or a child of ours."""

import asyncio
import importlib.util
import ipaddress
import logging
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.requests import Request

from fake_convai.backend.backend import Backend
from fake_convai.backend.body import is_secure
from fake_convai.domain.clock import real_time
from fake_convai.live.guest import Guest
from fake_convai.live.hub import Hub
from fake_convai.live.livekit import livekit_room, participant_token
from fake_convai.live.livekit_server import ANY, PROGRAM, CannotStart, LiveKit, LiveKitServer, find_program, own_address
from fake_convai.live.shapes import Sound
from fake_convai.settings import BadSetting, Options
from fake_convai.store import open_sessions, sessions
from fake_convai.store.rosters import RosterRoom
from fake_convai.store.sessions import Session

if TYPE_CHECKING:
    from fake_convai.live.ensemble import Ensemble
    from fake_convai.live.room import Room
    from fake_convai.live.room_service import RoomService

logger = logging.getLogger("fake_convai")

DEFAULT_URL = "ws://localhost:7880"
"""What is handed out when there is no LiveKit server: a local one in development mode, should there be one."""

HOW_TO_GET_IT = (
    "No character comes to the room, since {missing}. Get livekit-server (macOS: brew install livekit; Linux and "
    "Windows: the releases of github.com/livekit/livekit; with Go: make livekit) onto the PATH, and the package: "
    "pip install 'fake-convai[livekit]'. The Docker image of fake-convai has both."
)
_JOINING_AT_ONCE = 4
_MAX_WAITING = 50
"""Characters who wait for people; more than that come once their people are there, so that a flood costs little."""
_LATE_SECONDS = 0.5
_CLOSE_SECONDS = 5.0
_RESTARTS = 3


@dataclass(frozen=True, slots=True)
class Place:
    """A LiveKit server for rooms: what a token is made with, and why no character comes, if none does."""

    livekit: LiveKit
    is_ours: bool = False
    nobody_comes: str | None = None

    def token(self, account_id: int, room_name: str, now: int, *, identity: str, name: str) -> str:
        """What lets a person into a room of the account, whose clock says `now` in microseconds."""
        return participant_token(
            self.livekit.key,
            self.livekit.secret,
            identity=identity,
            name=name,
            room_name=livekit_room(account_id, room_name),
            now=real_time() if self.nobody_comes is None else now,  # a real server has a real clock
        )


def missing_part(settings: Options) -> str | None:
    """What a character lacks to come to rooms; None when it has all."""
    if settings.livekit == "off":
        return "--livekit is off"
    if settings.livekit_url is None and find_program(settings.livekit) is None:
        return f"there is no {PROGRAM if settings.livekit in ('auto', 'on') else settings.livekit}"
    with suppress(ModuleNotFoundError):
        if importlib.util.find_spec("livekit.rtc") is not None:
            return None
    return "the extra livekit is not installed"


def insist(settings: Options) -> None:
    """Raise `BadSetting` when a LiveKit server is insisted on that cannot be had."""
    missing = missing_part(settings)
    if missing is not None and settings.livekit not in ("auto", "off"):
        raise BadSetting(f"--livekit (or FAKE_CONVAI_LIVEKIT): {missing}; docs/rooms.md says how to get it")


def described(settings: Options) -> str:
    """Which LiveKit server there is for rooms, for the ready lines."""
    missing = missing_part(settings)
    if missing is None:
        return settings.livekit_url or f"{find_program(settings.livekit)} (started with the first room)"
    if settings.livekit == "off":
        return "off: no character comes to rooms"
    return f"none, since {missing}: no character comes to rooms (docs/rooms.md)"


class Rooms:
    """Opens rooms, and closes them all in the end. A server of our own is started when it is first needed."""

    def __init__(self, backend: Backend, hub: Hub) -> None:
        self._backend = backend
        self._hub = hub
        self._settings = backend.settings
        self._theirs: LiveKit | None = None
        if (url := self._settings.livekit_url) is not None:
            self._theirs = LiveKit(url, self._settings.livekit_key, self._settings.livekit_secret)
        self._rooms: dict[str, Room] = {}
        self._ensembles: dict[str, Ensemble] = {}
        self._late: set[Room] = set()
        self._livekit: LiveKit | None = None
        self._service: RoomService | None = None
        self._server: LiveKitServer | None = None
        self._starting = asyncio.Lock()
        self._joining = asyncio.Semaphore(_JOINING_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self._has_warned = False
        insist(self._settings)
        self._missing = missing_part(self._settings)

    async def place(self) -> Place:
        """Where a room can be. A LiveKit server of our own runs afterwards, if there can be one."""
        settings, theirs, missing = self._settings, self._theirs, self._missing
        if missing is None:
            async with self._starting:
                try:
                    if self._livekit is None:
                        await self._begin(theirs)
                    assert self._livekit is not None
                    return Place(self._livekit, is_ours=theirs is None)
                except CannotStart as error:
                    missing = str(error)
        at = theirs or LiveKit(DEFAULT_URL, settings.livekit_key, settings.livekit_secret)
        return Place(at, nobody_comes=self._explain(missing))

    def address(self, place: Place, request: Request) -> str:
        """The URL of a place for the client that has sent this request: on the host that it knows, where ours listens
        for other machines too."""
        if not place.is_ours or bind_address(self._settings) != ANY:
            return place.livekit.url
        host = node_ip(self._settings) if is_secure(request.scope) else request.url.hostname
        return f"ws://{host}:{urlsplit(place.livekit.url).port}"

    def open(self, session: Session, identity: str, character_name: str, sound: Sound) -> None:
        """Give a session its seat in a room. Returns at once: the character joins meanwhile, or is there already."""
        from fake_convai.live.room import Room  # what rooms need is loaded with the first
        from fake_convai.live.seat import Seat

        if self._livekit is None or self._service is None:
            return  # the server has died just now
        name = livekit_room(session.account_id, session.room_name)
        room = self._rooms.get(name)
        if room is None:
            who = (f"character-{session.session_id[:8]}", character_name)
            room = self._rooms[name] = Room(name, who, self._livekit, self._service, self._emptied, self._adopt)
            waiting = sum(not one.has_people and one not in self._late for one in self._rooms.values())
            if waiting <= _MAX_WAITING:
                self._start(self._join(room))
            else:
                self._join_later(room)
        room.take(Seat(room, self._backend, self._hub, session, identity, sound))

    def has(self, account_id: int, room_name: str) -> bool:
        """Whether the room is held here, and not by another replica."""
        return livekit_room(account_id, room_name) in self._rooms

    def perform(self, room: RosterRoom, account_id: int, identity: str, guest: Guest) -> None:
        """Give a person a place in a room with several characters. Returns at once: they join meanwhile."""
        from fake_convai.live.ensemble import Ensemble

        if self._livekit is None or self._service is None:
            return
        ensemble = self._ensembles.get(room.room_session_id)
        if ensemble is None:
            name = livekit_room(account_id, room.room_name)
            ensemble = self._ensembles[room.room_session_id] = Ensemble(
                room, name, self._backend, self._hub, account_id, self._service, self._livekit, self._over
            )
        else:
            ensemble.entered(room)
        ensemble.welcome(identity, guest)

    def has_roster(self, room_session_id: str) -> bool:
        """Whether a room with several characters is held here, and not by another replica."""
        return room_session_id in self._ensembles

    async def reload(self, account_id: int) -> None:
        """The rooms of an account were put back to an earlier state: go on from there."""
        for ensemble in list(self._ensembles.values()):
            if ensemble.account_id == account_id:
                await ensemble.reload()

    def _over(self, ensemble: "Ensemble") -> None:
        self._ensembles = {key: one for key, one in self._ensembles.items() if one is not ensemble}

    def start(self) -> None:
        """Look, once and meanwhile, whether a server that somebody else runs is fit for rooms."""
        if self._theirs is not None and self._missing is None:
            self._start(self._probe(self._theirs))

    async def close(self) -> None:
        """End all sessions in rooms, and the LiveKit server that was started for them."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._end_all()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._service is not None:
            await self._service.aclose()
        if self._server is not None:
            await self._server.stop()

    async def _probe(self, theirs: LiveKit) -> None:
        from fake_convai.live.probe import complaint

        wrong = await complaint(theirs)
        if wrong is not None:
            logger.warning("%s", wrong)

    async def _begin(self, theirs: LiveKit | None) -> None:
        """Use their server, or start ours. Raises `CannotStart`."""
        from fake_convai.live.room_service import RoomService

        settings = self._settings
        if theirs is None:
            program = find_program(settings.livekit)
            assert program is not None
            self._server = LiveKitServer(
                program, bind=bind_address(settings), node_ip=node_ip(settings), port=settings.livekit_port
            )
            self._livekit = await self._server.start()
            self._start(self._mind(self._server))
        else:
            self._livekit = theirs
        self._service = RoomService(self._livekit)

    async def _mind(self, server: LiveKitServer) -> None:
        """When our server dies, its rooms are over, and it is started anew: with other keys, so that nobody comes back
        into a room without a character."""
        from fake_convai.live.room_service import RoomService

        for _ in range(_RESTARTS):
            await server.wait_ended()
            logger.warning("livekit-server has died: the sessions in rooms end, and it is started again")
            async with self._starting:
                service, self._livekit, self._service = self._service, None, None
                await self._end_all()
                if service is not None:
                    await service.aclose()
                try:
                    self._livekit = await server.start()
                except CannotStart as error:
                    logger.warning("%s", error)
                    return
                self._service = RoomService(self._livekit)
        logger.warning("livekit-server has died %s times: it is not started again before it is wanted", _RESTARTS)
        await server.wait_ended()
        await self._end_all()
        self._livekit = self._server = None

    def _explain(self, missing: str) -> str:
        """That nobody will come, why, and what to do; the log says it once."""
        if self._settings.livekit == "off":
            return f"No character comes to the room, since {missing}."
        explanation = HOW_TO_GET_IT.format(missing=missing)
        if not self._has_warned:
            self._has_warned = True
            logger.warning("%s", explanation)
        return explanation

    async def _join(self, room: "Room") -> None:
        from fake_convai.live.participant import CannotJoin

        async with self._joining:
            if self._rooms.get(room.name) is not room:
                return  # its sessions were over before it began
            try:
                await room.open()
            except CannotJoin as error:
                logger.warning("The character does not come to room %s: %s", room.name, error)
                self._join_later(room)
        if self._rooms.get(room.name) is not room:
            await room.close()

    def _adopt(self, room: "Room", identity: str) -> None:
        """Somebody is in a room without a seat in it: another replica may have let them join."""
        self._start(self._seat(room, identity))

    async def _seat(self, room: "Room", identity: str) -> None:
        found = await self._backend.database.read(lambda tx: open_sessions.joined(tx, identity.rpartition("-")[2]))
        if found is None or livekit_room(found.account_id, found.room_name) != room.name:
            return
        store = self._backend.account_store(found.account_id)
        if await store.write(sessions.hold, found.session_id, self._hub.holder):
            self.open(found, identity, "", Sound())
            room.came(identity)

    def _join_later(self, room: "Room") -> None:
        """Let the character come when there is somebody to talk to."""
        self._late.add(room)
        if len(self._late) == 1:
            self._start(self._join_late())

    async def _join_late(self) -> None:
        from fake_convai.live.room_service import NoAnswer

        while self._late:
            await asyncio.sleep(_LATE_SECONDS)
            self._late = {room for room in self._late if self._rooms.get(room.name) is room}
            try:
                there = set() if self._service is None else await self._service.rooms()
            except NoAnswer:
                continue
            for room in [room for room in self._late if room.name in there]:
                self._late.discard(room)
                self._start(self._join(room))

    def _emptied(self, room: "Room") -> None:
        """A room has nobody: its sessions are over, or its people did not come so far."""
        if room.seats:
            self._start(self._pause(room))
        elif self._rooms.get(room.name) is room:
            del self._rooms[room.name]
            self._closing.add(self._start(room.close()))

    async def _pause(self, room: "Room") -> None:
        await room.close()
        if self._rooms.get(room.name) is room:
            self._join_later(room)

    async def _end_all(self) -> None:
        seats = [seat for room in self._rooms.values() for seat in room.seats.values()]
        ensembles = [ensemble.close() for ensemble in self._ensembles.values()]
        await asyncio.gather(*(seat.leave() for seat in seats), *ensembles)
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        for forget in (self._tasks.discard, self._closing.discard):
            task.add_done_callback(forget)
        return task


def bind_address(settings: Options) -> str:
    """Where a LiveKit server of our own listens: on this machine only, where the fake does."""
    return "127.0.0.1" if _is_loopback(settings.host) else ANY


def node_ip(settings: Options) -> str:
    """The address that clients reach media under."""
    if settings.livekit_node_ip is not None:
        return str(settings.livekit_node_ip)
    return "127.0.0.1" if _is_loopback(settings.host) else own_address()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
