"""Stubs: answers of one's own, for any route."""

import base64
import time
from typing import Any

import pytest

from tests.conftest import Api, on_sqlite, refused
from tests.control.conftest import Run
from tests.control.driving import Control, account

TTS = {"match": {"path": "/tts"}, "status": 200, "body": {"audio": "none"}, "times": None}


def put(control: Control, *stubs: dict[str, Any]) -> list[dict[str, Any]]:
    """Set stubs; returns them as they are kept."""
    kept: list[dict[str, Any]] = control.ok("PUT", "/stubs", {"stubs": list(stubs)})["stubs"]
    return kept


class TestAnAnswer:
    def test_of_json(self, api: Api, control: Control) -> None:
        assert put(control, {"match": {"path": "/tts"}, "body": {"audio": "none"}}) == [TTS]
        for place in ("/tts", "/production/tts/", "/beta/tts", "/live/tts"):
            response = api.post(place, {"transcript": "Hello."})
            assert (response.status_code, response.json()) == (200, {"audio": "none"})
            assert response.headers["content-type"] == "application/json"
            assert response.headers["x-request-trace-id"].startswith("req_")

    @pytest.mark.parametrize(
        ("given", "content", "kind"),
        [
            ({"body": None}, b"null", "application/json"),
            ({"body": []}, b"[]", "application/json"),
            ({"text": "n\u00e9"}, "n\u00e9".encode(), "text/plain; charset=utf-8"),
            ({"base64": base64.b64encode(b"RIFF\0\xff").decode()}, b"RIFF\0\xff", "application/octet-stream"),
            ({}, b"", "text/plain; charset=utf-8"),
            (
                {"text": "data: {}\n\n", "headers": {"Content-Type": "text/event-stream", "X-A": "b"}},
                b"data: {}\n\n",
                "text/event-stream",
            ),
        ],
    )
    def test_of_any_kind(self, api: Api, control: Control, given: dict[str, Any], content: bytes, kind: str) -> None:
        put(control, {"match": {"path": "/stt"}, "status": 418, **given})
        response = api.post("/production/stt")
        assert (response.status_code, response.content, response.headers["content-type"]) == (418, content, kind)
        assert response.headers.get("x-a") == given.get("headers", {}).get("X-A")

    def test_says_once_who_may_read_it(self, api: Api, control: Control) -> None:
        own = {"Access-Control-Allow-Origin": "https://game.example", "Vary": "Accept"}
        put(control, {**TTS, "headers": own})
        response = api.client.post("/tts", headers={**api.headers("/tts"), "Origin": "https://other.example"})
        assert response.headers.get_list("access-control-allow-origin") == ["*"]
        assert response.headers.get_list("vary") == ["Accept", "Origin"]

    def test_takes_its_time(self, api: Api, control: Control) -> None:
        put(control, {**TTS, "delay_ms": 20})
        started = time.perf_counter()
        assert api.post("/tts").status_code == 200
        assert time.perf_counter() - started >= 0.02

    def test_instead_of_a_route_that_is_emulated(self, api: Api, control: Control) -> None:
        npc = api.character()
        body = {"character_id": npc, "end_user_id": "player-42", "memories": ["The user has a dog."]}
        put(control, {"match": {"path": "/memory/add", "surface": "beta"}, "status": 201, "body": {"memories": []}})
        assert api.post("/beta/memory/add", body).json() == {"memories": []}
        assert api.end_users() == []
        assert api.post("/production/memory/add", body).json()["memories"] != []

    def test_comes_so_many_times(self, api: Api, control: Control) -> None:
        put(control, {**TTS, "times": 2}, {"match": {"path": "/tts"}, "status": 404, "text": "gone", "times": 1})
        assert [api.post("/tts").status_code for _ in range(4)] == [200, 200, 404, 501]
        assert control.ok("GET", "/stubs") == {"stubs": []}

    def test_shows_how_often_it_will_still_come(self, api: Api, control: Control) -> None:
        put(control, {**TTS, "times": 3})
        api.post("/tts")
        assert control.ok("GET", "/stubs") == {"stubs": [{**TTS, "times": 2}]}


