"""Starting, attaching and ending."""

import threading
from pathlib import Path

import httpx
import pytest

import fake_convai.testing
from fake_convai import FakeConvai, Settings
from fake_convai.control.client import ControlClient
from fake_convai.settings import BadSetting
from fake_convai.store.schema import UnusableDatabase
from fake_convai.testing import ControlError


def threads() -> set[str]:
    """The names of the threads of running servers."""
    return {thread.name for thread in threading.enumerate() if thread.name == "fake-convai"}


def test_a_server_runs_as_long_as_the_block(http: httpx.Client) -> None:
    with FakeConvai() as fake:
        url = fake.url
        assert http.get(f"{url}/_fake/health").json()["status"] == "ready"
        fake.character()
    with pytest.raises(httpx.ConnectError):
        http.get(f"{url}/_fake/health")
    with pytest.raises(RuntimeError, match="not running"):
        fake.state()


def test_start_and_close_do_the_same() -> None:
    fake = FakeConvai(api_key="mine").start()
    with pytest.raises(RuntimeError, match="running already"):
        fake.start()
    fake.character("coach")
    fake.close()
    fake.close()
    with fake.start():
        assert fake.api_key == "mine"
        assert fake.state()["characters"] == [], "it is a new server"


def test_nothing_runs_before_it_is_started() -> None:
    fake = FakeConvai()
    for use in (lambda: fake.url, lambda: fake.transport, fake.account, fake.state):
        with pytest.raises(RuntimeError, match="with FakeConvai"):
            use()


def test_two_servers_know_nothing_of_each_other() -> None:
    with FakeConvai(api_key="shared") as one, FakeConvai(api_key="shared") as other:
        one.character("coach")
        assert one.url != other.url
        assert other.state()["characters"] == []


@pytest.mark.parametrize("settings", [{"plan": "free"}, Settings(plan="free")], ids=["mapping", "object"])
def test_settings_are_used(settings: dict[str, str] | Settings, http: httpx.Client) -> None:
    with FakeConvai(settings) as fake:
        npc = fake.character()
        url = f"{fake.production_url}/character/chatHistory/list"
        assert http.post(url, json={"charID": npc}, headers={"CONVAI-API-KEY": fake.api_key}).status_code == 403


def test_bad_settings_are_named() -> None:
    with pytest.raises(BadSetting, match="--plan"):
        FakeConvai({"plan": "gold"}).start()


def test_a_server_that_cannot_start_leaves_nothing(tmp_path: Path) -> None:
    before = threads()
    with pytest.raises(UnusableDatabase, match="is a folder"):
        FakeConvai({"database": str(tmp_path)}).start()
    assert threads() == before


def test_a_database_outlives_its_server(tmp_path: Path) -> None:
    settings = {"database": str(tmp_path / "fake.db")}
    with FakeConvai(settings, api_key="mine") as fake:
        fake.character("coach")
    with FakeConvai(settings, api_key="mine") as fake:
        assert [character["character_id"] for character in fake.state()["characters"]] == ["coach"]


def test_an_account_does_not_end_the_server() -> None:
    with FakeConvai() as fake:
        with fake.account() as account:
            account.character()
        account.close()
        assert fake.state()["characters"] == []


def test_attach_to_what_runs_elsewhere(process_url: str) -> None:
    with FakeConvai.attach(f"{process_url}/", "mine") as fake:
        assert (fake.url, fake.api_key) == (process_url, "mine")
        with pytest.raises(RuntimeError, match="elsewhere"):
            _ = fake.transport
    assert httpx.get(f"{process_url}/_fake/health").status_code == 200


def test_attach_makes_a_key(process_url: str) -> None:
    assert FakeConvai.attach(process_url).api_key != FakeConvai.attach(process_url).api_key


def test_attach_to_nothing() -> None:
    with FakeConvai() as fake:
        url = fake.url
    with pytest.raises(ControlError, match="is it running") as failed:
        FakeConvai.attach(url).reset()
    assert failed.value.status is None
    assert failed.value.__cause__ is None


@pytest.mark.parametrize(("status", "content"), [(200, b"<html>"), (502, b"<html>"), (502, b"null"), (404, b"{}")])
def test_something_else_answers(status: int, content: bytes) -> None:
    proxy = httpx.MockTransport(lambda request: httpx.Response(status, content=content))
    with ControlClient("http://elsewhere/", transport=proxy) as client:
        with pytest.raises(ControlError, match=r"http://elsewhere/_fake/state .* is that fake-convai") as failed:
            client.call("GET", "/state", api_key="key")
        assert failed.value.status == status


def test_a_control_key_is_sent_along() -> None:
    with FakeConvai({"control_key": "secret"}) as fake:
        assert fake.account().state()["characters"] == []
        assert FakeConvai.attach(fake.url, control_key="secret").snapshots() == []
        with pytest.raises(ControlError, match="--control-key") as refused:
            FakeConvai.attach(fake.url).snapshots()
        assert refused.value.status == 403


def test_repr_hides_the_key() -> None:
    fake = FakeConvai(api_key="a-real-key-1234")
    assert repr(fake) == "<FakeConvai not running, API key ...1234>"
    with fake:
        assert repr(fake) == f"<FakeConvai {fake.url}, API key ...1234>"


def test_what_is_exported_exists() -> None:
    assert {name for name in fake_convai.testing.__all__ if not hasattr(fake_convai.testing, name)} == set()
    assert not hasattr(fake_convai.testing, "Nothing")
    assert fake_convai.testing.FakeConvai is FakeConvai
