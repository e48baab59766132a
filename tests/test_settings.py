"""Settings: a flag beats a variable beats the default, and a bad value is named in one line."""

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from fake_convai.settings import BadSetting, Settings, load_settings


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have some set."""
    for name in list(os.environ):
        if name.upper().startswith("FAKE_CONVAI_"):
            monkeypatch.delenv(name)


DEFAULTS = {
    "host": "127.0.0.1",
    "port": 2668,
    "tls": False,
    "tls_folder": None,
    "database": None,
    "seed": (),
    "demo": False,
    "api_key": (),
    "auto_create_characters": False,
    "split": "observed",
    "plan": "enterprise",
    "delete_all_delay": 0.0,
    "log_level": "info",
}


def test_the_defaults() -> None:
    settings = load_settings()
    assert {name: getattr(settings, name) for name in DEFAULTS} == DEFAULTS


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("host", "0.0.0.0", "0.0.0.0"),
        ("port", "0", 0),
        ("tls", "1", True),
        ("tls_folder", "authority", Path("authority")),
        ("database", "data.db", "data.db"),
        ("database", "postgresql+asyncpg://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
        ("seed", "a.json, b.yaml,", (Path("a.json"), Path("b.yaml"))),
        ("demo", "true", True),
        ("demo", "0", False),
        ("api_key", "first , second", ("first", "second")),
        ("auto_create_characters", "1", True),
        ("split", "strict", "strict"),
        ("plan", "free", "free"),
        ("delete_all_delay", "1.5", 1.5),
        ("log_level", "debug", "debug"),
    ],
)
def test_a_variable_beats_the_default_and_a_flag_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, value: object
) -> None:
    monkeypatch.setenv(f"FAKE_CONVAI_{name.upper()}", text)
    assert getattr(load_settings(), name) == value
    assert getattr(load_settings(**{name: DEFAULTS[name]}), name) == DEFAULTS[name]


BAD: list[tuple[str, str]] = [
    ("port", "http"),
    ("port", "-1"),
    ("port", "65536"),
    ("tls", "perhaps"),
    ("database", "mysql://localhost/fake"),
    ("database", "postgresql://localhost/fake"),
    ("database", "sqlite:///data.db"),
    ("demo", "perhaps"),
    ("auto_create_characters", "perhaps"),
    ("split", "loose"),
    ("split", "STRICT "),
    ("plan", "platinum"),
    ("delete_all_delay", "-1"),
    ("delete_all_delay", "soon"),
    ("log_level", "loud"),
]


@pytest.mark.parametrize(("name", "text"), BAD)
def test_a_bad_value_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    flag, variable = f"--{name.replace('_', '-')}", f"FAKE_CONVAI_{name.upper()}"
    messages = []
    with pytest.raises(BadSetting) as by_flag:
        load_settings(**{name: text})
    messages.append(str(by_flag.value))
    monkeypatch.setenv(variable, text)
    with pytest.raises(BadSetting) as by_variable:
        load_settings()
    messages.append(str(by_variable.value))
    for message in messages:
        assert flag in message
        assert variable in message
        assert text in message
        assert "\n" not in message


@pytest.mark.parametrize("name", ["port", "database"])
def test_an_empty_flag_is_refused_and_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with pytest.raises(BadSetting, match=f"--{name}"):
        load_settings(**{name: ""})
    monkeypatch.setenv(f"FAKE_CONVAI_{name.upper()}", "")
    assert getattr(load_settings(), name) == DEFAULTS[name]


@pytest.mark.parametrize("keys", [("good", " "), ("",)], ids=["blank", "empty"])
def test_a_blank_key_is_refused_and_no_key_is_ever_shown(keys: tuple[str, ...]) -> None:
    with pytest.raises(BadSetting, match="--api-key") as caught:
        load_settings(api_key=keys)
    assert "good" not in str(caught.value)
    assert "top-secret" not in repr(Settings(api_key=("top-secret",)))


def test_what_is_no_setting_is_refused_and_settings_do_not_change() -> None:
    wrong: dict[str, Any] = {"prot": 1}
    with pytest.raises(BadSetting, match="--prot"):
        load_settings(**wrong)
    with pytest.raises(ValidationError):
        Settings().port = 1  # type: ignore[misc]
