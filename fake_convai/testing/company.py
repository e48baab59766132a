"""Talking to several characters in one room, over LiveKit's own client."""

import base64
import json
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from fake_convai.control.client import ControlError
from fake_convai.testing.conversation import END_OF_TURN, PATIENCE, Conversation, Event, Turn
from fake_convai.testing.driving import Driven
from fake_convai.testing.lines import Line, RoomLine, need_livekit
from fake_convai.testing.records import read

__tracebackhide__ = True

GROUP_PATIENCE = 60.0
"""Seconds for a turn in which everybody may speak."""
GRACE = 2.0
"""Seconds for what comes after a turn is over: the page advises one to two."""
_SLICE = 10_000
"""Characters of a long command in one packet."""


@dataclass(frozen=True, slots=True)
class RoomCharacter:
    """One character of the room, as `/connect` and a change of the roster name it."""

    membership_id: str
    character_id: str
    session_id: str
    character_session_id: str
    participant_identity: str
    is_initial: bool
    provisioning_status: str
    failure_code: str | None
    display_name: str


@dataclass(frozen=True, slots=True)
class GroupTurn(Turn):
    """What came of a message to the group: the `text` has a line for each who answered. Who `answered`, `passed` and
    `failed`, by their character ids, and the `response` that ended it, which has membership ids."""

    answered: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    response: Event = field(default_factory=Event)

    def said_by(self, character: str) -> str:
        """What a character, by its id or its membership id, has said in this turn."""
        return _said_by(self, character)


