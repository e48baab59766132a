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


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    says: str


class Known(_Line):
    """What a public source shows."""

    source: Literal["seed", "docs", "sdk", "observed"]


class Guess(_Line):
    """What we chose, about one route or all of a chapter, and about one parameter or none in particular."""

    at: str | None = None
    field: str | None = None


class Ignored(BaseModel):
    """Fields of a route that clients send and the fake takes without a use for them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at: str
    source: Literal["docs", "sdk", "observed"]
    fields: tuple[str, ...]


class Chapter(BaseModel):
    """What there is to say about one group of endpoints, or about all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    chapter: str
    known: tuple[Known, ...]
    guessed: tuple[Guess, ...]
    ignored: tuple[Ignored, ...] = ()
    not_emulated: tuple[str, ...]


@cache
def chapters() -> tuple[Chapter, ...]:
    """Everything, in the order of the file; the first chapter is about all endpoints."""
    text = Path(__file__).with_suffix(".yaml").read_text("utf-8")
    return tuple(Chapter.model_validate(chapter) for chapter in yaml.safe_load(text))


def general_guesses() -> tuple[Guess, ...]:
    """What we chose for all endpoints."""
    return chapters()[0].guessed


@cache
def fields_sent_to(endpoint: Endpoint) -> frozenset[str]:
    """The fields that a client is known to send to an endpoint, besides those that are read."""
    ignored = (one for chapter in chapters() for one in chapter.ignored if one.at == endpoint.path)
    return frozenset(name for one in ignored for name in one.fields)


def guesses_about(endpoint: Endpoint) -> list[Guess]:
    """What we chose for an endpoint. One about a parameter counts where the endpoint has it."""
    guesses = next((chapter.guessed for chapter in chapters() if chapter.chapter == endpoint.group), ())
    return [
        guess
        for guess in guesses
        if guess.at in (None, endpoint.path) and (guess.field is None or guess.field in endpoint.fields)
    ]
