"""What the proxy passes on is what was sent, but for what belongs to one connection, and none of it is held."""

from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

from tests.serving import serve
from tests.traffic.conftest import lines, listening, recorded


class _Verbatim(BaseHTTPRequestHandler):
    """Notes what reaches it, and answers with headers that belong to the connection."""

    targets: ClassVar[list[str]] = []
    headers_seen: ClassVar[list[dict[str, str]]] = []
    lengths: ClassVar[list[int]] = []

    def do_POST(self) -> None:
        self.targets.append(self.path)
        self.headers_seen.append({name.lower(): value for name, value in self.headers.items()})
        rest = size = int(self.headers["Content-Length"] or 0)
        while rest and (piece := self.rfile.read(min(rest, 65536))):  # who goes away sends less than was said
            rest -= len(piece)
        self.lengths.append(size)
        self.send_response(200)
        for name, value in (
            *(("Keep-Alive", "timeout=5"), ("Connection", "X-Own"), ("X-Own", "1"), ("Trailer", "X-Sum")),
            *(("Proxy-Authenticate", "Basic"), ("Upgrade", "h2c"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")),
            *(("X-Kept", "yes"), ("Content-Type", "application/octet-stream")),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(bytes(size) if size > 1000 else b"ok")

    def do_GET(self) -> None:
        self.do_POST()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def verbatim() -> Iterator[str]:
    """A service that notes what reaches it."""
    for noted in (_Verbatim.targets, _Verbatim.headers_seen, _Verbatim.lengths):
        noted.clear()
    with listening(_Verbatim) as url:
        yield url


def test_headers_of_the_connection_end_here(verbatim: str, tmp_path: Path) -> None:
    mine = {
        "Connection": "keep-alive, X-Mine",
        "X-Mine": "1",
        "Keep-Alive": "timeout=9",
        "TE": "trailers",
        "Upgrade": "h2c",
        "Proxy-Authorization": "Basic c2VjcmV0",
        "Proxy-Connection": "keep-alive",
        "X-Other": "2",
    }
    with recorded(verbatim, tmp_path / "traffic.jsonl") as client:
        answer = client.http.post("/beta/x", headers=mine, content=b"hello")
    (seen,) = _Verbatim.headers_seen
    assert seen.keys() & {"x-mine", "te", "upgrade", "proxy-authorization", "proxy-connection"} == set()
    assert (seen["x-other"], seen["content-length"], seen.get("keep-alive")) == ("2", "5", None)
    assert (seen["connection"], seen["accept-encoding"]) == ("keep-alive", "identity"), "those of the next connection"
    assert answer.headers.keys() & {"keep-alive", "x-own", "trailer", "proxy-authenticate", "upgrade"} == set()
    assert (answer.headers["x-kept"], answer.headers.get_list("set-cookie")) == ("yes", ["a=1", "b=2"])


@pytest.mark.parametrize("target", ["/beta/a%3fb=c/..%2fd?e=%2F", "/beta/a/../b", "/a%20b%2525//c"])
def test_the_path_is_passed_on_as_it_was_sent(verbatim: str, tmp_path: Path, target: str) -> None:
    path = tmp_path / "traffic.jsonl"
    with recorded(verbatim, path) as client:
        host = client.http.base_url.netloc.decode()
        connection = HTTPConnection(host, timeout=60)
        connection.request("GET", target)
        assert connection.getresponse().read() == b"ok"
        connection.close()
    assert _Verbatim.targets == [target]
    (line,) = lines(path)
    assert line["request"]["path"] == target.removeprefix("/beta").partition("?")[0]


def test_what_could_not_be_replayed_is_passed_on_and_not_recorded(verbatim: str, tmp_path: Path) -> None:
    path = tmp_path / "traffic.jsonl"
    with recorded(verbatim, path) as client:
        assert client.http.post("/_fake/reset").status_code == 200
    assert _Verbatim.targets == ["/_fake/reset"]
    assert lines(path) == []


def test_a_long_body_passes_by_and_is_not_held(verbatim: str, tmp_path: Path) -> None:
    path, size = tmp_path / "traffic.jsonl", 80 * 1024 * 1024
    with (
        serve("--target", verbatim, "--record", str(path), command="proxy") as proxy,
        httpx.Client(base_url=proxy.url, timeout=60) as http,
    ):
        before = peak_memory(proxy.process.pid)
        part = bytes(1024 * 1024)
        with http.stream(
            "POST", "/beta/x", content=(part for _ in range(80)), headers={"content-length": str(size)}
        ) as answer:
            assert sum(map(len, answer.iter_raw())) == size
        assert peak_memory(proxy.process.pid) - before < size / 2
    assert _Verbatim.lengths == [size]
    (line,) = lines(path)
    assert line["request"]["body"] == line["response"]["body"] == {"kind": "binary", "value": 64 * 1024 * 1024}


def peak_memory(process_id: int) -> int:
    """The most bytes that a process has had in memory so far."""
    status = Path(f"/proc/{process_id}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def test_a_client_that_gives_up_its_upload(verbatim: str, tmp_path: Path) -> None:
    path = tmp_path / "traffic.jsonl"
    with recorded(verbatim, path) as client:
        host = client.http.base_url.netloc.decode()
        connection = HTTPConnection(host, timeout=60)
        connection.putrequest("POST", "/beta/x")
        connection.putheader("Content-Length", "1000")
        connection.endheaders(b"half")
        connection.close()
        assert client.http.get("/beta/y").status_code == 200
    assert [line["request"]["path"] for line in lines(path)] == ["/y"]
