"""The pages that are made from the contract: contract.md, fidelity.md and realtime.md."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fake_convai.api.routes import ENDPOINTS
from fake_convai.contract.provenance import SOURCES, Guess, Section, guesses, sections
from fake_convai.live import hub, websocket
from fake_convai.live.client_messages import NOT_EMULATED, OF_SEVERAL
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
        "What the real service does, as far as public sources show it. What each operation takes and answers is in "
        "[openapi/](../openapi), what is guessed in [fidelity.md](fidelity.md), messages in "
        "[realtime.md](realtime.md). A statement ends in its source, unless that is the vendor's documentation at "
        "large:",
    )
    yield from (f"- {word}: {SOURCES[source]}" for source, word in _WORDS.items() if source != "docs")
    yield "- this fake: its own ways, which claim nothing about the real service"
    for number, section in enumerate(sections(), 1):
        yield from _paragraphs("", f"## {number}. {section.section}")
        yield from _section(section)


def _section(section: Section) -> Iterator[str]:
    operations: dict[tuple[str, str], list[str]] = {}
    for endpoint in ENDPOINTS:
        if endpoint.group in section.groups:
            method = "" if endpoint.method == "POST" else f"{endpoint.method} "
            alike = operations.setdefault((" and ".join(endpoint.surfaces), endpoint.source), [])
            alike.append(f"`{method}{endpoint.path}`")
    yield from (f"- On {where}: {', '.join(some)}.{_from(source)}" for (where, source), some in operations.items())
    if section.about:
        yield from _paragraphs("", section.about)
    yield from (f"- {known.says}{_from(known.source)}" for known in section.known)
    yield from (f"- {what} *(this fake)*" for what in section.ours)


def _from(source: str) -> str:
    return "" if source == "docs" else f" *({_WORDS[source]})*"


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
        "Convai publishes no machine-readable contract, so this fake is built from what anybody can read: "
        "[contract.md](contract.md). The project has no key, and has tested nothing against the real service.",
        "## Where sources disagree",
    )
    yield from ("| Sources | The fake |", "|---|---|")
    yield from (f"| {one.says} | {one.here} |" for section in sections() for one in section.disagreeing)
    yield from _paragraphs(
        "",
        "## Guessed",
        f"Where every source is silent the fake guesses, in {len(guesses())} places: mostly limits, orders and "
        "statuses. `fake-convai verify --list` prints the guesses; in the [OpenAPI documents](../openapi) they stand "
        "as `x-assumptions` of an operation, or of the whole.",
    )
    if found_out:
        yield from _paragraphs("", "Found out at the real service:")
        yield from (f"{_guess(one)} **{found_out[one.id]}**" for one in guesses() if one.id in found_out)
    yield from _paragraphs("", "## Not emulated")
    yield from (f"- {what}" for section in sections() for what in section.not_emulated)
    yield from _paragraphs(
        "",
        "## You know better?",
        "`fake-convai verify --target real --api-key KEY` tries each guess, slowly, on a character and end users of "
        "its own, which it deletes. It asks before it begins; a run that was broken off goes on when it is started "
        "again. Please put the file that it writes, which has no key in it, into `docs/evidence/` and open a pull "
        "request: this page shows it. A recording settles more: [record-and-compare.md](record-and-compare.md).",
    )


def _guess(guess: Guess) -> str:
    about = " ".join(f"`{part}`" for part in (guess.at, guess.field) if part)
    return f"- `{guess.id}`: {about}{': ' if about else ''}{guess.says}"


def _page(lines: Iterable[str]) -> str:
    """Lines as a file, with one empty line where there are several."""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def _paragraphs(*texts: str) -> Iterator[str]:
    for text in texts:
        yield text
        if text:
            yield ""


def realtime(live: Mapping[str, Any]) -> str:
    """The messages of the WebSocket, from the document of the live surface."""
    return _page(_realtime(live["components"]["schemas"]))


def _realtime(schemas: Mapping[str, Any]) -> Iterator[str]:
    yield MADE.format(origin="fake_convai/live/messages.py and client_messages.py")
    yield from _paragraphs(
        "# Messages of a live session",
        "Schemas with examples are under `components` of [live.json](../openapi/live.json), by the names given here.",
        '`POST /connect` with `"transport": "websocket"` answers a `room_url`; connect to it, and send and receive '
        "JSON as text frames of up to 16 MiB.",
        "## What a client sends",
        'A `ClientMessage` such as `{"type": "user_text_message", "data": {"text": "Hello."}}`; members of `data` are '
        "in brackets here. Each is acknowledged with a `server-response`.",
    )
    sent: dict[str, list[str]] = {}
    for kind, ref in schemas["ClientMessage"]["discriminator"]["mapping"].items():
        message = schemas[_name(ref)]
        sent.setdefault(message["description"], []).append(f"`{kind}`{_members(schemas, message)}")
    yield from (f"- {', '.join(kinds)}: {meaning}" for meaning, kinds in sent.items())
    refused = [f"`{kind}`" for kind, reason in NOT_EMULATED.items() if reason != OF_SEVERAL]
    yield from _paragraphs(
        "",
        f"Documented too, and answered with `error` and the reason: {', '.join(refused)}, and what belongs to a "
        "[room of several characters](#in-a-room-of-several-characters).",
        "## What the server sends",
        "A `ServerEvent`. A turn: `final-user-transcription` (unless a trigger began it), `bot-llm-started`, "
        "`bot-llm-text` in pieces of 24 letters or more, `bot-llm-stopped`, `bot-tts-started`, `bot-started-speaking`, "
        "`bot-stopped-speaking`, `bot-turn-completed`. `interaction-created` comes once, before the first, "
        "`user-idle-warning` a while before an idle session ends, `error` by a fault only; the others are "
        "[scripted](#scripted-replies). These are inside `data` of a `server-message`: "
        + _names(schemas["ServerMessage"]["properties"]["data"]),
    )
    yield from _paragraphs("", "## When the server closes")
    for reason in (hub.UNKNOWN, hub.EXPIRED, websocket.MISMATCH, websocket.TAKEN):
        yield f"- {hub.POLICY_VIOLATION} `{reason}`"
    yield "- 1000 `Session ended`: `kill-pipeline`, `/disconnect`, or nothing was heard for too long"
    yield "- 1011 and what happened: an unexpected error, or a fault that was asked for"
    inside = schemas["RosterServerMessage"]["properties"]["data"]
    yield from _paragraphs(
        "",
        "## Streams",
        "`POST /connect/stream` answers with server-sent events, a `StreamEvent` each: `connection-started`, the "
        "events of the answer, `bot-transcription` with the whole of it, and `connection-stoppped`, spelled like this.",
        "## In a room",
        "The same as data packets, as [rooms.md](rooms.md) says; what the SDKs read at another place than the pages "
        f"have it is sent at both. These come besides, as `RoomEvent`: {_names(schemas['RoomEvent'])}",
        "## In a room of several characters",
        "To the [room itself](rooms.md#several-characters-in-one-room) a person sends a `RosterCommand`: "
        f"{_names(schemas['RosterCommand'])} It answers with a `RosterEvent`: {_names(schemas['RosterEvent'])} Inside "
        f"`data` of the last: {_names(inside)}",
    )
    yield Path(__file__).with_name("realtime.md").read_text("utf-8")


def _members(schemas: Mapping[str, Any], message: Mapping[str, Any]) -> str:
    """What `data` of a message may hold, in brackets."""
    named = re.findall(r"schemas/(\w+)", str(message["properties"].get("data")))
    members = schemas[named[0]]["properties"] if named else ()
    return f" ({', '.join(f'`{name}`' for name in members)})" if members else ""


def _names(kinds: Mapping[str, Any]) -> str:
    """What the members of a union are called."""
    return ", ".join(f"`{kind}`" for kind in kinds["discriminator"]["mapping"]) + "."


def _name(ref: str) -> str:
    return ref.rpartition("/")[2]
