"""`fake-convai verify`: does the experiments of the contract's guesses, on things of its own making.

What is made is named after the run and deleted at the end: characters, end users, speakers. Nothing else is touched.
"""

import json
import ssl
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from fake_convai.backend.auth import KEY_HEADER, LIVE_KEY_HEADER
from fake_convai.backend.redact import redacted
from fake_convai.backend.surface import Surface
from fake_convai.contract.experiments import Expected, Step, experiments, filled, found_at, unlike
from fake_convai.contract.provenance import Guess
from fake_convai.domain.errors import CannotBeDone
from fake_convai.traffic.bodies import parse
from fake_convai.traffic.evidence import Finding, Result, now
from fake_convai.traffic.targets import Targets

PREFIX = "fake-convai-verify"
"""What the name of everything begins with that is made here."""

TIMEOUT = 30.0
"""Seconds for an answer, and for a turn over a WebSocket."""

PATIENCE = 60.0
"""Seconds that a 429 may ask to wait; how often is `_TRIES`."""

_TRIES = 3
_BETWEEN = 0.5
_PAGES = 40
_ORDINARY = range(200, 300)


class CannotVerify(CannotBeDone):
    """The run cannot begin or go on; the message says why."""


class _Undecided(Exception):
    """The experiment says nothing here."""


class _Refuted(Exception):
    """The guess is wrong; the message says what was seen."""


class _NoAnswer(_Undecided):
    """Not even an error came back."""


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass
class Made:
    """What was made and is to be deleted."""

    characters: list[str] = field(default_factory=list)
    end_users: list[str] = field(default_factory=list)
    speakers: list[str] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)

    def left(self) -> dict[str, list[str]]:
        """What is still there, by kind; sessions end by themselves."""
        kinds = {"characters": self.characters, "end_users": self.end_users, "speakers": self.speakers}
        return {kind: names for kind, names in kinds.items() if names}


