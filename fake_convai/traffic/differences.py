"""What differs between a recorded answer and the fake's, beyond ids, times and the words of a language model."""

import difflib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fake_convai.backend.errors import ERROR_MEMBERS
from fake_convai.backend.redact import is_secret
from fake_convai.contract.experiments import joined
from fake_convai.traffic.bodies import media_type
from fake_convai.traffic.recording import Received
from fake_convai.traffic.translation import Translation, is_id

Kind = Literal["status", "shape", "meaning"]

_OPAQUE = frozenset({"room_url", "room_name", "next_cursor", "expirationTime"})
"""Each server has its own; only whether there is one can be compared."""

_WORDED = frozenset({"text", "audio", "msg"})
"""Worded by a language model, spoken, or explained: no two servers say it alike."""

_SHOWN_EVENTS = 8
"""From where two sequences part."""

_TIME = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?|\d\d-\d\d-\d{4}|\d\d:\d\d:\d\d")

_ERROR_CLASSES = {
    "a missing parameter": r"missing|required|not provided|must be provided",
    "something not found": r"not found|does ?n[o']t (exist|belong)|unknown|no such|could not f(ind|etch)",
    "no permission": r"permission|forbidden|not allowed|access|upgrade|\bplan\b",
    "a wrong key": r"api.?key|token|authenti|unauthori",
    "too many": r"rate limit|too many|limit exceeded|concurren",
    "a failure": r"internal|server error|failed",
    "an invalid value": r"invalid|must|should|expect|wrong|malformed",
}


@dataclass(frozen=True)
class Difference:
    """One thing that differs: where in the answer, and what either side has there."""

    kind: Kind
    place: str
    recorded: Any
    fake: Any


def compare(recorded: Received, fake: Received, translation: Translation) -> list[Difference]:
    """The differences of an answer; ids that are new are learnt on the way."""
    if recorded.status != fake.status:
        sides = [f"{one.status} {_short(one.body.value)}".strip() for one in (recorded, fake)]
        return [Difference("status", "status", *sides)]
    comparison = _Comparison(translation)
    types = [media_type(one.headers.get("content-type", "")) for one in (recorded, fake)]
    if types[0] != types[1]:
        comparison.note("shape", "header content-type", *types)
    if ("retry-after" in recorded.headers) != ("retry-after" in fake.headers):
        comparison.note("shape", "header retry-after", *(one.headers.get("retry-after") for one in (recorded, fake)))
    if recorded.body.kind != fake.body.kind:
        comparison.note("shape", "body", *(f"{one.body.kind} {_short(one.body.value)}" for one in (recorded, fake)))
    elif recorded.body.kind == "events":
        comparison.events(recorded.body.value, fake.body.value, "events")
    else:
        comparison.value(recorded.body.value, fake.body.value, "")
    return comparison.differences


def compare_messages(recorded: list[Any], fake: list[Any], translation: Translation) -> list[Difference]:
    """The differences between what two servers said over a WebSocket."""
    comparison = _Comparison(translation)
    comparison.events(recorded, fake, "messages")
    return comparison.differences


