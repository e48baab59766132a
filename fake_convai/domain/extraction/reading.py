"""Facts from what a person said, naive and deterministic (docs/extraction.md).

At the end of a session what was said becomes memories in the third person (docs/contract.md section 9). How the real
backend reads people is unknown; here it is a table of patterns for English (`kinds`), explained for users
in `docs/extraction.md`. `clauses` cuts the text, `values` cleans what is taken over.
"""

import re
from collections.abc import Iterator
from functools import cache

from fake_convai.domain.extraction.clauses import MAX_CLAUSE, clauses, plain
from fake_convai.domain.extraction.kinds import KINDS, Kind
from fake_convai.domain.extraction.values import SLOTS, clean_word, third_person, third_person_verb
from fake_convai.domain.extraction.words import regex
from fake_convai.domain.text import MAX_FACTS

_SLOT = re.compile(r"\{(\w+)(?::([^{}]*))?\}")
_RUN_ON = (
    r"(?<=\w) (?=(?:my name is |my favou?rite |I (?:am (?:an? |from |\d|called |allergic |married|vegetarian|vegan)|"
    r"live (?:in|at|with) |work (?:as|at|for|in|on) |work (?=nights?|part|full|remotely)|"
    r"(?:really )?(?:like|love|hate|enjoy|prefer|dislike) (?!most|best|so|very|the most|and|when)|"
    r"have (?:an?|two|three|four|no) |speak |study |own |drive an? |do not ))\w)"
)
"""Where a new statement may begin with no mark at all, as in speech-to-text."""

_SOMEONE = rf"\b(?:my|an?|one) ({SLOTS['relative'].pattern})\b"
_SOMEONE_AGAIN = r"^(?:and |but )?(?:he|she|it) (?=\w)"
""" "I have a sister and she plays the harp": who "she" is, when only one relative or animal was just told of."""


def extract_facts(said: str) -> list[str]:
    """What a person said in one turn, as facts about "The user" in the order they were told, each only once.

    Empty when nothing in it is understood as a lasting fact. At most `MAX_FACTS` come out of one turn, and only the
    first `clauses.MAX_READ` characters are read. Never raises; the same text always gives the same facts.
    """
    facts: dict[str, None] = {}
    someone = ""
    for clause in clauses(said):
        clause = regex(_SOMEONE_AGAIN).sub(f"my {someone} ", clause) if someone else clause
        told_of = {found[1].lower() for found in regex(_SOMEONE).finditer(clause)}
        someone = told_of.pop() if len(told_of) == 1 else ""
        facts.update(dict.fromkeys(_read(clause)))
        if len(facts) >= MAX_FACTS:
            break
    return list(facts)[:MAX_FACTS]


def _read(clause: str) -> Iterator[str]:
    """The facts of a clause: one, none, or several where statements run on without a mark between them."""
    start = 0
    for gap in regex(_RUN_ON).finditer(clause):
        understood = understand(clause[start : gap.start()])
        if understood is not None:
            yield understood[1]
            start = gap.end()
    understood = understand(clause[start:])
    if understood is not None:
        yield understood[1]


def understand(clause: str) -> tuple[Kind, str] | None:
    """The first row of the table that fits a clause, and its fact; None when no row does."""
    clause = plain(clause)
    if len(clause) > MAX_CLAUSE:
        return None
    for kind, pattern, fact in _table():
        found = pattern.fullmatch(clause)
        values = found and _values(found)
        if values is not None:
            return kind, fact.format_map(values)
    return None


def fact_of(kind: Kind) -> str:
    """The fact of a row, with its slots: what was said, without what may be left out, is told of the user, unless the
    row has other words."""
    said = re.sub(r"\([^()]*\)\?", "", _SLOT.sub(r"{\1}", kind.said))
    said = re.sub(r"\(([^()|]*)\|[^()]*\)", r"\1", said)  # of several words the first
    told = third_person(said.replace("I {verb}", "I {verbs}"))
    return kind.fact or f"{told[0].upper()}{told[1:]}."


def _values(found: re.Match[str]) -> dict[str, str] | None:
    """The cleaned values of a row's slots, or None when one of them is not worth a fact."""
    values = {}
    for name, text in found.groupdict().items():
        value = SLOTS[name].clean(text) if name in SLOTS else clean_word(text)
        if value is None:
            return None
        values[name] = value
    if "verb" in values:
        values["verbs"] = third_person_verb(values["verb"])
    return values


@cache
def _table() -> list[tuple[Kind, re.Pattern[str], str]]:
    return [(kind, regex(_SLOT.sub(_slot_pattern, kind.said)), fact_of(kind)) for kind in KINDS]


def _slot_pattern(slot: re.Match[str]) -> str:
    name, words = slot.groups()
    return f"(?P<{name}>{words or SLOTS[name].pattern})"
