"""Section 2 of the contract: what nobody expected is a 500 in Convai's shape, and leaves a trace in the log."""

import logging
import uuid

import pytest

from tests.conftest import Api


def fail(*args: object, **kwargs: object) -> None:
    """Stand in for a query, with a bug."""
    raise ZeroDivisionError("a bug")


@pytest.mark.parametrize("path", ["/beta/user/end-users/list", "/user/end-users/list"])
def test_a_surprise_is_answered_and_logged_with_its_traceback(
    api: Api, path: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("fake_convai.store.end_users.list_page", fail)
    with caplog.at_level(logging.ERROR):
        response = api.post(path)
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert sorted(body) == ["ERROR", "Reference ID"]
    assert isinstance(body["ERROR"], str)
    reference = body["Reference ID"]
    assert str(uuid.UUID(reference)) == reference
    (record,) = [record for record in caplog.records if record.name.startswith("fake_convai")]
    assert reference in record.getMessage()
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], ZeroDivisionError)
    assert "fail" in caplog.text
    monkeypatch.undo()
    assert api.post(path).status_code == 200


def test_a_surprise_in_the_middle_stores_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    npc = api.character()
    body = {"character_id": npc, "end_user_id": "player-42", "memories": ["The user has a dog."]}
    monkeypatch.setattr("fake_convai.store.people.note_ltm_usage", fail)
    assert api.post("/beta/memory/add", body).status_code == 500
    monkeypatch.undo()
    assert api.end_users() == []
    assert api.ok("/beta/memory/add", body)["memories"][0]["event"] == "add"


def test_two_surprises_have_two_references(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fake_convai.store.end_users.list_page", fail)
    references = {api.post("/beta/user/end-users/list").json()["Reference ID"] for _ in range(2)}
    assert len(references) == 2
