"""The roster of a room with several characters, without a room: the rules of the vendor's two pages."""

from typing import Any

import pytest

from fake_convai.domain.group_turn import TurnDone
from fake_convai.domain.roster import (
    MAX_COMMANDS,
    Retargeted,
    TurnBegun,
    Updated,
    unique_names,
)
from fake_convai.domain.roster_answers import Lists, TurnKey, TurnSummary
from tests.domain.rosters import ROOM, address, ids, make, member, refusal, room, target, update


class TestTheTarget:
    def test_is_switched(self) -> None:
        roster = room()
        outcome = roster.heard(target(ids(2)[0]), make)
        assert outcome == Retargeted(
            {
                "success": True,
                "command_id": "command-1",
                "room_session_id": ROOM,
                "previous_membership_id": ids(1)[0],
                "active_membership_id": ids(2)[0],
                "route_epoch": 1,
                "changed": True,
            }
        )
        assert roster.active is roster.members[1]

    def test_may_be_nobody(self) -> None:
        roster = room()
        roster.heard(target(None), make)
        assert (roster.active, roster.route_epoch) == (None, 1)

    def test_that_it_was_already_is_no_new_epoch(self) -> None:
        outcome = room().heard(target(ids(1)[0]), make)
        assert isinstance(outcome, Retargeted)
        assert (outcome.extras["changed"], outcome.extras["route_epoch"]) == (False, 0)

    @pytest.mark.parametrize("wrong", [*ids(9), "no UUID", 5, ["a"]], ids=["unknown", "no UUID", "number", "list"])
    def test_must_be_in_the_room(self, wrong: object) -> None:
        assert refusal(room(), target(wrong)) == {
            "code": "invalid_target_membership",
            "command_id": "command-1",
            "room_session_id": ROOM,
            "active_membership_id": ids(1)[0],
            "route_epoch": 0,
        }

    def test_must_not_have_failed(self) -> None:
        roster = room(member(1), member(2, status="failed"))
        assert refusal(roster, target(ids(2)[0]))["code"] == "invalid_target_membership"


class TestACommand:
    def test_that_comes_again_is_accepted_in_silence(self) -> None:
        roster = room()
        roster.heard(target(ids(2)[0]), make)
        assert roster.heard(target(ids(2)[0]), make) is None
        assert roster.route_epoch == 1

    @pytest.mark.parametrize(
        "other", [target(ids(3)[0]), update(), address(command_id="command-1")], ids=lambda c: c["type"]
    )
    def test_with_an_id_that_was_used_is_a_conflict(self, other: dict[str, Any]) -> None:
        roster = room()
        roster.heard(target(ids(2)[0]), make)
        extras = refusal(roster, other)
        assert (extras["code"], extras["route_epoch"]) == ("command_id_conflict", 1)

    def test_that_is_nested_too_deeply_never_reaches_the_room(self) -> None:
        deep: list[Any] = []
        for _ in range(500):
            deep = [deep]
        assert refusal(room(), target(ids(2)[0], more=deep)) == {"code": "invalid_command"}

    def test_is_forgotten_after_a_thousand_others(self) -> None:
        roster = room()
        for number in range(MAX_COMMANDS + 1):
            roster.heard(target(ids(1)[0], command_id=f"command-{number}"), make)
        assert next(iter(roster.commands)) == "command-1"
        assert isinstance(roster.heard(target(ids(1)[0], command_id="command-0"), make), Retargeted)

    def test_that_was_refused_by_the_room_is_not_asked_again(self) -> None:
        roster = room()
        assert refusal(roster, target(ids(2)[0], epoch=7))["code"] == "stale_route_epoch"
        assert roster.heard(target(ids(2)[0], epoch=7), make) is None


