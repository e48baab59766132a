"""Whether a new fact is one that is already there: the deduplication of long-term memory.

Convai says that a fact which semantically overlaps one of the same partition updates it (docs/contract.md section 4);
how it decides is not public, so the rule here is ours, explained in docs/deduplication.md: two English facts are read
(`reading`), kept apart by the first veto that applies, and the same if the main clause of one contains the other's.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

from fake_convai.domain.dedup import DedupMode
from fake_convai.domain.dedup.grammar import Owner
from fake_convai.domain.dedup.reading import Claim, Fact, is_plain_value, read
from fake_convai.domain.english import kind
from fake_convai.domain.english.forms import stem
from fake_convai.domain.english.tables import lexicon
from fake_convai.domain.english.tokens import LABEL_A, NUMERIC

EXACT_REPEAT = "exact repeat"


class Candidate(NamedTuple):
    """A record of the same partition.

    `repeats` is set by a store that knows that the new fact is, word for word, what this record said before it was
    updated; see `exact_key`.
    """

    id: str
    memory: str
    repeats: bool = False


class Verdict(NamedTuple):
    """The outcome of one comparison, with the reason as a sentence; `score` (0 to 1) chooses among several."""

    same: bool
    because: str
    score: float


class Match(NamedTuple):
    """The record that the new fact updates, or the nearest that it does not update, and why."""

    candidate: Candidate
    because: str


def compare(existing: str, new: str) -> Verdict:
    """Whether the new fact restates, completes or extends the existing one. Symmetric but for the wording."""
    old, fresh = read(existing), read(new)
    if old.form == fresh.form:
        return Verdict(True, EXACT_REPEAT, 1.0)
    if not (old.claims and fresh.claims):
        return Verdict(False, "not both in English, where only a repeat is merged", 0.0)
    common = old.words & fresh.words
    nearness = len(common) / (len(old.words | fresh.words) or 1)
    veto = next(_vetoes(old, fresh), "")
    if veto:
        related = common or old.main.verb == fresh.main.verb
        return Verdict(False, veto if related else "nothing in common", nearness / 2)
    return _agreement(old, fresh, nearness)


def is_english(fact: str) -> bool:
    """Whether more than a repeat can be told of a fact."""
    return bool(read(fact).claims)


def is_same(existing: str, new: str) -> bool:
    """Whether the new fact updates a record that says `existing`."""
    return compare(existing, new).same


def find_match(new: str, candidates: Sequence[Candidate], mode: DedupMode = "naive") -> Match | None:
    """The record that the new fact updates: the best of the candidates, of equals the oldest (they come oldest first).

    A repeat always goes before everything else. Mode `exact` knows only repeats, `off` nothing at all.
    """
    if mode == "off" or not candidates:
        return None
    form = read(new).form
    for candidate in candidates:
        if read(candidate.memory).form == form:
            return Match(candidate, EXACT_REPEAT)
    if mode == "exact":
        return None
    for candidate in candidates:
        if candidate.repeats:
            return Match(candidate, "exact repeat of what this record said before")
    return _nearest(new, candidates, lambda verdict: verdict.same)


def explain_apart(new: str, candidates: Sequence[Candidate], mode: DedupMode = "naive") -> Match | None:
    """The nearest candidate that is kept apart from the new fact, and why; None when there is none."""
    if mode == "naive":
        return _nearest(new, candidates, lambda verdict: not verdict.same)
    nearest = _nearest(new, candidates, lambda verdict: mode == "exact" and verdict.because != EXACT_REPEAT)
    return nearest and Match(nearest.candidate, "no exact repeat")


def _nearest(new: str, candidates: Sequence[Candidate], fits: Callable[[Verdict], bool]) -> Match | None:
    judged = [(verdict, one) for one in candidates if fits(verdict := compare(one.memory, new))]
    best = max(judged, key=lambda pair: pair[0].score, default=None)
    return Match(best[1], best[0].because) if best else None


# Vetoes: why two facts that look alike are not the same


def _vetoes(old: Fact, new: Fact) -> Iterator[str]:
    before, after = old.having(kind.NUMBER, kind.NUMBER), new.having(kind.NUMBER, kind.NUMBER)
    gone, come = before - after, after - before
    if gone and come:
        yield f"another number: {_these(come, gone)}"
    for head in sorted(old.counts.keys() & new.counts.keys()):
        if old.counts[head] != new.counts[head]:
            yield f"another number: {_these([new.counts[head]], [old.counts[head]])}"
    apart = old.denied and new.denied and old.denied.isdisjoint(new.denied)
    if apart and old.denied <= new.words | new.topic and new.denied <= old.words | old.topic:
        yield f"another thing is denied: {_these(_named(new.denied, new), _named(old.denied, old))}"
    if old.negations != new.negations:
        yield "one is negated, the other is not"
    yield from _mood_vetoes(old, new)
    apart = {claim.chain for claim in old.claims}.isdisjoint([claim.chain for claim in new.claims])
    if apart and not _in_other_grammar(old, new):
        yield f"about somebody or something else: {_whom(new)} instead of {_whom(old)}"
    if not _may_be_one(old.owner, new.owner):
        yield f"about somebody else: {_whom(new)} instead of {_whom(old)}"
    yield from (*_part_vetoes(old, new), *_word_vetoes(old, new))


def _mood_vetoes(old: Fact, new: Fact) -> Iterator[str]:
    stance = {old.mood, new.mood}
    past = {old.past, new.past}
    when = [{token.stem for token in fact.tokens if token.kinds & kind.TIME} for fact in (old, new)]
    if stance == {"", "over"} and past != {True}:
        yield "one is how it is, the other how it was"
    elif stance == {"", "will"} and past == {False} and when[0] & when[1]:
        return  # "is moving in May", "will move in May"
    elif len(stance) > 1 and stance not in ({"", "over"}, {"over", "former"}):
        moods = [" and ".join(map(_MOODS.__getitem__, fact.mood.split())) or "plain fact" for fact in (new, old)]
        yield f"another mood: {' instead of '.join(moods)}"


def _word_vetoes(old: Fact, new: Fact) -> Iterator[str]:
    for which in (kind.DATE, kind.DATE | kind.HOUR):
        before, after = old.having(kind.DATE | kind.HOUR, which), new.having(kind.DATE | kind.HOUR, which)
        if before and after and before != after:
            yield f"another date: {_these(after - before, before - after)}"
    before, after = old.having(kind.OPPOSITE, kind.OPPOSITE), new.having(kind.OPPOSITE, kind.OPPOSITE)
    for word in sorted(before - after):
        against = lexicon().opposites.get(word, set()) & after - before
        if against:
            yield f"the opposite: {_these(against, [word])}"
    for name in sorted(old.asides.keys() & new.asides.keys()):
        gone, come = old.asides[name] - new.words, new.asides[name] - old.words
        gone, come = gone - new.asides[name], come - old.asides[name]
        if gone and come:
            yield f"said along with it: {_these(_named(come, new), _named(gone, old))}"
    changed = old.having(_MADE, kind.PRIVATIVE) ^ new.having(_MADE, kind.PRIVATIVE)
    if changed:
        yield f"not the same thing: {_listed(changed)}"


_MADE = kind.PRIVATIVE | kind.ROLE | kind.PREPOSITION


def _part_vetoes(old: Fact, new: Fact) -> Iterator[str]:
    """The same word in another part: a letter from Hana, a letter for Hana."""
    for one, other in ((old, new), (new, old)):
        if one.done and one.done in [stem(claim.verb) for claim in other.claims]:
            yield f"another part: one does it, to the other it is done: {one.done}"
    parts = [(word, old.parts[word], new.parts[word]) for word in sorted(old.parts.keys() & new.parts.keys())]
    for word, before, after in parts:
        is_plain = "place" in (before, after) and not _is(before, kind.APART) and not _is(after, kind.APART)
        if before and after and before != after and not is_plain:
            yield f"another part for {_show(word, new)}: {after} instead of {before}".replace("place", "in or at")
    plain = {(bool(before), bool(after)) for _, before, after in parts}
    if {(True, False), (False, True)} <= plain:
        yield "another part: what is done to whom is the other way round"


def _may_be_one(one: Owner, other: Owner) -> bool:
    """Within a partition the user, a role and a name may be the same person; two roles, two names are not."""
    kinds = {one.kind, other.kind}
    if one == other:
        return True
    if "it" in kinds or kinds == {"he", "she"} or (len(kinds) == 1 and one.kind != "name"):
        return False
    return len(kinds) == 2 or one.names <= other.names or other.names <= one.names


_MOODS = {
    "can": "ability", "maybe": "possibility", "must": "duty", "will": "future", "would": "condition",
    "former": "a former time", "seldom": "exception", "over": "the past",
}  # fmt: skip


# What is left: one has to contain the other


def _agreement(old: Fact, new: Fact, nearness: float) -> Verdict:
    """The verdict on two facts that no veto keeps apart."""
    if old.squash and old.squash == new.squash and old.main.chain == new.main.chain:
        return Verdict(True, "the same words, written differently", 0.95)
    shared = [claim for claim in old.claims if claim in new.claims]
    if not shared and _in_other_grammar(old, new):
        return Verdict(True, "says the same in other words", 0.4 + 0.4 * nearness)
    if not shared:
        apart = f"says something else of {_whom(new)}" if old.words & new.words else "nothing in common"
        return Verdict(False, apart, nearness / 2)
    reasons = [_why_not(old, new, claim) for claim in shared]
    if "" in reasons:
        return Verdict(True, _because(old, new, shared[reasons.index("")]), 0.5 + 0.4 * nearness)
    gone, come = old.core - new.words, new.core - old.words
    if is_plain_value(old) and is_plain_value(new) and len(gone) == len(come) == 1 and old.words & new.words:
        before, after = _shows(gone, old), _shows(come, new)
        if _is_respelt(before, after):
            return Verdict(True, f"corrects the spelling: {after} instead of {before}", 0.5 + 0.4 * nearness)
    return Verdict(False, reasons[0], nearness / 2)


def _in_other_grammar(old: Fact, new: Fact) -> bool:
    """Whether two facts say the same though one says in a noun what the other says in a verb, or as an attribute:
    "goes for a run", "runs"; "has noisy neighbors", "the user's neighbors are noisy"."""
    few, many = sorted((old, new), key=lambda fact: len(fact.main.chain))
    (chain, verb), attribute = few.main, many.main.chain
    is_light = _is(verb, kind.LIGHT) or stem(verb) in map(stem, attribute)
    if chain != attribute and (chain or not is_light):
        return False
    if any(few.parts.get(stem(word), "") not in ("", "place") for word in set(attribute) - set(chain)):
        return False
    before, after = old.words | old.topic, new.words | new.topic
    if not (old.topic <= after and new.topic <= before):
        return False
    if old.gist == new.gist and len(new.gist) == 1:  # "has asthma", "is asthmatic"; but "is a child", "has a child"
        return old.bases.isdisjoint(new.bases)
    return any(len(gist) > 1 and gist <= said for gist, said in ((old.gist, after), (new.gist, before)))


def _why_not(old: Fact, new: Fact, claim: Claim) -> str:
    """Why two facts that share a claim are not the same; empty when they are."""
    before, after = old.beyond(old.core, claim), new.beyond(new.core, claim)
    gone, come = before - new.words, after - old.words
    both, now = old.words & new.words, new.describing
    swapped = [word for word, head in old.describing.items() if {word, head, now.get(word, head)} <= both]
    lacking = [one.claims[claim] not in {"", *other.heads} for one, other in ((old, new), (new, old))]
    says_nothing = (claim.verb in ("like", "want") or _is(claim.verb, kind.LIGHT)) and not (before and after)
    if (
        (gone and come)
        or any(now.get(word) not in (None, old.describing[word]) for word in swapped)
        or any(lacking)
        or says_nothing
    ):
        return f"another value: {_shows(come, new)} instead of {_shows(gone, old)}"
    for one, other in ((old, new), (new, old)) if {"be", "name"}.isdisjoint((old.main.verb, new.main.verb)) else ():
        for word, head in one.describing.items():
            if word in other.heads and word[0] != NUMERIC and head not in other.words | other.topic:
                return f"not the same thing: {_show(word, one)} {_show(head, one)}"
    return ""


def _because(old: Fact, new: Fact, claim: Claim) -> str:
    gone, come = old.beyond(old.words - new.words, claim), new.beyond(new.words - old.words, claim)
    if bool(gone) == bool(come):
        return "says the same in other words" if gone else "the same words, written differently"
    named = claim.verb in ("name", "age")
    attribute = " ".join((*claim.chain, claim.verb) if named else claim.chain) if named or claim.verb == "be" else ""
    if attribute:
        return f"{'extends the value' if come else 'repeats part'} of the same attribute: {attribute}"
    return f"adds to it: {_shows(come, new)}" if come else f"repeats it without: {_shows(gone, old)}"


def _is_respelt(one: str, other: str) -> bool:
    """Whether two words differ by one letter that is changed, added or lost."""
    short, long = sorted((one, other), key=len)
    start = next((place for place, letter in enumerate(short) if letter != long[place]), len(short))
    return len(short) > 3 and start > 0 and long[start + 1 :] in (short[start:], short[start + 1 :])


def _is(word: str, bit: int) -> bool:
    return lexicon().kinds.get(word, 0) & bit > 0


# Words for people


def _show(word: str, *facts: Fact) -> str:
    return next((fact.shown[word] for fact in facts if word in fact.shown), word)


def _shows(words: Collection[str], fact: Fact) -> str:
    return _listed(_named(words, fact))


def _these(new: Collection[str], old: Collection[str]) -> str:
    return f"{_listed(new)} instead of {_listed(old)}"


def _named(words: Collection[str], fact: Fact) -> list[str]:
    return [_show(word, fact) for word in words]


def _listed(words: Collection[str]) -> str:
    return ", ".join(sorted(words)).replace("_", " ").replace(LABEL_A, "A").replace(NUMERIC, "") or "none"


def _whom(fact: Fact) -> str:
    """How the one is called whom a fact is about: "the user's brother"."""
    owner, chain = fact.owner, fact.main.chain
    if owner.kind == "thing":
        return "the " + ("'s ".join(chain) or "thing")
    name = " ".join(sorted(owner.names)) or owner.kind
    return "'s ".join((f"the {name}" if owner.kind in ("user", "role") else name, *chain)).replace("_", " ")
