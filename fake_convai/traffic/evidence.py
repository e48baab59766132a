"""What came out of a verification, in a file: to go on after a break, and to be taken up by docs/fidelity.md."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fake_convai import __version__
from fake_convai.contract.provenance import Guess
from fake_convai.domain.clock import real_time, to_iso
from fake_convai.domain.errors import CannotBeDone

Result = Literal["confirmed", "refuted", "undecided"]


def now() -> str:
    """The time, as evidence has it."""
    return to_iso(real_time())


class UnusableEvidence(CannotBeDone):
    """The file cannot be read or written; the message says why."""


class Finding(BaseModel):
    """What was found out about a guess, and when."""

    id: str
    claim: str
    result: Result
    seen: str
    at: str = ""


class Evidence(BaseModel):
    """A run against one target; `ended` is null until it is complete."""

    model_config = ConfigDict(extra="forbid")

    target: str
    version: str = __version__
    began: str = Field(default_factory=now)
    ended: str | None = None
    guesses: list[Finding] = Field(default_factory=list)
    left_behind: dict[str, list[str]] = Field(
        default_factory=dict, description="What was made and could not be deleted, by kind; the next run tries again."
    )

    @property
    def decided(self) -> Mapping[str, Finding]:
        """What needs no second try, by id."""
        return {one.id: one for one in self.guesses if one.result != "undecided"}

    def add(self, finding: Finding) -> None:
        """Take up a finding, in place of an earlier one."""
        self.guesses = [*(one for one in self.guesses if one.id != finding.id), finding]

    def findings(self, wanted: Iterable[Guess]) -> list[Finding]:
        """What was found about these guesses, in their order; what was not tried is undecided."""
        known = {one.id: one for one in self.guesses}
        return [
            known.get(guess.id) or Finding(id=guess.id, claim=guess.says, result="undecided", seen="not tried")
            for guess in wanted
        ]

    def save(self, path: Path) -> None:
        """Write it, readable for its owner only; never a half of it."""
        new = path.with_name(f"{path.name}.new")
        try:
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                file.write(self.model_dump_json(indent=2) + "\n")
            new.replace(path)
        except OSError as error:
            raise UnusableEvidence(f"cannot write {path}: {error.strerror}") from error


def begun(path: Path, target: str, wanted: Iterable[Guess]) -> Evidence:
    """The evidence of a run against the target that was broken off, or what there is before another try at these."""
    if not path.exists():
        return Evidence(target=target)
    try:
        found = Evidence.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise UnusableEvidence(f"{path} is no evidence of `fake-convai verify`: give another --evidence") from error
    if found.target != target:
        raise UnusableEvidence(f"{path} is about {found.target}: give another --evidence")
    if found.ended is not None:
        again = {guess.id for guess in wanted}
        found.guesses = [one for one in found.guesses if one.id not in again]
        found.ended = None
    return found
