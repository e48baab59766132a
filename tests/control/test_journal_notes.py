"""The journal before it is written: what requests leave behind waits, and is lost to nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import pytest

from fake_convai.backend.journal import Journal, Note
from fake_convai.backend.surface import Surface
from fake_convai.domain.errors import Unavailable
from fake_convai.store.journal import Wanted, read
from fake_convai.store.query import Transaction
from fake_convai.store.sqlite import MemoryDatabase
from tests.api.talking import chat, connect, disconnect
from tests.conftest import Api
from tests.control.driving import Control

T = TypeVar("T")


class _Database(MemoryDatabase):
    """A database that does not answer until it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.silent = True
        self.asked = asyncio.Event()

    async def write(self, work: Callable[[Transaction], T], *, long: bool = False) -> T:
        self.asked.set()
        if self.silent:
            raise Unavailable("The database does not answer.")
        return await super().write(work)


@asynccontextmanager
async def journal_of(database: MemoryDatabase) -> AsyncIterator[Journal]:
    """A journal of three entries an account, on a database that is opened for it."""
    await database.open()
    yield Journal(database, 3, 1_000_000)
    await database.close()


async def entries_of(database: MemoryDatabase) -> list[dict[str, Any]]:
    """What is written down by now."""
    return await database.read(lambda tx: read(tx, None, Wanted()))


@asynccontextmanager
async def writing(journal: Journal, database: MemoryDatabase) -> AsyncIterator[None]:
    """The journal writes now and then, without a pause, until something is written after the block."""
    chore = asyncio.create_task(journal.run())
    async with asyncio.timeout(10):
        yield
        found: list[Any] = []
        while not found:
            await asyncio.sleep(0)  # a database in memory never waits, so nobody else would run
            found = await entries_of(database)
    chore.cancel()
    await asyncio.wait([chore])


class TestMemory:
    def test_a_note_waits_without_a_large_body(self) -> None:
        async def kept() -> list[Any]:
            form = Note("POST", "/", Surface.LIVE, body={"text": "x" * 70_000})
            large = Note("POST", "/", Surface.LIVE, body=b"x" * 70_000)
            async with journal_of(MemoryDatabase()) as journal:
                await journal.add(form, 200, b"y" * 70_000)
                await journal.add(large, 200, b"{}")
            return [form.body, form.response, large.body, large.response]

        assert asyncio.run(kept()) == ["(70011 bytes, not kept)", *2 * ["(70000 bytes, not kept)"], b"{}"]

    def test_a_request_of_half_a_character_is_refused_and_costs_nobody_their_journal(
        self, api: Api, control: Control
    ) -> None:
        headers = api.headers("/live/") | {"content-type": "multipart/form-data; boundary=b; charset=utf-7"}
        body = b'--b\r\nContent-Disposition: form-data; name="character_id"\r\n\r\na+2AA-b\r\n--b--\r\n'
        response = api.client.post("/live/connect/stream", content=body, headers=headers)
        message = "The request body holds half a character (a lone surrogate): send UTF-8."
        assert (response.status_code, response.json()) == (400, {"detail": message})
        (entry,) = control.requests()
        assert (entry["status"], entry["body"]) == (400, None)

    def test_a_path_of_half_a_character_is_written_down(self) -> None:
        async def paths() -> list[str]:
            database = MemoryDatabase()
            async with journal_of(database) as journal:
                await journal.add(Note("POST", "/\ud800", Surface.LIVE, body={"a\udfff": "\udc00"}), 400, b"")
                await journal.flush()
                (entry,) = await entries_of(database)
            return [entry["path"], entry["body"]]

        assert asyncio.run(paths()) == ["/\ufffd", {"a\ufffd": "\ufffd"}]


class TestWithoutADatabase:
    def test_notes_wait_for_it_and_are_bounded_meanwhile(self) -> None:
        async def paths() -> list[str]:
            database = _Database()
            async with journal_of(database) as journal:
                for number in range(5):
                    await journal.add(Note("POST", f"/{number}", Surface.BETA), 200, b"")
                    with pytest.raises(Unavailable):
                        await journal.flush()
                database.silent = False
                await journal.flush()
                return [entry["path"] for entry in await entries_of(database)]

        assert asyncio.run(paths()) == ["/2", "/3", "/4"]

    def test_it_goes_on_writing_when_it_is_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def written() -> int:
            database = _Database()
            async with journal_of(database) as journal:
                async with writing(journal, database):
                    await journal.add(Note("POST", "/", Surface.BETA), 200, b"")
                    await database.asked.wait()
                    database.silent = False
                return len(await entries_of(database))

        monkeypatch.setattr("fake_convai.backend.notes.FLUSH_SECONDS", 0)
        assert asyncio.run(written()) == 1

    def test_it_goes_on_writing_after_a_surprise(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def written() -> int:
            surprised = asyncio.Event()

            def surprise(_: Any) -> None:
                surprised.set()
                raise ZeroDivisionError("a bug")

            database = MemoryDatabase()
            async with journal_of(database) as journal:
                async with writing(journal, database):
                    with monkeypatch.context() as patch:
                        patch.setattr("fake_convai.backend.journal.redacted", surprise)
                        await journal.add(Note("POST", "/lost", Surface.BETA, body=b"{}"), 200, b"")
                        await surprised.wait()
                    await journal.add(Note("POST", "/", Surface.BETA), 200, b"")
                return len(await entries_of(database))

        monkeypatch.setattr("fake_convai.backend.notes.FLUSH_SECONDS", 0)
        assert asyncio.run(written()) == 1
        assert "Cannot write down POST /lost" in caplog.text
        assert "ZeroDivisionError: a bug" in caplog.text


def test_a_disconnect_says_what_was_remembered_and_why(api: Api, control: Control) -> None:
    npc = api.character(memory=True)
    api.remember(npc, "player-42", "The user's name is Jordan.")
    session = connect(api, npc, "player-42")
    with chat(api, session) as talk:
        talk.say("My name is Jordan Kim. I like tea.")
        disconnect(api, session)
    known, new = api.memories(npc, "player-42")
    explanations = next(entry for entry in control.requests() if entry["path"] == "/disconnect")["explanations"]
    assert [{**one, "because": ""} for one in explanations] == [
        {"event": "update", "with": known["id"], "fact": "The user's name is Jordan Kim.", "because": ""},
        {"event": "add", "with": new["id"], "fact": "The user likes tea.", "because": ""},
    ]
    assert all(one["because"] for one in explanations)
    disconnect(api, session)
    assert control.requests()[-1]["explanations"] == []
