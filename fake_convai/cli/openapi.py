"""The commands about the contract: `openapi` writes it, `check` holds a recording against it."""

import json
from pathlib import Path

import click


@click.command()
@click.option("--output", default="openapi", metavar="DIRECTORY", help="Where the documents go.", show_default=True)
@click.option("--check", "only_check", is_flag=True, help="Write nothing; fail when a file there is stale.")
def openapi(output: str, only_check: bool) -> None:
    """Write the OpenAPI documents of the three surfaces and of the control plane."""
    files = {Path(output) / name: text for name, text in documents().items()}
    stale = [path for path, text in files.items() if not path.is_file() or path.read_text("utf-8") != text]
    if only_check:
        if stale:
            names = ", ".join(map(str, stale))
            raise click.ClickException(f"stale: {names}; `fake-convai openapi` writes them")
        click.echo(f"{len(files)} files are up to date.")
        return
    try:
        for path in stale:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path], "utf-8")
    except OSError as error:
        raise click.ClickException(f"cannot write {error.filename}: {error.strerror}") from error
    click.echo("\n".join(f"wrote {path}" for path in stale) or "Nothing has changed.")


def documents() -> dict[str, str]:
    """The documents by file name, as they are written."""
    from fake_convai.backend.surface import Surface
    from fake_convai.contract.control import control_document
    from fake_convai.contract.examples import run_examples
    from fake_convai.contract.openapi import document

    examples, frames = run_examples()
    made = {str(surface): document(surface, examples, frames) for surface in Surface} | {"control": control_document()}
    return {f"{name}.json": json.dumps(one, indent=2, ensure_ascii=False) + "\n" for name, one in made.items()}


@click.command()
@click.option(
    "--openapi",
    "contract",
    required=True,
    metavar="[production|beta|live|FILE]",
    help="The document to hold the recording against: one of ours by name, or a file.",
)
@click.argument("recording", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check(contract: str, recording: Path) -> None:
    """Report where the traffic in a HAR file departs from the contract; exits with 1 when it does."""
    from fake_convai.contract.har import Unreadable, check_recording, load_contract

    try:
        report = check_recording(load_contract(contract), recording.read_bytes())
    except Unreadable as error:
        raise click.ClickException(str(error)) from error
    for line in report.lines():
        click.echo(line)
    raise SystemExit(1 if report.violations else 0)
