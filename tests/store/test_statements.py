"""What statements are for SQLite is known before they are put together."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import DefaultClause, Integer

from docs.generate.statements import statements
from fake_convai.store import statements as words
from fake_convai.store.query import Query
from fake_convai.store.statements import KNOWN, Later, accounts, bindparam, key_of, made, select
from fake_convai.store.tables import accounts as table
from fake_convai.store.tables import tokens
from fake_convai.store.wiping import KEPT

ROOT = Path(__file__).parent.parent.parent
USE = """
import sys
from fake_convai import FakeConvai

with FakeConvai() as fake:
    npc = fake.character(memory=True)
    fake.remember(npc, "player-42", "The user has a dog.")
    assert "websockets" not in sys.modules
    assert fake.talk(npc, "player-42", "My name is Jordan.").memories
    fake.stub("/tts", optional=True)
    fake.fail("/memory/add", optional=True)
    assert fake.wait_for_request("/connect") and fake.messages() and fake.end_users()
    fake.reset()
print(sorted({"sqlalchemy", "pydantic_settings", "alembic", "rich", "yaml"} & set(sys.modules)))
"""


def run(program: str) -> tuple[str, str]:
    """What a program prints, in a process of its own: tests have statements of theirs, and import everything."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    return done.stdout, done.stderr


def test_the_file_is_as_it_would_be_made() -> None:
    made = run("from docs.generate.statements import statements; print(statements(), end='')")
    assert (KNOWN.read_text("utf-8"), "") == made, "run `make openapi`"


def test_what_else_the_process_has_does_not_get_into_the_file() -> None:
    of_a_test = Query(select(accounts.c.plan).where(accounts.c.account_id > bindparam("account_id")))
    assert of_a_test.key is not None
    assert statements() == KNOWN.read_text("utf-8")


def test_a_test_of_an_app_needs_no_sqlalchemy() -> None:
    assert run(USE) == ("[]\n", "")


def test_other_tables_make_what_is_known_worthless(monkeypatch: pytest.MonkeyPatch) -> None:
    query = Query(select(accounts.c.plan).where(accounts.c.account_id == bindparam("account_id")))
    monkeypatch.setattr(words, "tables_digest", lambda: "others")
    words.known.cache_clear()
    try:
        assert words.known() == {}
        assert query.sqlite == (
            'SELECT accounts."plan" \nFROM accounts \nWHERE accounts.account_id = :account_id',
            {},
        )
    finally:
        words.known.cache_clear()


def test_what_is_made_is_made_once() -> None:
    counted = select(accounts.c.account_id).subquery()
    statement = made(select(counted.c.account_id).where(counted.c.account_id > 1))
    assert str(statement).count("SELECT") == 2
    assert made(counted) is made(counted)


def test_a_statement_of_something_made_is_not_known() -> None:
    assert key_of(select(accounts.c.plan)) is not None
    assert key_of(select(tokens.c.token_hash)) is None
    assert key_of(Later("x", int)(table)) is None


def test_texts_tell_statements_apart() -> None:
    different = [
        select(accounts.c.plan),
        select(accounts.c["plan"]),
        select(accounts.c.plan).where(accounts.c.ids_made + 1 <= 2),
        select(accounts.c.plan).where(accounts.c.ids_made - 1 <= 2),
        select(accounts.c.plan).where(~(accounts.c.ids_made != 2)),
        select(accounts.c.plan).where(accounts.c.plan == "2"),
        select(accounts.c.plan).where(accounts.c.plan == 2),
    ]
    assert len({key_of(statement) for statement in different}) == len(different)


def test_nothing_private_is_put_off() -> None:
    with pytest.raises(AttributeError):
        _ = words._nothing  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        _ = Later("x", int)._nothing


def test_a_new_account_has_what_its_table_says() -> None:
    for name, value in KEPT.items():
        default = table.c[name].server_default
        assert value == (int(str(default.arg)) if isinstance(default, DefaultClause) else None), name
        assert value is None or isinstance(table.c[name].type, Integer)
