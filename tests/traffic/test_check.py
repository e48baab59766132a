"""`fake-convai check`: recorded traffic against the documents."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fake_convai.api.published import folder
from fake_convai.cli.main import cli, main

WHO = {"character_id": "npc", "end_user_id": "player-42"}
PAGE = {"memories": [], "total_count": 0, "page": 1, "page_size": 50, "has_more": False}
LIST = "https://beta.convai.com/memory/list"


def entry(url: str, sent: Any, answer: Any, status: int = 200, **response: Any) -> dict[str, Any]:
    """An exchange as browsers record it."""
    content = {"mimeType": "application/json", "text": json.dumps(answer), **response}
    request = {"method": "POST", "url": url, "postData": {"mimeType": "application/json", "text": json.dumps(sent)}}
    return {"request": request, "response": {"status": status, "content": content}}


def _without(name: str) -> dict[str, Any]:
    return {member: value for member, value in PAGE.items() if member != name}


def check(tmp_path: Path, *entries: dict[str, Any], openapi: str | None = "beta") -> Result:
    """Run the command on a recording."""
    har = tmp_path / "traffic.har"
    har.write_text(json.dumps({"log": {"entries": entries}}))
    return CliRunner().invoke(cli, ["check", *(["--openapi", openapi] if openapi else []), str(har)])


@pytest.mark.parametrize(
    "url",
    [LIST, "http://localhost:2668/beta/memory/list", "http://localhost:2668/memory/list", f"{LIST}?x=1"],
)
def test_traffic_that_keeps_to_the_contract(tmp_path: Path, url: str) -> None:
    result = check(tmp_path, entry(url, WHO, PAGE))
    assert (result.exit_code, result.output) == (0, "1 requests, 1 of them checked, 0 violations.\n")


VIOLATIONS = {
    "a parameter out of bounds": (entry(LIST, {**WHO, "page": 0}, {"ERROR": "page"}, 400), "request: page: 0 is less"),
    "a parameter missing": (entry(LIST, {"character_id": "npc"}, PAGE), 'request: body: "end_user_id" is a required'),
    "no JSON": (entry(LIST, WHO, PAGE, text="<html>"), "response: not JSON"),
    "a member missing": (entry(LIST, WHO, _without("total_count")), 'response: body: "total_count" is a required'),
    "a member of another type": (entry(LIST, WHO, {**PAGE, "page": "1"}), "response: page: "),
    "an unknown status": (entry(LIST, WHO, {}, 418), "response: status 418 is not in the document"),
    "another content type": (entry(LIST, WHO, PAGE, mimeType="text/html; charset=utf-8"), "response: text/html"),
    "another error body": (entry(LIST, WHO, {"detail": "?"}, 404), 'response: body: "ERROR" is a required'),
    "an unknown route": (entry("https://beta.convai.com/memory/search", WHO, {}), "has no such operation"),
}


def test_no_key_or_token_is_printed(tmp_path: Path) -> None:
    secret = "a-real-secret-1234"
    inside = entry("https://api.convai.com/user/connect", {}, [{"apiAuthToken": secret}, {"access_token": secret}])
    half = entry("https://api.convai.com/user/connect", {}, {}, text=f'{{"apiAuthToken": "{secret}", ')
    result = check(tmp_path, inside, half, openapi="production")
    assert secret not in result.output
    assert result.output.splitlines()[-1] == "2 requests, 2 of them checked, 2 violations."
    assert result.output.count("secret-1") == 3


@pytest.mark.parametrize(("recorded", "message"), VIOLATIONS.values(), ids=VIOLATIONS.keys())
def test_each_violation_is_reported(tmp_path: Path, recorded: dict[str, Any], message: str) -> None:
    result = check(tmp_path, entry(LIST, WHO, PAGE), recorded)
    assert result.exit_code == 1
    line, summary = result.output.splitlines()
    assert line.startswith("#2 POST /memory/")
    assert message in line
    assert summary == "2 requests, 2 of them checked, 1 violations."


def test_the_report_says_where_the_operation_is_known_from(tmp_path: Path) -> None:
    assert "#1 POST /memory/list (seed): response: " in check(tmp_path, entry(LIST, WHO, {})).output


def test_traffic_of_others_is_passed_over(tmp_path: Path) -> None:
    preflight = entry(LIST, WHO, {}, 200)
    preflight["request"]["method"] = "OPTIONS"
    others = [
        entry("https://example.com/", {}, {}),
        entry("https://live.convai.com/connect", {}, {}, 418),
        entry("http://localhost:2668/live/connect", {}, {}, 418),
        entry(LIST, WHO, None, 0),
        preflight,
    ]
    assert check(tmp_path, *others).output == "5 requests, 0 of them checked, 0 violations.\n"


def test_queries_forms_and_streams(tmp_path: Path) -> None:
    live = "http://localhost:2668/live"
    gone = entry(f"{live}/disconnect?session_id=5", {}, {"status": "success", "message": "Bye."})
    silent = entry(f"{live}/disconnect", {}, {"status": "success", "message": "Bye."})
    started = {
        "type": "connection-started",
        "message": {"session_id": "a", "transport": "sse", "character_session_id": ""},
    }
    text = f"data: {json.dumps(started)}\n\ndata: {{}}\n\n"
    encoded = base64.b64encode(text.encode()).decode()
    stream = entry(f"{live}/connect/stream", {}, {}, text=encoded, encoding="base64", mimeType="text/event-stream")
    stream["request"]["postData"] = {"params": [{"name": "character_id", "value": "npc"}]}
    result = check(tmp_path, gone, silent, stream, openapi="live")
    lines = result.output.splitlines()
    assert "query session_id" in lines[0]
    assert "query session_id is missing" in lines[1]
    assert "form field text_input is missing" in lines[2]
    assert [line[:2] for line in lines] == ["#1", "#2", "#3", "#3", "3 "]


def test_a_document_may_be_a_file(tmp_path: Path) -> None:
    result = check(tmp_path, entry(LIST, WHO, {}), openapi=str(folder() / "beta.json"))
    assert (result.exit_code, len(result.output.splitlines())) == (1, 6)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"log": {"entries": [{}]}}'])
def test_what_is_no_recording_is_said_in_one_line(tmp_path: Path, content: str) -> None:
    har = tmp_path / "traffic.har"
    har.write_text(content)
    result = CliRunner().invoke(cli, ["check", "--openapi", "beta", str(har)])
    assert (result.exit_code, "nor a HAR file" in result.output) == (2, True)


@pytest.mark.parametrize("content", [None, "no JSON", "[]", '{"info": {"title": "Another"}, "paths": {}}'])
def test_what_is_no_document_is_said_in_one_line(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "contract.json"
    if content is not None:
        path.write_text(content)
    result = check(tmp_path, openapi=str(path))
    assert (result.exit_code, "--openapi" in result.output) == (2, True)


def test_without_a_document_each_surface_is_looked_at(tmp_path: Path) -> None:
    live = entry("https://live.convai.com/connect", {"character_id": "npc"}, {}, 200)
    result = check(tmp_path, entry(LIST, WHO, PAGE), live, openapi=None)
    assert "2 requests, 2 of them checked" in result.output
    assert {line[:2] for line in result.output.splitlines()[:-1]} == {"#2"}


def test_a_route_on_the_other_rest_host_and_one_with_a_name_in_its_path(tmp_path: Path) -> None:
    gone = entry(f"https://api.convai.com/character/{WHO['character_id']}", None, {"message": "Deleted."})
    gone["request"]["method"] = "DELETE"
    del gone["request"]["postData"]
    result = check(tmp_path, entry("https://api.convai.com/memory/list/", WHO, PAGE), gone, openapi=None)
    assert (result.exit_code, result.output) == (0, "2 requests, 2 of them checked, 0 violations.\n")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["clean.har"], 0), (["wrong.har"], 1), (["none.har"], 2), (["--openapi", "none.json", "clean.har"], 2), ([], 2)],
)
def test_the_exit_code_of_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int
) -> None:
    (tmp_path / "clean.har").write_text(json.dumps({"log": {"entries": [entry(LIST, WHO, PAGE)]}}))
    (tmp_path / "wrong.har").write_text(json.dumps({"log": {"entries": [entry(LIST, WHO, {})]}}))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["fake-convai", "check", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == code
