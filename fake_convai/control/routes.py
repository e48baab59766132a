"""The routes under `/_fake`: what a test does to the fake itself (docs/control-plane.md)."""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Annotated, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from fake_convai import __version__
from fake_convai.api.published import DOCUMENTS, published
from fake_convai.api.routes import ENDPOINTS
from fake_convai.api.routing import CHAT_PATH
from fake_convai.backend.body import MEBIBYTE
from fake_convai.backend.faults import describe
from fake_convai.backend.responses import Answer, large
from fake_convai.backend.surface import Surface
from fake_convai.control import answers, clock, coverage, live, state
from fake_convai.control.documents import ComparisonDocument
from fake_convai.control.fault_document import FaultDocument
from fake_convai.control.plane import MANNERS, PREFIX, ControlCall, control
from fake_convai.control.seed import plant
from fake_convai.control.seed_document import SeedDocument
from fake_convai.control.speech_documents import RepliesDocument
from fake_convai.control.stub_document import StubsDocument, describe_stub
from fake_convai.control.waiting import Entries, Patience, nearest
from fake_convai.domain import dedup
from fake_convai.domain.errors import Invalid, NotFound, Unavailable
from fake_convai.domain.faults import ROOM_PATH
from fake_convai.domain.identity import MAX_END_USER_ID, normalise_end_user_id
from fake_convai.domain.stubs import path_fits
from fake_convai.domain.text import normalise_fact
from fake_convai.live.running import Running
from fake_convai.store import accounts, faults, journal, overview, stubs
from fake_convai.store.journal import Wanted
from fake_convai.store.query import Transaction

MAX_SNAPSHOT_NAME = 200
MAX_DIGITS = 15


async def health(request: Request) -> Annotated[Response, answers.Health]:
    """200 once migrated, seeded and able to write to the database, else 503."""
    running = Running.of(request.app)
    try:
        if running is None:
            raise Unavailable("The server has not started.")
        database = running.backend.database
        await (database.write(accounts.try_to_write) if database.lasting else database.read(faults.what_waits))
    except Unavailable as error:
        return Answer(503, {"status": "unavailable", "version": __version__, "reason": error.message}).response()
    return Answer(200, {"status": "ready", "version": __version__}).response()


async def reset(call: ControlCall) -> answers.Done:
    """As new: data, clock, faults, journal, snapshots, replies."""
    await call.backend.reset(call.account_id)
    await call.hub.sweep()  # connections of sessions that are gone are closed when this is answered
    return {"status": "reset"}


async def seed(call: ControlCall, document: SeedDocument) -> Annotated[dict[str, Any], answers.Seeded]:
    """Add a seed document to the account, all or nothing."""
    await call.one_account().long.write(plant, document)
    call.backend.stubs.changed()
    call.backend.faults.changed()
    return {"status": "seeded", **{part: len(getattr(document, part)) for part in state.PARTS}}


async def show_state(call: ControlCall) -> Annotated[Response, SeedDocument]:
    """The account, or one person in it, or only some parts, as a seed document."""
    query = dict(call.request.query_params)
    _refuse_unknown(query, ("end_user_id", "parts"))
    parts = query["parts"].split(",") if "parts" in query else state.PARTS
    if not set(parts) <= set(state.PARTS):
        raise Invalid(f"Invalid filter 'parts': send some of {','.join(state.PARTS)}.")
    return await large(await call.one_account().long.read(state.export, _end_user_id(query), frozenset(parts)))


async def list_accounts(call: ControlCall) -> answers.Accounts:
    """Which accounts there are, and how much each of them holds."""
    return {"accounts": await call.backend.database.read(lambda tx: overview.list_accounts(tx, call.account_id))}


async def list_snapshots(call: ControlCall) -> answers.Snapshots:
    """The names of the account's snapshots."""
    from fake_convai.store import snapshots

    return {"snapshots": await call.one_account().read(snapshots.names)}


async def save_snapshot(call: ControlCall) -> answers.Snapshot:
    """Keep the account as it is, under a name."""
    from fake_convai.store import snapshots

    name = _snapshot_name(call)
    account = call.one_account().long
    await account.write(snapshots.keep, name, await account.read(snapshots.content))
    return {"name": name}


