"""Whether a new fact is one that is already there: the deduplication of long-term memory.

Convai says that a fact which semantically overlaps one of the same partition updates it (docs/contract.md section 4);
how it decides is not public, so the rule here is ours. It needs no model and always gives the same answer:

1. The same letters, digits and symbols are an exact repeat, in any language.
2. Two English facts are read (`dedup_read`) and kept apart by the first veto that applies: another number, polarity,
   mood, owner, date, part ...
3. What is left is the same when both say something about the same thing (they share an anchor) and all that one says
   the other says too. Something new on both sides means another value.

docs/deduplication.md explains it with examples.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from fake_convai.domain.dedup_grammar import Owner
from fake_convai.domain.dedup_keys import bag, everything, exact_key, index_keys, is_plain_value, lookup_keys, squash
from fake_convai.domain.dedup_read import Fact, read
from fake_convai.domain.dedup_text import LABEL_A, exact_form
from fake_convai.domain.dedup_tokens import NUMBER
from fake_convai.domain.dedup_words import kind, stem

__all__ = [
    "Apart",
    "Candidate",
    "DedupMode",
    "Match",
    "Verdict",
    "compare",
    "exact_key",
    "explain_apart",
    "find_match",
    "index_keys",
    "is_same",
    "lookup_keys",
]

DedupMode = Literal["naive", "exact", "off"]

EXACT_REPEAT = "exact repeat"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record of the same partition.

    `repeats` is set by a store that knows that the new fact is, word for word, what this record said before it was
    updated; see `exact_key`.
    """

    id: str
    memory: str
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one comparison, with the reason as a sentence; `score` (0 to 1) chooses among several."""

    same: bool
    because: str
    score: float


@dataclass(frozen=True, slots=True)
class Match:
    """The record that the new fact updates, and why."""

    candidate: Candidate
    because: str


@dataclass(frozen=True, slots=True)
class Apart:
    """The nearest record that the new fact does not update, and why not."""

    candidate: Candidate
    because: str


def compare(existing: str, new: str) -> Verdict:
    """Whether the new fact restates, completes or extends the existing one. Symmetric but for the wording."""
    if exact_form(existing) == exact_form(new):
        return Verdict(True, EXACT_REPEAT, 1.0)
    old, fresh = read(existing), read(new)
    if not (old.english and fresh.english):
        return Verdict(False, "not both in English, where only a repeat is merged", 0.0)
    common = old.words & fresh.words
    nearness = len(common) / (len(old.words | fresh.words) or 1)
    for veto in VETOES:
        reason = veto(old, fresh)
        if reason and (common or old.predicate == fresh.predicate):
            return Verdict(False, reason, nearness / 2)
        if reason:
            return Verdict(False, "nothing in common", 0.0)
    return _agreement(old, fresh, nearness)


def is_same(existing: str, new: str) -> bool:
    """Whether the new fact updates a record that says `existing`."""
    return compare(existing, new).same


def find_match(new: str, candidates: Sequence[Candidate], mode: DedupMode = "naive") -> Match | None:
    """The record that the new fact updates: the best of the candidates, of equals the oldest (they come oldest first).

    A repeat always goes before everything else. Mode `exact` knows only repeats, `off` nothing at all.
    """
    if mode == "off":
        return None
    form = exact_form(new)
    for candidate in candidates:
        if exact_form(candidate.memory) == form:
            return Match(candidate, EXACT_REPEAT)
    if mode == "exact":
        return None
    for candidate in candidates:
        if candidate.repeats:
            return Match(candidate, "exact repeat of what this record said before")
    best: Match | None = None
    best_score = -1.0
    for candidate in candidates:
        verdict = compare(candidate.memory, new)
        if verdict.same and verdict.score > best_score:
            best, best_score = Match(candidate, verdict.because), verdict.score
    return best


def explain_apart(new: str, candidates: Sequence[Candidate], mode: DedupMode = "naive") -> Apart | None:
    """The nearest candidate that is kept apart from the new fact, and why; None when there is none."""
    if mode == "off":
        return None
    best: Apart | None = None
    best_score = -1.0
    for candidate in candidates:
        verdict = compare(candidate.memory, new)
        is_apart = verdict.because != EXACT_REPEAT if mode == "exact" else not verdict.same
        if is_apart and verdict.score > best_score:
            because = verdict.because if mode == "naive" else "no exact repeat"
            best, best_score = Apart(candidate, because), verdict.score
    return best


# Vetoes: each says why two facts that look alike are not the same, or nothing.


def another_number(old: Fact, new: Fact) -> str:
    if old.numbers != new.numbers:
        return f"another number: {_these(new.numbers, old.numbers)}"
    said = [{word for word in fact.words if word.startswith(NUMBER)} for fact in (old, new)]
    for before, after in (said, (old.known_numbers, new.known_numbers)):
        if before and after and before != after:
            return f"another number: {_these(after, before)}"
    return ""


def another_polarity(old: Fact, new: Fact) -> str:
    if old.negations == new.negations:
        return ""
    return "one is negated, the other is not"


def another_mood(old: Fact, new: Fact) -> str:
    if old.mood != new.mood:
        return f"another mood: {_mood(new)} instead of {_mood(old)}"
    if old.former != new.former:
        return "one is how it is, the other how it was"
    return ""


_MOODS = {
    "can": "ability",
    "maybe": "possibility",
    "must": "duty",
    "will": "future",
    "would": "condition",
    "former": "past habit",
    "seldom": "exception",
}


def _mood(fact: Fact) -> str:
    return " and ".join(_MOODS[mood] for mood in fact.mood.split()) or "plain fact"


def another_owner(old: Fact, new: Fact) -> str:
    if "it" in (old.owner.kind, new.owner.kind) and bag(old) == bag(new):
        return ""  # "It has been said that ..."
    if old.chain != new.chain and not _turns_to(old, new) and not _turns_to(new, old):
        return f"about somebody or something else: {_whom(new)} instead of {_whom(old)}"
    if not _compatible(old.owner, new.owner):
        return f"about somebody else: {_whom(new)} instead of {_whom(old)}"
    return ""


def another_part(old: Fact, new: Fact) -> str:
    """The same word in another part: a letter from Hana, a letter for Hana."""
    for word in sorted(old.parts.keys() & new.parts.keys()):
        before, after = old.parts[word], new.parts[word]
        if before == after or not (before and after):
            continue
        if "place" not in (before, after) or {before, after} & _NEVER_PLAIN:
            return f"another part for {word}: {after} instead of {before}".replace("place", "in or at")
    if _swapped(old, new) and _swapped(new, old):
        return "another part: what is done to whom is the other way round"
    for name in sorted(old.owner.names & new.words | new.owner.names & old.words):
        return f"another part for {name}: once doing, once done to"
    return ""


def _swapped(old: Fact, new: Fact) -> bool:
    """Whether an object of the one stands behind a preposition in the other."""
    return any(old.parts[word] == "" and new.parts[word] for word in old.parts.keys() & new.parts.keys())


_NEVER_PLAIN = frozenset(
    ("from", "before", "after", "against", "without", "under", "above", "behind", "near", "except")
)


def another_date(old: Fact, new: Fact) -> str:
    if old.dates and new.dates and old.dates != new.dates:
        return f"another date: {_these(new.dates - old.dates, old.dates - new.dates)}"
    return ""


def another_thing_altogether(old: Fact, new: Fact) -> str:
    """A word that turns a thing into something else: a toy drone is no drone."""
    changed = (old.words ^ new.words) & kind("privative")
    if changed:
        return f"not the same thing: {_listed(changed)}"
    return ""


VETOES: tuple[Callable[[Fact, Fact], str], ...] = (
    another_number,
    another_polarity,
    another_mood,
    another_owner,
    another_part,
    another_date,
    another_thing_altogether,
)


def _agreement(old: Fact, new: Fact, nearness: float) -> Verdict:
    """The verdict on two facts that no veto keeps apart."""
    if squash(old) == squash(new) or (bag(old) == bag(new) and len(everything(old)) > 2):
        return Verdict(True, "the same words, written differently", 0.95)
    gone, come = old.words - new.words - {new.predicate}, new.words - old.words - {old.predicate}
    if set(old.anchors).isdisjoint(new.anchors):
        return Verdict(False, _why_apart(old, new, gone, come), nearness / 2)
    light = kind("soft") | kind("time") if len(old.words & new.words) > 2 else kind("soft")
    gone, come = gone - light, come - light
    if _is_respelt(old, new, gone, come):
        return Verdict(True, f"corrects the spelling: {_these(come, gone)}", 0.5 + 0.4 * nearness)
    if not _same_stems(gone, come):
        return Verdict(False, f"another value: {_these(come, gone)}", nearness / 2)
    return Verdict(True, _because(new, gone, come), 0.5 + 0.4 * nearness)


def _why_apart(old: Fact, new: Fact, gone: frozenset[str], come: frozenset[str]) -> str:
    if old.predicate == new.predicate and gone and come:
        return f"another value: {_these(come, gone)}"
    return f"says something else of {_whom(new)}" if old.words & new.words else "nothing in common"


def _because(new: Fact, gone: frozenset[str], come: frozenset[str]) -> str:
    if bool(gone) == bool(come):
        return "says the same in other words"
    attribute = _attribute(new)
    if come:
        return f"extends the value of the same attribute: {attribute}" if attribute else f"adds to it: {_listed(come)}"
    return f"repeats part of the same attribute: {attribute}" if attribute else f"repeats it without: {_listed(gone)}"


def _attribute(fact: Fact) -> str:
    if fact.predicate in ("name", "age"):
        return " ".join((*fact.chain, fact.predicate))
    return " ".join(fact.chain) if fact.predicate == "be" else ""


def _these(new: Collection[str], old: Collection[str]) -> str:
    return f"{_listed(new)} instead of {_listed(old)}"


def _listed(words: Collection[str]) -> str:
    return ", ".join(sorted(words)).replace("_", " ").replace(LABEL_A, "A").replace(NUMBER, "") or "none"


def _whom(fact: Fact) -> str:
    """How the one is called whom a fact is about: "the user's brother"."""
    owner = fact.owner
    if owner.kind == "thing":
        return "the " + ("'s ".join(fact.chain) or "thing")
    name = " ".join(sorted(owner.names)) or owner.kind
    if owner.kind in ("user", "role"):
        name = f"the {name}"
    return "'s ".join((name, *fact.chain)).replace("_", " ")


def _turns_to(this: Fact, other: Fact) -> bool:
    """Whether one names the thing that the other is about: "I have a dog named Luna", "my dog is named Luna"."""
    return not this.chain and any(anchor.split("|")[0] == "/".join(other.chain) for anchor in this.anchors)


def _compatible(one: Owner, other: Owner) -> bool:
    """Within a partition the user, a role and a name may be the same person; two roles, two names are not."""
    if one == other or "thing" in (one.kind, other.kind) or "user" in (one.kind, other.kind):
        return not ("it" in (one.kind, other.kind) and one.kind != other.kind)
    if one.kind == other.kind == "name":
        return one.names <= other.names or other.names <= one.names
    return one.kind != other.kind and {one.kind, other.kind} != {"he", "she"} and "it" not in (one.kind, other.kind)


def _is_respelt(old: Fact, new: Fact, gone: Collection[str], come: Collection[str]) -> bool:
    """Whether one word of a longer name is the other with one letter changed, added or lost."""
    if (
        len(gone) != 1
        or len(come) != 1
        or not old.words & new.words
        or not (is_plain_value(old) and is_plain_value(new))
    ):
        return False
    before, after = sorted((*gone, *come), key=lambda word: (len(word), word))
    return len(before) > 3 and before[0] == after[0] and _one_edit_apart(before, after)


def _same_stems(gone: frozenset[str], come: frozenset[str]) -> bool:
    """Whether one side has nothing that the other lacks but for its ending: "continue", "continuation"."""
    if not gone or not come:
        return True
    before, after = {stem(word) for word in gone}, {stem(word) for word in come}
    return before <= after or after <= before


def _one_edit_apart(short: str, long: str) -> bool:
    start = 0
    while start < len(short) and short[start] == long[start]:
        start += 1
    if len(short) == len(long):
        swapped = short[start : start + 2] == long[start : start + 2][::-1]
        return short[start + 1 :] == long[start + 1 :] or (swapped and short[start + 2 :] == long[start + 2 :])
    return len(short) + 1 == len(long) and short[start:] == long[start + 1 :]
