"""A conversation with one character over the wire, turn by turn."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from fake_convai.control.client import ControlError, quiet
from fake_convai.testing.driving import Driven, given
from fake_convai.testing.lines import Line, SocketLine
from fake_convai.testing.records import Memory

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

    def __init__(self, fake: Driven, wish: dict[str, Any]) -> None:
        """`wish` is what is sent to `/connect`."""
        self.events: list[Event] = []
        """Every message of the server so far, acknowledgements too."""
        self._fake = fake
        self._line: Line | None = None
        answer = self._post("/connect", json=given(wish), headers={"X-API-Key": fake.api_key})
        self.session_id: str = answer["session_id"]
        self.character_session_id: str = answer["character_session_id"]
        self._line = self._begin(answer)

    def _begin(self, answer: dict[str, Any]) -> Line:
        return SocketLine(answer["room_url"])

    def say(self, text: str, *, until: str = END_OF_TURN, timeout: float = PATIENCE) -> Turn:
        """Say something, and listen until the character's turn is over, or `until` an event of this type came.

        A turn that an error ends, as by a fault, is over too: the last of its `events` has the `status` error.
        """
        began = len(self.events)
        self.send("user_text_message", text=text)
        self._hear(lambda event: event.type == until or event.get("status") == "error", began, timeout, until)
        return self._turn(began)

    def interrupt(self, *, timeout: float = PATIENCE) -> Turn:
        """Cut the character short; returns what came until the turn was over, or was acknowledged if there was none."""
        began = len(self.events)
        speaking = self._is_speaking()
        self.send("interrupt-bot")
        if speaking:
            self.wait_for(END_OF_TURN, timeout)
        return self._turn(began)

    def send(self, /, type: str, **data: Any) -> Event:
        """Send a message; returns its acknowledgement."""
        began = len(self.events)
        self._live().send(json.dumps({"type": type, "data": data} if data else {"type": type}))
        return self._wait_for_response(type, began, PATIENCE)

    def wait_for(self, type: str, timeout: float = PATIENCE) -> Event:
        """The next event of this type that was not waited for yet."""
        return self._hear(lambda event: event.type == type, self._heard, timeout, type)

    def _wait_for_response(self, type: str, began: int, timeout: float) -> Event:
        def answers(event: Event) -> bool:
            return event.type == "server-response" and event["event_type"] == type

        return self.events[self._find(answers, began, timeout, f"an acknowledgement of {type}")]

    def _hear(self, wanted: Callable[[Event], bool], began: int, timeout: float, name: str) -> Event:
        """The first event from `began` on that is wanted; those up to it are not waited for again."""
        number = self._find(wanted, began, timeout, name)
        self._heard = number + 1
        return self.events[number]

    def _find(self, wanted: Callable[[Event], bool], began: int, timeout: float, name: str) -> int:
        """The number of the first event from `began` on that is wanted, which may still have to come."""
        give_up = time.perf_counter() + timeout
        while True:
            for number in range(began, len(self.events)):
                if wanted(self.events[number]):
                    return number
            began = len(self.events)
            self._receive(give_up - time.perf_counter(), name)

    _heard = 0

    def end(self) -> None:
        """End the session; what was said is remembered when this returns."""
        line, self._line = self._line, None
        if line is None:
            return
        try:
            self._post("/disconnect", params={"session_id": self.session_id})
        finally:
            line.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def _is_speaking(self) -> bool:
        kinds = [event.type for event in self.events]
        last = max((number for number, kind in enumerate(kinds) if kind == "bot-llm-started"), default=None)
        return last is not None and END_OF_TURN not in kinds[last:]

    def _turn(self, began: int) -> Turn:
        events = tuple(self.events[began:])
        return Turn("".join(event.data.get("text", "") for event in events if event.type == "bot-llm-text"), events)

    def _live(self) -> Line:
        if self._line is None:
            raise RuntimeError("This conversation has ended.")
        return self._line

    def _receive(self, patience: float, wanted: str) -> None:
        try:
            self.events.append(Event(json.loads(self._live().receive(patience))))
        except TimeoutError:
            heard = ", ".join(event.type for event in self.events[-8:]) or "nothing"
            raise TimeoutError(
                f"No {wanted} came in time; the last events: {heard}. With a pace and a frozen clock, time stands "
                f"still until `advance`."
            ) from None
        except ConnectionError as error:
            raise ConnectionError(f"The session was closed before {wanted} came: {error}") from None

    def _post(self, path: str, **how: Any) -> dict[str, Any]:
        client = self._fake._running()
        with quiet():
            response = client.http.post(f"{client.url}/live{path}", **how)
        if response.status_code != 200:
            raise ControlError(f"{path} answered {response.status_code}: {response.text[:300]}", response.status_code)
        answer: dict[str, Any] = response.json()
        return answer
