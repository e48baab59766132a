"""The journal: what was asked and answered, with reasons, without secrets, and never more than so much."""

import io
from typing import Any, TypeVar
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from tests.api.talking import UUID, chat, connect, disconnect
from tests.conftest import Api, refused
from tests.control.conftest import Run
from tests.control.driving import NOON, Control, account

T = TypeVar("T")

LIST = "/beta/user/end-users/list"
PATH = "/user/end-users/list"


def test_an_entry_tells_all_of_a_request(api: Api, control: Control) -> None:
    control.freeze()
    body = {"character_id": "ghost", "end_user_id": "player-42", "page": "2"}
    response = api.post("/beta/memory/list", {**body, "pages": 3})
    assert control.ok("GET", "/requests") == {
        "requests": [
            {
                "at": NOON,
                "surface": "beta",
                "method": "POST",
                "account": f"...{api.key[-4:]}",
                "path": "/memory/list",
                "body": {**body, "pages": 3},
                "status": 404,
                "response": response.json(),
                "duration_ms": control.requests()[0]["duration_ms"],
                "fault": None,
                "stub": None,
                "off_surface": False,
                "credential": "key",
                "headers": {"accept": "*/*", "user-agent": "testclient", "content-type": "application/json"},
                "trace_id": response.headers["x-request-trace-id"],
                "unknown_fields": ["pages"],
                "violations": ["Invalid parameter 'page': send a whole number from 1 to 1000, not '2'."],
                "explanations": [],
            }
        ],
        "dropped": 0,
    }
    assert 0 < control.requests()[0]["duration_ms"] < 60_000


def test_entries_are_in_order_and_without_the_control_plane(api: Api, control: Control) -> None:
    npc = api.character()
    control.state()
    api.client.get("/production/character/get", params={"character_id": npc}, headers=api.headers("/production/"))
    api.client.options(LIST, headers={"Origin": "https://game.example", "Access-Control-Request-Method": "POST"})
    assert [(entry["method"], entry["surface"], entry["path"]) for entry in control.requests()] == [
        ("POST", "production", "/character/create"),
        ("POST", "production", "/character/update"),
        ("GET", "production", "/character/get"),
    ]
    assert control.requests()[2]["body"] == {"character_id": npc}


@pytest.mark.parametrize("path", [LIST, "/user/end-users/list", "//localhost/user/end-users/list"])
def test_the_path_is_without_the_surface_however_it_was_named(api: Api, control: Control, path: str) -> None:
    headers = {"CONVAI-API-KEY": api.key, "Host": "beta.localhost" if path == "/user/end-users/list" else "localhost"}
    assert api.client.post(path.removeprefix("//localhost"), headers=headers).status_code == 200
    (entry,) = control.requests()
    assert (entry["surface"], entry["path"]) == ("beta", PATH)


class TestReasons:
    def test_what_became_of_each_fact(self, api: Api, control: Control) -> None:
        npc = api.character()
        facts = ["The user's name is Jordan.", "The user has a dog.", "The user's name is Jordan Kim."]
        added = api.remember(npc, "player-42", *facts)
        explanations = control.requests(path="/memory/add")[0]["explanations"]
        assert [(one["event"], one["with"]) for one in explanations] == [(one["event"], one["id"]) for one in added]
        assert [one["event"] for one in explanations] == ["add", "add", "update"]
        assert [one["because"] for one in explanations if not one["because"].strip()] == []

    def test_that_another_language_is_not_read(self, api: Api, control: Control) -> None:
        api.remember(api.character(), "player-42", "Le gusta el té.")
        (explanation,) = control.requests(path="/memory/add")[0]["explanations"]
        assert explanation["because"] == "overlaps with no record; not in English, where only a repeat is merged"

    @pytest.mark.parametrize(
        ("path", "body", "unknown", "violated"),
        [
            (LIST, {"limit": 5, "cursors": 1, "active": 2}, ["active", "cursors"], []),
            (LIST, {"limit": "5"}, [], ["'limit'"]),
            (LIST, {"limit": None, "cursor": None}, [], []),
            (LIST, {"limit": 0}, [], ["'limit'"]),
            ("/beta/memory/list", {}, [], ["'character_id'", "'end_user_id'"]),
            ("/production/user/connect", {"x": 1}, ["x"], []),
            ("/production/character/get", {"charID": "a", "character_id": "a"}, ["character_id"], []),
            ("/live/connect", {"character_id": "a", "spawn_agent": True}, ["spawn_agent"], []),
        ],
    )
    def test_fields_nobody_reads_and_what_breaks_the_contract(
        self, api: Api, control: Control, path: str, body: Any, unknown: list[str], violated: list[str]
    ) -> None:
        api.post(path, body)
        (entry,) = control.requests()
        assert entry["unknown_fields"] == unknown
        assert len(entry["violations"]) == len(violated)
        assert [name for name, text in zip(violated, entry["violations"], strict=True) if name not in text] == []

    def test_a_limit_in_a_string_is_what_the_chat_history_documents(self, api: Api, control: Control) -> None:
        api.ok("/production/character/chatHistory/list", {"charID": api.character(), "limit": "-1"})
        assert control.requests()[-1]["violations"] == []


