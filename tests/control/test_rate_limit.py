"""`--rate-limit`: so many requests a second and account, then the documented 429."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from tests.api.talking import connect, disconnect
from tests.control.conftest import Run
from tests.control.driving import account

LIST = "/beta/user/end-users/list"


@pytest.fixture
def limited(run: Run) -> Iterator[TestClient]:
    """A server that takes three requests a second."""
    with run(rate_limit="3/s") as client:
        yield client


def test_more_than_that_is_refused_until_the_next_second(limited: TestClient) -> None:
    api, control = account(limited)
    control.freeze()
    assert [api.post(LIST).status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    response = api.post(LIST)
    assert (response.status_code, response.json()) == (
        429,
        {"ERROR": "API rate limit exceeded. Please try again later."},
    )
    assert response.headers["retry-after"] == "1"
    control.ok("PUT", "/clock", {"advance": int(response.headers["retry-after"])})
    assert [api.post(LIST).status_code for _ in range(4)] == [200, 200, 200, 429]


def test_it_speaks_as_the_surface_does(limited: TestClient) -> None:
    api, control = account(limited)
    control.freeze()
    responses = [api.post("/live/connect") for _ in range(4)]
    assert [response.status_code for response in responses] == [422, 422, 422, 429]
    assert responses[-1].json() == {"detail": "API rate limit exceeded. Please try again later."}
    assert responses[-1].headers["retry-after"] == "1"


def test_each_account_has_its_own(limited: TestClient) -> None:
    for api, control in (account(limited), account(limited)):
        control.freeze()
        assert [api.post(LIST).status_code for _ in range(4)] == [200, 200, 200, 429]


def test_a_refused_request_does_nothing_and_is_in_the_journal(limited: TestClient) -> None:
    api, control = account(limited)
    control.freeze()
    npc = api.character()
    statuses = [
        api.post("/beta/memory/add", {"character_id": npc, "end_user_id": user, "memories": ["Tall."]}).status_code
        for user in ("player-1", "player-2")
    ]
    assert statuses == [200, 429]
    assert [user["end_user_id"] for user in control.state()["end_users"]] == ["player-1"]
    (entry,) = control.requests(status=429)
    assert (entry["path"], entry["fault"]) == ("/memory/add", None)


def test_the_control_plane_is_not_limited(limited: TestClient) -> None:
    _, control = account(limited)
    control.freeze()
    for _ in range(10):
        control.state()


def test_sessions_can_always_be_ended(limited: TestClient) -> None:
    api, control = account(limited)
    control.freeze()
    session = connect(api, api.character())
    assert api.post(LIST).status_code == 429
    disconnect(api, session)


def test_without_the_setting_there_is_no_limit(client: TestClient) -> None:
    api, control = account(client)
    control.freeze()
    assert {api.post(LIST).status_code for _ in range(50)} == {200}
