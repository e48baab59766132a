"""`fake-convai compare`: says to the fake what was said to the real service, and looks at what differs."""

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from fake_convai.backend.redact import is_secret
from fake_convai.control.client import ControlClient, ControlError
from fake_convai.domain.errors import CannotBeDone
from fake_convai.domain.identity import REFUSED_KEY_PREFIX
from fake_convai.traffic.beginning import account_of, seeds
from fake_convai.traffic.bodies import media_type, parse
from fake_convai.traffic.differences import Difference, compare, compare_messages
from fake_convai.traffic.recording import WEBSOCKET, Close, Exchange, Frame, Received
from fake_convai.traffic.translation import Translation

PATIENCE = 2.0
"""Seconds for a message of the fake that the recording has."""

SILENCE = 0.2
"""Seconds without a message after which the fake has nothing to add to what the recording has."""


class CannotCompare(CannotBeDone):
    """The fake cannot be brought to where the recording begins; the message says why."""


@dataclass(frozen=True)
class Compared:
    """An exchange and what differs."""

    exchange: Exchange
    differences: list[Difference]


class Replay:
    """One run over a recording, in accounts of its own."""

    def __init__(self, url: str, exchanges: Sequence[Exchange], control_key: str | None = None) -> None:
        """`url` is that of a running fake; it must have its control plane."""
        self._fake = ControlClient(url, control_key)
        self._exchanges = [one for one in exchanges if one.request.method != "OPTIONS"]
        self._run = uuid.uuid4().hex
        self._translation = Translation()
        self._refused = _refused(self._exchanges)
        no_keys = self._refused | _tokens(self._exchanges) | {""}
        self._accounts = [one for one in dict.fromkeys(map(account_of, self._exchanges)) if one not in no_keys]

    def compare(self, seed: Mapping[str, Any] | None = None) -> Iterator[Compared]:
        """Replay one exchange after the other; `seed` is what every account holds before, else characters are made up.

        Raises `CannotCompare`.
        """
        with self._fake:
            inferred = seed is None and self._accounts
            found = seeds(self._exchanges, self._accounts, self._translation) if inferred else {}
            for account in self._accounts:
                self._ask("POST", "/seed", account, seed if seed is not None else found.get(account, {}))
            for exchange in self._exchanges:
                for account in self._accounts:
                    self._ask("PUT", "/clock", account, {"now": exchange.at})
                request = exchange.request
                self._translation.note_sent([request.body.value, request.query])
                self._translation.note_sent([frame.body.value for frame in exchange.frames if frame.sender == "client"])
                if request.method == WEBSOCKET:
                    yield Compared(exchange, self._talk(exchange))
                else:
                    yield Compared(exchange, compare(exchange.response, self._send(exchange), self._translation))

    def _ask(self, method: str, path: str, account: str, body: Mapping[str, Any]) -> None:
        try:
            self._fake.call(method, path, body, api_key=self._credential(account))
        except ControlError as error:
            raise CannotCompare(str(error)) from error

    def _send(self, exchange: Exchange) -> Received:
        request = exchange.request
        body, value = request.body, self._translation.to_fake(request.body.value)
        kind = request.headers.get("content-type", "")
        headers = self._headers(exchange)
        how: dict[str, Any] = {}
        if body.kind == "form":
            files = {name: _part(one) for name, one in value.items()}
            how = {"files": files} if media_type(kind).startswith("multipart/") else {"data": value}
        elif body.kind != "empty":
            how = {"content": orjson.dumps(value) if body.kind == "json" else _raw(value)}
            headers |= {"content-type": kind} if kind else {}
        try:
            response = self._fake.http.request(
                request.method,
                self._fake.url + request.place,
                params=self._translation.to_fake(request.query),
                headers=headers,
                **how,
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise CannotCompare(f"line {exchange.line}: the fake does not answer ({error})") from error
        answered = parse(response.content, response.headers.get("content-type", ""))
        return Received(status=response.status_code, headers=dict(response.headers), body=answered)

    def _headers(self, exchange: Exchange) -> dict[str, str]:
        kept = exchange.request.headers.items()
        return {name: self._credential(value) for name, value in kept if is_secret(name)}

    def _credential(self, recorded: str) -> str:
        """A token or session that the fake gave, or else a key that opens an account, or is refused as recorded."""
        known = self._translation.bound(recorded)
        if known is not None or not recorded.strip():
            return known or recorded
        return f"{REFUSED_KEY_PREFIX if recorded in self._refused else 'compare'}-{self._run}-{recorded}"

    def _talk(self, exchange: Exchange) -> list[Difference]:
        request = exchange.request
        query = httpx.QueryParams(self._translation.to_fake(request.query))
        url = f"{self._fake.url.replace('http', 'ws', 1)}{request.place}?{query}"
        try:
            with connect(url, additional_headers=self._headers(exchange), max_size=None, proxy=None) as socket:
                frames, close = _converse(socket, exchange, self._translation)
        except InvalidStatus as error:
            return compare(exchange.response, Received(status=error.response.status_code), self._translation)
        except (OSError, WebSocketException) as error:
            raise CannotCompare(f"line {exchange.line}: the fake does not answer ({error})") from error
        if exchange.response.status != 101:
            return compare(exchange.response, Received(status=101), self._translation)
        said = [frame.body.value for frame in exchange.frames if frame.sender == "server"]
        differences = compare_messages(said, frames, self._translation)
        if _ending(exchange.close) != _ending(close):
            differences.append(Difference("meaning", "close", _ending(exchange.close), _ending(close)))
        return differences


def _refused(exchanges: Sequence[Exchange]) -> set[str]:
    """The placeholders of keys that the real service never took."""
    taken = {account_of(one) for one in exchanges if one.response.status != 401}
    return {account_of(one) for one in exchanges} - taken


def _tokens(exchanges: Sequence[Exchange]) -> set[str]:
    """The placeholders of tokens that the real service gave."""
    answers = (one.response.body.value for one in exchanges)
    return {str(answer["apiAuthToken"]) for answer in answers if isinstance(answer, dict) and "apiAuthToken" in answer}


def _raw(value: str | int) -> str | bytes:
    """A text, or as many bytes as there were."""
    return value if isinstance(value, str) else bytes(value)


def _part(value: Any) -> tuple[str | None, str | bytes]:
    """A field of a multipart form; of a file only the size was kept, and the fake does not listen anyway."""
    return (value["file"], bytes(value["size"])) if isinstance(value, dict) else (None, value)


def _converse(socket: ClientConnection, exchange: Exchange, translation: Translation) -> tuple[list[Any], Close | None]:
    """Say what the client said, each thing after the fake has said what the recording has before it."""
    heard: list[Any] = []
    expected = 0
    try:
        for frame in exchange.frames:
            if frame.sender == "server":
                expected += 1
                continue
            _listen(socket, heard, expected)
            _say(socket, frame, translation)
        _listen(socket, heard, expected)
        by_server = exchange.close is not None and exchange.close.by == "server"
        while True:
            heard.append(parse(socket.recv(timeout=PATIENCE if by_server else SILENCE)).value)
    except TimeoutError:
        return heard, Close(by="client", code=1000)
    except ConnectionClosed:
        return heard, Close(by="server", code=socket.close_code or 1006, reason=socket.close_reason or "")


def _say(socket: ClientConnection, frame: Frame, translation: Translation) -> None:
    value = translation.to_fake(frame.body.value)
    socket.send(orjson.dumps(value).decode() if frame.body.kind == "json" else _raw(value or ""))


def _listen(socket: ClientConnection, heard: list[Any], expected: int) -> None:
    """Wait for as many messages as the recording has; the fake may say less, or the same in fewer pieces."""
    give_up = time.monotonic() + PATIENCE
    while len(heard) < expected:
        try:
            heard.append(parse(socket.recv(timeout=max(0.0, give_up - time.monotonic()))).value)
        except TimeoutError:
            return


def _ending(close: Close | None) -> str:
    """Who hung up, and if it was the server, how."""
    if close is None or close.by == "client":
        return "by the client"
    return f"by the server: {close.code} {close.reason}".strip()