class TestBodies:
    @pytest.mark.parametrize(
        ("raw", "kept"),
        [
            (b"", None),
            (b"{", "{"),
            (b"[1]", [1]),
            (b"\xff\x00", "\ufffd\ufffd"),
            (b'{"a": "\\u0000"}', {"a": "\ufffd"}),
            (b'{"a": 123456789012345678901234567890}', {"a": 1.2345678901234568e29}),
            (b'{"a": "' + b"x" * 70_000 + b'"}', "(70009 bytes, not kept)"),
        ],
    )
    def test_json_is_kept_as_json_and_the_rest_as_text(self, api: Api, control: Control, raw: bytes, kept: Any) -> None:
        api.raw(LIST, raw)
        assert [entry["body"] for entry in control.requests()] == [kept]

    @pytest.mark.parametrize("depth", [100, 900])
    def test_what_is_nested_too_deeply_is_cut_off(self, api: Api, control: Control, depth: int) -> None:
        api.raw(LIST, b'{"a": ' + b"[" * depth + b"]" * depth + b"}")
        (entry,) = control.requests()
        levels, inner = 0, entry["body"]["a"]
        while isinstance(inner, list):
            levels, inner = levels + 1, inner[0]
        assert (entry["status"], levels, inner) == (400, 63, "(nested too deeply, not kept)")

    def test_a_form_is_kept_by_its_fields(self, api: Api, control: Control) -> None:
        npc = api.character()
        form = {"charID": npc, "sessionID": "-1", "mood": "good"}
        sound = {"file": ("hello.wav", io.BytesIO(b"RIFF1234"))}
        api.client.post("/production/character/getResponse", data=form, files=sound, headers=api.headers("/p"))
        entry = control.requests()[-1]
        assert entry["body"] == {**form, "file": "(file hello.wav, 8 bytes)"}
        assert entry["unknown_fields"] == ["mood"]

    def test_a_large_form_is_not_kept(self, api: Api, control: Control) -> None:
        form = {"character_id": api.character(), "text_input": "x" * 100_000}
        api.client.post("/live/connect/stream", data=form, headers=api.headers("/live/"))
        entry = control.requests()[-1]
        assert (entry["status"], entry["body"], entry["response"]) == (200, "(100071 bytes, not kept)", None)

    def test_a_large_answer_is_not_kept(self, api: Api, control: Control) -> None:
        npc = api.character()
        api.remember(npc, "player-42", *[f"{number} {'x' * 9000}." for number in range(10)])
        length = len(api.post("/beta/memory/list", {"character_id": npc, "end_user_id": "player-42"}).content)
        assert length > 65_536
        assert control.requests()[-1]["response"] == f"({length} bytes, not kept)"


class TestSecrets:
    def test_tokens_are_shown_by_their_last_four_characters(self, api: Api, control: Control) -> None:
        token = api.ok("/production/user/connect")
        api.ok("/production/user/extend-token", {"apiAuthToken": token["apiAuthToken"]})
        session = api.ok("/live/connect", {"character_id": api.character()})
        entries = control.requests()
        hidden = f"...{token['apiAuthToken'][-4:]}"
        assert entries[0]["response"] == {**token, "apiAuthToken": hidden}
        assert entries[1]["body"] == {"apiAuthToken": hidden}
        assert entries[-1]["response"] == {**session, "token": f"...{session['token'][-4:]}"}

    @pytest.mark.parametrize("name", ["apiKey", "API_KEY", "CONVAI-API-KEY", "X-API-Key", "Authorization", "token"])
    @pytest.mark.parametrize(
        ("secret", "shown"), [("a-secret-1234", "...1234"), ("short", "..."), (12345678, "...5678")]
    )
    def test_keys_in_a_body_are_hidden(self, api: Api, control: Control, name: str, secret: Any, shown: str) -> None:
        api.post(LIST, {"deep": [{name: secret}], name: secret})
        (entry,) = control.requests()
        assert entry["body"] == {"deep": [{name: shown}], name: shown}

    def test_a_key_is_nowhere(self, api: Api, control: Control) -> None:
        api.ok(LIST)
        api.character()
        assert api.key not in control.send("GET", "/requests").text
        assert api.key not in Control(api.client).send("GET", "/requests").text


