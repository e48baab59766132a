"""Who a request is about: ids, keys, metadata."""

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_convai.domain.identity import (
    hash_secret,
    last_four,
    normalise_end_user_id,
    partition_name,
    patch_metadata,
)

values = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.none(), max_size=2)
metadata = st.dictionaries(st.text(max_size=2), values, max_size=5)


@pytest.mark.parametrize("raw", [None, "", " ", "\t\r\n", "\u00a0\u2003"])
def test_a_blank_id_is_none(raw: str | None) -> None:
    assert normalise_end_user_id(raw) is None


@pytest.mark.parametrize(
    ("raw", "end_user_id"),
    [
        ("player-42", "player-42"),
        ("  player-42\n", "player-42"),
        ("player 42", "player 42"),
        ("Player-42", "Player-42"),
        ("a1b2c3d4e5f6789012345678abcdef01", "a1b2c3d4e5f6789012345678abcdef01"),
        ("0", "0"),
        ("\U0001f600", "\U0001f600"),
        ("cafe\u0301", "cafe\u0301"),
    ],
)
def test_an_id_is_stripped_and_otherwise_left_as_it_is(raw: str, end_user_id: str) -> None:
    assert normalise_end_user_id(raw) == end_user_id


def test_memories_live_under_speaker_and_character() -> None:
    assert partition_name("speaker-1", "npc-1") == "speaker-1:npc-1"


def test_a_secret_is_kept_as_its_hash_only() -> None:
    assert hash_secret("top-secret") == hashlib.sha256(b"top-secret").hexdigest()
    assert hash_secret("top-secret") != hash_secret("Top-secret")
    assert len(hash_secret("\udcff")) == 64


@pytest.mark.parametrize(
    ("secret", "shown"), [("0123456789abcdef", "cdef"), ("12345678", "5678"), ("1234567", ""), ("demo", ""), ("", "")]
)
def test_little_is_shown_of_a_key_and_nothing_of_a_short_one(secret: str, shown: str) -> None:
    assert last_four(secret) == shown


@pytest.mark.parametrize(
    ("stored", "patch", "patched"),
    [
        ({}, {}, {}),
        ({"a": 1}, {}, {"a": 1}),
        ({"a": 1, "b": 2}, {"b": 3}, {"a": 1, "b": 3}),
        ({"a": 1}, {"a": None}, {}),
        ({"a": 1}, {"b": None}, {"a": 1}),
        ({"a": {"x": 1}}, {"a": {"y": 2}}, {"a": {"y": 2}}),
        ({"a": 1}, {"a": {"x": None}}, {"a": {"x": None}}),
        ({"a": 1}, {"a": False, "b": "", "c": 0}, {"a": False, "b": "", "c": 0}),
    ],
)
def test_a_patch_keeps_replaces_and_removes(
    stored: dict[str, Any], patch: dict[str, Any], patched: dict[str, Any]
) -> None:
    before = dict(stored)
    assert patch_metadata(stored, patch) == patched
    assert stored == before


@given(metadata, metadata)
def test_keys_that_are_not_sent_stay(stored: dict[str, Any], patch: dict[str, Any]) -> None:
    stored = {key: value for key, value in stored.items() if value is not None}
    patched = patch_metadata(stored, patch)
    assert {key: patched[key] for key in stored if key not in patch} == {
        key: value for key, value in stored.items() if key not in patch
    }
    assert {key: patched.get(key) for key in patch} == patch
    assert patch_metadata(patched, patch) == patched
