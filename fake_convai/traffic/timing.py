"""`fake-convai pace`: how fast the real service answered in a recording, as settings of the fake."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from fake_convai.traffic.recording import Exchange

Timed = tuple[float, str, Any]
"""Milliseconds, who said it, and what."""


@dataclass(frozen=True)
class _Turn:
    """A turn in milliseconds: until the first word, of the rest, of speech; None for what cannot be told."""

    first: float
    words_a_second: float | None
    words_a_minute: float | None


def pace(exchanges: Iterable[Exchange]) -> dict[str, float]:
    """The body of `PUT /_fake/pace` for the median turn of a recording; empty when none has times."""
    turns = [turn for exchange in exchanges for turn in _turns(_timed(exchange))]
    found: dict[str, list[float | None]] = {
        "first_token_ms": [turn.first for turn in turns],
        "tokens_per_second": [turn.words_a_second for turn in turns],
        "words_per_minute": [turn.words_a_minute for turn in turns],
    }
    known = {name: [one for one in values if one is not None] for name, values in found.items()}
    return {name: round(median(values), 1) for name, values in known.items() if values}


def _timed(exchange: Exchange) -> list[Timed]:
    if exchange.response.event_ms and exchange.response.body.kind == "events":
        events = zip(exchange.response.event_ms, exchange.response.body.value, strict=False)
        return [(0.0, "client", {"type": "user_text_message"}), *((at, "server", event) for at, event in events)]
    return [(frame.at_ms, frame.sender, frame.body.value) for frame in exchange.frames]


def _turns(said: Sequence[Timed]) -> Iterator[_Turn]:
    starts = [at for at, (_, _, what) in enumerate(said) if _kind(what) in ("user_text_message", "trigger-message")]
    for start, end in zip(starts, [*starts[1:], len(said)], strict=False):
        turn = said[start:end]
        spoken = [(at, len(_words(what))) for at, who, what in turn if who == "server" and _words(what)]
        if spoken:
            yield _turn(turn, spoken)


def _turn(turn: Sequence[Timed], spoken: Sequence[tuple[float, int]]) -> _Turn:
    first, last = spoken[0][0], spoken[-1][0]
    rest = sum(words for _, words in spoken[1:])
    marks = {_kind(what): at for at, _, what in turn}
    speaking = marks.get("bot-stopped-speaking", 0.0) - marks.get("bot-started-speaking", 0.0)
    total = sum(words for _, words in spoken)
    return _Turn(
        first=first - turn[0][0],
        words_a_second=rest / (last - first) * 1000 if last > first else None,
        words_a_minute=total / speaking * 60_000 if speaking > 0 else None,
    )


def _kind(what: Any) -> str:
    if not isinstance(what, dict):
        return ""
    inside = what.get("data") if what.get("type") == "server-message" else what
    return str(inside.get("type", "")) if isinstance(inside, dict) else ""


def _words(what: Any) -> list[str]:
    """The words of a piece of an answer; chunks of `/character/getResponse` have no type."""
    if _kind(what) == "bot-llm-text":
        return str((what.get("data") or {}).get("text", "")).split()
    is_chunk = isinstance(what, dict) and "type" not in what and "charID" in what
    return str(what.get("text") or "").split() if is_chunk else []
