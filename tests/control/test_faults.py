"""Faults: errors on demand, in Convai's own words, to the requests that are meant, as often as is said."""

import uuid
from typing import Any

import pytest

from tests.conftest import Api, on_sqlite, refused
from tests.control.conftest import Run
from tests.control.driving import Control, account

LIST = "/beta/user/end-users/list"
LIMITED = "API rate limit exceeded. Please try again later."


def statuses(api: Api, *paths: str, body: Any = None) -> list[int]:
    """The status of each path, one after the other."""
    return [api.post(path, body).status_code for path in paths]


@on_sqlite
@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        (LIST, 400, {"ERROR": "Bad request."}),
        (LIST, 401, {"ERROR": "Invalid API key provided."}),
        (LIST, 403, {"ERROR": "Access denied."}),
        (LIST, 404, {"ERROR": "Not found."}),
        (LIST, 409, {"ERROR": "Conflict."}),
        (LIST, 413, {"ERROR": "Request body too large."}),
        (LIST, 418, {"ERROR": "Injected fault."}),
        (LIST, 429, {"ERROR": LIMITED}),
        (LIST, 502, {"ERROR": "Bad gateway."}),
        (LIST, 503, {"ERROR": "Service unavailable."}),
        (LIST, 504, {"ERROR": "Gateway timeout."}),
        ("/production/character/list", 401, {"API_ERROR": "Invalid API key provided."}),
        ("/production/character/list", 429, {"ERROR": LIMITED}),
        ("/production/user/connect", 401, {"ERROR": "Invalid API key provided."}),
        ("/live/connect", 401, {"detail": "Invalid API key"}),
        ("/live/connect", 429, {"detail": LIMITED}),
        ("/live/connect", 500, {"detail": "Internal server error."}),
        ("/user/end-users/list", 503, {"ERROR": "Service unavailable."}),
        ("/connect", 503, {"detail": "Service unavailable."}),
    ],
)
class TestConvaisOwnBody:
    def test_of_a_waiting_fault(self, api: Api, control: Control, path: str, status: int, body: dict[str, str]) -> None:
        control.fault(status=status)
        response = api.post(path)
        assert (response.status_code, response.json()) == (status, body)
        assert response.headers["content-type"] == "application/json"
        assert response.headers.get("retry-after") == ("1" if status == 429 else None)

    def test_of_the_header(self, api: Api, path: str, status: int, body: dict[str, str]) -> None:
        response = api.client.post(
            path, json={}, headers={"X-API-Key": api.key, "CONVAI-API-KEY": api.key, "X-Fake-Convai-Fault": str(status)}
        )
        assert (response.status_code, response.json()) == (status, body)


def test_a_500_has_a_reference_id(api: Api, control: Control) -> None:
    control.fault(status=500, times=2)
    bodies = [api.post(LIST).json() for _ in range(2)]
    for body in bodies:
        reference = str(uuid.UUID(body["Reference ID"]))
        assert body == {"ERROR": "Internal server error.", "Reference ID": reference}
    assert bodies[0] != bodies[1]


@pytest.mark.parametrize("body", [{"ERROR": "Down."}, {}, [], "down", 0, False, {"deep": [None]}])
def test_a_body_of_ones_own(api: Api, control: Control, body: Any) -> None:
    kept = {"match": {}, "times": 1, "status": 500, "body": body, "when": "before"}
    assert control.fault(status=500, body=body) == kept
    response = api.post(LIST)
    assert (response.status_code, response.json()) == (500, body)


def test_headers_of_ones_own(api: Api, control: Control) -> None:
    control.fault(status=429, headers={"Retry-After": "30", "X-Trace": "a b", "Content-Type": "application/x"})
    response = api.post(LIST)
    assert [response.headers.get_list(name) for name in ("Retry-After", "X-Trace", "Content-Type")] == [
        ["30"],
        ["a b"],
        ["application/x"],
    ]


def test_a_delay_alone_changes_nothing(api: Api, control: Control) -> None:
    control.fault(delay_ms=1)
    response = api.post(LIST)
    assert (response.status_code, response.json()["end_users"]) == (200, [])
    (entry,) = control.requests()
    assert entry["fault"] == {"match": {}, "times": 1, "delay_ms": 1, "when": "before"}
    assert entry["duration_ms"] >= 1


