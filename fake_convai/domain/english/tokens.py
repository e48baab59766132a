"""An English text as tokens: base forms, numbers as values, contractions in full, phrases in their one-word form."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from fake_convai.domain.english.forms import WORD_CACHE, american, as_verb, base_form, stem
from fake_convai.domain.english.tables import Phrase, kind, lexicon

MAX_LENGTH, MAX_WORDS = 960, 80
"""A longer text is a story and not one fact."""

NUMBER = "#"
AGE = "#years"
"""What stands in the text where a number was; its value is the token's base, with the sign before it its word."""

SIGN_IN_NUMBER = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_BEYOND_LATIN = re.compile(r"[^\W\d_\u0000-\u024f\u1e00-\u1eff]")
_TORN = re.compile(
    r"(?<=\w) '(?=(?:s|t|m|d|re|ve|ll)\b)|(?<=\w) '?(?=(?:re|ve|ll)\b)|(?<=\bi) (?=[md]\b)|(?<=n) '?(?=t\b)"
)
"""Contractions in texts that were cut into words: "it 's", "i m", "couldn 't"."""

_HALVES = frozenset(("'", "s", "t", "m", "d", "re", "ve", "ll"))
_DIGIT = re.compile(r"\d")

_TITLE = re.compile(r"\b(mr|mrs|ms|dr|prof|st|jr|sr)\.")
_UNIT = re.compile(r"(?<=\d)(am|pm|km|kg|cm|mm|lbs?|mph|ft|gb|mb|hrs?|mins?|years?)\b")
_TOKEN = re.compile(
    r"(?:(?<!\S)-)?(?:[^\W\d_]{1,6}-)?[^\W_]*\d[^\W_]*(?:[.,:/-][^\W_]*\d[^\W_]*)*"
    r"|(?:[^\W\d_]\.){2,}|[^\W\d_]+(?:['\u2019][^\W\d_]+)*(?:['\u2019](?=\s)|[+#]+(?!\w))?"
    r"|[^\w\s]"
)
_SIGNS = {
    **dict.fromkeys(",()", ","),
    **dict.fromkeys(';:.!?[]{}"\u2026\u2014\u2013\u201c\u201d', "."),
    "%": "percent",
    "$": "dollar",
    "€": "euro",
    "£": "pound",
    "&": "and",
    "°": "degree",
}
LABEL_A = "\u1d00"
"""Stands for a capital A that is a label ("plan A") and not an article."""

_LABEL = re.compile(r"(?<=[a-z] )A(?=\s*(?:$|[.,;:!?)]|(?:and|or|in|on|at|with|for|from|to|by)\b))")
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th)")


class Token(NamedTuple):
    """One word: as written, its base form, which verb forms it may be (`tables.Verb`), the word that stands for its
    synonyms, what is compared of that, and what kind of word it is: the classes of `words/function.txt` and those of
    `_traits`."""

    text: str
    base: str
    forms: str
    word: str
    stem: str
    traits: frozenset[str]

    def isa(self, *kinds: str) -> bool:
        """Whether the token is of one of these kinds."""
        return not self.traits.isdisjoint(kinds)


@lru_cache(WORD_CACHE)
def make_token(text: str, base: str = "", forms: str = "") -> Token:
    """The token of a word; base and forms are looked up when they are not given."""
    text = american(text)
    if not base:
        verb = as_verb(text)
        base, forms = base_form(text), verb.forms if verb else ""
    word = lexicon().nouns.get(base, base)
    if word == base and forms:
        word = lexicon().predicates.get(base, base)
    return Token(text, base, forms, word, stem(word), _traits(text, base, forms, word))


NOTHING = Token("", "", "", "", "", frozenset())

_BY_BASE = frozenset(("user", "role", "time", "date", "hour"))
_BY_MEANING = frozenset(("time", "date", "hour"))
_EMPTY = frozenset(
    ("article", "determiner", "possessive", "he", "she", "they", "it", "conjunction", "be", "do", "have", "weak",
     "negation")
)  # fmt: skip


