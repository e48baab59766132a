"""Deduplication: which facts are one, which are kept apart, and what the reasons say.

The labelled pairs are counted and not each asserted, and only half of the own ones is to be read (`halves`).
"""

import os
import re
import subprocess
import sys
import unicodedata
from importlib import resources
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fake_convai.domain.dedup import (
    Candidate,
    DedupMode,
    compare,
    exact_key,
    explain_apart,
    find_match,
    index_keys,
    is_same,
)
from fake_convai.domain.english.tables import load
from fake_convai.domain.english.tokens import MAX_LENGTH
from tests.domain.pairs import OWN_FILE, Pair, all_sets, rates, read_pairs

OWN = read_pairs(OWN_FILE)
TEXTS = sorted({text for pair in OWN for text in (pair.existing, pair.new)})
NEAR = {"own, read": 0.9, "own, counted": 0.9, "practice, read": 0.8, "fresh": 0.85, "unseen": 0.65}


@pytest.mark.parametrize(("title", "pairs"), all_sets().items(), ids=list(NEAR))
def test_the_bars_are_met(title: str, pairs: list[Pair]) -> None:
    """Whoever changes the rule looks at the pairs of the read sets only, so that it does not learn the others by heart:
    `make dedup` shows how many of them come out right, and none of them."""
    assert len(pairs) >= 300
    least = {"precision": 0.95, "hard kept apart": 0.96, "near found": NEAR[title]}
    found = {name: rate.share for name, rate in rates([(pair, is_same(*pair[:2])) for pair in pairs]).items()}
    assert {name: share for name, share in found.items() if share < least[name]} == {}


@pytest.mark.parametrize(
    ("existing", "new"),
    [
        ("My birthday is March 4.", "My birthday is on March 4th."),
        ("The user drives to work.", "The user drives to work every day."),
        ("The user teaches physics.", "The user is a physics teacher."),
        ("The user went hiking twice.", "The user hiked 2 times."),
        ("The report was written by Dana.", "Dana wrote the report."),
        ("Ben joined a gym to lose weight.", "Ben joined a gym, which he likes."),
        ("I've got three kids.", "i have 3 children"),
        ("I am a guitar player.", "I'm a guitarist."),
        ("Goes for a run every morning", "The user runs each morning."),
        ("Has asthma", "The user is asthmatic."),
        ("My shift starts at 6:40 pm.", "The user's shift begins at 18:40."),
        ("I wake at half past six.", "The user gets up at 6:30 am."),
        ("The name of my cat is Pixel.", "The user's cat is called Pixel."),
        ("The user likes tea more than coffee.", "The user prefers tea to coffee."),
        ("The user has a sister who lives in Oslo.", "The user's sister lives in Oslo."),
        ("I used to smoke.", "The user no longer smokes."),
        ("Somebody stole my bike.", "The user's bike was stolen."),
        ("I lost my old keys at the gym.", "The user's old keys got lost at the gym."),
        ("I used to play hockey at school.", "The user played hockey at school."),
        ("I would rather text than call.", "The user prefers texting to calling."),
        ("I used a spear to kill the troll.", "The player killed the troll with a spear."),
        ("My hobby is collecting coins.", "The user collects coins as a hobby."),
        ("Has been retired since 2019", "The user retired in 2019."),
        ("I work the night shift.", "The user works nights."),
        ("I'm saving up for a house.", "The user is saving up to buy a house."),
        ("My favorite band is Muse.", "The user loves Muse."),
        ("The user's wife is a nurse.", "Is married to a nurse"),
        ("Spiders scare the user.", "I'm afraid of spiders."),
        ("The user has a daughter.", "The user has a six-year-old daughter."),
        ("I'm moving to Rome in May.", "The user will move to Rome in May."),
        ("My birthday is May 9.", "The user was born on the 9th of May."),
        ("There is a piano in my living room.", "The user has a piano in the living room."),
        ("The player is at level 12.", "The player has reached level 12."),
        ("In 2019 I moved to Oslo.", "The user moved to Oslo in 2019."),
        ("My wife and I run a bakery.", "The user runs a bakery with the user's wife."),
        ("I gave the ring back to Ana.", "The user returned the ring to Ana."),
        ("I'm going to learn Thai.", "The user plans to learn Thai."),
        ("My shift starts at 7 in the evening.", "The user's shift starts at 7 pm."),
        ("Bright light gives me headaches.", "The user gets headaches in bright light."),
        ("I have no insurance.", "The user lacks insurance."),
        ("The user became a vegetarian in 2015.", "The user has been vegetarian since 2015."),
        ("User and Mark are engaged.", "The user is engaged to Mark."),
    ],
)
def test_the_same_fact_in_other_words_is_one_record(existing: str, new: str) -> None:
    verdict = compare(existing, new)
    assert verdict.same, verdict.because


