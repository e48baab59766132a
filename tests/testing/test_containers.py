"""What can be known of the container without an engine to run it."""

import json
import re
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from fake_convai import Settings
from tests.serving import serve

ROOT = Path(__file__).parent.parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE = (ROOT / "docker-compose.yml").read_text("utf-8")
PAGE = (ROOT / "docs" / "ci.md").read_text("utf-8")


def healthcheck(port: int | str) -> int:
    """The exit code of the HEALTHCHECK command for a server on this port; it says nothing."""
    found = re.search(r"HEALTHCHECK.*?CMD (\[.*?\])$", DOCKERFILE, re.DOTALL | re.MULTILINE)
    assert found is not None
    python, *arguments = json.loads(found[1])
    assert python == "python"
    variables = {"FAKE_CONVAI_PORT": str(port)}
    done = subprocess.run([sys.executable, *arguments], env=variables, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("", "")
    return done.returncode


def test_it_is_healthy_when_ready(process_url: str) -> None:
    assert healthcheck(urlsplit(process_url).port or 0) == 0


def test_it_is_healthy_with_tls(tmp_path: Path) -> None:
    with serve("--tls", "--tls-folder", str(tmp_path)) as served:
        assert healthcheck(urlsplit(served.url).port or 0) == 0


def test_the_port_of_a_link_is_not_ours() -> None:
    assert healthcheck("tcp://10.0.0.1:2668") in (0, 1)  # somebody may listen on the usual one


def test_it_is_not_healthy_when_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    assert healthcheck(port) == 1


@pytest.mark.parametrize("text", [DOCKERFILE, COMPOSE, PAGE], ids=["Dockerfile", "docker-compose.yml", "ci.md"])
def test_every_variable_is_a_setting(text: str) -> None:
    known = {f"FAKE_CONVAI_{name.upper()}" for name in Settings.model_fields}
    used = set(re.findall(r"FAKE_CONVAI_[A-Z_]+", text)) - {"FAKE_CONVAI_IMAGE", "FAKE_CONVAI_URL"}
    assert used
    assert used <= known


def test_what_the_build_needs_is_sent_to_it() -> None:
    copied = [name for line in re.findall(r"^COPY (?!--)(.*) \S+$", DOCKERFILE, re.MULTILINE) for name in line.split()]
    sent = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert sorted(line.removeprefix("!") for line in sent if line.startswith("!")) == sorted(copied)


def test_compose_has_the_profiles() -> None:
    services = yaml.safe_load(COMPOSE)["services"]
    assert {name: service.get("profiles") for name, service in services.items()} == {
        "fake-convai": None,
        "replica-1": ["postgres"],
        "replica-2": ["postgres"],
        "proxy": ["postgres"],
        "postgres": ["postgres"],
    }
    assert services["fake-convai"]["read_only"]


def test_compose_refers_only_to_what_it_has() -> None:
    compose = yaml.safe_load(COMPOSE)
    services = compose["services"]
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)
        named = [volume.partition(":")[0] for volume in service.get("volumes", [])]
        assert set(named) <= set(compose["volumes"])
        assert {config["source"] for config in service.get("configs", [])} <= set(compose["configs"])


def test_the_proxy_shares_requests_among_all_replicas() -> None:
    """What nginx makes of this is tried in tests/replicas/test_proxy.py."""
    compose = yaml.safe_load(COMPOSE)
    services, content = compose["services"], compose["configs"]["proxy"]["content"]
    replicas = [name for name in services if name.startswith("replica-")]
    assert len(replicas) == 2
    for name in replicas:
        assert services[name]["environment"] == services["replica-1"]["environment"]
    user = services["postgres"]["environment"]
    url = "postgresql+asyncpg://{POSTGRES_USER}:{POSTGRES_PASSWORD}@postgres/{POSTGRES_USER}".format(**user)
    assert services["replica-1"]["environment"] == {"FAKE_CONVAI_DATABASE": url}
    port = Settings.model_fields["port"].default
    assert re.findall(r"^ *server (\S+);$", content, re.MULTILINE) == [f"{name}:{port}" for name in replicas]
    assert set(services["proxy"]["depends_on"]) == set(replicas)
    (published,) = services["proxy"]["ports"]
    assert f"listen {published.rpartition(':')[2]};" in content
    # Compose would take a single dollar for a variable of its own.
    assert "$" not in content.replace("$$", "")
    for line in ("proxy_buffering off;", "client_max_body_size 0;", "proxy_read_timeout 1h;"):
        assert line in content


@pytest.mark.parametrize("snippet", re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
def test_the_snippets_are_yaml(snippet: str) -> None:
    assert "CONVAI_BASE_URL" in snippet or "uses: " in snippet
    assert isinstance(yaml.safe_load(snippet), dict)
