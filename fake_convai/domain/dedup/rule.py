"""Whether a new fact is one that is already there: the deduplication of long-term memory.

Convai says that a fact which semantically overlaps one of the same partition updates it (docs/contract.md section 4);
how it decides is not public, so the rule here is ours. It needs no model and always gives the same answer:

1. The same letters, digits and symbols are an exact repeat, in any language.
2. Two English facts are read (`reading`) and kept apart by the first veto that applies: another number, polarity,
   mood, person, part, date, or the opposite.
3. What is left is the same when both claim the same of the same, and the main clause of one has no word that the other
   lacks. Something new on both sides means another value.

docs/deduplication.md explains it with examples.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from fake_convai.domain.dedup.grammar import Owner
from fake_convai.domain.dedup.mode import DedupMode
from fake_convai.domain.dedup.reading import Claim, Fact, is_plain_value, read
from fake_convai.domain.english import kind
from fake_convai.domain.english.tables import lexicon
from fake_convai.domain.english.tokens import LABEL_A, NUMERIC, exact_form

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
    old, fresh = read(existing), read(new)
    if old.form == fresh.form:
        return Verdict(True, EXACT_REPEAT, 1.0)
    if not (old.english and fresh.english):
        return Verdict(False, "not both in English, where only a repeat is merged", 0.0)
    common = old.words & fresh.words
    nearness = len(common) / (len(old.words | fresh.words) or 1)
    for veto in VETOES:
        reason = veto(old, fresh)
        if reason:
            related = common or old.main.verb == fresh.main.verb
            return Verdict(False, reason if related else "nothing in common", nearness / 2)
    return _agreement(old, fresh, nearness)


def is_english(fact: str) -> bool:
    """Whether more than a repeat can be told of a fact."""
    return read(fact).english


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
    gone, come = old.numbers - new.numbers, new.numbers - old.numbers
    if gone and come:
        return f"another number: {_these(come, gone)}"
    for head in old.counts.keys() & new.counts.keys():
        if old.counts[head] != new.counts[head]:
            return f"another number: {new.counts[head]} instead of {old.counts[head]}"
    return ""


def another_polarity(old: Fact, new: Fact) -> str:
    return "one is negated, the other is not" if old.negations != new.negations else ""


def another_mood(old: Fact, new: Fact) -> str:
    if old.mood == new.mood:
        return ""
    if "over" in (old.mood, new.mood) and "" in (old.mood, new.mood):
        return "one is how it is, the other how it was"
    return f"another mood: {_mood(new)} instead of {_mood(old)}"


_MOODS = {
    "can": "ability",
    "maybe": "possibility",
    "must": "duty",
    "will": "future",
    "would": "condition",
    "former": "past habit",
    "seldom": "exception",
    "over": "the past",
}


def _mood(fact: Fact) -> str:
    return " and ".join(_MOODS[mood] for mood in fact.mood.split()) or "plain fact"


def another_owner(old: Fact, new: Fact) -> str:
    if {claim.chain for claim in old.claims}.isdisjoint([claim.chain for claim in new.claims]):
        return f"about somebody or something else: {_whom(new)} instead of {_whom(old)}"
    if not _compatible(old.owner, new.owner):
        return f"about somebody else: {_whom(new)} instead of {_whom(old)}"
    return ""


def _compatible(one: Owner, other: Owner) -> bool:
    """Within a partition the user, a role and a name may be the same person; two roles, two names are not."""
    kinds = {one.kind, other.kind}
    if one == other:
        return True
    if "it" in kinds or kinds == {"he", "she"} or (len(kinds) == 1 and one.kind != "name"):
        return False
    return len(kinds) == 2 or one.names <= other.names or other.names <= one.names


def another_part(old: Fact, new: Fact) -> str:
    """The same word in another part: a letter from Hana, a letter for Hana."""
    both = old.parts.keys() & new.parts.keys()
    for word in sorted(both):
        before, after = old.parts[word], new.parts[word]
        if before and after and before != after and ("place" not in (before, after) or _never_plain(before, after)):
            return f"another part for {_show(word, new)}: {after} instead of {before}".replace("place", "in or at")
    if any(not old.parts[word] and new.parts[word] for word in both) and any(
        old.parts[word] and not new.parts[word] for word in both
    ):
        return "another part: what is done to whom is the other way round"
    return ""


def _never_plain(*prepositions: str) -> bool:
    """Whether a preposition of place goes with none of these."""
    return any(lexicon().kinds[preposition] & kind.APART for preposition in prepositions)


def another_date(old: Fact, new: Fact) -> str:
    for which in (kind.DATE, kind.DATE | kind.HOUR):
        before, after = old.dates(which), new.dates(which)
        if before and after and before != after:
            return f"another date: {_these(after - before, before - after)}"
    return ""


def the_opposite(old: Fact, new: Fact) -> str:
    for word in sorted(old.opposites - new.opposites):
        against = lexicon().opposites[word] & new.opposites - old.opposites
        if against:
            return f"the opposite: {_these(against, (word,))}"
    return ""


def another_thing_altogether(old: Fact, new: Fact) -> str:
    """A word that turns a thing into something else: a toy drone is no drone."""
    changed = [word for stem in old.words ^ new.words if _is(word := _show(stem, old, new), kind.PRIVATIVE)]
    return f"not the same thing: {_listed(changed)}" if changed else ""


VETOES: tuple[Callable[[Fact, Fact], str], ...] = (
    another_number,
    another_polarity,
    another_mood,
    another_owner,
    another_part,
    another_date,
    the_opposite,
    another_thing_altogether,
)


# What is left: one has to contain the other


def _agreement(old: Fact, new: Fact, nearness: float) -> Verdict:
    """The verdict on two facts that no veto keeps apart."""
    if old.squash and old.squash == new.squash:
        return Verdict(True, "the same words, written differently", 0.95)
    shared = [claim for claim in old.claims if claim in new.claims]
    if not shared:
        return Verdict(False, _why_apart(old, new), nearness / 2)
    apart = [_why_not(old, new, claim) for claim in shared]
    if "" in apart:
        return Verdict(True, _because(old, new, shared[apart.index("")]), 0.5 + 0.4 * nearness)
    gone, come = old.core - new.words, new.core - old.words
    if is_plain_value(old) and is_plain_value(new) and len(gone) == len(come) == 1 and old.words & new.words:
        before, after = _shows(gone, old), _shows(come, new)
        if _is_respelt(*sorted((before, after), key=lambda word: (len(word), word))):
            return Verdict(True, f"corrects the spelling: {after} instead of {before}", 0.5 + 0.4 * nearness)
    return Verdict(False, apart[0], nearness / 2)


def _why_not(old: Fact, new: Fact, claim: Claim) -> str:
    """Why two facts that share a claim are not the same; empty when they are."""
    before, after = old.beyond(old.core, claim), new.beyond(new.core, claim)
    gone, come = before - new.words, after - old.words
    both = old.words & new.words
    swapped = any(
        word in both and head in both and new.describing.get(word, head) in both - {head}
        for word, head in old.describing.items()
    )
    is_other = (gone and come) or swapped or not (before or after or claim.verb not in _SAYS_NOTHING)
    for one, other in ((old, new), (new, old)):
        thing = one.claims[claim]
        if one.main != claim and (not one.beyond(one.core, claim) or (thing and thing not in other.heads)):
            is_other = True
    if is_other:
        return f"another value: {_these(_shows(come, new), _shows(gone, old))}"
    for one, other in ((old, new), (new, old)) if claim.verb not in ("be", "name") else ():
        for word, head in one.describing.items():
            if word in other.heads and head not in other.words and not _is(head, kind.GENERIC):
                return f"not the same thing: {_show(word, one)} {_show(head, one)}"
    return ""


_SAYS_NOTHING = frozenset(("be", "have", "name", "like", "want"))
"""Verbs that alone claim nothing."""


def _why_apart(old: Fact, new: Fact) -> str:
    return f"says something else of {_whom(new)}" if old.words & new.words else "nothing in common"


def _because(old: Fact, new: Fact, claim: Claim) -> str:
    gone, come = old.beyond(old.words - new.words, claim), new.beyond(new.words - old.words, claim)
    if bool(gone) == bool(come):
        return "says the same in other words" if gone else "the same words, written differently"
    attribute = " ".join((*claim.chain, claim.verb)) if claim.verb in ("name", "age") else " ".join(claim.chain)
    attribute = attribute if claim.verb in ("name", "age", "be") else ""
    if come:
        return (
            f"extends the value of the same attribute: {attribute}" if attribute else f"adds to it: {_shows(come, new)}"
        )
    return (
        f"repeats part of the same attribute: {attribute}" if attribute else f"repeats it without: {_shows(gone, old)}"
    )


def _is(word: str, bit: int) -> bool:
    return lexicon().kinds.get(word, 0) & bit > 0


# Words for people


def _show(word: str, *facts: Fact) -> str:
    return next((fact.shown[word] for fact in facts if word in fact.shown), word)


def _shows(words: Collection[str], fact: Fact) -> str:
    return _listed([_show(word, fact) for word in words])


def _these(new: Collection[str] | str, old: Collection[str] | str) -> str:
    return f"{new if isinstance(new, str) else _listed(new)} instead of {old if isinstance(old, str) else _listed(old)}"


def _listed(words: Collection[str]) -> str:
    return ", ".join(sorted(words)).replace("_", " ").replace(LABEL_A, "A").replace(NUMERIC, "") or "none"


def _whom(fact: Fact) -> str:
    """How the one is called whom a fact is about: "the user's brother"."""
    owner, chain = fact.owner, fact.main.chain
    if owner.kind == "thing":
        return "the " + ("'s ".join(chain) or "thing")
    name = " ".join(sorted(owner.names)) or owner.kind
    if owner.kind in ("user", "role"):
        name = f"the {name}"
    return "'s ".join((name, *chain)).replace("_", " ")


def _is_respelt(short: str, long: str) -> bool:
    """Whether a longer word is the other with one letter changed, added or lost."""
    if len(short) < 4 or short[0] != long[0]:
        return False
    start = 0
    while start < len(short) and short[start] == long[start]:
        start += 1
    if len(short) == len(long):
        swapped = short[start : start + 2] == long[start : start + 2][::-1]
        return short[start + 1 :] == long[start + 1 :] or (swapped and short[start + 2 :] == long[start + 2 :])
    return len(short) + 1 == len(long) and short[start:] == long[start + 1 :]
