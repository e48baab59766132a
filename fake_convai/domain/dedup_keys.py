"""The index of candidates: under which keys a store finds the records that may be the same as a new fact.

Facts that are the same agree in numbers, negation and mood (the frame, part of every key), share an anchor, and all
that one says of it the other says too. So the rarest words of the shorter fact are among the words of the longer one,
and the two families of keys follow from that:

    stored     anchor|x for every small set x of the fact's words      anchor!rarest words of the fact
    looked up  anchor!x for every small set x of the fact's words      anchor|rarest words of the fact

Looking up the right column finds records that say more, looking up the left one records that say less; records that
only share the anchor ("collects Roman coins", "collects Greek coins") do not meet.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import combinations
from typing import NamedTuple

from fake_convai.domain.dedup_read import KEYS_BESIDES, MAX_ANCHOR_KEYS, Fact, read
from fake_convai.domain.dedup_text import exact_form
from fake_convai.domain.dedup_tokens import NUMBER, is_known
from fake_convai.domain.dedup_words import WORD_CACHE, as_verb, kind, stem

MAX_KEY_LENGTH = 64

MAX_SET = 2
"""Words of a small set. For a fact that would have too many keys, sets of one word must do ("~" and "!!")."""


def exact_key(memory: str) -> str:
    """The key that a fact shares with its repeats only; it begins with "=".

    A store that keeps this key on a record when the record's text is replaced, and sets `Candidate.repeats` where a
    new fact meets it, makes adding stable: every text of a list then finds its record again.
    """
    return _key("=" + exact_form(memory))


def index_keys(memory: str) -> frozenset[str]:
    """The keys that a store keeps with a record. Facts that are the same share at least one."""
    parts = _parts(memory)
    keys = [f"{anchor}{'|' if most == MAX_SET else '~'}{some}" for anchor, most, some in parts.small_sets]
    keys += [f"{anchor}|" for anchor, _, _ in parts.rarest]
    for anchor, rarest, first in parts.rarest:
        keys += (f"{anchor}!{rarest}", f"{anchor}!!{first}")
    return _framed(parts, keys)


def lookup_keys(new: str) -> frozenset[str]:
    """The keys to look for among the `index_keys` of the records: every record that is the same has one of them.

    Looking for `index_keys(new)` finds the same records too, and many more.
    """
    parts = _parts(new)
    keys = [f"{anchor}{'!' if most == MAX_SET else '!!'}{some}" for anchor, most, some in parts.small_sets]
    for anchor, rarest, first in parts.rarest:
        keys += (f"{anchor}|{rarest}", f"{anchor}~{first}")
    return _framed(parts, keys)


def bag(fact: Fact) -> str:
    """All words of a fact in any order; the same for "bees are kept by Ana" and "Ana keeps bees"."""
    return "bag:" + " ".join(sorted(everything(fact)))


def everything(fact: Fact) -> frozenset[str]:
    """All that a fact speaks of."""
    return fact.words | {fact.predicate, *fact.chain, *fact.owner.names}


def squash(fact: Fact) -> str:
    """A fact without the spaces between its words: "weight lifter", "weightlifter"."""
    return f"{'/'.join(fact.chain)}|{fact.predicate}|squash:{fact.squash}"


def is_plain_value(fact: Fact) -> bool:
    """Whether a fact says the value of an attribute and nothing else: "my boss is Ines Roth"."""
    is_attribute = fact.predicate == "name" or (fact.predicate == "be" and bool(fact.chain))
    return is_attribute and fact.words - fact.parts.keys() <= {"favorite"} and not any(fact.parts.values())


class _Parts(NamedTuple):
    """What both families of keys are made of. `frame` is None for a fact that has only its exact key."""

    exact: str
    frame: str | None = None
    common: Sequence[str] = ()
    small_sets: Sequence[tuple[str, int, str]] = ()
    rarest: Sequence[tuple[str, str, str]] = ()
    """Each anchor with its rarest words, and the first of them."""


@lru_cache(8)  # a fact that is looked up and not found is stored next
def _parts(memory: str) -> _Parts:
    fact = read(memory)
    exact = _key("=" + fact.form)
    if not fact.english:
        return _Parts(exact)
    common = [bag(fact), squash(fact)]
    if is_plain_value(fact):  # two spellings of a value share nothing but the anchor
        common += [f"{anchor}:" for anchor in fact.anchors]
    frame = f"{'-' * fact.negations}{fact.mood}{'<' * fact.former}{'+'.join(fact.numbers)}"
    return _Parts(exact, frame, common, list(_small_sets(fact)), list(_rarest(fact)))


def _framed(parts: _Parts, keys: list[str]) -> frozenset[str]:
    if parts.frame is None:
        return frozenset((parts.exact,))
    return frozenset((parts.exact, *(_key(f"{parts.frame}|{key}") for key in (*keys, *parts.common))))


def _key(text: str) -> str:
    """A key of bounded length, the same in every process; that of an exact form keeps its "="."""
    if len(text) <= MAX_KEY_LENGTH and text.isascii():
        return text
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()
    return (text[0] if text[0].isascii() else "#") + digest


def _small_sets(fact: Fact) -> Iterator[tuple[str, int, str]]:
    """For each anchor all small sets of the fact's other words, with the most words that they may have."""
    words = [(anchor, sorted(_stems(fact, anchor) | _doing(fact, anchor))) for anchor in fact.anchors]
    count = sum(len(others) * (len(others) + 1) // 2 + KEYS_BESIDES for _, others in words)
    most = MAX_SET if count <= MAX_ANCHOR_KEYS else 1
    for anchor, others in words:
        for size in range(most + 1):
            for some in combinations(others, size):
                yield anchor, most, " ".join(some)


def _rarest(fact: Fact) -> Iterator[tuple[str, str, str]]:
    """For each anchor those of the fact's other words that are met least often, and the one met least of all."""
    for anchor in fact.anchors:
        by_rarity = sorted(_beyond(fact, anchor), key=_rarity, reverse=True)
        words = list(dict.fromkeys(map(stem, by_rarity)))[:MAX_SET]
        yield anchor, " ".join(sorted(words)), words[0] if words else ""


@lru_cache(WORD_CACHE)
def _rarity(word: str) -> tuple[bool, bool, int, str]:
    """A guess at how seldom a word is met: numbers first, then names, which are in no table, then long words."""
    return word.startswith(NUMBER), not is_known(word) and as_verb(word) is None, len(word), word


def _beyond(fact: Fact, anchor: str) -> frozenset[str]:
    """What a fact says beyond an anchor, without what may be missing from another one that is the same."""
    _, does, thing = anchor.split("|")
    return fact.words - kind("soft") - kind("time") - {does, thing, *thing.split()}


def _stems(fact: Fact, anchor: str) -> set[str]:
    return {stem(word) for word in _beyond(fact, anchor)}


def _doing(fact: Fact, anchor: str) -> set[str]:
    """The verb of a fact where the anchor has another: another fact may say it in so many words."""
    return set() if anchor.split("|")[1] == fact.predicate else {stem(fact.predicate)}
