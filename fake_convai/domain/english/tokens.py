"""An English text as tokens: base forms, numbers as values, contractions in full, phrases in their one-word form."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from fake_convai.domain.english import kind
from fake_convai.domain.english.forms import WORD_CACHE, american, as_verb, base_form, stem
from fake_convai.domain.english.tables import HALVES, Phrase, lexicon

MAX_LENGTH, MAX_WORDS = 960, 80
"""A longer text is a story and not one fact."""

NUMERIC = "#"
AGE = "#years"
"""What stands in the text where a number was; its value is the token's base, with the sign before it its word."""

_SIGN_IN_NUMBER = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_BEYOND_LATIN = re.compile(r"[^\W\d_\u0000-\u024f\u1e00-\u1eff]")
_TORN = re.compile(
    r"(?<=\w) '(?=(?:s|t|m|d|re|ve|ll)\b)|(?<=\w) '?(?=(?:re|ve|ll)\b)|(?<=\bi) (?=[md]\b)|(?<=n) '?(?=t\b)"
)
"""Contractions in texts that were cut into words: "it 's", "i m", "couldn 't"."""

_TOKEN = re.compile(
    r"[^\W\d_]+(?=[\s,]|\.?$)"  # first, since most are plain words
    r"|(?:(?<!\S)-)?(?:[^\W\d_]{1,6}-)?[^\W_]*\d[^\W_]*(?:[.,:/-][^\W_]*\d[^\W_]*)*"
    r"|(?:[^\W\d_]\.){2,}|[^\W\d_]+(?:['\u2019][^\W\d_]+)*(?:['\u2019](?=\s)|[+#]+(?!\w))?"
    r"|[^\w\s]"
)
_SIGNS = {
    **dict.fromkeys(",()", ","),
    **dict.fromkeys(';:.!?[]{}"\u2026\u2014\u2013\u201c\u201d', "."),
    **dict(zip("%$€£&°", ("percent", "dollar", "euro", "pound", "and", "degree"), strict=True)),
}
LABEL_A = "\u1d00"
"""Stands for a capital A that is a label ("plan A") and not an article."""

_LABEL = re.compile(r"(?<=[a-z] )A(?=\s*(?:$|[.,;:!?)]|(?:and|or|in|on|at|with|for|from|to|by)\b))")
_UNIT = re.compile(r"(.*\d)(am|pm|km|kg|cm|mm|lbs?|mph|ft|gb|mb|hrs?|mins?|years?)")
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th)")


@dataclass(slots=True, eq=False)
class Token:
    """One word: as written, its base form, which verb forms it may be (`tables.Verb`), the word that stands for its
    synonyms, the same if it is read as a verb, what is compared, and what kind of word it is (`kinds`)."""

    text: str
    base: str
    forms: str
    word: str
    verb: str
    stem: str
    kinds: int


NOTHING = Token("", "", "", "", "", "", 0)


@lru_cache(WORD_CACHE)
def make_token(text: str, base: str = "", forms: str = "") -> Token:
    """The token of a word; base and forms are looked up when they are not given."""
    table = lexicon()
    text = american(text)
    verb = base
    if not base:
        found = as_verb(text)
        base = base_form(text)
        verb, forms = found or (base, "")
    word = table.nouns.get(base, base)
    if word == base and forms:
        word = table.predicates.get(base, base)
    return Token(text, base, forms, word, table.predicates.get(verb, verb), stem(word), _kinds(text, base, forms, word))


@lru_cache(WORD_CACHE)
def _number(value: str, *, age: bool) -> Token:
    return Token(AGE if age else NUMERIC, value, "", NUMERIC + value, "", NUMERIC + value, kind.NUMBER)


_BY_BASE = kind.USER | kind.ROLE | kind.TIME | kind.DATE | kind.HOUR
_BY_MEANING = kind.TIME | kind.DATE | kind.HOUR
_EMPTY = (
    kind.MARKED | (kind.PRONOUN & ~kind.SELF) | kind.CONJUNCTION | kind.BE | kind.DO | kind.HAVE | kind.WEAK
    | kind.NEGATION | kind.PREPOSITION
)  # fmt: skip
_ENDINGS = ("s", "ed", "ing", "ly")
_MARKS = {",": kind.BREAK, ".": kind.BREAK | kind.STOP, "'s": kind.OWNERS | kind.OPENER | kind.SIGN}


