"""Rules that hold whatever happens in a room of several characters."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fake_convai.domain.group_turn import OUTCOMES, Outcome, TurnDone
from fake_convai.domain.roster import (
    CommandRefused,
    Roster,
)
from tests.domain.rosters import address, ids, member, room, target, update

_numbers = st.integers(0, 5)
_ids = st.builds(lambda number: ids(number)[0], _numbers)
_epochs = st.integers(0, 4)
_command_ids = st.sampled_from(["a", "b", "c", "d", "e", "f", "g", "h"])
_commands = st.one_of(
    st.builds(target, st.none() | _ids, _epochs, _command_ids),
    st.builds(
        update,
        _epochs,
        _command_ids,
        add=st.lists(st.just({"character_id": "c"}), max_size=1),
        remove_membership_ids=st.lists(_ids, max_size=2),
        replacement_target_membership_id=st.none() | _ids,
    ),
    st.builds(
        address,
        st.sampled_from(["all", "tagged", "open"]),
        _epochs,
        _command_ids,
        target_membership_ids=st.lists(_ids, max_size=2),
    ),
)
_outcomes: st.SearchStrategy[Outcome] = st.sampled_from(["answered", "passed", "failed"])
_events = st.one_of(
    st.tuples(st.just("command"), _commands),
    st.tuples(st.just("settle"), st.tuples(_ids, _outcomes)),
    st.tuples(st.just("fail"), _ids),
    st.tuples(st.just("expire"), st.none()),
)


class Driven:
    """A roster that is held to its rules with each event."""

    def __init__(self) -> None:
        self.roster = room()
        self.seen: dict[str, dict[str, Any]] = {}
        self._made = iter(range(200, 300))

    def command(self, what: dict[str, Any]) -> object:
        """Give a command. One that was carried out or refused by the room is not carried out again."""
        before, known, error = self.roster.dump(), self.seen.get(what["id"]), None
        outcome: object = None
        try:
            outcome = self.roster.heard(what, lambda entries: [member(next(self._made)) for _ in entries])
        except CommandRefused as caught:
            error = caught
        if error is not None:
            assert {**self.roster.dump(), "commands": None} == {**before, "commands": None}
            assert known is None or known != what or len(error.extras) == 1
            if len(error.extras) == 1 or error.code in ("turn_in_progress", "command_id_conflict"):
                return None
        else:
            assert (outcome is None) == (known == what)
        self.seen.setdefault(what["id"], what)
        return outcome

    def settle(self, what: tuple[str, Outcome]) -> object:
        """An instance is done."""
        return self.roster.settle(*what)

    def fail(self, what: str) -> object:
        """An instance breaks."""
        return self.roster.fail(what, "broken")

    def expire(self, what: None) -> object:
        """The time of the turn is over."""
        return self.roster.expire()


@given(st.lists(_events, max_size=30))
def test_whatever_happens_the_rules_hold(events: list[tuple[str, Any]]) -> None:
    driven = Driven()
    roster = driven.roster
    for kind, what in events:
        before = roster.dump()
        outcome = getattr(driven, kind)(what)
        if isinstance(outcome, TurnDone):
            extras: dict[str, Any] = {**outcome.extras}
            answered, passed, failed = (extras[f"{one}_membership_ids"] for one in OUTCOMES)
            assert sorted([*answered, *passed, *failed]) == sorted(outcome.extras["target_membership_ids"])
            assert passed == [] or outcome.extras["mode"] == "open"
            assert roster.turn is None
        assert roster.members, "never empty"
        assert roster.active_membership_id is None or (roster.active is not None and roster.active.live)
        retargeted = roster.active_membership_id != before["active_membership_id"]
        assert (roster.route_epoch > before["route_epoch"]) == retargeted
        changed = {one["membership_id"] for one in before["members"]} ^ {one.membership_id for one in roster.members}
        assert (roster.roster_epoch > before["roster_epoch"]) == bool(changed)
        assert Roster.load(roster.dump()) == roster
