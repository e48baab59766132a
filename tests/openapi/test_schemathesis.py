"""Schemathesis against the app: whatever is sent, the server keeps to its documents as they are published.

In process with the settings that docs/contract-testing.md gives to everybody, and as it is written there, on a
command line. `make fuzz` runs longer: FUZZ_EXAMPLES is how many requests are made up for each operation.
"""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.config import SchemathesisConfig
from schemathesis.python import asgi
from schemathesis.schemas import BaseSchema

from docs.schemathesis_hooks import MAX_DEPTH as DEPTH_OF_THE_HOOKS
from docs.schemathesis_hooks import filter_body
from fake_convai.api.published import folder, published
from fake_convai.app import create_app
from fake_convai.backend.body import MAX_DEPTH
from fake_convai.backend.surface import Surface
from fake_convai.settings import Settings
from fake_convai.testing import FakeConvai

ROOT = folder().parent
KEY = "contract-test"
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
APP = create_app(Settings(auto_create_characters=True, api_key=(KEY,)))


def contract(surface: Surface) -> BaseSchema:
    """A document, as Schemathesis can read it, and the app to hold to it."""
    config = tomllib.loads((ROOT / "docs" / "schemathesis.toml").read_text("utf-8"))
    del config["hooks"], config["checks"]["ignored_auth"]
    config["auth"] = {"openapi": {"ApiKey": {"api_key": KEY}}}
    schema = schemathesis.openapi.from_dict(published(surface), config=SchemathesisConfig.from_dict(config))
    schema.app = APP
    schema.config.update(base_url=f"http://testserver/{surface}")
    schema.hooks.hook(filter_body)
    return schema


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

    FromNothing.run(settings=settings(RUN, max_examples=2 * EXAMPLES, stateful_step_count=6))


def test_the_hooks_know_how_deep_a_body_may_be() -> None:
    assert DEPTH_OF_THE_HOOKS == MAX_DEPTH


def _command_lines() -> list[str]:
    page = (ROOT / "docs" / "contract-testing.md").read_text("utf-8")
    return [line.replace("\\\n", "") for line in re.findall(r"^    (schemathesis (?:.*\\\n)*.*)$", page, re.MULTILINE)]


@pytest.mark.parametrize("line", _command_lines(), ids=lambda line: re.findall(r"/(\w+)\.json", line)[0])
def test_the_command_lines_of_the_page_come_out_clean(line: str) -> None:
    with FakeConvai() as server:
        command = shlex.split(line.replace("localhost:2668", server.url.removeprefix("http://")))
        program = str(Path(sys.executable).parent / command[0])
        done = _run([program, *command[1:], "--max-examples", "1", "--generation-deterministic"])
    assert (done.returncode, "No issues found" in done.stdout) == (0, True), done.stdout + done.stderr


def _run(command: list[str], tries: int = 3) -> subprocess.CompletedProcess[str]:
    """Schemathesis takes some seconds, but once in some hundred runs it goes round in Python's weak dictionaries for
    ever, whatever it asks: what has not ended by then begins again."""
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=90)
    except subprocess.TimeoutExpired:
        if tries == 1:
            raise
        return _run(command, tries - 1)


def test_there_is_a_command_line_for_each_document() -> None:
    assert [re.findall(r"/(\w+)\.json", line)[0] for line in _command_lines()] == list(Surface)
