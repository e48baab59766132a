"""How the tests talk to a character: over a WebSocket, and over plain HTTP."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue
from typing import Any

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from tests.conftest import Api, running

MY_NAME = "My name is Jordan."
NAME_FACT = "The user's name is Jordan."
ASK_NAME = "What is my name?"

TIMEOUT = 60
"""Seconds until a test gives up waiting for the server."""

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

Frame = dict[str, Any]


class Chat:
    """One WebSocket of a session, from the client's side."""

    def __init__(self, socket: WebSocketTestSession, sent: Queue[Message | None]) -> None:
        """`sent` is what the server sends, and None when it is done with the connection."""
        self.socket = socket
        self._sent = sent

    def receive(self) -> Frame:
        """The next frame; a close is a `WebSocketDisconnect`."""
        message = self._sent.get(timeout=TIMEOUT)
        assert message is not None
        if message["type"] == "websocket.close":
            raise WebSocketDisconnect(message["code"], message["reason"])
        frame: Frame = json.loads(message["text"])
        return frame

    def send(self, kind: str, **data: Any) -> Frame:
        """Send a message; returns its acknowledgement."""
        self.socket.send_json({"type": kind, "data": data})
        return self.receive()

    def turn(self) -> list[Frame]:
        """Every frame of a turn, to its end."""
        frames = [self.receive()]
        while frames[-1]["data"].get("type") != "bot-turn-completed":
            frames.append(self.receive())
        return frames

    def say(self, text: str) -> str:
        """Say something; returns the character's answer."""
        assert self.send("user_text_message", text=text)["status"] == "success"
        return answer_in(self.turn())

    def closed(self) -> tuple[int, str]:
        """Code and reason of the close that comes next."""
        with pytest.raises(WebSocketDisconnect) as closing:
            self.receive()
        return closing.value.code, closing.value.reason

    def leave(self) -> None:
        """Close from this side, and wait until the server is done with it."""
        self.socket.close()
        while self._sent.get(timeout=TIMEOUT) is not None:
            pass
        self._sent.put(None)


@contextmanager
def chat(api: Api, session: Frame) -> Iterator[Chat]:
    """The WebSocket at the address that `/connect` gave out."""
    sent: Queue[Message | None] = Queue()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_and_note(message: Message) -> None:
            await send(message)
            if message["type"] != "websocket.accept":
                sent.put(message)

        try:
            await api.client.app(scope, receive, send_and_note)
        finally:
            sent.put(None)

    # Starlette's own client waits for ever for a frame, and cancels the app when the block ends: this one does neither.
    client = TestClient(app)
    client.portal = api.client.portal
    with client.websocket_connect(session["room_url"]) as socket:
        talk = Chat(socket, sent)
        try:
            yield talk
        finally:
            talk.leave()


def server_message(kind: str, **data: Any) -> Frame:
    """A frame whose type is inside `data`."""
    return {"label": "rtvi-ai", "type": "server-message", "data": {"type": kind, **data}}


def connect(api: Api, character_id: str, end_user_id: str | None = None, **fields: Any) -> Frame:
    """A new session over a WebSocket, unless `fields` say otherwise."""
    body = {"character_id": character_id, "end_user_id": end_user_id, "transport": "websocket", **fields}
    session: Frame = api.ok("/live/connect", body)
    return session


def disconnect(api: Api, session: Frame) -> None:
    """End a session from outside; no key is needed."""
    response = api.client.post("/live/disconnect", params={"session_id": session["session_id"]})
    answer = {"status": "success", "message": "Session disconnected successfully"}
    assert (response.status_code, response.json()) == (200, answer)


def converse(api: Api, character_id: str, end_user_id: str | None, *said: str, **fields: Any) -> Frame:
    """Connect, say these things and leave; returns the session."""
    session = connect(api, character_id, end_user_id, **fields)
    with chat(api, session) as talk:
        for text in said:
            talk.say(text)
    return session


def answer_in(frames: list[Frame]) -> str:
    """What the character says in these frames or events."""
    return "".join(frame["data"]["text"] for frame in frames if frame["type"] == "bot-llm-text")


def details(api: Api, character_id: str, session_id: str) -> list[Frame]:
    """What chat history has of a conversation."""
    found: list[Frame] = api.ok(
        "/production/character/chatHistory/details", {"charID": character_id, "sessionID": session_id}
    )
    return found


def said_in(api: Api, character_id: str, session_id: str) -> list[str]:
    """What the user said, as chat history has it."""
    return [turn["interaction"][0]["message"] for turn in details(api, character_id, session_id)]


def history(api: Api, character_id: str, **fields: Any) -> list[Frame]:
    """The sessions that chat history lists."""
    listed: list[Frame] = api.ok("/production/character/chatHistory/list", {"charID": character_id, **fields})
    return listed


def facts(api: Api, character_id: str, end_user_id: str) -> list[str]:
    """What a character remembers of an end user who has a record."""
    return [memory["memory"] for memory in api.memories(character_id, end_user_id)]


def end_user(api: Api, end_user_id: str) -> Frame:
    """An end-user record."""
    record: Frame = api.ok("/beta/user/end-users/get", {"end_user_id": end_user_id})
    return record


def sweep(api: Api) -> None:
    """Let the server look after idle sessions now, as it otherwise does every second."""
    assert api.client.portal is not None
    api.client.portal.call(running(api.client).hub.sweep)


def events_in(response: httpx.Response) -> list[Frame]:
    """The server-sent events of a response, each a `data:` line and an empty one."""
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/event-stream")
    blocks = response.text.split("\n\n")
    assert blocks.pop() == ""
    assert [block for block in blocks if not block.startswith("data: ") or "\n" in block] == []
    return [json.loads(block.removeprefix("data: ")) for block in blocks]
