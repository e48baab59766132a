"""Schemathesis against the app in process: whatever is sent, the server keeps to its documents.

The server is strict, for the documents say what a client should send, not what else is put up with. `make fuzz` runs
longer: FUZZ_EXAMPLES is how many requests are made up for each operation.
"""

import copy
import os
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case, HookContext
from schemathesis.config import SchemathesisConfig
from schemathesis.python import asgi
from schemathesis.schemas import BaseSchema

from fake_convai.api.published import published
from fake_convai.app import create_app
from fake_convai.backend.body import MAX_DEPTH
from fake_convai.backend.surface import Surface
from fake_convai.settings import Settings

KEY = "key-of-schemathesis"
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "5"))
RUN = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="FUZZ_EXAMPLES" not in os.environ,  # the same requests in every run of CI, others in each `make fuzz`
    suppress_health_check=list(HealthCheck),
    database=None,
)

# Only this key is valid, so that the checks of authentication have something to find. Every character exists, so that
# requests get further than "unknown".
APP = create_app(Settings(strict=True, auto_create_characters=True, api_key=(KEY,)))

CONFIG = {
    "auth": {"openapi": {"ApiKey": {"api_key": KEY}}},
    "generation": {"allow-x00": False},  # NUL cannot be stored: 400, which no schema can say of all texts inside a body
    "operations": [
        {
            # Convai answers 400, not 404, to an unknown character or token here; and a cursor cannot be made up.
            "include-path": [
                "/character/get",
                "/user/extend-token",
                "/user/revoke-token",
                "/user/end-users/list",
            ],
            "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "400", "401", "403", "404"]}},
        },
        {
            # In a form all is text: "0" for false is no violation. And `_close` drops the choice of inputs.
            "include-path": "/character/getResponse",
            "checks": {
                "negative_data_rejection": {"enabled": False},
                "positive_data_acceptance": {"enabled": False},
            },
        },
    ],
}


def contract(surface: Surface) -> BaseSchema:
    """A document, as Schemathesis can read it, and the app to hold to it."""
    document = copy.deepcopy(published(surface))
    for item in document["paths"].values():
        for operation in item.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                _close(document["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]])
            if stream := operation["responses"]["200"]["content"].get("text/event-stream"):
                # Schemathesis holds each event against a schema that is about the whole text.
                stream["schema"] = {}
    schema = schemathesis.openapi.from_dict(document, config=SchemathesisConfig.from_dict(CONFIG))
    schema.app = APP
    schema.config.update(base_url=f"http://testserver/{surface}")
    schema.hooks.hook(filter_body)
    return schema


def _close(body: dict[str, Any]) -> None:
    """Let a request body hold nothing undeclared, for a strict server refuses what no SDK sends."""
    body["additionalProperties"] = False
    if "file" in body.get("properties", {}):
        for word in ("if", "then", "else"):  # Schemathesis cannot make a file inside a condition
            del body[word]


def filter_body(context: HookContext, body: Any) -> bool:
    """Leave out bodies with what cannot be stored, which no schema can forbid at any depth: see api/body.py."""
    return _storable(body)


def _storable(value: Any, depth: int = 1) -> bool:
    if isinstance(value, dict):
        return all(_storable(member, depth + 1) for pair in value.items() for member in pair)
    if isinstance(value, list):
        return all(_storable(member, depth + 1) for member in value)
    return depth <= MAX_DEPTH and not (isinstance(value, int) and abs(value) >= 2**63)


production, beta, live = map(contract, (Surface.PRODUCTION, Surface.BETA, Surface.LIVE))


@production.parametrize()
@RUN
def test_production(case: Case[Any]) -> None:
    case.call_and_validate()


@beta.parametrize()
@RUN
def test_beta(case: Case[Any]) -> None:
    case.call_and_validate()


@live.parametrize()
@RUN
def test_live(case: Case[Any]) -> None:
    case.call_and_validate()


@pytest.mark.parametrize("schema", [production, beta, live], ids=list(Surface))
def test_calls_that_follow_from_each_other(schema: BaseSchema) -> None:
    class FromNothing(schema.as_state_machine()):  # type: ignore[misc]
        """Each sequence of calls begins with an empty account, so that it goes the same way when it is run again."""

        def setup(self) -> None:
            with asgi.get_client(cast(Any, APP)) as client:
                assert client.post("/_fake/reset", headers={"X-API-Key": KEY}).status_code == 200

    FromNothing.run(settings=settings(RUN, max_examples=4 * EXAMPLES, stateful_step_count=6))
