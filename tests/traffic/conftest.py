"""A recording of a fake: what a studio would make of the real service."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from click.testing import CliRunner, Result
from websockets.sync.client import connect

from fake_convai import FakeConvai
from fake_convai.cli.main import cli
from fake_convai.server import MAX_FRAME
from fake_convai.traffic.proxy import create_proxy
from fake_convai.traffic.recording import Recorder
from fake_convai.traffic.targets import read_targets

KEY = "a-real-key-5b1e7c"
COACH = {"charName": "Coach", "voiceType": "MALE", "backstory": "Trains people."}


class Client:
    """An app that uses the real service, as it believes."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def post(self, path: str, body: Any = None, key: str | None = KEY, **how: Any) -> httpx.Response:
        """POST to a path that names its surface."""
        name = "X-API-Key" if path.startswith("/live/") else "CONVAI-API-KEY"
        headers = {} if key is None else {name: key}
        if not {"files", "content"} & how.keys():
            how["json"] = body or {}
        return self.http.post(path, headers=headers | how.pop("headers", {}), **how)

    def ok(self, path: str, body: Any = None, **how: Any) -> Any:
        """The answer, after making sure that it is a 200."""
        response = self.post(path, body, **how)
        assert response.status_code in (200, 201), response.text
        return response.json()


@contextmanager
def recorded(target: str, path: Path, recorder: type[Recorder] = Recorder) -> Iterator[Client]:
    """A client whose traffic with `target` is recorded, by what `fake-convai proxy` runs."""
    app = create_proxy(read_targets([target]), recorder(path))
    server = uvicorn.Server(
        uvicorn.Config(app, log_config=None, access_log=False, ws_max_size=MAX_FRAME, timeout_graceful_shutdown=2)
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=[[listener]])
        thread.start()
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=60) as http:
                yield Client(http)
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """A service of one's own; yields where it answers."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def lines(path: Path) -> list[dict[str, Any]]:
    """The exchanges of a recording as they stand in the file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()[1:]]


