"""Answering requests by stubs, before the route is looked for (docs/control-plane.md)."""

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from starlette.responses import Response

from fake_convai.backend.responses import Json
from fake_convai.domain.stubs import StubMatch, holds
from fake_convai.store import stubs
from fake_convai.store.database import Database


class Stubs:
    """Finds the stub that answers a request. Costs nothing while there is none."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # Other replicas may set stubs, so a shared database is asked every time.
        self._alone = not database.shared
        self._there = True

    def changed(self) -> None:
        """Stubs were set or forgotten."""
        self._there = True

    @property
    def may_answer(self) -> bool:
        """Whether any may be there, as far as is known without a question."""
        return self._there or not self._alone

    async def candidates(
        self, account_id: int | None, surface: str | None, method: str, path: str
    ) -> list[tuple[int, StubMatch]]:
        """The stubs that may answer, depending on the body, by their number; None as account is nobody's."""
        self._there = await self._database.read(stubs.are_there)
        if not self._there:
            return []
        known = await self._database.read(lambda tx: stubs.matches(tx, account_id))
        return [(seq, match) for seq, match in known if match.fits(surface, method, path)]

    async def take(
        self, candidates: list[tuple[int, StubMatch]], body: Mapping[str, Any]
    ) -> tuple[StubMatch, dict[str, Any]] | None:
        """The first candidate that fits the body, used up by one, with its answer."""
        for seq, match in candidates:
            if match.body is not None and not holds(body, match.body):
                continue
            answer = await self._database.write(lambda tx, seq=seq: stubs.use(tx, seq))  # type: ignore[misc]
            if answer is not None:
                return match, answer
        return None


async def respond(answer: Mapping[str, Any]) -> Response:
    """The response that a stub describes, after its delay."""
    if delay_ms := answer.get("delay_ms", 0):
        await asyncio.sleep((delay_ms + 1) / 1000)  # the event loop may be early by a millisecond
    status, headers = answer.get("status", 200), answer.get("headers", {})
    if "body" in answer:
        return Json(answer["body"], status, headers)
    if "base64" in answer:
        content, kind = base64.b64decode(answer["base64"]), "application/octet-stream"
    else:
        content, kind = answer.get("text", "").encode(), "text/plain; charset=utf-8"
    return Response(content, status, {"content-type": kind, **headers})


def describe(match: StubMatch) -> dict[str, Any]:
    """What a stub answers, as it was given: what was left out is left out."""
    return {name: value for name, value in asdict(match).items() if value is not None}
