"""Section 2 of the contract: whatever is sent, the answer is a 400 or 413 that says why, and nothing is stored."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from fake_convai.api.routes import ENDPOINTS
from fake_convai.backend.surface import Surface
from tests.conftest import Api, on_sqlite, refused

MEBIBYTE = 1024 * 1024
AT = "2026-01-01T00:00:00Z"


@dataclass
class Body:
    """A valid body of a route, and what is wrong for each of its parameters; None stands for one that is required."""

    valid: dict[str, Any]
    wrong: dict[str, list[Any]] = field(default_factory=dict)


ID: list[Any] = [None, "", " \t", 5, 1.5, True, [], ["x"], {}]
TEXT: list[Any] = [5, 1.5, True, [], {}]
OBJECT: list[Any] = ["", "x", 5, True, []]
DATE: list[Any] = ["", "soon", 5, True, [], {}]
SWITCH: list[Any] = [None, 1, 0, "true", "", []]
PAGE: list[Any] = [0, -1, 1001, 1.5, 10**18, "", "x", "1.5", True, [], {}]
NAMES: list[Any] = ["", "en-US", 5, {}, [5], [None]]
LIMIT: list[Any] = [0, -2, 1.5, "", "0", "-2", "x", True, [], {}]
PERSON = {"character_id": ID, "end_user_id": [*ID, "x" * 513]}
RECORD = {**PERSON, "memory_id": ID}
PARTITION = {"character_id": "NPC", "end_user_id": "player-42"}
FACTS: list[Any] = [None, "", "x", 5, {}, [], [None], [5], [[]], [""], ["x", " "], ["x"] * 101, ["x" * 10_001]]

ROUTES = {
    "/beta/memory/add": Body({**PARTITION, "memories": ["New."]}, {**PERSON, "memories": FACTS, "metadata": OBJECT}),
    "/beta/memory/list": Body(PARTITION, {**PERSON, "page": PAGE, "page_size": [*PAGE, 101]}),
    "/beta/memory/get": Body({**PARTITION, "memory_id": "x"}, RECORD),
    "/beta/memory/delete": Body({**PARTITION, "memory_id": "x"}, RECORD),
    "/beta/memory/delete-all": Body(PARTITION, PERSON),
    "/beta/user/end-users/list": Body(
        {}, {"limit": [*PAGE, 201], "cursor": ["", "x", *TEXT], "active_after": DATE, "active_before": DATE}
    ),
    "/beta/user/end-users/get": Body({"end_user_id": "player-42"}, {"end_user_id": PERSON["end_user_id"]}),
    "/beta/user/end-users/update": Body(
        {"end_user_id": "player-42", "end_user_metadata": {"a": 1}},
        {"end_user_id": PERSON["end_user_id"], "end_user_metadata": [None, *OBJECT, {"name": 5}, {"name": []}]},
    ),
    "/beta/user/end-users/delete": Body({"end_user_id": "player-42"}, {"end_user_id": PERSON["end_user_id"]}),
    "/production/user/speaker/new": Body(
        {"name": "Jordan", "deviceId": "headset"}, {"name": TEXT, "deviceId": [*TEXT, "x" * 513]}
    ),
    "/production/user/speaker/delete": Body({"speakerId": "x"}, {"speakerId": ID}),
    "/production/character/get": Body({"charID": "NPC"}, {"charID": [*ID[1:]], "charName": [*ID[1:]]}),
    "/production/character/create": Body(
        {"charName": "New", "voiceType": "MALE", "backstory": "None."},
        {
            "charName": ID,
            "voiceType": ID,
            "backstory": [None, *TEXT],
            "languageCodes": NAMES,
            "languageCode": ID[1:],
        },
    ),
    "/production/character/update": Body(
        {"charID": "NPC", "charName": "New"},
        {
            "charID": ID,
            "charName": ID[1:],
            "backstory": TEXT,
            "voiceType": ID[1:],
            "memorySettings": ["", True, [], {}, *({"enabled": wrong} for wrong in SWITCH)],
            "listing": ID[1:],
            "languageCodes": NAMES,
            "languageCode": ID[1:],
            "characterActions": NAMES,
        },
    ),
    "/production/character/delete": Body({"charID": "NPC"}, {"charID": ID}),
    "/production/user/clone_character": Body({"charID": "NPC"}, {"charID": ID}),
    "/production/character/chatHistory/list": Body({"charID": "NPC"}, {"charID": ID, "limit": LIMIT}),
    "/production/character/chatHistory/details": Body(
        {"charID": "NPC", "sessionID": "x"}, {"charID": ID, "sessionID": ID}
    ),
    "/production/character/chatHistory/delete": Body(
        {"charID": "NPC", "sessionIDs": []}, {"charID": ID, "sessionIDs": [*NAMES[:-1], None]}
    ),
    "/production/user/update-source": Body({"referral_source": "A friend"}, {"referral_source": TEXT}),
    "/production/user/extend-token": Body({"apiAuthToken": "x"}, {"apiAuthToken": [*ID, "x"]}),
    "/production/user/revoke-token": Body({"apiAuthToken": "x"}, {"apiAuthToken": [*ID, "x"]}),
}

ON_REST = [one for one in ENDPOINTS if one.home is not Surface.LIVE and one.reads == "json" and one.fields]


def test_every_parameter_of_every_route_is_tried() -> None:
    tried = {path.partition("/")[2].partition("/")[2]: set(body.wrong) for path, body in ROUTES.items()}
    assert tried == {endpoint.path.removeprefix("/"): set(endpoint.fields) for endpoint in ON_REST}


NOT_JSON_OBJECTS = {
    "not JSON": b"{not json",
    "cut off": b'{"end_user_id": "player-4',
    "a list": b"[]",
    "a list of objects": b"[{}]",
    "null": b"null",
    "a string": b'"text"',
    "a number": b"5",
    "two objects": b"{} {}",
    "single quotes": b"{'end_user_id': 'player-42'}",
    "a form": b"end_user_id=player-42",
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": Infinity}',
    "minus Infinity": b'{"a": [-Infinity]}',
    "a float beyond 64 bits": b'{"a": 1e999}',
    "an integer of 65 bits": b'{"a": 18446744073709551616}',
    "a negative integer of 65 bits": b'{"a": {"b": -9223372036854775809}}',
    "an integer of 400 digits": b'{"a": [1' + b"0" * 400 + b"]}",
    "an integer of 5,000 digits": b'{"a": -1' + b"0" * 5000 + b"}",
    "a lone high surrogate": rb'{"a": "\ud800"}',
    "a lone low surrogate": rb'{"a": "x\udc00y"}',
    "surrogates the wrong way round": rb'{"a": "\ude00\ud83d"}',
    "a lone surrogate in a key": rb'{"\ud800": 1}',
    "a NUL": rb'{"a": "x\u0000y"}',
    "a NUL in a key": rb'{"a": {"\u0000": 1}}',
    "a NUL in a list": rb'{"a": [["\u0000"]]}',
    "a NUL as it is": b'{"a": "\x00"}',
    "65 levels of objects": b'{"a":' * 65 + b"1" + b"}" * 65,
    "65 levels of lists": b'{"a":' + b"[" * 65 + b"]" * 65 + b"}",
    "2,000 levels": b'{"a":' + b"[" * 2000 + b"]" * 2000 + b"}",
    "100,000 levels": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "open brackets only": b"[" * 500_000,
    "invalid UTF-8": b'{"a": "\xff"}',
    "overlong UTF-8": b'{"a": "\xc0\xaf"}',
    "a surrogate in UTF-8": b'{"a": "\xed\xa0\x80"}',
    "Latin-1": b'{"a": "caf\xe9"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"a": 1}',
}


@pytest.fixture
def known(api: Api) -> Iterator[Api]:
    """An account that knows a character and a person, and must know the same afterwards."""
    npc = api.character()
    api.freeze(AT)
    api.remember(npc, "player-42", "The user has a dog.")
    before = everything(api)
    yield api
    assert everything(api) == before


def everything(api: Api) -> list[Any]:
    """What an account holds."""
    characters = api.ok("/production/character/list")["characters"]
    return [
        characters,
        api.ok("/beta/user/end-users/list"),
        api.ok("/beta/user/speaker/list"),
        api.memories(characters[0]["character_id"], "player-42"),
    ]


def member(path: str) -> str:
    """The member that holds the message of a 400."""
    return "INTERNAL_ERROR" if path.endswith("/character/create") else "ERROR"


def valid(api: Api, path: str) -> dict[str, Any]:
    """The valid body of a route, about the character of the account."""
    (character,) = api.ok("/production/character/list")["characters"]
    return {name: character["character_id"] if value == "NPC" else value for name, value in ROUTES[path].valid.items()}


@on_sqlite
@pytest.mark.parametrize("path", ROUTES)
def test_a_wrong_parameter_is_named(known: Api, path: str) -> None:
    body = valid(known, path)
    for parameter, values in ROUTES[path].wrong.items():
        for wrong in values:
            response = known.post(path, {**body, parameter: wrong})
            refused(response, 400, parameter, key=member(path))
            assert "another value" not in response.text
        if None in values:
            lacking = {name: value for name, value in body.items() if name != parameter}
            refused(known.post(path, lacking), 400, parameter, key=member(path))


@on_sqlite
@pytest.mark.parametrize("path", [path for path, body in ROUTES.items() if any(None in w for w in body.wrong.values())])
def test_an_empty_body_names_all_that_is_missing(known: Api, path: str) -> None:
    required = [name for name, wrong in ROUTES[path].wrong.items() if None in wrong]
    for body in (b"", b"{}"):
        refused(known.raw(path, body), 400, *required, key=member(path))


@on_sqlite
@pytest.mark.parametrize("body", NOT_JSON_OBJECTS.values(), ids=NOT_JSON_OBJECTS.keys())
def test_what_is_no_storable_json_object_is_refused(known: Api, body: bytes) -> None:
    for path in ("/beta/memory/add", "/beta/user/end-users/list", "/production/character/create"):
        refused(known.raw(path, body), 400, "request body", key=member(path))


@pytest.mark.parametrize(
    "value",
    [r'"\u0000"', r'["a", "b\u0000"]', r'{"a": {"\u0000": ""}}', '{"a": 99999999999999999999}', "[" * 70 + "]" * 70],
    ids=["NUL", "NUL in a list", "NUL in a key", "huge integer", "deep"],
)
def test_what_cannot_be_stored_is_refused_wherever_it_stands(known: Api, value: str) -> None:
    for member in ("end_user_id", "memories", "metadata", "unknown"):
        body = json.dumps({**valid(known, "/beta/memory/add"), member: "HERE"})
        refused(known.raw("/beta/memory/add", body.replace('"HERE"', value).encode()), 400, "request body")


def test_what_is_only_just_storable_is_kept_exactly(api: Api) -> None:
    npc = api.character()
    deep: Any = 1
    for _ in range(61):
        deep = [deep]
    metadata = {
        "most": 2**63 - 1,
        "least": -(2**63),
        "digits": "123456789012345678901234567890",
        "float": 0.12345678901234567,
        "big": 1e300,
        "no NUL": "\\u0000",
        "emoji": "\U0001f600",
        "control": "\u0001\u007f\ufffe",
        "": "",
        "deep": deep,
    }
    api.remember(npc, "player-42", "The user has a dog.", metadata=metadata)
    assert api.memories(npc, "player-42")[0]["metadata"] == metadata
    body = rb'{"end_user_id": "player-42", "end_user_metadata": {"emoji": "\ud83d\ude00"}}'
    assert api.raw("/beta/user/end-users/update", body).json()["end_user_metadata"] == {"emoji": "\U0001f600"}


@on_sqlite
def test_a_body_of_one_mebibyte_fits_and_not_a_byte_more(known: Api) -> None:
    frame = b'{"unknown": ""}'
    body = frame[:-2] + b"x" * (MEBIBYTE - len(frame)) + frame[-2:]
    assert known.raw("/beta/user/end-users/list", body).status_code == 200
    refused(known.raw("/beta/user/end-users/list", body + b" "), 413, "1 MiB")
    refused(known.raw("/production/character/create", b"x" * 5 * MEBIBYTE), 413, "1 MiB")


@on_sqlite
def test_a_body_that_does_not_tell_its_size_is_cut_off_too(known: Api) -> None:
    path = "/beta/user/end-users/list"
    pieces = [b'{"unknown": "', *[b"x" * 65_536] * 16, b'"}']
    refused(known.client.post(path, content=iter(pieces), headers=known.headers(path)), 413, "1 MiB")
    response = known.client.post(path, content=iter(pieces[:2] + pieces[-1:]), headers=known.headers(path))
    assert response.status_code == 200


@on_sqlite
@pytest.mark.parametrize("content_type", [None, "text/plain", "application/json; charset=utf-8"])
def test_the_content_type_does_not_matter(known: Api, content_type: str | None) -> None:
    path = "/beta/user/end-users/get"
    headers = known.headers(path) | ({} if content_type is None else {"content-type": content_type})
    response = known.client.post(path, content=b' \n{"end_user_id": "player-42"}\n', headers=headers)
    assert response.json()["end_user_id"] == "player-42"


@on_sqlite
@pytest.mark.parametrize(
    "query", ["", "character_id=", "character_id=%20", "character_id=%00", "charID="], ids=lambda query: query or "none"
)
def test_a_bad_query_is_refused(known: Api, query: str) -> None:
    path = f"/production/character/get?{query}"
    refused(known.client.get(path, headers=known.headers(path)), 400)


@on_sqlite
@pytest.mark.parametrize("limit", ["50", " 50 ", 50.0], ids=["string", "padded string", "float"])
def test_a_number_may_be_written_in_other_ways(known: Api, limit: object) -> None:
    assert known.end_users(limit=limit) == ["player-42"]


@pytest.mark.parametrize("facts", [[], [5]])
def test_a_complaint_does_not_ask_for_what_was_sent(api: Api, facts: list[Any]) -> None:
    answer = api.post("/beta/memory/add", {"character_id": "x", "end_user_id": "y", "memories": facts})
    refused(answer, 400, "send a list of 1 to 100 non-blank strings")
    assert "not a list" not in answer.json()["ERROR"]