@pytest.mark.parametrize(
    ("existing", "new"),
    [
        ("The light is on.", "The light is off."),
        ("The user waits inside the hall.", "The user waits outside the hall."),
        ("The user is in town.", "The user is out of town."),
        ("The guard walked toward the tower.", "The guard walked past the tower."),
        ("The user has a brother.", "The user has two brothers."),
        ("The user likes orange.", "The user likes orange juice."),
        ("The user got a puppy.", "The user bought a bed for the puppy."),
        ("I have a white cat and a brown dog.", "I have a brown cat and a white dog."),
        ("The user's pronouns are she/her.", "The user's pronouns are they/them."),
        ("Please talk slowly to me.", "Please talk quickly to me."),
        ("I quit because of the pay.", "I quit because of the commute."),
        ("I was invited to the wedding.", "I invited Omar to the wedding."),
        ("Manages the head of sales", "Is managed by the head of sales"),
        ("I cut the power and then touched the wire.", "I touched the wire and then cut the power."),
        ("The user trusts the mayor but not the smith.", "The user trusts the smith but not the mayor."),
        ("The user lost the lid of the teapot.", "The user lost the teapot."),
        ("The user has a child.", "The user is a child."),
        ("The user stole a bike.", "The user's bike was stolen."),
        ("The user started smoking.", "The user stopped smoking."),
        ("The user has a twin brother.", "The user has a twin sister."),
        ("My mother is a retired nurse.", "My mother is a nurse."),
        ("The user's wife is a nurse.", "The user's husband is a nurse."),
        ("The user will move to Rome in May.", "The user moved to Rome in May."),
        ("The user has insurance.", "The user lacks insurance."),
        ("The user has a big flat in Rome.", "The user rents a big flat in Rome."),
        ("The user plans to quit the gym.", "The user quit the gym."),
        ("My favorite color is teal.", "My favorite shirt is teal."),
        ("I'm a doctor in Oslo.", "I have a doctor in Oslo."),
        ("The user has three dogs.", "The user walks three dogs."),
        ("I met my wife at work.", "I met my wife's boss at work."),
        ("I'm angry at my brother.", "My brother is angry at me."),
        ("My son is four months old.", "My son is four years old."),
    ],
)
def test_another_fact_is_kept_apart(existing: str, new: str) -> None:
    verdict = compare(existing, new)
    assert not verdict.same, verdict.because


def test_every_kind_of_hard_negative_is_there() -> None:
    kinds = {"value", "number", "date", "polarity", "subject", "role", "aspect", "words"}
    assert {pair.tag for pair in OWN if pair.tag.startswith("hard")} == {f"hard-{kind}" for kind in kinds}


