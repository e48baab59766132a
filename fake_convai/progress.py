"""How far long work is, on standard error when that is a terminal; elsewhere nothing is written."""

import sys
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Self, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress as Display

T = TypeVar("T")

AFTER_SECONDS = 1.0
"""What takes less is not worth a word."""


class Progress:
    """Shows what is being done, and how much of `total` if that is known, until the block ends."""

    def __init__(self, doing: str, total: int | None = None) -> None:
        self._doing, self._total, self._done = doing, total, 0
        self._display: Display | None = None
        self._is_over = False
        self._turn = threading.Lock()
        self._later = threading.Timer(AFTER_SECONDS, self._show)
        self._later.daemon = True

    def over(self, things: Iterable[T]) -> Iterator[T]:
        """The things, each of which is counted when the next is asked for."""
        for thing in things:
            yield thing
            self._done += 1
            if self._display is not None:
                self._display.update(self._display.task_ids[0], completed=self._done)

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._later.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._later.cancel()
        with self._turn:
            self._is_over = True
            if self._display is not None:
                self._display.stop()

    def _show(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Display

        counted = (BarColumn(), MofNCompleteColumn()) if self._total else ()
        words = TextColumn("{task.description}", markup=False)
        columns = (SpinnerColumn(), words, *counted, TimeElapsedColumn())
        with self._turn:
            if self._is_over:
                return
            display = Display(*columns, console=Console(stderr=True), transient=True)
            task = display.add_task(self._doing, total=self._total)
            display.start()
            self._display = display
            display.update(task, completed=self._done)  # what is done from now on is counted by who does it
