"""Reads an English fact into the parts that the deduplication compares: whom it is about, what it says of them, about
which things, with which numbers, dates and negations."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple

from fake_convai.domain.dedup_grammar import (
    USERS,
    Owner,
    active,
    attribute,
    find_verb,
    turned_round,
    user_length,
    verb_group,
    whom,
)
from fake_convai.domain.dedup_text import MAX_LENGTH, TEXT_CACHE, english_words, exact_form
from fake_convai.domain.dedup_tokens import NOTHING, USER, Token, content, tokens_of, unfronted
from fake_convai.domain.dedup_words import kind, lexicon, predicate

MAX_ANCHORS = 8
"""How many things one fact may be about; also bounds its index keys."""


class Fact(NamedTuple):
    """What is compared. A text that the English rules do not read has only its `form`."""

    form: str
    english: bool = False
    owner: Owner = USERS
    chain: tuple[str, ...] = ()  # the user's brother's dog: ("brother", "dog")
    predicate: str = ""
    anchors: tuple[str, ...] = ()  # "whom|does|what", as many as the fact has
    words: frozenset[str] = frozenset()  # the content beyond owner, chain and predicate
    parts: Mapping[str, str] = MappingProxyType({})  # word -> the part its preposition gives it
    numbers: tuple[str, ...] = ()  # of the main clause
    later_numbers: frozenset[str] = frozenset()  # of later clauses, and those taken as known: "her two cats"
    dates: frozenset[str] = frozenset()
    negations: int = 0
    mood: str = ""
    former: bool = False  # the past of a state: "was a nurse"
    squash: str = ""  # the content words in order, without spaces


@dataclass(slots=True)
class Chunk:
    """A run of words that belong together, with the preposition before it; `clause` when it is not part of the main
    clause."""

    preposition: str = ""
    clause: bool = False
    words: list[Token] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)

    @property
    def head(self) -> str:
        """The word that the others describe."""
        return self.words[-1].word

    def is_time(self) -> bool:
        """Whether it says when and not what."""
        return self.words[-1].isa("time")

    def second_verb(self) -> str:
        """The verb that it begins with: "to swim", "playing chess"; empty when there is none."""
        first = self.words[0]
        return first.base if "g" in first.forms or (self.preposition == "to" and "b" in first.forms) else ""


def read(text: str) -> Fact:
    """The fact that a text states."""
    return _read(text) if len(text) <= MAX_LENGTH else Fact(exact_form(text))


@lru_cache(TEXT_CACHE)
def _read(text: str) -> Fact:
    form = exact_form(text)
    words = english_words(text)
    return Fact(form) if words is None else _read_english(form, words)


def _read_english(form: str, words: Sequence[str]) -> Fact:
    tokens = tokens_of(words)
    negations = sum(token.isa("negation") for token in tokens)
    hedged = any(token.isa("hedge") for token in tokens)
    tokens = unfronted([token for token in tokens if not token.isa("negation")])
    numbers = [token.base for token in tokens if token.isa("number")]

    place = find_verb(tokens)
    subject, verb, rest, mood, past = tokens[: user_length(tokens)], "be", tokens[user_length(tokens) :], "", False
    if place >= 0:
        subject = tokens[:place]
        verb, rest, mood, past = verb_group(tokens[place:], negated=bool(negations))
    if verb == "be" and turned_round(subject, rest):
        end = next((i for i, token in enumerate(rest) if token.isa("break")), len(rest))
        subject, rest = rest[:end], [*subject, *rest[end:]]
    passive = active(subject, rest) if verb == "be" else None
    if passive:
        subject, verb, rest = passive
    if verb == "hate":
        verb, negations = "like", negations + 1

    owner, chain, extra = whom(subject)
    verb, chain, rest = attribute(verb, chain, rest)
    chunks, later = _chunked(rest)
    for number in later:
        numbers.remove(number)
    said = [*extra, *(token.word for chunk in chunks for token in chunk.words)]
    return Fact(
        form=form,
        english=True,
        owner=owner,
        chain=chain,
        predicate=verb,
        anchors=tuple(dict.fromkeys(_anchors(owner, chain, verb, chunks)))[:MAX_ANCHORS],
        words=frozenset(said),
        parts={token.word: _part(chunk) for chunk in chunks for token in chunk.words},
        numbers=tuple(sorted(numbers)),
        later_numbers=frozenset(later),
        dates=kind("date").intersection(said),
        negations=negations,
        mood="maybe" if hedged else mood,
        former=past and verb in kind("state") and not mood and not _is_event(verb, chunks),
        squash="".join(said),
    )


def _part(chunk: Chunk) -> str:
    """The part that a preposition gives its words; "place" for a place, nothing for an object."""
    return lexicon().prepositions.get(chunk.preposition, "")


def _is_event(verb: str, chunks: Sequence[Chunk]) -> bool:
    """Whether a form of "be" tells what happened and not how it was: "was born", "was promoted"."""
    return verb == "be" and bool(chunks) and "q" in chunks[0].words[0].forms


# What follows the verb


def _chunked(tokens: Sequence[Token]) -> tuple[list[Chunk], list[str]]:
    """What follows the verb, cut at prepositions, conjunctions, commas and determiners; and the numbers of later
    clauses. Adverbs come last, since they say how and not what."""
    chunks, adverbs = [Chunk()], Chunk(clause=True)
    later: list[str] = []
    for place, token in enumerate(tokens):
        current = chunks[-1]
        before = tokens[place - 1] if place else NOTHING
        if token.isa("break", "conjunction"):
            clause = current.clause or _begins_clause(token, tokens[place + 1] if place + 1 < len(tokens) else NOTHING)
            chunks.append(Chunk("" if clause else current.preposition, clause))
        elif token.word == "name" and "q" in token.forms and current.words:  # "a dog named Luna"
            chunks.append(Chunk("name", current.clause))
        elif token.isa("preposition"):
            chunks.append(Chunk(token.text, current.clause))
        elif token.isa("opener"):
            if current.words:
                chunks.append(Chunk(current.preposition, current.clause))
        elif token.isa("number"):
            (later if before.isa("possessive") else current.numbers).append(token.base)
        elif token.isa("self", "user"):
            current.words.append(USER)
        elif token.isa("content"):
            (adverbs if token.isa("adverb") else current).words.append(token)
    later += [number for chunk in chunks if chunk.clause for number in chunk.numbers]
    return [chunk for chunk in (*chunks, adverbs) if chunk.words], later


def _begins_clause(token: Token, following: Token) -> bool:
    """Whether a new clause begins after a conjunction or comma, and not only the next thing in a list."""
    if token.text == "." or (token.isa("conjunction") and token.text not in ("and", "or", "plus", "nor")):
        return True
    if following.isa("self", "he", "she", "they", "it"):
        return True
    if "b" in following.forms and predicate(following.base) in kind("state"):
        return True
    return "s" in following.forms or "p" in following.forms or "g" in following.forms


# What the fact is about


def _anchors(owner: Owner, chain: tuple[str, ...], verb: str, chunks: list[Chunk]) -> Iterator[str]:
    """Everything that the fact says something about, as "whom|does|what". Facts that are the same share one."""
    it = "it" if owner.kind == "it" and not chain else "/".join(chain)
    yield from (f"{it}|{verb}|{thing}" for thing in _things(verb, chunks, attribute=bool(chain)))
    if verb == "have" and not chain:  # "has a dog named Luna": the dog is named Luna
        yield from (f"{thing}|name|{name}" for thing, name in _names_given(chunks))
    yield from (f"{it}|{does}|{thing}" for does, thing in _implied(verb, chunks))


def _things(verb: str, chunks: list[Chunk], *, attribute: bool) -> list[str]:
    """What the main clause is about: the objects, or without any what the first prepositions add, or nothing."""
    main = [chunk for chunk in chunks if not chunk.clause and not chunk.is_time()]
    direct = [chunk for chunk in main if not chunk.preposition]
    oblique = [chunk for chunk in main if chunk.preposition not in ("", "name", "with", "without")]
    if verb == "name" or (verb == "be" and attribute):  # any word of the value: "Jordan", "Jordan Kim"
        return [token.word for chunk in direct or oblique[:1] for token in chunk.words] or [""]
    if verb in kind("catenative"):
        done = _activities(verb, [*direct, *oblique])
        if done:
            return done
    return [chunk.head for chunk in direct or oblique[:3]] or [""]


def _activities(verb: str, chunks: list[Chunk]) -> list[str]:
    """What somebody likes, wants, starts ... to do: the second verb, or its object when the verb is the usual one."""
    if not chunks or not chunks[0].second_verb():
        return []
    doing = chunks[0].second_verb()
    objects = _objects(chunks)[:3]
    if objects and doing in kind("usual"):
        return objects
    if verb == "like" or not objects:
        return [predicate(doing)]
    return [f"{predicate(doing)} {thing}" for thing in objects]


def _objects(chunks: Sequence[Chunk]) -> list[str]:
    """The objects of the second verb, or without any what the first preposition after it adds."""
    first, others = chunks[0], chunks[1:]
    direct = [chunk.head for chunk in others if chunk.preposition == first.preposition and not chunk.clause]
    if len(first.words) > 1:
        return [first.head, *direct]
    return direct or [chunk.head for chunk in others[:1] if not chunk.clause]


def _names_given(chunks: Sequence[Chunk]) -> Iterator[tuple[str, str]]:
    for thing, name in pairwise(chunks):
        if name.preposition == "name":
            yield from ((thing.head, token.word) for token in name.words)


def _implied(verb: str, chunks: Sequence[Chunk]) -> Iterator[tuple[str, str]]:
    """What a fact says along with its main verb: "is a cat lover" -> like cat, "works nights as a nurse" -> be nurse,
    "loves playing chess" -> play chess, "volunteers at a shelter" -> volunteer."""
    if verb in kind("activity") and all(chunk.preposition or chunk.clause or chunk.is_time() for chunk in chunks):
        yield verb, ""
    if not chunks:
        return
    first, prepositions = chunks[0], {chunk.preposition for chunk in chunks}
    hidden = lexicon().compounds.get((verb, first.head))
    if hidden and not first.preposition and len(first.words) > 1:
        yield hidden, first.words[-2].word
    if verb == "prefer" and prepositions.isdisjoint(("over", "to", "than")):
        yield "like", first.head
    if verb in kind("acquire") and not first.preposition and first.words[-1].text == first.words[-1].base:
        yield "have", first.head
    if verb == "work":
        yield from (("be", chunk.head) for chunk in chunks if chunk.preposition == "as")
    doing = first.second_verb() if verb == "like" else ""
    if doing:
        yield from ((predicate(doing), thing) for thing in _objects(chunks)[:2])
    yield from _besides(chunks)


def _besides(chunks: Sequence[Chunk]) -> Iterator[tuple[str, str]]:
    """What the same person does in later clauses: "is on a trip and visited friends" -> visit friend."""
    for place, chunk in enumerate(chunks):
        first = chunk.words[0]
        if not chunk.clause or chunk.preposition or first.base == "be" or first.forms not in ("s", "p", "pq"):
            continue
        objects = [*content(chunk.words[1:]), *(other.head for other in chunks[place + 1 : place + 2] if other.clause)]
        if objects:
            yield first.word, content(chunk.words)[-1] if len(chunk.words) > 1 else objects[0]