async def restore_snapshot(call: ControlCall) -> answers.Snapshot:
    """Put the account back to how it was saved."""
    from fake_convai.store import snapshots

    name = _snapshot_name(call)
    await call.one_account().long.write(snapshots.restore, name)
    call.backend.faults.changed()
    call.backend.stubs.changed()
    call.backend.time.moved()
    await call.hub.sweep()
    if call.account_id is not None:
        await call.running.rooms.reload(call.account_id)
    return {"name": name}


async def drop_snapshot(call: ControlCall) -> answers.Snapshot:
    """Forget a snapshot."""
    from fake_convai.store import snapshots

    name = _snapshot_name(call)
    await call.one_account().write(snapshots.drop, name)
    return {"name": name}


async def add_fault(call: ControlCall, document: FaultDocument) -> Annotated[dict[str, Any], FaultDocument]:
    """Let an error, a delay or a broken connection happen to coming requests."""
    fault = document.fault()
    stubbed = await call.backend.database.read(lambda tx: stubs.matches(tx, call.account_id))
    _refuse_unknown_path(fault.match.path, [match.path for _, match in stubbed])
    await call.backend.database.write(lambda tx: faults.add(tx, call.account_id, fault))
    call.backend.faults.changed()
    return describe(fault)


def _refuse_unknown_path(path: str | None, stubbed: Sequence[str]) -> None:
    """A fault for a path that nobody can ask would never happen, and its test would prove nothing."""
    known = {endpoint.path for endpoint in ENDPOINTS} | {CHAT_PATH, ROOM_PATH}
    if path is None or (path.rstrip("/") or "/") in known or any(path_fits(one, path) for one in stubbed):
        return
    nearest = difflib.get_close_matches(path, sorted({*known, *stubbed}), n=1, cutoff=0.0)[0]
    raise Invalid(f"Invalid fault at 'match.path': there is no route {path}; the nearest is {nearest}.")


async def list_faults(call: ControlCall) -> Annotated[dict[str, Any], answers.Faults]:
    """The faults that wait: `times` is how often each will still happen, `happened` how often it has, if ever.

    With `?used_up=true` also those that have happened as often as they should.
    """
    query = dict(call.request.query_params)
    _refuse_unknown(query, ("used_up",))
    if query.get("used_up", "true") != "true":
        raise Invalid("Invalid filter 'used_up': send true, or leave it out.")
    listed = await call.backend.database.read(lambda tx: faults.list_all(tx, call.account_id))
    shown = []
    for one in listed:
        happened = {"happened": one.happened} if one.happened else {}
        if one.times != 0 or query:
            shown.append({**describe(one.fault), "times": one.times, **happened})
    return {"faults": shown}


async def clear_faults(call: ControlCall) -> Annotated[dict[str, Any], answers.Faults]:
    """Forget the faults that wait."""
    await call.backend.database.write(lambda tx: faults.clear(tx, call.account_id))
    return {"faults": []}


async def set_stubs(call: ControlCall, document: StubsDocument) -> Annotated[dict[str, Any], StubsDocument]:
    """Answer requests in one's own way, in place of what was set before."""
    given = [stub.stub() for stub in document.stubs]
    await call.backend.database.write(lambda tx: stubs.put(tx, call.account_id, given))
    call.backend.stubs.changed()
    return {"stubs": [describe_stub(stub) for stub in given]}


async def list_stubs(call: ControlCall) -> Annotated[dict[str, Any], StubsDocument]:
    """The answers that are set; `times` is how often each will still be given."""
    found = await call.backend.database.read(lambda tx: stubs.list_all(tx, call.account_id))
    return {"stubs": [describe_stub(stub) for stub in found]}


async def clear_stubs(call: ControlCall) -> Annotated[dict[str, Any], StubsDocument]:
    """Answer as the fake does again."""
    await call.backend.database.write(lambda tx: stubs.clear(tx, call.account_id))
    return {"stubs": []}


async def compare_facts(call: ControlCall, facts: ComparisonDocument) -> answers.Verdict:
    """Whether a new fact would update an existing one by the naive rule, and why."""
    verdict = dedup.compare(normalise_fact(facts.existing), normalise_fact(facts.new))
    return {"same": verdict.same, "because": verdict.because}


