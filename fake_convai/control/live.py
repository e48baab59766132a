"""Live sessions as a test steers and reads them: how fast characters speak, and what was said."""

from typing import Annotated, Any

from starlette.responses import Response

from fake_convai.backend.body import MEBIBYTE
from fake_convai.backend.responses import large
from fake_convai.control import answers
from fake_convai.control.plane import ControlCall
from fake_convai.control.speech_documents import LagDocument, PaceDocument
from fake_convai.control.waiting import Entries, Patience, nearest
from fake_convai.domain.errors import Invalid
from fake_convai.domain.pace import INSTANT
from fake_convai.store import accounts, appearing, lag, messages
from fake_convai.store.messages import Wanted

_FILTERS = ("session_id", "character_session_id", "type", "direction")


async def show_pace(call: ControlCall) -> Annotated[dict[str, Any], PaceDocument]:
    """How fast the account's characters answer; what takes no time is left out."""
    _, pace = await call.one_account().read(accounts.manner)
    return pace.given()


async def set_pace(call: ControlCall, document: PaceDocument) -> Annotated[dict[str, Any], PaceDocument]:
    """Let the account's characters answer in a pace, in place of the one before."""
    pace = document.pace()
    await call.one_account().write(accounts.set_pace, pace)
    return pace.given()


async def clear_pace(call: ControlCall) -> Annotated[dict[str, Any], PaceDocument]:
    """Let the account's characters answer at once."""
    await call.one_account().write(accounts.set_pace, INSTANT)
    return {}


async def show_lag(call: ControlCall) -> Annotated[dict[str, Any], LagDocument]:
    """How late what is written appears; what appears at once is left out."""
    return await call.one_account().read(lag.settings)


async def set_lag(call: ControlCall, document: LagDocument) -> Annotated[dict[str, Any], LagDocument]:
    """Let what is written from now on appear later, in place of what was set before."""
    wish = document.lag()
    await call.one_account().write(lag.set_settings, wish)
    call.backend.faults.changed()
    return wish


async def clear_lag(call: ControlCall) -> Annotated[dict[str, Any], LagDocument]:
    """Let what is written from now on appear at once; what waits still waits."""
    await call.one_account().write(lag.set_settings, {})
    return {}


async def settle(call: ControlCall) -> answers.Settled:
    """Let everything that waits appear now."""
    return {"settled": await call.one_account().write(appearing.settle)}


async def list_messages(call: ControlCall) -> Annotated[Response, answers.Messages]:
    """The frames of live sessions, oldest first; with `wait` or `count`, as soon as so many match."""
    query = dict(call.request.query_params)
    patience = Patience.of(query)
    unknown = set(query) - set(_FILTERS)
    if unknown:
        raise Invalid(f"Unknown filter '{min(unknown)}': send {', '.join(_FILTERS)}, wait or count.")
    if query.get("direction", "in") not in ("in", "out"):
        raise Invalid("Invalid filter 'direction': send in or out.")
    if any("\0" in value for value in query.values()):
        raise Invalid("Invalid filter: leave NUL characters out.")
    wanted, database, frames = Wanted(**query), call.backend.database, call.backend.frames

    async def read(which: Wanted = wanted) -> Entries:
        await frames.flush()
        is_large = await database.read(lambda tx: messages.KEPT.size(tx, call.account_id)) > MEBIBYTE
        return await database.read(lambda tx: messages.read(tx, call.account_id, which), long=is_large)

    found = await read() if patience is None else await patience.wait(frames.added, read)
    dropped = await database.read(lambda tx: messages.KEPT.dropped(tx, call.account_id))
    answer: dict[str, Any] = {"messages": found, "dropped": dropped}
    if patience is not None:
        answer["complete"] = len(found) >= patience.count
        if not answer["complete"]:
            answer["nearest"] = nearest(await read(Wanted()), query)
    return await large(answer)


async def clear_messages(call: ControlCall) -> answers.Messages:
    """Forget the frames of live sessions."""
    await call.backend.database.write(lambda tx: messages.KEPT.clear(tx, call.account_id))
    return {"messages": [], "dropped": 0}
