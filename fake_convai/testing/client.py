"""The control plane as the handle calls it: JSON in, JSON out, errors as one exception."""

from collections.abc import Mapping
from typing import Any

import httpx

TIMEOUT = 60.0
"""Seconds; a large seed document takes a while."""


class ControlError(Exception):
    """The fake refused, or did not answer, and then `status` is None; the message says why."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


def connect(url: str, control_key: str | None, transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """A client for the control plane of the server at `url`; nothing is sent yet."""
    headers = {} if control_key is None else {"X-Fake-Convai-Control-Key": control_key}
    return httpx.Client(
        base_url=url,
        headers=headers,
        transport=transport,
        timeout=TIMEOUT,
        limits=httpx.Limits(max_keepalive_connections=0),  # so that one who forgets to close it leaves nothing open
    )


def call(
    client: httpx.Client,
    api_key: str,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    query: Mapping[str, str | int] | None = None,
) -> dict[str, Any]:
    """The answer to `method /_fake{path}` for the account of `api_key`; raises `ControlError` unless it is a 200."""
    try:
        headers = {"CONVAI-API-KEY": api_key}
        response = client.request(method, f"/_fake{path}", json=body, params=query, headers=headers)
    except httpx.TransportError as error:
        raise ControlError(f"fake-convai at {client.base_url} does not answer ({error}): is it running?") from error
    try:
        answer: dict[str, Any] = response.json()
        refusal = None if response.status_code == 200 else answer["ERROR"]
    except (ValueError, LookupError, TypeError):
        refusal = f"{response.url} answered {response.status_code} and no JSON as expected: is that fake-convai?"
    if refusal is not None:
        raise ControlError(refusal, response.status_code)
    return answer
