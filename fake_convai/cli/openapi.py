"""The command that writes the contract."""

import json
from pathlib import Path

import click


@click.command()
@click.option("--output", default="openapi", metavar="DIRECTORY", help="Where the documents go.", show_default=True)
@click.option("--check", "only_check", is_flag=True, help="Write nothing; fail when a file there is stale.")
def openapi(output: str, only_check: bool) -> None:
    """Write the OpenAPI documents of surfaces and control plane."""
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
