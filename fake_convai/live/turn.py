"""What is said in a turn, and in which order, whichever transport carries it (docs/contract.md section 9)."""

from collections.abc import Iterator
from dataclasses import dataclass

from fake_convai.domain.pace import INSTANT, Beat, Pace
from fake_convai.domain.script import Answer
from fake_convai.live.messages import (
    LABEL,
    BehaviorTreeResponse,
    BotSpeaking,
    BotTurnCompleted,
    Event,
    ServerData,
    StreamedEvent,
    wrapped,
)

_VOWELS = {"a": "aa", "e": "e", "i": "ih", "o": "oh", "u": "ou"}
_VISEMES = ("sil", "pp", "ff", "th", "dd", "kk", "ch", "ss", "nn", "rr", "aa", "e", "ih", "oh", "ou")


@dataclass(frozen=True, slots=True)
class Step:
    """One event of a turn."""

    event: Event
    at: int = 0
    """When it comes, in microseconds after the turn began."""
    closes: bool = False
    """Whether it comes also when the turn was cut, and then at once: it closes what a client believes to be open."""


class Turn:
    """One turn of a session, as its events; what takes time says when each one comes."""

    def __init__(
        self,
        answer: Answer,
        *,
        user_text: str,
        is_trigger: bool = False,
        speaks: bool = True,
        pace: Pace = INSTANT,
        seed: str | None = None,
    ) -> None:
        """`user_text` is what began it, which is shown as understood unless it was a trigger.

        `seed` is needed for a pace with jitter only.
        """
        self.answer = answer
        self.takes_time = not pace.is_instant
        self._user_text = user_text
        self._is_trigger = is_trigger
        self._speaks = speaks and not answer.is_silent and answer.text != ""
        self._beat = Beat(pace, seed)
        self._at = 0
        self._sent = 0
        self._spoken: list[tuple[int, int]] = []

    def steps(self) -> Iterator[Step]:
        """The events in the documented order."""
        answer = self.answer
        if not self._is_trigger:
            yield self._inside({"type": "final-user-transcription", "text": self._user_text})
        if answer.moderation is not None:
            result, reason, said = answer.moderation["result"], answer.moderation.get("reason"), self._user_text
            yield self._inside({"type": "moderation-response", "result": result, "user_input": said, "reason": reason})
        if not answer.is_blocked:
            yield from self._generation()
        if self._speaks:
            yield from self._speech()
        yield Step(wrapped(completed(was_interrupted=False)), self._at, closes=True)

    def said_by(self, elapsed: int) -> str:
        """What was said of the answer so many microseconds after the turn began: once speech began, what was spoken."""
        if self._spoken:
            return self.answer.text[: max((end for end, at in self._spoken if at <= elapsed), default=0)].rstrip()
        return self.answer.text[: self._sent]

    def _inside(self, data: ServerData) -> Step:
        """An event whose kind is inside `data`, by now."""
        return Step(wrapped(data), self._at)

    def _generation(self) -> Iterator[Step]:
        answer = self.answer
        yield Step({"label": LABEL, "type": "bot-llm-started", "data": {}})
        if answer.no_response is not None:
            self._at += self._beat.first_token()
            reason = answer.no_response
            yield self._inside({"type": "llm-no-response", "reason": reason} if reason else {"type": "llm-no-response"})
        else:
            for piece, wait in self._beat.tokens(answer.text):
                self._at += wait
                yield Step({"label": LABEL, "type": "bot-llm-text", "data": {"text": piece}}, self._at)
                self._sent += len(piece)
        yield Step({"label": LABEL, "type": "bot-llm-stopped", "data": {}}, self._at, closes=True)
        if answer.actions:
            yield self._inside({"type": "action-response", "actions": list(answer.actions)})
        if answer.emotion is not None:
            emotion, scale = answer.emotion["emotion"], answer.emotion["scale"]
            yield self._inside({"type": "bot-emotion", "emotion": emotion, "scale": scale})
        if answer.narrative_section_id is not None:
            section: BehaviorTreeResponse = {
                "type": "behavior-tree-response",
                "bt_code": "",
                "bt_constants": "",
                "narrative_section_id": answer.narrative_section_id,
            }
            yield self._inside(section)

    def _speech(self) -> Iterator[Step]:
        yield Step({"label": LABEL, "type": "bot-tts-started", "data": {}}, self._at, closes=True)
        yield Step(wrapped(speaking("bot-started-speaking")), self._at, closes=True)
        place = 0
        if self.takes_time or self.answer.visemes:
            for word, lasts in self._beat.words(self.answer.text):
                if self.answer.visemes:
                    yield self._inside({"type": "visemes", "visemes": visemes(word)})
                place += len(word)
                self._at += lasts
                self._spoken.append((place, self._at))
        yield Step(wrapped(speaking("bot-stopped-speaking")), self._at, closes=True)


def completed(*, was_interrupted: bool) -> BotTurnCompleted:
    """The turn is over."""
    return {"type": "bot-turn-completed", "was_interrupted": was_interrupted}


def speaking(kind: str) -> BotSpeaking:
    """The character begins or stops to speak; the label is repeated, as the documentation has it."""
    return {
        "label": LABEL,
        "type": "bot-started-speaking" if kind == "bot-started-speaking" else "bot-stopped-speaking",
    }


def visemes(word: str) -> dict[str, float]:
    """The mouth while a word is spoken: open as its first vowel says, and the rest of it closed."""
    shape = next((_VOWELS[letter] for letter in word.lower() if letter in _VOWELS), "sil")
    return {name: 1.0 if name == shape else 0.0 for name in _VISEMES}


@dataclass(frozen=True, slots=True)
class StreamedStep:
    """One event of a stream, and when it comes."""

    event: StreamedEvent
    at: int = 0


def stream(session_id: str, character_session_id: str, turn: Turn) -> Iterator[StreamedStep]:
    """A turn as `/connect/stream` answers it: between the events of a connection, and without a voice."""
    yield StreamedStep(
        {
            "type": "connection-started",
            "message": {"session_id": session_id, "transport": "sse", "character_session_id": character_session_id},
        }
    )
    at = 0
    for step in turn.steps():
        event, at = step.event, step.at
        if event["type"] == "bot-llm-started":
            yield StreamedStep({"label": LABEL, "type": "bot-llm-started"}, at)
        elif event["type"] == "bot-llm-stopped":
            if not turn.answer.is_silent:
                yield StreamedStep(
                    {"label": LABEL, "type": "bot-transcription", "data": {"text": turn.answer.text}}, at
                )
            yield StreamedStep({"label": LABEL, "type": "bot-llm-stopped"}, at)
        elif event["type"] == "server-message" and event["data"]["type"] in _NOT_STREAMED:
            continue
        elif event["type"] != "server-response":
            yield StreamedStep(event, at)
    yield StreamedStep({"type": "connection-stoppped"}, at)


_NOT_STREAMED = ("final-user-transcription", "bot-turn-completed")


def pieces(answer: Answer, pace: Pace, seed: str | None) -> Iterator[tuple[str, int]]:
    """The text of an answer as plain HTTP gives it, piece by piece, each with when it comes; at least one."""
    at, is_empty = 0, True
    if not answer.is_silent:
        for piece, wait in Beat(pace, seed).tokens(answer.text):
            at, is_empty = at + wait, False
            yield piece, at
    if is_empty:
        yield "", at
