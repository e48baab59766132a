"""The fixture beside what suites already use: frozen clocks, other file systems, trio, forked children."""

import os
import sys

import freezegun
import httpx
import pytest
from pyfakefs.fake_filesystem import FakeFilesystem

from fake_convai import FakeConvai
from fake_convai.testing import AsyncFakeConvai
from tests.testing.conftest import OURS


def test_another_file_system(fs: FakeFilesystem, fake_convai: FakeConvai) -> None:
    npc = fake_convai.character(memory=True)
    assert fake_convai.talk(npc, "player-42", "I have a dog.").memories
    for path in ("/_fake/openapi/beta.json", "/_fake/"):
        assert httpx.get(f"{fake_convai.url}{path}").status_code == 200


def test_a_frozen_clock(fake_convai: FakeConvai) -> None:
    with freezegun.freeze_time("2020-01-01"):
        npc = fake_convai.character(memory=True)
        assert fake_convai.talk(npc, "player-42", "I have a dog.").memories
        assert fake_convai.now().year > 2020


@pytest.mark.usefixtures("no_other_plugins")
def test_a_server_that_starts_in_frozen_time_stops(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import freezegun

        @freezegun.freeze_time("2020-01-01")
        def test_first(fake_convai):
            assert fake_convai.talk(fake_convai.character(memory=True), "player-42", "I have a dog.").memories

        def test_later(fake_convai):
            assert fake_convai.now().year > 2020
        """
    )
    result = pytester.runpytest_subprocess(*OURS, "-p", "no:cacheprovider", timeout=120)
    result.assert_outcomes(passed=2)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_both_event_loops(afake_convai: AsyncFakeConvai, anyio_backend: str) -> None:
    npc = await afake_convai.character(memory=True)
    assert (await afake_convai.talk(npc, "player-42", "I have a dog.")).memories
    async with httpx.AsyncClient(transport=afake_convai.transport) as client:
        answer = await client.post(
            f"{afake_convai.beta_url}/user/end-users/list", headers={"CONVAI-API-KEY": afake_convai.api_key}
        )
        assert answer.json()["total_count"] == 1


def test_a_forked_child(fake_convai: FakeConvai) -> None:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            fake_convai.character("made-by-the-child")
            with pytest.raises(httpx.ConnectError, match="forked child has no in-process transport"):
                httpx.Client(transport=fake_convai.transport).get(fake_convai.url)
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert [one["character_id"] for one in fake_convai.state()["characters"]] == ["made-by-the-child"]


@pytest.mark.usefixtures("no_other_plugins")
def test_the_client_part_needs_httpx_alone(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        SERVER = {"starlette", "sqlalchemy", "pydantic", "pydantic_settings", "uvicorn", "orjson", "aiosqlite"}

        class Missing:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] in SERVER:
                    raise ModuleNotFoundError(name)

        sys.meta_path.insert(0, Missing())

        def test_it(fake_convai):
            npc = fake_convai.character(memory=True)
            assert fake_convai.talk(npc, "player-42", "I have a dog.").memories[0].memory == "The user has a dog."
            fake_convai.fail(optional=True)
            assert fake_convai.faults()[0].status == 429
        """
    )
    result = pytester.runpytest_subprocess(
        *OURS,
        f"--fake-convai-command={sys.executable} -m fake_convai",
    )
    result.assert_outcomes(passed=1)


pytest_plugins = ["pytester"]
