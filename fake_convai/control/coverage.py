"""`GET /_fake/coverage`: which parts of the contract an account, or everybody, has met."""

from collections import defaultdict
from typing import Any

from fake_convai.api.published import published
from fake_convai.backend.surface import Surface
from fake_convai.control.plane import ControlCall
from fake_convai.store import journal


async def show(call: ControlCall) -> dict[str, Any]:
    """The operations of the three surfaces, each with the statuses that were met and what is guessed about it.

    An operation on several surfaces counts once, where it was met or else where it belongs first.
    """
    met: dict[tuple[str, str, str], set[int]] = defaultdict(set)
    for surface, method, path, status in await call.backend.database.read(lambda tx: journal.met(tx, call.account_id)):
        met[surface, method, path].add(status)
    operations: dict[tuple[str, str], dict[str, Any]] = {}
    for surface in Surface:
        for path, methods in published(surface)["paths"].items():
            for method, operation in methods.items():
                one = _operation(surface, method.upper(), path, operation, met)
                known = operations.setdefault((path, method), one)
                if known is not one:
                    known["met"] = sorted({*known["met"], *one["met"]})
    found = list(operations.values())
    return {
        "operations": found,
        "met": sum(1 for one in found if one["met"]),
        "of": len(found),
        "messages": [],
    }


def _operation(
    surface: Surface,
    method: str,
    path: str,
    operation: dict[str, Any],
    met: dict[tuple[str, str, str], set[int]],
) -> dict[str, Any]:
    guesses = [one for one in operation.get("x-assumptions", ()) if "field" not in one]
    return {
        "surface": surface,
        "method": method,
        "path": path,
        "statuses": [int(status) for status in operation["responses"] if status.isdecimal()],
        "met": sorted(met.get((surface, method, path), ())),
        "assumptions": [{"id": one["id"], "says": one["says"]} for one in guesses],
    }