class _Comparison:
    """Walks two values side by side."""

    def __init__(self, translation: Translation) -> None:
        self.differences: list[Difference] = []
        self._translation = translation

    def note(self, kind: Kind, place: str, recorded: Any, fake: Any) -> None:
        """Write down a difference."""
        self.differences.append(Difference(kind, place or "body", recorded, fake))

    def value(self, recorded: Any, fake: Any, place: str, name: str = "") -> None:
        """Compare two values; `name` is the member that holds them."""
        types = _type(recorded), _type(fake)
        if types[0] != types[1]:
            shown = (
                kind if kind == "null" else f"{kind} {_short(one)}"
                for kind, one in zip(types, (recorded, fake), strict=True)
            )
            self.note("shape", place, *shown)
        elif isinstance(recorded, dict):
            self._object(recorded, fake, place)
        elif isinstance(recorded, list):
            self._list(recorded, fake, place, name)
        elif isinstance(recorded, str):
            self._text(recorded, fake, place, name)
        elif recorded != fake and name not in _OPAQUE | _WORDED:
            self.note("meaning", place, recorded, fake)

    def events(self, recorded: list[Any], fake: list[Any], place: str) -> None:
        """Compare what happened, in order; how many pieces an answer comes in is no difference."""
        recorded, fake = _whole(recorded), _whole(fake)
        kinds = [_event(one) for one in recorded], [_event(one) for one in fake]
        if kinds[0] != kinds[1]:
            start = next((at for at, (one, other) in enumerate(zip(*kinds, strict=False)) if one != other), None)
            start = min(map(len, kinds)) if start is None else start
            shown = (", ".join(one[start : start + _SHOWN_EVENTS]) or "nothing more" for one in kinds)
            self.note("meaning", f"order of {place} from [{start}]", *shown)
        for first, second in _aligned(*kinds):
            self.value(recorded[first], fake[second], f"{place}[{first}]")

    def _object(self, recorded: dict[str, Any], fake: dict[str, Any], place: str) -> None:
        for name in recorded.keys() - fake.keys():
            self.note("shape", joined(place, name), _short(recorded[name]), "no such member")
        for name in fake.keys() - recorded.keys():
            self.note("shape", joined(place, name), "no such member", _short(fake[name]))
        answered = recorded.get("speaker") == "Character"  # in chat history
        for name in recorded:
            if name in fake:
                said = "text" if answered and name == "message" else name
                self.value(recorded[name], fake[name], joined(place, name), said)

    def _list(self, recorded: list[Any], fake: list[Any], place: str, name: str) -> None:
        keys = [_erased(one) for one in recorded], [_erased(one) for one in fake]
        pairs: Iterable[tuple[int, int]] = ((index, index) for index in range(len(recorded)))
        if len(recorded) != len(fake):
            self.note("meaning", f"number of {place or 'items'}", len(recorded), len(fake))
            pairs = _aligned(*keys)
        elif keys[0] != keys[1] and sorted(keys[0]) == sorted(keys[1]):
            self.note("meaning", f"order of {place or 'items'}", *(_short(one) for one in (recorded, fake)))
            pairs = zip(_ranks(keys[0]), _ranks(keys[1]), strict=True)
        for first, second in pairs:
            self.value(recorded[first], fake[second], f"{place}[{first}]", name)

    def _text(self, recorded: str, fake: str, place: str, name: str) -> None:
        if is_secret(name) or name in _OPAQUE:
            if bool(recorded) != bool(fake):
                self.note("meaning", place, recorded, fake)
            elif recorded:
                self._translation.bind(recorded, fake)
        elif name in ERROR_MEMBERS:
            classes = _error_class(recorded), _error_class(fake)
            if classes[0] != classes[1]:
                self.note(
                    "meaning",
                    place,
                    *(f"{one} ({about})" for one, about in zip((recorded, fake), classes, strict=True)),
                )
        elif name in _WORDED:
            if bool(recorded.strip()) != bool(fake.strip()):
                self.note("meaning", place, recorded, fake)
        elif is_id(recorded) and is_id(fake):
            self._id(recorded, fake, place)
        elif recorded != fake:
            self._plain(recorded, fake, place)

    def _id(self, recorded: str, fake: str, place: str) -> None:
        if not self._translation.agrees(recorded, fake):
            self.note("meaning", place, *self._translation.explained(recorded, fake))
        elif _spelling(recorded) != _spelling(fake):
            self.note("shape", place, recorded, fake)

    def _plain(self, recorded: str, fake: str, place: str) -> None:
        if _TIME.fullmatch(recorded) and _TIME.fullmatch(fake):
            if _spelling(recorded) != _spelling(fake):
                self.note("shape", place, recorded, fake)
        elif self._translation.to_fake(recorded) != fake:
            self.note("meaning", place, recorded, fake)


def _type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    kinds = {dict: "object", list: "array", str: "string", int: "number", float: "number"}
    return kinds.get(type(value), "null")


def _error_class(text: str) -> str:
    """What an error is about, by the first group of words that is in it."""
    return next((name for name, words in _ERROR_CLASSES.items() if re.search(words, text, re.IGNORECASE)), "else")


def _spelling(text: str) -> str:
    return re.sub(r"[0-9a-f]" if is_id(text) else r"\d", "0", text, flags=re.IGNORECASE)


def _erased(value: Any) -> str:
    """What is left of an item without ids and times, to find it again on the other side."""
    if isinstance(value, dict):
        return json.dumps({name: _erased(value[name]) for name in sorted(value) if name not in _OPAQUE | _WORDED})
    if isinstance(value, str) and (is_id(value) or _TIME.fullmatch(value)):
        return ""
    return json.dumps(value)


def _ranks(keys: Sequence[str]) -> list[int]:
    return sorted(range(len(keys)), key=keys.__getitem__)


def _aligned(recorded: Sequence[str], fake: Sequence[str]) -> list[tuple[int, int]]:
    blocks = difflib.SequenceMatcher(None, recorded, fake, autojunk=False).get_matching_blocks()
    return [(block.a + offset, block.b + offset) for block in blocks for offset in range(block.size)]


def _event(event: Any) -> str:
    """What kind of event this is."""
    if not isinstance(event, dict):
        return _short(event)
    inner = event.get("data") if event.get("type") == "server-message" else None
    names = [event.get("type"), event.get("event_type"), inner.get("type") if isinstance(inner, dict) else None]
    return " ".join(str(name) for name in names if name)


def _whole(events: Iterable[Any]) -> list[Any]:
    """The events with the pieces of an answer as one."""
    whole: list[Any] = []
    for event in events:
        if not (whole and _event(event) == _event(whole[-1]) == "bot-llm-text"):
            whole.append(event)
    return whole


def _short(value: Any) -> str:
    text = "" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:200]}..."
