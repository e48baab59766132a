"""Reading a fact by way of its shape gives what reading it afresh gives."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from fake_convai.domain.dedup_read import LONGEST_SHAPE, STAND_IN, read, read_afresh
from tests.domain.test_dedup import TEXTS

NUMBERS = (
    "1",
    "7",
    "10",
    "12",
    "20",
    "21",
    "007",
    "1,200",
    "3.5",
    "2019",
    "10th",
    "50%",
    "123456789012345678",
    "twenty",
)
STAND_INS = (f"{STAND_IN}00", f"{STAND_IN}01", f"{STAND_IN}0", STAND_IN)
WORDS = ("years old", "years", "and", "her", "in", "Room", "-", "km", ".")


@st.composite
def numbered(draw: st.DrawFn) -> str:
    """A text with numbers, and words that change what a number says, strewn in."""
    words = draw(st.sampled_from(TEXTS)).split()
    strewn = st.tuples(st.integers(0, 20), st.sampled_from(NUMBERS + WORDS + STAND_INS))
    for place, word in draw(st.lists(strewn, min_size=1, max_size=5)):
        words.insert(place, word)
    return " ".join(words) + draw(st.sampled_from(("", ".", "!", " 12", " 12.")))


@settings(deadline=None, max_examples=400)
@given(numbered())
@example("The user owns twenty of 20 books.")
@example("The user ran 12 laps and 12 miles in 10 years.")
@example("The user is 25 years old.")
@example("Her 10 cats are 12.")
@example("The user is 12." + " " * LONGEST_SHAPE)
@example("El usuario tiene 12 gatos.")
def test_a_number_has_no_say_in_how_a_text_reads(text: str) -> None:
    assert read(text) == read_afresh(text)


def test_texts_of_the_same_shape_keep_their_own_numbers() -> None:
    facts = [read(f"The trainee scored {score} points in 10 of 30 rounds.") for score in (10, 85, 30)]
    assert [fact.numbers for fact in facts] == [("10",), ("85",), ("30",)]
    assert [fact.words & {"#10", "#30", "#85"} for fact in facts] == [{"#10", "#30"}] * 3
