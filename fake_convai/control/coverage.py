"""`GET /_fake/coverage`: which parts of the contract an account, or everybody, has met."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any

from fake_convai.api.published import published
from fake_convai.backend.surface import Surface
from fake_convai.control import answers
from fake_convai.control.plane import ControlCall
from fake_convai.store import journal, messages


async def show(call: ControlCall) -> Annotated[dict[str, Any], answers.Coverage]:
    """The operations of the three surfaces, each with the statuses that were met and what is guessed about it; and the
    messages of a live session, each with how often it was met.

    An operation on several surfaces counts once, where it was met or else where it belongs first.
    """
    came = await call.backend.database.read(lambda tx: messages.met(tx, call.account_id))
    met: dict[tuple[str, str, str], Counter[int]] = defaultdict(Counter)
    for surface, method, path, status, count in await call.backend.database.read(
        lambda tx: journal.met(tx, call.account_id)
    ):
        met[surface, method, path][status] += count
    operations: dict[tuple[str, str], dict[str, Any]] = {}
    for surface in Surface:
        for path, methods in published(surface)["paths"].items():
            for method, operation in methods.items():
                one = _operation(surface, method.upper(), path, operation, met)
                known = operations.setdefault((path, method), one)
                if known is not one:
                    known["met"] = sorted({*known["met"], *one["met"]})
                    known["requests"] += one["requests"]
    found = list(operations.values())
    return {
        "operations": found,
        "met": sum(1 for one in found if one["met"]),
        "of": len(found),
        "messages": [
            {"direction": direction, "type": kind, "met": came.get((direction, kind), 0)}
            for direction, kind in _messages()
        ],
    }


@cache
def _messages() -> list[tuple[str, str]]:
    """The messages of the contract, by direction and type; an envelope is called by what is in it."""
    from fake_convai.live.client_messages import NOT_EMULATED

    schemas = published(Surface.LIVE)["components"]["schemas"]
    emulated = schemas["ClientMessage"]["discriminator"]["mapping"]
    sent = [("in", kind) for kind in (*emulated, *NOT_EMULATED)]
    types = [schema.get("properties", {}).get("type", {}) for schema in schemas.values()]
    named = {kind for one in types for kind in [one.get("const"), *one.get("enum", ())]}
    of_client = {kind for _, kind in sent}
    return sent + [("out", kind) for kind in sorted(named - of_client - {None, "server-message"})]


def _operation(
    surface: Surface,
    method: str,
    path: str,
    operation: dict[str, Any],
    met: Mapping[tuple[str, str, str], Counter[int]],
) -> dict[str, Any]:
    found = met.get((surface, method, path), Counter[int]())
    guesses = [one for one in operation.get("x-assumptions", ()) if "field" not in one]
    return {
        "surface": surface,
        "method": method,
        "path": path,
        "statuses": [int(status) for status in operation["responses"] if status.isdecimal()],
        "met": sorted(found),
        "requests": found.total(),
        "assumptions": [{"id": one["id"], "says": one["says"]} for one in guesses],
    }
