"""`make sources`: what an SDK does is found in its sources, and what the contract does not know is told."""

import io
import json
import subprocess
import tarfile
from pathlib import Path

import pytest

from docs.sources import contract, fetch, found, main, unknown

SOURCES = {
    "package/dist/core/ConvaiClient.js": """
        const answer = await fetch(`${config.url}/connect`, {body: {character_id: id, tone_of_voice: 1}});
        fetch("https://api.convai.com/character/get");
        send({type: "user_text_message"}); send({type: "wave-hand"});
        other.late_member = 5; if (a_b_c === 3) {}
    """,
    "package/dist/core/MessageHandler.js": """switch (kind) { case "bot-ready": case 'new-event': break; }""",
    "package/dist/react/hook.js": """fetch("https://api.convai.com/user/novelty/");""",
}


def test_what_a_program_names_is_found() -> None:
    assert found(SOURCES) == {
        "routes": {"/connect", "/character/get", "/user/novelty"},
        "messages that it reads": {"bot-ready", "new-event"},
        "messages that it sends": {"user_text_message", "wave-hand"},
        "members": {"character_id", "tone_of_voice", "late_member"},
    }


def test_what_the_contract_does_not_know_is_told() -> None:
    assert list(unknown(found(SOURCES), contract())) == [
        "routes: /user/novelty",
        "messages that it reads: new-event",
        "messages that it sends: wave-hand",
        "members: late_member, tone_of_voice",
    ]


def test_the_newest_package_is_read(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def pack(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        assert command[:3] == ["npm", "pack", "@convai/web-sdk"]
        with tarfile.open(Path(command[-1]) / "convai-web-sdk-9.9.9.tgz", "w:gz") as archive:
            for name, text in {**SOURCES, "package/README.md": "case 'none':"}.items():
                member = tarfile.TarInfo(name)
                member.size = len(text.encode())
                archive.addfile(member, io.BytesIO(text.encode()))
        return subprocess.CompletedProcess(command, 0, json.dumps([{"version": "9.9.9"}]))

    monkeypatch.setattr(subprocess, "run", pack)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert capsys.readouterr().out.startswith("@convai/web-sdk 9.9.9\nroutes: /user/novelty\n")


def test_only_programs_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("package/a.js"), io.BytesIO())
        archive.addfile(tarfile.TarInfo("package/a.d.ts"), io.BytesIO())
    done = subprocess.CompletedProcess([], 0, json.dumps([{"version": "1.0.0"}]))
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    assert fetch(tmp_path) == ("1.0.0", {"package/a.js": ""})
