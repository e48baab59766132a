"""Who has the floor in a room with several characters: in a group turn one instance speaks after the other."""

from collections.abc import Callable

from fake_convai.backend.waiting import Cut, Timekeeper
from fake_convai.domain.clock import SECOND
from fake_convai.domain.group_turn import GroupTurn, Outcome, TurnDone
from fake_convai.domain.roster import Member, Roster

TURN_SECONDS = 120
"""After which a group turn is over, by the account's clock: "about two minutes" on the page."""


class Floor:
    """Gives the floor to one instance after the other, until the group turn is over."""

    def __init__(
        self,
        roster: Callable[[], Roster],
        speak: Callable[[str, str, str], bool],
        done: Callable[[str, TurnDone], None],
    ) -> None:
        """`speak` lets the person (first) say a text (last) to an instance by its membership; False when it is gone.

        `done` is called with who began the turn, when it is over.
        """
        self._roster = roster
        self._speak = speak
        self._done = done
        self._asker = ""
        self._queue: list[str] = []
        self._limit = Cut()

    def begin(self, asker: str, turn: GroupTurn) -> None:
        """Somebody addresses the group."""
        self._asker, self._queue, self._limit = asker, list(turn.targets), Cut()
        self.go_on()

    async def expire(self, time: Timekeeper, account_id: int) -> None:
        """End the turn that has just begun when its time is over, unless it ends before."""
        limit = self._limit
        until = await time.now(account_id) + TURN_SECONDS * SECOND
        if await time.until(account_id, until, limit):
            self._finish(self._roster().expire())

    def turned(self, member: Member, outcome: Outcome) -> None:
        """An instance has finished a turn; of a group turn it may have been the last."""
        turn = self._roster().turn
        if turn is not None and member.membership_id in turn.targets and member.membership_id not in self._queue:
            self._finish(self._roster().settle(member.membership_id, outcome))
            self.go_on()

    def broke(self, done: TurnDone | None) -> None:
        """An instance is gone, with which the turn may be over."""
        self._finish(done)
        self.go_on()

    def left(self, identity: str) -> None:
        """Somebody has left: the turn that they began is over."""
        if identity == self._asker:
            self._finish(self._roster().expire())

    def go_on(self) -> None:
        """Let the next instance answer, if none does."""
        turn = self._roster().turn
        if turn is None or any(one not in turn.outcomes and one not in self._queue for one in turn.targets):
            return
        while self._queue:
            membership_id = self._queue.pop(0)
            if self._speak(self._asker, membership_id, turn.text):
                return
            self._finish(self._roster().settle(membership_id, "failed"))

    def _finish(self, done: TurnDone | None) -> None:
        if done is not None:
            asker, self._asker, self._queue = self._asker, "", []
            self._limit.make()
            self._done(asker, done)
