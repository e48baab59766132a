"""The word tables of `words/`, read once and on first use, since a server should not wait for them at its start."""

import pkgutil
from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

from fake_convai.domain.english import kind

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
        self.attributes = _heads(load("attributes"))
        self.disguised = _heads(load("compounds"))
        self.phrases: dict[str, list[tuple[list[str], list[str]]]] = {}
        """Words and those that stand for them, under the longest word."""
        self.predicates, self.nouns = self._canonical("predicates"), self._canonical("nouns")
        self.known = frozenset((*self.nouns, *self.nouns.values(), *function["relation"], *function["role"])) | {
            *plurals,
            *regular,
        }
        self.plurals = {**_inflected(self.known, *_S), **_heads(plurals)}
        verbs = frozenset(verb for group in load("verbs").values() for verb in group)
        irregular = load("irregular")
        self.verbs = _verbs(verbs, irregular)
        """Every form of a verb."""
        self.kinds: dict[str, int] = {}
        """The classes of each word that is in one."""
        classes: dict[int, Iterable[str]] = {kind.KINDS[name]: words for name, words in function.items()}
        classes |= {kind.PREPOSITION: self.prepositions, kind.OPPOSITE: self.opposites, kind.NUMERAL: self.numbers}
        grammar = {word for bit, words in classes.items() if bit & kind.GRAMMAR for word in words}
        strange = _heads(foreign).keys() - grammar - self.verbs.keys()
        classes |= {kind.FOREIGN: strange, kind.SHARED: shared - strange, kind.SIGN: grammar - shared - strange}
        classes |= {kind.KNOWN: self.known | grammar, kind.RARE: self.phrases}
        for bit, words in classes.items():
            for word in words:
                self.kinds[word] = self.kinds.get(word, 0) | bit

    def _canonical(self, name: str) -> dict[str, str]:
        """The single words of a file with what stands for them; its phrases go to the others."""
        single = {}
        for member, head in _heads(load(name)).items():
            if " " in head or " " in member:
                words = member.split()
                self.phrases.setdefault(max(words, key=len), []).append((words, head.split()))
            else:
                single[member] = head
        return single


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
    for one, other in _heads(groups).items():
        for side, against in ((one.split(), other.split()), (other.split(), one.split())):
            for word in side:
                table.setdefault(word, set()).update(against)
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
