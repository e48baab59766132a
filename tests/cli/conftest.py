"""`fake-convai` in this process, against a real server."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from fake_convai.testing import FakeConvai
from tests.serving import Run

NOON = "2026-01-01T12:00:00.000000Z"
SEED = {
    "characters": [{"character_id": "npc", "character_name": "[red]Coach \u00e9"}],
    "end_users": [{"end_user_id": "player-42"}, {"end_user_id": "player-43"}],
    "memories": [{"character_id": "npc", "end_user_id": "player-42", "memory": "Tall.", "created_at": NOON}],
}
LIST = "/beta/user/end-users/list"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server."""
    with FakeConvai() as served:
        yield served.url


class Shell(Run):
    """Runs `fake-convai` in this process, for an account of its own."""

    def __init__(self, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        super().__init__(monkeypatch, capsys)
        self.url, self.key = url, f"key-{uuid.uuid4()}"
        self.set(FAKE_CONVAI_URL=url, FAKE_CONVAI_ACCOUNT_KEY=self.key, COLUMNS="200", HTTP_PROXY="http://127.0.0.1:1")

    def says(self, *arguments: str) -> str:
        """What a command prints that works."""
        code, out, error = self(*arguments)
        assert (code, error) == (0, "")
        return out

    def json(self, *arguments: str) -> Any:
        """The same with `--json`, parsed."""
        return json.loads(self.says(*arguments, "--json"))

    def ask(self, path: str, body: Any = None) -> httpx.Response:
        """A request to Convai's own routes."""
        return httpx.post(f"{self.url}{path}", json=body, headers={"CONVAI-API-KEY": self.key}, trust_env=False)


@pytest.fixture
def shell(url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """A shell whose variables name the server and an account."""
    return Shell(url, monkeypatch, capsys)


@pytest.fixture
def seeded(shell: Shell, tmp_path: Path) -> Shell:
    """The same with something in the account."""
    file = tmp_path / "seed.json"
    file.write_text(json.dumps(SEED))
    shell.says("seed", str(file))
    return shell