def _traits(text: str, base: str, forms: str, word: str) -> frozenset[str]:
    table, none = lexicon(), frozenset[str]()
    if text in _MARKS:
        return _MARKS[text]
    if not forms and text == base == word and text not in table.every and not text.endswith(("s", "ly")):
        return _UNKNOWN
    given = (table.kinds_of.get(text, none) - _BY_BASE) | (table.kinds_of.get(base, none) & _BY_BASE)
    given |= table.kinds_of.get(word, none) & _BY_MEANING
    is_preposition = text in table.prepositions
    is_auxiliary = base in ("be", "have", "do") and forms not in ("", "q", "g")
    is_modal = not given.isdisjoint(("can", "maybe", "must", "will", "would"))
    is_adverb = "adverb" in given or (text.endswith("ly") and not forms and "ly" not in given)
    is_word = text not in table.foreign and text not in table.shared and bool(forms or text in table.grammar)
    found = {
        "finite": is_modal or is_auxiliary or "s" in forms or "p" in forms,
        "modal": is_modal,
        "plural": text in table.plurals or (text != base and text.endswith("s")),
        "preposition": is_preposition,
        "opener": is_preposition or text == "one" or not given.isdisjoint(_DETERMINERS),  # a noun follows, no verb
        "adverb": is_adverb,
        "filler": is_adverb or not given.isdisjoint(("article", "possessive", "negation", "weak")),
        "content": not is_preposition and given.isdisjoint(_EMPTY) and not (forms and word == "be"),
        "foreign": text in table.foreign,
        "shared": text in table.shared and text not in table.foreign,
        "sign": is_word,
        "opposite": text in table.opposites,
        "known": word in table.known or word in table.grammar,
    }
    return given.union([name for name, holds in found.items() if holds])


_UNKNOWN = frozenset(("content",))
_DETERMINERS = frozenset(("article", "determiner", "possessive"))
_MARKS = {
    ",": frozenset(("break",)),
    ".": frozenset(("break", "stop")),
    "'s": frozenset(("owner's", "opener", "sign")),
}


def tokens_of(text: str) -> list[Token] | None:
    """The tokens of an English text; None when the rules must not read it: another language or script, no sign of
    English, or too long."""
    if len(text) > MAX_LENGTH or (not text.isascii() and _BEYOND_LATIN.search(text)):
        return None
    tokens = _numbered(_words(text))
    if not tokens or len(tokens) > MAX_WORDS or not _is_english(tokens):
        return None
    return _rewritten(tokens)


def _words(text: str) -> list[str]:
    """The lower-case words, contractions in full and the possessive as a word of its own."""
    raw = _TOKEN.findall(_cleaned(text))
    if not _HALVES.isdisjoint(raw):
        raw = _TOKEN.findall(_TORN.sub("'", _cleaned(text)))
    contractions = lexicon().contractions
    words: list[str] = []
    for place, word in enumerate(raw):
        if word in contractions:
            words += contractions[word]
        elif word[0].isalnum():
            words += _parted(word, raw[place + 1] if place + 1 < len(raw) else "") if "'" in word else (word,)
        elif word in _SIGNS:
            words.append(_SIGNS[word])
        elif unicodedata.category(word[0])[0] == "S" or len(word) > 1:
            words.append(word)
    return words


def _cleaned(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).replace("\u2019", "'")
    if " A" in text:
        text = _LABEL.sub(LABEL_A, text)
    text = text.casefold()
    if "." in text:
        text = _TITLE.sub(r"\1", text)
    return _UNIT.sub(r" \1", SIGN_IN_NUMBER.sub("", text)) if _DIGIT.search(text) else text


def _parted(word: str, following: str) -> tuple[str, ...]:
    """A word with its possessive, which may be short for "is": "user's a nurse"."""
    owner = word[:-2] if word.endswith("'s") else word[:-1] if word.endswith("s'") else ""
    if not owner:
        return (word.replace("'", ""),)
    is_verb = owner in ("name", "here", "what", "who", "where", "let") or following in _AFTER_IS
    return (owner, "is" if is_verb or following in kind("weak") - _AFTER_OWNER else "'s")


_AFTER_IS = frozenset(("a", "an", "the", "not", "been", "my"))
_AFTER_OWNER = frozenset(("own", "same", "other"))


def _is_english(tokens: Sequence[Token]) -> bool:
    signs = foreign = 0
    shared = set()
    for token in tokens:
        traits = token.traits
        if "sign" in traits:
            signs += 1
        elif "foreign" in traits:
            foreign += 1
        elif "shared" in traits:
            shared.add(token.text)
    if foreign:
        return signs > foreign or bool(signs == foreign == 1 and shared)  # a name may be a word elsewhere: Ben
    return signs > 0 or tokens[0].text == "i" or len(shared) > 1


# Numbers


def _numbered(words: Sequence[str]) -> list[Token]:
    """Words to tokens, with numbers taken together: "twenty", "one" -> 21; "3 times" as "3x", "March 4th" as 4."""
    tokens: list[Token] = []
    numbers, skip = lexicon().numbers, 0
    for place, word in enumerate(words):
        if place < skip:
            continue
        if word.isalpha() and word not in numbers and word != "one":
            tokens.append(make_token("s" if word == "s" and not tokens else "'s" if word == "s" else word))
            continue
        value, taken = _number_at(words, place)
        if not taken:
            tokens.append(make_token(word))
            continue
        skip = place + taken
        years = _years_at(words, skip)
        if not value:
            tokens.append(make_token("one"))
        else:
            tokens.append(Token(AGE if years else NUMBER, value, "", NUMBER + value, NUMBER + value, _IS_NUMBER))
            skip += years or (words[skip : skip + 1] == ["times"])
    return tokens


