"""Texts for the deduplication: the form that tells a repeat, the words, and whether they are English."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from fake_convai.domain.dedup_words import Phrase, american, as_verb, kind, lexicon

MAX_LENGTH, MAX_WORDS = 960, 80
"""A longer text is a story and not one fact: it is only ever merged with its repeat, and never kept in a cache."""

TEXT_CACHE = 4096

_KEPT_SIGNS = frozenset("#%@&*+/")
"""Punctuation that tells things apart: C# from C, 5% from 5."""

_SIGN_IN_NUMBER = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_BEYOND_LATIN = re.compile(r"[^\W\d_\u0000-\u024f\u1e00-\u1eff]")
_TORN = re.compile(r"(?<=\w) '(?=(?:s|t|m|d|re|ve|ll)\b)")
"""Contractions in texts that were cut into words: "it 's"."""

_TITLE = re.compile(r"\b(mr|mrs|ms|dr|prof|st|jr|sr)\.")
_UNIT = re.compile(r"(?<=\d)(am|pm|km|kg|cm|mm|lbs?|mph|ft|gb|mb|hrs?|mins?|years?)\b")
_TOKEN = re.compile(
    r"(?P<code>(?:(?<!\S)-)?(?:[^\W\d_]{1,6}-)?[^\W_]*\d[^\W_]*(?:[.,:/-][^\W_]*\d[^\W_]*)*)"
    r"|(?P<word>(?:[^\W\d_]\.){2,}|[^\W\d_]+(?:['\u2019][^\W\d_]+)*(?:['\u2019](?=\s)|[+#]+(?!\w))?)"
    r"|(?P<sign>[^\w\s])"
)
_BREAKS = frozenset(',;:.!?()[]{}"\u2026\u2014\u2013\u201c\u201d')
_SPOKEN = {"%": "percent", "$": "dollar", "€": "euro", "£": "pound", "&": "and", "°": "degree"}
LABEL_A = "\u1d00"
"""Stands for a capital A that is a label ("plan A") and not an article."""

_LABEL = re.compile(r"(?<=[a-z] )A(?=\s*(?:$|[.,;:!?)]|(?:and|or|in|on|at|with|for|from|to|by)\b))")


def exact_form(text: str) -> str:
    """What two texts must have in common to be the same words in any language: letters, digits and symbols.

    Compatibility forms, case, white space and punctuation do not count; signs inside numbers and symbols such as
    "C++" or an emoji do.
    """
    return _exact_form(text) if len(text) <= MAX_LENGTH else _exact_form.__wrapped__(text)


@lru_cache(TEXT_CACHE)
def _exact_form(text: str) -> str:
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    plain = _SIGN_IN_NUMBER.sub("", plain)
    if plain.isascii() and not _MAY_JOIN_NUMBER.search(plain):
        return " ".join(plain.translate(_COUNTED_ASCII).split()) or " ".join(plain.split())
    kept = []
    for place, char in enumerate(plain):
        instead = _counted(char)
        if instead == " " and char in ".,:-" and _joins_number(plain, place):
            instead = char
        kept.append(instead)
    return " ".join("".join(kept).split()) or " ".join(plain.split())


@lru_cache(4096)
def _counted(char: str) -> str:
    """The character itself when it counts, a space when it only parts words, else nothing."""
    category = unicodedata.category(char)
    if category[0] in "LMNS" or category in ("Cs", "Co", "Cn") or char in _KEPT_SIGNS:
        return char
    return "" if char in "'\u2019" or category == "Cf" else " "


_MAY_JOIN_NUMBER = re.compile(r"[.,:-]\d")
_COUNTED_ASCII = {place: _counted(chr(place)) for place in range(128)}


def _joins_number(text: str, place: int) -> bool:
    """Whether a sign belongs to a number: 3.5, 7:30, 2024-01-05, -18."""
    if not text[place + 1 : place + 2].isdigit():
        return False
    before = text[place - 1 : place] if place else ""
    return before.isdigit() or (text[place] == "-" and (not before or before.isspace()))


def english_words(text: str) -> tuple[str, ...] | None:
    """The lower-case words of an English fact with "," and "." where the flow breaks; None when the rules must not
    read it: another language or script, no sign of English, or too long."""
    if len(text) > MAX_LENGTH or _BEYOND_LATIN.search(text):
        return None
    words = _expanded(_tokens(text))
    if not words or len(words) > MAX_WORDS or not _is_english(words):
        return None
    return tuple(american(word) for word in words)


def _tokens(text: str) -> list[str]:
    text = _LABEL.sub(LABEL_A, unicodedata.normalize("NFKC", text).replace("\u2019", "'"))
    text = _TORN.sub("'", text)
    text = _SIGN_IN_NUMBER.sub("", _TITLE.sub(r"\1", text.casefold()))
    tokens: list[str] = []
    for match in _TOKEN.finditer(_UNIT.sub(r" \1", text)):
        token = match.group()
        if match.lastgroup != "sign":
            tokens.append(token)
        elif token in _BREAKS:
            tokens.append("," if token in ",()" else ".")
        elif token in _SPOKEN:
            tokens.append(_SPOKEN[token])
        elif unicodedata.category(token)[0] == "S":
            tokens.append(token)
    return tokens


def _expanded(tokens: list[str]) -> list[str]:
    """Contractions in full, and the possessive as a word of its own: "'s"."""
    contractions = lexicon().contractions
    words: list[str] = []
    place = 0
    while place < len(tokens):
        found = _contraction(contractions.get(tokens[place], ()), tokens, place)
        if found:
            words.extend(found.instead)
            place += len(found.words)
            continue
        token = tokens[place]
        place += 1
        stem = token[:-2] if token.endswith("'s") else token[:-1] if token.endswith("s'") else ""
        following = tokens[place] if place < len(tokens) else ""
        if stem and _is_short_for_is(stem, following):
            words.extend((stem, "is"))
        elif stem:
            words.extend((stem, "'s"))
        else:
            words.append("'s" if token == "s" and words else token.replace("'", ""))
    return words


def _contraction(phrases: Sequence[Phrase], tokens: Sequence[str], place: int) -> Phrase | None:
    for phrase in phrases:
        if phrase.words == tuple(tokens[place : place + len(phrase.words)]):
            return phrase
    return None


def _is_short_for_is(stem: str, following: str) -> bool:
    """Tells "name's Ana" and "user's a nurse" from "user's nurse"."""
    if stem in ("name", "here", "what", "who", "where", "let") or following in ("a", "an", "the", "not", "been", "my"):
        return True
    return following in kind("weak") - {"own", "same", "other"}


def _is_english(words: list[str]) -> bool:
    table = lexicon()
    grammar = table.kinds["grammar"]
    signs = foreign = 0
    shared = set(words) & table.shared
    for word in words:
        if word in table.foreign:
            foreign += 1
        elif word == "'s" or (word not in table.shared and (word in grammar or as_verb(word) is not None)):
            signs += 1
    return signs > foreign or (not foreign and (words[0] == "i" or len(shared) > 1))
