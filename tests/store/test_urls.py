"""What the URL of a PostgreSQL database may say."""

import pytest

from fake_convai.store.database import migrate
from fake_convai.store.postgres import server_options
from fake_convai.store.schema import UnusableDatabase

URL = "postgresql+asyncpg://me:secret@here:5433/data"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("", {}),
        ("?ssl=require", {"ssl": "require"}),
        ("?sslmode=require", {"ssl": "require"}),
        ("?prepared_statement_cache_size=0", {"statement_cache_size": 0}),
        ("?command_timeout=2.5&timeout=3", {"command_timeout": 2.5, "timeout": 3.0}),
        ("?application_name=fake", {"server_settings": {"application_name": "fake"}}),
        ("?host=/run/postgresql", {"host": "/run/postgresql"}),
        ("?host=one:1&host=two:2", {"host": ["one", "two"], "port": [1, 2]}),
    ],
)
def test_options_are_told_to_the_driver(options: str, told: dict[str, object]) -> None:
    known = {"user": "me", "password": "secret", "host": "here", "port": 5433, "database": "data"}
    url = URL.replace("here:5433", "") if "host" in options else URL
    expected = {**known, **told}
    if "/run" in options:
        del expected["port"]
    assert server_options(url + options) == expected


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        (URL + "?nonsense=1", "the option nonsense is not known: there are application_name, "),
        (URL + "?timeout=soon", "the option timeout cannot be 'soon'"),
        (URL + "?ssl=require&ssl=disable", "the option ssl cannot be ('require', 'disable')"),
        ("postgresql+asyncpg://here:port/data", "not a URL of a PostgreSQL database ("),
    ],
)
def test_what_the_driver_cannot_be_told_is_refused_in_one_line(url: str, complaint: str) -> None:
    with pytest.raises(UnusableDatabase) as caught:
        migrate(url)
    assert str(caught.value).startswith(f"--database: {complaint}")
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