async def list_requests(call: ControlCall) -> Annotated[Response, answers.Journal]:
    """The journal, oldest first; when a filter finds nothing, what comes nearest to it.

    With `wait` or `count`, as soon as so many match.
    """
    query = dict(call.request.query_params)
    patience = Patience.of(query)
    wanted, database = _wanted(query), call.backend.database
    if patience is None:
        is_large = await database.read(lambda tx: journal.KEPT.size(tx, call.account_id)) > MEBIBYTE
        return await large(await database.read(lambda tx: _found(tx, call.account_id, wanted), long=is_large))

    async def read(which: Wanted = wanted) -> Entries:
        await call.backend.journal.flush()
        return await database.read(lambda tx: journal.read(tx, call.account_id, which))

    found = await patience.wait(call.backend.journal.added, read)
    dropped = await database.read(lambda tx: journal.KEPT.dropped(tx, call.account_id))
    answer = {"requests": found, "dropped": dropped}
    if len(found) >= patience.count:
        return await large({**answer, "complete": True})
    asked = {name: value for name, value in asdict(wanted).items() if name in ("path", "surface", "status") and value}
    return await large({**answer, "complete": False, "nearest": nearest(await read(Wanted()), asked)})


async def clear_requests(call: ControlCall) -> answers.Journal:
    """Empty the journal."""
    await call.backend.database.write(lambda tx: journal.KEPT.clear(tx, call.account_id))
    return {"requests": [], "dropped": 0}


async def show_replies(call: ControlCall) -> Annotated[dict[str, Any], RepliesDocument]:
    """What the account's characters are told to say."""
    return await call.one_account().read(accounts.replies) or {"replies": [], "default": None}


async def set_replies(call: ControlCall, document: RepliesDocument) -> Annotated[dict[str, Any], RepliesDocument]:
    """Tell the account's characters what to say, in place of what they were told before."""
    script = document.script()
    await call.one_account().write(accounts.set_replies, script)
    return script


async def show_contract(call: ControlCall) -> dict[str, Any]:
    """The OpenAPI document of a surface, or of the control plane."""
    name = call.request.path_params["surface"]
    if name not in DOCUMENTS:
        raise NotFound(f"Unknown document '{name}.json': there are {', '.join(f'{one}.json' for one in DOCUMENTS)}.")
    return published(name)


def _wanted(query: dict[str, str]) -> Wanted:
    _refuse_unknown(query, ("path", "surface", "status", "end_user_id", "after", "limit", "wait", "count"))
    surface = query.get("surface")
    if surface is not None and surface not in set(Surface):
        raise Invalid(f"Invalid filter 'surface': send {', '.join(Surface)}.")
    path = query.get("path")
    if path is not None and "\0" in path:
        raise Invalid("Invalid filter 'path': send a path such as /memory/add.")
    return Wanted(
        path=path,
        surface=surface,
        status=_number(query, "status", "[0-9]{1,3}", "a number such as 200"),
        end_user_id=_end_user_id(query),
        after=_number(query, "after", f"[0-9]{{1,{MAX_DIGITS}}}", "how many requests you have seen, such as 25"),
        limit=_number(query, "limit", "[1-9][0-9]*", "how many requests you want at most, such as 100"),
    )


def _number(query: dict[str, str], name: str, pattern: str, wanted: str) -> int | None:
    if name not in query:
        return None
    if not re.fullmatch(pattern, query[name]):
        raise Invalid(f"Invalid filter '{name}': send {wanted}.")
    return int(query[name][:MAX_DIGITS])


def _refuse_unknown(query: dict[str, str], known: Sequence[str]) -> None:
    unknown = set(query) - set(known)
    if unknown:
        names = " or ".join(part for part in (", ".join(known[:-1]), known[-1]) if part)
        raise Invalid(f"Unknown filter '{min(unknown)}': send {names}.")


def _end_user_id(query: dict[str, str]) -> str | None:
    if "end_user_id" not in query:
        return None
    end_user_id = normalise_end_user_id(query["end_user_id"])
    if end_user_id is None or len(end_user_id) > MAX_END_USER_ID or "\0" in end_user_id:
        raise Invalid(f"Invalid filter 'end_user_id': send a non-blank string of at most {MAX_END_USER_ID} characters.")
    return end_user_id