class TestFilters:
    def test_by_path_surface_and_status(self, api: Api, control: Control) -> None:
        api.ok(LIST)
        api.post("/beta/memory/list")
        api.ok("/beta/user/speaker/list")
        api.ok("/production/user/speaker/list")
        for query, paths in (
            ({"path": PATH}, [PATH]),
            ({"surface": "production"}, ["/user/speaker/list"]),
            ({"status": 400}, ["/memory/list"]),
            ({"path": "/user/speaker/list", "surface": "beta", "status": "200"}, ["/user/speaker/list"]),
        ):
            response = control.client.get("/_fake/requests", params=query, headers=api.headers("/beta/"))
            assert [entry["path"] for entry in response.json()["requests"]] == paths
            assert "nearest" not in response.json()

    @pytest.mark.parametrize(
        ("query", "nearest"),
        [
            ("path=/memory/lists", ["/memory/list", PATH, "/character/create"]),
            ("path=/beta/memory/list", ["/memory/list", PATH, "/character/create"]),
            ("path=/memory/list%26status=200", ["/memory/list", PATH, "/character/create"]),
            ("path=/memory/list&status=200", ["404"]),
            ("path=/memory/list&surface=live", ["beta"]),
            ("surface=live", ["beta", "production"]),
            ("status=429", ["404", "200", "201"]),
        ],
    )
    def test_one_that_finds_nothing_says_what_comes_nearest(
        self, api: Api, control: Control, query: str, nearest: list[str]
    ) -> None:
        api.ok(LIST)
        api.ok("/production/character/create", {"charName": "A", "voiceType": "B", "backstory": "C"})
        api.post("/beta/memory/list", {"character_id": "ghost", "end_user_id": "player-42"})
        answer = control.ok("GET", f"/requests?{query}")
        assert answer == {"requests": [], "dropped": 0, "nearest": answer["nearest"]}
        assert sorted(answer["nearest"]) == sorted(nearest)
        assert answer["nearest"][0] == nearest[0]

    def test_an_empty_journal_has_nothing_near(self, control: Control) -> None:
        assert control.ok("GET", "/requests?status=429") == {"requests": [], "dropped": 0, "nearest": []}

    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ("status=abc", ["status", "200"]),
            ("status=-200", ["status"]),
            ("status=", ["status"]),
            ("surface=gamma", ["surface", "production, beta, live"]),
            ("route=/memory/add", ["'route'", "path, surface, status, end_user_id, after, limit, wait or count"]),
            ("key=x", ["'key'"]),
            ("path=%00", ["path"]),
            *((f"after={after}", ["'after'", "25"]) for after in ("", "-1", "1.5", "last", "1000000000000000")),
            *((f"end_user_id={someone}", ["'end_user_id'", "512"]) for someone in ("%20", "x" * 513, "a%00")),
        ],
    )
    def test_a_bad_one_is_refused(self, control: Control, query: str, words: list[str]) -> None:
        refused(control.send("GET", f"/requests?{query}"), 400, *words)


class TestSize:
    def test_the_oldest_go_when_it_is_full(self, run: Run) -> None:
        with run(journal_size=3) as client:
            (api, control), (other, theirs) = account(client), account(client)
            other.ok(LIST)
            for limit in range(1, 6):
                api.ok(LIST, {"limit": limit})
                control.requests()
            answer = control.ok("GET", "/requests")
            assert [entry["body"]["limit"] for entry in answer["requests"]] == [3, 4, 5]
            assert (answer["dropped"], theirs.ok("GET", "/requests")["dropped"]) == (2, 0)
            assert len(theirs.requests()) == 1
            assert control.ok("DELETE", "/requests") == {"requests": [], "dropped": 0}
            assert control.ok("GET", "/requests") == {"requests": [], "dropped": 0}

    def test_requests_of_nobody_are_bounded_and_counted_too(self, run: Run) -> None:
        with run(journal_size=3) as client:
            whole = Control(client)
            whole.ok("POST", "/reset")
            for _ in range(5):
                client.post(LIST)
                whole.requests()
            answer = whole.ok("GET", "/requests")
            assert (len(answer["requests"]), answer["dropped"]) == (3, 2)
            account(client)[0].ok(LIST)
            assert len(whole.requests()) == 4
            assert whole.ok("DELETE", "/requests") == {"requests": [], "dropped": 0}
            assert whole.ok("GET", "/requests") == {"requests": [], "dropped": 0}


