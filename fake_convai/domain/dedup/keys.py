"""The index of candidates: under which keys a store finds the records that may be the same as a new fact.

Facts that are the same agree in negation and mood, share a claim (these are in every key), and all words of the main
clause of one are among the words of the other. So the rarest words of the one are among the words of the other, and
the two families of keys follow from that:

    stored     |x for every small set x of the fact's words      !rarest two words of the main clause
    looked up  !x for every small set x of the fact's words      |rarest two words of the main clause

Looking up the right column finds records that say more, looking up the left one records that say less; records that
only share the verb ("collects Roman coins", "collects Greek coins") do not meet.
"""

from functools import lru_cache
from hashlib import blake2b
from itertools import combinations

from fake_convai.domain.dedup.reading import beyond, is_plain_value, read
from fake_convai.domain.english.forms import WORD_CACHE, as_verb
from fake_convai.domain.english.tables import lexicon
from fake_convai.domain.english.tokens import NUMBER, exact_form

MAX_KEY_LENGTH = 64

MAX_PAIRED = 49
"""For words and claims up to here all pairs of words are keys; for more, single words must do."""


def exact_key(memory: str) -> str:
    """The key that a fact shares with its repeats only; it begins with "=".

    A store that keeps this key on a record when the record's text is replaced, and sets `Candidate.repeats` where a
    new fact meets it, makes adding stable: every text of a list then finds its record again.
    """
    return _short("=" + exact_form(memory))


def index_keys(memory: str) -> frozenset[str]:
    """The keys that a store keeps with a record. Facts that are the same share at least one."""
    return _keys(memory, "|", "!")


def lookup_keys(new: str) -> frozenset[str]:
    """The keys to look for among the `index_keys` of the records: every record that is the same has one of them."""
    return _keys(new, "!", "|")


def _keys(memory: str, sets: str, rarest: str) -> frozenset[str]:
    common, parts = _parts(memory)
    keys = list(common)
    for frame, small, few in parts:
        keys += [f"{frame}{sets}{some}" for some in small]
        keys += [f"{frame}{rarest}{some}" for some in few]
    if "".join(keys).isascii() and len(max(keys, key=len)) <= MAX_KEY_LENGTH:
        return frozenset(keys)
    return frozenset(map(_short, keys))


@lru_cache(8)  # a fact that is looked up and not found is stored next
def _parts(memory: str) -> tuple[list[str], list[tuple[str, list[str], list[str]]]]:
    """The keys of both families; and for each claim the frame of its keys, the small sets, the rarest words."""
    fact = read(memory)
    common, parts = ["=" + fact.form, f"{fact.negations}{fact.mood}:{fact.squash}"], []
    for claim in fact.claims:
        frame = f"{fact.negations}{fact.mood}/{'/'.join(claim.chain)}/{claim.verb}"
        words = sorted(beyond(fact.words, claim))
        core = sorted(beyond(fact.core, claim), key=lambda word: _rarity(word, word in fact.describing))
        few = [" ".join(sorted(core[-2:])), *(f"~{word}" for word in core[-1:])]
        if len(words) * len(words) * len(fact.claims) > MAX_PAIRED:
            small = ["", *(f"~{word}" for word in words)]
        else:
            small = ["", *words, *(f"{one} {other}" for one, other in combinations(words, 2))]
        parts.append((frame, small, few))
        if is_plain_value(fact):  # two spellings of a value share its other words
            common += [f"{frame}:{word}" for word in words if word != "favorite"]
    return common, parts


def _short(text: str) -> str:
    """A key of bounded length, the same in every process; that of an exact form keeps its "="."""
    if len(text) <= MAX_KEY_LENGTH and text.isascii():
        return text
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()
    return (text[0] if text[0].isascii() else "#") + digest


@lru_cache(WORD_CACHE)
def _rarity(word: str, describes: bool) -> tuple[bool, bool, bool, int, str]:
    """A guess at how seldom a word is met: numbers first, then what describes another word and names, which are in no
    table, then long words."""
    is_name = word not in lexicon().known and as_verb(word) is None
    return word.startswith(NUMBER), describes, is_name, len(word), word
