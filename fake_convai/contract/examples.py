"""The examples of the OpenAPI documents: requests that are made, and what was really answered.

The app runs in process with ids and a clock that are the same every time, so the answers are too.
"""

import asyncio
import json
from typing import Any
from urllib.parse import urlsplit

import httpx
from starlette.applications import Starlette
from starlette.types import Message

from fake_convai.api.routes import ENDPOINTS
from fake_convai.api.routing import Routes
from fake_convai.app import create_app
from fake_convai.backend.body import MAX_BODY
from fake_convai.backend.surface import Surface
from fake_convai.contract.openapi import Example
from fake_convai.settings import Options

BASE = "http://127.0.0.1:2668"
KEY, OTHER_KEY = "key-of-the-example", "key-of-somebody-else"
PERSON = "player-42"
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
        await script.characters()
        await script.memory()
        await script.end_users()
        await script.live()
        await script.chat_history()
        await script.the_rest()
        await script.what_goes_wrong()
        return script.examples, script.frames


_ROUTES = Routes(ENDPOINTS, "strict")


class _Script:
    """Makes the requests, one after the other, and keeps what is to be shown."""

    def __init__(self, app: Starlette, client: httpx.AsyncClient) -> None:
        self.examples: list[Example] = []
        self.frames: list[Frame] = []
        self._app = app
        self._client = client
        self._character = self._partition = self._memory = self._session = ""  # known once they are made
        self._who: dict[str, str] = {}

    async def ask(
        self,
        place: str,
        body: Any = None,
        *,
        show: tuple[str, str] | None = None,
        method: str = "POST",
        key: str | None = KEY,
        headers: dict[str, str] | None = None,
        **how: Any,
    ) -> Any:
        """Ask at a place such as /beta/memory/add; `show` is the name and the summary of the example."""
        surface, _, path = place[1:].partition("/")
        key_header = "X-API-Key" if surface == "live" else "CONVAI-API-KEY"
        sent = ({} if key is None else {key_header: key}) | (headers or {})
        response = await self._client.request(method, place, json=body, headers=sent, **how)
        is_json = response.headers["content-type"] == "application/json"
        answer = response.json() if is_json else response.text
        if show is not None:
            operation_id = _ROUTES.at(method, f"/{path}")[0][method].operation_id
            self.examples.append(
                Example(Surface(surface), operation_id, *show, request=body, status=response.status_code, answer=answer)
            )
        return answer

    async def control(self, path: str, body: Any, *, method: str = "POST", key: str = KEY) -> None:
        """Use the control plane, for what has no route of Convai's."""
        response = await self._client.request(method, f"/_fake{path}", json=body, headers={"X-API-Key": key})
        response.raise_for_status()

    async def characters(self) -> None:
        """A character is made, and told to remember."""
        await self.control("/clock", {"now": "2026-01-31T09:30:00Z"}, method="PUT")
        new = {"charName": "Coach", "voiceType": "MALE", "backstory": "Trains people for the night shift."}
        made = await self.ask("/production/character/create", new, show=("made", "A new character"))
        self._character = made["charID"]
        which = {"charID": self._character}
        self._who = {"character_id": self._character, "end_user_id": PERSON}
        switch = {**which, "memorySettings": {"enabled": True}}
        await self.ask("/production/character/update", switch, show=("remembers", "Memory is switched on"))
        await self.ask("/production/character/get", which, show=("by_id", "By id"))
        await self.ask("/production/character/get", {"charName": "Coach"}, show=("by_name", "By name"))
        query = {"character_id": self._character}
        get = "/production/character/get"
        await self.ask(get, show=("by_query", "By id, in the query"), method="GET", params=query)
        await self.ask("/production/character/list", {}, show=("listed", "All of the account's own"))
        clone = await self.ask("/production/user/clone_character", which, show=("cloned", "A copy"))
        await self.ask("/production/character/delete", clone, show=("deleted", "A character is deleted"))
        clone = await self.ask("/production/user/clone_character", which)
        await self.ask("/production/character/list", show=("page", "The first page"), method="GET", params={"limit": 1})
        place = f"/production/character/{clone['charID']}"
        await self.ask(place, show=("by_path", "A character is deleted, by its id in the path"), method="DELETE")

    async def memory(self) -> None:
        """Facts are added, changed and read."""
        facts = ["The user's name is Jordan.", "The user works the night shift."]
        add = {**self._who, "memories": facts, "metadata": {"source": "quiz"}}
        added = await self.ask("/beta/memory/add", add, show=("added", "Two new facts"))
        self._memory = added["memories"][0]["id"]
        await self.control("/clock", {"advance": 60}, method="PUT")
        again = {**self._who, "memories": ["The user's name is Jordan Kim."]}
        await self.ask("/beta/memory/add", again, show=("updated", "A fact that overlaps with a stored one"))
        page = {**self._who, "page": 1, "page_size": 50}
        await self.ask("/beta/memory/list", page, show=("page", "The first page"))
        which = {**self._who, "memory_id": self._memory}
        await self.ask("/beta/memory/get", which, show=("found", "One fact"))
        await self.ask("/beta/memory/delete", which, show=("deleted", "It is deleted"))
        await self.ask("/beta/memory/delete", which, show=("again", "There is nothing left to delete"))
        await self.ask("/beta/memory/delete-all", self._who, show=("all", "Everything is deleted"))

    async def end_users(self) -> None:
        """People are listed, changed and deleted."""
        person, people = {"end_user_id": PERSON}, "/beta/user/end-users"
        await self.ask("/beta/memory/add", {**self._who, "end_user_id": "player-43", "memories": ["Likes maps."]})
        patch = {**person, "end_user_metadata": {"name": "Jordan Kim", "level": 4}}
        await self.ask(f"{people}/update", patch, show=("named", "A name and a level"))
        await self.ask(f"{people}/get", person, show=("found", "One person"))
        first = await self.ask(f"{people}/list", {"limit": 1}, show=("first", "The first page of two"))
        last = {"limit": 1, "cursor": first["next_cursor"]}
        await self.ask(f"{people}/list", last, show=("last", "The last page"))
        since = {"active_after": "2026-01-01"}
        await self.ask(f"{people}/list", since, show=("active", "Who was active since a day"))
        await self.ask(f"{people}/delete", {"end_user_id": "player-43"}, show=("deleted", "A person is deleted"))

    async def live(self) -> None:
        """Sessions are held, over each transport."""
        connect = {**self._who, "end_user_metadata": {"name": "Jordan Kim"}}
        session = await self.ask("/live/connect", connect, show=("livekit", "Over LiveKit"))
        bye = {"session_id": session["session_id"]}
        await self.ask("/live/disconnect", show=("ended", "The session ends"), key=None, params=bye)
        by_socket = {**connect, "transport": "websocket"}
        opened = await self.ask("/live/connect", by_socket, show=("websocket", "Over a WebSocket"))
        self.frames = await self.chat(urlsplit(opened["room_url"]).query, _CONVERSATION)
        anonymous = {"character_id": self._character, "transport": "websocket"}
        await self.ask("/live/connect", anonymous, show=("anonymous", "Without a person: nothing is remembered"))
        form = {"character_id": self._character, "text_input": "Good evening."}
        answer = await self.ask("/live/connect/stream", show=("said", "One turn"), files=_parts(form))
        assert answer.startswith("data: ")

    async def chat_history(self) -> None:
        """What was said is read again."""
        which, history = {"charID": self._character}, "/production/character/chatHistory"
        await self.ask(f"{history}/list", {**which, "limit": "2"}, show=("newest", "The two newest"))
        listed = await self.ask(f"{history}/list", {**which, "limit": -1}, show=("all", "All of them"))
        held = next(session["sessionID"] for session in listed if session["is_added_to_memory"])
        one = {**which, "sessionID": held}
        await self.ask(f"{history}/details", one, show=("said", "What was said"))
        gone = {**which, "sessionIDs": [held]}
        await self.ask(f"{history}/delete", gone, show=("deleted", "A session is deleted"))

    async def the_rest(self) -> None:
        """Speakers, tokens, and a turn over plain HTTP."""
        for surface in ("production", "beta"):
            speaker = {"deviceId": "headset-7", "name": "Jordan"}
            made = await self.ask(f"/{surface}/user/speaker/new", speaker, show=("made", "The speaker of a device"))
            await self.ask(f"/{surface}/user/speaker/list", {}, show=("listed", "All of the account"))
            gone = {"speakerId": made["speaker_id"]}
            await self.ask(f"/{surface}/user/speaker/delete", gone, show=("deleted", "A speaker is deleted"))
        token = await self.ask("/production/user/connect", {}, show=("token", "A token for an hour"))
        which = {"apiAuthToken": token["apiAuthToken"]}
        await self.ask("/production/user/extend-token", which, show=("extended", "It lasts longer"))
        await self.ask("/production/user/revoke-token", which, show=("revoked", "It stops working"))
        await self.ask("/production/user/referral-source-status", {}, show=("good", "The key is good"))
        heard = {"referral_source": "A friend"}
        await self.ask("/production/user/update-source", heard, show=("told", "Where one heard of it"))
        await self.ask("/production/user/user-api-usage", {}, show=("usage", "What was used"))
        for place in ("/production/health", "/beta/health", "/live/healthz"):
            await self.ask(place, show=("healthy", "It answers"), method="GET", key=None)
        form = {"charID": self._character, "userText": "Good evening.", "sessionID": "-1"}
        turn = "/production/character/getResponse"
        await self.ask(turn, show=("text", "A text begins a conversation"), files=_parts(form))

    async def what_goes_wrong(self) -> None:
        """Each way to say no, where it is met first."""
        await self.control("/seed", {"account": {"plan": "free"}}, key=OTHER_KEY)
        for surface, path, body, wrong in (
            ("production", "/character/get", {"charID": self._character}, {"charID": NOBODY}),
            ("beta", "/memory/list", self._who, {**self._who, "page": 0}),
            ("live", "/connect", {"character_id": self._character}, [1, 2]),
        ):
            place = f"/{surface}{path}"
            await self.ask(place, wrong, show=("refused", "A request that cannot be served"))
            await self.ask(place, body, show=("no_key", "No key was sent"), key=None)
            await self.ask(place, body, show=("wrong_key", "The key is not accepted"), key="invalid")
            large = " " * (MAX_BODY + 1)
            await self.ask(place, show=("large", "More than fits"), headers={"content-length": str(len(large))})
            for status, name in ((429, "often"), (500, "crashed")):
                fault = {"X-Fake-Convai-Fault": str(status)}
                await self.ask(place, body, show=(name, "As a fault that was asked for"), headers=fault)
        await self._wrong_on_rest()
        await self._wrong_on_live()

    async def _wrong_on_rest(self) -> None:
        create = "/production/character/create"
        await self.ask(create, {"charName": ""}, show=("incomplete", "Something is missing"))
        form = {"charID": NOBODY, "userText": "Hello."}
        failed = ("failed", "No such character")
        await self.ask("/production/character/getResponse", show=failed, files=_parts(form))
        which = {"charID": self._character}
        no_plan, history = ("no_plan", "The plan lacks chat history"), "/production/character/chatHistory/list"
        await self.ask(history, which, show=no_plan, key=OTHER_KEY)
        foreign = ("foreign", "Another account's character")
        await self.ask("/production/character/delete", which, show=foreign, key=OTHER_KEY)
        await self.ask("/beta/memory/list", self._who, show=foreign, key=OTHER_KEY)
        unknown = ("unknown", "No such character")
        await self.ask("/production/character/delete", {"charID": NOBODY}, show=unknown)
        await self.ask("/beta/memory/list", {**self._who, "character_id": NOBODY}, show=unknown)
        nobody = {"end_user_id": "nobody"}
        await self.ask("/beta/user/end-users/get", nobody, show=("nobody", "No such person"))
        await self.ask("/production/user/connect", {}, show=("token_no_key", "A token without a key"), key=None)

    async def _wrong_on_live(self) -> None:
        connect = {"character_id": self._character}
        await self.ask("/live/connect", {"character_id": NOBODY}, show=("unknown", "No such character"))
        sse = {"transport": "sse"}
        await self.ask("/live/connect", sse, show=("incomplete", "Two things are wrong"))
        room = {**connect, "end_user_id": "player-42", "shared_session_key": "raid-7"}
        await self.ask("/live/connect", room)
        await self.ask("/live/connect", room, show=("taken", "The room is there already"))
        history = await self.ask("/production/character/chatHistory/list", {"charID": self._character})
        own = {"character_session_id": history[0]["sessionID"]}
        await self.ask("/production/character/update", {"charID": self._character, "listing": "public"})
        foreign = ("foreign", "Another account's conversation")
        await self.ask("/live/connect", {**connect, **own}, show=foreign, key=OTHER_KEY)

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


def _parts(form: dict[str, str]) -> dict[str, tuple[None, str]]:
    """Fields as a multipart form."""
    return {name: (None, value) for name, value in form.items()}


_CONVERSATION: list[Frame] = [
    {"type": "user_text_message", "data": {"text": "Hello, my name is Jordan and I work as a nurse."}},
    {"type": "trigger-message", "data": {"trigger_name": "Greet", "trigger_message": "The user enters the hall."}},
    {"type": "update-template-keys", "data": {"template_keys": {"hall": "north"}}},
    {"type": "update-scene-metadata", "data": {"scene_metadata": [{"name": "door", "description": "A fire door."}]}},
    {"type": "update-dynamic-info", "data": {"dynamic_info": {"text": "The alarm rings."}}},
    {"type": "context-update", "data": {"text": "It is night.", "mode": "append"}},
    {"type": "tts-toggle", "data": {"enabled": False}},
    {"type": "stt-toggle", "data": {"muted": True}},
    {"type": "interrupt-bot"},
    {"type": "force-user-stopped-speaking"},
    {"type": "reset-idle-timer"},
    {"type": "dance"},
    {"type": "kill-pipeline"},
]
