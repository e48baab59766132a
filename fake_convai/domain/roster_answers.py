"""What a room of several characters answers to a command, which its document publishes (`live/roster_messages.py`)."""

from typing_extensions import TypedDict


class InstanceIdentity(TypedDict):
    """Which instance of a character it is."""

    membership_id: str
    character_id: str
    character_session_id: str
    participant_identity: str
    is_initial: bool


class InstanceEntry(InstanceIdentity):
    """An instance of a character in a room."""

    session_id: str
    provisioning_status: str
    failure_code: str | None
    display_name: str


class TargetExtras(TypedDict):
    """Which instance is active from now on."""

    success: bool
    command_id: str
    room_session_id: str
    previous_membership_id: str | None
    active_membership_id: str | None
    route_epoch: int
    changed: bool


class RosterExtras(TypedDict):
    """Who has come and gone."""

    success: bool
    command_id: str
    room_session_id: str
    added: list[InstanceEntry]
    removed_membership_ids: list[str]
    active_membership_id: str | None
    route_epoch: int
    roster_epoch: int


class TurnKey(TypedDict):
    """Which turn of the group it is."""

    command_id: str
    room_session_id: str
    mode: str


class Lists(TypedDict):
    """What became of each instance."""

    answered_membership_ids: list[str]
    passed_membership_ids: list[str]
    failed_membership_ids: list[str]


class TurnSummary(TypedDict):
    """A turn of the group, counted. The epoch is that of its beginning."""

    turn_id: str
    addressed: int
    answered: int
    passed: int
    failed: int
    cancelled: bool
    route_epoch: int


class TurnExtras(TurnKey, Lists):
    """What became of a turn of the group, for whoever began it. The epoch is the one to send next."""

    route_epoch: int
    target_membership_ids: list[str]
    summary: TurnSummary


class TurnOutcome(TurnKey, Lists, TurnSummary):
    """What became of a turn of the group, for everybody."""

    addressed_membership_ids: list[str]
