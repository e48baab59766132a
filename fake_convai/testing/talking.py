"""Talking to a character over the wire, in one line or turn by turn."""

import json
import time
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from fake_convai.control.client import ControlError, quiet
from fake_convai.testing.driving import Driven, checked, given
from fake_convai.testing.records import Memory

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

__tracebackhide__ = True

PATIENCE = 10.0
"""Seconds for what the character says and does in answer to something."""

END_OF_TURN = "bot-turn-completed"


class Event(dict[str, Any]):
    """A message of the server as it came; `type` and `data` look into a `server-message`."""

    @property
    def type(self) -> str:
        """What kind of event this is, such as `bot-llm-text`."""
        inner = self.get("data")
        nested = self.get("type") == "server-message" and isinstance(inner, dict)
        return str((inner if nested and inner else self).get("type"))

    @property
    def data(self) -> dict[str, Any]:
        """What comes with it."""
        found = self.get("data")
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of something that was said: the character's words, every message of the server, and in the end what
    the character remembers of the person."""

    text: str
    events: tuple[Event, ...]
    memories: tuple[Memory, ...] = ()


class Conversation:
    """A live session over a WebSocket, as an app holds one. Ends with the block, or with `end`."""

    def __init__(self, fake: "Talking", character_id: str, end_user_id: str | None, members: dict[str, Any]) -> None:
        """`members` go into the request to `/connect` beside character and person."""
        self.events: list[Event] = []
        """Every message of the server so far, acknowledgements too."""
        self._fake = fake
        self._about = (character_id, end_user_id)
        request = {"character_id": character_id, "end_user_id": end_user_id, "transport": "websocket", **members}
        answer = self._post("/connect", json=given(request), headers={"X-API-Key": fake.api_key})
        self.session_id: str = answer["session_id"]
        self.character_session_id: str = answer["character_session_id"]
        self._open = ExitStack()
        self._socket: ClientConnection | None = self._open.enter_context(_connect(answer["room_url"]))

    def say(self, text: str, *, until: str = END_OF_TURN, timeout: float = PATIENCE) -> Turn:
        """Say something, and listen until the character's turn is over, or `until` an event of this type came."""
        began = len(self.events)
        self.send("user_text_message", text=text)
        self.wait_for(until, timeout)
        return self._turn(began)

    def interrupt(self, *, timeout: float = PATIENCE) -> Turn:
        """Cut the character short; returns what came until the turn was over, or was acknowledged if there was none."""
        began = len(self.events)
        speaking = self._is_speaking()
        self.send("interrupt-bot")
        if speaking:
            self.wait_for(END_OF_TURN, timeout)
        return self._turn(began)

    def send(self, type: str, **data: Any) -> Event:
        """Send a message; returns its acknowledgement."""
        began = len(self.events)
        self._live().send(json.dumps({"type": type, "data": data} if data else {"type": type}))
        while True:
            for event in self.events[began:]:
                if event.type == "server-response":
                    return event
            began = len(self.events)
            self._receive(PATIENCE, f"an acknowledgement of {type}")

    def wait_for(self, type: str, timeout: float = PATIENCE) -> Event:
        """The next event of this type that was not waited for yet."""
        seen = self._heard
        give_up = time.perf_counter() + timeout
        while True:
            for number, event in enumerate(self.events[seen:], start=seen):
                if event.type == type:
                    self._heard = number + 1
                    return event
            seen = len(self.events)
            self._receive(give_up - time.perf_counter(), type)

    _heard = 0

    def end(self) -> None:
        """End the session; what was said is remembered when this returns."""
        if self._socket is None:
            return
        self._socket = None
        with self._open:
            self._post("/disconnect", params={"session_id": self.session_id})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end()

    def _is_speaking(self) -> bool:
        kinds = [event.type for event in self.events]
        last = max((number for number, kind in enumerate(kinds) if kind == "bot-llm-started"), default=None)
        return last is not None and END_OF_TURN not in kinds[last:]

    def _turn(self, began: int) -> Turn:
        events = tuple(self.events[began:])
        return Turn("".join(event.data.get("text", "") for event in events if event.type == "bot-llm-text"), events)

    def _live(self) -> "ClientConnection":
        if self._socket is None:
            raise RuntimeError("This conversation has ended.")
        return self._socket

    def _receive(self, patience: float, wanted: str) -> None:
        from websockets.exceptions import ConnectionClosed

        try:
            self.events.append(Event(json.loads(self._live().recv(timeout=max(0.0, patience)))))
        except TimeoutError:
            heard = ", ".join(event.type for event in self.events[-8:]) or "nothing"
            raise TimeoutError(
                f"No {wanted} came in time; the last events: {heard}. With a pace and a frozen clock, time stands "
                f"still until `advance`."
            ) from None
        except ConnectionClosed as error:
            reason = f"{error.rcvd.code} {error.rcvd.reason}" if error.rcvd else "without a word"
            raise ConnectionError(f"The session was closed before {wanted} came: {reason}") from None

    def _post(self, path: str, **how: Any) -> dict[str, Any]:
        client = self._fake._running()
        with quiet():
            response = client.http.post(f"{client.url}/live{path}", **how)
        if response.status_code != 200:
            raise ControlError(f"{path} answered {response.status_code}: {response.text[:300]}", response.status_code)
        answer: dict[str, Any] = response.json()
        return answer


@checked
class Talking(Driven):
    """The part of the handle that talks."""

    def talk(self, /, character_id: str, end_user_id: str | None, text: str, **members: Any) -> Turn:
        """Hold a session in which a person says one thing; returns the turn, and what is remembered at its end.

        Over the wire as an app does it: it is in the journal, and faults happen to it. `members` go to `/connect`.
        """
        with Conversation(self, character_id, end_user_id, members) as conversation:
            turn = conversation.say(text)
        return Turn(turn.text, turn.events, tuple(self._memories(character_id, end_user_id) if end_user_id else ()))

    def conversation(self, /, character_id: str, end_user_id: str | None = None, **members: Any) -> Conversation:
        """A session of many turns: `with fake.conversation(npc, "player-42") as c: c.say("Hello.")`."""
        return Conversation(self, character_id, end_user_id, members)

    def _memories(self, character_id: str, end_user_id: str) -> list[Memory]:
        raise NotImplementedError


def _connect(url: str) -> "ClientConnection":
    try:
        from websockets.sync.client import connect
    except ModuleNotFoundError:
        raise ModuleNotFoundError("Talking needs the package websockets: pip install websockets") from None
    return connect(url, proxy=None, max_size=None)
