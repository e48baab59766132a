"""The index of candidates: under which keys a store finds the records that may be the same as a new fact.

Facts that are the same agree in negation and mood, which are in every key. And the rarest words of the main clause of
one, its verb included, are among the words of the other, so that there are two families of keys:

    stored     |x for every word x of the fact             !rarest two words of the main clause
    looked up  |both rarest words of the main clause       !x for every small set x of the fact's words

The left column finds records that say more, the right one records that say less.
"""

from collections.abc import Mapping, Set
from functools import lru_cache
from hashlib import blake2b
from itertools import combinations

from fake_convai.domain.dedup.reading import read, topic_of
from fake_convai.domain.english.tables import lexicon, stem
from fake_convai.domain.english.tokens import NUMERIC

MAX_KEY_LENGTH = 64
MAX_PAIRED = 5  # for so many words all pairs of them are looked up; for more, single words must do


def exact_key(memory: str) -> str:
    """The key that a fact shares with its repeats only; it begins with "=". A store that keeps it when the text of a
    record is replaced, and sets `Candidate.repeats` where a new fact meets it, finds the record of a former text."""
    return _short("=" + read(memory).form)


def index_keys(memory: str) -> frozenset[str]:
    """The keys that a store keeps with a record. Facts that are the same share at least one."""
    return _keys(memory)[0]


def lookup_keys(new: str) -> frozenset[str]:
    """The keys to look for among the `index_keys` of the records: every record that is the same has one of them."""
    return _keys(new)[1]


def companion_keys(new: str) -> Mapping[str, Set[str]]:
    """For some of the `lookup_keys`, the keys of which a record that is found by it must have one, too."""
    return _keys(new)[2]


@lru_cache(8)  # a fact that is looked up and not found is stored next
def _keys(memory: str) -> tuple[frozenset[str], frozenset[str], Mapping[str, Set[str]]]:
    fact = read(memory)
    exact = _short("=" + fact.form)
    if not fact.claims:
        return frozenset([exact]), frozenset([exact]), {}
    stance = f"{fact.negations}{fact.mood}".replace("a former time", "").replace("future", "").replace("the past", "")
    common = exact, _short(f"{stance}:{fact.squash}") if fact.squash else exact
    main, known, said = fact.main, lexicon().kinds, set(fact.words)
    aside = {"user", stem(main.verb), *map(stem, main.chain[:1])}  # an owner, a verb: of many facts
    there, here, stored = stance + "|", stance + "!", [stance + "|"]
    both: dict[str, set[str]] = {}
    describing = {word.stem for chunk in fact.chunks for word in chunk.words[:-1]}
    for claim in fact.claims:
        stated = fact.core | topic_of(*claim)
        said |= stated
        rare = stated - aside or stated - {"user"} or stated  # at a guess: numbers, what describes, names, long words
        ranks = [(word[:1] == NUMERIC, word in describing, word not in known, len(word), word) for word in rare]
        rarest = [rank[-1] for rank in sorted(ranks)[-2:]]
        if rarest:
            both.setdefault(_short(there + rarest[-1]), set()).add(_short(there + rarest[0]))
            stored += (here + " ".join(sorted(rarest)), f"{here}~{rarest[-1]}")
    words = sorted(said - {"user"})
    stored += [there + word for word in said]
    if len(words) <= MAX_PAIRED:
        asked = [here + word for word in said] + [f"{here}{one} {two}" for one, two in combinations(words, 2)]
    else:
        asked = [f"{here}~{word}" for word in words] + [here + word for word in said & {"user"}]
    if not memory.isascii() or len("".join(words)) > MAX_KEY_LENGTH // 2:
        stored, asked = [*map(_short, stored)], [*map(_short, asked)]
    return frozenset([*stored, *common]), frozenset([*asked, *both, *common]), both


def _short(key: str) -> str:
    """A key of bounded length, the same in every process; that of an exact form keeps its "="."""
    if len(key) <= MAX_KEY_LENGTH and key.isascii():
        return key
    digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()
    return (key[0] if key[0].isascii() else "#") + digest
