"""Which id of the fake stands for which recorded one."""

import re
from typing import Any

_UUID = re.compile(r"[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}", re.IGNORECASE)


def is_id(text: str) -> bool:
    """Whether a server has made this up to name something: a UUID, with whatever stands before it."""
    found = _UUID.search(text)
    return found is not None and found.end() == len(text) and len(text) - len(found[0]) <= len("sess_")


class Translation:
    """Grows during a replay: the id at a place of a recorded answer is the one at that place of the fake's."""

    def __init__(self) -> None:
        self._to_fake: dict[str, str] = {}
        self._to_recorded: dict[str, str] = {}
        self._chosen: set[str] = set()

    def note_sent(self, value: Any) -> None:
        """Ids that the client itself came up with are the same on both sides."""
        for text in _texts(value):
            for one in {text, *(found[0] for found in _UUID.finditer(text))}:
                if _plain(one) not in self._to_fake:
                    self._chosen.add(_plain(one))

    def bind(self, recorded: str, fake: str) -> None:
        """From now on this id of the fake stands for the recorded one, however either is spelled."""
        self._to_fake[_plain(recorded)] = fake
        self._to_recorded[_plain(fake)] = recorded

    def agrees(self, recorded: str, fake: str) -> bool:
        """Whether the fake's id is the one to expect; two that are new to each other are bound."""
        if _plain(recorded) in self._chosen:
            return _plain(recorded) == _plain(fake)
        known, back = self._to_fake.get(_plain(recorded)), self._to_recorded.get(_plain(fake))
        if known is None and back is None:
            self.bind(recorded, fake)
            return True
        return known is not None and _plain(known) == _plain(fake)

    def bound(self, recorded: str) -> str | None:
        """The fake's counterpart, if there is one."""
        return self._to_fake.get(_plain(recorded))

    def explained(self, recorded: str, fake: str) -> tuple[str, str]:
        """Two ids that do not agree, with what was known of each."""
        if _plain(recorded) in self._chosen:
            return f"{recorded} (as the client sent it)", fake
        known, back = self.bound(recorded), self._to_recorded.get(_plain(fake))
        return (
            f"{recorded} ({'new' if known is None else f'the fake said {known} before'})",
            f"{fake} ({'new' if back is None else f'the recording has {back} for it'})",
        )

    def to_fake(self, value: Any) -> Any:
        """A recorded value as it has to be said to the fake."""
        if isinstance(value, dict):
            return {name: self.to_fake(member) for name, member in value.items()}
        if isinstance(value, list):
            return [self.to_fake(member) for member in value]
        return self._text(value) if isinstance(value, str) else value

    def _text(self, text: str) -> str:
        known = self._to_fake.get(_plain(text))
        if known is not None:
            return _spelled_like(known, text)
        return _UUID.sub(lambda found: _spelled_like(self._to_fake.get(_plain(found[0]), found[0]), found[0]), text)


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for member in value for text in _texts(member)]
    return [value] if isinstance(value, str) else []


def _plain(text: str) -> str:
    """An id without what spellings differ in; other texts as they are."""
    return text.replace("-", "").lower() if _UUID.fullmatch(text) else text


def _spelled_like(fake: str, recorded: str) -> str:
    if not _UUID.fullmatch(fake) or not _UUID.fullmatch(recorded):
        return fake
    digits = _plain(fake)
    if "-" not in recorded:
        return digits
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
