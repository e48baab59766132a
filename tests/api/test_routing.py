"""Sections 1 and 11 of the contract: slashes, second doors, routes that are not emulated, and what is noted."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from fake_convai.api.known import NOT_EMULATED
from fake_convai.api.routes import ENDPOINTS
from tests.conftest import Api, on_sqlite, refused

STUB_IT = "Convai has this route, the fake does not emulate it: stub it with PUT /_fake/stubs"


def journal(api: Api) -> list[dict[str, Any]]:
    """What is noted of the account's requests."""
    headers = {"CONVAI-API-KEY": api.key}
    entries: list[dict[str, Any]] = api.client.get("/_fake/requests", headers=headers).json()["requests"]
    return entries


@on_sqlite
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.operation_id)
def test_a_slash_at_the_end_is_the_same_route(api: Api, endpoint: Any) -> None:
    path = f"/{endpoint.home}{endpoint.path}"
    with_and_without = [
        api.client.request(endpoint.method, one, headers=api.headers(path)) for one in (path, f"{path}/")
    ]
    assert [response.status_code for response in with_and_without] != [404, 404]
    bodies = [response.json() for response in with_and_without]
    if endpoint.operation_id not in ("tokens_connect", "account_usage"):
        assert bodies[0] == bodies[1]
    assert [entry["path"] for entry in journal(api)] == [endpoint.path] * 2


def test_a_slash_at_the_end_of_a_control_route(api: Api) -> None:
    for path in ("/_fake/state", "/_fake/state/", "/beta/_fake/state/"):
        assert api.client.get(path, headers={"CONVAI-API-KEY": api.key}).status_code == 200


@on_sqlite
class TestTheTraceOfAnAnswer:
    @pytest.mark.parametrize(
        "path", ["/beta/user/end-users/list", "/beta/memory/list", "/beta/nothing", "/tts", "/live/connect", "/"]
    )
    def test_is_on_every_answer_and_in_the_journal(self, api: Api, path: str) -> None:
        traces = [api.post(path).headers["x-request-trace-id"] for _ in range(2)]
        assert len(set(traces)) == 2
        assert all(len(trace) == 36 and trace.startswith("req_") for trace in traces)
        assert [entry["trace_id"] for entry in journal(api)] == traces

    def test_is_that_of_the_body(self, api: Api) -> None:
        response = api.post("/live/connect", {"character_id": api.character()})
        assert response.headers["x-request-trace-id"] == response.json()["request_trace_id"]

    def test_is_on_the_answer_to_nobody(self, client: TestClient) -> None:
        assert client.post("/beta/memory/list").headers["x-request-trace-id"].startswith("req_")


@on_sqlite
class TestBearer:
    def test_takes_a_key(self, api: Api) -> None:
        npc = api.character()
        for scheme in ("Bearer", "bearer"):
            response = api.client.get("/character/list", headers={"Authorization": f"{scheme} {api.key}"})
            assert [one["character_id"] for one in response.json()["items"]] == [npc]

    def test_takes_a_token(self, api: Api) -> None:
        token = api.ok("/production/user/connect")["apiAuthToken"]
        npc = api.character()
        headers = {"Authorization": f"Bearer {token}"}
        assert api.client.post("/live/connect", json={"character_id": npc}, headers=headers).status_code == 200

    @pytest.mark.parametrize("value", ["Bearer invalid-key", "Bearer", "Basic abc", "Bearer "])
    def test_takes_nothing_else(self, client: TestClient, value: str) -> None:
        assert client.post("/beta/user/end-users/list", headers={"Authorization": value}).status_code == 401

    def test_comes_after_a_key(self, api: Api, other: Api) -> None:
        npc = api.character()
        headers = {"CONVAI-API-KEY": api.key, "Authorization": f"Bearer {other.key}"}
        response = api.client.get("/character/list", headers=headers)
        assert [one["character_id"] for one in response.json()["items"]] == [npc]


class TestSecondDoors:
    def test_a_page_of_characters(self, api: Api) -> None:
        made = [api.character() for _ in range(3)]
        first, last, none = (
            api.client.get("/production/character/list", params=query, headers={"CONVAI-API-KEY": api.key}).json()
            for query in ({"limit": 2}, {"limit": "2", "offset": "2"}, {"offset": 10})
        )
        assert [one["character_id"] for one in first["items"]] == made[:2]
        assert {name: first[name] for name in first if name != "items"} == {
            "total": 3,
            "page": 1,
            "size": 2,
            "pages": 2,
        }
        assert ([one["character_id"] for one in last["items"]], last["page"]) == (made[2:], 2)
        assert (none["items"], none["total"], none["size"]) == ([], 3, 50)
        assert first["items"][0] == api.ok("/production/character/get", {"charID": made[0]})

    @pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 101}, {"limit": "x"}, {"offset": -1}])
    def test_a_wrong_page(self, api: Api, query: dict[str, Any]) -> None:
        response = api.client.get("/character/list", params=query, headers={"CONVAI-API-KEY": api.key})
        refused(response, 400, next(iter(query)))

    def test_a_deletion(self, api: Api, other: Api) -> None:
        npc, kept = api.character(), api.character()
        path, headers = f"/production/character/{npc}", {"CONVAI-API-KEY": api.key}
        refused(other.client.delete(path, headers={"CONVAI-API-KEY": other.key}), 403, npc)
        response = api.client.delete(path, headers=headers)
        assert (response.status_code, response.json()) == (200, {"message": "Character deleted successfully."})
        assert [one["character_id"] for one in api.ok("/character/list")["characters"]] == [kept]
        refused(api.client.delete(path, headers=headers), 404, npc)
        entry = journal(api)[-1]
        assert (entry["method"], entry["path"], entry["unknown_fields"]) == ("DELETE", f"/character/{npc}", [])


