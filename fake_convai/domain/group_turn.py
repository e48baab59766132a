"""A turn of a group: who was addressed, and what became of each (the vendor's page on group chat messages)."""

from dataclasses import dataclass, field
from typing import Any, Literal

from fake_convai.domain.roster_answers import Lists, TurnExtras, TurnKey, TurnOutcome, TurnSummary

Outcome = Literal["answered", "passed", "failed"]
OUTCOMES: tuple[Outcome, ...] = ("answered", "passed", "failed")
Json = dict[str, Any]


@dataclass(slots=True)
class GroupTurn:
    """A turn that is running: who was addressed, and what became of each so far."""

    command_id: str
    mode: str
    text: str
    route_epoch: int
    targets: list[str]
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    def of(self, outcome: Outcome) -> list[str]:
        """The instances with this outcome, in the order in which they were addressed."""
        return [one for one in self.targets if self.outcomes.get(one) == outcome]

    @property
    def settled(self) -> bool:
        """Whether every addressed instance is done."""
        return len(self.outcomes) == len(self.targets)

    def done(self, room_session_id: str, route_epoch: int) -> "TurnDone":
        """How it ended, in the words of the page; `route_epoch` is that of the room by now."""
        answered, passed, failed = (self.of(one) for one in OUTCOMES)
        lists: Lists = {
            "answered_membership_ids": answered,
            "passed_membership_ids": passed,
            "failed_membership_ids": failed,
        }
        summary: TurnSummary = {
            "turn_id": self.command_id,
            "addressed": len(self.targets),
            "answered": len(answered),
            "passed": len(passed),
            "failed": len(failed),
            "cancelled": False,
            "route_epoch": self.route_epoch,
        }
        about: TurnKey = {"command_id": self.command_id, "room_session_id": room_session_id, "mode": self.mode}
        return TurnDone(
            {**about, "route_epoch": route_epoch, "target_membership_ids": self.targets, **lists, "summary": summary},
            {**about, "addressed_membership_ids": self.targets, **lists, **summary},
        )


@dataclass(frozen=True, slots=True)
class TurnDone:
    """The response to the command that opened the turn, and the data of `turn-complete`."""

    extras: TurnExtras
    complete: TurnOutcome
