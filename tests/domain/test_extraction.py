"""Facts from what a person said. The positives are the table of `docs/extraction.md`; here are the ways around it."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_convai.domain.dedup import is_same
from fake_convai.domain.extraction import extract_facts
from fake_convai.domain.extraction.clauses import clauses
from fake_convai.domain.extraction.kinds import KINDS, Kind
from fake_convai.domain.extraction.reading import fact_of, understand
from fake_convai.domain.extraction.values import SLOTS
from fake_convai.domain.text import normalise_fact

PAGES = (Path(__file__).parents[2] / "docs" / "extraction.md", Path(__file__).parent / "sets" / "kinds.md")
TEXT = "".join(page.read_text("utf-8") for page in PAGES)
ROWS = re.findall(r"^\| (.+?) \| (.+?) \| (The user.+?) \|$", TEXT, re.MULTILINE)
DOCUMENTED = [(kind, said, fact) for kind, phrases, fact in ROWS for said in phrases.split("<br>")]


class TestDocumentedTable:
    @pytest.mark.parametrize(("kind", "said", "fact"), DOCUMENTED, ids=[said for _, said, _ in DOCUMENTED])
    def test_gives_the_fact_it_promises(self, kind: str, said: str, fact: str) -> None:
        assert extract_facts(said) == [fact]
        assert _kind_of(said).name == kind

    def test_has_an_example_of_every_row_of_the_code(self) -> None:
        shown = {_kind_of(said) for _, said, _ in DOCUMENTED}
        assert [kind for kind in KINDS if kind not in shown] == []

    def test_names_no_other_kinds(self) -> None:
        assert {kind for kind, _, _ in ROWS} == {kind.name for kind in KINDS}
        assert len({kind.name for kind in KINDS}) >= 40

    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.said)
    def test_facts_are_made_of_the_slots_of_their_row(self, kind: Kind) -> None:
        filled = set(re.findall(r"\{(\w+)", kind.said))
        if "verb" in filled:
            filled.add("verbs")
        assert set(re.findall(r"\{(\w+)\}", fact_of(kind))) <= filled
        assert set(re.findall(r"\{(\w+)\}", kind.said)) <= set(SLOTS)


def _kind_of(said: str) -> Kind:
    (clause,) = clauses(said)
    understood = understand(clause)
    assert understood is not None
    return understood[0]


SEVERAL = {
    "My name is Jordan and I live in Oslo": ["The user's name is Jordan.", "The user lives in Oslo."],
    "I am a nurse, I work nights and I love tea": [
        "The user is a nurse.",
        "The user works nights.",
        "The user loves tea.",
    ],
    "i'm a nurse i work nights and i love tea": [
        "The user is a nurse.",
        "The user works nights.",
        "The user loves tea.",
    ],
    "my name is jordan i live in oslo and i like tea i have two kids": [
        "The user's name is jordan.",
        "The user lives in oslo.",
        "The user likes tea.",
        "The user has two kids.",
    ],
    "I am 34, a nurse, and I live in Oslo but work in Bergen": [
        "The user is 34 years old.",
        "The user is a nurse.",
        "The user lives in Oslo.",
        "The user works in Bergen.",
    ],
    "I don't like coffee, but I love tea; my wife is called Anna": [
        "The user does not like coffee.",
        "The user loves tea.",
        "The user's wife is called Anna.",
    ],
    "I completed module 3 and passed the test & I live in Oslo": [
        "The user completed module 3.",
        "The user passed the test.",
        "The user lives in Oslo.",
    ],
    "My wife and I live in Oslo": ["The user lives in Oslo."],
    "My name is Dr. J. R. Smith. I live in St. Louis.I like tea": [
        "The user's name is Dr. J. R. Smith.",
        "The user lives in St. Louis.",
        "The user likes tea.",
    ],
    "My name is Jordan 😊 I live in Oslo": ["The user's name is Jordan.", "The user lives in Oslo."],
    "- I am deaf\n- I am vegan": ["The user is deaf.", "The user is vegan."],
    "I like tea because I am British": ["The user likes tea.", "The user is British."],
    "I like vitamin C. I live in Oslo": ["The user likes vitamin C.", "The user lives in Oslo."],
    "I like tea. I like tea!": ["The user likes tea."],
}


@pytest.mark.parametrize(("said", "facts"), SEVERAL.items(), ids=SEVERAL)
def test_several_facts_of_one_turn(said: str, facts: list[str]) -> None:
    assert extract_facts(said) == facts


THE_SAME = {
    "The user's name is Jordan Kim.": [
        "My name is Jordan Kim.",
        "my name's Jordan Kim",
        "Hi Maya, my name is Jordan Kim, what's yours?",
        "Remember that my name is Jordan Kim",
        "As I said, my name is Jordan Kim!",
        'My name is "Jordan Kim"',
        "Nice to meet you, I\u2019m Jordan Kim",
        "My name is Jordan Kim by the way",
        "My name is Jordan Kim, can you remember that?",
    ],
    "The user does not like long lectures.": [
        "I don't like long lectures",
        "i dont like long lectures",
        "I don\u2019t really like long lectures.",
        "Honestly, I do not like long lectures",
        "please remember that I don't like long lectures",
        "I said I don't like long lectures",
    ],
    "The user enjoys quizzes.": ["I enjoy quizzes", "I do enjoy quizzes", "I also enjoy quizzes very much"],
    "The user works as a safety officer.": [
        "I work as a safety officer",
        "I'm working as a safety officer",
        "I currently work as a safety officer",
        "Well, I work as a safety officer now.",
    ],
    "The user has a dog named Rex.": ["I have a dog named Rex", "ive got a dog named Rex", "I've a dog named Rex"],
}


@pytest.mark.parametrize(
    ("said", "fact"),
    [(said, fact) for fact, ways in THE_SAME.items() for said in ways],
    ids=[said for ways in THE_SAME.values() for said in ways],
)
def test_the_same_in_other_words_is_the_same_fact(said: str, fact: str) -> None:
    assert extract_facts(said) == [fact]


VALUES = {
    "I love my dog": "The user loves the user's dog.",
    "My boss gave up on me, but I like my job": "The user likes the user's job.",
    "I listen to jazz when I work": "The user listens to jazz when the user works.",
    "I use the wheelchair": None,
    "I like the car I bought": "The user likes the car the user bought.",
    "I have a friend taller than I": "The user has a friend taller than the user.",
    "I always have tea at noon": "The user always has tea at noon.",
    "I live with my wife in the US": "The user lives with the user's wife in the US.",
    "I like World War I history": "The user likes World War I history.",
    "I live in Oslo, which is cold": "The user lives in Oslo.",
    "I have a brother who hates tea": "The user has a brother who hates tea.",
    "I live in a town which is cold": "The user lives in a town.",
    "I live near my brother, who is a pilot": "The user lives near the user's brother.",
    "I am thirty-four": "The user is thirty-four years old.",
    "I'm sixteen years old": "The user is sixteen years old.",
    "I am learning C++": "The user is learning C++.",
    "I like tea, coffee and cake.": "The user likes tea, coffee and cake.",
    "I like tea but not coffee": "The user likes tea but not coffee.",
    "my favourite book is “Dune”": "The user's favourite book is Dune.",
    "My name is Maria del Carmen O'Neil from Spain": "The user's name is Maria del Carmen O'Neil.",
    "my name is maria van": "The user's name is maria.",
    "My name is Jordan K.": "The user's name is Jordan K.",
    "My name is 田中太郎": "The user's name is 田中太郎.",
    "I live in Mu\u0308nchen": "The user lives in München.",
    "I LOVE TEA": "The user loves TEA.",
    "I usually don't eat breakfast": "The user usually does not eat breakfast.",
    "I always carry my keys": "The user always carries the user's keys.",
    "I often teach myself songs": "The user often teaches themselves songs.",
    "I have a friend of mine": "The user has a friend of the user's.",
    "I never drink coffee \x00 at night \ud800": "The user never drinks coffee at night.",
    "My name is Jordan, not Bob": "The user's name is Jordan.",
}


@pytest.mark.parametrize(("said", "fact"), VALUES.items(), ids=map(ascii, VALUES))
def test_values_are_written_in_the_third_person(said: str, fact: str | None) -> None:
    assert extract_facts(said) == ([] if fact is None else [fact])


NOTHING = {
    "questions": [
        "What is my name?",
        "what is my name",
        "Do I like tea?",
        "I am a pilot?",
        "So my name is Jordan and I live in Oslo?",
        "I live in Oslo, right?",
        "I like tea, don't I?",
        "I am not a nurse, am I?",
        "Do you know that I am a pilot?",
    ],
    "suppositions": [
        "If I were a pilot I would fly",
        "if my name was Bob, I would like tea",
        "What if I am a vampire",
        "Imagine I am a pilot",
        "Let's say my name is Bob",
        "When I am a pilot, I live in Paris",
        "I like tea if it is hot",
        "maybe I am a pilot",
    ],
    "opinions and wishes": [
        "I think I am a nurse",
        "I guess I like tea",
        "I wonder if I am a good person",
        "I wish my name was Bob",
        "I like to think that I am funny",
        "I like to believe I am kind",
        "I hope my son becomes a pilot",
        "I want my son to become a pilot",
        "I am a nurse, I think",
        "I am a nurse, just kidding",
        "I always knew",
        "I always ate meat",
        "I dreamed I was a king and I live in a castle",
        "I never said I am a pilot",
        "I used to think about tea",
    ],
    "what others say or are": [
        "She said I am a pilot",
        'She said "I am a pilot" and I like tea',
        '"I am a pilot," she said.',
        "I am a pilot, said the man",
        "I am a pilot, he said",
        "My boss thinks I am a genius",
        "people say I am funny and I like tea",
        "You said I live in Oslo",
        'He wrote "hello. I like tea. My name is Bob." That was all.',
        "According to my mom I am a genius",
        "I was told I am a legend",
        "She is a nurse",
        "You are a nurse",
        "We live in Oslo",
        "Jordan: I am a pilot",
    ],
    "moods and greetings": [
        "Hello",
        "I am fine",
        "I am here",
        "I'm sorry",
        "I am not sure",
        "I am ready to start",
        "I am a bit tired",
        "I am Sorry",
        "I am Tired",
        "I AM TIRED",
        "I am in the kitchen",
        "I'm going to the store",
    ],
    "errands and commands": [
        "I would like two beers please",
        "I need help",
        "I need your help",
        "I need to go",
        "I want to know what time it is",
        "I'd like to learn more",
        "Open the door",
        "Tell me my name",
        "Call me later",
        "call me a taxi",
        "I can hear you",
        "I can't wait",
        "I take the key",
        "I run to the exit",
        "I read an article yesterday",
    ],
    "passing possessions": [
        "I have a question",
        "I have no idea",
        "I've got to go",
        "I have 5 minutes",
        "I have been waiting for 10 minutes",
        "I only have one question",
        "I don't have time",
    ],
    "what points at something": [
        "I like that",
        "I love you",
        "I like your hat",
        "I hate this game",
        "I live with her",
        "I work here",
        "I like the idea",
        "I like it when they help us",
        "they like us and I like us",
    ],
    "names that are none": [
        "my name is not important",
        "my name is a secret",
        "My name is hard to pronounce",
        "i am jordan",
        "I am OCD",
        "I'm Chief Engineer of sales",
        "I'm Norwegian-American",
        "my name isn't easy",
    ],
    "half sentences": ["I like", "I like the", "My name is", "I am a", "I like ...", "I usually the door"],
    "other languages": [
        "Me llamo Jordan y vivo en Oslo",
        "Ich heiße Jordan und wohne in Oslo",
        "Je m'appelle Jordan",
        "Jeg heter Jordan og bor i Oslo",
        "私の名前はジョーダンです",
        "Меня зовут Джордан",
        "मेरा नाम जॉर्डन है",
    ],
}


@pytest.mark.parametrize(
    "said",
    [said for group in NOTHING.values() for said in group],
    ids=[f"{why}: {said}" for why, group in NOTHING.items() for said in group],
)
def test_nothing_is_remembered_of(said: str) -> None:
    assert extract_facts(said) == []


FRAGMENTS = sorted(
    {word for _, said, _ in DOCUMENTED for word in said.split()}
    | {"I", "my", "and", "but", "she", "said", ",", ".", "?", '"', "not", "me", "if", "that", "\u2019", "İ", "ß", "\n"}
)


class TestAnyTalk:
    @given(st.text() | st.lists(st.sampled_from(FRAGMENTS), max_size=25).map(" ".join))
    def test_gives_facts_about_the_user_that_can_be_stored(self, said: str) -> None:
        facts = extract_facts(said)
        assert facts == extract_facts(said)
        assert len(facts) == len(set(facts))
        for fact in facts:
            assert fact.startswith(("The user ", "The user's "))
            assert fact.endswith(".")
            assert fact == normalise_fact(fact)
            assert fact.encode("utf-8")

    @given(st.sampled_from([said for _, said, _ in DOCUMENTED]), st.sampled_from(["if ", "she said ", "I think "]))
    def test_in_anothers_mouth_is_no_fact(self, said: str, opening: str) -> None:
        assert extract_facts(opening + said) == []

    @given(st.sampled_from(DOCUMENTED), st.sampled_from(["well, ", "By the way, ", "remember that ", "Yes, "]))
    def test_lead_ins_change_nothing(self, documented: tuple[str, str, str], opening: str) -> None:
        _, said, fact = documented
        assert extract_facts(opening + said) == [fact]


UTTERANCES = Path(__file__).parent / "sets" / "utterances.jsonl"


def test_few_facts_are_wrong_and_most_are_found() -> None:
    """Counted and not shown: two thirds of the set are not to be read by whoever changes the table."""
    told = [json.loads(line) for line in UTTERANCES.read_text("utf-8").splitlines()]
    assert len(told) >= 200
    found = wrong = missing = 0
    for row in told:
        wanted = list(row["facts"])
        for fact in extract_facts(row["said"]):
            right = next((one for one in wanted if is_same(one, fact)), None)
            found, wrong = found + (right is not None), wrong + (right is None)
            if right is not None:
                wanted.remove(right)
        missing += len(wanted)
    assert wrong / (found + wrong) <= 0.02
    assert found / (found + missing) >= 0.7
