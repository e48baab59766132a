"""An English text as tokens: base forms, numbers as values, contractions in full, phrases in their one-word form."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from operator import or_

from fake_convai.domain.english import kind
from fake_convai.domain.english.tables import WORD_CACHE, american, as_verb, base_form, lexicon, stem

MAX_LENGTH, MAX_WORDS = 960, 80  # a longer text is a story and not one fact

NUMERIC = "#"
"""What stands in the text where a number was; its value is the token's base, with the sign before it its word."""

_SIGN_IN_NUMBER = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_BEYOND_LATIN = re.compile(r"[^\W\d_\u0000-\u024f\u1e00-\u1eff]")
_TOKEN = re.compile(
    r"(?:(?<!\S)-)?(?:[^\W\d_]{1,6}-)?[^\W_]*\d[^\W_]*(?:[.,:/-][^\W_]*\d[^\W_]*)*"
    r"|(?:[^\W\d_]\.){2,}|[^\W\d_]+(?:['\u2019][^\W\d_]+)*(?:['\u2019]$|[+#]+(?!\w))?"
    r"|[^\w\s]"
)
_SIGNS = {"&": "and", **dict.fromkeys(",()", ","), **dict.fromkeys(';:.!?[]{}"\u2026\u2014\u2013\u201c\u201d', ".")}
LABEL_A = "labela"  # a capital A that is a label ("plan A") and not an article

_LABEL = re.compile(r"(?<=[a-z] )A(?=\s*(?:$|[.,;:!?)]|(?:and|or|in|on|at|with|for|from|to|by)\b))")
_MARK = re.compile(r"[^\w\s]|_")
_UNIT = re.compile(r"(?<=\d)(?=(?:am|pm|km|kg|cm|mm|lbs?|mph|ft|gb|mb|hrs?|mins?|years?)\b)")
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th|x)$")


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
_END = Token("", "", "", "", "", "", kind.BREAK | kind.PREPOSITION | kind.CONJUNCTION)


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
    word = table.nouns.get(text) or table.nouns.get(base, base)
    if word == base and forms:
        word = table.predicates.get(base, base)
    return Token(text, base, forms, word, table.predicates.get(verb, verb), stem(word), _kinds(text, base, forms, word))


_BY_MEANING = kind.GENERIC | kind.ROLE | kind.TIME | kind.DATE | kind.HOUR | kind.RARE | kind.KNOWN
_EMPTY = (
    kind.OPENER | (kind.PRONOUN & ~kind.SELF) | kind.CONJUNCTION | kind.BE | kind.DO | kind.HAVE | kind.WEAK
    | kind.NEGATION | kind.FORMER
)  # fmt: skip
_FILLER = kind.ADVERB | kind.ARTICLE | kind.POSSESSIVE | kind.NEGATION | kind.WEAK
_MARKS = {",": kind.BREAK, ".": kind.BREAK | kind.STOP, "'s": kind.OWNERS | kind.SIGN}


def _kinds(text: str, base: str, forms: str, word: str) -> int:
    if text in _MARKS:
        return _MARKS[text]
    of = lexicon().kinds.get
    kinds = of(text, 0) | ((of(base, 0) | of(word, 0)) & _BY_MEANING)
    numeral = 0 if text.isalpha() or not any(map(str.isdigit, text)) else kind.NUMERAL
    if not (kinds or forms) and text == base and text[-1] not in "sdy":
        return kind.CONTENT | numeral  # a name, say
    is_modal = kinds & kind.MODAL
    is_auxiliary = base in ("be", "have", "do") and forms not in ("", "q", "g")
    for bit, holds in (
        (kind.FINITE, is_modal or is_auxiliary or "s" in forms or "p" in forms),
        (kind.VERBAL, text.isalpha() and (forms or is_modal or text.endswith(("s", "ed")))),
        (kind.HELPER, is_modal or base in ("be", "have", "do", "need", "use")),
        (kind.NAMING, "q" in forms and base in ("name", "call")),
        (kind.PLURAL, text in lexicon().plurals or (text != base and text.endswith("s"))),
        (kind.ADVERB, text.endswith("ly") and not forms and not kinds & kind.LY),
        (kind.CONTENT, not kinds & _EMPTY and not (forms and word == "be")),
        (kind.SIGN, forms and not kinds & (kind.FOREIGN | kind.SHARED)),
    ):
        if holds:
            kinds |= bit
    return kinds | numeral