class RoomConversation(Conversation):
    """A person's time in a room with several characters. Ends with the block, or with `end`.

    It begins when every character that comes has said `bot-ready`. Messages that a room sends in two shapes are among
    the `events` once, in the shape of `/chat`.
    """

    def __init__(self, fake: Driven, npcs: Sequence[str] | None, person: str | None, members: dict[str, Any]) -> None:
        """Without `npcs` it joins a room that is there, by a locator among the `members`."""
        need_livekit()
        wish = {"default_tts_enabled": False, **members, "end_user_id": person}
        if npcs is not None:
            wish = {"characters": [{"character_id": npc} for npc in npcs], "group_chat": True, **wish}
        super().__init__(fake, wish)
        try:
            for character in self.characters:
                if character.failure_code is None:
                    self._wait_until_ready(character)
        except BaseException:
            self.end()
            raise

    def _begin(self, answer: dict[str, Any]) -> Line:
        self.room_session_id: str = answer["room_session_id"]
        self.characters = [read(RoomCharacter, one) for one in answer["characters"]]
        """The characters of the room, in order; those that are gone are not among them."""
        self.active: str | None = answer["active_membership_id"]
        """The membership id of whom the person talks to."""
        self.route_epoch: int = answer["route_epoch"]
        self.roster_epoch: int = answer["roster_epoch"]
        try:
            nobody = self._why_nobody_comes(answer["request_trace_id"])
            if nobody is not None:
                raise ControlError(f"{nobody} A fixture has rooms with livekit=True in fake_convai_settings.", None)
            return RoomLine(answer["room_url"], answer["token"])
        except BaseException:
            self._post("/disconnect", params={"session_id": self.session_id})
            raise

    def target(self, /, character: str | None, **how: Any) -> Event:
        """Talk to another character, by its id or its membership id, or to nobody; returns the response.

        `epoch` and `command_id` are the newest and a new one unless given; `timeout` is in seconds.
        """
        wanted = None if character is None else self._membership(character)
        return self._command("interaction-target", {"target_membership_id": wanted}, **how)

    def change(
        self, /, *, add: Sequence[str] = (), remove: Sequence[str] = (), then: str | None = None, **how: Any
    ) -> Event:
        """Let characters come and go, and talk to another one `then`; returns the response when the new are ready."""
        data: dict[str, Any] = {"add": [{"character_id": one} for one in add]}
        data["remove_membership_ids"] = [self._membership(one) for one in remove]
        if then is not None:
            data["replacement_target_membership_id"] = self._membership(then)
        return self._command("character-roster-update", data, **how)

    def address(
        self, /, text: str, *characters: str, mode: Literal["all", "tagged", "open"] | None = None, **how: Any
    ) -> GroupTurn:
        """Say something to these characters, or to all; with the mode `open` nobody has to answer.

        Returns the turn when everybody is done.
        """
        began = len(self.events)
        data: dict[str, Any] = {"text": text, "mode": mode or ("tagged" if characters else "all")}
        if characters:
            data["target_membership_ids"] = [self._membership(one) for one in characters]
        response = self._command("group-address", data, **{"timeout": GROUP_PATIENCE, **how})
        extras = response.get("extras", {})
        for who in extras.get("answered_membership_ids", ()):
            with suppress(TimeoutError):  # the response may come by another way, and before it
                self._find(partial(_is_end_of, who), began, GRACE, END_OF_TURN)
        turn = self._turn(began)
        answered, passed, failed = (
            tuple(map(self._character_id, extras.get(f"{name}_membership_ids", ())))
            for name in ("answered", "passed", "failed")
        )
        lines = [_said_by(turn, one) for one in extras.get("answered_membership_ids", ())]
        return GroupTurn("\n".join(lines), turn.events, (), answered, passed, failed, response)

    def _command(
        self,
        kind: str,
        data: dict[str, Any],
        *,
        epoch: int | None = None,
        command_id: str | None = None,
        timeout: float = PATIENCE,
    ) -> Event:
        name, newest = ("expected_route_epoch", self.route_epoch)
        if kind == "character-roster-update":
            name, newest = ("expected_roster_epoch", self.roster_epoch)
        data = {"room_session_id": self.room_session_id, name: newest if epoch is None else epoch, **data}
        began, command_id = len(self.events), command_id or str(uuid.uuid4())
        for text in _packets({"label": "rtvi-ai", "type": kind, "id": command_id, "data": data}):
            self._live().send(text)
        response = self._wait_for_response(kind, began, timeout)
        self._follow(response.get("extras", {}), response["status"] == "success")
        return response

    def _follow(self, extras: dict[str, Any], is_success: bool) -> None:
        self.route_epoch = extras.get("route_epoch", self.route_epoch)
        self.roster_epoch = extras.get("roster_epoch", self.roster_epoch)
        self.active = extras.get("active_membership_id", self.active)
        if is_success and "added" in extras:
            added = [read(RoomCharacter, one) for one in extras["added"]]
            gone = extras["removed_membership_ids"]
            self.characters = [one for one in self.characters if one.membership_id not in gone] + added
            for character in added:
                if character.failure_code is None:
                    self._wait_until_ready(character)

    def _wait_until_ready(self, character: RoomCharacter) -> None:
        who = character.membership_id
        wanted = f"bot-ready of {character.display_name} ({character.character_id})"
        self._find(lambda event: event.type == "bot-ready" and event.data["membership_id"] == who, 0, PATIENCE, wanted)

    def _membership(self, character: str) -> str:
        """The membership id of a character that is called by its id; what is no character's id is sent as it is."""
        found = (one.membership_id for one in self.characters if one.character_id == character)
        return next(found, character)

    def _character_id(self, membership_id: str) -> str:
        return next(one.character_id for one in self.characters if one.membership_id == membership_id)

    def _why_nobody_comes(self, trace_id: str) -> str | None:
        entries = self._fake._call("GET", "/requests", query={"path": "/connect"})["requests"]
        explanations = [one for entry in entries if entry["trace_id"] == trace_id for one in entry["explanations"]]
        return next((one["because"] for one in explanations if one["event"] == "room"), None)


def _is_end_of(membership_id: str, event: Event) -> bool:
    return event.type == END_OF_TURN and event.data["data"]["membership_id"] == membership_id


def _said_by(turn: Turn, character: str) -> str:
    return "".join(
        event.data["text"]
        for event in turn.events
        if event.type == "bot-llm-text" and character in (event.data["character_id"], event.data["membership_id"])
    )


def _packets(message: dict[str, Any]) -> list[str]:
    """A command as it is, or a long message to the group in parts."""
    from fake_convai.live.shapes import MAX_PACKET  # with much that most tests never need

    text = json.dumps(message)
    if len(text.encode()) <= MAX_PACKET:
        return [text]
    encoded = base64.b64encode(text.encode()).decode()
    slices = [encoded[start : start + _SLICE] for start in range(0, len(encoded), _SLICE)]
    return [
        json.dumps(
            {**message, "type": "group-address-part", "data": {"index": at, "count": len(slices), "payload": one}}
        )
        for at, one in enumerate(slices)
    ]
