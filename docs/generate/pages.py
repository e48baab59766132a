"""The pages that are made from the contract: contract.md, fidelity.md and realtime.md."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fake_convai.api.endpoint import Endpoint
from fake_convai.api.routes import ENDPOINTS
from fake_convai.api.unused import UNUSED
from fake_convai.contract.openapi import document
from fake_convai.contract.provenance import SOURCES, Section, guesses, sections
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
    "assumption": "assumed",
}


def contract() -> str:
    """What goes over the wire, section by section, with where each statement is known from."""
    return _page(_contract())


def _contract() -> Iterator[str]:
    yield MADE.format(origin=PROVENANCE)
    yield from _paragraphs(
        "# The contract",
        "What the real service takes and answers, as far as public sources show it, and what this fake imitates. Every "
        "statement ends in its source; when several disagree, the memory pages win. Code cites the numbers of the "
        "sections. The schemas of each operation are in [openapi/](../openapi). `make sources` looks whether the "
        "newest Web SDK on npm does anything that does not stand here.",
    )
    yield "| Source | What it is |"
    yield "|---|---|"
    yield from (f"| {_WORDS[source]} | {meaning} |" for source, meaning in SOURCES.items())
    yield "| this fake | its own ways, which claim nothing about the real service |"
    for number, section in enumerate(sections(), 1):
        yield from _paragraphs("", f"## {number}. {section.section}")
        yield from _section(section)


def _section(section: Section) -> Iterator[str]:
    endpoints = [endpoint for endpoint in ENDPOINTS if endpoint.group in section.groups]
    if endpoints:
        yield "| Operation | On | Takes | Answers |"
        yield "|---|---|---|---|"
        yield from map(_operation, endpoints)
        yield ""
    yield from _paragraphs(section.about)
    yield from (f"- {known.says} *({_WORDS[known.source]})*" for known in section.known)
    for path in dict.fromkeys(endpoint.path for endpoint in endpoints):
        for source, names in UNUSED.get(path, {}).items():
            yield f"- `{path}` takes and does not use {', '.join(f'`{name}`' for name in names)}. *({_WORDS[source]})*"
    yield from (f"- {what} *(this fake)*" for what in section.ours)
    for guess in section.guessed:
        yield f"- {_place(guess.at, guess.field)}{guess.says} *(assumed: `{guess.id}`)*"


def _place(*parts: str | None) -> str:
    place = " ".join(f"`{part}`" for part in parts if part)
    return f"{place}: " if place else ""


def _operation(endpoint: Endpoint) -> str:
    made = document(endpoint.home)
    operation = made["paths"][endpoint.path][endpoint.method.lower()]
    source = _WORDS[endpoint.source]
    content = next(iter(operation["responses"].values()))["content"]
    answers = [_members(one["schema"], made) for one in content.values()]
    takes = [
        _optional(one["name"], required=one["required"], schema=one["schema"])
        for one in operation.get("parameters", ())
    ]
    bodies = operation.get("requestBody", {}).get("content", {}).values()
    takes += [_members(one["schema"], made) for one in bodies]
    place = f"`{endpoint.method} {endpoint.path}` *({source})*"
    return f"| {place} | {', '.join(endpoint.surfaces)} | {', '.join(takes) or '-'} | {' or '.join(answers)} |"


def _members(schema: Mapping[str, Any], made: Mapping[str, Any]) -> str:
    """The names of an object's members; of a list, those of its items."""
    if "$ref" in schema:
        return _members(made["components"]["schemas"][_name(schema["$ref"])], made)
    if schema.get("type") == "array":
        return f"a list of {_members(schema['items'], made)}"
    if "anyOf" in schema:
        return " or ".join(_members(one, made) for one in schema["anyOf"])
    if "properties" not in schema:
        return "events" if schema.get("type") == "string" else "-"
    required = schema.get("required", ())
    return ", ".join(
        _optional(name, required=name in required, schema=member) for name, member in schema["properties"].items()
    )


