"""The words of an English fact as tokens: base forms, numbers as values, phrases in their one-word form."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from fake_convai.domain.dedup_words import (
    WORD_CACHE,
    Phrase,
    Phrases,
    as_verb,
    base_form,
    kind,
    lexicon,
    noun,
    predicate,
)

NUMBER = "#"
AGE = "#years"
"""What stands in the text where a number was; its value is the token's base."""

LONGEST_OPENING = 8
"""Words of "On rainy days in spring, ..." that may stand before the sentence proper."""


class Token(NamedTuple):
    """One word: as written, its base form, which verb forms it may be (`dedup_words.Verb`), the word that stands for
    its synonyms, and what kind of word it is: the classes of `words/function.txt` and those of `_traits`."""

    text: str
    base: str
    forms: str
    word: str
    traits: frozenset[str]

    def isa(self, *kinds: str) -> bool:
        """Whether the token is of one of these kinds."""
        return not self.traits.isdisjoint(kinds)


@lru_cache(WORD_CACHE)
def make_token(text: str, base: str = "", forms: str = "") -> Token:
    """The token of a word; base and forms are looked up when they are not given."""
    if not base:
        verb = as_verb(text)
        base, forms = base_form(text), verb.forms if verb else ""
    word = noun(base)
    if word == base and forms:
        word = predicate(base)
    return Token(text, base, forms, word, _traits(text, base, forms))


NOTHING = Token("", "", "", "", frozenset())
USER = Token("user", "user", "", "user", frozenset(("user", "content")))
"""How the user is named where a fact speaks of them as somebody's object."""

_BY_BASE = frozenset(("user", "role", "time"))
_EMPTY = ("article", "determiner", "possessive", "he", "she", "they", "it", "conjunction", "be", "do", "have", "weak")


def _traits(text: str, base: str, forms: str) -> frozenset[str]:
    table = lexicon()
    traits = {name for name, words in table.kinds.items() if (base if name in _BY_BASE else text) in words}
    if text in ",.":
        return frozenset((*traits, "break"))
    if text == "'s":
        return frozenset(("owner's", "opener"))
    if text in table.prepositions:
        traits |= {"preposition", "opener"}
    if not traits.isdisjoint(("article", "determiner", "possessive")):
        traits.add("opener")  # a noun follows, no verb
    if text.endswith("ly") and not forms and "ly" not in traits:
        traits.add("adverb")
    if not traits.isdisjoint(("article", "possessive", "negation", "weak", "adverb")):
        traits.add("filler")
    is_copula = bool(forms) and predicate(base) == "be"
    if traits.isdisjoint(_EMPTY) and text not in table.prepositions and not is_copula:
        traits.add("content")
    return frozenset(traits)


def tokens_of(words: Sequence[str]) -> list[Token]:
    """Words to tokens, with numbers taken together ("twenty", "one" -> 21) and phrases replaced."""
    tokens: list[Token] = []
    place = 0
    while place < len(words):
        value, taken = _number_at(words, place)
        if not taken:
            tokens.append(make_token(words[place]))
            place += 1
            continue
        place += taken
        years = _years_at(words, place) if value else 0
        mark = AGE if years else NUMBER
        tokens.append(Token(mark, value, "", "", frozenset(("number",))) if value else make_token("one"))
        place += years
    return _rewritten(lexicon().noun_phrases, _rewritten(lexicon().predicate_phrases, tokens))


def _years_at(words: Sequence[str], place: int) -> int:
    """How many words say that the number before them is an age."""
    following = tuple(words[place : place + 3])
    if not following or following[0] not in ("year", "years", "yr", "yrs"):
        return 0
    return 2 if following[1:2] == ("old",) else 3 if following[1:] == ("of", "age") else 0


