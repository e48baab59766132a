"""The published `@convai/web-sdk`, unchanged, in Chromium: it holds a conversation with a character in a room.

Once with its `ConvaiClient`, once with the vendor's own widget. How the SDK gets into the browser, and its hosts to the
fake, is in tests/clients/test_web_sdk.py.
"""

import json
import os
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.clients.test_web_sdk import PINNED, Site, installed
from tests.dashboard.conftest import FLAGS, find_browser
from tests.serving import serve

SIZE = {"width": 440, "height": 720}
SECONDS = 20
HEARING = ("--autoplay-policy=no-user-gesture-required", "--use-fake-ui-for-media-stream")

CONNECT = """async (config) => {
  const { ConvaiClient } = await import("/@convai/web-sdk/dist/core/index.js");
  const client = (window.client = new ConvaiClient(config));
  const seen = (window.seen = { ready: 0, speaking: [], errors: [], loudest: 0, ended: false });
  client.on("botReady", () => seen.ready++);
  client.on("speakingChange", (speaking) => seen.speaking.push(speaking));
  client.on("error", (error) => seen.errors.push(error.message));
  client.on("disconnect", () => (seen.ended = true));
  client.room.on("trackSubscribed", (track) => {
    document.body.append(track.attach());
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    context.createMediaStreamSource(track.mediaStream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      seen.loudest = Math.max(seen.loudest, ...samples.map(Math.abs));
    }, 5);
  });
  await client.connect();
}"""


@dataclass
class Web:
    """A browser with the SDK, and the fake that it takes for Convai."""

    browser: Browser
    site: Site
    control: httpx.Client

    def open(self) -> Page:
        """A page that can import the SDK."""
        page = self.browser.new_page(ignore_https_errors=True, viewport=SIZE)  # type: ignore[arg-type]
        page.goto(f"http://{self.site.netloc}/")
        return page

    def account(self, key: str) -> dict[str, str]:
        """Open an account with the character `guide`; returns its key as a header."""
        headers = {"CONVAI-API-KEY": key}
        guide = {"character_id": "guide", "character_name": "Guide", "memory_settings": {"enabled": True}}
        self.control.post("/seed", json={"characters": [guide]}, headers=headers).raise_for_status()
        reply = {"match": "Jordan", "reply": "Welcome, Jordan! Shall I show you the harbour?"}
        self.control.put("/replies", json={"replies": [reply], "default": "Yes."}, headers=headers).raise_for_status()
        return headers

    def memories(self, headers: dict[str, str]) -> list[str]:
        """What is remembered in an account."""
        return [memory["memory"] for memory in self.control.get("/state", headers=headers).json()["memories"]]


@pytest.fixture(scope="module")
def web(livekit_program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """The SDK in a browser for which Convai's hosts are the fake."""
    chromium, wanted = find_browser(), PINNED["@convai/web-sdk"]
    if chromium is None or installed() != wanted:
        pytest.skip(f"Chromium or @convai/web-sdk {wanted} is not installed, so the Web SDK is not run; see .ci/run")
    folder = tmp_path_factory.mktemp("tls")
    with Site() as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        with (
            serve("--livekit", livekit_program, "--tls", "--tls-folder", str(folder)) as served,
            httpx.Client(
                base_url=f"{served.url}/_fake", verify=ssl.create_default_context(cafile=folder / "ca.pem")
            ) as control,
            sync_playwright() as playwright,
        ):
            hosts = f"--host-resolver-rules=MAP *.convai.com:443 {served.netloc}"
            browser = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, *HEARING, hosts])
            yield Web(browser, site, control)
            browser.close()
        site.shutdown()


def until(page: Page, expression: str) -> Any:
    """The value of an expression in the page, once it is true of anything."""
    page.wait_for_function(expression, timeout=SECONDS * 1000)
    return page.evaluate(expression)