class Verification:
    """A run: a character that remembers, and an experiment after the other."""

    def __init__(self, targets: Targets, key: str, *, delay: float = 0.0) -> None:
        """`delay` is how many seconds to wait before each request."""
        self._targets = targets
        self._key = key
        self._delay = delay
        self._run = f"{PREFIX}-{uuid.uuid4().hex[:12]}"
        self._other_key = f"{self._run}-other"
        self._names: dict[str, Any] = {}
        self.made = Made()
        self.lost = 0
        """How many experiments in a row nobody has answered."""
        # A proxy of the environment counts for the real hosts; SSL_CERT_FILE does everywhere.
        self._client = httpx.Client(timeout=TIMEOUT, trust_env=targets.unnamed is None, verify=_trusted())

    def close(self) -> None:
        """Delete what was made; what could not be deleted stays in `made`."""
        for session in self.made.sessions:
            self._delete("live", "/disconnect", query={"session_id": session})
        for kept, surface, path, name in (
            (self.made.end_users, "beta", "/user/end-users/delete", "end_user_id"),
            (self.made.speakers, "beta", "/user/speaker/delete", "speakerId"),
            (self.made.characters, "production", "/character/delete", "charID"),
        ):
            kept[:] = [one for one in kept if not self._delete(surface, path, {name: one})]
        self._client.close()

    def begin(self) -> None:
        """Make the character; `CannotVerify` when the key is refused or nobody answers."""
        new = {"charName": self._run, "voiceType": "MALE", "backstory": "Made by fake-convai verify."}
        try:
            answer = self._ask(Step(ask="production /character/create", body=new))
            if answer.status not in _ORDINARY or not found_at(answer.body, "charID"):
                raise CannotVerify(f"/character/create answered {answer.status} {_shown(answer.body)}")
            self._names["character"] = answer.body["charID"]
            switch = {"charID": answer.body["charID"], "memorySettings": {"enabled": True}}
            answer = self._ask(Step(ask="production /character/update", body=switch))
        except _Undecided as why:
            raise CannotVerify(str(why)) from why
        if answer.status not in _ORDINARY:
            raise CannotVerify(f"/character/update answered {answer.status} {_shown(answer.body)}")

    def attempt(self, guess: Guess) -> Finding:
        """Do the experiment of a guess."""
        people = ("person", "second", "third", "fourth")
        names = {name: f"{self._run}-{guess.id}-{name}" for name in people}
        upper = {"PERSON": names["person"].upper()}
        self._names |= names | upper | {"nobody": str(uuid.uuid4()), "fresh": uuid.uuid4().hex}
        self._names |= {"run": self._run, "key": self._key}
        result: Result = "confirmed"
        seen, lost = "", 0
        try:
            for step in experiments()[guess.id]:
                seen = self._do(step) or seen
        except _Refuted as refuted:
            result, seen = "refuted", str(refuted)
        except _Undecided as undecided:
            result, seen = "undecided", str(undecided)
            lost = self.lost + 1 if isinstance(undecided, _NoAnswer) else 0
        self.lost = lost
        return Finding(id=guess.id, claim=guess.says, result=result, seen=self._without_key(seen), at=now())

    def _do(self, step: Step) -> str:
        """Do a step; returns what was seen if it was one to look at."""
        if step.cannot:
            raise _Undecided(step.cannot)
        give_up = time.monotonic() + step.patience
        while True:
            answer = self._perform(step)
            place = step.ask or ("the WebSocket" if step.talk else "the walk")
            self._names |= {name: found_at(answer.body, path) for name, path in step.keep.items()}
            if step.given is not None and (why := self._unlike(step.given, answer)):
                raise _Undecided(f"{place}: {why}")
            if step.given is None and step.see is None and answer.status not in _ORDINARY:
                raise _Undecided(f"{place} answered {answer.status} {_shown(answer.body)}")
            if step.see is None:
                return ""
            why = self._unlike(step.see, answer)
            if why is None:
                return f"{place} answered {answer.status} {_shown(answer.body)}"
            if answer.status != step.see.status and (reason := _says_nothing(answer)):
                raise _Undecided(f"{place} answered {answer.status}: {reason}")
            if time.monotonic() >= give_up:
                raise _Refuted(f"{place}: {why}; it answered {answer.status} {_shown(answer.body)}")
            time.sleep(_BETWEEN)

    def _unlike(self, expected: Expected, answer: _Answer) -> str | None:
        wanted = {"status": expected.status} if expected.status is not None else {}
        seen: dict[str, Any] = {"status": answer.status}
        if expected.headers:
            wanted["headers"], seen["headers"] = filled(expected.headers, self._names), answer.headers
        if why := unlike(wanted, seen):
            return why
        if "body" not in expected.model_fields_set:
            return None
        if expected.status is None and answer.status not in _ORDINARY and not expected.headers:
            wanted_errors = isinstance(expected.body, Mapping) and expected.body.keys() & {"ERROR", "detail"}
            if not wanted_errors:
                return f"status is {answer.status}"
        return unlike(filled(expected.body, self._names), answer.body)

    def _perform(self, step: Step) -> _Answer:
        if step.walk is not None:
            return self._walk(step)
        return self._talk(step) if step.talk else self._ask(step)

    def _walk(self, step: Step) -> _Answer:
        """All pages of end users, with somebody new between the first and the second."""
        people: list[str] = []
        body = filled(step.walk, self._names)
        for number in range(_PAGES):
            answer = self._ask(Step(ask="beta /user/end-users/list", body=body))
            if answer.status not in _ORDINARY:
                raise _Undecided(f"/user/end-users/list answered {answer.status}")
            people += [str(found_at(one, "end_user_id")) for one in found_at(answer.body, "end_users") or ()]
            if not found_at(answer.body, "has_more"):
                return _Answer(answer.status, answer.headers, people)
            if number == 0:
                self._ask(Step(ask="live /connect", person=step.meanwhile, body={"transport": "websocket"}))
            body = {**body, "cursor": found_at(answer.body, "next_cursor")}
        raise _Undecided(f"there are more than {_PAGES} pages")

    def _talk(self, step: Step) -> _Answer:
        """Say something over a WebSocket and listen until it is answered."""
        said = step.send or {"type": "user_text_message", "data": {"text": step.say}}
        last = "server-response" if step.send else "bot-turn-completed"
        heard: list[Any] = []
        url = str(filled(step.talk, self._names))
        context = _trusted() if url.startswith("wss:") else None
        try:
            with connect(url, ssl=context, open_timeout=TIMEOUT, max_size=None, proxy=None) as socket:
                socket.send(orjson.dumps(said).decode())
                give_up = time.monotonic() + TIMEOUT
                while time.monotonic() < give_up:
                    heard.append(parse(socket.recv(timeout=TIMEOUT)).value)
                    if last in (found_at(heard[-1], "type"), found_at(heard[-1], "data.type")):
                        break
        except (OSError, WebSocketException, ValueError) as error:
            raise _Undecided(f"the WebSocket: {error}") from error
        return _Answer(200, {}, heard)

    def _ask(self, step: Step) -> _Answer:
        method, surface, path = step.place
        path = str(filled(path, self._names))
        body = step.sent(self._names)
        if body is None and step.ask.count(" ") == 1 and step.form is None:
            body = {}
        how: dict[str, Any] = {"params": filled(step.query, self._names), "headers": self._headers(step, surface)}
        if step.form is not None:
            form = filled(step.form, self._names)
            how |= {"data": form} if step.encoded else {"files": {name: (None, one) for name, one in form.items()}}
        elif body is not None and method == "POST":
            raw = body["$raw"].encode() if isinstance(body, dict) and "$raw" in body else _json(body)
            how |= {"content": raw}
            how["headers"]["content-type"] = "application/json"
        expected = [one.status for one in (step.given, step.see) if one is not None]
        answer = self._send(method, self._url(surface, path), may_refuse=429 in expected, **how)
        self._note(path, body, answer)
        return answer

    def _send(self, method: str, url: str, *, may_refuse: bool = False, **how: Any) -> _Answer:
        for attempt in range(_TRIES):
            time.sleep(self._delay)
            last = attempt == _TRIES - 1
            try:
                response = self._client.request(method, url, **how)
            except httpx.HTTPError as error:
                if last:
                    raise _NoAnswer(
                        f"no answer from {url.partition('?')[0]} ({error or type(error).__name__})"
                    ) from error
                time.sleep(_BETWEEN)
                continue
            if response.status_code != 429 or may_refuse or last:
                break
            wait = response.headers.get("retry-after", "1")
            time.sleep(min(float(wait) if wait.isdecimal() else 1.0, PATIENCE))
        content = parse(response.content, response.headers.get("content-type", ""))
        return _Answer(response.status_code, response.headers, content.value)

    def _headers(self, step: Step, surface: str) -> dict[str, str]:
        headers: dict[str, str] = filled(step.headers, self._names)
        if step.key == "other" and self._targets.unnamed is None:
            raise _Undecided("it takes a second account, which only a fake opens")
        name = LIVE_KEY_HEADER if surface in ("live", "fake") else KEY_HEADER
        key = {"own": self._key, "other": self._other_key}.get(step.key)
        return headers if key is None else {**headers, name: key}

    def _url(self, surface: str, path: str) -> str:
        if surface != "fake":
            return self._targets.url(Surface(surface), path, named=True)
        if self._targets.unnamed is None:
            raise _Undecided("only a fake can be told to")
        return f"{self._targets.unnamed}/_fake{path}"

    def _note(self, path: str, body: Any, answer: _Answer) -> None:
        """Remember what was made, so that it can be deleted."""
        if isinstance(body, dict):
            person = body.get("end_user_id")
            adds = path.endswith(("/memory/add", "/connect"))
            adds = adds and answer.status in _ORDINARY
            if adds and isinstance(person, str) and person.startswith(PREFIX) and person not in self.made.end_users:
                self.made.end_users.append(person)
        for name, kept in (("charID", self.made.characters), ("speaker_id", self.made.speakers)):
            made = found_at(answer.body, name)
            creates = path.endswith(("/character/create", "/user/clone_character", "/user/speaker/new"))
            if creates and answer.status in _ORDINARY and isinstance(made, str) and made not in kept:
                kept.append(made)
        session = found_at(answer.body, "session_id")
        if path == "/connect" and isinstance(session, str):
            self.made.sessions.append(session)

    def _delete(self, surface: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None) -> bool:
        """Whether it is gone; of somebody else's, which the "other" account made, with that account's key."""
        for key in ("own", "other"):
            try:
                answer = self._ask(Step(ask=f"{surface} {path}", body=body, query=dict(query or {}), key=key))
            except _Undecided:
                return False
            if answer.status in _ORDINARY or answer.status == 404:
                return True
        return False

    def _without_key(self, text: str) -> str:
        return text.replace(self._key, "(key)").replace(self._run, "(run)")


def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context()


def _json(body: Any) -> bytes:
    return json.dumps(body).encode()  # orjson would refuse integers beyond 64 bits, which is what is to be tried


def _says_nothing(answer: _Answer) -> str | None:
    """Why an answer that was not expected says nothing about a guess; None when it does."""
    text = _shown(answer.body)
    if answer.status in (401, 429) or answer.status >= 500:
        return text
    plan = answer.status == 403 and any(word in text.lower() for word in ("plan", "upgrade", "subscri"))
    return text if plan else None


def _shown(value: Any) -> str:
    text = orjson.dumps(redacted(value), default=str).decode()
    return text if len(text) <= 300 else f"{text[:300]}..."
