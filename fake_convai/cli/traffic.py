"""The commands about real traffic: `proxy` records it, others hold the fake and the contract against it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fake_convai.cli.plane import Misuse
from fake_convai.domain.errors import CannotBeDone
from fake_convai.domain.text import printable, printable_json
from fake_convai.progress import Progress

if TYPE_CHECKING:
    from fake_convai.traffic.replay import Compared


@click.command()
@click.option(
    "--target",
    "targets",
    required=True,
    multiple=True,
    metavar="[SURFACE=]URL",
    help="The real service; with https://convai.com its three hosts are meant. Repeatable, one for each surface.",
)
@click.option("--record", "recording", type=click.Path(dir_okay=False, path_type=Path), help="A new file.")
@click.option("--har", type=click.Path(dir_okay=False, path_type=Path), help="A new HAR file instead, for other tools.")
@click.option("--tls", is_flag=True, help="Speak HTTPS with a local authority, for clients with fixed hosts.")
@click.option("--tls-folder", type=click.Path(file_okay=False, path_type=Path), help="Where that authority is kept.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=2669, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
def proxy(
    targets: tuple[str, ...],
    recording: Path | None,
    har: Path | None,
    tls: bool,
    tls_folder: Path | None,
    host: str,
    port: int,
) -> None:
    """Record the real service: pass requests on, keep no keys."""
    import uvicorn

    from fake_convai.server import KEEP_ALIVE, MAX_FRAME, listen, origin, prepare_tls, ready_message, serve
    from fake_convai.traffic.har import HarRecorder
    from fake_convai.traffic.proxy import create_proxy
    from fake_convai.traffic.recording import Recorder
    from fake_convai.traffic.targets import read_targets

    if (recording is None) == (har is None):
        raise Misuse("give either --record or --har")
    listeners: list[socket.socket] = []
    try:
        destinations = read_targets(targets)
        listeners = listen(host, port)
        secure = prepare_tls(tls_folder, host) if tls else None
        recorder = HarRecorder(har) if har is not None else Recorder(recording or Path())
    except CannotBeDone:
        for listener in listeners:
            listener.close()
        raise
    app = create_proxy(destinations, recorder)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="on",
        ws_max_size=MAX_FRAME,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=2,
        ssl_context_factory=None if secure is None else lambda config, default: secure[0],
    )
    message = ready_message(origin(host, listeners, "http" if secure is None else "https"), control=False)
    if secure is not None:
        message += f"\n  {'authority':<10} {secure[1]} (clients must trust it: docs/clients.md)"
    serve(config, listeners, message)


@click.command()
@click.argument("recording", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--url", metavar="URL", help="A running fake; without it, one is started for this run, in memory.")
@click.option(
    "--control-key", envvar="FAKE_CONVAI_CONTROL_KEY", show_envvar=True, help="What that was given as --control-key."
)
@click.option(
    "--seed",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Seed document of what was there before; without it, the characters that the recording uses.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def compare(recording: Path, url: str | None, control_key: str | None, seed: Path | None, as_json: bool) -> None:
    """Replay a recording against the fake and report what differs.

    Exits with 1 when something does.
    """
    from fake_convai.control.seed_document import read_document
    from fake_convai.traffic.har import read_traffic
    from fake_convai.traffic.replay import Replay

    with Progress(f"Reading {recording}"):
        exchanges, _ = read_traffic(recording)
        document = None if seed is None else read_document(seed)
    with _running(url) as at, Progress("Replaying", len(exchanges)) as progress:
        compared = list(progress.over(Replay(at, exchanges, control_key).compare(document)))
    _report(compared, as_json=as_json)
    raise SystemExit(1 if any(one.differences for one in compared) else 0)


@click.command()
@click.option(
    "--openapi",
    "contract",
    metavar="[production|beta|live|FILE]",
    help="Look at one surface only, by its name or by a file of its document.",
)
@click.argument("recording", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check(contract: str | None, recording: Path) -> None:
    """Report where a recording or HAR file departs from the contract.

    Exits with 1 when it does.
    """
    from fake_convai.traffic.check import check_exchanges, contracts
    from fake_convai.traffic.har import read_traffic

    with Progress(f"Reading {recording}"):
        documents = contracts(contract)
        exchanges, seen = read_traffic(recording)
    with Progress("Checking", len(exchanges)) as progress:
        report = check_exchanges(documents, progress.over(exchanges), seen)
    click.echo("\n".join(map(printable, report.lines())))
    raise SystemExit(1 if report.violations else 0)


@contextmanager
def _running(url: str | None) -> Iterator[str]:
    """The given fake, or one that lives as long as the block, with the settings of the environment."""
    if url is not None:
        yield url
        return
    from fake_convai.settings import load_settings
    from fake_convai.testing import FakeConvai

    settings = load_settings(database=None, seed=(), api_key=(), control_key=None, rate_limit=None)
    with FakeConvai(settings) as fake:
        yield fake.url


def _report(compared: "list[Compared]", *, as_json: bool) -> None:
    if as_json:
        found = [
            {"line": one.exchange.line, "call": _call(one), **asdict(difference)}
            for one in compared
            for difference in one.differences
        ]
        click.echo(printable_json({"exchanges": len(compared), "differences": found}, 2))
        return
    for one in compared:
        if not one.differences:
            continue
        click.echo(f"line {one.exchange.line}: {_call(one)}")
        frames = [frame.body.value for frame in one.exchange.frames if frame.sender == "client"]
        click.echo(f"  sent {_shown(frames or one.exchange.request.body.value)}")
        for difference in one.differences:
            click.echo(f"  {difference.kind}: {printable(difference.place)}")
            click.echo(f"    recorded  {_shown(difference.recorded)}")
            click.echo(f"    fake      {_shown(difference.fake)}")
        click.echo("")
    number = sum(len(one.differences) for one in compared)
    differing = sum(1 for one in compared if one.differences)
    click.echo(f"{len(compared)} exchanges, {number} differences in {differing} of them.")


def _call(one: "Compared") -> str:
    return printable(f"{one.exchange.request.method} {one.exchange.request.place}")


def _shown(value: Any) -> str:
    text = printable(value) if isinstance(value, str) else printable_json(value)
    return text if len(text) <= 300 else f"{text[:300]}..."
