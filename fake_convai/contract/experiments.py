"""Experiments: how to find out whether a guess is true. They are data, `experiments.yaml`, one for each guess.

The requests of the examples are written down in the same words (`examples.yaml`).
"""

import re
import uuid
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

_SHOWN = 200
"""Characters of a value in a sentence."""


class Expected(BaseModel):
    """What an answer must have, as far as it matters."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: int | None = None
    headers: dict[str, Any] = Field(default_factory=dict)
    body: Any = None


class Step(BaseModel):
    """One thing to do, and what to look at."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    ask: str = ""
    cannot: str = Field("", description="Why nothing can be tried.")
    talk: str = ""
    walk: dict[str, Any] | None = None
    person: Any = Field(None, alias="as")
    body: Any = None
    form: dict[str, str] | None = None
    encoded: bool = Field(False, description="Whether the form is url-encoded.")
    query: dict[str, Any] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    key: str = "own"
    say: str = ""
    send: dict[str, Any] | None = None
    meanwhile: str = ""
    patience: float = 0.0
    given: Expected | None = None
    see: Expected | None = None
    keep: dict[str, str] = Field(default_factory=dict)
    show: tuple[str, str] | None = None

    @property
    def place(self) -> tuple[str, str, str]:
        """Method, surface and path of `beta /memory/add` or `GET production /character/list`."""
        *method, surface, path = self.ask.split(" ", 2)
        return (method[0] if method else "POST"), surface, path

    def sent(self, names: Mapping[str, Any]) -> Any:
        """The body; where there is a person, it says whom it is about."""
        body = filled(self.body, names)
        if self.person is None:
            return body
        return {"character_id": names["character"], "end_user_id": filled(self.person, names), **(body or {})}


@cache
def experiments() -> Mapping[str, tuple[Step, ...]]:
    """The steps of each experiment by the id of the guess that it is about."""
    text = Path(__file__).with_suffix(".yaml").read_text("utf-8")
    return {name: tuple(map(Step.model_validate, steps)) for name, steps in yaml.safe_load(text).items()}


def filled(value: Any, names: Mapping[str, Any]) -> Any:
    """A value of an experiment with its names replaced; one that stands alone keeps its type."""
    if isinstance(value, str):
        if value.startswith("$") and value[1:] in names:
            return names[value[1:]]
        return re.sub(r"\$(\w+)", lambda found: str(names.get(found[1], found[0])), value)
    if isinstance(value, list):
        return [filled(member, names) for member in value]
    if not isinstance(value, Mapping):
        return value
    inside = {key: filled(member, names) for key, member in value.items()}
    if "$pad" in inside:
        text, length = inside["$pad"]
        return (f"{text} " * (length // len(text) + 1))[: length - 1] + "x"
    if "$facts" in inside:
        return [f"The user collects item{number}." for number in range(inside["$facts"])]
    if "$hyphens" in inside:
        return str(uuid.UUID(inside["$hyphens"]))
    return inside


def found_at(value: Any, path: str) -> Any:
    """A member of an answer by its path, such as `memories.0.id`; None when it is not there."""
    for part in path.split("."):
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (LookupError, TypeError, ValueError):
            return None
    return value


def unlike(wanted: Any, seen: Any, place: str = "") -> str | None:
    """In which way what was seen is not what was wanted, in a sentence; None when it is."""
    if isinstance(wanted, Mapping):
        for name, member in wanted.items():
            complaint = _unlike_word(name, member, seen, place) if name.startswith("$") else None
            if not name.startswith("$"):
                if not isinstance(seen, Mapping) or name not in seen:
                    complaint = f"{joined(place, name)} is not there"
                else:
                    complaint = unlike(member, seen[name], joined(place, name))
            if complaint:
                return complaint
        return None
    if isinstance(wanted, list):
        if not isinstance(seen, list) or len(seen) != len(wanted):
            return f"{place or 'the body'} is {_shown(seen)}, not {_shown(wanted)}"
        pairs = enumerate(zip(wanted, seen, strict=True))
        return next((bad for at, (one, other) in pairs if (bad := unlike(one, other, joined(place, str(at))))), None)
    same = seen == wanted and isinstance(seen, bool) == isinstance(wanted, bool)
    return None if same else f"{place or 'it'} is {_shown(seen)}, not {_shown(wanted)}"


def _unlike_word(word: str, wanted: Any, seen: Any, place: str) -> str | None:
    place = place or "the body"
    if word == "$re":
        return None if isinstance(seen, str) and re.search(wanted, seen) else f"{place} is {_shown(seen)}, not {wanted}"
    if word == "$absent":
        there = [name for name in wanted if isinstance(seen, Mapping) and name in seen]
        return f"{place} has {', '.join(there)}" if there else None
    if not isinstance(seen, list | dict):
        return f"{place} is {_shown(seen)}"
    if word == "$length":
        return None if len(seen) == wanted else f"{place} has {len(seen)} entries, not {wanted}"
    matches = [unlike(wanted, one) is None for one in seen]
    if word == "$has":
        return None if any(matches) else f"{place} has no {_shown(wanted)}"
    if word == "$lacks":
        return f"{place} has {_shown(wanted)}" if any(matches) else None
    return _unlike_sequence(word, wanted, list(seen), place)


def _unlike_sequence(word: str, wanted: Sequence[Any], seen: list[Any], place: str) -> str | None:
    places = [[at for at, other in enumerate(seen) if unlike(one, other) is None] for one in wanted]
    if word == "$once":
        odd = [f"{one} {len(at)} times" for one, at in zip(wanted, places, strict=True) if len(at) != 1]
        return f"{place} has {', '.join(odd)}" if odd else None
    if not all(places):
        return f"{place} does not have all of {_shown(wanted)}"
    firsts = [at[0] for at in places]
    return None if firsts == sorted(firsts) else f"{place} is not in the order of {_shown(wanted)}"


def joined(place: str, name: str) -> str:
    """The place of a member in what stands at a place."""
    return f"{place}.{name}" if place else name


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