@pytest.mark.parametrize(
    ("existing", "new", "because"),
    [
        ("The user's name is Jordan.", "the user's name is jordan", "exact repeat"),
        ("My name is Jordan.", "The user's name is Jordan Kim.", "extends the value of the same attribute: name"),
        ("My boss is Ines Roth.", "The user's boss is Ines.", "repeats part of the same attribute: boss"),
        ("The user likes tea.", "The user likes tea with honey.", "adds to it: honey"),
        ("The user likes tea with honey.", "The user likes tea.", "repeats it without: honey"),
        ("I am a weight watcher.", "I am a weightwatcher.", "the same words, written differently"),
        ("The user enjoys judo.", "The user likes judo.", "the same words, written differently"),
        ("The user has 5 goats.", "The user has 3 goats.", "another number: 3 instead of 5"),
        ("The user likes tea.", "The user doesn't like tea.", "one is negated, the other is not"),
        ("The user joined.", "The user might join.", "another mood: possibility instead of plain fact"),
        ("The user was a diver.", "The user is a diver.", "one is how it is, the other how it was"),
        ("Lea's ox ran.", "Lea's hen ran.", "about somebody or something else: lea's hen instead of lea's ox"),
        ("Lena bakes.", "Marco bakes.", "about somebody else: marco instead of lena"),
        ("I took a letter from Ha.", "I took a letter for Ha.", "another part for ha: to or for instead of from"),
        ("The user sings in May.", "The user sings in June.", "another date: june instead of may"),
        ("The user has a toy tank.", "The user has a tank.", "not the same thing: toy"),
        ("I quit because it rains.", "I quit because it snows.", 'another clause with "because": snow instead of rain'),
        ("I sing on Monday morning.", "I sing on Monday evening.", "another hour: evening instead of morning"),
        ("The user has a dog.", "The user has a cat.", "another value: cat instead of dog"),
        ("The user has a red car.", "The user has a blue car.", "another value: blue instead of red"),
        ("The user sells cars.", "The user repairs cars.", "says something else of the user"),
        ("The user has a dog.", "The user fixed the roof.", "nothing in common"),
        ("The user chose plan A.", "The user chose plan B.", "another value: b instead of A"),
        ("El usuario vive en Lima.", "El usuario vive en Quito.", "not both in English, where only a repeat is merged"),
    ],
)  # fmt: skip
def test_the_reason_says_why(existing: str, new: str, because: str) -> None:
    assert compare(existing, new).because == because


PAGE = Path(__file__).parents[2] / "docs" / "deduplication.md"
ROWS = re.findall(r"^\| (.+?) \| (.+?) \| (update|add) \| (.+?) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize(("existing", "new", "event", "because"), ROWS)
def test_the_examples_of_the_page_are_true(existing: str, new: str, event: str, because: str) -> None:
    verdict = compare(existing, new)
    assert ("update" if verdict.same else "add", verdict.because) == (event, because)


def test_the_page_has_examples_of_both_outcomes() -> None:
    assert {row[2] for row in ROWS} == {"update", "add"}


# The choice among several records


def candidates(*memories: str) -> list[Candidate]:
    return [Candidate(f"id-{number}", memory) for number, memory in enumerate(memories)]


def matched_id(new: str, *memories: str, mode: DedupMode = "naive") -> str | None:
    match = find_match(new, candidates(*memories), mode)
    return match.candidate.id if match else None


def test_the_best_record_is_updated() -> None:
    assert matched_id("I like tea with milk and honey", "I like tea", "I like tea with milk") == "id-1"


def test_of_equals_the_oldest_is_updated() -> None:
    assert matched_id("I like tea", "I like tea with milk", "I like tea with honey") == "id-0"


def test_a_repeat_goes_before_everything_else() -> None:
    assert matched_id("I like tea", "I love tea", "i like tea!") == "id-1"


def test_what_a_record_said_before_is_a_repeat_too() -> None:
    known = [Candidate("first", "I like tea"), Candidate("second", "I like milk", repeats=True)]
    match = find_match("I like tea with honey", known)
    assert match is not None
    assert (match.candidate.id, match.because) == ("second", "exact repeat of what this record said before")


def test_no_record_matches() -> None:
    assert matched_id("I like tea") is None
    assert matched_id("I like tea", "I like milk", "I hate tea") is None


@pytest.mark.parametrize(
    ("mode", "found"), [("naive", ["id-0", "id-0"]), ("exact", [None, "id-0"]), ("off", [None, None])]
)
def test_the_modes(mode: DedupMode, found: list[str | None]) -> None:
    assert [matched_id(new, "I like tea", mode=mode) for new in ("I love tea", "I LIKE TEA.")] == found


def test_the_nearest_that_was_kept_apart_is_explained() -> None:
    apart = explain_apart("I have 3 cats", candidates("I like tea", "I have 5 cats"))
    assert apart is not None
    assert (apart.candidate.id, apart.because) == ("id-1", "another number: 3 instead of 5")
    exact = explain_apart("I love tea", candidates("I like tea"), "exact")
    assert exact is not None
    assert exact.because == "no exact repeat"
    assert explain_apart("I have 3 cats", candidates("I have 5 cats"), "off") is None
    assert explain_apart("I have 3 cats", []) is None


# Properties

any_text = st.text(st.characters(exclude_categories=()), max_size=80)
own_text = st.sampled_from(TEXTS)
any_fact = st.one_of(own_text, any_text, st.lists(own_text, min_size=2, max_size=3).map(" and ".join))


@settings(deadline=None, max_examples=150)
@given(any_fact, any_fact)
@example("", "")
@example("\ud800", "\udfff")
@example("\x00", "the user's \x00")
@example("not", "no never")
@example("1", "one")
def test_the_order_does_not_matter(one: str, other: str) -> None:
    forward, back = compare(one, other), compare(other, one)
    assert (forward.same, forward.score) == (back.same, back.score)
    assert 0 <= forward.score <= 1


@settings(deadline=None, max_examples=150)
@given(any_fact)
def test_every_fact_is_the_same_as_itself(text: str) -> None:
    assert compare(text, text).because == "exact repeat"


@settings(deadline=None, max_examples=150)
@given(st.text(st.characters(exclude_categories=["Cs"], min_codepoint=0x370), min_size=2, max_size=40))
def test_other_scripts_are_never_extended(text: str) -> None:
    verdict = compare(text, f"{text} {text[:-1]}")
    assert not verdict.same or verdict.because == "exact repeat"


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "the " * 2_500,
        "x" * 10_000,
        "user's " * 1_400,
        "1," * 5_000,
        "👩‍🚀" * 3_000,
        "a'" * 5_000,
        "no " * 3_300,
    ],
    ids=lambda text: repr(text[:8]),
)
def test_any_text_can_be_compared(text: str) -> None:
    assert is_same(text, text)
    assert not is_same(text, "The user likes tea.")
    assert index_keys(text)


