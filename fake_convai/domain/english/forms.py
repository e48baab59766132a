"""Base forms of English words, by rule where the tables have no entry.

They undo inflection only ("hiking", "hikes" -> "hike"). `stem` goes further, and is used only to compare words that
stand in the same place of two facts.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from fake_convai.domain.english.tables import Verb, lexicon

WORD_CACHE = 20_000
"""How many words keep their base form at hand; the rest is worked out again."""

_BRITISH_OUR = re.compile(r"(?<=[a-z]{3})our(?=(?:s|ed|ing|ite|ites|hood|hoods|able|ful|less|ly|er|ers)?$)")
_BRITISH_ISE = re.compile(r"(?<=[a-z]{3})is(?=(?:e|ed|es|ing|ation|ations|er|ers)$)")


def american(word: str) -> str:
    """The American spelling, by rule: "favourite" -> "favorite", "organise" -> "organize"."""
    if "our" in word:
        return _BRITISH_OUR.sub("or", word)
    if "is" in word and not any(word.startswith(stem[:-1]) for stem in lexicon().ises):
        return _BRITISH_ISE.sub("iz", word)
    return word


def as_verb(word: str) -> Verb | None:
    """The word as a form of a known verb, or None."""
    words = lexicon()
    if word in words.irregular_verbs:
        return words.irregular_verbs[word]
    if word in words.verbs:
        return Verb(word, "b")
    if not word.endswith(("s", "ed", "ing")):
        return None
    adjective = word in words.asis  # "is married" is how it is, "married Leo" what happened
    for suffix, forms in (("ed", "p"),) if adjective else (("s", "s"), ("ed", "pq"), ("ing", "g")):
        for base in _without(word, suffix):
            if base in words.verbs:
                return Verb(base, forms)
    return None


def base_form(word: str) -> str:
    """The word without its inflection; a word of no table loses only a plural ending."""
    words = lexicon()
    if word in words.asis:
        return word
    if word in words.plurals:
        return words.plurals[word]
    if word in words.known and word not in words.irregular_verbs:
        return word
    verb = as_verb(word)
    if verb is not None:
        return verb.base
    if not word.endswith("s"):
        return word
    for base in _without(word, "s"):
        if base in words.known:
            return base
    return _singular(word)


def doer_of(word: str) -> str | None:
    """What somebody does who is a ...: "painter" -> "paint"; None for what is no doer."""
    for ending in ("er", "or"):
        for base in _without(word, ending):
            if base in lexicon().verbs or base in lexicon().irregular_verbs:
                return base
    return None


@lru_cache(WORD_CACHE)
def stem(word: str) -> str:
    """What is left of a word without the ending that makes it another part of speech: "continuation" -> "continu"."""
    if word in lexicon().known:
        return word
    for ending in _ENDINGS if word.endswith(_ENDINGS) else ():
        if word.endswith(ending) and len(word) - len(ending) > 3:
            return word[: -len(ending)]
    return word


_ENDINGS = (
    "ations", "ation", "ements", "ement", "ments", "ment", "ances", "ance", "ence", "ings", "ing", "ness", "ions",
    "ion", "ive", "ful", "ity", "ers", "ors", "ies", "ely", "ed", "er", "or", "al", "ly",
)  # fmt: skip
"""Longest first where one ends with the other."""


def _without(word: str, suffix: str) -> Iterator[str]:
    """The bases that may lie behind an inflected form, likeliest first."""
    if not word.endswith(suffix) or len(word) < len(suffix) + 2 or word.endswith("ss"):
        return
    cut = word[: -len(suffix)]
    if suffix == "s":
        yield cut
        if word.endswith("es"):
            yield cut[:-1]
    else:
        yield cut + "e"
        yield cut
        if len(cut) > 2 and cut[-1] == cut[-2]:
            yield cut[:-1]
    if word.endswith(("ies", "ied", "ier")):
        yield word[:-3] + "y"


def _singular(word: str) -> str:
    if len(word) < 4 or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("sses", "shes", "ches", "xes")) else word[:-1]
