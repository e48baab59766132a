"""The word tables of `words/`, read once and on first use, since a server should not wait for them at its start."""

import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple

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


class Lexicon(NamedTuple):
    """All the tables, in the shape they are looked up."""

    kinds: Mapping[str, frozenset[str]]
    kinds_of: Mapping[str, frozenset[str]]
    prepositions: Mapping[str, str]
    opposites: Mapping[str, frozenset[str]]
    numbers: Mapping[str, str]
    foreign: frozenset[str]
    shared: frozenset[str]
    grammar: frozenset[str]
    contractions: Mapping[str, tuple[str, ...]]
    verbs: frozenset[str]
    irregular_verbs: Mapping[str, Verb]
    plurals: Mapping[str, str]
    asis: frozenset[str]
    predicates: Mapping[str, str]
    nouns: Mapping[str, str]
    phrases: Mapping[str, Sequence[Phrase]]
    disguised: Mapping[tuple[str, str], str]
    attributes: Mapping[str, str]
    known: frozenset[str]
    every: frozenset[str]
    """Every word that stands in a table for more than being a verb."""


@cache
def lexicon() -> Lexicon:
    """The tables of `words/`, read on the first call."""
    kinds = {head: frozenset(members) for head, members in load("function").items()}
    plurals = dict(load("plurals"))
    asis = frozenset(plurals.pop("asis"))
    foreign = dict(load("foreign"))
    shared = frozenset(foreign.pop("shared"))
    prepositions = {word: part for part, group in load("prepositions").items() for word in group}
    grammar = frozenset((*prepositions, "'s", *(word for name in _GRAMMAR for word in kinds[name])))
    verbs = frozenset(verb for group in load("verbs").values() for verb in group)
    irregular_verbs = _irregular_verbs(load("irregular"))
    predicates, predicate_phrases = _canonical(load("predicates"))
    nouns, noun_phrases = _canonical(load("nouns"))
    opposites = _opposites(load("opposites"))
    members = frozenset(word for group in kinds.values() for word in group)
    known = frozenset((*nouns, *nouns.values(), *kinds["relation"], *kinds["role"], *plurals))
    other = frozenset(word for group in foreign.values() for word in group)
    return Lexicon(
        kinds=kinds,
        kinds_of={word: frozenset(name for name, group in kinds.items() if word in group) for word in members},
        prepositions=prepositions,
        opposites=opposites,
        numbers={word: digits for digits, group in load("numbers").items() for word in group},
        foreign=other - grammar - verbs - irregular_verbs.keys(),
        shared=shared,
        grammar=grammar,
        contractions={short: tuple(full.split()) for full, short in pairs(load("contractions"))},
        verbs=verbs,
        irregular_verbs=irregular_verbs,
        plurals={form: base for base, forms in plurals.items() for form in forms},
        asis=asis,
        predicates=predicates,
        nouns=nouns,
        phrases=_by_rarest((*predicate_phrases, *noun_phrases)),
        disguised={_two(pattern): verb for verb, pattern in pairs(load("compounds"))},
        attributes={noun: verb for verb, noun in pairs(load("attributes"))},
        known=known,
        every=known | members | other | shared | grammar | opposites.keys() | asis,
    )


_GRAMMAR = (
    "article", "possessive", "determiner", "self", "he", "she", "they", "it", "be", "do", "have", "can", "must",
    "will", "would", "negation", "conjunction", "user", "role",
)  # fmt: skip
"""Classes whose words show that a text is English."""


def kind(name: str) -> frozenset[str]:
    """The words of one class of `function.txt`."""
    return lexicon().kinds[name]


def pairs(groups: Groups) -> Iterator[tuple[str, str]]:
    """Each member of each group, after its head."""
    for head, members in groups.items():
        for member in members:
            yield head, member


def _two(pattern: str) -> tuple[str, str]:
    first, second = pattern.split()
    return first, second


def _opposites(groups: Groups) -> dict[str, frozenset[str]]:
    """Each word of one side with those of the other side."""
    table: dict[str, frozenset[str]] = {}
    for one, other in ((one.split(), other.split()) for one, other in pairs(groups)):
        for word, against in [*((word, other) for word in one), *((word, one) for word in other)]:
            table[word] = table.get(word, frozenset()).union(against)
    return table


def _canonical(groups: Groups) -> tuple[dict[str, str], list[Phrase]]:
    """Groups taken apart into single words and phrases."""
    single, phrases = {}, []
    for head, member in pairs(groups):
        if " " in head or " " in member:
            words = tuple(member.split())
            phrases.append(Phrase(words, tuple(head.split()), frozenset(words)))
        else:
            single[member] = head
    return single, phrases


def _by_rarest(phrases: Sequence[Phrase]) -> dict[str, list[Phrase]]:
    """Phrases by the word that is met least often, at a guess, so that few are tried on a text."""
    found: dict[str, list[Phrase]] = {}
    for phrase in phrases:
        rarest = max(phrase.words, key=lambda word: (word not in _FREQUENT, len(word)))
        found.setdefault(rarest, []).append(phrase)
    return found


_FREQUENT = frozenset(
    ("be", "have", "can", "would", "take", "make", "get", "with", "from", "about", "into", "give", "work", "like",
     "home", "good", "live", "time", "start", "house", "small", "large")
)  # fmt: skip


def _irregular_verbs(table: Groups) -> dict[str, Verb]:
    forms: dict[str, Verb] = {}
    every = [
        (word, base, form) for base, words in table.items() for word, form in zip((base, *words), "bpqg", strict=False)
    ]
    for word, base, form in (*every, *_AUXILIARIES):
        known = forms.get(word, Verb(base, ""))
        if known.base == base and form not in known.forms:
            forms[word] = Verb(base, known.forms + form)
    return forms


_AUXILIARIES = (
    ("be", "be", "b"), ("am", "be", "s"), ("is", "be", "s"), ("are", "be", "s"), ("was", "be", "p"),
    ("were", "be", "p"), ("been", "be", "q"), ("being", "be", "g"), ("have", "have", "b"), ("has", "have", "s"),
    ("had", "have", "p"), ("had", "have", "q"), ("having", "have", "g"), ("do", "do", "b"), ("does", "do", "s"),
    ("did", "do", "p"), ("done", "do", "q"), ("doing", "do", "g"), ("goes", "go", "s"), ("going", "go", "g"),
)  # fmt: skip