def tokens_of(text: str) -> tuple[list[Token], int]:
    """The tokens of an English text and all their kinds; no tokens when the rules must not read it: another language or
    script, no sign of English, or too long."""
    if len(text) > MAX_LENGTH or (not text.isascii() and _BEYOND_LATIN.search(text)):
        return [], 0
    text = unicodedata.normalize("NFKC", text).replace("\u2019", "'")
    text = (_LABEL.sub(LABEL_A, text) if " A" in text else text).casefold()
    tokens = _cut(text)
    kinds = 0
    for token in tokens:
        kinds |= token.kinds
    if not tokens or len(tokens) > MAX_WORDS or not _is_english(tokens, kinds):
        return [], 0
    if kinds & kind.NUMERAL:
        clocked = _CLOCK.sub(_in_24_hours, text) if any(map(text.__contains__, _CLOCKED)) else text
        tokens = _numbered(tokens if clocked == text else _cut(clocked))
    if not kinds & (kind.FINITE | kind.MARKED | kind.USER | kind.SELF):  # "allergic to nuts"
        tokens.insert(0, make_token("is"))
    if kinds & kind.RARE and (rewritten := _rewritten(tokens)):
        return rewritten, reduce(or_, [token.kinds for token in rewritten], kinds)
    return tokens, kinds


def _cut(text: str) -> list[Token]:
    return [token for piece in text.split() for token in _tokens_for(piece)]


@lru_cache(WORD_CACHE)
def _tokens_for(piece: str) -> tuple[Token, ...]:
    """What stands between two spaces: contractions in full, the possessive as a word of its own."""
    words: list[str] = []
    bare = piece.rstrip(".,")
    is_plain = bare.isalpha() or bare.isdecimal()
    for part in (bare, *piece[len(bare) :]) if is_plain else _TOKEN.findall(_UNIT.sub(" ", piece)):
        if part in lexicon().contractions:
            words += lexicon().contractions[part]
        elif part.endswith(("'s", "s'")):
            words += (part.removesuffix("'s").replace("'", ""), "'s")
        elif len(part) > 1 or part.isalnum() or part in _SIGNS or unicodedata.category(part)[0] == "S":
            words.append(part if part.isalnum() else _SIGNS.get(part) or _SIGN_IN_NUMBER.sub("", part.replace("'", "")))
    return tuple(map(make_token, words))


def _is_english(tokens: Sequence[Token], kinds: int) -> bool:
    if kinds & (kind.SIGN | kind.FOREIGN) == kind.SIGN:
        return True
    bits = kind.SIGN, kind.FOREIGN, kind.SHARED
    signs, foreign, shared = (len({token.text for token in tokens if token.kinds & bit}) for bit in bits)
    is_some = signs > foreign or (signs == foreign == 1 and shared > 0)  # a name may be a word elsewhere: Ben
    return is_some if foreign else bool(kinds & (kind.SHARED | kind.KNOWN))


def _numbered(tokens: Sequence[Token]) -> list[Token]:
    """Numbers as tokens of their value, number words taken together: "twenty", "one" -> 21. "One" alone says "a"."""
    table = lexicon().numbers
    result: list[Token] = []
    total = -1  # of the number words just before
    for token in tokens:
        value = table.get(token.text, "") if token.kinds & kind.NUMERAL else ""
        number = int(value) if value.isdecimal() else -1
        if total >= 0 and (number >= 100 or (0 < number < 10 and total % 10 == 0 and total % 100 >= 20)):
            result.pop()
            total = total * number if number >= 100 else total + number
        else:
            total = number
        if token.kinds & kind.NUMERAL and (total, token.text) != (1, "one"):
            value = str(total) if total >= 0 else _ORDINAL.sub("", value or token.text)
            token = Token(NUMERIC, value, "", NUMERIC + value, "", NUMERIC + value, kind.NUMBER)
        result.append(token)
    return result


_CLOCKED = (":", "half", "quarter", "am", "pm", ".m", "clock", "morn", "after", "even", "night")  # one is in a _CLOCK
_CLOCK = re.compile(
    r"(?<![\w.:/-])(?:(half|quarter) (past|to) (\d\d?|[a-z]+)"
    r"|(\d\d?|[a-z]{3,6}\b)(?=:\d\d\b| ?[ap]\.?m\b| o'?clock| (?:in the|at) (?:morn|after|even|night)))"
    r"(?::(\d\d))?(?: ?([ap])\.?m\b\.?| o'?clock)?( (?:in the|at) (?:(morn)|after|even|night))?"
)