_IS_NUMBER = frozenset(("number",))


def _years_at(words: Sequence[str], place: int) -> int:
    """How many words say that the number before them is an age."""
    following = words[place : place + 3]
    if not following or following[0] not in ("year", "years", "yr", "yrs"):
        return 0
    return 2 if following[1:2] == ["old"] else 3 if following[1:] == ["of", "age"] else 0


def _number_at(words: Sequence[str], place: int) -> tuple[str, int]:
    """The number that begins at a place and how many words it takes; an empty number is one that says "a"."""
    word = words[place]
    table = lexicon().numbers
    if word != "one" and word not in table:
        if word.isalpha() or not any(char.isdigit() for char in word):
            return "", 0
        following = words[place + 1 : place + 2]
        if word == "1" and following and following[0].isalpha() and not make_token(following[0]).isa("weak", "opener"):
            return "", 1
        ordinal = _ORDINAL.fullmatch(word)
        return (str(int(word)) if word.isdecimal() and len(word) < 20 else ordinal[1] if ordinal else word), 1
    total, taken = 0, 0
    for following_word in words[place:]:
        value = "1" if following_word == "one" and (not taken or total % 100 >= 20) else table.get(following_word, "")
        if value and not value.isdecimal() and not taken:
            return value.rstrip("sthndrx"), 1
        number = int(value) if value.isdecimal() else -1
        if number < 0 or (taken and not (number >= 100 or (number < 10 and total % 10 == 0 and total % 100 >= 20))):
            break
        total = max(total, 1) * number if number >= 100 else total + number
        taken += 1
    return ("", 0) if taken == 1 and word == "one" else (str(total), taken)


# Phrases


def _rewritten(tokens: list[Token], *, again: bool = True) -> list[Token]:
    """Phrases in their one-word form: "is a big fan of" -> like. What a phrase becomes may be part of another one."""
    found = _phrases_in(tokens)
    if not found:
        return tokens
    result: list[Token] = []
    end = 0
    for start, stop, instead in sorted(found, key=lambda match: (match[0], -match[1])):
        if start >= end:
            result += (*tokens[end:start], *instead)
            end = stop
    result += tokens[end:]
    return _rewritten(result, again=False) if again else result


def _phrases_in(tokens: Sequence[Token]) -> list[tuple[int, int, list[Token]]]:
    """Where each phrase begins and ends, and what stands for it."""
    phrases = lexicon().phrases
    words = {token.text for token in tokens}
    words.update([token.base for token in tokens])
    if "get" in words:
        words.add("have")
    possible = [phrase for word in words if word in phrases for phrase in phrases[word] if phrase.needed <= words]
    return [
        (start, *match)
        for phrase in possible
        for start in range(len(tokens))
        if _is_word(tokens[start], phrase.words[0]) and (match := _matched(phrase, tokens, start))
    ]


def _is_word(token: Token, word: str) -> bool:
    return word in (token.text, token.base) or (token.base == "get" and word == "have")


def _matched(phrase: Phrase, tokens: Sequence[Token], place: int) -> tuple[int, list[Token]] | None:
    """Where a phrase that begins at a place ends, and what stands for it. Fillers may stand between its words."""
    first = tokens[place]
    kept: list[Token] = []
    for expected in phrase.words[1:]:
        place += 1
        while place < len(tokens) and not _is_word(tokens[place], expected):
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
    return place + 1, [*instead, *kept]


# Texts as they were sent

_KEPT_SIGNS = frozenset("#%@&*+/")
"""Punctuation that tells things apart: C# from C, 5% from 5."""


def exact_form(text: str) -> str:
    """What two texts must have in common to be the same words in any language: letters, digits and symbols.

    Compatibility forms, case, white space and punctuation do not count; signs inside numbers and symbols such as
    "C++" or an emoji do.
    """
    plain = text.casefold() if text.isascii() else _composed(text)
    if "," in plain:
        plain = SIGN_IN_NUMBER.sub("", plain)
    if plain.isascii() and not _MAY_JOIN_NUMBER.search(plain):
        return " ".join(plain.translate(_COUNTED_ASCII).split()) or " ".join(plain.split())
    kept = []
    for place, char in enumerate(plain):
        instead = _counted(char)
        if instead == " " and char in ".,:-" and _joins_number(plain, place):
            instead = char
        kept.append(instead)
    return " ".join("".join(kept).split()) or " ".join(plain.split())


def _composed(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


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