def _found(tx: Transaction, account_id: int | None, wanted: Wanted) -> dict[str, Any]:
    found = journal.read(tx, account_id, wanted)
    answer = {"requests": found, "dropped": journal.KEPT.dropped(tx, account_id)}
    if found or wanted == Wanted(end_user_id=wanted.end_user_id, after=wanted.after, limit=wanted.limit):
        return answer
    return {**answer, "nearest": _nearest(tx, account_id, wanted)}


def _nearest(tx: Transaction, account_id: int | None, wanted: Wanted) -> list[str]:
    """What the first filter that rules everything out could have been: paths, surfaces or statuses."""
    so_far = Wanted()
    for name in ("path", "surface", "status"):
        value = getattr(wanted, name)
        if value is None:
            continue
        there = journal.values(tx, account_id, name, so_far)
        if str(value) not in there:
            return difflib.get_close_matches(str(value), there, n=3, cutoff=0.0)
        so_far = replace(so_far, **{name: value})
    return []


def _snapshot_name(call: ControlCall) -> str:
    name: str = call.request.path_params["name"]
    if not 0 < len(name.strip()) <= MAX_SNAPSHOT_NAME or "\0" in name:
        raise Invalid(f"Invalid snapshot name: send 1 to {MAX_SNAPSHOT_NAME} characters.")
    return name


async def _unknown(scope: Scope, receive: Receive, send: Send) -> None:
    known = sorted({route.path_format for route in ROUTES})
    error = NotFound(f"Unknown control route {scope['path']}. There are {', '.join(known)}.")
    await MANNERS.answer(error).response()(scope, receive, send)


ROUTES = [
    Route(f"{PREFIX}/health", health, methods=["GET"]),
    *(
        Route(f"{PREFIX}{path}", control(handler), methods=[method])
        for method, path, handler in (
            ("POST", "/reset", reset),
            ("POST", "/seed", seed),
            ("GET", "/state", show_state),
            ("GET", "/accounts", list_accounts),
            ("GET", "/snapshots", list_snapshots),
            ("PUT", "/snapshots/{name:path}", save_snapshot),
            ("DELETE", "/snapshots/{name:path}", drop_snapshot),
            ("POST", "/snapshots/{name:path}/restore", restore_snapshot),
            ("GET", "/clock", clock.show),
            ("PUT", "/clock", clock.change),
            ("DELETE", "/clock", clock.run_on),
            ("POST", "/faults", add_fault),
            ("GET", "/faults", list_faults),
            ("DELETE", "/faults", clear_faults),
            ("GET", "/stubs", list_stubs),
            ("PUT", "/stubs", set_stubs),
            ("DELETE", "/stubs", clear_stubs),
            ("POST", "/compare", compare_facts),
            ("GET", "/requests", list_requests),
            ("DELETE", "/requests", clear_requests),
            ("GET", "/replies", show_replies),
            ("PUT", "/replies", set_replies),
            ("GET", "/coverage", coverage.show),
            ("GET", "/pace", live.show_pace),
            ("PUT", "/pace", live.set_pace),
            ("DELETE", "/pace", live.clear_pace),
            ("GET", "/lag", live.show_lag),
            ("PUT", "/lag", live.set_lag),
            ("DELETE", "/lag", live.clear_lag),
            ("POST", "/settle", live.settle),
            ("GET", "/messages", live.list_messages),
            ("DELETE", "/messages", live.clear_messages),
            ("GET", "/openapi/{surface}.json", show_contract),
        )
    ),
]


def allowed_methods(path: str) -> list[str]:
    """The methods that a control route takes; none for a path that is no such route."""
    found = {method for route in ROUTES if route.path_regex.match(path) for method in route.methods or ()}
    return sorted(found - {"HEAD"})


def control_plane(page: Iterable[Route] = ()) -> Router:
    """The ASGI application behind `/_fake`; `page` is what people look at there."""
    return Router([*ROUTES, *page], redirect_slashes=False, default=_unknown)
