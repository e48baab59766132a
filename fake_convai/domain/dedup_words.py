"""English words for the deduplication: tables of word groups, and the base form of a word.

The tables are the text files in `words/`, read once and on first use, since a server should not wait for them at its
start. Base forms undo inflection only ("hiking", "hikes" -> "hike"): a stemmer also cuts "university" and "universe"
to one stem, which would merge two facts.
"""

import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

WORD_CACHE = 20_000
"""How many words keep their base form at hand; the rest is worked out again."""

Groups = Mapping[str, tuple[str, ...]]

_BRITISH_OUR = re.compile(r"(?<=[a-z]{3})our(?=(?:s|ed|ing|ite|ites|hood|hoods|able|ful|less|ly|er|ers)?$)")
_BRITISH_ISE = re.compile(r"(?<=[a-z]{3})is(?=(?:e|ed|es|ing|ation|ations|er|ers)$)")
_VOWELS = frozenset("aeiouy")


def load(name: str) -> Groups:
    """One word file as group name -> members; a group may go on over several lines."""
    data = pkgutil.get_data("fake_convai.domain", f"words/{name}.txt") or b""
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


Phrases = Mapping[str, Sequence[Phrase]]
"""Phrases by one of their words, so that a text is only searched for those that may be in it."""


class Verb(NamedTuple):
    """A word as a form of a verb: `forms` holds b(ase), s (third person), p(ast), q (past participle), g(erund)."""

    base: str
    forms: str


class Lexicon(NamedTuple):
    """All the tables, in the shape they are looked up."""

    kinds: Mapping[str, frozenset[str]]
    prepositions: Mapping[str, str]
    numbers: Mapping[str, str]
    foreign: frozenset[str]
    shared: frozenset[str]
    contractions: Phrases
    verbs: frozenset[str]
    irregular_verbs: Mapping[str, Verb]
    plurals: Mapping[str, str]
    asis: frozenset[str]
    predicates: Mapping[str, str]
    nouns: Mapping[str, str]
    predicate_phrases: Phrases
    noun_phrases: Phrases
    compounds: Mapping[tuple[str, str], str]
    attributes: Mapping[str, str]
    known: frozenset[str]


@cache
def lexicon() -> Lexicon:
    """The tables of `words/`, read on the first call."""
    functions = {head: frozenset(members) for head, members in load("function").items()}
    plurals = dict(load("plurals"))
    asis = frozenset(plurals.pop("asis"))
    foreign = dict(load("foreign"))
    shared = frozenset(foreign.pop("shared"))
    prepositions = {word: part for part, group in load("prepositions").items() for word in group}
    grammar = frozenset((*prepositions, *(word for kind in _GRAMMAR for word in functions[kind])))
    verbs = frozenset(verb for group in load("verbs").values() for verb in group)
    irregular_verbs = _irregular_verbs(load("irregular"))
    predicates, predicate_phrases = _canonical(load("predicates"))
    nouns, noun_phrases = _canonical(load("nouns"))
    return Lexicon(
        kinds={**functions, "grammar": grammar},
        prepositions=prepositions,
        numbers={word: digits for digits, group in load("numbers").items() for word in group},
        foreign=frozenset(word for group in foreign.values() for word in group)
        - grammar
        - verbs
        - irregular_verbs.keys(),
        shared=shared,
        contractions=_phrases(_pairs(load("contractions")), by=_first),
        verbs=verbs,
        irregular_verbs=irregular_verbs,
        plurals={form: base for base, forms in plurals.items() for form in forms},
        asis=asis,
        predicates=predicates,
        nouns=nouns,
        predicate_phrases=predicate_phrases,
        noun_phrases=noun_phrases,
        attributes={noun: verb for verb, noun in _pairs(load("attributes"))},
        compounds={_two(pattern): verb for verb, pattern in _pairs(load("compounds"))},
        known=frozenset((*nouns, *nouns.values(), *functions["relation"], *functions["role"], *plurals)),
    )


_GRAMMAR = (
    "article", "possessive", "determiner", "self", "he", "she", "they", "it", "be", "do", "have", "can", "must",
    "will", "would", "negation", "conjunction", "user", "role",
)  # fmt: skip
"""Classes whose words show that a text is English."""


def kind(name: str) -> frozenset[str]:
    """The words of one class of `function.txt`."""
    return lexicon().kinds[name]


@lru_cache(WORD_CACHE)
def american(word: str) -> str:
    """The American spelling, by rule: "favourite" -> "favorite", "organise" -> "organize"."""
    if "our" in word:
        return _BRITISH_OUR.sub("or", word)
    if "is" in word and not any(word.startswith(stem[:-1]) for stem in kind("ise")):
        return _BRITISH_ISE.sub("iz", word)
    return word


@lru_cache(WORD_CACHE)
def as_verb(word: str) -> Verb | None:
    """The word as a form of a known verb, or None."""
    words = lexicon()
    if word in words.irregular_verbs:
        return words.irregular_verbs[word]
    if word in words.verbs:
        return Verb(word, "b")
    adjective = word in words.asis  # "is married" is how it is, "married Leo" what happened
    for suffix, forms in _ADJECTIVE_SUFFIXES if adjective else _SUFFIXES:
        for base in _without(word, suffix):
            if base in words.verbs:
                return Verb(base, forms)
    return None


