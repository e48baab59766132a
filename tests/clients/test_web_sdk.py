"""The published `@convai/web-sdk`, unchanged, in Chromium: it finds its speaker, connects, and shows our errors.

The SDK has one address that can be configured (`url`, for `/connect`) and one that cannot (`https://api.convai.com`,
for the speaker). So the browser is told, as a hosts file would, that Convai's hosts are this machine, and the fake runs
with `--tls`; and with `--strict`, which refuses what no SDK is known to send. `.ci/run` installs the SDK into
`.clients`; nothing here is fetched by a test.
"""

import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from livekit import api as livekit
from playwright.sync_api import Page, sync_playwright

from tests.dashboard.conftest import FLAGS, find_browser
from tests.serving import serve

MODULES = Path(__file__).parents[2] / ".clients" / "node_modules"
PINNED = json.loads((Path(__file__).parent / "web-sdk" / "package.json").read_text("utf-8"))["dependencies"]
PAGE = """<!doctype html><link rel="icon" href="data:,">
<script type="importmap">{"imports": {"livekit-client": "/livekit-client/dist/livekit-client.esm.mjs"}}</script>"""
CONNECT = """async (config) => {
  const { ConvaiClient } = await import("/@convai/web-sdk/dist/core/index.js");
  const client = new ConvaiClient(config);
  const errors = [];
  client.on("error", (error) => errors.push(error.message));
  const thrown = await client.connect().then(() => null, (error) => error.message);
  return { thrown, errors, speaker: client.speakerId, conversation: client.characterSessionId };
}"""
SECRET = ("--livekit-secret", "a secret of the 32 characters that a signature should have")
NEVER = "00000000-0000-4000-8000-000000000000"
NO_ROOM = "could not establish signal connection: an error has occurred"


class Site(ThreadingHTTPServer):
    """The page with the SDK, and where the SDK looks for its LiveKit room: that one notes the token and refuses."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Files)
        self.tokens: list[str] = []

    @property
    def netloc(self) -> str:
        """Host and port."""
        return f"localhost:{self.server_port}"


class _Files(SimpleHTTPRequestHandler):
    server: Site
    extensions_map = {".js": "text/javascript", ".mjs": "text/javascript"}  # noqa: RUF012 - as in the base class

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path.startswith("/rtc"):
            self.server.tokens += parse_qs(url.query)["access_token"]
            self._answer(401, b"")
        elif url.path == "/":
            self._answer(200, PAGE.encode())
        else:
            super().do_GET()

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        for name, value in (("Content-Type", "text/html"), ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def translate_path(self, path: str) -> str:
        """The SDK's modules name each other without `.js`, which a bundler would add."""
        file = MODULES / urlsplit(path).path.lstrip("/")
        return str(file if file.is_file() else file.with_name(f"{file.name}.js"))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as in the base class
        """Say nothing."""


@dataclass
class Sdk:
    """A page with the SDK, the fake that it takes for Convai, and the tokens that arrived at the room."""

    page: Page
    control: httpx.Client
    tokens: list[str]

    def connect(self, key: str, **config: Any) -> dict[str, Any]:
        """Let the SDK connect; returns what its user sees of it."""
        seen: dict[str, Any] = self.page.evaluate(CONNECT, {"apiKey": key, "characterId": "guide", **config})
        return seen

    def account(self, key: str, *, memory: bool = False) -> dict[str, str]:
        """Open an account with the character `guide`; returns its key as a header."""
        headers = {"CONVAI-API-KEY": key}
        guide = {"character_id": "guide", "memory_settings": {"enabled": memory}}
        self.control.post("/seed", json={"characters": [guide]}, headers=headers).raise_for_status()
        return headers

    def journal(self, headers: dict[str, str]) -> list[dict[str, Any]]:
        """What the SDK has sent to an account."""
        entries: list[dict[str, Any]] = self.control.get("/requests", headers=headers).json()["requests"]
        return entries


