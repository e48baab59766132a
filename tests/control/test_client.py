"""The one client of the control plane: whoever uses it reaches the fake next door, whatever the environment says."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from fake_convai import FakeConvai
from fake_convai.cli.main import cli

RECORDING = '{"fake_convai_recording":1}\n' + json.dumps(
    {
        "at": "2026-01-01T00:00:00Z",
        "request": {"method": "GET", "surface": "beta", "path": "/no", "headers": {"convai-api-key": "secret-1"}},
        "response": {"status": 405},
    }
)


def _by_command(url: str, folder: Path) -> None:
    done = CliRunner().invoke(cli, ["reset", "--url", url, "--api-key", "mine"])
    assert (done.exit_code, done.output) == (0, "The account is as new.\n")


def _by_fixture(url: str, folder: Path) -> None:
    assert FakeConvai.attach(url).snapshots() == []


def _by_replay(url: str, folder: Path) -> None:
    (folder / "traffic.jsonl").write_text(RECORDING)
    done = CliRunner().invoke(cli, ["compare", str(folder / "traffic.jsonl"), "--url", url])
    assert (done.exit_code, "1 exchanges" in done.output) == (1, True), done.output


@pytest.mark.parametrize("use", [_by_command, _by_fixture, _by_replay])
def test_a_proxy_of_the_environment_is_meant_for_elsewhere(
    use: Callable[[str, Path], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with FakeConvai() as fake:
        use(fake.url, tmp_path)
