"""Clients that a generator makes of the documents work against the server."""

import asyncio
import importlib
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from fake_convai.api.published import folder
from fake_convai.api.routes import ENDPOINTS
from fake_convai.app import create_app
from fake_convai.backend.surface import Surface
from fake_convai.settings import Settings

KEY = "key-of-a-generated-client"
BASE = "http://testserver"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a package for each surface, which can be imported."""
    place = tmp_path_factory.mktemp("generated")
    config = place / "config.yml"
    config.write_text("post_hooks: []\n")
    for surface in Surface:
        command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning"]
        source = ["--path", str(folder() / f"{surface}.json"), "--output-path", str(place / f"convai_{surface}")]
        subprocess.run([*command, *source, "--config", str(config)], check=True, capture_output=True)
    sys.path.insert(0, str(place))
    yield place
    sys.path.remove(str(place))


class Generated:
    """The package of a surface, with a client of it that talks to the app in process."""

    def __init__(self, surface: Surface, transport: httpx.ASGITransport) -> None:
        self.package = f"convai_{surface}"
        self.models = importlib.import_module(f"{self.package}.models")
        key_header = "X-API-Key" if surface is Surface.LIVE else "CONVAI-API-KEY"
        make = importlib.import_module(self.package).AuthenticatedClient
        self.client = make(f"{BASE}/{surface}", KEY, prefix="", auth_header_name=key_header)
        self.client.set_async_httpx_client(
            httpx.AsyncClient(base_url=f"{BASE}/{surface}", headers={key_header: KEY}, transport=transport)
        )

    async def call(self, operation: str, body: Any = None, **parameters: Any) -> Any:
        """Call an operation such as `memory.memory_add` by its generated function."""
        module = importlib.import_module(f"{self.package}.api.{operation}")
        sent = parameters if body is None else {"body": body}
        return await module.asyncio(client=self.client, **sent)

    async def close(self) -> None:
        """Let go of the connection."""
        await self.client.get_async_httpx_client().aclose()


def run(work: Callable[..., Awaitable[None]], *surfaces: Surface) -> None:
    """Let `work` use clients of surfaces of a running app."""

    async def main() -> None:
        app = create_app(Settings())
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app)
            clients = [Generated(surface, transport) for surface in surfaces]
            try:
                await work(*clients)
            finally:
                for client in clients:
                    await client.close()

    asyncio.run(main())


def test_every_operation_has_a_function(generated: Path) -> None:
    for surface in Surface:
        found = {path.stem for path in (generated / f"convai_{surface}" / "api").glob("*/*.py")} - {"__init__"}
        assert found == {endpoint.operation_id for endpoint in ENDPOINTS if surface in endpoint.surfaces}


def test_remember_and_forget(generated: Path) -> None:
    async def work(production: Generated, beta: Generated) -> None:
        new = production.models.CharactersCreateRequest(char_name="Coach", voice_type="MALE", backstory="Trains.")
        npc = (await production.call("characters.characters_create", new)).char_id
        who = {"character_id": npc, "end_user_id": "player-42"}
        facts = beta.models.MemoryAddRequest(**who, memories=["The user's name is Jordan."])
        (added,) = (await beta.call("memory.memory_add", facts)).memories
        assert (added.event.value, added.memory) == ("add", "The user's name is Jordan.")
        page = await beta.call("memory.memory_list", beta.models.MemoryListRequest(**who, page_size=10))
        assert (page.total_count, page.has_more, page.memories[0].id) == (1, False, added.id)
        assert isinstance(page.memories[0].created_at, datetime)
        people = await beta.call("end_users.end_users_list", beta.models.EndUsersListRequest())
        assert [person.end_user_id for person in people.end_users] == ["player-42"]
        gone = beta.models.EndUserRequest(end_user_id="player-42")
        assert (await beta.call("end_users.end_users_delete", gone)).deleted is True
        unknown = await beta.call("end_users.end_users_get", gone)
        assert isinstance(unknown, beta.models.Error)
        assert "player-42" in unknown.error

    run(work, Surface.PRODUCTION, Surface.BETA)


def test_talk(generated: Path) -> None:
    async def work(production: Generated, live: Generated) -> None:
        new = production.models.CharactersCreateRequest(char_name="Coach", voice_type="MALE", backstory="Trains.")
        npc = (await production.call("characters.characters_create", new)).char_id
        wanted = live.models.SessionsConnectRequest(character_id=npc, end_user_id="player-42")
        session = await live.call("sessions.sessions_connect", wanted)
        assert session.end_user_id == "player-42"
        ended = await live.call("sessions.sessions_disconnect", session_id=session.session_id)
        assert ended.status == "success"
        said = production.models.InteractionResponseRequest(char_id=npc, user_text="Hello.")
        assert "Coach" in (await production.call("interaction.interaction_get_response", said)).text

    run(work, Surface.PRODUCTION, Surface.LIVE)