_SUFFIXES = (("s", "s"), ("ed", "pq"), ("ing", "g"))
_ADJECTIVE_SUFFIXES = (("ed", "p"),)


@lru_cache(WORD_CACHE)
def base_form(word: str) -> str:
    """The word without its inflection; a word of no table loses only a plural ending."""
    words = lexicon()
    if word in words.asis:
        return word
    if word in words.plurals:
        return words.plurals[word]
    if word in words.known and word not in words.irregular_verbs:
        return word
    verb = as_verb(word)
    if verb is not None:
        return verb.base
    for base in _without(word, "s"):
        if base in words.known:
            return base
    return _singular(word)


def noun(base: str) -> str:
    """The one word that stands for its group of nouns and adjectives: "mom" -> "mother"."""
    return lexicon().nouns.get(base, base)


def predicate(base: str) -> str:
    """The one word that stands for its group of verbs: "enjoy" -> "like"."""
    return lexicon().predicates.get(base, base)


@lru_cache(WORD_CACHE)
def stem(word: str) -> str:
    """What is left of a word without the ending that makes it another part of speech: "continuation" -> "continu"."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) > 3:
            return word[: -len(ending)]
    return word


_ENDINGS = (
    "ations", "ation", "ements", "ement", "ments", "ment", "ances", "ance", "ence", "ings", "ing", "ness", "ions",
    "ion", "ive", "ful", "ity", "ers", "ors", "ies", "ely", "ed", "er", "or", "al", "ly", "e", "y",
)  # fmt: skip
"""Longest first where one ends with the other."""


def _without(word: str, suffix: str) -> Iterator[str]:
    """The bases that may lie behind an inflected form, likeliest first."""
    if not word.endswith(suffix) or len(word) < len(suffix) + 2 or word.endswith("ss"):
        return
    stem = word[: -len(suffix)]
    if suffix == "s":
        yield stem
        if word.endswith("es"):
            yield stem[:-1]
    else:
        yield stem + "e"
        yield stem
        if len(stem) > 2 and stem[-1] == stem[-2]:
            yield stem[:-1]
    if word.endswith(("ies", "ied")):
        yield word[:-3] + "y"


def _singular(word: str) -> str:
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("sses", "shes", "ches", "xes")) else word[:-1]


def _irregular_verbs(table: Groups) -> dict[str, Verb]:
    forms: dict[str, tuple[str, str]] = {}

    def note(word: str, base: str, form: str) -> None:
        known_base, known_forms = forms.setdefault(word, (base, ""))
        if known_base == base and form not in known_forms:
            forms[word] = (base, known_forms + form)

    for base, (past, participle, *others) in table.items():
        note(base, base, "b")
        note(past, base, "p")
        note(participle, base, "q")
        for other in others:
            note(other, base, "g")
    for word, base, form in _AUXILIARIES:
        forms[word] = (base, form)
    return {word: Verb(*entry) for word, entry in forms.items()}


_AUXILIARIES = (
    ("be", "be", "b"), ("am", "be", "s"), ("is", "be", "s"), ("are", "be", "s"), ("was", "be", "p"),
    ("were", "be", "p"),
    ("been", "be", "q"), ("being", "be", "g"), ("have", "have", "b"), ("has", "have", "s"), ("had", "have", "pq"),
    ("having", "have", "g"), ("do", "do", "b"), ("does", "do", "s"), ("did", "do", "p"), ("done", "do", "q"),
    ("doing", "do", "g"), ("goes", "go", "s"), ("going", "go", "g"),
    # who feels sick is sick
    ("feel", "be", "b"), ("feels", "be", "s"), ("felt", "be", "pq"), ("feeling", "be", "g"),
)  # fmt: skip


def _pairs(groups: Groups) -> Iterator[tuple[str, str]]:
    for head, members in groups.items():
        for member in members:
            yield head, member


def _two(pattern: str) -> tuple[str, str]:
    first, second = pattern.split()
    return first, second


def _canonical(groups: Groups) -> tuple[dict[str, str], Phrases]:
    """Groups taken apart into single words and phrases."""
    single, phrases = {}, []
    for head, member in _pairs(groups):
        if " " in head or " " in member:
            phrases.append((head, member))
        else:
            single[member] = head
    return single, _phrases(phrases, by=_rarest)


def _first(words: Sequence[str]) -> str:
    return words[0]


def _rarest(words: Sequence[str]) -> str:
    """A guess at the word that is met least often: small words are frequent, "have" above all."""
    return max(words, key=lambda word: (word not in _FREQUENT, len(word)))


def _phrases(pairs: Iterable[tuple[str, str]], *, by: Callable[[Sequence[str]], str]) -> Phrases:
    found: dict[str, list[Phrase]] = {}
    for instead, words in pairs:
        phrase = Phrase(tuple(words.split()), tuple(instead.split()))
        found.setdefault(by(phrase.words), []).append(phrase)
    return found


_FREQUENT = frozenset(
    ("be", "have", "can", "would", "take", "make", "get", "with", "from", "about", "into", "give", "work", "like",
     "home", "good", "live", "time", "start", "house", "small", "large")
)  # fmt: skip
