"""`serve --tls`: HTTPS that clients trust once they trust the local authority."""

import json
import os
import re
import shutil
import socket
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import trustme
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from websockets.sync.client import connect

from fake_convai import __version__, tls
from tests.serving import Run, Served, serve

HEALTH = {"status": "ready", "version": __version__}
HOSTS = ["localhost", "api.localhost", "realtime-api.localhost", "127.0.0.1", *tls.CONVAI_HOSTS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the authority is."""
    return tmp_path_factory.mktemp("tls") / "authority"


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Served]:
    """A server with HTTPS."""
    with serve("--tls", "--tls-folder", str(folder), "--demo") as served:
        yield served


def trusting(folder: Path) -> ssl.SSLContext:
    """A client that trusts the authority and nobody else, and is as strict as newer versions of Python."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.load_verify_locations(folder / "ca.pem")
    return context


def presented(server: Served, folder: Path, name: str) -> x509.Certificate:
    """The certificate that a client gets to see which asks for `name`, after it was verified."""
    host, _, port = server.netloc.rpartition(":")
    with (
        socket.create_connection((host, int(port))) as plain,
        trusting(folder).wrap_socket(plain, server_hostname=name) as wrapped,
    ):
        der = wrapped.getpeercert(binary_form=True)
    assert der is not None
    return x509.load_der_x509_certificate(der)


def test_the_ready_lines_say_https_and_where_the_authority_is(server: Served, folder: Path) -> None:
    assert server.url.startswith("https://127.0.0.1:")
    assert server.process.stdout is not None
    lines = [server.process.stdout.readline().split() for _ in range(5)]
    lines.append(next(line.split() for line in server.process.stdout if line.split()[0] == "authority"))
    assert [line[1] for line in lines[:5]] == [
        *(f"{server.url}/{surface}" for surface in ("production", "beta", "live")),
        server.url,
        f"{server.url}/_fake",
    ]
    assert lines[5][:2] == ["authority", str(folder / "ca.pem")]
    assert "docs/clients.md" in " ".join(lines[5])


@pytest.mark.parametrize("name", HOSTS)
def test_each_name_is_vouched_for(server: Served, folder: Path, name: str) -> None:
    certificate = presented(server, folder, name)
    left = certificate.not_valid_after_utc - datetime.now(UTC)
    assert timedelta(days=390) < left <= timedelta(days=397)
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert ExtendedKeyUsageOID.SERVER_AUTH in usage


def test_who_asks_for_a_name_sees_no_addresses(server: Served, folder: Path) -> None:
    """Mono refuses a chain in which an address would have to be held against the authority's limits."""
    by_name = presented(server, folder, "localhost").extensions.get_extension_for_class(x509.SubjectAlternativeName)
    by_address = presented(server, folder, "127.0.0.1").extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert by_name.value.get_values_for_type(x509.IPAddress) == []
    assert set(map(str, by_address.value.get_values_for_type(x509.IPAddress))) == {"127.0.0.1", "::1"}


MONO_CLIENT = """
class Program {
    static void Main(string[] arguments) {
        var client = new System.Net.Http.HttpClient();
        System.Console.Write(client.GetStringAsync(arguments[0]).Result);
    }
}
"""


def test_mono_connects_once_its_user_trusts_the_authority(server: Served, folder: Path, tmp_path: Path) -> None:
    for program in ("mcs", "mono", "cert-sync"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: apt-get install mono-mcs ca-certificates-mono")
    (tmp_path / "client.cs").write_text(MONO_CLIENT, "utf-8")
    home = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")} | {"HOME": str(tmp_path)}
    port = server.netloc.rpartition(":")[2]
    for command in (
        ["mcs", "-r:System.Net.Http", "client.cs"],
        ["cert-sync", "--user", str(folder / "ca.pem")],
        ["mono", "client.exe", f"https://localhost:{port}/_fake/health"],
    ):
        done = subprocess.run(command, cwd=tmp_path, env=home, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == HEALTH


def test_nobody_else_is_vouched_for(server: Served, folder: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=r"convai\.com"):
        presented(server, folder, "convai.com")
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"{server.url}/_fake/health")


def test_the_authority_cannot_vouch_for_others(server: Served, folder: Path) -> None:
    """Whoever has its key gets no certificate past a client that heeds the constraints."""
    authority = trustme.CA.from_pem((folder / "ca.pem").read_bytes(), (folder / "ca-key.pem").read_bytes())
    for name, refusal in (("api.convai.com", ""), ("bank.example", "subtree"), ("8.8.8.8", "subtree")):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(context)
        outcome = handshake(context, trusting(folder), name)
        assert refusal in outcome if refusal else outcome == "", name


def handshake(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> str:
    """Why the client does not take the server for `name`, nothing when it does; in memory."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = client.wrap_bio(down, up, server_hostname=name), server.wrap_bio(up, down, server_side=True)
    for _ in range(4):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as error:
                return str(error)
    return ""


def test_the_address_of_the_websocket_is_wss_and_works(server: Served, folder: Path) -> None:
    context = trusting(folder)
    with httpx.Client(base_url=server.url, headers={"X-API-Key": "demo"}, verify=context) as client:
        body = {"character_id": "demo-museum-guide", "transport": "websocket"}
        opened = client.post("/live/connect", json=body).json()
    assert opened["room_url"] == f"wss://{server.netloc}/live/chat?session_id={opened['session_id']}"
    with connect(opened["room_url"], ssl=context) as chat:
        chat.send('{"type": "reset-idle-timer"}')
        answer = json.loads(chat.recv(timeout=60))
    assert (answer["type"], answer["event_type"], answer["status"]) == (
        "server-response",
        "reset-idle-timer",
        "success",
    )


PAGE = (Path(__file__).parent.parent / "docs" / "clients.md").read_text("utf-8")
GET = "https://localhost:2668/_fake/health"
COMMANDS = [
    *re.findall(r"^```bash\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL),
    f'REQUESTS_CA_BUNDLE="$CA" python -c \'import requests; print(requests.get("{GET}").text)\'',
    f'SSL_CERT_FILE="$CA" python -c \'import httpx; print(httpx.get("{GET}").text)\'',
    f'NODE_EXTRA_CA_CERTS="$CA" node -e \'fetch("{GET}").then(got => got.text()).then(console.log)\'',
]


def test_the_page_names_the_variables() -> None:
    assert [command for command in COMMANDS if re.split("[$ ]", command)[0] not in PAGE] == []
    assert len(COMMANDS) == 5


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.split("=")[0].split()[0])
def test_clients_trust_it_as_the_page_says(server: Served, folder: Path, command: str) -> None:
    if "node" in command and shutil.which("node") is None:
        pytest.skip("node is not installed")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command.replace("2668", server.netloc.rpartition(":")[2])],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "CA": str(folder / "ca.pem"), "PATH": path},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == HEALTH


def test_the_authority_is_kept_and_its_key_is_private(server: Served, folder: Path) -> None:
    before = (folder / "ca.pem").read_bytes()
    first = presented(server, folder, "localhost")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "ca-key.pem").stat().st_mode) == 0o600
    assert sorted(path.name for path in folder.iterdir()) == ["ca-key.pem", "ca.pem"]
    with serve("--tls", "--tls-folder", str(folder)) as again:
        assert presented(again, folder, "localhost").serial_number != first.serial_number
    assert (folder / "ca.pem").read_bytes() == before


def test_an_authority_that_ends_soon_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(tls, "_AUTHORITY_DAYS", 30)
        tls.prepare(tmp_path, "localhost")
    before = (tmp_path / "ca.pem").read_bytes()
    tls.prepare(tmp_path, "localhost")
    after = (tmp_path / "ca.pem").read_bytes()
    assert after != before
    tls.prepare(tmp_path, "localhost")
    assert (tmp_path / "ca.pem").read_bytes() == after


@pytest.mark.parametrize(
    ("host", "name"), [("192.168.1.7", "192.168.1.7"), ("Studio.Local", "beta.studio.local"), ("0.0.0.0", "localhost")]
)
def test_the_host_is_vouched_for(tmp_path: Path, host: str, name: str) -> None:
    context, _ = tls.prepare(tmp_path, host)
    assert handshake(context, trusting(tmp_path), name) == ""


@pytest.mark.parametrize("host", ["example.com", "8.8.8.8", "notlocal"])
def test_a_public_host_is_refused(tmp_path: Path, host: str) -> None:
    with pytest.raises(tls.Unusable, match=host) as caught:
        tls.prepare(tmp_path, host)
    assert "\n" not in str(caught.value)


def test_a_damaged_authority_is_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    (tmp_path / "ca-key.pem").write_text("no key")
    assert "--tls-folder" in run.refused("serve", "--tls", "--tls-folder", str(tmp_path))


def test_a_missing_extra_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("fake_convai.tls")
    monkeypatch.delitem(sys.modules, "fake_convai.tls")
    monkeypatch.setitem(sys.modules, "trustme", None)
    said = run.refused("serve", "--tls")
    assert said == "fake-convai: --tls needs the package trustme: pip install 'fake-convai[tls]'\n"


def test_without_tls_nothing_of_it_is_loaded() -> None:
    code = "import sys, fake_convai.server, fake_convai.cli.main; print({'trustme', 'cryptography'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True)
    assert done.stdout == "set()\n"


def test_the_folder_follows_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert tls.default_folder() == tmp_path / "fake-convai"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert tls.default_folder() == tmp_path / ".local" / "share" / "fake-convai"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    assert tls.default_folder() == tmp_path / "fake-convai"
