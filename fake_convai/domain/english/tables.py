"""The word tables of `words/`, read once and on first use, since a server should not wait for them at its start; and
the base forms of words, by rule where the tables have no entry."""

import pkgutil
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import NamedTuple

from fake_convai.domain.english import kind

WORD_CACHE = 20_000  # how many words keep what is known of them at hand; the rest is worked out again

_BRITISH_OUR = re.compile(r"(?<=[a-z]{3})our(?=(?:s|ed|ing|ite|ites|hood|hoods|able|ful|less|ly|er|ers)?$)")
_BRITISH_ISE = re.compile(r"(?<=[a-z]{3})is(?=(?:e|ed|es|ing|ation|ations|er|ers)$)")
Groups = Mapping[str, tuple[str, ...]]


def load(name: str) -> Groups:
    """One word file as group name -> members; a group may go on over several lines, and a line hold several groups."""
    data = pkgutil.get_data("fake_convai.domain.english", f"words/{name}.txt") or b""
    groups: dict[str, tuple[str, ...]] = {}
    for line in data.decode("utf-8").splitlines():
        if line and not line.startswith("#"):
            for group in line.split(";"):
                head, _, members = group.strip().partition(":")
                groups[head] = (*groups.get(head, ()), *filter(None, map(str.strip, members.split(","))))
    return groups


class Verb(NamedTuple):
    """A word as a form of a verb: `forms` holds b(ase), s (third person), p(ast), q (past participle), g(erund)."""

    base: str
    forms: str


class Lexicon:
    """All the tables, in the shape they are looked up."""

    def __init__(self) -> None:
        function, plurals, foreign = load("function"), dict(load("plurals")), dict(load("foreign"))
        self.asis, regular = frozenset(plurals.pop("asis")), plurals.pop("regular")
        shared = frozenset(foreign.pop("shared"))
        self.prepositions = _heads(load("prepositions"))
        self.opposites = _opposites(load("opposites"))
        self.numbers = _heads(load("numbers"))
        self.contractions = {short: tuple(full.split()) for short, full in _heads(load("contractions")).items()}
        self.implied = _heads(load("implied"))
        self.also = {key.split()[1] for key in self.implied if key.startswith("also ")}
        self.phrases: dict[str, list[tuple[frozenset[str], list[str], list[str]]]] = {}
        """Words, twice, and those that stand for them, under the word that the fewest have."""
        said = _heads(load("predicates")), _heads(load("nouns"))
        often = Counter([word for table in said for phrase in table for word in phrase.split()])
        self.predicates, self.nouns = [self._canonical(table, often) for table in said]
        known = (self.nouns, self.nouns.values(), function["relation"], function["role"], plurals, regular)
        self.known = frozenset([word for words in known for word in words])
        self.plurals = {**_inflected(self.known, *_S), **_heads(plurals)}
        self.verbs = _verbs({verb for group in load("verbs").values() for verb in group}, load("irregular"))
        self.kinds: dict[str, int] = {}  # the classes of each word that is in one
        classes: dict[int, Iterable[str]] = {kind.KINDS[name]: words for name, words in function.items()}
        classes |= {kind.PREPOSITION: self.prepositions, kind.NUMERAL: self.numbers}
        grammar = {word for bit, words in classes.items() if bit & kind.GRAMMAR for word in words}
        strange = _heads(foreign).keys() - grammar - self.verbs.keys()
        classes |= {kind.FOREIGN: strange, kind.SHARED: shared - strange, kind.SIGN: grammar - shared - strange}
        classes |= {kind.KNOWN: self.known.union(grammar, *function.values()), kind.RARE: self.phrases}
        for bit, words in classes.items():
            for word in words:
                self.kinds[word] = self.kinds.get(word, 0) | bit

    def _canonical(self, table: Mapping[str, str], often: Mapping[str, int]) -> dict[str, str]:
        """The single words of a table with what stands for them; its phrases go to the others."""
        for member, head in table.items():
            if " " in head + member:
                words = member.split()
                rarest = min(words, key=lambda word: (often[word], -len(word)))
                self.phrases.setdefault(rarest, []).append((frozenset(words), words, head.split()))
        return {member: head for member, head in table.items() if " " not in head + member}


@cache
def lexicon() -> Lexicon:
    """The tables, read on the first call."""
    return Lexicon()


def _heads(groups: Groups) -> dict[str, str]:
    """Each member of each group with the name of its group."""
    return {member: head for head, members in groups.items() for member in members}


def _opposites(groups: Groups) -> dict[str, set[str]]:
    """Each word of one side with those of the other side."""
    table: dict[str, set[str]] = {}
    pairs = _heads(groups).items()
    for one, other in (*pairs, *[(other, one) for one, other in pairs]):
        for word in one.split():
            table.setdefault(word, set()).update(other.split())
    return table


_S = (("", "s"), ("", "es"), ("y", "ies"))
_E = (("e", "e"), ("", "e"), ("", "*e"), ("y", "ie"))


def _inflected(words: Iterable[str], *rules: tuple[str, str]) -> dict[str, str]:
    """Each regular form with its word, by rule after rule: what is cut off, what is put on; "*" is the last letter."""
    forms: dict[str, str] = {}
    for cut, end in rules:
        for word in words:
            if word.endswith(cut):
                forms.setdefault(word.removesuffix(cut) + end.replace("*", word[-1]), word)
    return forms


def _verbs(regular: Iterable[str], irregular: Groups) -> dict[str, Verb]:
    found: dict[str, Verb] = {}
    for base, words in irregular.items():
        for word, form in zip((base, *words), "bpqgspss", strict=False):
            known = found.get(word, Verb(base, ""))
            if known.base == base and form not in known.forms:
                found[word] = Verb(base, known.forms + form)
    for forms, rules in (
        ("b", [("", "")]),
        ("s", _S),
        ("pq", [(cut, end + "d") for cut, end in _E]),
        ("g", [("e", "ing"), ("", "ing"), ("", "*ing")]),
    ):
        for word, base in _inflected(regular, *rules).items():
            found.setdefault(word, Verb(base, forms))
    return found


def american(word: str) -> str:
    """The American spelling, by rule: "favourite" -> "favorite", "organise" -> "organize"."""
    if "our" in word:
        return _BRITISH_OUR.sub("or", word)
    return _BRITISH_ISE.sub("iz", word) if "is" in word and word not in lexicon().known and not as_verb(word) else word


def as_verb(word: str) -> Verb | None:
    """The word as a form of a known verb, or None."""
    return lexicon().verbs.get(word)


def base_form(word: str) -> str:
    """The word without its inflection; a word of no table loses only a plural ending."""
    words = lexicon()
    verb = words.verbs.get(word)
    if word in words.asis or (word in words.known and (verb is None or verb.base == word)):
        return word
    if word in words.plurals:
        return words.plurals[word]
    if verb is not None:
        return verb.base
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("sses", "shes", "ches", "xes")) else word[:-1]


@lru_cache(WORD_CACHE)
def stem(word: str) -> str:
    """What is left of a word without the ending that makes it another part of speech: "continuation" -> "continu"."""
    is_bare = word[-1:] not in "deglnrsty" or word in lexicon().known
    return word if is_bare else word[:4] + _TAIL.sub("", word[4:])


_TAIL = re.compile("(?:at(?:ion|or)s?|e?ments?|[ae]nces?|ings?|ness|ions?|i(?:ve|ty|es)|ful|[oe]rs?|ate|ed?|al|e?ly)$")
