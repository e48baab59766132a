"""The documents: valid, fresh, complete, and with examples that are real."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.testclient import TestClient

from docs.generate.__main__ import main as write_pages
from docs.generate.__main__ import pages
from docs.generate.pages import fidelity
from fake_convai.api.published import DOCUMENTS, folder, published
from fake_convai.api.routes import ENDPOINTS
from fake_convai.api.unused import UNUSED, unused_of
from fake_convai.backend.auth import KEY_HEADER, LIVE_KEY_HEADER, TOKEN_HEADER
from fake_convai.backend.surface import Surface
from fake_convai.cli.main import cli
from fake_convai.cli.openapi import documents
from fake_convai.contract.links import LINKS
from fake_convai.contract.provenance import SOURCES, guesses, sections
from fake_convai.traffic.evidence import Evidence, Finding
from tests.openapi.contract import value_departures

DOCS = folder().parent / "docs"
OPERATIONS = [
    (surface, endpoint, published(surface)["paths"][endpoint.path][endpoint.method.lower()])
    for endpoint in ENDPOINTS
    for surface in endpoint.surfaces
]


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    """The documents as the code makes them now."""
    return documents()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_document_is_valid(name: str) -> None:
    OpenAPIV31SpecValidator(published(name)).validate()


def test_the_committed_files_are_what_the_code_makes(made: dict[str, str]) -> None:
    committed = {path.name: path.read_text("utf-8") for path in folder().iterdir()}
    assert sorted(committed) == sorted(made)
    assert [name for name, text in made.items() if committed[name] != text] == [], "run `make openapi`"
    for name, text in pages().items():
        assert (DOCS / name).read_text("utf-8") == text, f"{name} is stale: run `make openapi`"


def test_a_stale_or_missing_file_is_named(tmp_path: Path, made: dict[str, str]) -> None:
    run, output = CliRunner(), tmp_path / "openapi"
    command = ["openapi", "--output", str(output)]
    assert run.invoke(cli, command).exit_code == 0
    assert (output / "beta.json").read_text("utf-8") == made["beta.json"]
    assert run.invoke(cli, [*command, "--check"]).exit_code == 0
    (output / "beta.json").write_text(made["beta.json"].replace("has_more", "more"), "utf-8")
    (output / "production.json").unlink()
    result = run.invoke(cli, [*command, "--check"])
    assert result.exit_code != 0
    assert [name in result.output for name in ("beta.json", "production.json", "live.json")] == [True, True, False]


def test_a_stale_or_missing_page_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("docs.generate.__main__.DOCS", tmp_path)
    assert write_pages() is None
    assert write_pages("--check") is None
    (tmp_path / "contract.md").unlink()
    (tmp_path / "fidelity.md").write_text("?", "utf-8")
    assert write_pages("--check") == "stale: contract.md, fidelity.md; run `make openapi`"
    assert (tmp_path / "fidelity.md").read_text("utf-8") == "?"


def test_the_page_shows_what_was_found_out() -> None:
    finding = Finding(id="id-case", claim="", result="refuted", seen="", at="2026-02-01T00:00:00.000000Z")
    earlier = finding.model_copy(update={"result": "confirmed", "at": "2026-01-01T00:00:00.000000Z"})
    real = Evidence(
        target="real", guesses=[finding, finding.model_copy(update={"id": "id-length", "result": "undecided"})]
    )
    page = fidelity([real, Evidence(target="real", guesses=[earlier]), Evidence(target="http://x", guesses=[earlier])])
    assert "- `id-case`: Ids are told apart by case. **refuted on 2026-02-01**\n" in page
    assert "`id-length`" not in page


def test_every_route_is_on_its_surfaces_and_nothing_else_is() -> None:
    for surface in Surface:
        found = {(path, method) for path, item in published(surface)["paths"].items() for method in item}
        assert found == {(one.path, one.method.lower()) for one in ENDPOINTS if surface in one.surfaces}


@pytest.mark.parametrize(("surface", "endpoint", "operation"), OPERATIONS, ids=lambda value: str(value)[:20])
def test_every_operation_tells_where_it_is_known_from(surface: Surface, endpoint: Any, operation: Any) -> None:
    assert operation["x-source"] in SOURCES
    assert operation["summary"]
    assert all(one["x-source"] == "assumption" for one in operation.get("x-assumptions", ()))
    success = operation["responses"][str(endpoint.status)]["content"]
    assert any("examples" in content for content in success.values()), f"no example of {endpoint.path} on {surface}"


def test_every_finding_is_about_something_that_exists() -> None:
    groups = {endpoint.group for endpoint in ENDPOINTS}
    assert {group for section in sections() for group in section.groups} == groups
    for section in sections():
        endpoints = [one for one in ENDPOINTS if one.group in section.groups]
        for guess in section.guessed:
            about = [one for one in endpoints if guess.at in (None, one.path)]
            assert about or guess.at is None, guess
            assert guess.field is None or any(guess.field in one.fields for one in about), guess
    assert len({guess.id for guess in guesses()}) == len(guesses())


def test_what_is_not_used_is_not_read() -> None:
    assert UNUSED.keys() <= {endpoint.path for endpoint in ENDPOINTS}
    for endpoint in ENDPOINTS:
        assert endpoint.fields.isdisjoint(unused_of(endpoint.path)), f"{endpoint.path} reads it after all"
    connect = published(Surface.LIVE)["paths"]["/connect"]["post"]["description"]
    assert [name for name in unused_of("/connect") if f"`{name}`" not in connect] == []


def test_links_lead_somewhere() -> None:
    by_id = {endpoint.operation_id: endpoint for endpoint in ENDPOINTS}
    for link in LINKS:
        origin, target = by_id[link.origin], by_id[link.target]
        assert set(link.values) <= target.fields, link
        assert set(origin.surfaces) <= set(target.surfaces), link


def test_the_key_headers_are_those_that_are_read() -> None:
    names = {
        surface: {scheme["name"].lower() for scheme in published(surface)["components"]["securitySchemes"].values()}
        for surface in Surface
    }
    assert names[Surface.BETA] == names[Surface.PRODUCTION] == {KEY_HEADER, TOKEN_HEADER}
    assert names[Surface.LIVE] == {LIVE_KEY_HEADER, TOKEN_HEADER}


def _examples(surface: Surface) -> list[Any]:
    """Each example of a document as (where, its schema, its value)."""
    document = published(surface)
    found: list[Any] = []

    def visit(value: Any, where: str) -> None:
        if isinstance(value, dict):
            schema = value.get("schema")
            if isinstance(schema, dict) and isinstance(value.get("examples"), dict):
                found.extend((f"{where} {name}", schema, one["value"]) for name, one in value["examples"].items())
            for name, member in value.items():
                visit(member, f"{where}/{name}")

    visit({**document["paths"], **document["components"]["responses"]}, "")
    for name, schema in document["components"]["schemas"].items():
        found.extend((name, schema, value) for value in schema.get("examples", ()))
    return found


@pytest.mark.parametrize("surface", Surface)
def test_examples_fit_their_schemas_exactly(surface: Surface) -> None:
    found = _examples(surface)
    assert len(found) > 30
    for where, schema, value in found:
        assert value_departures(published(surface), schema, value) == [], where


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_server_serves_its_documents(client: TestClient, name: str) -> None:
    response = client.get(f"/_fake/openapi/{name}.json")
    assert response.status_code == 200
    assert response.json() == json.loads((folder() / f"{name}.json").read_text("utf-8"))


def test_there_are_four_documents(client: TestClient) -> None:
    response = client.get("/_fake/openapi/alpha.json")
    assert (response.status_code, "beta.json" in response.json()["ERROR"]) == (404, True)
