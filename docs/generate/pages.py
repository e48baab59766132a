"""The pages that are made from the contract: contract.md, fidelity.md and realtime.md."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fake_convai.api.routes import ENDPOINTS
from fake_convai.api.unused import UNUSED
from fake_convai.contract.provenance import SOURCES, Section, sections
from fake_convai.live import hub, websocket
from fake_convai.live.client_messages import NOT_EMULATED
from fake_convai.traffic.evidence import Evidence

MADE = "<!-- Made by `make openapi`: change {origin}, not this page. -->"
PROVENANCE = "fake_convai/contract/provenance.yaml"
_WORDS = {
    "seed": "memory pages",
    "docs": "documentation",
    "sdk": "SDKs",
    "observed": "seen in programs",
}


def contract() -> str:
    """What goes over the wire, section by section, with where each statement is known from."""
    return _page(_contract())


def _contract() -> Iterator[str]:
    yield MADE.format(origin=PROVENANCE)
    yield from _paragraphs(
        "# The contract",
        "What the real service does, as far as public sources show it, and what this fake imitates. A statement ends "
        "in its source, unless that is the vendor's other documentation. What each operation takes and answers is in "
        "[openapi/](../openapi), what is guessed in [fidelity.md](fidelity.md), messages in "
        "[realtime.md](realtime.md). `make sources` looks for what the newest Web SDK does and does not stand here.",
    )
    operations: Counter[str] = Counter(endpoint.source for endpoint in ENDPOINTS)
    statements: Counter[str] = Counter(known.source for section in sections() for known in section.known)
    yield from ("| Source | What it is | Operations | Statements |", "|---|---|--:|--:|")
    for source, word in _WORDS.items():
        yield f"| {word} | {SOURCES[source]} | {operations[source] or ''} | {statements[source]} |"
    yield "| this fake | its own ways, which claim nothing about the real service | | |"
    for number, section in enumerate(sections(), 1):
        yield from _paragraphs("", f"## {number}. {section.section}")
        yield from _section(section)


def _section(section: Section) -> Iterator[str]:
    endpoints = [endpoint for endpoint in ENDPOINTS if endpoint.group in section.groups]
    operations: dict[tuple[str, str], list[str]] = {}
    for endpoint in endpoints:
        alike = operations.setdefault((" and ".join(endpoint.surfaces), endpoint.source), [])
        alike.append(f"`{endpoint.method} {endpoint.path}`")
    yield from (f"- On {where}: {', '.join(some)}.{_from(source)}" for (where, source), some in operations.items())
    if section.about:
        yield from _paragraphs("", section.about)
    yield from (f"- {known.says}{_from(known.source)}" for known in section.known)
    for path in dict.fromkeys(endpoint.path for endpoint in endpoints):
        for source, names in UNUSED.get(path, {}).items():
            yield f"- `{path}` takes and does not use {', '.join(f'`{name}`' for name in names)}.{_from(source)}"
    yield from (f"- {what} *(this fake)*" for what in section.ours)


def _from(source: str) -> str:
    return "" if source == "docs" else f" *({_WORDS[source]})*"


def _place(*parts: str | None) -> str:
    place = " ".join(f"`{part}`" for part in parts if part)
    return f"{place}: " if place else ""


def fidelity(evidence: Iterable[Evidence] = ()) -> str:
    """How much is known, what is guessed and what became of it, what is not emulated."""
    return _page(_fidelity(_found_out(evidence)))


def _found_out(evidence: Iterable[Evidence]) -> dict[str, str]:
    """What was found out at the real service, the latest of each guess, by id."""
    findings = [one for run in evidence if run.target == "real" for one in run.guesses if one.result != "undecided"]
    latest = {one.id: one for one in sorted(findings, key=lambda one: one.at)}
    return {one.id: f"{one.result} on {one.at[:10]}" for one in latest.values()}


def _fidelity(found_out: Mapping[str, str]) -> Iterator[str]:
    yield MADE.format(origin=PROVENANCE)
    yield from _paragraphs(
        "# How close to the real thing",
        "Convai publishes no machine-readable contract, so this fake is built from what anybody can read, and this "
        "project, which has no key, has tested nothing against the real service. What is known is in "
        "[contract.md](contract.md). The same marks are in the OpenAPI documents: `x-source` on each operation, "
        "`x-assumptions` for the guesses.",
    )
    yield from _paragraphs("", "## Where sources disagree")
    yield from ("| About | Sources | The fake |", "|---|---|---|")
    for section in sections():
        yield from (f"| {section.section} | {one.says} | {one.here} |" for one in section.disagreeing)
    yield from _paragraphs("", "## Guessed", "The names are those that `fake-convai verify` takes.")
    for section in sections():
        if section.guessed:
            yield from _paragraphs("", f"### {section.section}")
            for one in section.guessed:
                status = f" **{found_out[one.id]}**" if one.id in found_out else ""
                yield f"- `{one.id}`: {_place(one.at, one.field)}{one.says}{status}"
    yield from _paragraphs("", "## Not emulated")
    yield from (f"- {what}" for section in sections() for what in section.not_emulated)
    yield from _paragraphs(
        "",
        "## You know better?",
        "`fake-convai verify --target real --api-key KEY` does an experiment for each guess: slowly, on a character "
        "and end users of its own, which it deletes. Nothing else of the account is touched, and it asks before it "
        "begins. It says of each guess whether it is confirmed, refuted or undecided. A run that was broken off goes "
        "on when it is started again.",
        "The file that it writes (`convai-evidence-real.json`) has no key in it. Please put it into `docs/evidence/` "
        "and open a pull request: this page shows it. A recording settles more: "
        "[record-and-compare.md](record-and-compare.md).",
    )


def _page(lines: Iterable[str]) -> str:
    """Lines as a file, with one empty line where there are several."""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def _paragraphs(*texts: str) -> Iterator[str]:
    for text in texts:
        yield text
        if text:
            yield ""


_CLOSINGS = {
    hub.UNKNOWN: "there is no such session, or its character has been deleted",
    hub.EXPIRED: "the session has ended",
    websocket.MISMATCH: "it was opened for another transport",
    websocket.TAKEN: "another connection has it",
}


def realtime(live: Mapping[str, Any]) -> str:
    """The messages of the WebSocket, from the document of the live surface."""
    return _page(_realtime(live["components"]["schemas"]))


def _realtime(schemas: Mapping[str, Any]) -> Iterator[str]:
    yield MADE.format(origin="fake_convai/live/messages.py and client_messages.py")
    yield from _paragraphs(
        "# Messages of a live session",
        "Their schemas, with examples, stand under `components` of [live.json](../openapi/live.json): `ClientMessage` "
        "is everything that a client may send, `ServerEvent` everything that comes back.",
        '`POST /connect` with `"transport": "websocket"` answers a `room_url`; connect to it, and send and receive '
        "JSON as text frames of up to 16 MiB.",
        "## What a client sends",
        'Each is such as `{"type": "user_text_message", "data": {"text": "Hello."}}`, with the members of `data` in '
        "brackets here, and is acknowledged with a `server-response`; `extras` holds what there is to say about it.",
    )
    for kind, ref in schemas["ClientMessage"]["discriminator"]["mapping"].items():
        message = schemas[_name(ref)]
        yield f"- `{kind}`{_members(schemas, message)}: {message['description']}"
    refused: dict[str, list[str]] = {}
    for kind, reason in NOT_EMULATED.items():
        refused.setdefault(reason, []).append(kind)
    yield from _paragraphs(
        "",
        "Documented too, but not emulated, and so answered with `error` and the reason:",
        "; ".join(f"{', '.join(f'`{kind}`' for kind in kinds)} ({reason})" for reason, kinds in refused.items()) + ".",
        "## What the server sends",
        "A turn: `final-user-transcription` (unless a trigger began it), `bot-llm-started`, `bot-llm-text` in pieces, "
        "`bot-llm-stopped`, `bot-tts-started`, `bot-started-speaking`, `bot-stopped-speaking`, `bot-turn-completed`. "
        "`interaction-created` comes once, before the first.",
    )
    yield from _table(schemas, schemas["ServerEvent"]["discriminator"]["mapping"])
    yield from _paragraphs("", "Some events have their kind inside `data` of a `server-message`:")
    inside = schemas["ServerMessage"]["properties"]["data"]["discriminator"]["mapping"]
    yield from _table(schemas, inside)
    yield from _paragraphs("", "## When the server closes")
    yield from (f"- {hub.POLICY_VIOLATION} `{reason}`: {when}" for reason, when in _CLOSINGS.items())
    yield "- 1000 `Session ended`: `kill-pipeline`, `/disconnect`, or nothing was heard for too long"
    yield "- 1011 and what happened: an error that nobody expected, or a fault that was asked for"
    yield from _paragraphs(
        "",
        "## Streams",
        "`POST /connect/stream` answers with server-sent events, a `StreamEvent` each: `connection-started`, the "
        "events of the answer, `bot-transcription` with the whole of it, and `connection-stoppped`, spelled like this.",
        "## In a room",
        "The same messages as data packets, and these besides, `RoomEvent` in the document. What the SDKs read at "
        "another place than the pages have it is sent at both; the rest is in [rooms.md](rooms.md).",
    )
    yield from _table(schemas, schemas["RoomEvent"]["discriminator"]["mapping"])
    yield from _paragraphs("", "Inside `data` of a `server-message`:")
    yield from _table(schemas, schemas["RoomServerMessage"]["properties"]["data"]["discriminator"]["mapping"])
    yield from _paragraphs(
        "",
        "## In a room of several characters",
        "`RosterCommand` in the document is what a person may send to the "
        "[room itself](rooms.md#several-characters-in-one-room), `RosterEvent` what comes of it:",
    )
    yield from _table(schemas, schemas["RosterCommand"]["discriminator"]["mapping"])
    yield from _paragraphs("", "What the room says, all but the first two inside `data` of a `server-message`:")
    yield from _table(schemas, schemas["RosterEvent"]["discriminator"]["mapping"])
    inside = schemas["RosterServerMessage"]["properties"]["data"]["discriminator"]["mapping"]
    yield from _table(schemas, {kind: ref for kind, ref in inside.items() if kind != "server-response"})
    yield from ("", Path(__file__).with_name("realtime.md").read_text("utf-8"))


def _members(schemas: Mapping[str, Any], message: Mapping[str, Any]) -> str:
    """What `data` of a message may hold, in brackets."""
    named = re.findall(r"schemas/(\w+)", str(message["properties"].get("data")))
    members = schemas[named[0]]["properties"] if named else ()
    return f" ({', '.join(f'`{name}`' for name in members)})" if members else ""


_AROUND = ("ServerMessage", "RoomServerMessage", "RosterServerMessage")
"""What is shown as a list of what it holds."""


def _table(schemas: Mapping[str, Any], mapping: Mapping[str, str]) -> Iterator[str]:
    """Each schema of a mapping once, with the kinds that it is for."""
    kinds: dict[str, list[str]] = {}
    for kind, ref in mapping.items():
        kinds.setdefault(_name(ref), []).append(f"`{kind}`")
    yield from (
        f"- {', '.join(called)}: {schemas[name]['description']}"
        for name, called in kinds.items()
        if name not in _AROUND
    )


def _name(ref: str) -> str:
    return ref.rpartition("/")[2]