def soon(condition: Callable[[], bool]) -> None:
    """Wait for something outside of the page."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_client_holds_a_conversation(web: Web) -> None:
    headers, page = web.account("client"), web.open()
    page.evaluate(CONNECT, {"apiKey": "client", "characterId": "guide", "endUserId": "player-42"})
    until(page, "client.isBotReady")
    page.evaluate("client.sendUserTextMessage('My name is Jordan.')")
    until(page, "seen.speaking.length === 2 && client.chatMessages.length === 2 && seen.loudest > 0")
    said = page.evaluate("client.chatMessages.map(({type, content, isStreaming}) => [type, content, isStreaming])")
    assert said == [
        ["user-transcription", "My name is Jordan.", False],
        ["bot-llm-text", "Welcome, Jordan! Shall I show you the harbour?", False],
    ]
    assert page.evaluate("seen.speaking") == [True, False]
    assert page.evaluate("seen.errors") == []
    assert page.evaluate("seen.ready") == 1
    assert 0.01 < page.evaluate("seen.loudest") < 0.2
    page.evaluate("client.disconnect()")
    until(page, "seen.ended")
    page.close()
    soon(lambda: web.memories(headers) == ["The user's name is Jordan."])
    page = web.browser.new_page(ignore_https_errors=True)
    page.goto(f"{web.control.base_url}?key=client#/end-users/player-42")
    expect(page.get_by_text("The user's name is Jordan.")).to_be_visible()
    page.close()


def test_the_widget_holds_a_conversation(web: Web) -> None:
    headers, page = web.account("widget"), web.open()
    page.evaluate(
        """async (config) => {
          const { ConvaiClient, createConvaiWidget } = await import("/@convai/web-sdk/dist/vanilla/index.js");
          const client = (window.client = new ConvaiClient(config));
          createConvaiWidget(document.body, { convaiClient: client, defaultVoiceMode: false });
        }""",
        {"apiKey": "widget", "characterId": "guide", "endUserId": "player-42"},
    )
    page.locator(".convai-widget > div").first.click()
    until(page, "client.isBotReady")
    box = page.get_by_placeholder("Conversation")
    box.fill("My name is Jordan.")
    box.press("Enter")
    expect(page.get_by_text("My name is Jordan.")).to_be_visible(timeout=SECONDS * 1000)
    expect(page.get_by_text("Welcome, Jordan! Shall I show you the harbour?")).to_be_visible()
    if picture := os.environ.get("WIDGET_PICTURE"):  # docs/images/widget.png
        until(page, "!client.state.isSpeaking")
        page.screenshot(path=Path(picture))
    page.evaluate("client.disconnect()")
    soon(lambda: web.memories(headers) == ["The user's name is Jordan."])
    page.close()


def test_the_client_in_a_room_of_several_characters(web: Web) -> None:
    """The SDK has nothing for such rooms: its request becomes a join on the way, and it takes the room for its own."""
    headers, page = web.account("several"), web.open()
    pupil = {"character_id": "pupil", "character_name": "Pupil"}
    characters = [{"character_id": "guide"}, {"character_id": "pupil"}]
    room = {"characters": characters, "shared_session_key": "hall", "max_num_participants": 2, "group_chat": True}
    web.control.post("/seed", json={"characters": [pupil], "rooms": [room]}, headers=headers).raise_for_status()
    join = {"mode": "join", "shared_session_key": "hall", "end_user_id": "player-42"}
    page.route("**/connect", lambda route: route.continue_(post_data=json.dumps(join)))
    page.evaluate(CONNECT, {"apiKey": "several", "characterId": "guide", "endUserId": "player-42"})
    until(page, "client.isBotReady && seen.ready === 2")
    assert page.evaluate("client.room.remoteParticipants.size") == 2
    page.evaluate("client.sendUserTextMessage('My name is Jordan.')")
    until(page, "seen.speaking.length === 2 && client.chatMessages.length === 2 && seen.loudest > 0")
    said = page.evaluate("client.chatMessages.map(({type, content}) => [type, content])")
    assert said == [
        ["user-transcription", "My name is Jordan."],
        ["bot-llm-text", "Welcome, Jordan! Shall I show you the harbour?"],
    ]
    command = {
        "type": "group-address",
        "id": "turn-1",
        "data": {
            "room_session_id": web.control.get("/state", headers=headers).json()["rooms"][0]["room_session_id"],
            "mode": "all",
            "expected_route_epoch": 0,
            "text": "And who are you?",
        },
    }
    send = "(text) => client.room.localParticipant.publishData(new TextEncoder().encode(text), {reliable: true})"
    page.evaluate(send, json.dumps(command))
    until(page, "client.chatMessages.filter(({type}) => type === 'bot-llm-text').length === 3")
    until(page, "!client.state.isSpeaking")
    told = page.evaluate("client.chatMessages.slice(2).map(({content}) => content)")
    assert told == ["And who are you?", "Yes.", "And who are you?", "Yes."]  # each instance says what it has heard
    assert page.evaluate("seen.errors") == []
    page.evaluate("client.disconnect()")
    until(page, "seen.ended")
    page.close()
    soon(lambda: web.memories(headers) == ["The user's name is Jordan."])
    soon(lambda: "rooms" not in web.control.get("/state", headers=headers).json())
