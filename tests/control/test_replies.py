"""What characters are told to say."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.talking import chat, connect, details
from tests.conftest import Api, on_sqlite, refused
from tests.control.driving import Control

SCRIPT = {
    "replies": [{"match": "hello", "reply": "Hi!"}, {"match": "^[0-9]+$", "reply": "A number."}],
    "default": "What?",
}
NOTHING: dict[str, Any] = {"replies": [], "default": None}


def test_a_script_is_kept_and_shown(control: Control) -> None:
    assert control.ok("GET", "/replies") == NOTHING
    assert control.ok("PUT", "/replies", SCRIPT) == SCRIPT
    assert control.ok("GET", "/replies") == SCRIPT


def test_characters_keep_to_it_everywhere(api: Api, control: Control) -> None:
    npc = api.character()
    control.ok("PUT", "/replies", SCRIPT)
    with chat(api, session := connect(api, npc)) as talk:
        answers = [talk.say(text) for text in ("Oh, HELLO there!", "42", "Goodbye.")]
        assert answers == ["Hi!", "A number.", "What?"]
        control.ok("PUT", "/replies", {"default": "Later."})
        assert talk.say("hello") == "Later."
    shown = [turn["interaction"][1]["message"] for turn in details(api, npc, session["character_session_id"])]
    assert shown == [*answers, "Later."]
    form = {"charID": npc, "userText": "hello", "sessionID": "-1"}
    response = api.client.post("/production/character/getResponse", data=form, headers=api.headers("/production/"))
    assert response.json()["text"] == "Later."


def test_a_new_script_takes_the_place_of_the_old_one(control: Control) -> None:
    control.ok("PUT", "/replies", SCRIPT)
    assert control.ok("PUT", "/replies", {}) == NOTHING
    assert control.ok("GET", "/replies") == NOTHING


def test_each_account_has_its_own(control: Control, other: Api) -> None:
    control.ok("PUT", "/replies", SCRIPT)
    assert Control(other.client, other.key).ok("GET", "/replies") == NOTHING


@pytest.mark.parametrize(
    ("place", "script"),
    [
        ("replies", {"replies": {}}),
        ("heard", {"heard": []}),
        ("heard[1]", {"heard": ["Hello.", " "]}),
        ("replies[0]", {"replies": ["hello"]}),
        ("replies[0].match", {"replies": [{"reply": "Hi!"}]}),
        ("replies[0].match", {"replies": [{"match": "", "reply": "Hi!"}]}),
        ("replies[1].match", {"replies": [SCRIPT["replies"][0], {"match": "(", "reply": "Hi!"}]}),
        ("replies[0].reply", {"replies": [{"match": "hello"}]}),
        ("replies[0].reply", {"replies": [{"match": "hello", "reply": None}]}),
        ("replies[0].answer", {"replies": [{"match": "hello", "reply": "Hi!", "answer": "Hi!"}]}),
        ("default", {"default": 5}),
        ("answers", {"answers": []}),
    ],
)
def test_a_bad_script_names_the_place_and_changes_nothing(control: Control, place: str, script: dict[str, Any]) -> None:
    control.ok("PUT", "/replies", SCRIPT)
    refused(control.send("PUT", "/replies", script), 400, place)
    assert control.ok("GET", "/replies") == SCRIPT


def test_a_script_needs_an_account(client: TestClient) -> None:
    for method in ("GET", "PUT"):
        refused(Control(client).send(method, "/replies", SCRIPT), 400, "CONVAI-API-KEY")


def test_there_is_a_limit_to_what_is_tried_on_all_that_is_said(control: Control) -> None:
    many = {"replies": [{"match": str(number), "reply": "x"} for number in range(1001)]}
    refused(control.send("PUT", "/replies", many), 400, "'replies'", "at most 1000")
    assert control.ok("GET", "/replies") == NOTHING


TALK = """
replies:
  - match: cube
    reply: On my way.   # a comment of the designer's
    actions: [{name: Move To, target: cube}, Wave]
default: Tell me more.
"""


def put(control: Control, body: str, kind: str = "application/yaml") -> Any:
    """Send a script as it is."""
    headers = {"CONVAI-API-KEY": control.key or "", "Content-Type": kind}
    return control.client.put("/_fake/replies", content=body.encode(), headers=headers)


def test_a_script_may_be_yaml(control: Control) -> None:
    expected = {
        "replies": [
            {"match": "cube", "reply": "On my way.", "actions": [{"name": "Move To", "target": "cube"}, "Wave"]}
        ],
        "default": "Tell me more.",
    }
    for kind in ("application/yaml", "text/x-yaml; charset=utf-8"):
        answer = put(control, TALK, kind)
        assert (answer.status_code, answer.json()) == (200, expected)
        assert control.ok("GET", "/replies") == expected


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@on_sqlite
@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("replies: [", 400, "The request body must be YAML: while parsing"),
        ("- match: cube", 400, "The request body must be a JSON object"),
        ("replies:\n  - {match: cube, replay: x}", 400, "Invalid replies at 'replies[0].replay'"),
        ("1: 2", 400, "The request body must be"),
        ("a: " + "[" * 5000, 400, "The request body"),
        (BOMB, 400, "aliases unfold to too much"),
        ("#" * 262_145, 413, "262144 bytes (256 KiB)"),
        ("!!python/object/apply:os.system [echo]", 400, "could not determine a constructor"),
    ],
)
def test_yaml_that_cannot_be_used(control: Control, body: str, status: int, words: str) -> None:
    answer = put(control, body)
    assert answer.status_code == status
    assert words in answer.json()["ERROR"]
    assert control.ok("GET", "/replies") == NOTHING