class TestTheRequest:
    def test_is_matched_by_its_body(self, api: Api, control: Control) -> None:
        put(control, {"match": {"path": "/nlp/*", "method": "post", "body": {"a": {"b": 1}}}, "text": "stub"})
        for body, status in (({"a": {"b": 1, "c": 2}, "d": 3}, 200), ({"a": {"b": 2}}, 501), ({}, 501), ([1], 501)):
            assert api.post("/nlp/parse", body).status_code == status
        headers = {"CONVAI-API-KEY": api.key}
        assert api.client.get("/nlp/parse?a=1", headers=headers).status_code == 501
        assert api.client.post("/nlp/parse", content=b"{", headers=headers).status_code == 501

    def test_is_read_again_by_its_route_when_the_body_does_not_fit(self, api: Api, control: Control) -> None:
        put(control, {"match": {"path": "/memory/{what}", "body": {"end_user_id": "nobody"}}, "status": 404})
        npc = api.character()
        assert api.remember(npc, "player-42", "The user has a dog.")[0]["event"] == "add"
        body = {"character_id": npc, "end_user_id": "nobody", "memories": ["A fact."]}
        assert (api.post("/beta/memory/add", body).status_code, api.end_users()) == (404, ["player-42"])

    def test_may_be_a_form_or_a_query(self, api: Api, control: Control) -> None:
        match = {"path": "/character/getResponse", "body": {"userText": "Hello."}}
        put(control, {"match": match, "body": {"text": "stub"}}, {"match": {**match, "path": "/v2/voices"}})
        headers = {"CONVAI-API-KEY": api.key}
        form = {"charID": (None, "x"), "userText": (None, "Hello.")}
        path = "/production/character/getResponse"
        assert api.client.post(path, files=form, headers=headers).json() == {"text": "stub"}
        assert api.client.post(path, data={"userText": "Hello."}, headers=headers).json() == {"text": "stub"}
        assert api.client.post(path, data={"userText": "Bye."}, headers=headers).status_code == 400
        assert api.client.get("/v2/voices?userText=Hello.", headers=headers).status_code == 200
        assert api.client.get("/v2/voices", headers=headers).status_code == 501

    def test_is_in_the_journal_with_what_answered(self, api: Api, control: Control) -> None:
        put(control, TTS)
        api.post("/production/tts/", {"transcript": "Hello."})
        api.post("/stt")
        stubbed, other = control.requests()
        assert {name: stubbed[name] for name in ("path", "status", "body", "response", "stub")} == {
            "path": "/tts",
            "status": 200,
            "body": {"transcript": "Hello."},
            "response": {"audio": "none"},
            "stub": {"path": "/tts"},
        }
        assert other["stub"] is None

    def test_may_meet_a_fault_too(self, api: Api, control: Control) -> None:
        put(control, {"match": {"path": "/character/list"}, "text": "stub", "times": 1})
        control.fault(status=503, match={"path": "/character/list"}, when="after")
        assert [api.post("/production/character/list").status_code for _ in range(2)] == [503, 200]
        first, second = control.requests()
        assert (first["fault"]["status"], first["stub"]) == (503, {"path": "/character/list"})
        assert (second["fault"], second["stub"]) == (None, None)


class TestWhose:
    def test_the_first_that_fits_answers_and_ones_own_before_those_of_all(
        self, api: Api, other: Api, control: Control, server: Control
    ) -> None:
        put(server, {"match": {"path": "/*"}, "text": "all"})
        put(control, {"match": {"path": "/tts"}, "text": "first"}, {"match": {"path": "/tts"}, "text": "second"})
        assert (api.post("/tts").text, other.post("/tts").text, api.post("/stt").text) == ("first", "all", "all")
        assert api.client.post("/beta/memory/list").text == "all"
        assert server.ok("DELETE", "/stubs") == {"stubs": []}
        assert (api.post("/tts").status_code, other.post("/tts").status_code) == (501, 501)

    def test_setting_takes_the_place_of_what_was_set(self, api: Api, other: Api, control: Control) -> None:
        put(Control(other.client, other.key), TTS)
        put(control, TTS, {"match": {"path": "/stt"}})
        assert put(control) == []
        assert (api.post("/tts").status_code, other.post("/tts").status_code) == (501, 200)
        put(control, TTS)
        assert control.ok("DELETE", "/stubs") == {"stubs": []}
        assert api.post("/tts").status_code == 501


