"""The journals of a test's accounts as text, for the report of a test that failed."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from fake_convai.control.client import ControlError
from fake_convai.testing.happenings import Happenings
from fake_convai.testing.records import Request, read

MOST = 50
"""Requests shown, the last ones."""

WIDTH = 500
"""Characters of a body that are shown."""

TITLE = "fake-convai journal"


def sections(made: Sequence[Happenings], older: Sequence[Happenings], since: float) -> Iterator[tuple[str, str]]:
    """A section for each account: of those that the test made all, of older ones what came since it began."""
    for fake in made:
        text = fake._last_journal if not fake.is_running else journal_text(fake, known=[*made, *older], since=since)
        if text is not None:
            yield _title(fake, len(made) == 1), text
    for fake in older:
        if fake.is_running and (requests := _since(fake, since)):
            yield _title(fake, alone=False), _shown(requests)


def _title(fake: Happenings, alone: bool) -> str:
    return TITLE if alone else f"{TITLE} of the account {fake.api_key[-4:]}"


def journal_text(fake: Happenings, known: Sequence[Happenings] = (), since: float | None = None) -> str:
    """What the account was asked and what it answered, if anything; who came with another key, what never happened."""
    try:
        requests = fake.requests()
        hints = [] if since is None else [*_strays(fake, known, since), *(fake.unhappened() if fake._planned else ())]
    except ControlError as error:
        return f"The journal cannot be read: {error}"
    if not requests:
        nothing = f"No request reached {fake.url} with the API key of this test (it ends in {fake.api_key[-4:]})."
        return "\n".join([nothing, *hints])
    return "\n".join([*hints, _shown(requests)])


def _strays(fake: Happenings, known: Sequence[Happenings], since: float) -> Iterator[str]:
    """Requests since the test began that came to the same server for no account of ours: with a wrong key, or none."""
    if fake._server is None:
        return  # a server of everybody's: others may use it meanwhile
    mine = f"this test's ends in {fake.api_key[-4:]}"
    ours = {f"...{one.api_key[-4:]}" for one in [*known, fake]}
    entries = [read(Request, one) for one in fake._running().call("GET", "/requests")["requests"]]
    came = Counter(
        one.account
        for one in entries
        if one.at.timestamp() >= since
        and one.account not in ours
        and (one.credential in ("key", "nothing") or one.status == 401)  # what an account gave out leads to its own
    )
    for key, number in came.items():
        many = f"{number} request{'s' if number > 1 else ''} came"
        yield f"{many} without a key, {mine}." if key is None else f"{many} with a key that ends in {key[3:]}, {mine}."


def _since(fake: Happenings, since: float) -> list[Request]:
    try:
        return [one for one in fake.requests() if one.at >= datetime.fromtimestamp(since, UTC)]
    except ControlError:
        return []


def _shown(requests: Sequence[Request]) -> str:
    left_out = len(requests) - MOST
    lines = [f"({left_out} earlier requests)"] if left_out > 0 else []
    for request in requests[-MOST:]:
        lines += _lines(request)
    return "\n".join(lines)


def _lines(request: Request) -> Iterator[str]:
    yield f"{request.method} /{request.surface}{request.path} -> {request.status} ({request.duration_ms:.1f} ms)"
    for name in ("body", "response", "fault", "unknown_fields", "violations", "explanations"):
        value = getattr(request, name)
        if value not in (None, [], {}, ""):
            yield f"    {name}: {_short(value)}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= WIDTH else f"{text[:WIDTH]}... ({len(text)} characters)"
