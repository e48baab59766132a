"""Holding recorded traffic against the OpenAPI documents of this project: `fake-convai check`."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from fake_convai.api.published import published
from fake_convai.backend.surface import Surface
from fake_convai.traffic.bodies import EVENTS, JSON, media_type
from fake_convai.traffic.recording import WEBSOCKET, Body, Exchange, Received, Sent, Unreadable

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Violation:
    """Where an exchange departs from the contract."""

    number: int
    call: str
    source: str
    message: str


@dataclass
class Report:
    """What came out: how many exchanges there were, how many the documents are about, and what is wrong with them."""

    seen: int
    checked: int = 0
    violations: list[Violation] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """The report as it is printed."""
        for one in self.violations:
            yield f"#{one.number} {one.call} ({one.source}): {one.message}"
        yield f"{self.seen} requests, {self.checked} of them checked, {len(self.violations)} violations."


def contracts(name: str | None) -> dict[Surface, Document]:
    """The documents to check against, by surface: all, that of one surface by name, or one of ours in a file."""
    if name is None:
        return {surface: published(surface) for surface in Surface}
    if name in set(Surface):
        return {Surface(name): published(name)}
    try:
        document = json.loads(Path(name).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise Unreadable(f"--openapi: '{name}' is neither {', '.join(Surface)} nor a JSON file: {error}") from error
    title = document.get("info", {}).get("title") if isinstance(document, dict) else None
    surface = next((one for one in Surface if published(one)["info"]["title"] == title), None)
    if surface is None:
        raise Unreadable(
            f"--openapi: '{name}' is not a document of fake-convai, such as /_fake/openapi/beta.json; for others "
            "take a tool that knows all of OpenAPI"
        )
    return {surface: document}


def check_exchanges(documents: Mapping[Surface, Document], exchanges: Iterable[Exchange], seen: int) -> Report:
    """Check each exchange with a surface that there is a document of; `seen` is how many there were in all."""
    report = Report(seen)
    for exchange in exchanges:
        request = exchange.request
        if request.surface not in documents or request.method == WEBSOCKET:
            continue
        report.checked += 1
        source, messages = _check(documents[request.surface], exchange)
        call = f"{request.method} {request.path}"
        report.violations += [Violation(exchange.line, call, source, message) for message in messages]
    return report


def _check(document: Document, exchange: Exchange) -> tuple[str, list[str]]:
    """Where the operation is known from, and what is wrong with an exchange."""
    request = exchange.request
    found = _operation(document, request)
    if found is None and request.surface is not Surface.LIVE:
        # One gateway serves both REST hosts, and clients ask either.
        document = published(Surface.BETA if request.surface is Surface.PRODUCTION else Surface.PRODUCTION)
        found = _operation(document, request)
    if found is None:
        return "-", ["the document has no such operation"]
    checker = _Checker(document)
    messages = [f"request: {message}" for message in checker.request(found, request)]
    messages += [f"response: {message}" for message in checker.response(found, exchange.response)]
    return found.get("x-source", "unknown source"), messages


def _operation(document: Document, request: Sent) -> Mapping[str, Any] | None:
    for path, item in document["paths"].items():
        if _pattern(path).fullmatch(request.path.rstrip("/") or "/") and request.method.lower() in item:
            operation: Mapping[str, Any] = item[request.method.lower()]
            return operation
    return None


@cache
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)))


class _Checker:
    """Looks at the sides of an exchange; only what our own documents have is known here."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def request(self, operation: Mapping[str, Any], request: Sent) -> Iterator[str]:
        """What is wrong with a request. Keys are not looked at, since most recorders remove them."""
        for parameter in operation.get("parameters", ()):
            name = parameter["name"]
            if parameter["in"] != "query":
                continue
            if name in request.query:
                yield from self._against(parameter["schema"], _typed(request.query[name], parameter), f"query {name}")
            elif parameter["required"]:
                yield f"query {name} is missing"
        content = operation.get("requestBody", {}).get("content", {})
        if JSON in content:
            yield from self._json(content[JSON]["schema"], Body(kind="json", value={}), request.body)
        elif content and request.body.kind == "form":
            # Recordings often leave the values out, so these are not looked at.
            form = self._resolved(next(iter(content.values()))["schema"], "schemas")
            missing = [name for name in form.get("required", ()) if name not in request.body.value]
            yield from (f"form field {name} is missing" for name in missing)

    def response(self, operation: Mapping[str, Any], response: Received) -> Iterator[str]:
        """What is wrong with an answer."""
        declared = operation["responses"].get(str(response.status))
        if declared is None:
            yield f"status {response.status} is not in the document: there are {', '.join(operation['responses'])}"
            return
        content = self._resolved(declared, "responses").get("content", {})
        kind = media_type(response.headers.get("content-type", "")) or JSON
        if kind not in content:
            yield f"{kind} is not in the document for status {response.status}: there is {', '.join(content)}"
        elif kind == EVENTS:
            for event in response.body.value if response.body.kind == "events" else ():
                yield from self._against(content[kind]["x-item-schema"], event, "")
        else:
            yield from self._json(content[kind]["schema"], Body(), response.body)

    def _json(self, schema: Mapping[str, Any], when_empty: Body, body: Body) -> Iterator[str]:
        body = when_empty if body.kind == "empty" else body
        if body.kind == "json":
            yield from self._against(schema, body.value, "")
        else:
            yield f"not JSON: {str(body.value or '')[:60]!r}"

    def _against(self, schema: Mapping[str, Any], value: Any, place: str) -> Iterator[str]:
        for error in _validator(json.dumps({**schema, "components": self._document["components"]})).iter_errors(value):
            where = ".".join([place, *map(str, error.instance_path)]).strip(".") or "body"
            yield f"{where}: {error.message}"

    def _resolved(self, declared: Mapping[str, Any], components: str) -> Mapping[str, Any]:
        name = declared.get("$ref", "").rpartition("/")[2]
        found: Mapping[str, Any] = self._document["components"][components][name] if name else declared
        return found


@cache
def _validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(json.loads(schema), validate_formats=True)


def _typed(value: str, parameter: Mapping[str, Any]) -> Any:
    """A value of a query as what the schema wants: there, all is text."""
    return int(value) if "integer" in str(parameter["schema"].get("type")) and value.isdecimal() else value
