"""Talking to characters over the wire, in one line or turn by turn."""

from collections.abc import Sequence
from typing import Any, overload

from fake_convai.testing.company import RoomConversation
from fake_convai.testing.conversation import Conversation, Turn
from fake_convai.testing.driving import Driven, checked

__tracebackhide__ = True


@checked
class Talking(Driven):
    """The part of the handle that talks."""

    def talk(self, /, character_id: str, end_user_id: str | None, text: str, **members: Any) -> Turn:
        """Hold a session in which a person says one thing; returns the turn, and what is remembered at its end.

        Over the wire as an app does it: it is in the journal, and faults happen to it. `members` go to `/connect`.
        """
        with Conversation(self, _wish(character_id, end_user_id, members)) as conversation:
            turn = conversation.say(text)
        return Turn(turn.text, turn.events, tuple(self._memories(character_id, end_user_id) if end_user_id else ()))

    @overload
    def conversation(self, /, character_id: str, end_user_id: str | None = None, **members: Any) -> Conversation: ...

    @overload
    def conversation(
        self,
        /,
        character_id: None = None,
        end_user_id: str | None = None,
        *,
        npcs: Sequence[str] | None = None,
        person: str | None = None,
        **members: Any,
    ) -> RoomConversation: ...

    def conversation(
        self,
        /,
        character_id: str | None = None,
        end_user_id: str | None = None,
        *,
        npcs: Sequence[str] | None = None,
        person: str | None = None,
        **members: Any,
    ) -> Conversation:
        """A session of many turns: `with fake.conversation(npc, "player-42") as c: c.say("Hello.")`.

        With `npcs` in place of a character it is a room with several of them, on a real LiveKit server:
        `with fake.conversation(npcs=[nurse, doctor], person="player-42") as c: c.address("Hello.")`. With neither it
        joins one that is there: `mode="join", room_session_id=c.room_session_id`. `person` is another word for
        `end_user_id`; `members` go to `/connect`.
        """
        ways = (character_id is not None, npcs is not None, members.get("mode") == "join" and character_id is None)
        if sum(ways) != 1:
            raise TypeError("conversation() wants a character_id, or npcs for a room of several, or mode='join'")
        person = end_user_id if person is None else person
        if character_id is not None:
            return Conversation(self, _wish(character_id, person, members))
        return RoomConversation(self, npcs, person, members)


def _wish(character_id: str, end_user_id: str | None, members: dict[str, Any]) -> dict[str, Any]:
    return {"character_id": character_id, "end_user_id": end_user_id, "transport": "websocket", **members}
