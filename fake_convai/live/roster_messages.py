"""What is said in a room of several characters only: one definition that is read, sent and published.

After the vendor's pages on multi-character sessions and on group chat messages (docs/contract.md section 9).
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired, get_args

from pydantic import Field, StrictInt, StrictStr, ValidationError
from typing_extensions import TypedDict

from fake_convai.backend.models import Described, Wanted, complaints
from fake_convai.domain.roster import MAX_COMMAND_ID, CommandRefused, Roster
from fake_convai.domain.roster_answers import (
    InstanceIdentity,
    RosterExtras,
    TargetExtras,
    TurnExtras,
    TurnOutcome,
)
from fake_convai.live.client_messages import ClientModel, Words
from fake_convai.live.guest import CastMember
from fake_convai.live.messages import Label, Status

MAX_PARTS = 64

RoomId = Annotated[StrictStr, Wanted("the room_session_id of this room")]
Epoch = Annotated[StrictInt, Wanted("an integer")]


class Command(ClientModel):
    """A command to the room."""

    label: Annotated[Any, Described(description="`rtvi-ai`, which may be left out.")] = None
    id: Annotated[
        StrictStr,
        Field(min_length=1, max_length=MAX_COMMAND_ID),
        Wanted(f"an id of 1 to {MAX_COMMAND_ID} characters, a new one for each command"),
    ]


class Target(ClientModel):
    """Whom the person talks to from now on."""

    room_session_id: RoomId
    expected_route_epoch: Epoch
    target_membership_id: Annotated[
        Any, Described(type=["string", "null"], description="A live instance; null for nobody.")
    ] = None


class InteractionTarget(Command):
    """Makes another instance the active one, or none."""

    type: Literal["interaction-target"]
    data: Annotated[Target, Wanted("data as an object")]


class RosterChange(ClientModel):
    """Who comes and who goes."""

    room_session_id: RoomId
    expected_roster_epoch: Epoch
    add: Annotated[list[CastMember], Wanted("a list of objects with a character_id")] | None = None
    remove_membership_ids: Annotated[list[StrictStr], Wanted("a list of membership ids")] | None = None
    replacement_target_membership_id: (
        Annotated[StrictStr, Wanted("a ready instance that stays, when the active one goes")] | None
    ) = None


class CharacterRosterUpdate(Command):
    """Adds and removes instances."""

    type: Literal["character-roster-update"]
    data: Annotated[RosterChange, Wanted("data as an object")]


class Addressed(ClientModel):
    """What is said to every instance; in an `open` turn each may decline to answer."""

    mode: Literal["all", "open"]
    room_session_id: RoomId
    expected_route_epoch: Epoch
    text: Words


class Tagged(ClientModel):
    """What is said to some instances."""

    mode: Literal["tagged"]
    room_session_id: RoomId
    expected_route_epoch: Epoch
    text: Words
    target_membership_ids: Annotated[
        list[Annotated[Any, Described(type="string")]],
        Field(min_length=1),
        Wanted("a list of live instances, each once"),
    ]


class GroupAddress(Command):
    """Speaks to many; its acknowledgement comes when all of them are done."""

    type: Literal["group-address"]
    data: Annotated[Tagged | Addressed, Field(discriminator="mode"), Wanted("data with a mode: all, tagged or open")]


class Slice(ClientModel):
    """A part of a long command."""

    command_id: Annotated[StrictStr, Described(description="The id again.")] | None = None
    count: Annotated[StrictInt, Field(ge=1, le=MAX_PARTS), Wanted(f"a count of 1 to {MAX_PARTS}, the same each time")]
    index: Annotated[StrictInt, Field(ge=0, lt=MAX_PARTS), Wanted("an index below count")]
    payload: Annotated[StrictStr, Wanted("a slice of the base64 of the whole command")]


class GroupAddressPart(Command):
    """A slice of one that is too long for one packet."""

    type: Literal["group-address-part"]
    data: Annotated[Slice, Wanted("data as an object")]


_Commands = InteractionTarget | CharacterRosterUpdate | GroupAddress | GroupAddressPart
RosterCommand = Annotated[_Commands, Field(discriminator="type")]
"""Anything that a client may send to the room itself."""
COMMANDS: dict[str, type[Command]] = {
    get_args(model.model_fields["type"].annotation)[0]: model for model in get_args(_Commands)
}

_CODES = {
    "room_session_id": "wrong_room",
    "expected_route_epoch": "invalid_route_epoch",
    "expected_roster_epoch": "invalid_roster_epoch",
    "text": "empty_message",
    "target_membership_ids": "empty_target_set",
}
"""The code of a command in which this member is wrong."""


def check(message: Mapping[str, Any], roster: Roster) -> None:
    """Refuse what never reaches the room, with a code and nothing else."""
    model = COMMANDS[message["type"]]
    if model is GroupAddress and not roster.group_chat:
        raise CommandRefused("not_group_chat_room", "The room was made without group_chat: true.")
    try:
        model.model_validate(message)
    except ValidationError as error:
        place = error.errors(include_url=False, include_input=False)[0]["loc"]
        code = next((_CODES[str(part)] for part in place if part in _CODES), "invalid_command")
        raise CommandRefused(code, next(complaints(error, model))) from None
    if message["data"]["room_session_id"] != roster.room_session_id:
        raise CommandRefused("wrong_room", "Send the room_session_id of this room.")


class OfInstance(InstanceIdentity):
    """Which of several characters it is about; their other messages have these members in their `data` too."""

    room_session_id: str


class ReadyInstance(OfInstance):
    """The instance, its name, and the epoch of the roster that it belongs to."""

    roster_epoch: int
    display_name: str


class AboutInstance(ReadyInstance):
    """The instance, twice over: SDKs read either place."""

    about: ReadyInstance


class InstanceReady(TypedDict):
    """An instance is there, and hears: said to each person once."""

    label: Label
    type: Literal["bot-ready"]
    data: AboutInstance


class Refusal(TypedDict):
    """Why a command was refused. What the room itself refuses comes with its present state, so that one can go on."""

    code: str
    command_id: NotRequired[str]
    room_session_id: NotRequired[str]
    active_membership_id: NotRequired[str | None]
    route_epoch: NotRequired[int]
    roster_epoch: NotRequired[int]


class CommandResponse(TypedDict):
    """What became of a command; `data` names the instance that carries it."""

    type: Literal["server-response"]
    event_type: Literal["interaction-target", "character-roster-update", "group-address"]
    status: Status
    message: str
    extras: NotRequired[TargetExtras | RosterExtras | TurnExtras | Refusal]
    data: OfInstance


class CharacterStatus(OfInstance):
    """An instance is ready, has failed or did not come."""

    type: Literal["character-status"]
    status: Literal["ready", "failed", "dispatch_failed"]
    failure_code: str | None
    display_name: NotRequired[str]
    roster_epoch: NotRequired[int]


class CharacterRemoved(OfInstance):
    """An instance was taken from the room."""

    type: Literal["character-removed"]
    roster_epoch: int


class TurnComplete(TypedDict):
    """A turn of the group is over; its envelope has no label."""

    type: Literal["turn-complete"]
    data: TurnOutcome


class RosterServerMessage(TypedDict):
    """An event of the room whose kind is inside `data`."""

    label: NotRequired[Label]
    type: Literal["server-message"]
    data: Annotated[CommandResponse | CharacterStatus | CharacterRemoved | TurnComplete, Field(discriminator="type")]


RosterEvent = Annotated[InstanceReady | CommandResponse | RosterServerMessage, Field(discriminator="type")]
"""What a room of several characters has and a room of one has not."""
