"""The `fake-convai` command: a thin shell over the app and the store."""

import sys
from typing import Any

import click

from fake_convai import __version__
from fake_convai.cli.clock import clock
from fake_convai.cli.data import export, reset, seed, snapshot
from fake_convai.cli.exec import exec_command
from fake_convai.cli.faults import faults
from fake_convai.cli.journal import requests
from fake_convai.cli.openapi import openapi
from fake_convai.cli.plane import Misuse
from fake_convai.cli.replies import replies
from fake_convai.cli.serve import migrate, needs_extra, serve
from fake_convai.cli.stubs import stubs
from fake_convai.cli.timing import lag, pace, settle
from fake_convai.cli.traffic import check, compare, proxy
from fake_convai.cli.verify import verify
from fake_convai.domain.errors import CannotBeDone
from fake_convai.domain.text import printable


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
        click.echo(f"fake-convai: {printable(' '.join(error.format_message().split()))}", err=True)
        sys.exit(2)


class OneLine(click.Group):
    """Commands that say in one line what cannot be done."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CannotBeDone as error:
            raise Misuse(str(error)) from error
        except ModuleNotFoundError as error:
            raise Misuse(needs_extra(error)) from error


@click.group(cls=OneLine)
@click.version_option(__version__, message="%(prog)s %(version)s")
def cli() -> None:
    """A local stand-in for the Convai backend."""


for command in (
    *(serve, exec_command, migrate),
    *(seed, export, reset, snapshot, clock, pace, lag, settle, replies, faults, stubs, requests),
    *(openapi, check, proxy, compare, verify),
):
    cli.add_command(command)