def test_a_delay_before_an_error(api: Api, control: Control) -> None:
    control.fault(delay_ms=1, status=503)
    assert statuses(api, LIST, LIST) == [503, 200]
    assert control.requests()[0]["duration_ms"] >= 1


class TestWhen:
    def test_before_nothing_has_happened(self, api: Api, control: Control) -> None:
        npc = api.character()
        control.fault(status=503, match={"path": "/memory/add"})
        body = {"character_id": npc, "end_user_id": "player-42", "memories": ["Tall."]}
        assert statuses(api, "/beta/memory/add", body=body) == [503]
        assert api.end_users() == []

    def test_before_a_bad_body_is_noticed(self, api: Api, control: Control) -> None:
        control.fault(status=503)
        assert statuses(api, "/beta/memory/add", "/beta/memory/add") == [503, 400]

    def test_after_the_write_is_committed(self, api: Api, control: Control) -> None:
        npc = api.character()
        control.fault(status=503, match={"path": "/memory/add"}, when="after")
        body = {"character_id": npc, "end_user_id": "player-42", "memories": ["Tall."]}
        response = api.post("/beta/memory/add", body)
        assert (response.status_code, response.json()) == (503, {"ERROR": "Service unavailable."})
        assert [memory["memory"] for memory in api.memories(npc, "player-42")] == ["Tall."]

    def test_after_comes_instead_of_whatever_the_answer_would_have_been(self, api: Api, control: Control) -> None:
        control.fault(status=503, when="after")
        assert statuses(api, "/beta/memory/add", "/beta/memory/add") == [503, 400]
        assert [entry["fault"] is None for entry in control.requests()] == [False, True]

    def test_a_delay_after_it(self, api: Api, control: Control) -> None:
        control.fault(delay_ms=1, when="after")
        assert statuses(api, LIST) == [200]
        assert control.requests()[0]["fault"]["when"] == "after"


class TestHowOften:
    def test_once_unless_said_otherwise(self, api: Api, control: Control) -> None:
        control.fault(status=503)
        assert statuses(api, LIST, LIST) == [503, 200]

    def test_several_times_and_the_list_counts_down(self, api: Api, control: Control) -> None:
        control.fault(status=503, times=2)
        fault = {"match": {}, "status": 503, "when": "before"}
        for left in ([{**fault, "times": 2}], [{**fault, "times": 1, "happened": 1}], []):
            assert control.ok("GET", "/faults") == {"faults": left}
            assert statuses(api, LIST) == [503 if left else 200]
        used_up = {**fault, "times": 0, "happened": 2}
        assert control.ok("GET", "/faults?used_up=true") == {"faults": [used_up]}
        assert control.send("GET", "/faults?used=1").status_code == 400

    def test_always_until_cleared(self, api: Api, control: Control) -> None:
        control.fault(status=503, times=None)
        assert statuses(api, *[LIST] * 5) == [503] * 5
        (always,) = control.ok("GET", "/faults")["faults"]
        assert (always["times"], always["happened"]) == (None, 5)
        assert control.ok("DELETE", "/faults") == {"faults": []}
        assert statuses(api, LIST) == [200]

    def test_at_a_rate(self, run: Run) -> None:
        with run(random_seed=1) as client:
            # Ids, and so the draws, come from the seed and the key.
            first, second = account(client, "rate-one"), account(client, "rate-two")
            for _, control in (first, second):
                control.fault(status=503, rate=0.25, times=None)
            runs = [statuses(api, *[LIST] * 60) for api, _ in (first, second)]
        assert [5 <= run.count(503) <= 25 for run in runs] == [True, True]
        assert runs[0] != runs[1]

    def test_at_a_rate_of_one_a_limited_number_of_times(self, api: Api, control: Control) -> None:
        control.fault(status=503, rate=1, times=3)
        assert statuses(api, *[LIST] * 4) == [503, 503, 503, 200]

    def test_a_rate_that_misses_does_not_use_it_up(self, run: Run) -> None:
        with run(random_seed=1) as client:
            api, control = account(client, "rate-three")
            control.fault(status=503, rate=0.2, times=2)
            assert statuses(api, *[LIST] * 60).count(503) == 2
            assert control.ok("GET", "/faults") == {"faults": []}

    def test_in_the_order_in_which_they_were_added(self, api: Api, control: Control) -> None:
        for status in (503, 429, 500):
            control.fault(status=status)
        assert statuses(api, *[LIST] * 4) == [503, 429, 500, 200]