def _kinds(text: str, base: str, forms: str, word: str) -> int:
    if text in _MARKS:
        return _MARKS[text]
    table = lexicon()
    of = table.kinds.get
    kinds = (of(text, 0) & ~_BY_BASE) | (of(base, 0) & _BY_BASE) | (of(word, 0) & _BY_MEANING)
    known = kinds or forms or text in table.special or text.endswith(_ENDINGS)
    if not known and text == base == word and text.isalpha():
        return kind.CONTENT
    is_auxiliary = base in ("be", "have", "do") and forms not in ("", "q", "g")
    is_modal = bool(kinds & (kind.CAN | kind.MAYBE | kind.MUST | kind.WILL | kind.WOULD))
    is_adverb = text in table.adverbs or (text.endswith("ly") and not forms and text not in table.lys)
    is_foreign = text in table.foreign
    is_shared = text in table.shared and not is_foreign
    for bit, holds in (
        (kind.MODAL, is_modal),
        (kind.FINITE, is_modal or is_auxiliary or "s" in forms or "p" in forms),
        (kind.VERBAL, text.isalpha() and (forms or is_modal or text.endswith(("s", "ed")))),
        (kind.HELPER, is_modal or base in ("be", "have", "do", "need", "use")),
        (kind.NAMING, word == "name" and "q" in forms),
        (kind.PLURAL, text in table.plurals or (text != base and text.endswith("s"))),
        (kind.OPENER, text == "one" or kinds & (kind.PREPOSITION | kind.MARKED)),  # a noun follows, no verb
        (kind.ADVERB, is_adverb),
        (kind.FILLER, is_adverb or kinds & (kind.ARTICLE | kind.POSSESSIVE | kind.NEGATION | kind.WEAK)),
        (kind.CONTENT, not kinds & _EMPTY and not (forms and word == "be")),
        (kind.FOREIGN, is_foreign),
        (kind.SHARED, is_shared),
        (kind.SIGN, not is_foreign and not is_shared and (forms or text in table.grammar)),
        (kind.KNOWN, word in table.known or word in table.grammar),
        (kind.NUMERAL, text in table.numbers or (not text.isalpha() and any(map(str.isdigit, text)))),
        (kind.RARE, text in table.phrases or base in table.phrases),
        (kind.HALF, text == "'s" or text in HALVES),
    ):
        if holds:
            kinds |= bit
    return kinds


def tokens_of(text: str) -> tuple[list[Token], int]:
    """The tokens of an English text and all their kinds; no tokens when the rules must not read it: another language or
    script, no sign of English, or too long."""
    if len(text) > MAX_LENGTH or (not text.isascii() and _BEYOND_LATIN.search(text)):
        return [], 0
    tokens, kinds = _pieces(_cleaned(text))
    if kinds & kind.HALF:
        tokens, kinds = _pieces(_TORN.sub("'", _cleaned(text)))
    if kinds & (kind.TITLE | kind.OWNERS):
        tokens = _mended(tokens)
    if kinds & kind.NUMERAL:
        tokens = _numbered(tokens)
        kinds |= kind.NUMBER
    if not tokens or len(tokens) > MAX_WORDS or not _is_english(tokens, kinds):
        return [], 0
    if kinds & kind.RARE:
        tokens = _rewritten(tokens)
        kinds = 0
        for token in tokens:
            kinds |= token.kinds
    return tokens, kinds


def _cleaned(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).replace("\u2019", "'")
    return (_LABEL.sub(LABEL_A, text) if " A" in text else text).casefold()


def _mended(tokens: Sequence[Token]) -> list[Token]:
    """ "Dr. Lee" without its point; "the user's a nurse" with "is"."""
    mended: list[Token] = []
    for token in tokens:
        if token.text in _AFTER_IS and mended and mended[-1].kinds & kind.OWNERS:
            mended[-1] = make_token("is")
        if token.text != "." or not mended or not mended[-1].kinds & kind.TITLE:
            mended.append(token)
    return mended


_AFTER_IS = frozenset(("a", "an", "the", "not", "been", "my", "very", "really"))


def _pieces(text: str) -> tuple[list[Token], int]:
    """The tokens of a text as it is, and all their kinds."""
    tokens: list[Token] = []
    kinds = 0
    for some in map(_tokens_for, _TOKEN.findall(text)):
        tokens += some
    for token in tokens:
        kinds |= token.kinds
    return tokens, kinds


@lru_cache(WORD_CACHE)
def _tokens_for(piece: str) -> tuple[Token, ...]:
    """Contractions in full, the possessive as a word of its own, a unit apart from its number."""
    if piece in lexicon().contractions:
        return tuple(map(make_token, lexicon().contractions[piece]))
    if piece in _SIGNS:
        return (make_token(_SIGNS[piece]),)
    if not piece[0].isalnum() and len(piece) == 1 and unicodedata.category(piece)[0] != "S":
        return ()
    unit = _UNIT.fullmatch(piece) if not piece.isalpha() else None
    if unit:
        return (*_tokens_for(unit[1]), make_token(unit[2]))
    if piece == "s":
        return (make_token("'s"),)
    if piece.endswith(("'s", "s'")):
        return (make_token(piece.removesuffix("'s").removesuffix("'").replace("'", "")), make_token("'s"))
    return (make_token(_SIGN_IN_NUMBER.sub("", piece.replace("'", ""))),)


