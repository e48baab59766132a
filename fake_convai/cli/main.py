"""The `fake-convai` command: a thin shell over the app and the store."""

import sys
from collections.abc import Callable
from typing import Any, get_args, get_origin

import click

from fake_convai import __version__
from fake_convai.cli.control import commands
from fake_convai.cli.openapi import check, openapi
from fake_convai.cli.traffic import commands as traffic_commands
from fake_convai.domain.errors import Invalid
from fake_convai.settings import ENVIRONMENT_PREFIX, BadSetting, Settings, load_settings


def main() -> None:
    """Run the command; what the user did wrong is one line on standard error and exit code 2."""
    try:
        cli(prog_name="fake-convai", standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(2)
    except click.ClickException as error:
        fail(error.format_message())


def fail(message: str) -> None:
    """Say in one line what is wrong, and stop."""
    click.echo(f"fake-convai: {' '.join(message.split())}", err=True)
    sys.exit(2)


@click.group()
@click.version_option(__version__, message="%(prog)s %(version)s")
def cli() -> None:
    """A local stand-in for the Convai backend."""


for command in (*commands, openapi, check, *traffic_commands):
    cli.add_command(command)


def settings_options(command: Callable[..., None]) -> Callable[..., None]:
    """An option for each field of `Settings`. Click only collects: the settings check, so a variable is checked too."""
    for name, field in reversed(Settings.model_fields.items()):
        flag = f"--{name.replace('_', '-')}"
        help_text = f"{field.description}  [env: {ENVIRONMENT_PREFIX}{name.upper()}]"
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


def _metavar(name: str, annotation: Any) -> str:
    choices = [choice for choice in get_args(annotation) if isinstance(choice, str)]
    return f"[{'|'.join(choices)}]" if choices else name.upper()


@cli.command()
@settings_options
def serve(**flags: Any) -> None:
    """Run the fake until it is stopped."""
    from fake_convai.server import CannotStart, run

    try:
        run(load_settings(**{name: value for name, value in flags.items() if value not in (None, ())}))
    except (BadSetting, CannotStart) as error:
        fail(str(error))


@cli.command()
@click.option("--database", required=True, metavar="DATABASE", help="A SQLite file or a postgresql+asyncpg:// URL.")
def migrate(database: str) -> None:
    """Bring a database to the newest schema."""
    from fake_convai.store.database import migrate as migrate_database
    from fake_convai.store.schema import REVISION, UnusableDatabase

    try:
        migrate_database(load_settings(database=database).database or "")
    except (BadSetting, UnusableDatabase, Invalid) as error:
        fail(str(error))
    click.echo(f"The database is at schema {REVISION}.")
