"""A request as one line, for people on a terminal and as JSON for machines: the live view, and `requests --follow`."""

import logging
import queue
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, TextIO

import click

from fake_convai.backend.errors import ERROR_MEMBERS
from fake_convai.backend.journal import REQUESTS, told
from fake_convai.domain.text import printable, printable_json

MOST_WAITING = 10_000
"""Lines that wait for a terminal that is slow; more are left out, so that no request ever waits for one."""


def line(entry: Mapping[str, Any], *, coloured: bool) -> str:
    """An entry of the journal on one line: when, what, for whom, how it went and how long it took, what was odd."""
    status = entry["status"]
    colour = "green" if status < 400 else "yellow" if status < 500 else "red"
    shown = click.style(str(status), fg=colour) if coloured else str(status)
    odd = "; ".join(oddities(entry))
    odd = f"  {click.style(odd, fg='magenta') if coloured else odd}" if odd else ""
    what = printable(f"{entry['method']:<4} /{entry['surface']}{entry['path']}")
    account = printable(entry.get("account") or "no key")
    return f"{entry['at'][11:23]} {shown} {what:<40} {entry['duration_ms']:8.1f} ms  {account}{odd}"


def oddities(entry: Mapping[str, Any]) -> Iterator[str]:
    """What is to be said about a request beside its status, such as why it was refused."""
    if entry.get("fault"):
        fault = entry["fault"]
        yield f"fault {fault.get('status') or ('disconnect' if fault.get('disconnect') else 'delay')}"
    if entry.get("off_surface"):
        yield "on another surface than the documents say"
    yield from (f"nobody reads {printable(repr(name))}" for name in entry.get("unknown_fields", ()))
    violations = [printable(one) for one in entry.get("violations", ())]
    yield from violations
    answer = entry.get("response")
    if entry["status"] >= 400 and not entry.get("fault") and isinstance(answer, Mapping):
        refusals = (printable(answer[name]) for name in ERROR_MEMBERS if isinstance(answer.get(name), str))
        yield from (one for one in refusals if not any(known in one for known in violations))


def watch(level: str, form: str, stream: TextIO | None = None) -> None:
    """Write a line for each request from now on, unless only warnings are wanted; `form` is text or json."""
    if level not in ("info", "debug"):
        return
    waiting: queue.Queue[logging.LogRecord] = queue.Queue(MOST_WAITING)
    output = sys.stderr if stream is None else stream
    coloured = output.isatty()

    class Handler(logging.Handler):
        """Hands a record to the thread that writes."""

        def emit(self, record: logging.LogRecord) -> None:
            with suppress(queue.Full):
                waiting.put_nowait(record)

    def write() -> None:
        while True:
            entry = told(waiting.get().__dict__["note"])
            text = line(entry, coloured=coloured)
            if form == "json":
                text = printable_json(entry)
            try:
                print(text, file=output, flush=True)
            except ValueError:  # whoever read it has closed it
                return

    REQUESTS.handlers[:] = [Handler()]
    REQUESTS.setLevel(logging.INFO)
    threading.Thread(target=write, name="fake-convai-lines", daemon=True).start()
