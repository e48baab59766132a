"""A change of one field of an answer does not go unnoticed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from fake_convai.api.endpoint import Call
from fake_convai.api.memory import MemoryRecord
from fake_convai.api.published import published
from fake_convai.api.routes import ENDPOINTS
from fake_convai.app import create_app
from fake_convai.backend.surface import Surface
from fake_convai.contract.openapi import document
from fake_convai.settings import Settings
from tests.openapi.contract import problems

RECORD = {
    "id": "5",
    "memory": "The user has a dog.",
    "created_at": "2026-01-01T00:00:00.000000Z",
    "updated_at": "2026-01-01T00:00:00.000000Z",
    "metadata": {},
}
CHANGES: dict[str, dict[str, Any]] = {
    "renamed": {"text": "The user has a dog.", "memory": None},
    "left out": {"metadata": None},
    "added": {"score": 0.5},
    "of another type": {"id": 5},
    "in another form": {"created_at": "yesterday"},
}


@pytest.fixture
def answering() -> Callable[[dict[str, Any]], list[str]]:
    """A function that makes /memory/get answer something and asks it."""

    def ask(answer: dict[str, Any]) -> list[str]:
        async def get(call: Call, body: Any) -> dict[str, Any]:
            return answer

        with pytest.MonkeyPatch.context() as patch:
            endpoints = [replace(one, handler=get) if one.path == "/memory/get" else one for one in ENDPOINTS]
            patch.setattr("fake_convai.app.ENDPOINTS", endpoints)
            app = create_app(Settings())
        with TestClient(app) as client:
            body = {"character_id": "npc", "end_user_id": "player-42", "memory_id": "5"}
            response = client.post("/beta/memory/get", json=body, headers={"CONVAI-API-KEY": "some-key"})
        return problems(Surface.BETA, "POST", "/memory/get", response)

    return ask


def test_the_answer_as_it_is_fits(answering: Any) -> None:
    assert answering(RECORD) == []


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_changed_answer_departs_from_the_document(answering: Any, change: dict[str, Any]) -> None:
    changed = {name: value for name, value in {**RECORD, **change}.items() if value is not None}
    assert answering(changed) != []


def test_a_changed_declaration_makes_the_documents_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    schemas = document(Surface.BETA)["components"]["schemas"]
    assert schemas["MemoryRecord"] == published(Surface.BETA)["components"]["schemas"]["MemoryRecord"]
    monkeypatch.setitem(MemoryRecord.__annotations__, "score", float)
    changed = document(Surface.BETA)["components"]["schemas"]["MemoryRecord"]
    assert changed != schemas["MemoryRecord"]