class TestWhichRequests:
    def test_a_surface(self, api: Api, control: Control) -> None:
        control.fault(status=503, times=None, match={"surface": "production"})
        paths = ("/production/user/speaker/list", "/beta/user/speaker/list", "/user/speaker/list", LIST)
        assert statuses(api, *paths) == [503, 200, 503, 200]

    def test_a_path_on_any_surface(self, api: Api, control: Control) -> None:
        control.fault(status=503, times=None, match={"path": "/user/speaker/list"})
        paths = ("/production/user/speaker/list", "/beta/user/speaker/list", "/user/speaker/list", LIST)
        assert statuses(api, *paths) == [503, 503, 503, 200]

    @pytest.mark.parametrize(
        ("match", "hit"),
        [
            ({"character_id": "npc"}, [503, 200, 503, 503]),
            ({"end_user_id": "player-42"}, [503, 503, 200, 200]),
            ({"character_id": "npc", "end_user_id": "player-42"}, [503, 200, 200, 200]),
            ({"character_id": "npc", "path": "/character/get"}, [200, 200, 200, 503]),
            ({"end_user_id": "PLAYER-42"}, [200, 200, 200, 200]),
            ({"end_user_id": " player-43 "}, [200, 200, 503, 200]),  # as a request's id is read: without its blanks
        ],
    )
    def test_a_character_and_an_end_user(
        self, api: Api, control: Control, match: dict[str, str], hit: list[int]
    ) -> None:
        control.ok("POST", "/seed", {"characters": [{"character_id": name} for name in ("npc", "other")]})
        for npc, user in (("npc", "player-42"), ("other", "player-42"), ("npc", "player-43")):
            api.remember(npc, user, "Tall.")
        control.fault(status=503, times=None, match=match)
        asked = [
            {"character_id": "npc", "end_user_id": "player-42"},
            {"character_id": "other"},
            {"character_id": "npc"},
        ]
        asked = [asked[0], {**asked[0], **asked[1]}, {**asked[2], "end_user_id": "\tplayer-43"}]
        got = [api.post("/beta/memory/list", body).status_code for body in asked]
        assert [*got, *statuses(api, "/production/character/get", body={"charID": "npc"})] == hit

    def test_forms_and_queries_too(self, api: Api, control: Control) -> None:
        npc = api.character()
        control.fault(status=503, times=2, match={"character_id": npc})
        headers = {"X-API-Key": api.key, "CONVAI-API-KEY": api.key}
        form = {"character_id": npc, "text_input": "Hello."}
        assert api.client.post("/live/connect/stream", data=form, headers=headers).status_code == 503
        query = {"character_id": npc}
        assert api.client.get("/production/character/get", params=query, headers=headers).status_code == 503

    def test_another_accounts_requests_are_not_meant(self, api: Api, control: Control, other: Api) -> None:
        control.fault(status=503)
        assert statuses(other, LIST) == [200]
        assert Control(other.client, other.key).ok("GET", "/faults") == {"faults": []}
        assert statuses(api, LIST) == [503]

    def test_without_a_key_everybodys_are(self, server: Control, api: Api, other: Api) -> None:
        fault = server.fault(status=503, times=3)
        assert server.ok("GET", "/faults") == {"faults": [fault]}
        assert [statuses(one, LIST) for one in (api, other, api, other)] == [[503], [503], [503], [200]]

    def test_clearing_without_a_key_clears_everybodys(self, server: Control, api: Api, control: Control) -> None:
        control.fault(status=503)
        server.fault(status=503)
        assert server.ok("DELETE", "/faults") == {"faults": []}
        assert statuses(api, LIST) == [200]


