"""What `make check` says of known vulnerabilities."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from tests.test_release import ROOT

_spec = importlib.util.spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
assert _spec is not None
assert _spec.loader is not None
audit = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(audit)

GOOD = {"name": "good", "version": "1.0", "vulns": []}
BAD = {"name": "bad", "version": "2.0", "vulns": [{"id": "CVE-1"}, {"id": "CVE-2"}]}
SKIPPED = {"name": "local", "skip_reason": "not found"}
NOT_CHECKED = (0, "audit: NOT CHECKED, since the list of known vulnerabilities could not be reached")


@pytest.mark.parametrize(
    ("dependencies", "verdict"),
    [
        ([GOOD], (0, "audit: no known vulnerability in 1 packages")),
        ([GOOD, SKIPPED], (0, "audit: no known vulnerability in 1 packages, 1 not checked")),
        ([GOOD, BAD], (1, "audit: known vulnerabilities: bad 2.0 (CVE-1, CVE-2)")),
        ([SKIPPED], NOT_CHECKED),
        ([], NOT_CHECKED),
    ],
)
def test_the_verdict(dependencies: list[dict[str, Any]], verdict: tuple[int, str]) -> None:
    assert audit.verdict(json.dumps({"dependencies": dependencies})) == verdict


@pytest.mark.parametrize("report", ["", "Traceback", "[]", "null"])
def test_a_service_that_does_not_answer_fails_nothing(report: str) -> None:
    assert audit.verdict(report) == NOT_CHECKED


def test_the_check_audits() -> None:
    makefile = Path(ROOT / "Makefile").read_text()
    assert "check: lint types audit " in makefile