class TestWhose:
    def test_each_account_sees_its_own_and_the_server_all(self, server: Control, api: Api, other: Api) -> None:
        api.ok(LIST)
        other.ok("/beta/user/speaker/list")
        assert [entry["path"] for entry in Control(api.client, api.key).requests()] == [PATH]
        assert [entry["path"] for entry in server.requests()] == [PATH, "/user/speaker/list"]
        Control(api.client, api.key).ok("DELETE", "/requests")
        assert [entry["path"] for entry in server.requests()] == ["/user/speaker/list"]
        assert server.ok("DELETE", "/requests") == {"requests": [], "dropped": 0}
        assert Control(other.client, other.key).requests() == []

    def test_a_request_without_a_valid_key_is_in_the_servers_alone(self, server: Control) -> None:
        for headers in ({}, {"CONVAI-API-KEY": "invalid-key"}):
            assert server.client.post(LIST, json={"limit": 1}, headers=headers).status_code == 401
        entries = server.requests()
        assert [(entry["path"], entry["status"], entry["body"]) for entry in entries] == [(PATH, 401, None)] * 2
        assert [UUID.search(str(entry)) for entry in entries] == [None, None]

    def test_a_path_that_cannot_be_stored_harms_nobody(self, server: Control, api: Api) -> None:
        assert api.post("/beta/%00/%FF").status_code == 404
        api.ok(LIST)
        assert [entry["path"] for entry in server.requests()] == ["/\ufffd/\ufffd", PATH]

    def test_sessions_leave_their_requests(self, api: Api, control: Control) -> None:
        session = connect(api, api.character(), "player-42")
        with chat(api, session) as talk:
            talk.say("Hello.")
        disconnect(api, session)
        paths = [entry["path"] for entry in control.requests(surface="live")]
        assert paths[0] == "/connect"


def test_a_refused_filter_changes_nothing(client: TestClient, control: Control) -> None:
    before = control.ok("GET", "/requests")
    refused(control.send("DELETE", "/requests?path=/x", None, Origin="https://evil.example"), 403, "evil.example")
    assert control.ok("GET", "/requests") == before


def test_a_journal_is_read_on_from_where_one_was(api: Api, other: Api, control: Control) -> None:
    for path in ("/production/character/list", LIST, "/beta/user/speaker/list"):
        api.ok(path)
        other.ok(path)
    everything = control.requests()
    for after in range(5):
        assert control.ok("GET", f"/requests?after={after}") == {"requests": everything[after:], "dropped": 0}
    assert control.ok("GET", f"/requests?after=1&path={PATH}")["requests"] == everything[1:2]
    assert control.ok("GET", f"/requests?after=2&path={PATH}") == {"requests": [], "dropped": 0, "nearest": []}
    control.ok("DELETE", "/requests")
    assert control.ok("GET", "/requests?after=3") == {"requests": [], "dropped": 0}


def test_what_was_dropped_counts_when_reading_on(run: Run) -> None:
    with run(journal_size=2) as client:
        api, control = account(client)
        for _ in range(5):
            api.ok(LIST)
        kept = control.requests()
        for after, wanted in ((0, kept), (3, kept), (4, kept[1:]), (5, [])):
            assert control.ok("GET", f"/requests?after={after}") == {"requests": wanted, "dropped": 3}


@pytest.mark.parametrize("person", ["player-42", '100%_\u00fc/\\"', "x"])
def test_requests_about_one_person(api: Api, control: Control, person: str) -> None:
    npc = api.character()
    api.remember(npc, person, "The user has a dog.")
    api.remember(npc, '100 _\u00fc/\\"', f"The user knows {person}.")
    found = control.send("GET", f"/requests?{urlencode({'end_user_id': person})}").json()["requests"]
    assert [entry["body"]["end_user_id"] for entry in found] == [person]