class TestTheyArePartOf:
    def test_the_state_and_of_a_seed(self, api: Api, other: Api, control: Control) -> None:
        theirs = Control(other.client, other.key)
        put(control, {**TTS, "times": 2}, {"match": {"path": "/xp/*", "body": {"a": 1}}, "base64": "UklGRg=="})
        state = control.state()
        assert [stub["match"]["path"] for stub in state["stubs"]] == ["/tts", "/xp/*"]
        for _ in range(2):
            theirs.ok("POST", "/seed", {"stubs": state["stubs"]})
            assert theirs.state()["stubs"] == state["stubs"]
        assert other.post("/tts").status_code == 200
        assert "stubs" not in Control(api.client, "another-key").state()

    def test_snapshots(self, api: Api, control: Control) -> None:
        put(control, {**TTS, "times": 1})
        control.ok("PUT", "/snapshots/before")
        assert [api.post("/tts").status_code for _ in range(2)] == [200, 501]
        control.ok("POST", "/snapshots/before/restore")
        assert [api.post("/tts").status_code for _ in range(2)] == [200, 501]

    def test_what_a_reset_forgets(self, api: Api, control: Control, server: Control) -> None:
        put(control, TTS)
        put(server, {"match": {"path": "/stt"}})
        control.ok("POST", "/reset")
        assert (api.post("/tts").status_code, api.post("/stt").status_code) == (501, 200)
        server.ok("POST", "/reset")
        assert api.post("/stt").status_code == 501

    def test_what_every_account_begins_with(self, run: Run, tmp_path: Any) -> None:
        seed = tmp_path / "seed.json"
        seed.write_text('{"stubs": [{"match": {"path": "/tts"}, "text": "seeded"}]}')
        with run(seed=(seed,)) as client:
            for _ in range(2):
                api, control = account(client)
                assert api.post("/tts").text == "seeded"
                control.ok("DELETE", "/stubs")
                assert api.post("/tts").status_code == 501
                control.ok("POST", "/reset")
                assert api.post("/tts").text == "seeded"


@on_sqlite
@pytest.mark.parametrize(
    ("place", "stub"),
    [
        ("stubs[0].match", {}),
        ("stubs[0].match.path", {"match": {}}),
        ("stubs[0].match.path", {"match": {"path": "tts"}}),
        ("stubs[0].match.path", {"match": {"path": "/beta/tts"}}),
        ("stubs[0].match.path", {"match": {"path": "/a*"}}),
        ("stubs[0].match.path", {"match": {"path": "/*/a"}}),
        ("stubs[0].match.surface", {"match": {"path": "/a", "surface": "gamma"}}),
        ("stubs[0].match.method", {"match": {"path": "/a", "method": "G ET"}}),
        ("stubs[0].match.body", {"match": {"path": "/a", "body": "x"}}),
        ("stubs[0].match.query", {"match": {"path": "/a", "query": {}}}),
        ("stubs[0].status", {**TTS, "status": 101}),
        ("stubs[0].status", {**TTS, "status": "200"}),
        ("stubs[0].base64", {"match": {"path": "/a"}, "base64": "%"}),
        ("stubs[0].headers", {**TTS, "headers": {"content-length": "5"}}),
        ("stubs[0].times", {**TTS, "times": 0}),
        ("stubs[0].delay_ms", {**TTS, "delay_ms": -1}),
        ("stubs[0]", {"match": {"path": "/a"}, "text": "a", "body": 1}),
        ("stubs[0].reply", {**TTS, "reply": "x"}),
    ],
)
def test_a_bad_one_names_the_place_and_changes_nothing(
    api: Api, control: Control, place: str, stub: dict[str, Any]
) -> None:
    put(control, TTS)
    response = control.send("PUT", "/stubs", {"stubs": [stub]})
    refused(response, 400, f"Invalid stubs at '{place}':")
    refused(control.send("POST", "/seed", {"stubs": [stub]}), 400, f"Invalid seed document at '{place}':")
    assert control.ok("GET", "/stubs") == {"stubs": [TTS]}


def test_there_are_not_too_many(control: Control) -> None:
    refused(control.send("PUT", "/stubs", {"stubs": [TTS] * 1001}), 400, "'stubs'", "1000")


def test_the_list_must_be_there(control: Control) -> None:
    refused(control.send("PUT", "/stubs", {}), 400, "'stubs'")
    refused(control.send("PUT", "/stubs", {"stubs": TTS}), 400, "'stubs'")


def test_nothing_is_asked_of_the_database_while_there_is_none(run: Run, database_url: str | None) -> None:
    if database_url is not None:
        pytest.skip("a shared database is asked every time")
    with run() as client:
        api, control = account(client)
        api.post("/tts")
        asked: list[object] = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("fake_convai.store.stubs.are_there", asked.append)
            api.post("/tts")
        assert asked == []
        put(control, TTS)
        assert api.post("/tts").status_code == 200
