"""What the code under test has sent, and what is to happen to it: faults, answers of one's own, scripted replies."""

import base64
import difflib
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from fake_convai.control.client import document_of
from fake_convai.domain.faults import Fault
from fake_convai.testing.driving import Driven, checked, given, place
from fake_convai.testing.records import Memory, Message, Request, read

__tracebackhide__ = True

Planned = tuple[Literal["fault", "stub"], dict[str, Any]]

POLL_SECONDS = 0.02


class DidNotHappen(AssertionError, TimeoutError):
    """What a test waited for did not come in time; the message says what came nearest."""


@checked
class Happenings(Driven):
    """The part of the handle that looks at traffic and plans what happens to it."""

    _planned: list[Planned]
    """What must have happened when the test ends: "fault" or "stub", and what was planned."""

    def requests(
        self, path: str | None = None, *, surface: str | None = None, status: int | None = None
    ) -> list[Request]:
        """The requests of this account, oldest first; `path` is such as `/memory/add`, or `/beta/memory/add`."""
        path, surface = place(path, surface)
        query = given({"path": path, "surface": surface, "status": status})
        return [read(Request, entry) for entry in self._call("GET", "/requests", query=query)["requests"]]

    def clear_requests(self) -> None:
        """Empty the journal that `requests` reads."""
        self._planned[:] = self._unhappened()
        self._call("DELETE", "/requests")

    def messages(
        self, *, session_id: str | None = None, type: str | None = None, direction: Literal["in", "out"] | None = None
    ) -> list[Message]:
        """The frames of the account's live sessions, oldest first; `direction` is "in" for what the client sent."""
        query = given({"session_id": session_id, "type": type, "direction": direction})
        return [read(Message, one) for one in self._call("GET", "/messages", query=query)["messages"]]

    def wait_for_request(
        self,
        path: str | None = None,
        timeout: float = 5,
        *,
        surface: str | None = None,
        status: int | None = None,
        count: int = 1,
    ) -> Request:
        """The first such request, or the `count`-th, as soon as it was answered; `timeout` in seconds.

        Raises `DidNotHappen`, which names what came instead.
        """

        path, surface = place(path, surface)
        wanted = given({"path": path, "surface": surface, "status": status})
        return read(Request, self._awaited("request", wanted, timeout, count))

    def wait_for_message(
        self,
        type: str,
        timeout: float = 5,
        *,
        session_id: str | None = None,
        direction: Literal["in", "out"] | None = None,
        count: int = 1,
    ) -> Message:
        """The first message of this type, or the `count`-th, as soon as it was sent; `timeout` in seconds.

        Raises `DidNotHappen`, which names what came instead.
        """

        wanted = given({"type": type, "session_id": session_id, "direction": direction})
        return read(Message, self._awaited("message", wanted, timeout, count))

    def _awaited(self, kind: str, wanted: dict[str, Any], timeout: float, count: int) -> dict[str, Any]:
        """The `count`-th entry of a journal that matches; the server waits, and knows what came nearest."""
        answer = self._call("GET", f"/{kind}s", query={**wanted, "wait": timeout, "count": count})
        found: list[dict[str, Any]] = answer[f"{kind}s"]
        if answer["complete"]:
            return found[count - 1]
        if found:
            came = f"{len(found)} of {count} such {kind}s came"
        elif answer["nearest"]:
            near = answer["nearest"][0]
            came = f"no such {kind} came; the nearest: {_shown(kind, near)} ({'; '.join(near['differed'])})"
        else:
            came = f"no such {kind} came, nor any other"
        what = f" with {', '.join(f'{name} {value}' for name, value in wanted.items())}" if wanted else ""
        raise DidNotHappen(f"Waited {timeout:g} s for a {kind}{what}: {came}.")

    def wait_until_remembered(self, character_id: str, end_user_id: str, text: str, timeout: float = 5) -> Memory:
        """The first memory that holds this text, as soon as the character has it; `timeout` in seconds.

        Raises `DidNotHappen`, which names the most similar.
        """

        give_up = time.perf_counter() + timeout
        while True:
            there = self._memories(character_id, end_user_id)
            found = [one for one in there if text.lower() in one.memory.lower()]
            if found:
                return found[0]
            if time.perf_counter() >= give_up:
                break
            time.sleep(POLL_SECONDS)
        near = difflib.get_close_matches(text, [one.memory for one in there], n=1, cutoff=0.0)
        what = f"the nearest: {near[0]!r}" if near else f"nothing is remembered of {end_user_id!r}"
        raise DidNotHappen(f"Waited {timeout:g} s for a memory that holds {text!r}: there is none; {what}.")

    def fail(
        self,
        /,
        path: str | None = None,
        status: int | None = 429,
        times: int | None = 1,
        *,
        surface: str | None = None,
        character_id: str | None = None,
        end_user_id: str | None = None,
        rate: float | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        delay_ms: Any = None,
        disconnect: bool = False,
        when: Literal["before", "after"] = "before",
        optional: bool = False,
        **inside: Any,
    ) -> None:
        """Let coming requests fail: those to `path`, or all, narrowed down by `surface`, `character_id`, `end_user_id`.

        `times` is how often, None for always; `rate` is the share of requests it happens to. The answer is `status`
        with Convai's own body, unless `body` is given; `disconnect=True` breaks the connection instead. `delay_ms`
        comes before the answer; with `status=None` that is all that happens. It happens `before` anything was done, or
        `after` the change was committed. `inside` is what the control plane knows besides, such as `at` and `do`.

        A fault that never happened fails the test at its end, unless it is `optional`.
        """
        path, surface = place(path, surface)
        match = {"path": path, "surface": surface, "character_id": character_id, "end_user_id": end_user_id}
        fault = {
            "match": given(match),
            "rate": rate,
            "status": None if inside else status,
            "body": body,
            "headers": dict(headers) if headers else None,
            "delay_ms": delay_ms,
            "disconnect": disconnect or None,
            "when": when,
            **inside,
        }
        planted = self._call("POST", "/faults", {**given(fault), "times": times})
        if not optional and rate is None:
            self._planned.append(("fault", _without_count(planted)))

    def faults(self) -> list[Fault]:
        """The faults that wait to happen; `times` is how often each still will."""
        return [read(Fault, fault) for fault in self._call("GET", "/faults")["faults"]]

    def clear_faults(self) -> None:
        """Forget the faults that wait."""
        self._call("DELETE", "/faults")
        self._planned[:] = [one for one in self._planned if one[0] != "fault"]

    def unhappened(self) -> list[str]:
        """The faults and stubs that were planned, are not optional, and never happened; a line for each."""
        return [
            f"The fault {_short(planned)} never happened: {_why_not(planned)}. {_OPTIONAL}"
            if kind == "fault"
            else f"The stub for {planned['match']['path']} never answered. {_OPTIONAL}"
            for kind, planned in self._unhappened()
        ]

    def _unhappened(self) -> list[Planned]:
        """What was planned and has not happened: of faults the server keeps count, of stubs the journal tells."""
        waiting = [_without_count(one) for one in self._call("GET", "/faults")["faults"] if not one.get("happened")]
        answered = [(one.stub, one.status) for one in self.requests() if one.stub]
        left: list[Planned] = []
        for kind, planned in self._planned:
            if kind == "stub" and (planned["match"], planned["status"]) not in answered:
                left.append((kind, planned))
            if kind == "fault" and planned in waiting:
                waiting.remove(planned)  # of two that are equal, one may have happened
                left.append((kind, planned))
        return left

    def stub(
        self,
        path: str,
        status: int = 200,
        body: Any = None,
        *,
        text: str | None = None,
        method: str | None = None,
        surface: str | None = None,
        match_body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        delay_ms: int | None = None,
        times: int | None = None,
        optional: bool = False,
    ) -> None:
        """Answer a route, whether the fake has it or not: with JSON or bytes (`body`), or as it is (`text`).

        `match_body` is what a request must hold; `times` is how often, None for always. The newest is tried first. One
        that never answered fails the test at its end, unless it is `optional`.
        """
        on_surface, named = place(path, surface)
        match = {"path": on_surface, "surface": named, "method": method, "body": match_body}
        held = {"base64": base64.b64encode(body).decode()} if isinstance(body, bytes) else {"body": body}
        answer = {**held, "text": text, "headers": headers, "delay_ms": delay_ms, "times": times}
        stub = {"match": given(match), "status": status, **given(answer)}
        there = self._call("GET", "/stubs")["stubs"]
        planned = self._call("PUT", "/stubs", {"stubs": [stub, *there]})["stubs"][0]
        if not optional:
            self._planned.append(("stub", planned))

    def clear_stubs(self) -> None:
        """Forget the answers of one's own."""
        self._call("DELETE", "/stubs")
        self._planned[:] = [one for one in self._planned if one[0] != "stub"]

    def replies(self, document: Mapping[str, Any] | str | Path) -> None:
        """Script what characters say, and do beside it: `{"replies": [...], "default": ...}`, or a file of it.

        A file is JSON, or YAML by its ending. This takes the place of what was set before.
        """
        self._call("PUT", "/replies", document if isinstance(document, Mapping) else document_of(Path(document)))

    def set_replies(
        self, replies: Mapping[str, str], default: str | None = None, *, heard: Sequence[str] | None = None
    ) -> None:
        """Script what characters say: a reply for each text or regular expression found in what the user says.

        `default` is for whatever else is said. `heard` is what people are taken to have said by their sounds, in a
        conversation one after the other. This takes the place of what was set before.
        """
        script = [{"match": match, "reply": reply} for match, reply in replies.items()]
        sounds = {} if heard is None else {"heard": list(heard)}
        self._call("PUT", "/replies", {"replies": script, "default": default, **sounds})


_OPTIONAL = "If that is fine, say optional=True."


def _without_count(fault: Mapping[str, Any]) -> dict[str, Any]:
    """A fault without how often it is still to come, or has."""
    return {name: value for name, value in fault.items() if name not in ("times", "happened", "reference_id", "id")}


def _short(fault: Mapping[str, Any]) -> str:
    match = fault.get("match") or {}
    where = match.get("path") or "any path"
    others = [f"{name} {value}" for name, value in match.items() if name != "path"]
    what = fault.get("status") or fault.get("do") or ("disconnect" if fault.get("disconnect") else None)
    what = what or (f"handshake {fault['handshake']}" if "handshake" in fault else f"delay of {fault['delay_ms']} ms")
    return f"{what} for {', '.join([where, *others])}"


def _why_not(fault: Mapping[str, Any]) -> str:
    at = fault.get("at")
    return f"no answer came as far as {json.dumps(at)}" if at else "nothing was sent that it is for"


def _shown(kind: str, entry: Mapping[str, Any]) -> str:
    if kind == "message":
        return f"{entry['type']} ({entry['direction']})"
    return f"{entry['method']} /{entry['surface']}{entry['path']} -> {entry['status']}"
