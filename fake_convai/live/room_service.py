"""What LiveKit's RoomService does for the fake: who is in a room, showing one of them to the others, closing it."""

from typing import Any

import httpx

from fake_convai.domain.clock import real_time
from fake_convai.live.livekit import access_token
from fake_convai.live.livekit_server import LiveKit

_SECONDS = 3.0


class NoAnswer(Exception):
    """The LiveKit server does not answer, or not as it should."""


class RoomService:
    """Calls of a LiveKit server's own API. Each raises `NoAnswer` when there is none."""

    def __init__(self, livekit: LiveKit) -> None:
        self._livekit = livekit
        url = httpx.URL(livekit.url)
        self._client = httpx.AsyncClient(
            base_url=url.copy_with(scheme="https" if url.scheme == "wss" else "http"),
            timeout=_SECONDS,
            verify=url.scheme == "wss",
            trust_env=False,  # no proxy between here and there
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def rooms(self) -> set[str]:
        """The names of the rooms that are open."""
        answer = await self._call("ListRooms", {}, {"roomList": True})
        return {room["name"] for room in answer.get("rooms", [])}

    async def people(self, room: str) -> dict[str, bool]:
        """The identities of all who are in a room, and whether they are connected yet; a closed room has nobody."""
        answer = await self._call("ListParticipants", {"room": room}, {"roomAdmin": True, "room": room})
        return {one["identity"]: one.get("state") == "ACTIVE" for one in answer.get("participants", [])}

    async def show(self, room: str, identity: str) -> None:
        """Let everybody in the room know at once that this person is there.

        The server keeps somebody who publishes nothing from the others for up to three seconds, unless something
        about them changes.
        """
        request = {"room": room, "identity": identity, "attributes": {"fake_convai": "seen"}}
        await self._call("UpdateParticipant", request, {"roomAdmin": True, "room": room})

    async def remove(self, room: str, identity: str) -> None:
        """Send somebody out of a room."""
        request = {"room": room, "identity": identity}
        await self._call("RemoveParticipant", request, {"roomAdmin": True, "room": room})

    async def close(self, room: str) -> None:
        """Close a room and send everybody out."""
        await self._call("DeleteRoom", {"room": room}, {"roomCreate": True})

    async def _call(self, method: str, request: dict[str, Any], grants: dict[str, Any]) -> dict[str, Any]:
        token = access_token(
            self._livekit.key, self._livekit.secret, identity="fake-convai", grants=grants, now=real_time()
        )
        headers = {"Authorization": f"Bearer {token}"}
        try:
            answer = await self._client.post(f"/twirp/livekit.RoomService/{method}", json=request, headers=headers)
            if answer.status_code == 404:  # no such room or person, or no more
                return {}
            answer.raise_for_status()
            told: dict[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise NoAnswer(f"{method}: {error}") from error
        return told
