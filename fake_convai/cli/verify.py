"""`fake-convai verify`: find out whether what the fake assumes is true."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fake_convai.cli.plane import Misuse
from fake_convai.domain.text import printable, printable_json

if TYPE_CHECKING:
    from fake_convai.contract.provenance import Guess
    from fake_convai.traffic.evidence import Evidence, Finding
    from fake_convai.traffic.verify import Verification

_REAL = "real"
_REAL_URL = "https://convai.com"
_DELAY = 1.0
"""Seconds between two requests to the real service."""

_LOST = 3
"""Experiments in a row without any answer after which a run is broken off."""


@click.command()
@click.option("--target", metavar="[real|URL]", help="The real service, or a server that has all surfaces under URL.")
@click.option("--api-key", envvar="CONVAI_API_KEY", show_envvar=True, metavar="KEY", help="Key of an account there.")
@click.option("--list", "only_list", is_flag=True, help="Print what would be tried, one a line, and stop.")
@click.option("--only", "ids", multiple=True, metavar="ID", help="Try this guess. Repeatable; without it, all.")
@click.option("--yes", is_flag=True, help="Do not ask before it begins.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--evidence",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the findings go, and where a run that was broken off goes on; else a file named after the target.",
)
def verify(
    target: str | None,
    api_key: str | None,
    only_list: bool,
    ids: tuple[str, ...],
    yes: bool,
    as_json: bool,
    evidence: Path | None,
) -> None:
    """Try the contract's guesses against the real service.

    Exits with 1 when one is refuted. It makes a character and end users of its own, named fake-convai-verify-..., and
    deletes them. Nothing else is touched.
    """
    from fake_convai.traffic.evidence import begun
    from fake_convai.traffic.targets import read_targets
    from fake_convai.traffic.verify import Made, Verification

    chosen = _chosen(ids)
    if only_list:
        click.echo("\n".join(f"{guess.id}  {_claim(guess)}" for guess in chosen))
        return
    if not target or not api_key:
        raise Misuse("give --api-key" if target else "give --target real, or an address")
    targets = read_targets([_REAL_URL if target == _REAL else target])
    path = evidence or Path(f"convai-evidence-{re.sub('[^a-z0-9.]+', '-', target.partition('//')[2] or target)}.json")
    found = begun(path, target, chosen)
    todo = [guess for guess in chosen if guess.id not in found.decided]
    question = f"Try {len(todo)} guesses against {target}, with things of its own making?"
    if not yes and not click.confirm(question, err=True):
        raise Misuse("nothing was done")
    verification = Verification(targets, api_key, delay=_DELAY if targets.unnamed is None else 0.0)
    verification.made = Made(**found.left_behind)
    complete = _run(verification, todo, found, path, quiet=as_json)
    findings = found.findings(chosen)
    if as_json:
        shown = {"guesses": [one.model_dump(exclude={"at"}) for one in findings]}
        click.echo(printable_json(shown, 2))
    else:
        results = [one.result for one in findings]
        counted = ", ".join(f"{results.count(result)} {result}" for result in ("confirmed", "refuted", "undecided"))
        click.echo(f"{counted}; written to {path}{'' if complete else ', to go on from'}.")
    raise SystemExit(1 if any(one.result == "refuted" for one in findings) else 0)


def _run(verification: "Verification", todo: "list[Guess]", found: "Evidence", path: Path, *, quiet: bool) -> bool:
    """Try what is to be tried, write down each finding, and clear up; whether it came to its end."""
    from fake_convai.traffic.evidence import now

    complete = False
    try:
        verification.begin()
        for guess in todo:
            finding = verification.attempt(guess)
            found.add(finding)
            found.save(path)
            if not quiet:
                _print(finding, guess)
            if verification.lost == _LOST:
                click.echo("Broken off: there is no answer any more. Run it again to go on.", err=True)
                return False
        complete = True
    finally:
        verification.close()
        found.left_behind = verification.made.left()
        if complete:
            found.ended = now()
        if found.guesses or found.left_behind:
            found.save(path)
        if found.left_behind:
            names = ", ".join(name for names in found.left_behind.values() for name in names)
            click.echo(f"Not deleted; the next run tries again: {names}", err=True)
    return complete


def _chosen(ids: tuple[str, ...]) -> "list[Guess]":
    from fake_convai.contract.provenance import guesses

    known = {guess.id: guess for guess in guesses()}
    if unknown := [one for one in ids if one not in known]:
        raise Misuse(f"--only: there is no guess '{unknown[0]}'; --list shows them")
    return [guess for guess in known.values() if not ids or guess.id in ids]


def _claim(guess: "Guess") -> str:
    return " ".join(part for part in (guess.at, guess.field, guess.says) if part)


def _print(finding: "Finding", guess: "Guess") -> None:
    colour = {"confirmed": "green", "refuted": "red", "undecided": "yellow"}[finding.result]
    click.echo(f"{click.style(finding.result, fg=colour)}  {guess.id}: {_claim(guess)}")
    if finding.result != "confirmed":
        click.echo(f"    seen: {printable(finding.seen)}")
    if finding.result == "refuted":
        click.echo(f"    change: {_change(guess)}")


def _change(guess: "Guess") -> str:
    from fake_convai.api.routes import ENDPOINTS

    modules = {one.handler.__module__.replace(".", "/") for one in ENDPOINTS if one.path == guess.at}
    where = f"{min(modules)}.py" if modules else "the code that cites its section of docs/contract.md"
    return (
        f"make {where} answer as seen; in fake_convai/contract/provenance.yaml, move {guess.id} from `guessed` to "
        "`known` with `source: observed`, in the words of what was seen; correct its experiment"
    )