@on_sqlite
class TestKnownRoutes:
    @pytest.mark.parametrize("known", NOT_EMULATED)
    @pytest.mark.parametrize(
        ("place", "key"), [("/production", "ERROR"), ("/beta", "ERROR"), ("", "ERROR"), ("/live", "detail")]
    )
    def test_say_that_they_are_not_emulated(self, api: Api, known: str, place: str, key: str) -> None:
        for path in {known.removesuffix("/*"), known.replace("*", "some/where"), known.removesuffix("/*") + "/"}:
            for method in ("POST", "GET"):
                response = api.client.request(method, place + path, headers=api.headers(f"{place}/"))
                refused(response, 501, STUB_IT, key=key)

    def test_of_a_near_name_are_not_known(self, api: Api) -> None:
        refused(api.post("/production/ttsx"), 404, "Unknown route")
        refused(api.post("/production/xperience"), 404, "Unknown route")

    def test_keep_their_body_in_the_journal(self, api: Api) -> None:
        headers = {"CONVAI-API-KEY": api.key}
        api.post("/tts", {"transcript": "Hello."})
        api.client.post(
            "/production/xp/sessions", data={"a": "1", "token": "a-secret-of-some-length-1234"}, headers=headers
        )
        api.client.post("/stt", files={"file": ("a.wav", b"RIFF\0\xff", "audio/wav")}, headers=headers)
        api.client.post("/beta/nothing", content=b"\xff\0", headers=headers)
        assert [(entry["path"], entry["status"], entry["body"]) for entry in journal(api)] == [
            ("/tts", 501, {"transcript": "Hello."}),
            ("/xp/sessions", 501, {"a": "1", "token": "...1234"}),
            ("/stt", 501, {"file": "(file a.wav, 6 bytes)"}),
            ("/nothing", 404, "\ufffd\ufffd"),
        ]

    def test_grpc_is_told_what_this_is(self, api: Api) -> None:
        for kind in ("application/grpc", "application/grpc-web+proto"):
            response = api.client.post(
                "/service.ConvaiService/GetResponse",
                content=b"\0",
                headers={"CONVAI-API-KEY": api.key, "content-type": kind},
            )
            refused(response, 501, "gRPC", "Unity 3", "JSON")


class TestWhatIsNotedOfARequest:
    def test_what_tells_clients_apart(self, api: Api) -> None:
        sent = {
            "content-type": "application/json",
            "accept": "*/*",
            "user-agent": "UnityPlayer/2022",
            "origin": "https://game.example",
        }
        api.client.post("/beta/user/end-users/list", headers=sent | {"CONVAI-API-KEY": api.key, "x-other": "x"})
        (entry,) = journal(api)
        assert (entry["headers"], entry["credential"]) == (sent, "key")
        assert api.key not in str(entry)

    def test_the_kind_of_credential(self, api: Api) -> None:
        token = api.ok("/production/user/connect")["apiAuthToken"]
        session = api.ok("/live/connect", {"character_id": api.character()})["session_id"]
        for credential in (token, session):
            api.client.post("/live/connect", json={}, headers={"API-AUTH-TOKEN": credential})
        assert [entry["credential"] for entry in journal(api)][-2:] == ["token", "session"]

    @pytest.mark.parametrize(
        ("path", "header", "because"),
        [
            ("/live/connect", "CONVAI-API-KEY", "the key came in CONVAI-API-KEY, which this surface does not read"),
            ("/beta/memory/list", "X-API-Key", "the key came in X-API-Key, which this surface does not read"),
        ],
    )
    def test_why_a_key_was_refused(self, api: Api, path: str, header: str, because: str) -> None:
        assert api.client.post(path, json={}, headers={header: api.key}).status_code == 401
        (entry,) = journal(api)
        own = "X-API-Key" if path.startswith("/live") else "CONVAI-API-KEY"
        (explanation,) = entry["explanations"]
        assert (explanation["event"], explanation["with"]) == ("refused", header)
        assert explanation["because"].startswith(f"{because}; ")
        assert f" reads {own}, API-AUTH-TOKEN and Authorization: Bearer" in explanation["because"]

    def test_why_a_token_was_refused(self, api: Api) -> None:
        token = api.ok("/production/user/connect")["apiAuthToken"]
        api.client.post("/production/user/connect", headers={"API-AUTH-TOKEN": token})
        (explanation,) = journal(api)[-1]["explanations"]
        assert explanation["because"].startswith("the token in API-AUTH-TOKEN does not do for this route; ")

    def test_why_nobody_was_refused(self, client: TestClient) -> None:
        client.delete("/_fake/requests")
        client.post("/beta/memory/list")
        client.post("/beta/memory/list", headers={"CONVAI-API-KEY": "invalid"})
        entries = client.get("/_fake/requests?path=/memory/list&status=401").json()["requests"]
        because = [entry["explanations"][0]["because"].partition(";")[0] for entry in entries]
        assert because == ["no key came", "the key in CONVAI-API-KEY is not accepted"]


def test_what_was_asked_before_the_route_opens_one_account(api: Api) -> None:
    """The caller is found once: an unknown route is noted for its sender, and costs no second look."""
    assert api.post("/beta/nothing").status_code == 404
    (entry,) = journal(api)
    assert (entry["path"], entry["credential"]) == ("/nothing", "key")