def _is_english(tokens: Sequence[Token], kinds: int) -> bool:
    shared = {token.text for token in tokens if token.kinds & kind.SHARED} if kinds & kind.SHARED else set()
    if kinds & kind.FOREIGN:
        signs = sum(1 for token in tokens if token.kinds & kind.SIGN)
        foreign = sum(1 for token in tokens if token.kinds & kind.FOREIGN)
        return signs > foreign or (signs == foreign == 1 and bool(shared))  # a name may be a word elsewhere: Ben
    return bool(kinds & kind.SIGN) or tokens[0].text == "i" or len(shared) > 1


# Numbers


def _numbered(tokens: Sequence[Token]) -> list[Token]:
    """Numbers taken together: "twenty", "one" -> 21; "3 times" as "3x", "March 4th" as 4."""
    result: list[Token] = []
    place = 0
    while place < len(tokens):
        token = tokens[place]
        value, taken = _number_at(tokens, place) if token.kinds & kind.NUMERAL else ("", 1)
        place += taken
        if not value:
            result.append(token)
            continue
        following = [token.text for token in tokens[place : place + 3]]
        years = 0
        if following and following[0] in ("year", "years", "yr", "yrs"):
            years = 2 if following[1:2] == ["old"] else 3 if following[1:] == ["of", "age"] else 0
        result.append(_number(value, age=years > 0))
        place += years or (following[:1] == ["times"])
    return result


def _number_at(tokens: Sequence[Token], place: int) -> tuple[str, int]:
    """The number that begins at a place, and how many tokens it takes; an empty number for "one", which says "a"."""
    word = tokens[place].text
    table = lexicon().numbers
    if word not in table:
        ordinal = _ORDINAL.fullmatch(word)
        return (str(int(word)) if word.isdecimal() and len(word) < 20 else ordinal[1] if ordinal else word), 1
    total, taken = 0, 0
    for token in tokens[place:]:
        value = table.get(token.text, "")
        if value and not value.isdecimal() and not taken:
            return value.rstrip("sthndrx"), 1
        number = int(value) if value.isdecimal() else -1
        if number < 0 or (taken and not (number >= 100 or (number < 10 and total % 10 == 0 and total % 100 >= 20))):
            break
        total = max(total, 1) * number if number >= 100 else total + number
        taken += 1
    return ("" if taken == 1 and word == "one" else str(total)), taken


# Phrases


def _rewritten(tokens: list[Token]) -> list[Token]:
    """Phrases in their one-word form: "is a big fan of" -> like."""
    found = _phrases_in(tokens)
    if not found:
        return tokens
    result: list[Token] = []
    end = 0
    for start, stop, instead in sorted(found, key=lambda match: (match[0], -match[1])):
        if start >= end:
            result += (*tokens[end:start], *instead)
            end = stop
    return [*result, *tokens[end:]]


def _phrases_in(tokens: Sequence[Token]) -> list[tuple[int, int, list[Token]]]:
    """Where each phrase begins and ends, and what stands for it."""
    phrases = lexicon().phrases
    words = set()
    for token in tokens:
        words.add(token.text)
        words.add(token.base)
    possible = [phrase for word in words & phrases.keys() for phrase in phrases[word] if phrase.needed <= words]
    return [
        (start, *match)
        for phrase in possible
        for start, token in enumerate(tokens)
        if phrase.words[0] in (token.text, token.base) and (match := _matched(phrase, tokens, start))
    ]


def _matched(phrase: Phrase, tokens: Sequence[Token], place: int) -> tuple[int, list[Token]] | None:
    """Where a phrase that begins at a place ends, and what stands for it. Fillers may stand between its words."""
    first = tokens[place]
    kept: list[Token] = []
    for expected in phrase.words[1:]:
        place += 1
        while place < len(tokens) and expected not in (tokens[place].text, tokens[place].base):
            if not tokens[place].kinds & kind.FILLER:
                return None
            if tokens[place].kinds & kind.NEGATION:
                kept.append(tokens[place])
            place += 1
        if place >= len(tokens):
            return None
    instead = [make_token(word) for word in phrase.instead]
    if first.forms and not instead[0].kinds & kind.CAN:
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
