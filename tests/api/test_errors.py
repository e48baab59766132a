"""Section 2 of the contract: what nobody expected is a 500 in Convai's shape, and leaves a trace in the log."""

import logging
import uuid

import pytest
from starlette.types import Message

from fake_convai.domain.errors import Unavailable
from tests.conftest import Api, backend_of


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


def test_a_client_that_hangs_up_is_no_surprise(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"testserver"), (b"convai-api-key", api.key.encode())]
    path = "/beta/user/end-users/list"
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}
    assert api.client.portal is not None
    api.client.portal.call(api.client.app, scope, receive, send)
    assert [message.get("status") for message in sent] == [499, None]
    assert [record for record in caplog.records if record.name.startswith("fake_convai")] == []


def test_a_silent_database_is_asked_once_for_the_account(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    async def unavailable(*_: object) -> None:
        asked.append(1)
        raise Unavailable("The database does not answer.")

    monkeypatch.setattr(type(backend_of(api.client).database), "read", unavailable)
    response = api.post("/beta/user/end-users/list")
    assert (response.status_code, response.json()) == (503, {"ERROR": "The database does not answer."})
    assert len(asked) == 1


def test_two_surprises_have_two_references(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fake_convai.store.end_users.list_page", fail)
    references = {api.post("/beta/user/end-users/list").json()["Reference ID"] for _ in range(2)}
    assert len(references) == 2
