"""A client that sends byte for byte what the Unity SDK's REST services send, and reads answers as its models do.

The SDK's `HttpClientTransport` gives each request `Accept`, the key header and, if there is a body, a `StringContent`
in UTF-8; JSON is Newtonsoft's, compact, in the order of the code, without null members. The order and
the spelling of the headers are what Mono's HttpClient put on the wire for such requests (Mono 6.8, read off a socket).
"""

import http.client
import json
import socket
from collections.abc import Mapping
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

JsonText = str
M = TypeVar("M", bound="Model")


class Model(BaseModel):
    """Newtonsoft ignores members that a class does not have; a number where text is wanted would be a surprise."""

    model_config = ConfigDict(strict=True, extra="ignore")


class MemoryAddResult(Model):
    """One fact of `AddMemoriesResponse`."""

    id: str
    event: str
    memory: str


class AddMemoriesResponse(Model):
    """Of memory/add."""

    memories: list[MemoryAddResult]


class MemoryRecord(Model):
    """Of memory/get."""

    id: str
    memory: str
    created_at: str
    updated_at: str
    metadata: dict[str, Any]


class MemoryListResponse(Model):
    """Of memory/list."""

    memories: list[MemoryRecord]
    total_count: int
    page: int
    page_size: int
    has_more: bool


class MemoryDeleteResponse(Model):
    """Of memory/delete."""

    message: str
    memory_id: str
    deleted: bool


class MemoryDeleteAllResponse(Model):
    """Of memory/delete-all."""

    message: str
    character_id: str
    end_user_id: str


class EndUserDetails(Model):
    """Of user/end-users/get; the times may be null, as every string in C#."""

    end_user_id: str
    last_active_ts: str | None
    last_ltm_usage_ts: str | None
    end_user_metadata: dict[str, Any]


class EndUserUpdateResponse(EndUserDetails):
    """Of user/end-users/update."""

    message: str


class EndUsersListResponse(Model):
    """Of user/end-users/list."""

    end_users: list[EndUserDetails]
    total_count: int
    next_cursor: str | None
    has_more: bool


class EndUserDeleteResponse(Model):
    """Of user/end-users/delete."""

    message: str
    end_user_id: str
    deleted: bool


class MemorySettings(Model):
    """Of `CharacterDetails`."""

    enabled: bool


class CharacterDetails(Model):
    """Of character/get, as far as memory is concerned."""

    character_id: str
    character_name: str
    memory_settings: MemorySettings


class CreateSpeakerIdResult(Model):
    """Of user/speaker/new in the older service."""

    speaker_id: str


class RoomDetails(Model):
    """Of the connect endpoint."""

    token: str
    room_name: str
    session_id: str
    request_trace_id: str
    room_url: str
    character_session_id: str
    end_user_id: str | None
    end_user_metadata: dict[str, Any] | None


def request_bytes(host: str, method: str, path: str, key: Mapping[str, str], body: JsonText | None) -> bytes:
    """A request as Mono's HttpClient writes it for the SDK's `HttpClientTransport`."""
    content = b"" if body is None else body.encode()
    head = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in key.items())]
    head.append("Accept: application/json")
    if body is not None:
        head.append("Content-Type: application/json; charset=utf-8")
    if method == "POST":
        head.append(f"Content-Length: {len(content)}")
    head += [f"Host: {host}", "", ""]
    return "\r\n".join(head).encode() + content


class Answer:
    """Status and text, which is all that the SDK's `ConvaiHttpResponse` keeps."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.reason = response.reason
        self.headers = response.headers
        self.text = response.read().decode()

    def as_(self, model: type[M]) -> M:
        """The body as one of the SDK's models, after making sure that it is a success."""
        assert self.status == 200, self.text
        return model.model_validate_json(self.text)


class UnityClient:
    """One connection, kept open from request to request, as HttpClient does."""

    def __init__(self, url: str, api_key: str) -> None:
        self._host = urlsplit(url).netloc
        self._key = api_key
        name, _, port = self._host.partition(":")
        self.socket = socket.create_connection((name, int(port)), timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.socket.close()

    def post(self, path: str, body: JsonText | None, header: str = "CONVAI-API-KEY") -> Answer:
        """POST a JSON text, or nothing at all."""
        return self.send(request_bytes(self._host, "POST", path, {header: self._key}, body))

    def get(self, path: str) -> Answer:
        """GET, as the newer character service does."""
        return self.send(request_bytes(self._host, "GET", path, {"CONVAI-API-KEY": self._key}, None))

    def send(self, request: bytes) -> Answer:
        """Send bytes as they are, and read the answer to them."""
        self.socket.sendall(request)
        response = http.client.HTTPResponse(self.socket)
        response.begin()
        return Answer(response)


def newtonsoft(value: Any) -> JsonText:
    """Compact JSON with the characters of other languages as they are, and no member that is null."""
    return json.dumps(_without_null(value), ensure_ascii=False, separators=(",", ":"))


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_null(member) for name, member in value.items() if member is not None}
    return value