class TestTheHeader:
    def test_it_is_for_one_call_and_leaves_waiting_faults_waiting(self, api: Api, control: Control) -> None:
        control.fault(status=503)
        assert api.post(LIST, **{"X-Fake-Convai-Fault": "429"}).status_code == 429
        assert statuses(api, LIST, LIST) == [503, 200]

    @pytest.mark.parametrize("value", ["200", "600", "abc", "", "-429", "4290", "0429", "9" * 5000])
    def test_anything_but_an_error_status_is_refused(self, api: Api, value: str) -> None:
        refused(api.post(LIST, **{"X-Fake-Convai-Fault": value}), 400, "X-Fake-Convai-Fault", "400 to 599")

    def test_nothing_has_happened(self, api: Api) -> None:
        npc = api.character()
        body = {"character_id": npc, "end_user_id": "player-42", "memories": ["Tall."]}
        assert api.post("/beta/memory/add", body, **{"X-Fake-Convai-Fault": "503"}).status_code == 503
        assert api.end_users() == []


def test_each_that_fired_is_in_the_journal(api: Api, control: Control) -> None:
    kept = [control.fault(status=503, match={"path": "/user/end-users/list"}), control.fault(status=429, times=None)]
    assert statuses(api, LIST, LIST) == [503, 429]
    control.ok("DELETE", "/faults")
    api.post(LIST, **{"X-Fake-Convai-Fault": "500"})
    api.post(LIST)
    header = {"match": {}, "times": 1, "status": 500, "when": "before"}
    assert [(entry["status"], entry["fault"]) for entry in control.requests()] == [
        (503, kept[0]),
        (429, kept[1]),
        (500, header),
        (200, None),
    ]


def test_the_control_plane_has_no_faults(control: Control) -> None:
    fault = control.fault(status=503, times=None)
    assert control.ok("GET", "/faults") == {"faults": [fault]}


def test_all_of_it_is_kept(control: Control) -> None:
    fault = {
        "match": {"surface": "beta", "path": "/memory/add", "character_id": "npc", "end_user_id": "player-42"},
        "times": None,
        "rate": 0.1,
        "status": 429,
        "body": {"ERROR": "Slow down."},
        "headers": {"retry-after": "30"},
        "delay_ms": 200,
        "disconnect": True,
        "when": "after",
    }
    assert control.fault(**fault) == fault
    assert control.ok("GET", "/faults") == {"faults": [fault]}


@on_sqlite
@pytest.mark.parametrize(
    ("place", "fault"),
    [
        ("status", {}),
        ("status", {"match": {"path": "/memory/add"}}),
        ("status", {"status": 200}),
        ("status", {"status": 600}),
        ("status", {"status": "429"}),
        ("code", {"status": 429, "code": 429}),
        ("match.route", {"status": 429, "match": {"route": "/memory/add"}}),
        ("match.surface", {"status": 429, "match": {"surface": "gamma"}}),
        ("match.path", {"status": 429, "match": {"path": "memory/add"}}),
        ("match.path", {"status": 429, "match": {"path": "/beta/memory/add"}}),
        ("match.character_id", {"status": 429, "match": {"character_id": 5}}),
        ("match", {"status": 429, "match": "/memory/add"}),
        ("times", {"status": 429, "times": 0}),
        ("times", {"status": 429, "times": 1.5}),
        ("times", {"status": 429, "times": True}),
        ("rate", {"status": 429, "rate": 0}),
        ("rate", {"status": 429, "rate": 1.1}),
        ("headers", {"status": 429, "headers": {"a b": "c"}}),
        ("headers", {"status": 429, "headers": {"a": "b\r\nc: d"}}),
        ("headers", {"status": 429, "headers": {"a": "\u00e9"}}),
        ("headers", {"status": 429, "headers": {"Content-Length": "5"}}),
        ("headers.a", {"status": 429, "headers": {"a": 5}}),
        ("delay_ms", {"delay_ms": -1}),
        ("delay_ms", {"delay_ms": 600_001}),
        ("disconnect", {"disconnect": "yes"}),
        ("when", {"status": 429, "when": "during"}),
    ],
)
def test_a_bad_fault_names_the_place_and_is_not_kept(control: Control, place: str, fault: dict[str, Any]) -> None:
    refused(control.send("POST", "/faults", fault), 400, f"'{place}'")
    assert control.ok("GET", "/faults") == {"faults": []}


def test_a_path_with_its_surface_is_told_apart(control: Control) -> None:
    response = control.send("POST", "/faults", {"status": 429, "match": {"path": "/beta/memory/add"}})
    refused(response, 400, "surface beta", "path /memory/add")
