"""The pages that are made with the OpenAPI documents: docs/fidelity.md and docs/realtime.md."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fake_convai.api.endpoint import Endpoint
from fake_convai.api.routes import ENDPOINTS
from fake_convai.contract.provenance import SOURCES, Chapter, chapters
from fake_convai.live import hub, websocket
from fake_convai.live.messages import NOT_EMULATED

MADE = "<!-- Made by `make openapi`: change {origin}, not this page. -->"


def fidelity() -> str:
    """What is known, what is guessed, what is not emulated."""
    return _page(_fidelity())


def _fidelity() -> Iterator[str]:
    yield MADE.format(origin="fake_convai/contract/provenance.yaml")
    yield from _paragraphs(
        "# How close to the real thing",
        "Convai publishes no machine-readable contract, so this fake is built from what anybody can read: pages, SDK "
        "sources, programs. This project has tested nothing against the real service. Each statement says where it "
        "comes from, and where no source says anything, that it is a guess.",
        "## Where knowledge comes from",
    )
    yield "| Source | What it is | Operations | Statements |"
    yield "|---|---|--:|--:|"
    operations: Counter[str] = Counter(endpoint.source for endpoint in ENDPOINTS)
    statements: Counter[str] = Counter(known.source for chapter in chapters() for known in chapter.known)
    statements["assumption"] = sum(len(chapter.guessed) for chapter in chapters())
    for source, meaning in SOURCES.items():
        yield f"| `{source}` | {meaning} | {operations[source] or ''} | {statements[source] or ''} |"
    yield from _paragraphs(
        "",
        "The same marks are in the OpenAPI documents: `x-source` on each operation, `x-assumptions` for the guesses.",
    )
    for chapter in chapters():
        yield from _chapter(chapter)
    yield from _paragraphs(
        "",
        "## You know better?",
        "A recorded answer of the real service settles a guess. `fake-convai check --openapi beta traffic.har` holds a "
        "recording against the documents and says of each difference where the operation is known from "
        "([contract-testing.md](contract-testing.md)). What was found goes into "
        "`fake_convai/contract/provenance.yaml`, one line each; `make openapi` carries it into the documents and this "
        "page.",
    )


def _chapter(chapter: Chapter) -> Iterator[str]:
    endpoints = [endpoint for endpoint in ENDPOINTS if endpoint.group == chapter.chapter]
    yield from _paragraphs("", f"## {chapter.chapter}")
    if endpoints:
        yield "| Operation | On | Known from |"
        yield "|---|---|---|"
        yield from (_row(endpoint) for endpoint in endpoints)
        yield ""
    if chapter.known:
        yield from _paragraphs("**Known**")
        yield from (f"- {known.says} `{known.source}`" for known in chapter.known)
        yield ""
    if chapter.guessed:
        yield from _paragraphs("**Guessed**")
        for guess in chapter.guessed:
            place = " ".join(f"`{part}`" for part in (guess.at, guess.field) if part)
            yield f"- {place}: {guess.says}" if place else f"- {guess.says}"
        yield ""
    if chapter.ignored:
        yield from _paragraphs("**Taken and not used**")
        for one in chapter.ignored:
            yield f"- `{one.at}`: {', '.join(f'`{name}`' for name in one.fields)} `{one.source}`"
        yield ""
    if chapter.not_emulated:
        yield from _paragraphs("**Not emulated**")
        yield from (f"- {what}" for what in chapter.not_emulated)


def _row(endpoint: Endpoint) -> str:
    return f"| `{endpoint.method} {endpoint.path}` | {', '.join(endpoint.surfaces)} | `{endpoint.source}` |"


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


def realtime_page(live: Mapping[str, Any]) -> str:
    """The messages of the WebSocket, from the document of the live surface."""
    return _page(_realtime(live["components"]["schemas"]))


def _realtime(schemas: Mapping[str, Any]) -> Iterator[str]:
    yield MADE.format(origin="fake_convai/live/messages.py")
    yield from _paragraphs(
        "# Messages of a live session",
        "OpenAPI has no words for a WebSocket. The schemas on this page stand under `components` of "
        "[live.json](../openapi/live.json): `ClientMessage` is everything that a client may send, `ServerEvent` "
        "everything that comes back. The examples were really sent and received.",
        '`POST /connect` with `"transport": "websocket"` answers a `room_url`; connect to it, and send and receive '
        "JSON as text frames of up to 16 MiB.",
        "## What a client sends",
        "Each message is acknowledged with a `server-response`; `extras` holds what there is to say about it.",
    )
    mapping = schemas["ClientMessage"]["discriminator"]["mapping"]
    yield "| Message | What it does |"
    yield "|---|---|"
    for kind, ref in mapping.items():
        yield f"| [`{kind}`](#{kind}) | {schemas[_name(ref)]['description']} |"
    for kind, ref in mapping.items():
        yield from _paragraphs("", f"### {kind}")
        yield from _schema_and_examples(_name(ref), schemas)
    yield from _paragraphs(
        "",
        "Documented too, but not emulated, and so answered with `error` and the reason:",
        "; ".join(f"`{kind}` ({reason})" for kind, reason in NOT_EMULATED.items()) + ".",
        "## What the server sends",
        "A turn: `final-user-transcription` (unless a trigger began it), `bot-llm-started`, `bot-llm-text` in pieces, "
        "`bot-llm-stopped`, `bot-tts-started`, `bot-started-speaking`, `bot-stopped-speaking`, `bot-turn-completed`. "
        "`interaction-created` comes once, before the first. Some events have their kind at the top, others inside "
        "`data` of a `server-message`.",
    )
    for name in ("ServerResponse", "BotMoment", "BotText", "BotError", "ServerMessage"):
        yield from _paragraphs("", f"### {name}", schemas[name]["description"])
        yield from _schema_and_examples(name, schemas)
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
    )
    for name in ("ConnectionStarted", "ConnectionStopped"):
        yield from _schema_and_examples(name, schemas)


def _schema_and_examples(name: str, schemas: Mapping[str, Any]) -> Iterator[str]:
    schema = {key: value for key, value in schemas[name].items() if key != "examples"}
    for example in schemas[name].get("examples", ()):
        yield from ("```json", json.dumps(example), "```", "")
    yield from (f"<details><summary>Schema <code>{name}</code></summary>", "")
    yield from ("```json", json.dumps(_inlined(schema, schemas), indent=2), "```", "", "</details>", "")


def _inlined(schema: Any, schemas: Mapping[str, Any]) -> Any:
    """A schema with what it refers to written out, so that it can be read on its own."""
    if isinstance(schema, list):
        return [_inlined(member, schemas) for member in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(schemas[_name(schema["$ref"])], schemas)
    hidden = ("examples", "discriminator")
    return {key: _inlined(member, schemas) for key, member in schema.items() if key not in hidden}


def _name(ref: str) -> str:
    return ref.rpartition("/")[2]
