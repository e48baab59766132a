"""The schemas of the WebSocket: what is sent and what comes back."""

import json
from typing import Any

import pytest

from fake_convai.api.published import published
from fake_convai.backend.surface import Surface
from fake_convai.contract.examples import Frame, run_examples
from tests.conftest import Api
from tests.openapi.contract import value_departures

LIVE = published(Surface.LIVE)
SCHEMAS = LIVE["components"]["schemas"]
KINDS = SCHEMAS["ClientMessage"]["discriminator"]["mapping"]
PARENT = {True: {"$ref": "#/components/schemas/ClientMessage"}, False: {"$ref": "#/components/schemas/ServerEvent"}}


@pytest.fixture(scope="module")
def frames() -> list[Frame]:
    """A conversation, both sides."""
    return run_examples()[1]


def say(api: Api, *messages: Any) -> list[Frame]:
    """Send messages over a WebSocket; returns what comes back up to the last acknowledgement."""
    body = {"character_id": api.character(), "transport": "websocket"}
    session_id = api.ok("/live/connect", body)["session_id"]
    answers: list[Frame] = []
    with api.client.websocket_connect(f"/live/chat?session_id={session_id}") as socket:
        for message in messages:
            socket.send_json(message)
            while True:
                answers.append(json.loads(socket.receive_text()))
                if answers[-1]["type"] == "server-response":
                    break
    return answers


def test_the_kinds_of_messages_are_those_that_the_server_knows(api: Api) -> None:
    (answer,) = say(api, {"type": "dance"})
    assert answer["extras"]["supported_types"] == list(KINDS)


def test_a_conversation_fits_its_schemas_exactly(frames: list[Frame]) -> None:
    sent = [frame for frame in frames if frame["type"] in KINDS]
    assert {frame["type"] for frame in sent} == set(KINDS)
    assert len(frames) > 2 * len(sent)
    for frame in frames:
        if frame["type"] != "dance":
            assert value_departures(LIVE, PARENT[frame["type"] in KINDS], frame) == [], frame


@pytest.mark.parametrize(
    "kind", [kind for kind, ref in KINDS.items() if "data" in SCHEMAS[ref.split("/")[-1]]["required"]]
)
def test_a_message_without_what_its_schema_requires_is_an_error(api: Api, kind: str) -> None:
    for message in ({"type": kind}, {"type": kind, "data": {}}, {"type": kind, "data": {"enabled": 1, "text": " "}}):
        assert value_departures(LIVE, PARENT[True], message)
        (answer,) = say(api, message)
        assert (answer["event_type"], answer["status"]) == (kind, "error")
        assert value_departures(LIVE, PARENT[False], answer) == []


@pytest.mark.parametrize("message", [[], "text", {}, {"type": 5}], ids=str)
def test_what_is_no_message_is_answered_as_described(api: Api, message: Any) -> None:
    (answer,) = say(api, message)
    assert answer["event_type"] == "validation-error"
    assert value_departures(LIVE, PARENT[False], answer) == []