class TestTheRoster:
    def test_takes_and_loses_members(self) -> None:
        roster = room()
        outcome = roster.heard(update(add=[{"character_id": "c"}], remove_membership_ids=ids(2)), make)
        assert isinstance(outcome, Updated)
        assert outcome.extras == {
            "success": True,
            "command_id": "command-1",
            "room_session_id": ROOM,
            "added": [member(100, status="dispatch_accepted").entry()],
            "removed_membership_ids": ids(2),
            "active_membership_id": ids(1)[0],
            "route_epoch": 0,
            "roster_epoch": 1,
        }
        assert [one.membership_id for one in roster.members] == ids(1, 3, 100)
        assert outcome.added[0].entry()["provisioning_status"] == "dispatch_accepted"

    def test_hands_the_target_on_when_the_active_one_goes(self) -> None:
        roster = room()
        gone = update(remove_membership_ids=ids(1), replacement_target_membership_id=ids(3)[0])
        roster.heard(gone, make)
        assert (roster.active_membership_id, roster.route_epoch, roster.roster_epoch) == (ids(3)[0], 1, 1)

    @pytest.mark.parametrize(
        "heir", [None, *ids(1), *ids(9), *ids(2)], ids=["none", "one that goes", "unknown", "not ready"]
    )
    def test_needs_a_ready_heir(self, heir: str | None) -> None:
        roster = room(member(1), member(2, status="dispatch_accepted"))
        gone = update(remove_membership_ids=ids(1), replacement_target_membership_id=heir)
        assert refusal(roster, gone)["code"] == "replacement_target_required"

    @pytest.mark.parametrize(
        ("data", "code"),
        [
            ({"epoch": 3}, "stale_roster_epoch"),
            ({"remove_membership_ids": ids(9)}, "membership_not_found"),
            ({"remove_membership_ids": ids(1, 2, 3)}, "empty_target_set"),
            ({"add": [{"character_id": "c"}] * 48}, "roster_capacity_exceeded"),
            ({"add": [{}]}, "character_not_found"),
        ],
    )
    def test_refuses_with_the_current_epoch(self, data: dict[str, Any], code: str) -> None:
        assert refusal(room(), update(**data)) == {
            "code": code,
            "command_id": "command-1",
            "room_session_id": ROOM,
            "active_membership_id": ids(1)[0],
            "route_epoch": 0,
            "roster_epoch": 0,
        }

    def test_loses_its_target_when_the_active_one_breaks(self) -> None:
        roster = room()
        assert roster.fail(ids(1)[0], "worker_lost") is None
        assert (roster.active, roster.route_epoch) == (None, 1)
        assert roster.members[0].entry()["provisioning_status"] == "dispatch_failed"
        assert roster.members[0].failure_code == "worker_lost"
        assert roster.fail(ids(1)[0], "again") is None
        assert roster.members[0].failure_code == "worker_lost"

    def test_becomes_ready_one_by_one(self) -> None:
        roster = room(member(1, status="dispatch_accepted"), member(2, status="dispatch_failed"))
        assert [roster.ready(one) for one in [*ids(1, 1, 2, 9)]] == [True, False, False, False]


class TestAGroupTurn:
    def test_ends_when_all_are_done(self) -> None:
        roster = room()
        begun = roster.heard(address("open"), make)
        assert isinstance(begun, TurnBegun)
        assert begun.turn.targets == ids(1, 2, 3)
        assert roster.settle(ids(2)[0], "passed") is None
        assert roster.settle(ids(1)[0], "answered") is None
        assert roster.settle(ids(1)[0], "failed") is None, "it is settled"
        done = roster.settle(ids(3)[0], "failed")
        lists: Lists = {
            "answered_membership_ids": ids(1),
            "passed_membership_ids": ids(2),
            "failed_membership_ids": ids(3),
        }
        counts: TurnSummary = {
            "turn_id": "turn-1",
            "addressed": 3,
            "answered": 1,
            "passed": 1,
            "failed": 1,
            "cancelled": False,
            "route_epoch": 0,
        }
        about: TurnKey = {"command_id": "turn-1", "room_session_id": ROOM, "mode": "open"}
        assert done == TurnDone(
            {**about, "route_epoch": 0, "target_membership_ids": ids(1, 2, 3), **lists, "summary": counts},
            {**about, "addressed_membership_ids": ids(1, 2, 3), **lists, **counts},
        )
        assert roster.turn is None

    @pytest.mark.parametrize("mode", ["all", "tagged"])
    def test_may_be_declined_only_when_it_is_open(self, mode: str) -> None:
        roster = room()
        roster.heard(address(mode, target_membership_ids=ids(2)), make)
        done = [roster.settle(one, "passed") for one in ids(1, 3, 2)]
        (last,) = [one for one in done if one is not None]
        assert last.extras["passed_membership_ids"] == []
        assert last.extras["failed_membership_ids"] == last.extras["target_membership_ids"]

    def test_keeps_other_commands_out_and_forgets_them(self) -> None:
        roster = room()
        roster.heard(address(), make)
        for command in (target(ids(2)[0]), update(command_id="command-2"), address(command_id="turn-2")):
            assert refusal(roster, command)["code"] == "turn_in_progress"
        assert roster.heard(address(), make) is None, "the same command again"
        assert isinstance(roster.expire(), TurnDone)
        assert isinstance(roster.heard(target(ids(2)[0]), make), Retargeted)

    @pytest.mark.parametrize(
        ("targets", "code"),
        [(ids(2, 2), "duplicate_target_membership"), (ids(9), "invalid_target_membership")],
        ids=["twice", "unknown"],
    )
    def test_is_for_members(self, targets: list[str], code: str) -> None:
        assert refusal(room(), address("tagged", target_membership_ids=targets))["code"] == code

    def test_needs_somebody(self) -> None:
        roster = room(member(1, status="failed"))
        assert refusal(roster, address())["code"] == "empty_target_set"

    def test_that_takes_too_long_has_failed(self) -> None:
        roster = room()
        assert roster.expire() is None
        roster.heard(address(), make)
        roster.settle(ids(2)[0], "answered")
        done = roster.expire()
        assert done is not None
        assert done.extras["failed_membership_ids"] == ids(1, 3)


def test_display_names_are_unique_in_a_room() -> None:
    assert unique_names(["Ada", "Bo", "Ada", "Ada (2)"]) == ["Ada", "Bo", "Ada (2)", "Ada (2) (2)"]
    assert unique_names(["Ada"], taken=["Ada"]) == ["Ada (2)"]
