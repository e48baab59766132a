"""Stubs made of recorded traffic."""

import json
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from tests.cli.conftest import NOON, Shell


class TestStubs:
    def test_are_made_of_a_recording(self, shell: Shell, tmp_path: Path) -> None:
        def exchange(path: str, answer: dict[str, Any], body: dict[str, Any] | None = None, **request: Any) -> str:
            sent = {
                "method": "POST",
                "surface": "production",
                "path": path,
                "body": body or {"kind": "empty"},
                **request,
            }
            return json.dumps({"at": NOON, "request": sent, "response": {"status": 200, **answer}})

        kinds = [
            exchange("/tts", {"body": {"kind": "json", "value": 1}}, {"kind": "json", "value": {"a": 1}}),
            exchange("/tts", {"body": {"kind": "json", "value": 2}}, {"kind": "json", "value": {"a": 1}}),
            exchange("/stt/", {"body": {"kind": "text", "value": "heard"}, "headers": {"content-type": "text/x"}}),
            exchange("/xp/stream", {"body": {"kind": "events", "value": [{"b": 2}]}}, method="GET"),
            exchange("/xp/sound", {"body": {"kind": "binary", "value": 5}}),
            exchange("/memory/list", {"body": {"kind": "empty"}}),
        ]
        file = tmp_path / "traffic.jsonl"
        file.write_text("\n".join([json.dumps({"fake_convai_recording": 1}), *kinds]))
        assert shell.says("stubs", str(file)) == (
            "Stubbed 4 answers. The fake emulates 1 more itself; --all takes them too.\n"
        )
        headers = {"CONVAI-API-KEY": shell.key}
        asked = [
            httpx.post(f"{shell.url}/tts", json={"a": 1, "b": 2}, trust_env=False, headers=headers).json()
            for _ in range(3)
        ]
        heard = httpx.post(f"{shell.url}/production/stt", trust_env=False, headers=headers)
        streamed = httpx.get(f"{shell.url}/production/xp/stream", trust_env=False, headers=headers)
        assert (asked, heard.text, heard.headers["content-type"]) == ([1, 2, 2], "heard", "text/x")
        assert (streamed.text, streamed.headers["content-type"]) == ('data: {"b": 2}\n\n', "text/event-stream")
        assert shell.says("stubs", "--all", str(file)) == "Stubbed 5 answers.\n"

    def test_are_made_of_a_har_file(self, shell: Shell, tmp_path: Path) -> None:
        def entry(url: str, method: str = "POST", status: int = 200, **content: str) -> dict[str, Any]:
            return {"request": {"method": method, "url": url}, "response": {"status": status, "content": content}}

        entries = [
            entry("https://api.convai.com/tts/", text="UklGRg==", encoding="base64", mimeType="audio/wav"),
            entry("https://api.convai.com/tts/", "OPTIONS"),
            entry("https://api.convai.com/xp/blocked", status=0),
            entry("https://live.convai.com/connect", text="{}"),
        ]
        file = tmp_path / "traffic.har"
        file.write_text(json.dumps({"log": {"entries": entries}}))
        assert shell.says("stubs", str(file)).startswith("Stubbed 1 answers. The fake emulates 1 more itself")
        answer = httpx.post(f"{shell.url}/production/tts", trust_env=False, headers={"CONVAI-API-KEY": shell.key})
        assert (answer.content, answer.headers["content-type"]) == (b"RIFF", "audio/wav")

    @pytest.mark.parametrize("content", ['{"log": 1}', "hello", "", '{"log": ' + "[" * 100_000], ids=len)
    def test_of_another_file_are_refused(self, shell: Shell, tmp_path: Path, content: str) -> None:
        file = tmp_path / "traffic.txt"
        file.write_text(content)
        code, out, error = shell("stubs", str(file))
        assert (code, out, str(file) in error) == (2, "", True)
