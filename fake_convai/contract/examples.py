"""The examples of the OpenAPI documents: requests that are made (`examples.yaml`), and what was really answered.

The app runs in process with ids and a clock that are the same every time, so the answers are too.
"""

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import yaml
from starlette.applications import Starlette
from starlette.types import Message

from fake_convai.api.routes import ENDPOINTS
from fake_convai.api.routing import Routes
from fake_convai.app import create_app
from fake_convai.backend.auth import KEY_HEADER, LIVE_KEY_HEADER
from fake_convai.backend.surface import Surface
from fake_convai.contract.experiments import Step, filled, found_at
from fake_convai.contract.openapi import Example
from fake_convai.settings import Options

BASE = "http://127.0.0.1:2668"
_KEYS = {"own": "key-of-the-example", "other": "key-of-somebody-else", "wrong": "invalid"}
_HEADERS = {"production": KEY_HEADER, "beta": KEY_HEADER}
NOBODY = "00000000-0000-4000-8000-000000000000"

Frame = dict[str, Any]


def run_examples() -> tuple[list[Example], list[Frame]]:
    """The examples of all surfaces, and the frames of a conversation over the WebSocket in both directions."""
    return asyncio.run(_run())


async def _run() -> tuple[list[Example], list[Frame]]:
    defaults = {name: field.get_default(call_default_factory=True) for name, field in Options.model_fields.items()}
    app = create_app(Options(**{**defaults, "random_seed": 1, "livekit": "off"}))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as client,
    ):
        script = _Script(app, client)
        for step in _steps():
            await script.do(step)
        return script.examples, script.frames


def _steps() -> list[Step]:
    text = Path(__file__).with_suffix(".yaml").read_text("utf-8")
    return [Step.model_validate(step) for step in yaml.safe_load(text)]


_ROUTES = Routes(ENDPOINTS, "strict")


class _Script:
    """Makes the requests, one after the other, and keeps what is to be shown."""

    def __init__(self, app: Starlette, client: httpx.AsyncClient) -> None:
        self.examples: list[Example] = []
        self.frames: list[Frame] = []
        self._app = app
        self._client = client
        self._names: dict[str, Any] = {"nobody": NOBODY}

    async def do(self, step: Step) -> None:
        """Do one step."""
        if step.talk:
            self.frames = await self.chat(urlsplit(filled(step.talk, self._names)).query, step.body)
            return
        method, surface, path = step.place
        body, names = step.sent(self._names), self._names
        key = {} if step.key == "none" else {_HEADERS.get(surface, LIVE_KEY_HEADER): _KEYS[step.key]}
        response = await self._client.request(
            method,
            f"/{'_fake' if surface == 'fake' else surface}{filled(path, names)}",
            json=body,
            files={name: (None, filled(one, names)) for name, one in step.form.items()} if step.form else None,
            params=filled(step.query, names),
            headers=key | step.headers,
        )
        is_json = response.headers["content-type"] == "application/json"
        answer = response.json() if is_json else response.text
        names |= {name: found_at(answer, place) for name, place in step.keep.items()}
        if step.show is not None:
            operation = _ROUTES.at(method, filled(path, names))[0][method]
            self.examples.append(
                Example(Surface(surface), operation.operation_id, *step.show, body, response.status_code, answer)
            )

    async def chat(self, query: str, messages: list[Frame]) -> list[Frame]:
        """Send messages over a WebSocket; returns the frames of both sides in order."""
        frames: list[Frame] = []
        waiting = [{"type": "websocket.connect"}, *messages, {"type": "websocket.disconnect", "code": 1000}]

        async def receive() -> Message:
            message = waiting.pop(0)
            if message["type"].startswith("websocket."):
                return message
            frames.append(message)
            return {"type": "websocket.receive", "text": json.dumps(message)}

        async def send(message: Message) -> None:
            if message["type"] == "websocket.send":
                frames.append(json.loads(message["text"]))

        scope = {
            "type": "websocket",
            "asgi": {"version": "3.0"},
            "scheme": "ws",
            "path": "/live/chat",
            "query_string": query.encode(),
            "headers": [],
            "subprotocols": [],
        }
        await self._app(scope, receive, send)
        return frames
