"""What a character says, in the order scripted, remembered, default, fixed line."""

import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_convai.domain.extraction import extract_facts
from fake_convai.domain.pace import chunks
from fake_convai.domain.replies import choose_reply
from fake_convai.domain.script import MAX_SEARCHED, Script, ScriptedReply

FIXED = "This is Maya. I heard you, but no reply is scripted for that."
MEMORIES = (
    "The user's name is Jordan.",
    "The user lives in Oslo.",
    "The user works as a safety officer.",
    "The user likes the user's job.",
    "The user likes tea.",
    "The user does not like long lectures.",
    "The user's dog is called Rex.",
    "The user's wife is called Anna.",
    "The user is 34 years old.",
    "The user's favourite colour is blue.",
    "The user is allergic to peanuts.",
    "The user cannot eat gluten.",
    "The user studies law.",
    "The user is from Norway.",
    "The user completed the fire drill.",
    "The user no longer smokes.",
    "The user usually watches films when the user is sad.",
    "The user has two kids.",
    "Parking space 12 belongs to Jordan.",
)


def reply(
    said: str,
    *,
    memories: Sequence[str] = (),
    scripted: Sequence[tuple[str, str]] = (),
    default: str | None = None,
    character_name: str = "Maya",
) -> str:
    return choose_reply(
        said,
        memories=memories,
        script=Script(tuple(ScriptedReply(match, (text,)) for match, text in scripted), default),
        character_name=character_name,
    ).text


class TestOrder:
    def test_scripted_then_remembered_then_default_then_fixed(self) -> None:
        question, memories, scripted = "What is my name?", MEMORIES, [("my name", "Guess!")]
        assert reply(question, memories=memories, scripted=scripted, default="Hm.") == "Guess!"
        assert reply(question, memories=memories, default="Hm.") == "Your name is Jordan."
        assert reply(question, default="Hm.") == "Hm."
        assert reply(question) == FIXED

    def test_the_first_script_that_fits_wins(self) -> None:
        assert reply("open the door", scripted=[("window", "1"), ("door", "2"), ("open", "3")]) == "2"

    def test_an_empty_default_is_a_default(self) -> None:
        assert reply("Hello", default="") == ""

    @pytest.mark.parametrize("name", ["", "  "], ids=["empty", "blank"])
    def test_a_character_without_a_name(self, name: str) -> None:
        assert reply("Hello", character_name=name).startswith("This is the character.")


class TestMatches:
    @pytest.mark.parametrize(
        ("match", "said"),
        [
            ("door", "Open the DOOR now"),
            ("STRASSE", "in der Straße"),
            ("how are you?", "So how are you?"),
            ("how are you?", "How are yo"),
            (r"\bfire (drill|alarm)\b", "the Fire Alarm rings"),
            ("^hello$", "Hello"),
            ("C++", "i write c++ code"),
            (r"\d{2}", "in 12 days"),
        ],
    )
    def test_fits(self, match: str, said: str) -> None:
        assert reply(said, scripted=[(match, "!")]) == "!"

    @pytest.mark.parametrize(
        ("match", "said"), [("door", "window"), ("^door", "the door"), (r"\bfire\b", "firefly"), ("a.c", "ac")]
    )
    def test_does_not_fit(self, match: str, said: str) -> None:
        assert reply(said, scripted=[(match, "!")]) == FIXED

    def test_looks_at_the_beginning_of_a_long_turn(self) -> None:
        assert reply("x" * (MAX_SEARCHED - 4) + "door", scripted=[("door", "!")]) == "!"
        assert reply("x" * MAX_SEARCHED + "door", scripted=[("door", "!")]) == FIXED

    def test_what_is_no_expression_and_was_never_checked_is_plain_text(self) -> None:
        assert reply("sad :( face", scripted=[(":(", "!")]) == "!"
        assert reply("sad", scripted=[(":(", "!"), ("*", "?")]) == FIXED

    @pytest.mark.parametrize(("match", "said"), [("(a|a)+$", "a" * 900 + "b"), (".*.*.*.*b$", "c" * 900)])
    def test_in_a_time_that_grows_only_with_the_text(self, match: str, said: str) -> None:
        start = time.process_time()
        assert reply(said, scripted=[(match, "!")]) == FIXED
        assert time.process_time() - start < 3