def installed() -> str | None:
    manifest = MODULES / "@convai" / "web-sdk" / "package.json"
    return json.loads(manifest.read_text("utf-8"))["version"] if manifest.is_file() else None


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sdk]:
    """The SDK in a browser for which Convai's hosts are the fake."""
    chromium, wanted = find_browser(), PINNED["@convai/web-sdk"]
    if chromium is None or installed() != wanted:
        pytest.skip(f"Chromium or @convai/web-sdk {wanted} is not installed, so the Web SDK is not run; see .ci/run")
    folder = tmp_path_factory.mktemp("tls")
    with Site() as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        with (
            serve(
                "--strict", "--tls", "--tls-folder", str(folder), "--livekit-url", f"ws://{site.netloc}", *SECRET
            ) as served,
            httpx.Client(
                base_url=f"{served.url}/_fake", verify=ssl.create_default_context(cafile=folder / "ca.pem")
            ) as control,
            sync_playwright() as playwright,
        ):
            hosts = f"--host-resolver-rules=MAP *.convai.com:443 {served.netloc}"
            browser = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, hosts])
            page = browser.new_page(ignore_https_errors=True)
            page.goto(f"http://{site.netloc}/")
            yield Sdk(page, control, site.tokens)
            browser.close()
        site.shutdown()


def test_it_finds_its_speaker_and_arrives_at_the_room(sdk: Sdk) -> None:
    headers = sdk.account("arrives", memory=True)
    person = {"endUserId": "player-42", "endUserMetadata": {"name": "Jordan"}}
    first = sdk.connect("arrives", **person)
    assert (first["thrown"], first["errors"]) == (NO_ROOM, [NO_ROOM])

    speaker, connect = sdk.journal(headers)
    assert (speaker["surface"], speaker["path"], speaker["status"]) == ("production", "/user/speaker/new", 200)
    assert speaker["body"] == {"deviceId": "player-42"}
    assert first["speaker"] == speaker["response"]["speakerId"]
    assert (connect["surface"], connect["path"], connect["status"]) == ("live", "/connect", 200)
    sent = {"character_id": "guide", "end_user_id": "player-42", "end_user_metadata": {"name": "Jordan"}}
    assert {**connect["body"], **sent, "speaker_id": first["speaker"], "transport": "livekit"} == connect["body"]
    assert first["conversation"] == connect["response"]["character_session_id"]
    grants = livekit.TokenVerifier("devkey", SECRET[1]).verify(sdk.tokens[-1]).video
    assert grants is not None
    assert (grants.room_join, grants.room) == (True, connect["response"]["room_name"])

    again = sdk.connect("arrives", **person, characterSessionId=first["conversation"])
    assert (again["speaker"], again["conversation"]) == (first["speaker"], first["conversation"])
    users = sdk.control.get("/state", headers=headers).json()["end_users"]
    assert [(user["end_user_id"], user["end_user_metadata"]) for user in users] == [("player-42", {"name": "Jordan"})]


def test_its_one_address_can_be_configured(sdk: Sdk) -> None:
    headers = sdk.account("configured")
    seen = sdk.connect("configured", url=str(sdk.control.base_url).replace("/_fake/", "/live"))
    assert (seen["thrown"], seen["speaker"]) == (NO_ROOM, None)
    assert [(entry["path"], entry["status"]) for entry in sdk.journal(headers)] == [("/connect", 200)]


@pytest.mark.parametrize(
    ("key", "config", "message"),
    [
        (
            "invalid-key",
            {"endUserId": "player-42"},
            "Failed to get speaker ID: Speaker API request failed: 401 Unauthorized - "
            '{"ERROR":"Invalid API key provided."}',
        ),
        ("invalid-key", {}, "Invalid API key"),
        ("errors", {"characterId": "nobody"}, "Character not found or doesn't belong to user"),
        (
            "errors",
            {"characterSessionId": NEVER},
            f"Unknown session '{NEVER}': no conversation has this id. "
            "Leave character_session_id out to begin a new one.",
        ),
        ("errors", {"characterId": " "}, "[object Object]"),  # the SDK's own doing: `detail` of a 422 is a list
    ],
    ids=["key, for the speaker", "key", "character", "conversation", "422"],
)
def test_its_user_sees_the_error_that_convai_sends(sdk: Sdk, key: str, config: dict[str, str], message: str) -> None:
    if key == "errors":
        sdk.account(key)
    seen = sdk.connect(key, **config)
    assert (seen["thrown"], seen["errors"]) == (message, [message])
    assert seen["conversation"] == config.get("characterSessionId", "-1")


def test_its_user_sees_a_fault(sdk: Sdk) -> None:
    headers = sdk.account("fault")
    fault = {"match": {"path": "/connect"}, "status": 429}
    sdk.control.post("/faults", json=fault, headers=headers).raise_for_status()
    assert sdk.connect("fault")["thrown"] == "API rate limit exceeded. Please try again later."
    assert sdk.connect("fault")["thrown"] == NO_ROOM
