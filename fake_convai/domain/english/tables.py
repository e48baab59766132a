"""The word tables of `words/`, read once and on first use, since a server should not wait for them at its start."""

import pkgutil
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from fake_convai.domain.english import kind
from fake_convai.domain.english.kind import KINDS

Groups = Mapping[str, tuple[str, ...]]


def load(name: str) -> Groups:
    """One word file as group name -> members; a group may go on over several lines."""
    data = pkgutil.get_data("fake_convai.domain.english", f"words/{name}.txt") or b""
    groups: dict[str, list[str]] = {}
    for line in data.decode("utf-8").splitlines():
        if line and not line.startswith("#"):
            head, _, members = line.partition(":")
            groups.setdefault(head.strip(), []).extend(filter(None, map(str.strip, members.split(","))))
    return {head: tuple(members) for head, members in groups.items()}


class Phrase(NamedTuple):
    """Several words, and those that stand for them."""

    words: tuple[str, ...]
    instead: tuple[str, ...]
    needed: frozenset[str]  # the words, as a set


class Verb(NamedTuple):
    """A word as a form of a verb: `forms` holds b(ase), s (third person), p(ast), q (past participle), g(erund)."""

    base: str
    forms: str


class Lexicon:
    """All the tables, in the shape they are looked up."""

    def __init__(self) -> None:
        function, plurals, foreign = dict(load("function")), dict(load("plurals")), dict(load("foreign"))
        self.asis = frozenset(plurals.pop("asis"))
        self.plurals = _heads(plurals)
        self.adverbs, self.lys, self.ises = (frozenset(function.pop(name)) for name in ("adverb", "ly", "ise"))
        self.shared = frozenset(foreign.pop("shared"))
        self.prepositions = _heads(load("prepositions"))
        self.opposites = _opposites(load("opposites"))
        self.numbers = _heads(load("numbers"))
        self.contractions = {short: tuple(full.split()) for short, full in _heads(load("contractions")).items()}
        self.attributes = _heads(load("attributes"))
        self.disguised = _heads(load("compounds"))
        self.verbs = frozenset(verb for group in load("verbs").values() for verb in group)
        self.irregular_verbs = _irregular_verbs(load("irregular"))
        self.phrases: dict[str, list[Phrase]] = {}
        self.predicates, self.nouns = self._canonical("predicates"), self._canonical("nouns")
        self.grammar = frozenset((*self.prepositions, "'s", *(word for name in _GRAMMAR for word in function[name])))
        self.foreign = frozenset(_heads(foreign)) - self.grammar - self.verbs - self.irregular_verbs.keys()
        self.known = frozenset(
            (*self.nouns, *self.nouns.values(), *function["relation"], *function["role"], *self.plurals.values())
        )
        self.special = frozenset(
            (
                *self.adverbs,
                *self.lys,
                *self.foreign,
                *self.shared,
                *self.known,
                *self.grammar,
                *self.numbers,
                *self.phrases,
                *HALVES,
            )
        )
        """Words of which more is known than their forms."""
        self.kinds: dict[str, int] = {}
        """The classes of each word that is in one."""
        for name, bit in KINDS.items():
            for word in function.get(name, ()):
                self.kinds[word] = self.kinds.get(word, 0) | bit
        for words, bit in ((self.prepositions, kind.PREPOSITION), (self.opposites, kind.OPPOSITE)):
            for word in words:
                self.kinds[word] = self.kinds.get(word, 0) | bit

    def _canonical(self, name: str) -> dict[str, str]:
        """The single words of a file with what stands for them; its phrases go to the others, under the word that is
        met least often, at a guess, so that few are tried on a text."""
        single = {}
        for member, head in _heads(load(name)).items():
            if " " in head or " " in member:
                words = tuple(member.split())
                rarest = max(words, key=lambda word: (word not in _FREQUENT, len(word)))
                self.phrases.setdefault(rarest, []).append(Phrase(words, tuple(head.split()), frozenset(words)))
            else:
                single[member] = head
        return single


_FREQUENT = frozenset(
    ("be", "have", "can", "would", "take", "make", "get", "with", "from", "about", "into", "give", "work", "like",
     "home", "good", "live", "time", "start", "house", "small", "large")
)  # fmt: skip
HALVES = ("t", "m", "d", "re", "ve", "ll")
"""What is left of contractions in texts that were cut into words."""

_GRAMMAR = (
    "article", "possessive", "determiner", "self", "he", "she", "they", "it", "be", "do", "have", "can", "must",
    "will", "would", "negation", "conjunction", "user", "role",
)  # fmt: skip
"""Classes whose words show that a text is English."""


@cache
def lexicon() -> Lexicon:
    """The tables, read on the first call."""
    return Lexicon()


def _heads(groups: Groups) -> dict[str, str]:
    """Each member of each group with the name of its group."""
    return {member: head for head, members in groups.items() for member in members}


def _opposites(groups: Groups) -> dict[str, frozenset[str]]:
    """Each word of one side with those of the other side."""
    table: dict[str, frozenset[str]] = {}
    for one, other in ((head.split(), member.split()) for head, members in groups.items() for member in members):
        for word, against in [*((word, other) for word in one), *((word, one) for word in other)]:
            table[word] = table.get(word, frozenset()).union(against)
    return table


def _irregular_verbs(table: Groups) -> dict[str, Verb]:
    found: dict[str, Verb] = {}
    for base, words in table.items():
        for word, form in zip((base, *words), "bpqgspss", strict=False):
            known = found.get(word, Verb(base, ""))
            if known.base == base and form not in known.forms:
                found[word] = Verb(base, known.forms + form)
    return found
