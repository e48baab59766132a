"""Pages that are too large to be read and written in passing: beside the event loop, and just the same."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from fake_convai.backend import responses
from fake_convai.store import end_users, memories
from fake_convai.store.query import IN_PASSING
from tests.conftest import Api

SMALL, LARGE = ({"notes": "x" * (IN_PASSING + by)} for by in (-13, 100))


def at_work(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> list[int]:
    """The threads in which a function runs from now on."""
    threads: list[int] = []
    real: Callable[..., Any] = getattr(module, name)

    def watched(*arguments: Any) -> Any:
        threads.append(threading.get_ident())
        return real(*arguments)

    monkeypatch.setattr(module, name, watched)
    return threads


@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["small", "large"])
def test_a_page_of_memories(api: Api, monkeypatch: pytest.MonkeyPatch, data: dict[str, Any]) -> None:
    npc, facts = api.character(), ["The user has a dog.", "The user plays chess.", "The user lives in Rome."]
    api.remember(npc, "player-42", facts[0], facts[1], metadata=data)
    api.remember(npc, "player-42", facts[2])
    assert api.client.portal is not None
    loop = api.client.portal.call(threading.get_ident)
    read, written = at_work(monkeypatch, memories, "_to_memory"), at_work(monkeypatch, responses, "_in_pieces")
    body = {"character_id": npc, "end_user_id": "player-42"}
    page = api.ok("/beta/memory/list", {**body, "page_size": 2})
    assert [(one["memory"], one["metadata"]) for one in page.pop("memories")] == [(one, data) for one in facts[:2]]
    assert page == {"total_count": 3, "page": 1, "page_size": 2, "has_more": True}
    assert (loop in {*read, *written}, len(written)) == ((True, 0) if data is SMALL else (False, 1))
    last = api.ok("/beta/memory/list", {**body, "page": 2, "page_size": 2})
    assert [one["memory"] for one in last["memories"]] == facts[2:]
    assert last["has_more"] is False


@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["small", "large"])
def test_a_page_of_end_users(api: Api, monkeypatch: pytest.MonkeyPatch, data: dict[str, Any]) -> None:
    npc = api.character()
    for one in ("ada", "bo", "cy"):
        api.remember(npc, one, "The user has a dog.")
        api.ok("/beta/user/end-users/update", {"end_user_id": one, "end_user_metadata": data})
    assert api.client.portal is not None
    loop = api.client.portal.call(threading.get_ident)
    read, written = at_work(monkeypatch, end_users, "to_person"), at_work(monkeypatch, responses, "_in_pieces")
    page = api.ok("/beta/user/end-users/list", {"limit": 2})
    assert [(one["end_user_id"], one["end_user_metadata"]) for one in page["end_users"]] == [
        ("ada", data),
        ("bo", data),
    ]
    assert (page["total_count"], page["has_more"]) == (3, True)
    assert (loop in {*read, *written}, len(written)) == ((True, 0) if data is SMALL else (False, 1))
    rest = api.ok("/beta/user/end-users/list", {"cursor": page["next_cursor"]})
    assert [one["end_user_id"] for one in rest["end_users"]] == ["cy"]
    assert (rest["next_cursor"], rest["has_more"]) == (None, False)
