"""From what was said to the clauses that may hold a fact: "hi, i'm a nurse and i love tea" holds two.

Sentences are cut at their marks, clauses where a new subject begins. A clause that asks, supposes, opines or reports
takes the rest of its sentence with it: a fact missed is cheaper than a wrong one remembered.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache

from fake_convai.domain.english.tables import lexicon
from fake_convai.domain.extraction import words
from fake_convai.domain.extraction.words import regex

MAX_READ = 10_000
"""Characters read of one turn, so that a 16 MiB frame costs no more than a long letter; the rest is not read."""

MAX_CLAUSE = 300
"""Characters of one clause; a longer one is no plain statement. It also bounds the work of every pattern."""

_UNPRINTABLE = r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]"
_EMOJI = r"[\u2600-\u27bf\U0001f000-\U0001faff][\u200d\ufe0f]?"
_QUOTED = r"\"([^\"]{1,500})\"|“([^”]{1,500})”|«([^»]{1,500})»|„([^“”]{1,500})[“”]"
_SPEECH = r"\b(?:I|we|you|my|our|call me)\b"

_SPELLED_OUT = (
    (r"[\u2018\u2019\u02bc\u00b4`]", "'"),
    (r"\bi\b(?![./])", "I"),
    (r"\b(my (?:name|birthday|job|goal|dream|hometown|favou?rite \w{1,20})|the name)'s\b", r"\1 is"),
)
"""One spelling per phrase, so that the table needs one row."""


@cache
def _contraction() -> str:
    """Any short form. Speech-to-text often drops the apostrophe."""
    short = (word for word in lexicon().contractions if word not in ("n't", "nt", "s", "m", "ve", "re", "ll"))
    return rf"\b(?:{'|'.join(sorted(short, key=len, reverse=True))})\b"


def _in_full(found: re.Match[str]) -> str:
    words = " ".join(lexicon().contractions[found.group().lower()])
    return "cannot" if words == "can not" else re.sub(r"^i\b", "I", words)


# Where sentences and clauses end

_MARK = r"[.!?…]+(?=\s|$)|[.!?](?=(?:I|My)\b)"
_ABBREVIATION = r"\b(?:dr|mr|mrs|ms|prof|st|mt|jr|sr|vs|e\.g|i\.e)$"
_INITIAL = re.compile(r"\b[A-HJ-Z]$")
_NEW_SENTENCE = r"\s*(?:I|My)\b"

_SUBJECT = (
    r"(?:(?:also|then|now|please|currently|personally) )?"
    r"(?:(?:I|call me|do not call me|you|he|she|they|we|it|there|this is|that is|these are)\b"
    r"|(?:my|the) (?:(?!and |I )[\w'-]{1,30} ){1,5}?(?:is|are|was|were|lives?|works?|has)\b)"
)
_ASIDE = (
    r"(?:what|how|where|who|why|when|which|do|does|did|can|could|would|will|is|are|am I|if|unless|because|although|"
    r"though|even|remember|please|thanks|thank you|nice to|not that|just kidding|just joking|kidding|right|said|says|"
    r"replied|asked|shouted)\b"
)
_CUT = (
    r"\s*(?:[;—\u2013]|\s-\s|\s\.\.+\s|…)\s*"
    rf"|,?\s+(?:and|&|but|so|also|plus|although|though|however|then|because|cause|since)\s+(?={_SUBJECT})"
    rf"|,?\s+(?:and|but|so)\s+(?={_ASIDE})"
    rf"|,\s*(?={_SUBJECT}|{_ASIDE})"
    r"|,?\s+because\s+"
)

_SHARED_SUBJECT = (
    r",?\s+(?:and|but)\s+(?=(?:also |I )?(?:am|live in|live with|work (?:as|at|for|in|with|nights?|part|full)|speak|"
    r"have (?:an?|two|three|no)|own|drive an?|hate|dislike|prefer|enjoy|love|like|do not|cannot|"
    rf"{words.DONE}) \S)"
)
_PLAIN_START = (
    r"I (?:am|live|work|speak|study|play|own|drive|have|like|love|hate|dislike|enjoy|prefer|"
    rf"{words.DONE}) (?!.*\bto\b).*"
)
_APPOSITION = (
    r"(I am (?!(?:an?|the|not|no) )[\w'-]+(?: (?!(?:to|of|in|at|from|with|by|on|for|about|into|an?) )[\w'-]+){0,2}?)"
    r"(?:,? and|,) (an? (?!half\b|few\b).+)"
)

# What adds nothing to a statement

_LEAD_IN = (
    r"(?:(?:hi|hello|hey)(?: (?!I\b|my\b|call\b)[\w'-]{1,30}){1,2}[,!]?(?= (?:I|my|call|the name)\b)|"
    r"hi|hello|hey|hiya|greetings|good (?:morning|afternoon|evening|day)|welcome|(?:it is )?nice to meet you|"
    r"thanks|thank you|yes|yeah|yep|yup|no|nope|ok|okay|alright|sure|well|so|oh|ah|um|uh|hmm|er|sorry|please|of course|"
    r"and|but|because|also|plus|although|though|anyway|first of all|first|second|finally|"
    r"actually|honestly|basically|personally|currently|nowadays|these days|right now|at the moment|"
    r"by the way|btw|in fact|fun fact|for the record|(?:just )?so you know|fyi|to be honest|in my (?:free|spare) time|"
    r"you know|you see|look|listen|guess what|I mean|let me tell you|(?:since )?you asked?|"
    r"(?:as|like) (?:I said|you know)|I (?:have |already |just )*(?:said|told you|mentioned)(?: that)?|"
    r"I (?:should|must|have to|want to|wanted to|would like to) (?:say|mention|tell you|add|confess|admit)(?: that)?|"
    r"I (?:want|would like) you to (?:know|remember)(?: that)?|you (?:should|must) know(?: that)?|"
    r"(?:(?:do not|never) forget|remember|note|keep in mind|be aware|know)(?: that| this)?|"
    r"the (?:thing|truth|fact) is(?: that)?)(?:[,:!]+\s*|\s+|$)"
)
_TRAILING = (
    r"[\s,]+(?:by the way|btw|too|as well|you know|actually|(?:right )?now|at the moment|currently|today|yet|okay|ok|"
    r"haha|lol|originally|please|thanks|thank you|of course|obviously|though|very much|so much|a lot|again|"
    r"and (?:stuff|so on)|(?:it is )?nice to meet you|pleased to meet you|sir|everyone)$"
)
_LONGEST_TRAILING = 40
_DEGREE = (
    r"(I(?: am| do| have| can)?(?: not)?|I cannot) (?:really|actually|also|currently|just|still|now|basically|truly|"
    r"totally|absolutely|definitely|very|quite|pretty|so|kind of|sort of|kinda|already|recently|finally|personally|"
    r"certainly|simply|honestly|particularly|especially|originally|extremely|severely|deathly|highly|deeply|much) "
)
_MOVED = r"(usually|often|sometimes|normally|generally|typically|mostly),? I (?!am\b)"
_EMPHASIS = r"I do (?=(?:like|love|enjoy|have|live|work|speak|need|hate|prefer|own|play)\b)"

# What is said without being asserted

_SUPPOSED = (
    r"(?:even |only |as )?(?:if|when|whenever|unless|until|once|suppose|supposing|imagine|pretend|assume|assuming|"
    r"what if|let(?: us|'s) (?:say|pretend|imagine|assume)|say|wish|as soon as|in case|had I|were I|while I|before I|"
    r"after I|maybe|perhaps)\b"
)
_OPINED = (
    r"I (?:do not |really |would |could |can |might |may |should |just |sometimes |often |used to )*"
    r"(?:think|guess|wonder|suppose|assume|believe(?! in\b)|hope(?! to\b)|wish|imagine|bet|doubt|pretend|feel like|"
    r"dreamt|dreamed|thought|heard|have been told|(?:am|was) (?:thinking|wondering|told|pretending))\b"
)
_REPORTED = (
    r"(?!I )(?:[\w'.-]{1,30} ){1,4}?(?:said|says|say|told|tells?|thinks?|thought|believes?|claims?|claimed|asked|asks|"
    r"wrote|writes|shouted|whispered|replied|insists?|insisted|heard)\b|according to\b|rumou?r has it\b"
)
_NOT_ASSERTED = f"{_SUPPOSED}|{_OPINED}|{_REPORTED}"
_TAKEN_BACK = (
    r"(?:[\w'.-]{1,30} ){1,3}?(?:said|says|say|told me|claims?|claimed|thinks?|thought|wrote|asked)"
    r"(?: to me| yesterday)?|I (?:think|guess|suppose|believe|hope|wish|heard)|(?:just )?(?:kidding|joking)|not|maybe|"
    r"perhaps|(?:said|says|replied|asked|shouted) .*"
)
"""The end of a sentence that makes nothing of its beginning: "I am a pilot, she said"."""

_TAG = r"(?:is|are|do|does|am|was|have)(?: not)? (?:it|I|that|he|she)(?: not)?|right|correct|no|yes|true|huh"
_OTHER_QUESTION = (
    r"(?:and |but |so )?(?:what|how|where|who|why|when|which|whose|do|does|did|can|could|would|will|is|are|am I|you|"
    r"have you|has|nice to|remember)\b(?! (?:not|right)\b)"
)
"""A question of its own at the end of a sentence, which leaves the statement before it alone."""


def clauses(said: str) -> Iterator[str]:
    """The clauses of one turn that assert something about the speaker, spelled out and without fillers.

    Text beyond `MAX_READ` characters is not read, and neither is the clause that this cuts through.
    """
    found: list[str] = []
    for line in filter(str.strip, said[:MAX_READ].splitlines()):
        for sentence in _sentences(_readable(line)):
            found.extend(_asserted(sentence))
    yield from found[:-1] if len(said) > MAX_READ else found


def plain(clause: str) -> str:
    """A clause without what does not change its meaning here: "well, I really like tea too" is "I like tea"."""
    clause = _drop(_LEAD_IN, clause.strip(" ,:-*•"))
    clause = _drop_at_end(_TRAILING, clause.rstrip(" ,.;:!"))
    clause = _drop(_MOVED, clause, keep=r"I \1 ")
    clause = _drop(_EMPHASIS, clause, keep="I ")
    return _drop(_DEGREE, clause, keep=r"\1 ")


def _drop(pattern: str, text: str, *, keep: str = "") -> str:
    while found := regex(pattern).match(text):
        text = found.expand(keep) + text[found.end() :]
    return text


def _drop_at_end(pattern: str, text: str) -> str:
    while found := regex(pattern).search(text, max(0, len(text) - _LONGEST_TRAILING)):
        text = text[: found.start()]
    return text


def _readable(line: str) -> str:
    """One line in one spelling, without the quoted speech of others and without what no database stores."""
    line = unicodedata.normalize("NFC", regex(_UNPRINTABLE).sub(" ", line))
    line = regex(_EMOJI).sub(". ", line)
    line = regex(_QUOTED).sub(_unquote, line)
    for written, spelled_out in _SPELLED_OUT:
        line = regex(written).sub(spelled_out, line)
    line = regex(r"\bcan not\b").sub("cannot", regex(_contraction()).sub(_in_full, line))
    return " ".join(line.split())


def _unquote(quoted: re.Match[str]) -> str:
    """A quoted title stays ("Dune"), quoted speech goes ("I am a pilot")."""
    content = next(group for group in quoted.groups() if group is not None)
    return " " if regex(_SPEECH).search(content) else content


def _sentences(line: str) -> Iterator[str]:
    start = 0
    for mark in regex(_MARK).finditer(line):
        if mark.group() == "." and _is_abbreviated(line, mark):
            continue
        yield line[start : mark.end()]
        start = mark.end()
    yield line[start:]


def _is_abbreviated(line: str, mark: re.Match[str]) -> bool:
    before = line[max(0, mark.start() - 6) : mark.start()]
    if regex(_ABBREVIATION).search(before):
        return True
    return _INITIAL.search(before) is not None and regex(_NEW_SENTENCE).match(line, mark.end()) is None


def _asserted(sentence: str) -> list[str]:
    """The clauses of a sentence up to the first one that asks, supposes, opines or reports."""
    text = sentence.rstrip(".!?… ")
    parts = [part for part in regex(_CUT).split(text.strip()) if part.strip(" ,")]
    if parts and "?" in sentence[len(text) :]:
        question = parts.pop().strip(" ,")
        if regex(_TAG).fullmatch(question) or not regex(_OTHER_QUESTION).match(question):
            return []
    if not parts or regex(_TAKEN_BACK).fullmatch(parts[-1].strip(" ,")):
        return []
    kept: list[str] = []
    for part in parts:
        clause = plain(part)
        if regex(_NOT_ASSERTED).match(clause):
            break
        kept.extend(_with_subject(clause))
    return kept


def _with_subject(clause: str) -> list[str]:
    """Cut what shares a subject: "I live in Oslo and work as a nurse", "I am 34, a nurse"."""
    apposition = regex(_APPOSITION).fullmatch(clause)
    if apposition:
        return [apposition[1], f"I am {apposition[2]}"]
    first, *others = regex(_SHARED_SUBJECT).split(clause)
    if not others or not regex(_PLAIN_START).fullmatch(first):
        return [clause]
    return [first, *(other if other.startswith("I ") else f"I {other.removeprefix('also ')}" for other in others)]