def _number_at(words: Sequence[str], place: int) -> tuple[str, int]:
    """The number that begins at a place and how many words it takes; an empty number is one that says "a"."""
    word = words[place]
    table = lexicon().numbers
    if word != "one" and word not in table:
        if word.isalpha() or not any(char.isdigit() for char in word):
            return "", 0
        if word == "1" and _counts_one(words[place + 1 : place + 2]):
            return "", 1
        return (str(int(word)) if word.isdecimal() and len(word) < 20 else word), 1
    total, taken = 0, 0
    for following in words[place:]:
        value = "1" if following == "one" and (not taken or total % 100 >= 20) else table.get(following, "")
        if value and not value.isdecimal() and not taken:
            return value, 1
        number = int(value) if value.isdecimal() else -1
        if number < 0 or (taken and not _goes_on(total, number)):
            break
        total = max(total, 1) * number if number >= 100 else total + number
        taken += 1
    return ("", 0) if taken == 1 and word == "one" else (str(total), taken)


def _goes_on(total: int, number: int) -> bool:
    """Whether a number word goes on with the number before it: "twenty one", "two hundred"."""
    return number >= 100 or (number < 10 and total % 10 == 0 and total % 100 >= 20)


def _counts_one(following: Sequence[str]) -> bool:
    """Whether a figure 1 stands before what it counts, where "a" could stand too."""
    return bool(following) and following[0].isalpha() and not make_token(following[0]).isa("weak", "preposition")


def _rewritten(phrases: Phrases, tokens: list[Token]) -> list[Token]:
    """Phrases in their one-word form: "is a big fan of" -> like. The form of the first word stays."""
    keys = phrases.keys() & {word for token in tokens for word in token[:2]}
    if not keys:
        return tokens
    found: dict[str, list[Phrase]] = {}
    for key in keys:
        for phrase in phrases[key]:
            found.setdefault(phrase.words[0], []).append(phrase)
    result: list[Token] = []
    place = 0
    while place < len(tokens):
        token = tokens[place]
        candidates = {*found.get(token.base, ()), *found.get(token.text, ())}
        for phrase in sorted(candidates, key=_longest_first):
            match = _matched(phrase, tokens, place)
            if match:
                result += match[0]
                place = match[1]
                break
        else:
            result.append(token)
            place += 1
    return result


def _longest_first(phrase: Phrase) -> tuple[int, tuple[str, ...]]:
    return -len(phrase.words), phrase.words


def _matched(phrase: Phrase, tokens: Sequence[Token], place: int) -> tuple[list[Token], int] | None:
    """What stands for a phrase found at a place, and where it ends. Articles, adverbs and "not" may stand between."""
    first = tokens[place]
    kept: list[Token] = []
    for expected in phrase.words[1:]:
        place += 1
        while place < len(tokens) and expected not in (tokens[place].text, tokens[place].base):
            if "filler" not in tokens[place].traits:
                return None
            if "negation" in tokens[place].traits:
                kept.append(tokens[place])
            place += 1
        if place >= len(tokens):
            return None
    instead = [make_token(word) for word in phrase.instead]
    if first.forms and "can" not in instead[0].traits:
        instead[0] = make_token(first.text, phrase.instead[0], first.forms)
    return [*instead, *kept], place + 1


def unfronted(tokens: list[Token]) -> list[Token]:
    """ "On weekends, she paints" as "she paints, on weekends"."""
    while tokens and "break" in tokens[0].traits:
        tokens = tokens[1:]
    if not tokens or not tokens[0].isa("preposition", "conjunction"):
        return tokens
    comma = next((place for place, token in enumerate(tokens[:LONGEST_OPENING]) if token.text == ","), 0)
    if not comma:
        return tokens
    opening, rest = tokens[:comma], tokens[comma + 1 :]
    end = next((place for place, token in enumerate(rest) if token.text == "."), len(rest))
    return [*rest[:end], *opening, *rest[end:]]


def skip_adverbs(tokens: Sequence[Token], place: int) -> int:
    """The next place that holds no adverb."""
    while place < len(tokens) and "adverb" in tokens[place].traits:
        place += 1
    return place


def content(tokens: Sequence[Token]) -> list[str]:
    """What the tokens say, each as the word that stands for its synonyms."""
    return [token.word for token in tokens if "content" in token.traits]


def is_known(word: str) -> bool:
    """Whether a word is in one of the tables of nouns, so that it is no name."""
    return word in lexicon().known or word in kind("grammar")
