"""Base forms of English words, by rule where the tables have no entry.

They undo inflection only ("hiking", "hikes" -> "hike"). `stem` goes further, and is used only to compare words that
stand in the same place of two facts.
"""

import re
from functools import lru_cache

from fake_convai.domain.english.tables import Verb, lexicon

WORD_CACHE = 20_000
"""How many words keep what is known of them at hand; the rest is worked out again."""

_BRITISH_OUR = re.compile(r"(?<=[a-z]{3})our(?=(?:s|ed|ing|ite|ites|hood|hoods|able|ful|less|ly|er|ers)?$)")
_BRITISH_ISE = re.compile(r"(?<=[a-z]{3})is(?=(?:e|ed|es|ing|ation|ations|er|ers)$)")


def american(word: str) -> str:
    """The American spelling, by rule: "favourite" -> "favorite", "organise" -> "organize"."""
    if "our" in word:
        return _BRITISH_OUR.sub("or", word)
    return _BRITISH_ISE.sub("iz", word) if "is" in word and word not in lexicon().known and not as_verb(word) else word


def as_verb(word: str) -> Verb | None:
    """The word as a form of a known verb, or None."""
    return lexicon().verbs.get(word)


def base_form(word: str) -> str:
    """The word without its inflection; a word of no table loses only a plural ending."""
    words = lexicon()
    verb = words.verbs.get(word)
    if word in words.asis or (word in words.known and (verb is None or verb.base == word)):
        return word
    if word in words.plurals:
        return words.plurals[word]
    if verb is not None:
        return verb.base
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("sses", "shes", "ches", "xes")) else word[:-1]


@lru_cache(WORD_CACHE)
def stem(word: str) -> str:
    """What is left of a word without the ending that makes it another part of speech: "continuation" -> "continu"."""
    return word if word in lexicon().known else _ENDING.sub("", word)


_ENDING = re.compile(
    r"(?<=.{4})(?:ations?|ements?|ments?|ances?|ence|ings?|ness|ions?|ive|ful|ity|[eo]rs?|ies|ely|ate|ed|al|ly)$"
)
