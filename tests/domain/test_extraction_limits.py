"""What reading costs at most, whatever is said."""

import subprocess
import sys
import time

import pytest

from fake_convai.domain.extraction import extract_facts
from fake_convai.domain.extraction.clauses import MAX_CLAUSE, MAX_READ
from fake_convai.domain.text import MAX_FACTS

SLOW_PIECES = (
    *(
        "a",
        "I ",
        "my ",
        "I am a ",
        "i am a nurse ",
        " and I",
        '"',
        "“",
        ". ",
        "J. ",
        " too",
        "I really ",
        "really ",
        "x, ",
    ),
    *("my name is ", "is my favourite ", "she said ", "I have been ", "hi a ", "so ", "-", "😀", "e\u0301", "("),
)


class TestLimits:
    @pytest.mark.parametrize("said", ["", " ", "\n\r\n", "?!.", "\ud800", "\x00", "...", '"'], ids=ascii)
    def test_empty_talk_holds_nothing(self, said: str) -> None:
        assert extract_facts(said) == []

    def test_the_clause_at_the_end_of_what_is_read_is_not_cut_in_two(self) -> None:
        statement = "I live in Oslo. "
        before = "Hm! " * ((MAX_READ - len(statement) - 10) // 4)
        assert extract_facts(before + statement + "I live in Trondheim and so on") == ["The user lives in Oslo."]
        assert extract_facts("Hm! " * MAX_READ + statement) == []

    def test_a_turn_gives_so_many_facts(self) -> None:
        assert len(extract_facts(" ".join(f"I like tea {n}." for n in range(MAX_FACTS + 50)))) == MAX_FACTS

    def test_a_clause_that_is_too_long_is_no_statement(self) -> None:
        assert extract_facts("I live in Oslo" + " a b" * MAX_CLAUSE) == []

    @pytest.mark.parametrize("piece", SLOW_PIECES, ids=ascii)
    def test_no_talk_is_slow(self, piece: str) -> None:
        extract_facts("My name is Jordan")  # compiles the table
        start = time.process_time()
        for said in (piece * (16 * 1024 * 1024 // len(piece)), "I like " + piece * 10_000, piece * 50 + "!"):
            extract_facts(said)
        assert time.process_time() - start < 3

    def test_importing_compiles_nothing(self) -> None:
        look = (
            "import fake_convai.domain.extraction; from fake_convai.domain.extraction.words import regex; "
            "print(regex.cache_info().currsize)"
        )
        assert subprocess.check_output([sys.executable, "-c", look], text=True) == "0\n"
