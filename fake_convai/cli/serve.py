"""`fake-convai serve` and `migrate`: running a server, and bringing its database to the newest schema."""

import os
from collections.abc import Callable, Mapping
from typing import Any, get_args, get_origin

import click

from fake_convai.settings import ENVIRONMENT_PREFIX, Options, load_settings, unknown_variables


def settings_options(command: Callable[..., None]) -> Callable[..., None]:
    """An option for each field of `Options`. Click only collects: the settings check, so a variable is checked too."""
    for name, field in reversed(Options.model_fields.items()):
        flag = f"--{name.replace('_', '-')}"
        default = "" if field.default in (None, (), False) else f"  [default: {field.default}]"
        help_text = f"{field.description}{default}  [env: {ENVIRONMENT_PREFIX}{name.upper()}]"
        if field.annotation is bool:
            option = click.option(flag, name, is_flag=True, default=None, help=help_text)
        else:
            repeatable = get_origin(field.annotation) is tuple
            option = click.option(
                flag,
                name,
                default=None,
                multiple=repeatable,
                metavar=_metavar(name, field.annotation),
                help=help_text,
            )
        command = option(command)
    return command


def settings_from(flags: Mapping[str, Any]) -> Options:
    """The settings that the options and variables say; a variable that looks like one and is none gets a warning."""
    for warning in unknown_variables(os.environ):
        click.echo(f"fake-convai: warning: {warning}", err=True)
    return load_settings(**{name: value for name, value in flags.items() if value not in (None, ())})


def needs_extra(error: ModuleNotFoundError) -> str:
    """What to install when a package is missing; raises the error again when that is none of ours to say."""
    extra = {"asyncpg": "postgres", "greenlet": "postgres"}.get(error.name or "")
    if extra is None:
        raise error
    return f"a postgresql:// database needs the package {error.name}: pip install 'fake-convai[{extra}]'"


def _metavar(name: str, annotation: Any) -> str:
    choices = [choice for choice in get_args(annotation) if isinstance(choice, str)]
    return f"[{'|'.join(choices)}]" if choices else name.upper()


@click.command()
@settings_options
def serve(**flags: Any) -> None:
    """Run the fake until it is stopped."""
    from fake_convai.server import run

    run(settings_from(flags))


@click.command()
@click.option("--database", required=True, metavar="DATABASE", help="A SQLite file or a postgresql+asyncpg:// URL.")
def migrate(database: str) -> None:
    """Bring a database to the newest schema."""
    from fake_convai.store.database import migrate as migrate_database
    from fake_convai.store.schema import REVISION

    migrate_database(load_settings(database=database).database or "")
    click.echo(f"The database is at schema {REVISION}.")
