"""Holding recorded traffic against an OpenAPI document: `fake-convai check` (docs/contract-testing.md)."""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jsonschema_rs
from pydantic import BaseModel, ValidationError

from fake_convai.api.published import published
from fake_convai.backend.redact import by_last_four, redacted_text, secrets_in
from fake_convai.backend.surface import Surface, locate

JSON, EVENTS = "application/json", "text/event-stream"


class Unreadable(Exception):
    """The document or the recording cannot be read; the message says why."""


class _Sent(BaseModel):
    text: str = ""
    params: list[dict[str, Any]] | None = None


class _Request(BaseModel):
    method: str
    url: str
    postData: _Sent = _Sent()  # noqa: N815 - as HAR spells it


class _Content(BaseModel):
    mimeType: str = ""  # noqa: N815 - as HAR spells it
    text: str = ""
    encoding: str = ""


class _Response(BaseModel):
    status: int
    content: _Content = _Content()


class _Entry(BaseModel):
    request: _Request
    response: _Response


class _Log(BaseModel):
    entries: list[_Entry]


class _Har(BaseModel):
    """What is read of a HAR file."""

    log: _Log


@dataclass(frozen=True, slots=True)
class Violation:
    """Where an exchange departs from the contract."""

    number: int
    call: str
    source: str
    message: str


@dataclass
class Report:
    """What came out: how many exchanges there were, how many the document is about, and what is wrong with them."""

    seen: int = 0
    checked: int = 0
    violations: list[Violation] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """The report as it is printed."""
        for one in self.violations:
            yield f"#{one.number} {one.call} ({one.source}): {one.message}"
        yield f"{self.seen} requests, {self.checked} of them checked, {len(self.violations)} violations."


def load_contract(name: str) -> dict[str, Any]:
    """The document of a surface, or one from a file."""
    if name in set(Surface):
        return published(Surface(name))
    try:
        document = json.loads(Path(name).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise Unreadable(f"--openapi: '{name}' is neither {', '.join(Surface)} nor a JSON file: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        raise Unreadable(f"--openapi: '{name}' is not an OpenAPI document")
    return document


def check_recording(contract: Mapping[str, Any], recording: bytes) -> Report:
    """Check each exchange of a HAR file that belongs to the document."""
    try:
        entries = _Har.model_validate_json(recording).log.entries
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        raise Unreadable(f"not a HAR file: {'.'.join(map(str, detail['loc']))} {detail['msg']}") from error
    checker, report = _Checker(contract), Report(seen=len(entries))
    for number, entry in enumerate(entries, start=1):
        path = checker.path_of(entry.request.url)
        if path is None or entry.request.method in ("OPTIONS", "HEAD") or entry.response.status == 0:
            continue  # another host, a browser asking for permission, or no answer at all
        report.checked += 1
        source, messages = checker.check(path, entry)
        call = f"{entry.request.method} {path}"
        report.violations += [Violation(number, call, source, message) for message in messages]
    return report


class _Checker:
    """The document, and a validator for each schema in it that was needed so far."""

    def __init__(self, contract: Mapping[str, Any]) -> None:
        self._contract = contract
        self._validators: dict[str, jsonschema_rs.Draft202012Validator] = {}
        self._hosts = {urlsplit(server["url"]).hostname for server in contract.get("servers", ())} - {None}
        title = str(contract.get("info", {}).get("title", ""))
        self._surface = next((surface for surface in Surface if title.endswith(surface)), None)

    def path_of(self, url: str) -> str | None:
        """The path of a request that the document is about, without the prefix of its surface; None for others."""
        parts = urlsplit(url)
        scope = {"path": parts.path, "headers": [(b"host", parts.netloc.encode())]}
        named, path = locate(scope)
        path = "/" + path.lstrip("/")
        ours = named is self._surface if named is not None else parts.hostname in self._hosts
        # An address that names no surface may serve all of them: there, only known paths are ours.
        return path if path in self._contract["paths"] or (ours and named is not None) else None

    def check(self, path: str, entry: _Entry) -> tuple[str, list[str]]:
        """Where the operation is known from, and what is wrong with an exchange."""
        operation = self._contract["paths"].get(path, {}).get(entry.request.method.lower())
        if operation is None:
            return "-", ["the document has no such operation"]
        messages = [f"request: {message}" for message in self._request(operation, entry.request)]
        messages += [f"response: {message}" for message in self._response(operation, entry.response)]
        return operation.get("x-source", "unknown source"), messages

    def _request(self, operation: Mapping[str, Any], request: _Request) -> Iterator[str]:
        given = dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True))
        for parameter in operation.get("parameters", ()):
            name = parameter["name"]
            if name in given:
                yield from self._against(parameter["schema"], given[name], f"query {name}")
            elif parameter["required"]:
                yield f"query {name} is missing"
        body = operation.get("requestBody")
        if body is None:
            return
        content = body["content"]
        if JSON in content:
            yield from self._json(content[JSON]["schema"], request.postData.text or "{}")
        else:
            form = next(iter(content.values()))["schema"]
            yield from _form_fields(self._resolved(form, "schemas"), request.postData)

    def _response(self, operation: Mapping[str, Any], response: _Response) -> Iterator[str]:
        status = str(response.status)
        declared = operation["responses"].get(status)
        if declared is None:
            yield f"status {status} is not in the document: there are {', '.join(operation['responses'])}"
            return
        content = self._resolved(declared, "responses")["content"]
        kind = response.content.mimeType.partition(";")[0].strip() or JSON
        if kind not in content:
            yield f"{kind} is not in the document for status {status}: there is {', '.join(content)}"
            return
        text = response.content.text
        if response.content.encoding == "base64":
            text = base64.b64decode(text).decode("utf-8", "replace")
        if kind == EVENTS:
            for line in text.splitlines():
                if line.startswith("data:"):
                    yield from self._json(content[kind]["x-item-schema"], line.removeprefix("data:"))
        else:
            yield from self._json(content[kind]["schema"], text)

    def _json(self, schema: Mapping[str, Any], text: str) -> Iterator[str]:
        try:
            value = json.loads(text)
        except ValueError:
            yield f"not JSON: {redacted_text(text[:200], by_last_four)[:60]!r}"
            return
        yield from self._against(schema, value, "")

    def _against(self, schema: Mapping[str, Any], value: Any, place: str) -> Iterator[str]:
        key = json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            whole = {**schema, "components": self._contract.get("components", {})}
            self._validators[key] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
        secrets = sorted(secrets_in({place.rpartition(" ")[2]: value}), key=len, reverse=True)
        for error in self._validators[key].iter_errors(value):
            where = ".".join([place, *map(str, error.instance_path)]).strip(".") or "body"
            message = error.message
            for secret in secrets:
                message = message.replace(secret, by_last_four(secret))
            yield f"{where}: {message}"

    def _resolved(self, declared: Mapping[str, Any], components: str) -> Mapping[str, Any]:
        name = declared.get("$ref", "").rpartition("/")[2]
        found: Mapping[str, Any] = self._contract["components"][components][name] if name else declared
        return found


def _form_fields(schema: Mapping[str, Any], sent: _Sent) -> Iterator[str]:
    """Missing fields of a form; recordings often leave the values out, so these are not looked at."""
    if sent.params is not None:
        names = {parameter.get("name") for parameter in sent.params}
        yield from (f"form field {name} is missing" for name in schema.get("required", ()) if name not in names)
