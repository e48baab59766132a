"""How the text of a fact is stored."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_convai.domain.text import MAX_FACT_LENGTH, MAX_FACTS, normalise_fact


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("The user has a dog.", "The user has a dog."),
        ("  The user has a dog.\n", "The user has a dog."),
        ("The  user\thas\n\na\u00a0dog.", "The user has a dog."),
        ("cafe\u0301", "caf\u00e9"),
        ("\u212b", "\u00c5"),
        ("\ufb01n", "\ufb01n"),
        ("a \u0301", "a \u0301"),
        ("UPPER lower", "UPPER lower"),
        ("", ""),
        (" \t\r\n\u2003", ""),
    ],
)
def test_a_fact_is_trimmed_collapsed_and_composed(text: str, stored: str) -> None:
    assert normalise_fact(text) == stored


@given(st.text())
def test_a_normalised_fact_is_normal(text: str) -> None:
    stored = normalise_fact(text)
    assert normalise_fact(stored) == stored
    assert stored == stored.strip()
    assert stored.split() == stored.split(" ") or stored == ""
    assert unicodedata.is_normalized("NFC", stored)


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Z", "Cc"]), min_size=1)))
def test_white_space_is_all_that_is_lost(words: list[str]) -> None:
    kept = " ".join(words)
    assert normalise_fact("\n\t " + " \u00a0\r\n".join(words)) == unicodedata.normalize("NFC", kept)


def test_the_limits_of_the_contract() -> None:
    assert (MAX_FACTS, MAX_FACT_LENGTH) == (100, 10_000)
