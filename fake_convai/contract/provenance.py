"""Where what the fake does is known from. The findings themselves are data: `provenance.yaml`."""

from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from fake_convai.api.endpoint import Endpoint

SOURCES: dict[str, str] = {
    "seed": "the vendor's pages on long-term memory that this project began with; they win where sources disagree",
    "docs": "other public documentation of the vendor",
    "sdk": "the public sources of the Unity, Unreal and Web SDKs",
    "observed": "a public client program, or recorded traffic",
    "assumption": "our choice, where every source is silent",
}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Known(_Part):
    """What a public source shows."""

    source: Literal["seed", "docs", "sdk", "observed"]
    says: str


class Disagreement(_Part):
    """Where sources contradict each other, and what the fake does `here`."""

    says: str
    here: str


class Guess(_Part):
    """What we chose, about one route or all of a section, and about one parameter or none in particular."""

    id: str
    says: str
    at: str | None = None
    field: str | None = None


class Section(_Part):
    """What there is to say about some groups of endpoints, or about all."""

    section: str
    groups: tuple[str, ...] = ()
    about: str = ""
    known: tuple[Known, ...]
    disagreeing: tuple[Disagreement, ...] = ()
    guessed: tuple[Guess, ...]
    ours: tuple[str, ...] = ()
    not_emulated: tuple[str, ...] = ()


@cache
def sections() -> tuple[Section, ...]:
    """Everything, in the order of the file."""
    text = Path(__file__).with_suffix(".yaml").read_text("utf-8")
    return tuple(Section.model_validate(section) for section in yaml.safe_load(text))


@cache
def guesses() -> tuple[Guess, ...]:
    """Everything that was guessed, in the order of the file."""
    return tuple(guess for section in sections() for guess in section.guessed)


def general_guesses() -> tuple[Guess, ...]:
    """What we chose for all endpoints."""
    return tuple(guess for section in sections() if not section.groups for guess in section.guessed)


def guesses_about(endpoint: Endpoint) -> list[Guess]:
    """What we chose for an endpoint. One about a parameter counts where the endpoint has it."""
    chosen = next((section.guessed for section in sections() if endpoint.group in section.groups), ())
    return [
        guess
        for guess in chosen
        if guess.at in (None, endpoint.path) and (guess.field is None or guess.field in endpoint.fields)
    ]
