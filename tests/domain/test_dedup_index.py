"""The index of candidates: it finds every match, only a few others, and adding a list twice changes nothing."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmarks.dedup import TEMPLATES, found_in
from fake_convai.domain.dedup import (
    Candidate,
    DedupMode,
    exact_key,
    find_match,
    index_keys,
    is_same,
    lookup_keys,
)
from fake_convai.domain.dedup.keys import MAX_KEY_LENGTH
from tests.domain.pairs import FRESH_FILE, read_pairs
from tests.domain.test_dedup import OWN, TEXTS, any_fact

MAX_KEYS = 40


class Partition:
    """What a store does with the rule: records in order, an index of keys, and the exact keys of former texts."""

    def __init__(self, mode: DedupMode = "naive") -> None:
        self.mode = mode
        self.texts: list[str] = []
        self.index: dict[str, set[int]] = defaultdict(set)

    def add(self, fact: str) -> int:
        """Adds a fact; the number of the record that has it then."""
        match = find_match(fact, self.candidates(fact), self.mode)
        if match is None:
            self.texts.append(fact)
        else:
            old = self.texts[int(match.candidate.id)]
            for key in index_keys(old) - {exact_key(old)}:
                self.index[key].discard(int(match.candidate.id))
            self.texts[int(match.candidate.id)] = fact
        record = len(self.texts) - 1 if match is None else int(match.candidate.id)
        for key in index_keys(fact):
            self.index[key].add(record)
        return record

    def candidates(self, fact: str) -> list[Candidate]:
        repeated = self.index[exact_key(fact)]
        found = found_in(self.index, fact)
        return [Candidate(str(record), self.texts[record], repeats=record in repeated) for record in found]

    def add_all(self, facts: Iterable[str]) -> None:
        for fact in facts:
            self.add(fact)


# Nothing is lost


def are_found(one: str, other: str) -> bool:
    """Whether each of two facts finds the other, and also a store that knows only one kind of keys."""
    index: dict[str, set[int]] = defaultdict(set)
    for number, fact in enumerate((one, other)):
        for key in index_keys(fact):
            index[key].add(number)
    return 0 in found_in(index, other) and 1 in found_in(index, one) and bool(index_keys(one) & index_keys(other))


def test_pairs_that_are_the_same_find_each_other() -> None:
    merged = [pair for pair in (*OWN, *read_pairs(FRESH_FILE)) if is_same(pair.existing, pair.new)]
    assert sum(not are_found(pair.existing, pair.new) for pair in merged) == 0


def test_in_one_large_partition_the_index_finds_what_a_scan_finds() -> None:
    everything = [Candidate(str(number), text) for number, text in enumerate(TEXTS)]
    index: dict[str, set[int]] = defaultdict(set)
    for candidate in everything:
        for key in index_keys(candidate.memory):
            index[key].add(int(candidate.id))
    for text in TEXTS[::36]:
        others = [candidate for candidate in everything if candidate.memory != text]
        found = found_in(index, text)
        near = [everything[number] for number in found if TEXTS[number] != text]
        assert find_match(text, near) == find_match(text, others), text


subjects = st.sampled_from(
    ["I", "The user", "User", "Jordan", "The trainee", "My sister", "Jordan's dog", "She", "A guard", "It", "We both"]
)
verbs = st.sampled_from(
    [
        *(
            "like",
            "likes",
            "enjoys",
            "is fond of",
            "hates",
            "doesn't like",
            "has",
            "had",
            "owns",
            "bought",
            "is",
            "was",
        ),
        *("works as", "wants", "wants to visit", "plays", "loves playing", "is called", "'s name is", "can play"),
        *("never visited", "was seen by", "prefers", "visits"),
    ]
)
things = st.sampled_from(
    [
        *("chess", "the cello", "a dog", "a dog named Luna", "two dogs", "Jordan Kim", "Jordan Kin", "a nurse", "sad"),
        *("an old nurse", "plan A", "museum 7", "cello lessons", "weight lifting", "weightlifting", "a cat lover"),
        *("Mondays", "tea without sugar"),
    ]
)
endings = st.sampled_from(
    [
        "",
        ".",
        " on Mondays",
        " at home",
        " with Tom",
        " from Rome",
        " for Rome",
        " and sings",
        ", which is fun",
        " twice",
    ]
)
made_fact = st.builds("{} {} {}{}".format, subjects, verbs, things, endings)


@settings(deadline=None, max_examples=400)
@given(made_fact | any_fact, made_fact | any_fact)
@example("I work as a nurse", "i am a NURSE at night")
@example("GO RUNING:I", "GO RUNING:0:I")
@example("The dog has the user", "The dog has the user and a bone")
def test_facts_that_are_the_same_share_a_key(one: str, other: str) -> None:
    assert is_same(one, other) == is_same(other, one)
    assert not is_same(one, other) or are_found(one, other)


@settings(deadline=None, max_examples=100)
@given(
    made_fact, st.sampled_from([str.upper, str.title, lambda text: f"  {text} !", lambda text: text.replace(" ", "  ")])
)
def test_a_repeat_in_other_dress_shares_the_exact_key(fact: str, dress: "type[str]") -> None:
    assert exact_key(fact) == exact_key(str(dress(fact)))


# The keys are few and short, and meet few others


@settings(deadline=None, max_examples=100)
@given(any_fact | made_fact)
@example("the user likes " + ", ".join(f"thing{number}s and cats" for number in range(40)))
@example("\ud800 user likes \U0001f600")
def test_keys_are_few_short_and_plain(fact: str) -> None:
    for keys in (index_keys(fact), lookup_keys(fact)):
        assert 1 <= len(keys) <= MAX_KEYS
        assert all(len(key) <= MAX_KEY_LENGTH and key.isascii() for key in keys)
        assert [key for key in keys if key.startswith("=")] == [exact_key(fact)]


NAMES = [
    first + last
    for first in ("Al", "Bel", "Cor", "Dan", "El", "Fin")
    for last in ("a", "bert", "do", "ia", "mund", "vin")
]


@pytest.mark.parametrize(
    ("template", "most"),
    [
        ("The user visited gallery {number}.", 1),
        ("The trainee completed step {number} of the valve check.", 1),
        ("The player scored {number} points in level 3.", 3),
        ("The user likes {word}.", 1),
        ("The user's favorite color is {word}.", 1),
        ("The user's friend is {name} {word}.", 1),
        ("{name} met {word} at the harbor.", 1),
        ("My friend {name} lives in {word}.", 1),
        ("i love {word} and i work with {name}", 1),
        ("i collect {word} coins and i work for {name}", 1),
        ("i collect {name} coins and i work for {word}", 1),
        ("{name} painted the {word} bridge near the tower.", 1),
        ("{name} painted the {word} bridge near the {name} tower.", 1),
    ],
)
def test_few_facts_of_a_template_meet(template: str, most: int) -> None:
    facts = [
        template.format(
            number=number, word=f"{NAMES[number % 36]}{NAMES[number // 36 % 36]}ix", name=NAMES[number % 31]
        )
        for number in range(1_200)
    ]
    partition = Partition("off")
    partition.add_all(facts)
    assert max(len(partition.candidates(fact)) for fact in facts[::25]) <= most


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES)
def test_few_facts_of_the_benchmark_meet(template: Callable[[int], str]) -> None:
    partition = Partition("off")
    partition.add_all(template(number) for number in range(1_200))
    assert max(len(partition.candidates(template(number))) for number in range(1_200, 1_250)) <= 1


# Adding a list twice

CHAIN = [
    "I like tea with honey",
    "I like tea",
    "I like tea with milk",
    "I love tea",
    "I like honey",
    "I like tea, with honey.",
]
listed = st.lists(st.sampled_from(CHAIN) | made_fact, max_size=12)


@settings(deadline=None, max_examples=150)
@given(listed, st.sampled_from(["naive", "exact"]))
@example(["I like tea with honey", "I like tea", "I like tea with milk"], "naive")
def test_adding_a_list_twice_changes_nothing_the_second_time(facts: Sequence[str], mode: DedupMode) -> None:
    partition = Partition(mode)
    partition.add_all(facts)
    before = list(partition.texts)
    partition.add_all(facts)
    assert partition.texts == before


def test_a_chain_needs_the_former_texts() -> None:
    """The middle is the same as both ends, the ends are apart: only the former text tells where the first one went."""
    first, middle, last = CHAIN[:3]
    assert is_same(first, middle)
    assert is_same(middle, last)
    assert not is_same(first, last)
    partition = Partition()
    assert [partition.add(fact) for fact in (first, middle, last, first)] == [0, 0, 0, 0]
    assert partition.texts == [first]


def test_what_is_not_english_meets_its_repeats_only() -> None:
    one, other = "私の名前は太郎です", "私は寿司が好きです"
    assert index_keys(one) == lookup_keys(one) == {exact_key(one)}
    assert not index_keys(one) & lookup_keys(other)