def compare(recording: Path, *options: str, **variables: str) -> Result:
    """Run `fake-convai compare`."""
    return CliRunner().invoke(cli, ["compare", str(recording), *options], env=variables)


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session in which every group of routes is used, and some things go wrong."""
    path = tmp_path_factory.mktemp("recorded") / "traffic.jsonl"
    with FakeConvai() as real, recorded(real.url, path) as client:
        npc = client.ok("/production/character/create", COACH)["charID"]
        client.ok("/production/character/update", {"charID": npc, "memorySettings": {"enabled": True}})
        client.ok("/production/character/get", {"charID": npc})
        by_query = client.http.get(f"/character/get?character_id={npc}", headers={"CONVAI-API-KEY": KEY})
        assert by_query.status_code == 200
        _remember(client, npc)
        _know_people(client, npc)
        _talk(client, npc)
        _hand_out_tokens(client)
        _go_wrong(client, npc)
        clone = client.ok("/production/user/clone_character", {"charID": npc})["charID"]
        client.ok("/production/character/delete", {"charID": clone})
    return path


def _remember(client: Client, npc: str) -> None:
    who = {"character_id": npc, "end_user_id": "player-42"}
    facts = ["The user's name is Jordan.", "The user has a dog.", "The user's name is Jordan Kim."]
    added = client.ok("/beta/memory/add", {**who, "memories": facts, "metadata": {"source": "quiz"}})["memories"]
    assert [one["event"] for one in added] == ["add", "add", "update"]
    client.ok("/beta/memory/list", {**who, "page_size": 1})
    which = {**who, "memory_id": added[0]["id"]}
    client.ok("/beta/memory/get", which)
    client.ok("/beta/memory/delete", which)
    client.ok("/beta/memory/delete", which)


def _know_people(client: Client, npc: str) -> None:
    for person in ("player-43", "5f" * 16):
        client.ok("/beta/memory/add", {"character_id": npc, "end_user_id": person, "memories": ["Likes maps."]})
    patch = {"end_user_id": "player-43", "end_user_metadata": {"name": "Sam", "level": 4}}
    client.ok("/beta/user/end-users/update", patch)
    page = client.ok("/beta/user/end-users/list", {"limit": 1})
    client.ok("/beta/user/end-users/list", {"limit": 200, "cursor": page["next_cursor"]})
    speaker = client.ok("/production/user/speaker/new", {"deviceId": "headset-7", "name": "Kim"})["speaker_id"]
    client.ok("/beta/user/speaker/list")
    client.ok("/production/user/speaker/delete", {"speakerId": speaker})
    client.ok("/beta/user/end-users/delete", {"end_user_id": "player-43"})
    client.ok("/beta/user/end-users/delete", {"end_user_id": "player-43"})


def _talk(client: Client, npc: str) -> None:
    who = {"character_id": npc, "end_user_id": "player-42"}
    room = client.ok("/live/connect", who)
    by_session = {"API-AUTH-TOKEN": room["session_id"]}
    client.ok("/live/connect", {**who, "transport": "websocket"}, key=None, headers=by_session)
    client.ok(f"/live/disconnect?session_id={room['session_id']}", key=None)
    chat = client.ok("/live/connect", {**who, "transport": "websocket"})
    assert chat["room_url"].startswith(f"ws://{client.http.base_url.netloc.decode()}/live/chat?session_id=")
    with connect(chat["room_url"]) as first:
        first.send(json.dumps({"type": "user_text_message", "data": {"text": "My cat is called Mia."}}))
        while "bot-turn-completed" not in str(first.recv(timeout=60)):
            pass
        for nonsense in ("no JSON", b"\xff\xfe"):
            first.send(nonsense)
            assert "parse-error" in str(first.recv(timeout=60))
    with connect(chat["room_url"]) as second, pytest.raises(Exception, match="1008"):
        second.recv(timeout=60)
    client.ok("/beta/memory/list", who)
    form = {"character_id": (None, npc), "text_input": (None, "Hello.")}
    assert "connection-stoppped" in client.post("/live/connect/stream", files=form).text
    sound = {"charID": (None, npc), "sessionID": (None, "-1"), "file": ("hello.wav", b"\0" * 64)}
    client.ok("/production/character/getResponse", files=sound)
    history = client.ok("/production/character/chatHistory/list", {"charID": npc, "limit": "-1"})
    held = next(one["sessionID"] for one in history if one["is_added_to_memory"])
    client.ok("/production/character/chatHistory/details", {"charID": npc, "sessionID": held})
    client.ok("/production/character/chatHistory/delete", {"charID": npc, "sessionIDs": [held]})


def _hand_out_tokens(client: Client) -> None:
    token = client.ok("/production/user/connect")["apiAuthToken"]
    client.ok("/beta/user/end-users/list", key=token)
    client.ok("/beta/user/end-users/list", key=None, headers={"API-AUTH-TOKEN": token})
    client.ok("/production/user/revoke-token", {"apiAuthToken": token})
    assert client.post("/beta/user/end-users/list", key=token).status_code == 401


def _go_wrong(client: Client, npc: str) -> None:
    wrong = [
        client.post("/beta/memory/list", {"character_id": npc, "end_user_id": "nobody"}),
        client.post("/beta/memory/list", {"end_user_id": "player-42", "page": 0}),
        client.post("/beta/memory/list", content=b'{"character_id": '),
        client.post("/beta/memory/list", key="invalid-key-of-old"),
        client.post("/beta/memory/list", key=None),
        client.post("/live/connect", {"character_id": npc, "transport": "sse"}),
        client.post("/production/memory/list", {"character_id": npc}),
        client.post("/production/character/get", {"charID": "00000000-0000-4000-8000-000000000000"}),
        client.http.get("/beta/memory/list"),
    ]
    assert [response.status_code for response in wrong] == [404, 400, 400, 401, 401, 422, 400, 400, 405]
