"""How a body may be packed: compressed ones are read within the limit, and a form that breaks off loses nothing in
silence."""

import gzip
import zlib

import pytest

from fake_convai.backend.body import MEBIBYTE
from tests.conftest import Api, on_sqlite, refused

PATH = "/beta/user/end-users/list"
GOOD = b'{"limit": 10}'


def send(api: Api, body: bytes, encoding: str) -> tuple[int, str]:
    """What is answered to a body that is said to have this encoding."""
    headers = {**api.headers(PATH), "Content-Encoding": encoding, "Content-Type": "application/json"}
    answer = api.client.post(PATH, content=body, headers=headers)
    return answer.status_code, answer.json().get("ERROR", "")


@on_sqlite
@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(GOOD, mtime=0)),
        ("deflate", zlib.compress(GOOD)),
        ("GZIP", gzip.compress(GOOD, mtime=0)),
        ("identity", GOOD),
    ],
)
def test_a_compressed_body_is_read(api: Api, encoding: str, body: bytes) -> None:
    assert send(api, body, encoding) == (200, "")


@on_sqlite
@pytest.mark.parametrize(
    ("encoding", "body", "status", "complaint"),
    [
        ("br", GOOD, 415, "Content-Encoding 'br' is not read here: send the body as it is, or as gzip."),
        ("gzip", GOOD, 400, "The request body is not gzip, which its Content-Encoding says."),
        ("gzip", gzip.compress(GOOD, mtime=0)[:-9], 400, "The request body breaks off before its gzip ends."),
    ],
    ids=["unknown", "not gzip", "half of it"],
)
def test_what_cannot_be_read_names_the_header(
    api: Api, encoding: str, body: bytes, status: int, complaint: str
) -> None:
    assert send(api, body, encoding) == (status, complaint)


@on_sqlite
def test_the_limit_is_that_of_what_is_unpacked(api: Api) -> None:
    status, complaint = send(api, gzip.compress(b" " * 100 * MEBIBYTE), "gzip")
    assert (status, "1 MiB" in complaint) == (413, True)


def test_a_form_without_its_closing_boundary_is_refused(api: Api) -> None:
    path = "/production/character/getResponse"
    npc = api.character()
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}'
        for n, v in (("charID", npc), ("userText", "Hi"))
    ]
    whole = "\r\n".join([*parts, "--x--\r\n"]).encode()
    headers = {**api.headers(path), "Content-Type": "multipart/form-data; boundary=x"}
    assert api.client.post(path, content=whole, headers=headers).status_code == 200
    cut = api.client.post(path, content=whole.removesuffix(b"--x--\r\n"), headers=headers)
    refused(cut, 400, "breaks off before its closing boundary")


@pytest.mark.parametrize("charset", ["punycode", "undefined"])
def test_a_form_in_a_charset_that_it_is_not_in_is_refused(api: Api, charset: str) -> None:
    path = "/production/character/getResponse"
    form = b'--x\r\nContent-Disposition: form-data; name="charID"\r\n\r\nx\r\n--x--\r\n'
    headers = {**api.headers(path), "Content-Type": f"multipart/form-data; boundary=x; charset={charset}"}
    refused(api.client.post(path, content=form, headers=headers), 400, "not in the charset that it names")


def test_a_missing_field_beside_a_file_is_said_in_shape(api: Api) -> None:
    path = "/live/connect/stream"
    answer = api.client.post(path, files={"character_id": ("f.wav", b"xx")}, headers=api.headers(path))
    assert answer.status_code == 422
    wrong = {one["loc"][-1]: (one["type"], one["input"]) for one in answer.json()["detail"]}
    assert wrong == {
        "character_id": ("string_type", "f.wav"),
        "text_input": ("missing", {"character_id": "f.wav"}),
    }