class TestMemory:
    @pytest.mark.parametrize(
        ("question", "answer"),
        [
            ("What is my name?", "Your name is Jordan."),
            ("whats my name", "Your name is Jordan."),
            ("What\u2019s my name again?", "Your name is Jordan."),
            ("Hi Maya, what is my name", "Your name is Jordan."),
            ("hello do you remember my name", "Your name is Jordan."),
            ("Tell me my name.", "Your name is Jordan."),
            ("I live in Bergen. What is my name?", "Your name is Jordan."),
            ("Where do I live?", "You live in Oslo."),
            ("What do I like?", "You like tea."),
            ("What do I hate?", "You do not like long lectures."),
            ("What don't I like?", "You do not like long lectures."),
            ("Where do I work?", "You work as a safety officer."),
            ("What is my job?", "You work as a safety officer."),
            ("What do I do for a living?", "You work as a safety officer."),
            ("Do I like my job?", "You like your job."),
            ("Do you remember my dog?", "Your dog is called Rex."),
            ("What's my dog's name?", "Your dog is called Rex."),
            ("Who is my wife?", "Your wife is called Anna."),
            ("How old am I?", "You are 34 years old."),
            ("What is my favorite color?", "Your favourite colour is blue."),
            ("Am I allergic to anything?", "You are allergic to peanuts."),
            ("What can't I eat?", "You cannot eat gluten."),
            ("What am I studying?", "You study law."),
            ("Where am I from?", "You are from Norway."),
            ("Which drill did I complete?", "You completed the fire drill."),
            ("Do I smoke?", "You no longer smoke."),
            ("Do I watch films?", "You usually watch films when you are sad."),
            ("How many children do I have?", "You have two kids."),
            ("Which is my parking space?", "I remember: Parking space 12 belongs to Jordan."),
            (
                "Do you remember me?",
                "Your name is Jordan. You have two kids. I remember: Parking space 12 belongs to Jordan.",
            ),
        ],
    )
    def test_answers(self, question: str, answer: str) -> None:
        assert reply(question, memories=MEMORIES) == answer

    @pytest.mark.parametrize(
        "said",
        [
            "Hello",
            "My name is Bob.",
            "I like tea",
            "What is your name?",
            "What is the weather like?",
            "Can you tell me what the weather is like?",
            "Tell me a joke",
            "Should I take an umbrella?",
            "What's my favourite food?",
            "What's my sister's name?",
            "Do I?",
            "",
        ],
    )
    def test_has_nothing_to_say_to(self, said: str) -> None:
        assert reply(said, memories=MEMORIES) == FIXED

    def test_the_newest_wins_a_tie(self) -> None:
        assert reply("What do I like?", memories=["The user likes tea.", "The user likes milk."]) == "You like milk."

    def test_who_someone_is_without_a_name_is_what_was_told_last(self) -> None:
        memories = [f"The user likes {drink}." for drink in ("tea", "milk", "juice", "water")]
        assert reply("Who am I?", memories=memories) == "You like milk. You like juice. You like water."
        assert reply("Who am I?") == FIXED

    @pytest.mark.parametrize(
        ("said", "question", "answer"),
        [
            ("My name is Jordan Kim", "What is my name?", "Your name is Jordan Kim."),
            ("I moved to Oslo", "Where did I move?", "You moved to Oslo."),
            ("I was born in 1990", "When was I born?", "You were born in 1990."),
            ("I like the car I bought", "What do I like?", "You like the car you bought."),
            ("I have a friend taller than I", "Do I have a friend?", "You have a friend taller than you."),
            ("I plan to retire early", "What am I planning?", "You plan to retire early."),
            ("I do yoga", "Do I do yoga?", "You do yoga."),
            ("I always miss my bus", "What do I always miss?", "You always miss your bus."),
            ("I want to become a pilot", "What do I want to become?", "You want to become a pilot."),
            ("My hobbies are chess and hiking", "What are my hobbies?", "Your hobbies are chess and hiking."),
        ],
    )
    def test_answers_from_what_was_just_said(self, said: str, question: str, answer: str) -> None:
        assert reply(question, memories=extract_facts(said)) == answer

    def test_many_long_memories_are_no_burden(self) -> None:
        start = time.process_time()
        reply("What do I like?" * 100_000, memories=["The user's " + "a " * 5_000] * 300)
        assert time.process_time() - start < 3


class TestChunks:
    def test_are_whole_words(self) -> None:
        text = "Your name is Jordan, and you live in a small town near Oslo."
        assert list(chunks(text)) == ["Your name is Jordan, and ", "you live in a small town ", "near Oslo."]

    @given(st.text() | st.text(alphabet="ab \n\u00a0", max_size=300))
    def test_joined_are_the_reply(self, text: str) -> None:
        assert "".join(chunks(text)) == text
        assert all(chunks(text))


WORDS = "What is my name ? do I like the user 's The user's is called . I'm ( [ a+ )+ hi"
TALK = st.text() | st.lists(st.sampled_from(WORDS.split())).map(" ".join)


@given(TALK, st.lists(TALK), st.lists(st.tuples(TALK, TALK)), st.none() | TALK, TALK)
def test_there_is_always_an_answer(
    said: str, memories: list[str], scripted: list[tuple[str, str]], default: str | None, name: str
) -> None:
    answers = {
        reply(said, memories=memories, scripted=scripted, default=default, character_name=name) for _ in range(2)
    }
    assert len(answers) == 1