def _optional(name: str, *, required: bool, schema: Mapping[str, Any]) -> str:
    default = schema.get("default")
    shown = name if default is None else f"{name}={json.dumps(default)}"
    return f"`{shown}`" if required or default is not None else f"`{shown}?`"


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
        "Convai publishes no machine-readable contract, so this fake is built from what anybody can read: pages, SDK "
        "sources, programs. This project has no key and has tested nothing against the real service; you may have one, "
        "and `fake-convai verify` tries the guesses. [contract.md](contract.md) has every statement with its source; "
        "this page has what is guessed and what is left out.",
    )
    yield "| Source | What it is | Operations | Statements |"
    yield "|---|---|--:|--:|"
    operations: Counter[str] = Counter(endpoint.source for endpoint in ENDPOINTS)
    statements: Counter[str] = Counter(known.source for section in sections() for known in section.known)
    statements["assumption"] = len(guesses())
    for source, meaning in SOURCES.items():
        yield f"| `{source}` | {meaning} | {operations[source] or ''} | {statements[source] or ''} |"
    yield from _paragraphs(
        "",
        "The same marks are in the OpenAPI documents: `x-source` on each operation, `x-assumptions` for the guesses.",
        "## Guessed",
    )
    for section in sections():
        if section.guessed:
            yield from _paragraphs("", f"### {section.section}")
            yield "| Guess | | |"
            yield "|---|---|---|"
            for one in section.guessed:
                status = found_out.get(one.id, "guessed")
                yield f"| `{one.id}` | {_place(one.at, one.field)}{one.says} | {status} |"
    yield from _paragraphs("", "## Not emulated")
    yield from (f"- {what}" for section in sections() for what in section.not_emulated)
    yield from _paragraphs(
        "",
        "## You know better?",
        "`fake-convai verify --target real --api-key KEY` does an experiment for each guess "
        "(`fake_convai/contract/experiments.yaml`): slowly, on a character and end users of its own, which it deletes; "
        "nothing else of the account is touched, and it asks before it begins. It says of each whether it is "
        "confirmed, refuted or undecided, and for a refuted one what to change. A run that was broken off goes on when "
        "it is started again. `--list` shows what would be tried, `--only ID` tries one, and with `--json` programs "
        "can read it; the exit code is 1 when a guess is refuted. The tests of this project run every experiment "
        "against the fake itself.",
        "The file that it writes (`convai-evidence-real.json`) has no key in it. Please put it into `docs/evidence/` "
        "and open a pull request: this page shows it. What is refuted becomes known in "
        f"`{PROVENANCE}`; `make openapi` carries it into the documents and the pages.",
        "A recording settles more: [record-and-compare.md](record-and-compare.md) and "
        "[contract-testing.md](contract-testing.md).",
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
        "OpenAPI has no words for a WebSocket. The schemas of what is shown here stand under `components` of "
        "[live.json](../openapi/live.json): `ClientMessage` is everything that a client may send, `ServerEvent` "
        "everything that comes back. The examples were really sent and received.",
        '`POST /connect` with `"transport": "websocket"` answers a `room_url`; connect to it, and send and receive '
        "JSON as text frames of up to 16 MiB.",
        "## What a client sends",
        "Each message is acknowledged with a `server-response`; `extras` holds what there is to say about it.",
    )
    yield "| Message | What it does | Example |"
    yield "|---|---|---|"
    for kind, ref in schemas["ClientMessage"]["discriminator"]["mapping"].items():
        schema = schemas[_name(ref)]
        shown = "<br>".join(f"`{json.dumps(one)}`" for one in schema.get("examples", ()))
        yield f"| `{kind}` | {schema['description']} | {shown} |"
    yield from _paragraphs(
        "",
        "Documented too, but not emulated, and so answered with `error` and the reason:",
        "; ".join(f"`{kind}` ({reason})" for kind, reason in NOT_EMULATED.items()) + ".",
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
    yield from ("| Code | Reason | When |", "|---|---|---|")
    yield from (f"| {hub.POLICY_VIOLATION} | {reason} | {when} |" for reason, when in _CLOSINGS.items())
    yield "| 1000 | Session ended | `kill-pipeline`, `/disconnect`, or nothing was heard for too long |"
    yield "| 1011 | what happened | an error that nobody expected, or a fault that was asked for |"
    yield from _paragraphs(
        "",
        "## Streams",
        "`POST /connect/stream` answers with server-sent events, a `StreamEvent` each: `connection-started`, the "
        "events of the answer, `bot-transcription` with the whole of it, and `connection-stoppped`, spelled like this.",
        "## In a room",
        "The same messages as data packets, and these besides, `RoomEvent` in the document. What the SDKs read at "
        "another place than the pages have it is sent at both; [rooms.md](rooms.md) has the table, and the rest.",
    )
    yield from _table(schemas, schemas["RoomEvent"]["discriminator"]["mapping"])
    yield from _paragraphs("", "Inside `data` of a `server-message`:")
    yield from _table(schemas, schemas["RoomServerMessage"]["properties"]["data"]["discriminator"]["mapping"])
    yield from ("", Path(__file__).with_name("realtime.md").read_text("utf-8"))


def _table(schemas: Mapping[str, Any], mapping: Mapping[str, str]) -> Iterator[str]:
    """Each schema of a mapping once, with the kinds that it is for."""
    kinds: dict[str, list[str]] = {}
    for kind, ref in mapping.items():
        kinds.setdefault(_name(ref), []).append(f"`{kind}`")
    yield "| Event | What it says | Example |"
    yield "|---|---|---|"
    for name, called in kinds.items():
        examples = () if name in ("ServerMessage", "RoomServerMessage") else schemas[name].get("examples", ())[:2]
        shown = "<br>".join(f"`{json.dumps(one)}`" for one in examples)
        yield f"| {', '.join(called)} | {schemas[name]['description']} | {shown} |"


def _name(ref: str) -> str:
    return ref.rpartition("/")[2]
