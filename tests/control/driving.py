"""How the tests drive the control plane, and a script that uses every feature of the fake."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx
from starlette.testclient import TestClient

from tests.api.talking import chat, connect, disconnect
from tests.conftest import Api

NOON = "2026-01-01T12:00:00.000000Z"


@dataclass(frozen=True)
class Control:
    """The routes under `/_fake`, for one account or, without a key, for the whole server."""

    client: TestClient
    key: str | None = None

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Send a request; `path` is without `/_fake`."""
        key = {} if self.key is None else {"CONVAI-API-KEY": self.key}
        return self.client.request(method, f"/_fake{path}", json=body, headers=key | headers)

    def ok(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's JSON, after making sure that it is a 200."""
        response = self.send(method, path, body)
        assert response.status_code == 200, response.text
        return response.json()

    def state(self) -> dict[str, Any]:
        """The account as a seed document."""
        found: dict[str, Any] = self.ok("GET", "/state")
        return found

    def freeze(self, at: str = NOON) -> None:
        """Let the clock stand still."""
        self.ok("PUT", "/clock", {"now": at})

    def fault(self, **fault: Any) -> dict[str, Any]:
        """Add a fault; returns it as it is kept."""
        kept: dict[str, Any] = self.ok("POST", "/faults", fault)
        return kept

    def requests(self, **query: Any) -> list[dict[str, Any]]:
        """Entries of the journal."""
        response = self.client.get(
            "/_fake/requests", params=query, headers={} if self.key is None else {"CONVAI-API-KEY": self.key}
        )
        assert response.status_code == 200, response.text
        found: list[dict[str, Any]] = response.json()["requests"]
        return found


def account(client: TestClient, key: str | None = None) -> tuple[Api, Control]:
    """An account, a new one unless its key is given, and its control plane."""
    key = key or f"key-{uuid.uuid4()}"
    return Api(client, key), Control(client, key)


def play(api: Api, *, cursors: bool = True) -> list[bytes]:
    """A fixed script of requests under a frozen clock; returns every answer, status first.

    Without `cursors` these are left out: they hold the numbers of rows, which are never used twice in one database.
    """
    said: list[bytes] = []

    def ask(path: str, body: Any = None) -> Any:
        response = api.post(path, body)
        answer = response.json()
        if not cursors and isinstance(answer, dict) and answer.get("next_cursor"):
            said.append(json.dumps({**answer, "next_cursor": "..."}).encode())
        else:
            said.append(str(response.status_code).encode() + b" " + response.content)
        return answer

    Control(api.client, api.key).freeze()
    _play_memories(ask)
    _play_sessions(api, ask)
    return said


def _play_memories(ask: Callable[..., Any]) -> None:
    ask("/production/character/list")
    npc = ask("/production/character/create", {"charName": "Coach", "voiceType": "MALE", "backstory": "Trains."})[
        "charID"
    ]
    ask("/production/character/update", {"charID": npc, "memorySettings": {"enabled": True}})
    ask("/production/character/get", {"charID": npc})
    ask("/production/user/clone_character", {"charID": npc})
    ask("/beta/user/speaker/new", {"name": "Jordan", "deviceId": "device-1"})
    for user, fact in (("player-1", "The user has a dog."), ("player-2", "The user has a cat."), ("device-1", "Tall.")):
        partition = {"character_id": npc, "end_user_id": user}
        ask("/beta/memory/add", {**partition, "memories": [fact, "The user's name is Jordan."]})
        memories = ask("/beta/memory/list", partition)["memories"]
        ask("/beta/memory/get", {**partition, "memory_id": memories[0]["id"]})
    ask("/beta/memory/delete", {**partition, "memory_id": memories[0]["id"]})
    ask("/beta/user/end-users/update", {"end_user_id": "player-1", "end_user_metadata": {"name": "Jordan"}})
    page = ask("/beta/user/end-users/list", {"limit": 2})
    ask("/beta/user/end-users/list", {"limit": 2, "cursor": page["next_cursor"]})
    ask("/beta/user/speaker/list")
    ask("/beta/memory/list", {"character_id": npc, "end_user_id": "nobody"})


def _play_sessions(api: Api, ask: Callable[..., Any]) -> None:
    token = ask("/production/user/connect")
    ask("/production/user/extend-token", {"apiAuthToken": token["apiAuthToken"]})
    npc = ask("/production/character/list")["characters"][0]["character_id"]
    ask("/live/connect", {"character_id": npc, "end_user_id": "player-1"})
    session = ask("/live/connect", {"character_id": npc, "end_user_id": "player-3", "transport": "websocket"})
    with chat(api, session) as talk:
        talk.say("My name is Sam.")
    ask("/beta/memory/list", {"character_id": npc, "end_user_id": "player-3"})
    held, *_ = ask("/production/character/chatHistory/list", {"charID": npc})
    ask("/production/character/chatHistory/details", {"charID": npc, "sessionID": held["sessionID"]})
    ask("/beta/user/end-users/delete", {"end_user_id": "player-2"})
    ask("/beta/user/end-users/list")


def use_everything(api: Api) -> None:
    """Leave traces of every feature in an account, open sessions included."""
    control = Control(api.client, api.key)
    control.ok("POST", "/seed", {"account": {"plan": "free", "dedup": "off"}})
    control.ok("PUT", "/replies", {"replies": [{"match": "hello", "reply": "Goodbye."}], "default": "What?"})
    control.ok("PUT", "/snapshots/full", None)
    npc = api.character(memory=True, listing="public", languageCodes=["de-DE"], characterActions=["wave"])
    headers = {"X-API-Key": api.key}
    form = {"character_id": npc, "text_input": "hello"}
    assert "Goodbye." in api.client.post("/live/connect/stream", files={}, data=form, headers=headers).text
    form = {"charID": npc, "userText": "hello", "sessionID": "-1"}
    response = api.client.post("/production/character/getResponse", data=form, headers=api.headers("/production/"))
    assert response.json()["text"] == "Goodbye."
    session = connect(api, npc, "player-9", end_user_metadata={"name": "Nine"})
    with chat(api, session) as talk:
        talk.say("I like tea.")
    disconnect(api, connect(api, npc, "player-9"))
    connect(api, npc, "player-10")
    token = api.ok("/production/user/connect")["apiAuthToken"]
    api.ok("/production/user/revoke-token", {"apiAuthToken": token})
    control.fault(status=503, match={"path": "/memory/list"})
    assert api.post("/beta/memory/list", {"character_id": npc, "end_user_id": "player-9"}).status_code == 503
    control.fault(status=429, rate=0.5, times=None, match={"surface": "beta"})
    control.ok("PUT", "/clock", {"advance": 86400})