def test_a_character_that_stands_for_eighteen_is_spelled_out_so_often_only(monkeypatch: pytest.MonkeyPatch) -> None:
    spelled: list[str] = []
    normalize = unicodedata.normalize

    def spell_out(form: Literal["NFC", "NFD", "NFKC", "NFKD"], text: str) -> str:
        spelled.append(normalize(form, text))
        return spelled[-1]

    monkeypatch.setattr(unicodedata, "normalize", spell_out)
    fact, longer = "\ufdfa" * 3_000, "\ufdfa" * 3_001
    assert find_match(longer, [Candidate("1", fact)]) is None
    assert exact_key(fact) != exact_key(longer)
    assert sum(map(len, spelled)) == 2 * 2 * 18 * MAX_LENGTH


def test_the_outcome_does_not_depend_on_the_hash_seed() -> None:
    program = (
        "import hashlib, json, sys\n"
        "from fake_convai.domain.dedup import compare, index_keys\n"
        "rows = [json.loads(line) for line in open(sys.argv[1], encoding='utf-8')]\n"
        "said = [(compare(r['existing'], r['new']), sorted(index_keys(r['new']))) for r in rows]\n"
        "print(hashlib.sha256(repr(said).encode()).hexdigest())\n"
    )
    outcomes = {
        subprocess.run(
            [sys.executable, "-c", program, str(OWN_FILE)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outcomes) == 1


# The word files


@pytest.mark.parametrize("name", ["nouns", "predicates"])
def test_no_word_is_in_two_groups(name: str) -> None:
    groups = load(name)
    members = [member for group in groups.values() for member in group]
    assert sorted(members) == sorted(set(members))
    assert not set(members) & set(groups), "a word that stands for a group cannot be in another"


def test_every_word_file_says_what_it_holds() -> None:
    files = list(resources.files("fake_convai.domain.english").joinpath("words").iterdir())
    assert len(files) > 10
    for file in files:
        assert file.read_text(encoding="utf-8").startswith("# "), file.name
