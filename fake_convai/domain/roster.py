"""Who is in a room of several characters, whom people talk to, and the turn of a group: a state machine without I/O.

The rules are those of the vendor's pages on multi-character sessions and on group chat messages. Both name the members
of every answer; for what goes wrong with a roster only Unity's source names codes (docs/contract.md section 9).
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

import orjson

from fake_convai.domain.errors import FakeConvaiError
from fake_convai.domain.group_turn import GroupTurn, Json, Outcome, TurnDone
from fake_convai.domain.roster_answers import InstanceEntry, InstanceIdentity, RosterExtras, TargetExtras

MAX_MEMBERS = 50
MAX_COMMAND_ID = 128
MAX_COMMANDS = 1_000
"""Commands of a room that are known when they come again."""

Status = Literal["dispatch_accepted", "dispatch_failed", "ready", "failed"]


class CommandRefused(FakeConvaiError):
    """A command that the room does not carry out; `extras` are those of its `server-response`."""

    def __init__(self, code: str, message: str, **extras: Any) -> None:
        super().__init__(message)
        self.code = code
        self.extras = {"code": code, **extras}


@dataclass(slots=True)
class Member:
    """One instance of a character in the room."""

    membership_id: str
    character_id: str
    session_id: str
    character_session_id: str
    participant_identity: str
    display_name: str
    is_initial: bool = False
    status: Status = "dispatch_accepted"
    failure_code: str | None = None

    @property
    def live(self) -> bool:
        """Whether it can be talked to, now or as soon as it is ready."""
        return self.status in ("dispatch_accepted", "ready")

    def identity(self) -> InstanceIdentity:
        """What ties a message to it, beside the room."""
        return {
            "membership_id": self.membership_id,
            "character_id": self.character_id,
            "character_session_id": self.character_session_id,
            "participant_identity": self.participant_identity,
            "is_initial": self.is_initial,
        }

    def break_down(self, failure_code: str) -> None:
        """It was there and is not any more, or never came."""
        self.status = "failed" if self.status == "ready" else "dispatch_failed"
        self.failure_code = failure_code

    def entry(self) -> InstanceEntry:
        """What `/connect` and a roster update say of it."""
        failed = self.status in ("dispatch_failed", "failed")
        return {
            **self.identity(),
            "session_id": self.session_id,
            "provisioning_status": "dispatch_failed" if failed else "dispatch_accepted",
            "failure_code": self.failure_code,
            "display_name": self.display_name,
        }


@dataclass(frozen=True, slots=True)
class Retargeted:
    """The active instance is another one, or the same as before."""

    extras: TargetExtras


@dataclass(frozen=True, slots=True)
class Updated:
    """Members came and went."""

    extras: RosterExtras
    added: Sequence[Member]
    removed: Sequence[Member]


@dataclass(frozen=True, slots=True)
class TurnBegun:
    """The instances that are to answer, in order; the response comes when all are done."""

    turn: GroupTurn


@dataclass(slots=True)
class Roster:
    """The room. What it accepts or refuses of people's commands, it remembers by their ids."""

    room_session_id: str
    members: list[Member]
    group_chat: bool = False
    active_membership_id: str | None = None
    route_epoch: int = 0
    roster_epoch: int = 0
    turn: GroupTurn | None = None
    commands: dict[str, str] = field(default_factory=dict)
    """A digest of each command that was carried out or refused by the room, by its id; of the newest so many."""

    def member(self, membership_id: str | None) -> Member | None:
        """The member with this id."""
        return next((one for one in self.members if one.membership_id == membership_id), None)

    @property
    def active(self) -> Member | None:
        """Whom people talk to."""
        return self.member(self.active_membership_id)

    def heard(self, message: Mapping[str, Any], make: Callable[[list[Json]], list[Member]]) -> object:
        """Carry out a command in the shape of its kind; `make` makes members of the entries to add, or raises
        `CommandRefused`.

        Answers None for a command that came before with the same content, else a `Retargeted`, `Updated` or
        `TurnBegun`. Raises `CommandRefused`.
        """
        kind, command_id, data = message["type"], message["id"], message["data"]
        content = self._digest(kind, data)
        if (before := self.commands.get(command_id)) is not None:
            if before != content:
                raise self._refused("command_id_conflict", "This id was used for another command.", command_id)
            return None
        if self.turn is not None:
            raise self._refused("turn_in_progress", "A turn is running: wait for its response.", command_id)
        self.commands[command_id] = content
        self.commands = dict(list(self.commands.items())[-MAX_COMMANDS:])
        if kind == "interaction-target":
            return self._retarget(command_id, data)
        if kind == "character-roster-update":
            return self._update(command_id, data, make)
        return self._address(command_id, data)

    def settle(self, membership_id: str, outcome: Outcome) -> TurnDone | None:
        """An addressed instance has answered, passed or failed; the end of the turn when it was the last."""
        turn = self.turn
        if turn is None or membership_id not in turn.targets or membership_id in turn.outcomes:
            return None
        # Only who is free to answer may decline; else it is a failure.
        turn.outcomes[membership_id] = "failed" if outcome == "passed" and turn.mode != "open" else outcome
        return self._end(turn) if turn.settled else None

    def expire(self) -> TurnDone | None:
        """The time of the turn is over: who has not answered has failed."""
        if self.turn is None:
            return None
        for membership_id in self.turn.targets:
            self.turn.outcomes.setdefault(membership_id, "failed")
        return self._end(self.turn)

    def _end(self, turn: GroupTurn) -> TurnDone:
        self.turn = None
        return turn.done(self.room_session_id, self.route_epoch)

    def ready(self, membership_id: str) -> bool:
        """An instance is in the room; False when it is no member, or had failed before."""
        member = self.member(membership_id)
        if member is None or member.status != "dispatch_accepted":
            return False
        member.status = "ready"
        return True

    def fail(self, membership_id: str, failure_code: str) -> TurnDone | None:
        """An instance never came, or broke down; the end of the turn when only it was missing.

        Nobody is active when it was the active one.
        """
        member = self.member(membership_id)
        if member is None or not member.live:
            return None
        member.break_down(failure_code)
        if self.active_membership_id == membership_id:
            self._activate(None)
        return self.settle(membership_id, "failed")

    def take_back(self, earlier: "Roster") -> None:
        """Go back to the target, the epochs and the commands of an earlier state with the same members."""
        self.active_membership_id, self.commands = earlier.active_membership_id, earlier.commands
        self.route_epoch, self.roster_epoch = earlier.route_epoch, earlier.roster_epoch

    def dump(self) -> Json:
        """The room as JSON."""
        return asdict(self)

    @classmethod
    def load(cls, stored: Mapping[str, Any]) -> Self:
        """The room that `dump` wrote down."""
        turn = stored["turn"]
        members = [Member(**member) for member in stored["members"]]
        return cls(**{**stored, "members": members, "turn": None if turn is None else GroupTurn(**turn)})

    @staticmethod
    def _digest(kind: str, data: Mapping[str, Any]) -> str:
        try:
            content = orjson.dumps([kind, data], option=orjson.OPT_SORT_KEYS)
        except TypeError:
            raise CommandRefused("invalid_command", "Send data that is nested less deeply.") from None
        return hashlib.sha256(content).hexdigest()

    def _refused(self, code: str, message: str, command_id: str, **more: Any) -> CommandRefused:
        return CommandRefused(
            code,
            message,
            command_id=command_id,
            room_session_id=self.room_session_id,
            active_membership_id=self.active_membership_id,
            route_epoch=self.route_epoch,
            **more,
        )

    def _check_route(self, command_id: str, data: Mapping[str, Any]) -> None:
        if data["expected_route_epoch"] != self.route_epoch:
            raise self._refused("stale_route_epoch", f"The route epoch is {self.route_epoch}.", command_id)

    def _target(self, command_id: str, membership_id: object) -> Member:
        member = self.member(membership_id) if isinstance(membership_id, str) else None
        if member is None or not member.live:
            raise self._refused("invalid_target_membership", "There is no such live member.", command_id)
        return member

    def _activate(self, membership_id: str | None) -> bool:
        """Whether anything changed, which makes a new epoch."""
        changed = membership_id != self.active_membership_id
        self.active_membership_id = membership_id
        self.route_epoch += changed
        return changed

    def _retarget(self, command_id: str, data: Mapping[str, Any]) -> Retargeted:
        self._check_route(command_id, data)
        target = data.get("target_membership_id")
        if target is not None:
            target = self._target(command_id, target).membership_id
        previous = self.active_membership_id
        changed = self._activate(target)
        return Retargeted(
            {
                "success": True,
                "command_id": command_id,
                "room_session_id": self.room_session_id,
                "previous_membership_id": previous,
                "active_membership_id": target,
                "route_epoch": self.route_epoch,
                "changed": changed,
            }
        )

    def _update(self, command_id: str, data: Mapping[str, Any], make: Callable[[list[Json]], list[Member]]) -> Updated:
        def refused(code: str, message: str) -> CommandRefused:
            return self._refused(code, message, command_id, roster_epoch=self.roster_epoch)

        if data["expected_roster_epoch"] != self.roster_epoch:
            raise refused("stale_roster_epoch", f"The roster epoch is {self.roster_epoch}.")
        leaving, coming = data.get("remove_membership_ids") or [], data.get("add") or []
        removed = [member for member in self.members if member.membership_id in leaving]
        if len(removed) != len(set(leaving)):
            raise refused("membership_not_found", "A member to remove is not in the room.")
        staying = [member for member in self.members if member.membership_id not in leaving]
        if not staying and not coming:
            raise refused("empty_target_set", "The roster cannot become empty.")
        if len(staying) + len(coming) > MAX_MEMBERS:
            raise refused("roster_capacity_exceeded", f"A room takes {MAX_MEMBERS} characters.")
        successor = self.active_membership_id
        if successor in leaving:
            heir = next(
                (one for one in staying if one.membership_id == data.get("replacement_target_membership_id")), None
            )
            if heir is None or heir.status != "ready":
                message = "Send replacement_target_membership_id: a ready member that stays, since the active one goes."
                raise refused("replacement_target_required", message)
            successor = heir.membership_id
        try:
            added = make(coming)
        except CommandRefused as error:
            raise refused(error.code, error.message) from error
        self.members = [*staying, *added]
        self.roster_epoch += bool(added or removed)
        self._activate(successor)
        return Updated(
            {
                "success": True,
                "command_id": command_id,
                "room_session_id": self.room_session_id,
                "added": [member.entry() for member in added],
                "removed_membership_ids": [member.membership_id for member in removed],
                "active_membership_id": self.active_membership_id,
                "route_epoch": self.route_epoch,
                "roster_epoch": self.roster_epoch,
            },
            added,
            removed,
        )

    def _address(self, command_id: str, data: Mapping[str, Any]) -> TurnBegun:
        self._check_route(command_id, data)
        mode: str = data["mode"]
        if mode == "tagged":
            wanted = data["target_membership_ids"]
            targets = [self._target(command_id, one).membership_id for one in wanted]
            if len(set(targets)) != len(targets):
                raise self._refused("duplicate_target_membership", "A member is addressed twice.", command_id)
        else:
            targets = [member.membership_id for member in self.members if member.live]
            if not targets:
                raise self._refused("empty_target_set", "Nobody in the room can answer.", command_id)
        self.turn = GroupTurn(command_id, mode, data["text"], self.route_epoch, targets)
        return TurnBegun(self.turn)


def unique_names(names: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """Display names, each once in a room: a second Ada is `Ada (2)`."""
    used, unique = set(taken), []
    for name in names:
        number, candidate = 1, name
        while candidate in used:
            number += 1
            candidate = f"{name} ({number})"
        used.add(candidate)
        unique.append(candidate)
    return unique
