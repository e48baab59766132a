"""`fake-convai exec`: a server as long as a command runs, and the environment by which the command finds it."""

import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import click

from fake_convai.cli.plane import write_json
from fake_convai.cli.serve import settings_from, settings_options
from fake_convai.progress import Progress
from fake_convai.settings import Options

NOT_FOUND = 127


@click.command("exec")
@settings_options
@click.option(
    "--export-on-exit",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the account as a seed document to this file when the command has ended.",
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def exec_command(command: tuple[str, ...], export_on_exit: Path | None, **flags: Any) -> None:
    """Run a COMMAND beside a fake: fake-convai exec -- npm test

    The fake is on a free port and ends with the command, whose exit status is passed on. The command finds it by
    CONVAI_API_KEY, CONVAI_BASE_URL, CONVAI_PRODUCTION_URL, CONVAI_BETA_URL, CONVAI_LIVE_URL and FAKE_CONVAI_URL. When
    it fails, what it has sent is printed.
    """
    program = shutil.which(command[0])
    if program is None:
        click.echo(f"fake-convai: there is no command {command[0]!r}", err=True)
        raise SystemExit(NOT_FOUND)
    from fake_convai.testing import FakeConvai

    settings = settings_from(flags)
    with Progress("Starting"):
        fake = FakeConvai(settings, api_key=_key(settings)).start()
    with fake:
        status = _run([program, *command[1:]], {**os.environ, **fake.env})
        if export_on_exit is not None:
            write_json(export_on_exit, fake.state())
        if status:
            from fake_convai.testing.report import journal_text

            click.echo(f"fake-convai: the command ended with {status}. What it has sent:", err=True)
            said = journal_text(fake, since=0.0).replace("this test's ends", "that of CONVAI_API_KEY ends")
            click.echo(said.replace("API key of this test", "key of CONVAI_API_KEY"), err=True)
    raise SystemExit(status)


def _key(settings: Options) -> str | None:
    """One that the server takes: the first that it was given, that of the demo, or any."""
    return settings.api_key[0] if settings.api_key else "demo" if settings.demo else None


def _run(command: list[str], variables: dict[str, str]) -> int:
    process = subprocess.Popen(command, env=variables)
    # Ctrl-C reaches the command by itself, which decides what to do; a request to stop is passed on.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    status = process.wait()
    return status if status >= 0 else 128 - status
