"""Whether a new fact is one that is already there: the deduplication of long-term memory.

Convai says that a fact which semantically overlaps one of the same partition updates it (docs/contract.md section 4);
how it decides is not public, so the rule here is ours, explained in docs/deduplication.md: two English facts are read
(`reading`), kept apart by the first veto that applies, and the same if the main clause of one contains the other's.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from fake_convai.domain.dedup.grammar import Owner
from fake_convai.domain.dedup.reading import Claim, Fact, read, topic_of
from fake_convai.domain.english import kind
from fake_convai.domain.english.tables import lexicon, stem
from fake_convai.domain.english.tokens import LABEL_A, NUMERIC

EXACT_REPEAT = "exact repeat"
DedupMode = Literal["naive", "exact", "off"]


class Candidate(NamedTuple):
    """A record of the same partition. `repeats` is set by a store that knows that the new fact is, word for word, what
    this record said before it was updated; see `exact_key`."""

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
    A repeat always goes before everything else. Mode `exact` knows only repeats, `off` nothing at all."""
    form = read(new).form
    repeats = [Match(one, EXACT_REPEAT) for one in candidates if mode != "off" and read(one.memory).form == form]
    if repeats or mode != "naive":
        return repeats[0] if repeats else None
    former = [Match(one, "exact repeat of what this record said before") for one in candidates if one.repeats]
    return former[0] if former else _nearest(new, candidates, lambda verdict: verdict.same)


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
    for title in [title for title in old.values if title in new.values]:
        gone = old.values[title] - new.values[title] - new.words
        come = new.values[title] - old.values[title] - old.words
        if gone and come:
            yield f"another {title}: {_instead(come, new, gone, old)}"
    for _, count, counted in _differing(old.counts, new.counts):
        yield f"another number: {counted} instead of {count}"
    if old.negations != new.negations:
        yield "one is negated, the other is not"
    yield from _mood_vetoes(old, new)
    apart = {claim.chain for claim in old.claims}.isdisjoint([claim.chain for claim in new.claims])
    if (apart and not _in_other_grammar(old, new)) or not _may_be_one(old.owner, new.owner):
        what = "somebody or something" if apart else "somebody"
        yield f"about {what} else: {_whom(new)} instead of {_whom(old)}"
    yield from _part_vetoes(old, new)
    before, after = ({token.word for token in fact.tokens} for fact in (old, new))
    for word in sorted(before - after):
        against = lexicon().opposites.get(word, set()) & after - before
        if against:
            yield f"the opposite: {_instead(against, new, [word], old)}"
    changed = old.made ^ new.made
    if changed:
        yield f"not the same thing: {_listed(changed, new)}"


