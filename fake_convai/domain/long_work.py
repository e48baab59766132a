"""Long work beside the event loop."""

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

_lock = threading.Lock()
_resting: list[bool] = []
"""For each that runs now, whether the collector was at work before."""


async def aside(work: Callable[[], T]) -> T:
    """What `work` gives, run in a thread."""
    return await asyncio.to_thread(undisturbed, work)


def undisturbed(work: Callable[[], T]) -> T:
    """What `work` gives, run while Python's collector of cyclic garbage rests.

    Long work makes many objects that live until it is done; each full collection would go through all of them, and hold
    up every thread meanwhile.
    """
    with _collector_rests():
        return work()


@contextmanager
def _collector_rests() -> Iterator[None]:
    with _lock:
        _resting.append(gc.isenabled())
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            was_at_work = _resting.pop()
            if _resting:
                _resting[0] = _resting[0] or was_at_work
            elif was_at_work:
                gc.enable()
