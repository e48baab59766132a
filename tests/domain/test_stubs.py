"""Which requests a stub is for."""

from typing import Any

import pytest

from fake_convai.domain.stubs import StubMatch, holds, path_fits


@pytest.mark.parametrize(
    ("pattern", "fitting", "others"),
    [
        ("/tts", ["/tts", "/tts/"], ["/tt", "/tts/x", "/", "/TTS"]),
        ("/tts/", ["/tts", "/tts/"], ["/tts/x"]),
        ("/xp/*", ["/xp", "/xp/", "/xp/a", "/xp/a/b"], ["/xpa", "/x", "/"]),
        ("/*", ["/", "/a", "/a/b"], []),
        ("/character/{id}", ["/character/a", "/character/a.b/"], ["/character", "/character/", "/character/a/b"]),
        ("/a/{x}/b/{y}/*", ["/a/1/b/2", "/a/1/b/2/3"], ["/a/1/b", "/a//b/2", "/a/1/c/2"]),
        ("/a.c", ["/a.c"], ["/abc"]),
        ("/[a]+", ["/[a]+"], ["/a"]),
    ],
)
def test_a_path_is_exact_a_template_or_a_prefix(pattern: str, fitting: list[str], others: list[str]) -> None:
    assert [path for path in [*fitting, *others] if path_fits(pattern, path)] == fitting


@pytest.mark.parametrize(
    ("wanted", "fitting", "others"),
    [
        ({}, [{}, {"a": 1}], [[], None, "x"]),
        ({"a": 1}, [{"a": 1}, {"a": 1.0, "b": 2}], [{}, {"a": 2}, {"a": True}, {"a": "1"}, {"A": 1}]),
        ({"a": {"b": None}}, [{"a": {"b": None, "c": 1}}], [{"a": {}}, {"a": None}, {"a": [{"b": None}]}]),
        ({"a": [1, {"b": 2}]}, [{"a": [1, {"b": 2, "c": 3}]}], [{"a": [1]}, {"a": [1, {}]}, {"a": [1, {"b": 2}, 3]}]),
        ({"a": True}, [{"a": True}], [{"a": 1}, {"a": "true"}]),
        ({"a": []}, [{"a": []}], [{"a": [1]}, {"a": {}}]),
    ],
)
def test_a_body_holds_at_least_what_is_wanted(wanted: Any, fitting: list[Any], others: list[Any]) -> None:
    assert [body for body in [*fitting, *others] if holds(body, wanted)] == fitting


def test_surface_and_method_narrow_it_down() -> None:
    match = StubMatch("/tts", surface="production", method="POST")
    assert match.fits("production", "POST", "/tts")
    assert match.fits(None, "POST", "/tts")
    assert not match.fits("beta", "POST", "/tts")
    assert not match.fits("production", "GET", "/tts")
    assert StubMatch("/tts").fits("live", "DELETE", "/tts")