def _in_24_hours(found: re.Match[str]) -> str:
    """A time of day as in the 24-hour clock, full hours without zeros: "6:40 pm" -> 18:40, "half past six" -> 6:30."""
    part, way, *hours, minutes, half, day, morning = found.groups()
    hour = lexicon().numbers.get(hours[0] or hours[1], hours[0] or hours[1])
    if not hour.isdecimal():
        return found[0]
    minute = int(minutes or {"half": 30, "quarter": 15}.get(part, 0))
    is_late = half == "p" or bool(day and not morning)
    at = int(hour) % 12 + 12 * is_late if half or day else int(hour)
    at, minute = (at - 1, 60 - minute) if way == "to" else (at, minute)
    return (f"{at}:{minute}" if minute else str(at)) + (day or "")


def _rewritten(tokens: list[Token]) -> list[Token]:
    """Phrases in their one-word form: "is a big fan of" -> like; nothing when there is none."""
    phrases = lexicon().phrases
    words = dict.fromkeys(word for token in tokens for word in (token.text, token.base, token.word))  # in their order
    possible = [one[1:] for word in words if word in phrases for one in phrases[word] if one[0] <= words.keys()]
    if not possible:
        return []
    result: list[Token] = []
    place = 0
    while place < len(tokens):
        matches = [match for phrase in possible if (match := _matched(*phrase, tokens[place:]))]
        taken, instead = max(matches, key=lambda match: match[0], default=(1, tokens[place : place + 1]))
        result += instead
        place += taken
    return result


def _matched(words: Sequence[str], heads: Sequence[str], tokens: Sequence[Token]) -> tuple[int, list[Token]] | None:
    """How many tokens a phrase takes, and what stands for them. Fillers may stand in it: "put the fire out"."""
    at = 0
    kept: list[Token] = []
    for place, token in enumerate(tokens):
        if words[at] in (token.text, token.base, token.word):
            at += 1
            if at == len(words):
                is_apart = any(not between.kinds & _FILLER for between in kept)
                if is_apart and not (token.kinds & kind.PARTICLE and (*tokens, _END)[place + 1].kinds & _END.kinds):
                    return None
                instead = [make_token(word) for word in heads]
                if tokens[0].forms and not instead[0].kinds & kind.ABILITY:
                    instead[0] = make_token(tokens[0].text, heads[0], tokens[0].forms)
                return place + 1, [*instead, *kept]
        elif not at or not (token.kinds & _FILLER or (at == len(words) - 1 and place < 5)):
            return None
        elif token.kinds & kind.NEGATION or not token.kinds & _FILLER:
            kept.append(token)
    return None


def exact_form(text: str) -> str:
    """What two texts must have in common to be the same words in any language: letters, digits and symbols.
    Compatibility forms, case, white space and punctuation do not count; signs inside numbers and symbols such as
    "C++" or an emoji do. Beyond the length of a fact compatibility forms do count: one character may stand for 18."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text[:MAX_LENGTH]).casefold())
    plain += text[MAX_LENGTH:].casefold()
    plain = _SIGN_IN_NUMBER.sub("", plain) if "," in plain else plain
    words = plain.rstrip(" .").split()
    if not "".join(words).isalnum():  # there are signs to weigh
        words = _MARK.sub(_counted, plain.rstrip(" .")).split() or plain.split()
    return " ".join(words)


def _counted(found: re.Match[str]) -> str:
    """The sign itself when it counts, a space when it only parts words, else nothing."""
    sign, text, place = found[0], found.string, found.start()
    before, after = text[place - 1 : place], text[place + 1 : place + 2]
    category = unicodedata.category(sign)
    is_symbol = category[0] in "MS" or category in ("Cs", "Co", "Cn") or sign in "#%@&*+/"  # C#, 5%
    is_inside = before.isdigit() or (sign == "-" and not before.strip())  # 3.5, 7:30, 2024-01-05, -18
    if is_symbol or (sign in ".,:-" and after.isdigit() and is_inside):
        return sign
    return "" if sign in "'\u2019" or category == "Cf" else " "
