"""What a recording may hold: anything else is refused with its line named."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.traffic.conftest import compare

CALL = {"method": "POST", "surface": "beta", "path": "/memory/list"}
EXCHANGE = {"at": "2026-01-01T00:00:00Z", "request": CALL, "response": {"status": 401}}
HEADER = '{"fake_convai_recording":1}'
MISUSES = {
    "nothing": ("", "neither a recording of fake-convai nor a HAR file"),
    "another file": ('{"log": {}}', "neither a recording of fake-convai nor a HAR file: log.entries Field required"),
    "another version": (
        '{"fake_convai_recording":2}',
        "line 1: a recording of version 2; this fake-convai reads version 1",
    ),
    "half a line": (f"{HEADER}\n{json.dumps(EXCHANGE)}\n{json.dumps(EXCHANGE)[:40]}", "line 3: not an exchange: "),
    "no exchange": (f'{HEADER}\n\n{{"at": "2026-01-01"}}', "line 3: not an exchange: request Field required"),
    "no time": (
        f'{HEADER}\n{{"at": "now"}}',
        "line 2: not an exchange: at must be a time such as 2026-01-31T12:00:00Z",
    ),
    "another surface": (
        f"{HEADER}\n{json.dumps({**EXCHANGE, 'request': {**CALL, 'surface': 'moon'}})}",
        "line 2: not an exchange: request.surface Input should be 'production', 'beta' or 'live'",
    ),
}


@pytest.mark.parametrize(("content", "message"), MISUSES.values(), ids=MISUSES.keys())
def test_what_cannot_be_read_is_one_line_that_names_the_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "traffic.jsonl"
    path.write_text(content)
    result = compare(path)
    assert (result.exit_code, message in result.output) == (2, True), result.output


ONE_SLASH = "request.path must be a path such as /memory/list: begin with one slash, without host, query or blanks"
NO_CONTROL = "request.path is a route of the control plane, which no recording may use"
HARMFUL = {
    "an absolute URL": ({"path": "http://evil.example/x"}, ONE_SLASH),
    "another host": ({"path": "@evil.example/x", "named": False}, ONE_SLASH),
    "another port": ({"path": "0/x", "named": False}, ONE_SLASH),
    "a host after slashes": ({"path": "//evil.example/x"}, ONE_SLASH),
    "a query": ({"path": "/x?y"}, ONE_SLASH),
    "the control plane": ({"path": "/_fake/reset", "named": False}, NO_CONTROL),
    "the control plane of a surface": ({"path": "/%5Ffake/reset"}, NO_CONTROL),
    "the control plane by dots": ({"path": "/x/../_fake/reset"}, NO_CONTROL),
    "two methods": ({"method": "GET /x"}, "request.method String should match pattern '^[A-Z]{1,20}$'"),
    "a header with a line break": ({"headers": {"x": "a\nb"}}, "request.headers x has a value that cannot be sent"),
    "3 GB": ({"body": {"kind": "binary", "value": 3 * 10**9}}, "has, or over 67108864 bytes"),
    "a file of 3 GB": (
        {"body": {"kind": "form", "value": {"file": {"file": "a.wav", "size": 3 * 10**9}}}},
        "request.body the value is not what a body of kind form has, or over 67108864 bytes",
    ),
    "a size below zero": ({"body": {"kind": "binary", "value": -1}}, "a body of kind binary has"),
    "a form that is a list": ({"body": {"kind": "form", "value": []}}, "a body of kind form has"),
    "a text that is a list": ({"body": {"kind": "text", "value": []}}, "a body of kind text has"),
    "events": ({"body": {"kind": "events", "value": []}}, "request.body a request has no events"),
}


@pytest.mark.parametrize(("request_part", "message"), HARMFUL.values(), ids=HARMFUL.keys())
def test_what_could_do_harm_is_refused_with_its_line(
    tmp_path: Path, request_part: dict[str, Any], message: str
) -> None:
    path = tmp_path / "traffic.jsonl"
    path.write_text(
        f"{HEADER}\n{json.dumps(EXCHANGE)}\n{json.dumps({**EXCHANGE, 'request': {**CALL, **request_part}})}"
    )
    result = compare(path)
    assert (result.exit_code, "line 3: not an exchange: " in result.output) == (2, True), result.output
    assert message in result.output


def test_a_message_that_is_none_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "traffic.jsonl"
    chat = {**EXCHANGE, "frames": [{"from": "client", "body": {"kind": "form", "value": {}}}]}
    path.write_text(f"{HEADER}\n{json.dumps(chat)}")
    result = compare(path)
    assert (result.exit_code, "line 2: not an exchange: frames.0.body a message has no form" in result.output) == (
        2,
        True,
    )