def _differing(old: Mapping[str, str], new: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Each word of which both say something, and not the same."""
    both = [(word, old[word], new[word]) for word in sorted(old.keys() & new.keys())]
    return [(word, before, after) for word, before, after in both if before and after and before != after]


def _mood_vetoes(old: Fact, new: Fact) -> Iterator[str]:
    moods, past = {old.mood, new.mood}, {old.past, new.past}
    times = [{token.stem for token in fact.tokens if token.kinds & kind.TIME} for fact in (old, new)]
    is_over = moods <= {"", "the past", "a former time"} and (past == {True} or "" not in moods)
    is_ahead = times[0] & times[1] or (new if old.mood else old).main.verb == "plan"  # "is moving in May"
    is_planned = moods == {"", "future"} and True not in past and is_ahead
    if moods == {"", "the past"} and not is_over:
        yield "one is how it is, the other how it was"
    if len(moods) > 1 and not is_over and not is_planned:
        yield f"another mood: {new.mood or 'plain fact'} instead of {old.mood or 'plain fact'}"


def _part_vetoes(old: Fact, new: Fact) -> Iterator[str]:
    """The same word in another part: a letter from Hana, a letter for Hana; a white cat, a white dog."""
    for one, other in ((old, new), (new, old)):
        if one.done_to in [claim.verb for claim in other.claims]:
            yield f"another part: one does it, to the other it is done: {one.done_to}"
    words = old.words & new.words
    described = [one for one in _differing(old.describing, new.describing) if words.issuperset(one)]
    for word, *parts in (*_differing(old.parts, new.parts), *described):
        if "place" not in parts or any(_is(part, kind.APART) for part in parts):
            before, after = parts
            yield f"another part for {_listed([word], new)}: {after} instead of {before}".replace("place", "in or at")
    both = [(old.parts[word], new.parts[word]) for word in old.parts.keys() & new.parts.keys()]
    plain = {(before > "", after > "") for before, after in both if {before, after} != {"", "place"}}
    if {(True, False), (False, True)} <= plain:
        yield "another part: what is done to whom is the other way round"


def _may_be_one(one: Owner, other: Owner) -> bool:
    """Within a partition the user, a role and a name may be the same person; two roles, two names are not."""
    kinds = {one.kind, other.kind}
    if one == other or (len(kinds) == 2 and "it" not in kinds and kinds != {"he", "she"}):
        return True
    return kinds == {"name"} and (one.names <= other.names or other.names <= one.names)


def _agreement(old: Fact, new: Fact, nearness: float) -> Verdict:
    """The verdict on two facts that no veto keeps apart: one has to contain the other."""
    if old.squash and old.squash == new.squash and old.main.chain == new.main.chain:
        return Verdict(True, "the same words, written differently", 0.95)
    shared = [claim for claim in old.claims if claim in new.claims]
    if old.main.chain != new.main.chain:  # my favorite color and my favorite shirt are not one because I like both
        shared = [claim for claim in shared if claim in (old.main, new.main)]
    if not shared and _in_other_grammar(old, new):
        return Verdict(True, "says the same in other words", 0.4 + 0.4 * nearness)
    if not shared:
        apart = f"says something else of {_whom(new)}" if old.words & new.words else "nothing in common"
        return Verdict(False, apart, nearness / 2)
    reasons = [_why_not(old, new, claim) for claim in shared]
    if "" in reasons:
        return Verdict(True, _because(old, new, shared[reasons.index("")]), 0.5 + 0.4 * nearness)
    return Verdict(False, reasons[0], nearness / 2)


def _in_other_grammar(old: Fact, new: Fact) -> bool:
    """Whether two facts say the same though one says in a noun what the other says in a verb, or as an attribute:
    "goes for a run", "runs"; "has noisy neighbors", "the user's neighbors are noisy"."""
    few, many = sorted((old, new), key=lambda fact: len(fact.main.chain))
    (chain, verb), attribute = few.main, many.main.chain
    is_light = _is(verb, kind.LIGHT) or stem(verb) in map(stem, attribute)
    if chain != attribute and (chain or not is_light or many.owner.kind == "thing"):
        return False
    parts = [(few.parts.get(stem(word)), _is(word, kind.RELATION)) for word in set(attribute) - set(chain)]
    if any(part and (part != "place" or is_relation) for part, is_relation in parts):
        return False
    verbs = {verb, many.main.verb}
    if chain == attribute:
        firsts = [one.words[-1].base for fact in (old, new) for one in fact.chunks[:1] if not one.preposition]
        if verbs == {"be", "have"} and len(firsts) > len(set(firsts)):  # "is a child", "has a child"
            return False
        things = [fact.core - {"user", *[NUMERIC + count for count in fact.counts.values()]} for fact in (old, new)]
        is_contained = min(map(len, things)) > 1 and (things[0] <= new.words or things[1] <= old.words)
        is_other = old.past != new.past or old.done_to or new.done_to or any(_is(word, kind.CONTRARY) for word in verbs)
        if is_contained and verbs & {"be", "have", "do"} and not is_other:  # "is at level 2", "reached level 2"
            return True
    if not (topic_of(*old.main) <= new.said and topic_of(*new.main) <= old.said):
        return False
    both = (old.gist, new.said), (new.gist, old.said)
    return any(gist <= said for gist, said in both if len(gist) > 1 or gist == said)


def _why_not(old: Fact, new: Fact, claim: Claim) -> str:
    """Why two facts that share a claim are not the same; empty when they are."""
    before, after = old.beyond(old.core, claim), new.beyond(new.core, claim)
    gone, come = before - new.words, after - old.words
    lacking = [one.claims[claim] not in {"", *other.heads} for one, other in ((old, new), (new, old))]
    least = 1 if claim.verb in ("like", "want") or _is(claim.verb, kind.LIGHT) else 0
    if old.owner != new.owner and "someone" in (old.owner.kind, new.owner.kind):
        least = 2  # "lost the keys at sea", "the keys were lost at sea"; but "stole a bike", "the bike was stolen"
    says_nothing = min(len(before - {"user"}), len(after - {"user"})) < least
    if (gone and come) or any(lacking) or says_nothing:
        return f"another value: {_instead(come, new, gone, old)}"
    for one, other in ((old, new), (new, old)) if {"be", "name"}.isdisjoint((old.main.verb, new.main.verb)) else ():
        for word, head in one.describing.items():
            if word in other.heads and word[0] != NUMERIC and head not in other.said:
                return f"not the same thing: {_listed([word], one)} {_listed([head], one)}"
    return ""


def _because(old: Fact, new: Fact, claim: Claim) -> str:
    gone, come = old.beyond(old.words - new.words, claim), new.beyond(new.words - old.words, claim)
    if bool(gone) == bool(come):
        return "says the same in other words" if gone else "the same words, written differently"
    attribute = " ".join(claim.chain if claim.verb == "be" else (*claim.chain, claim.verb))
    if attribute and claim.verb in ("be", "name"):
        return f"{'extends the value' if come else 'repeats part'} of the same attribute: {attribute}"
    return f"adds to it: {_listed(come, new)}" if come else f"repeats it without: {_listed(gone, old)}"


def _is(word: str, bit: int) -> bool:
    return lexicon().kinds.get(word, 0) & bit > 0


def _listed(words: Collection[str], fact: Fact) -> str:
    """Words as this fact writes them."""
    shown = {token.stem: token.word for token in fact.tokens}
    listed = ", ".join(sorted([shown.get(word, word) for word in words]))
    return listed.replace("_", " ").replace(LABEL_A, "A").replace(NUMERIC, "") or "none"


def _instead(come: Collection[str], new: Fact, gone: Collection[str], old: Fact) -> str:
    return f"{_listed(come, new)} instead of {_listed(gone, old)}"


def _whom(fact: Fact) -> str:
    """How the one is called whom a fact is about: "the user's brother"."""
    owner, chain = fact.owner, fact.main.chain
    if owner.kind == "thing":
        return "the " + ("'s ".join(chain) or "thing")
    name = " ".join(sorted(owner.names)) or owner.kind
    return "'s ".join((f"the {name}" if owner.kind in ("user", "role") else name, *chain)).replace("_", " ")
