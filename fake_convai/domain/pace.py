"""How fast a character answers, so that loading states, barge-in and lip-sync can be tried (docs/realtime.md).

A token is a word here, with the white space after it; the real one is not documented.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

_CHUNK = 24
"""Characters after which a reply without a pace is cut at the next word (C)."""

_MILLISECOND, _SECOND, _MINUTE = 1_000, 1_000_000, 60_000_000


@dataclass(frozen=True, slots=True)
class Pace:
    """Milliseconds until the first token, tokens a second, words a minute of speech; what is None takes no time.

    `jitter` is the share, from 0 to 1, by which each wait may be shorter or longer.
    """

    first_token_ms: float | None = None
    tokens_per_second: float | None = None
    jitter: float | None = None
    words_per_minute: float | None = None

    @property
    def is_instant(self) -> bool:
        """Whether nothing takes time."""
        return not self.first_token_ms and self.tokens_per_second is None and self.words_per_minute is None

    def over(self, other: "Pace") -> "Pace":
        """This pace, with the members of the other one where it has none."""
        return Pace(**{**asdict(other), **self.given()})

    def given(self) -> dict[str, Any]:
        """The members that are set."""
        return {name: value for name, value in asdict(self).items() if value is not None}


INSTANT = Pace()


class Beat:
    """The waits of one turn, in microseconds: the same ones for the same seed."""

    def __init__(self, pace: Pace, seed: str | None) -> None:
        """`seed` is needed for a pace with jitter only."""
        self._pace = pace
        self._random = random.Random(seed) if pace.jitter else None

    def tokens(self, text: str) -> Iterator[tuple[str, int]]:
        """The text in pieces, each with how long it takes; joined they are the text."""
        wait = self._about((self._pace.first_token_ms or 0) * _MILLISECOND)
        if self._pace.tokens_per_second is None:
            for chunk in chunks(text):
                yield chunk, wait
                wait = 0
            return
        for word in _words(text):
            yield word, wait
            wait = self._about(_SECOND / self._pace.tokens_per_second)

    def first_token(self) -> int:
        """How long it takes until something comes of it."""
        return self._about((self._pace.first_token_ms or 0) * _MILLISECOND)

    def words(self, text: str) -> Iterator[tuple[str, int]]:
        """The words of the text, each with how long it is spoken."""
        each = 0.0 if self._pace.words_per_minute is None else _MINUTE / self._pace.words_per_minute
        for word in _words(text):
            yield word, self._about(each)

    def _about(self, wait: float) -> int:
        if self._random is None or not wait:
            return round(wait)
        return round(wait * (1 + (self._pace.jitter or 0) * self._random.uniform(-1, 1)))


def chunks(text: str) -> Iterator[str]:
    """The text in pieces of whole words, as `bot-llm-text` events carry them; joined they are the text."""
    piece = ""
    for word in _words(text):
        if len(piece) >= _CHUNK:
            yield piece
            piece = ""
        piece += word
    if piece:
        yield piece


def _words(text: str) -> Iterator[str]:
    """Each word with the white space after it; white space before the first goes with it."""
    return (found.group() for found in re.finditer(r"\A\s*\S+\s*|\S+\s*|\A\s+\Z", text))
