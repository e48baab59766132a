"""A field is known by the name that goes over the wire, and by no other: for every field of every endpoint."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from fake_convai.api.endpoint import Endpoint
from fake_convai.api.routes import ENDPOINTS
from fake_convai.backend.models import RequestModel
from tests.conftest import Api, refused

CASES = [
    pytest.param(endpoint, name, id=f"{endpoint.operation_id}-{name}")
    for endpoint in ENDPOINTS
    for name, field in endpoint.body.model_fields.items()
    if field.alias is not None and field.alias != name
]
OF_ANY_TYPE = ["x", {}, {"enabled": True}, ["x"], 5, True]


def errors(model: type[BaseModel], body: dict[str, Any]) -> list[Any]:
    """What a model has to say about a body: where, and what."""
    try:
        model.model_validate(body)
    except ValidationError as error:
        return [(one["loc"], one["type"]) for one in error.errors()]
    return []


def test_there_are_such_fields() -> None:
    assert {"character_id", "memory_settings", "session_id", "device_id"} <= {case.values[1] for case in CASES}


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.operation_id)
def test_no_model_takes_other_names(endpoint: Endpoint) -> None:
    assert issubclass(endpoint.body, RequestModel)
    assert endpoint.body.model_config.get("populate_by_name") in (None, False)
    assert [name for name, field in endpoint.body.model_fields.items() if field.validation_alias != field.alias] == []


@pytest.mark.parametrize(("endpoint", "name"), CASES)
def test_the_name_inside_has_no_effect(endpoint: Endpoint, name: str) -> None:
    nothing = errors(endpoint.body, {})
    for value in OF_ANY_TYPE:
        assert errors(endpoint.body, {name: value}) == nothing
        assert endpoint.review({name: value})[0] == [name]


class TestOverHttp:
    def test_a_memory_switch_in_the_wrong_spelling_does_nothing_and_is_noted(self, api: Api) -> None:
        npc = api.character(memory=True)
        body = {"charID": npc, "memory_settings": {"enabled": False}, "character_name": "Other"}
        assert api.ok("/production/character/update", body) == {"STATUS": "SUCCESS"}
        shown = api.ok("/production/character/get", {"charID": npc})
        assert (shown["memory_settings"], shown["character_name"]) == ({"enabled": True}, "Coach")
        headers = {"CONVAI-API-KEY": api.key}
        journal = api.client.get("/_fake/requests?path=/character/update", headers=headers).json()["requests"]
        assert journal[-1]["unknown_fields"] == ["character_name", "memory_settings"]

    @pytest.mark.parametrize(
        ("path", "body", "missing"),
        [
            ("/character/get", {"character_id": "npc"}, "charID"),
            ("/character/update", {"character_id": "npc", "backstory": "New."}, "charID"),
            ("/character/chatHistory/details", {"charID": "npc", "session_id": "x"}, "sessionID"),
            ("/user/speaker/new", {"device_id": "headset"}, "deviceId"),
            ("/user/extend-token", {"token": "x"}, "apiAuthToken"),
        ],
    )
    def test_a_required_field_in_the_wrong_spelling_is_missing(
        self, api: Api, path: str, body: dict[str, Any], missing: str
    ) -> None:
        refused(api.post(f"/production{path}", body), 400, "Missing required parameter", f"'{missing}'")
