"""The configuration of the proxy in docker-compose.yml, run by Debian's nginx in front of two replicas."""

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import httpx2 as httpx
import pytest
import yaml
from starlette.testclient import TestClient
from websockets.sync.client import connect as open_websocket

from tests.api.talking import NAME_FACT, events_in, facts
from tests.conftest import Api, refused
from tests.control.driving import Control
from tests.replicas.conftest import Replicas
from tests.replicas.database import DEADLINE, eventually
from tests.replicas.test_sessions import say

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin")
COMPOSE = Path(__file__).parent.parent.parent / "docker-compose.yml"
MEBIBYTE = 1024 * 1024

pytestmark = pytest.mark.skipif(NGINX is None, reason="needs nginx: apt-get install nginx-light")


def configuration(replicas: Replicas, port: int, folder: Path) -> str:
    """As it is in the compose file, with other addresses; compose doubles dollars to leave them alone."""
    content: str = yaml.safe_load(COMPOSE.read_text("utf-8"))["configs"]["proxy"]["content"]
    for name, here in {
        "$$": "$",
        "server replica-1:2668;": f"server {replicas.one.served.netloc};",
        "server replica-2:2668;": f"server {replicas.two.served.netloc};",
        "listen 2669;": f"listen 127.0.0.1:{port};",
        "/tmp/": f"{folder}/",
    }.items():
        assert name in content
        content = content.replace(name, here)
    return content


@pytest.fixture(scope="module")
def proxy(replicas: Replicas, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of the proxy."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "nginx.conf").write_text(configuration(replicas, port, folder), "utf-8")
    # In its container it is not root; here it may be, and its workers would then not be, who have to reach the folder.
    command = [str(NGINX), "-e", "stderr", "-c", str(folder / "nginx.conf"), "-g", "daemon off; user root;"]
    with (
        subprocess.Popen(command, stderr=subprocess.DEVNULL) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=DEADLINE, verify=False) as client,
    ):
        try:
            eventually(lambda: answers(client))
            yield client
        finally:
            process.terminate()


def answers(client: httpx.Client) -> bool:
    """Whether the proxy is there yet."""
    try:
        return client.get("/_fake/health").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def api(proxy: httpx.Client, both: tuple[Api, Api]) -> Api:
    """A new account behind the proxy."""
    return Api(cast(TestClient, proxy), both[0].key)


def test_requests_are_of_one_account_whichever_replica_they_come_to(api: Api) -> None:
    control = Control(api.client, api.key)
    npc = api.character()
    for number in range(8):
        api.remember(npc, f"player-{number}", "The user has a dog.")
    assert api.end_users() == [f"player-{number}" for number in range(8)]
    assert [request["status"] for request in control.requests(path="/memory/add")] == [200] * 8


def test_the_host_header_tells_the_surface(proxy: httpx.Client, api: Api) -> None:
    port = proxy.base_url.port
    for host, home in ((f"beta.localhost:{port}", None), (f"api.localhost:{port}", "beta")):
        headers = {**api.headers("/beta/"), "Host": host}
        answer = proxy.post("/user/end-users/list", json={}, headers=headers)
        assert (answer.status_code, answer.headers.get("fake-convai-off-surface")) == (200, home)


def test_a_conversation_over_the_websocket_that_the_proxy_hands_out(proxy: httpx.Client, api: Api) -> None:
    npc = api.character(memory=True)
    for number in range(2):
        body = {"character_id": npc, "end_user_id": f"player-{number}", "transport": "websocket"}
        session = api.ok("/live/connect", body)
        assert session["room_url"].startswith(f"ws://127.0.0.1:{proxy.base_url.port}/live/chat?")
        with open_websocket(session["room_url"], open_timeout=DEADLINE, max_size=None, compression=None) as websocket:
            say(websocket, "My name is Jordan.")
            empty = json.dumps({"type": "hello", "data": ""})
            websocket.send(json.dumps({"type": "hello", "data": "x" * (16 * MEBIBYTE - len(empty))}))
            assert json.loads(websocket.recv(DEADLINE))["message"] == "Unknown message type: hello"
        api.client.post("/live/disconnect", params={"session_id": session["session_id"]})
        assert facts(api, npc, f"player-{number}") == [NAME_FACT]


def test_server_sent_events(api: Api) -> None:
    form = {"character_id": api.character(), "text_input": "Hello."}
    response = api.client.post("/live/connect/stream", data=form, headers=api.headers("/live/"))
    kinds = [event["type"] for event in events_in(response)]
    assert (kinds[0], kinds[-1]) == ("connection-started", "connection-stoppped")


def test_large_bodies_get_through_and_are_refused_in_convais_words(api: Api) -> None:
    seed = {"end_users": [{"end_user_id": "player-42", "end_user_metadata": {"notes": "x" * (20 * MEBIBYTE)}}]}
    assert Control(api.client, api.key).ok("POST", "/seed", seed)["end_users"] == 1
    refused(api.raw("/beta/memory/add", b"x" * (20 * MEBIBYTE)), 413)
