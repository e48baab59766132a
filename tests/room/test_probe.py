"""A LiveKit server of the user's: what is wrong with it is said at the start."""

import asyncio
import logging
from typing import Any

import pytest

from fake_convai.live.livekit_server import LiveKit, LiveKitServer
from fake_convai.live.probe import complaint
from fake_convai.testing import FakeConvai
from tests.room.test_livekit_server import running, soon


def test_a_fit_server_has_nothing_said_about_it(livekit_program: str) -> None:
    async def run() -> list[str | None]:
        async with running(livekit_program) as (_, livekit):
            stranger = LiveKit(livekit.url, "nobody", "a secret of the 32 characters that it should have")
            return [await complaint(livekit), await complaint(stranger)]

    fit, stranger = asyncio.run(run())
    assert fit is None
    assert stranger is not None
    assert "refuses --livekit-key" in stranger


def test_a_server_without_turn_is_complained_of(livekit_program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    configuration = LiveKitServer._config

    def without_turn(server: LiveKitServer, *arguments: Any) -> dict[str, Any]:
        return {**configuration(server, *arguments), "turn": {"enabled": False}}

    monkeypatch.setattr(LiveKitServer, "_config", without_turn)

    async def run() -> str | None:
        async with running(livekit_program) as (_, livekit):
            return await complaint(livekit)

    assert "TURN off" in (asyncio.run(run()) or "")


def test_the_log_says_at_the_start_that_nobody_answers(livekit_program: str, caplog: pytest.LogCaptureFixture) -> None:
    nobody = {"livekit": "auto", "livekit_url": "ws://127.0.0.1:9"}
    with caplog.at_level(logging.WARNING, "fake_convai"), FakeConvai(nobody):
        asyncio.run(soon(lambda: "ws://127.0.0.1:9 does not answer" in caplog.text))
