"""The fake beside other fakes that people test against, in the same run.

They are installed into `.bench/` by the first run, and do what is nearest to a list of 10 and an add: moto's server a
DynamoDB Query and a PutItem, json-server and mockoon-cli a GET and a POST of a collection, Prism the example of our own
OpenAPI document.
"""

import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson

from benchmarks.http_rows import LIST, add
from benchmarks.load import KEY, ROOT, Load, Server, running, running_fake
from benchmarks.rows import Row, show

FOLDER = ROOT / ".bench"
NPM = ("json-server@0.17.4", "@mockoon/cli@9.9.0", "@stoplight/prism-cli@5.14.2")
PYPI = ("moto[dynamodb,server]==5.2.5",)
ROUNDS = 3
FAKE_PORT, FIRST_PORT = 7810, 7811

_RECORD = {
    "memory": "The user likes pump number 10 very much.",
    "created_at": "2026-01-11T20:00:00.000000Z",
    "updated_at": "2026-01-11T20:00:00.000000Z",
}
_RECORDS = [{"id": str(number), **_RECORD} for number in range(10)]
_NEW = orjson.dumps({**_RECORD, "memory": "step {n}"}).decode()


@dataclass(frozen=True)
class Peer:
    """Another fake, what it is asked for, and how many times its requests the fake is to answer."""

    name: str
    command: Sequence[str]
    read: Load
    reads_wanted: float
    write: Load | None = None
    writes_wanted: float = 0


def install() -> None:
    """Fetch the peers, unless they are there."""
    if not (FOLDER / "node_modules/.bin/prism").exists():
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", str(FOLDER), *NPM], check=True)
    if not (FOLDER / "venv/bin/moto_server").exists():
        subprocess.run([sys.executable, "-m", "venv", str(FOLDER / "venv")], check=True)
        subprocess.run([str(FOLDER / "venv/bin/pip"), "install", "--quiet", *PYPI], check=True)


def rows() -> Iterator[Row]:
    """Each peer and the fake in turns."""
    install()
    with tempfile.TemporaryDirectory() as folder, running_fake(FAKE_PORT) as fake:
        for port, peer in enumerate(_peers(Path(folder)), FIRST_PORT):
            command = [part.format(port=port) for part in peer.command]
            with running(command, f"http://127.0.0.1:{port}", folder=Path(folder)) as server:
                if "moto" in peer.name:
                    _make_table(server)
                yield _row(f"`/memory/list` against {peer.name}", peer.reads_wanted, fake, LIST, server, peer.read)
                if peer.write:
                    mine = add(f"beside {peer.name}")
                    yield _row(f"`/memory/add` against {peer.name}", peer.writes_wanted, fake, mine, server, peer.write)


def _row(work: str, wanted: float, fake: Server, mine: Load, peer: Server, theirs: Load) -> Row:
    ratios, reached, other = [], 0.0, 0.0
    for _ in range(ROUNDS):
        other, reached = peer.requests_a_second(theirs), fake.requests_a_second(mine)
        ratios.append(reached / other)
    detail = f"last round: {show(reached)} and {show(other)} requests a second"
    return Row(work, "at least", wanted, ratios, "times", detail=detail, section="Beside other fakes")


def _peers(folder: Path) -> list[Peer]:
    programs = FOLDER / "node_modules/.bin"
    (folder / "db.json").write_bytes(orjson.dumps({"memories": _RECORDS}))
    (folder / "mockoon.json").write_bytes(orjson.dumps(_mockoon()))
    local = ["--host", "127.0.0.1", "--port", "{port}"]
    contract = str(ROOT / "openapi/beta.json")
    return [
        Peer(
            "moto (DynamoDB Query of 10, PutItem)",
            [str(FOLDER / "venv/bin/moto_server"), *local],
            _dynamodb(
                "Query", {"KeyConditionExpression": "person = :p", "ExpressionAttributeValues": {":p": _s("42")}}
            ),
            20,
            _dynamodb("PutItem", {"Item": {"person": _s("adder"), "id": _s("{n}"), "memory": _s("step {n}")}}),
            6,
        ),
        Peer(
            "json-server (GET of 10, POST)",
            [str(programs / "json-server"), "--quiet", *local, "db.json"],
            Load("/memories?_limit=10", "GET"),
            3,
            Load("/memories", body=_NEW),
            15,
        ),
        Peer(
            "mockoon-cli (CRUD GET of 10, POST)",
            [
                str(programs / "mockoon-cli"),
                "start",
                "--data",
                "mockoon.json",
                "--port",
                "{port}",
                "--disable-log-to-file",
            ],
            Load("/memories?limit=10", "GET"),
            3,
            Load("/memories", body=_NEW),
            9,
        ),
        Peer(
            "Prism (static example)",
            [str(programs / "prism"), "mock", "--multiprocess", "false", *local, contract],
            Load("/memory/list", body=LIST.body, headers={"CONVAI-API-KEY": KEY}),
            1.3,
        ),
    ]


def _s(text: str) -> dict[str, str]:
    return {"S": text}


def _dynamodb(action: str, body: Mapping[str, Any]) -> Load:
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": f"DynamoDB_20120810.{action}",
        "Authorization": "AWS4-HMAC-SHA256 Credential=fake/20260101/us-east-1/dynamodb/aws4_request, "
        "SignedHeaders=host, Signature=fake",
    }
    return Load("/", body=orjson.dumps({"TableName": "memories", **body}).decode(), headers=headers)


def _make_table(server: Server) -> None:
    keys = ("person", "id")
    schema = {
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in keys],
        "KeySchema": [
            {"AttributeName": name, "KeyType": kind} for name, kind in zip(keys, ("HASH", "RANGE"), strict=True)
        ],
        "BillingMode": "PAY_PER_REQUEST",
    }
    items = [{"person": _s("42"), **{name: _s(value) for name, value in record.items()}} for record in _RECORDS]
    for load in (_dynamodb("CreateTable", schema), *(_dynamodb("PutItem", {"Item": item}) for item in items)):
        httpx.post(server.url, content=load.body, headers=dict(load.headers or {})).raise_for_status()


def _mockoon() -> dict[str, Any]:
    """An environment with one collection."""
    route = str(uuid.uuid4())
    answer = {
        "uuid": str(uuid.uuid4()),
        "statusCode": 200,
        "bodyType": "DATABUCKET",
        "databucketID": "mems",
        "crudKey": "id",
        "default": True,
        "headers": [{"key": "Content-Type", "value": "application/json"}],
    }
    return {
        "uuid": str(uuid.uuid4()),
        "lastMigration": 33,
        "name": "peer",
        "port": 0,
        "hostname": "127.0.0.1",
        "routes": [{"uuid": route, "type": "crud", "endpoint": "memories", "responses": [answer]}],
        "rootChildren": [{"type": "route", "uuid": route}],
        "data": [
            {"uuid": str(uuid.uuid4()), "id": "mems", "name": "memories", "value": orjson.dumps(_RECORDS).decode()}
        ],
    }
