"""Reads an English fact into the parts that the deduplication compares: whom it is about, what it says of them, about
which things, with which numbers, dates and negations."""

import re
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
    is_plural_form,
    turned_round,
    user_length,
    verb_group,
    whom,
)
from fake_convai.domain.dedup_text import MAX_LENGTH, TEXT_CACHE, english_words, exact_form
from fake_convai.domain.dedup_tokens import NOTHING, NUMBER, USER, Token, content, is_known, tokens_of, unfronted
from fake_convai.domain.dedup_words import kind, lexicon, predicate

MAX_CONTENT = 30
"""Words that say something. A fact with more is a story: it is only ever merged with its repeat."""

MAX_ANCHOR_KEYS = 37
KEYS_BESIDES = 5
"""How many index keys come from anchors, and for each anchor besides those for its words. They bound the anchors of a
fact, so that what is not indexed is not merged either."""


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
    numbers: tuple[str, ...] = ()  # of subject and objects; those behind a preposition are among the words
    known_numbers: frozenset[str] = frozenset()  # which only say what is known: "her two cats"
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

    @property
    def head(self) -> str:
        """The word that the others describe."""
        return self.words[-1].word

    def is_time(self) -> bool:
        """Whether it says when and not what."""
        return "time" in self.words[-1].traits

    def second_verb(self) -> str:
        """The verb that it begins with: "to swim", "playing chess"; empty when there is none."""
        first = self.words[0]
        return first.base if "g" in first.forms or (self.preposition == "to" and "b" in first.forms) else ""


def read(text: str) -> Fact:
    """The fact that a text states."""
    return _read(text) if len(text) <= MAX_LENGTH else Fact(exact_form(text))


@lru_cache(TEXT_CACHE)
def _read(text: str) -> Fact:
    numbers = _LONE_NUMBER.findall(text) if len(text) <= LONGEST_SHAPE and STAND_IN not in text else ()
    return _read_numbered(text, tuple(dict.fromkeys(numbers))) if numbers else read_afresh(text)


def read_afresh(text: str) -> Fact:
    """The same as `read`, without anything that was read before."""
    form = exact_form(text)
    words = english_words(text)
    return Fact(form) if words is None else _read_english(form, words)


LONGEST_SHAPE = 200
SHAPE_CACHE = 512
STAND_IN = "77000000"
"""How the numbers begin that stand for others, two digits short of their end."""

_LONE_NUMBER = re.compile(r"(?<!\S)[1-9][0-9]{1,17}(?=\s|[.!?]?\Z)")
"""A number that is a word of its own. A single digit is not, since "1" may say "a"."""


@lru_cache(SHAPE_CACHE)
def _read_shape(shape: str) -> Fact | None:
    """The fact of a shape, or None when a number in it was taken for a verb or a name, so that its value matters."""
    fact = read_afresh(shape)
    said = f"{fact.owner.names} {fact.chain} {fact.predicate} {fact.anchors} {list(fact.parts)}"
    return None if STAND_IN in said else fact


def _read_numbered(text: str, numbers: Sequence[str]) -> Fact:
    """Reads a text by way of its shape, in which others stand for its numbers.

    Test data and telemetry say the same thing with one number after the other ("completed step 17"). How a text reads
    does not depend on the value of a number, only on where it stands and which ones are equal.
    """
    stand_ins = {number: f"{STAND_IN}{place:02}" for place, number in enumerate(numbers)}
    fact = _read_shape(_LONE_NUMBER.sub(lambda match: stand_ins[match[0]], text))
    if fact is None:
        return read_afresh(text)
    form = exact_form(text)
    if not fact.english:
        return Fact(form)
    if not {*fact.numbers, *fact.known_numbers, *(word.lstrip(NUMBER) for word in fact.words)}.isdisjoint(numbers):
        return read_afresh(text)  # "twenty of 20": equal numbers, of which only one has a stand-in
    numbered = {stand_in: number for number, stand_in in stand_ins.items()}
    squash = fact.squash
    for stand_in, number in numbered.items():
        squash = squash.replace(stand_in, number)
    return fact._replace(
        form=form,
        words=frozenset(
            NUMBER + numbered.get(word[1:], word[1:]) if word.startswith(NUMBER) else word for word in fact.words
        ),
        numbers=tuple(sorted(numbered.get(number, number) for number in fact.numbers)),
        known_numbers=frozenset(numbered.get(number, number) for number in fact.known_numbers),
        squash=squash,
    )


def _read_english(form: str, words: Sequence[str]) -> Fact:
    tokens = tokens_of(words)
    negations = [token for token in tokens if "negation" in token.traits]
    claims = [token for token in tokens if "negation" not in token.traits]
    clause = _main_clause(unfronted(claims), negated=bool(negations))
    owner, chain, extra = whom(clause.subject, plural=clause.plural)
    verb, chain, rest = attribute(clause.verb, chain, clause.rest)
    chunks, numbers = _chunked(rest)
    verb = _fondness(verb, chunks)
    numbers.main.extend(token.base for token in clause.subject if "number" in token.traits)
    said = [*extra, *(token.word for chunk in chunks for token in chunk.words)]
    said += [f"{NUMBER}{number}" for number in numbers.aside]
    if len(set(said)) > MAX_CONTENT:
        return Fact(form)
    most = MAX_ANCHOR_KEYS // (len(set(said)) + 1 + KEYS_BESIDES)
    hints = [mood for kind, mood in _MOOD_HINTS if any(token.isa(kind) for token in tokens)]
    mood = " ".join(dict.fromkeys(filter(None, (clause.mood, *hints))))
    is_over = clause.past and not mood and not any(token.text == "never" for token in negations)
    return Fact(
        form=form,
        english=True,
        owner=owner,
        chain=chain,
        predicate="like" if verb == "hate" else verb,
        anchors=tuple(dict.fromkeys(_anchors(owner, chain, "like" if verb == "hate" else verb, chunks)))[:most],
        words=frozenset(said),
        parts={token.word: _part(chunk) for chunk in chunks for token in chunk.words},
        numbers=tuple(sorted(numbers.main)),
        known_numbers=frozenset(numbers.known),
        dates=kind("date").intersection(said),
        negations=len(negations) + (verb == "hate"),
        mood=mood,
        former=is_over and verb in kind("state") and not _is_event(verb, chunks),
        squash="".join(said),
    )


_MOOD_HINTS = (("hedge", "maybe"), ("seldom", "seldom"))
"""Adverbs that change what is claimed, as modals do."""


class Clause(NamedTuple):
    """A sentence in the usual order, active: who, does, and the rest."""

    subject: list[Token]
    verb: str
    rest: list[Token]
    mood: str = ""
    past: bool = False
    plural: bool = False


def _main_clause(tokens: list[Token], *, negated: bool) -> Clause:
    place = find_verb(tokens)
    if place >= 0:
        clause = Clause(tokens[:place], *verb_group(tokens[place:], negated=negated), is_plural_form(tokens[place]))
    else:
        clause = Clause(tokens[: user_length(tokens)], "be", tokens[user_length(tokens) :])
    if clause.verb != "be":
        return clause
    if turned_round(clause.subject, clause.rest):
        end = next((at for at, token in enumerate(clause.rest) if "break" in token.traits), len(clause.rest))
        clause = clause._replace(subject=clause.rest[:end], rest=[*clause.subject, *clause.rest[end:]])
    passive = active(clause.subject, clause.rest)
    return Clause(*passive, clause.mood, clause.past) if passive else clause


def _part(chunk: Chunk) -> str:
    """The part that a preposition gives its words; "place" for a place, nothing for an object."""
    return lexicon().prepositions.get(chunk.preposition, "")


def _is_event(verb: str, chunks: Sequence[Chunk]) -> bool:
    """Whether a form of "be" tells what happened and not how it was: "was born", "was promoted"."""
    return verb == "be" and bool(chunks) and "q" in chunks[0].words[0].forms


# What follows the verb


class Numbers(NamedTuple):
    """The numbers of a fact: those that make it what it is ("gallery 7"), those that another fact may add ("in 2019"),
    and those that only say what is known ("her two cats")."""

    main: list[str]
    aside: list[str]
    known: list[str]


def _chunked(tokens: Sequence[Token]) -> tuple[list[Chunk], Numbers]:
    """What follows the verb, cut at prepositions, conjunctions, commas and determiners; and the numbers in it. Adverbs
    come last, since they say how and not what."""
    chunks, adverbs = [Chunk()], Chunk(clause=True)
    numbers = Numbers([], [], [])
    for before, token, after in zip([NOTHING, *tokens], tokens, [*tokens[1:], NOTHING], strict=False):
        opened = _opened_by(token, chunks[-1], after)
        if opened:
            chunks.append(opened)
        if "number" in token.traits:
            is_aside = bool(opened) or chunks[-1].clause or bool(chunks[-1].preposition)
            kept = numbers.known if "possessive" in before.traits else numbers.aside if is_aside else numbers.main
            kept.append(token.base)
        elif token.isa("self", "user"):
            chunks[-1].words.append(USER)
        elif "content" in token.traits and not opened:
            (adverbs if "adverb" in token.traits else chunks[-1]).words.append(token)
    return [chunk for chunk in (*chunks, adverbs) if chunk.words], numbers


def _opened_by(token: Token, current: Chunk, after: Token) -> Chunk | None:
    """The chunk that begins with a token, if one does."""
    if token.isa("break", "conjunction"):
        clause = current.clause or _begins_clause(token, after)
        return Chunk("" if clause else current.preposition, clause)
    if token.word == "name" and "q" in token.forms and current.words:  # "a dog named Luna"
        return Chunk("name", current.clause)
    if "preposition" in token.traits:
        return Chunk(token.text, current.clause)
    is_duration = "number" in token.traits and "time" in after.traits
    return Chunk(current.preposition, current.clause) if "opener" in token.traits or is_duration else None


def _begins_clause(token: Token, following: Token) -> bool:
    """Whether a new clause begins after a conjunction or comma, and not only the next thing in a list."""
    if token.text == "." or ("conjunction" in token.traits and token.text not in ("and", "or", "plus", "nor")):
        return True
    if following.isa("self", "he", "she", "they", "it"):
        return True
    if "b" in following.forms and predicate(following.base) in kind("state"):
        return True
    return "s" in following.forms or "p" in following.forms or "g" in following.forms


def _fondness(verb: str, chunks: list[Chunk]) -> str:
    """ "Is a big jazz fan" says "likes jazz": the verb, with the fan taken out of the chunks."""
    words = chunks[0].words if verb == "be" and chunks and not chunks[0].preposition else []
    if len(words) < 2 or lexicon().compounds.get((verb, words[-1].word)) != "like":
        return verb
    words[:] = [word for word in words[:-1] if word.word != "large"] or words[:-1]
    return "like"


# What the fact is about


def _anchors(owner: Owner, chain: tuple[str, ...], verb: str, chunks: list[Chunk]) -> Iterator[str]:
    """Everything that the fact says something about, as "whom|does|what". Facts that are the same share one."""
    it = "it" if owner.kind == "it" and not chain else "/".join(chain)
    yield from (f"{it}|{verb}|{thing}" for thing in _things(verb, chunks, attribute=bool(chain)))
    if verb == "have" and not chain:  # "has a brown dog named Luna": the dog is named Luna, and is brown
        yield from (f"{thing}|name|{name}" for thing, name in _names_given(chunks))
        yield from (f"{chunk.head}|be|{chunk.words[-2].word}" for chunk in chunks[:1] if len(chunk.words) > 1)
    if verb == "be" and chain and chunks and not chunks[0].preposition:  # "my dog is Luna": it is named Luna
        yield from (
            f"{it}|name|{token.word}" for token in chunks[0].words if not is_known(token.base) and not token.forms
        )
    yield from (f"{it}|{does}|{thing}" for does, thing in _implied(verb, chunks))


def _things(verb: str, chunks: list[Chunk], *, attribute: bool) -> list[str]:
    """What the main clause is about: the objects, or without any what the first prepositions add, or nothing."""
    main = [chunk for chunk in chunks if not chunk.clause and not chunk.is_time()]
    direct = [chunk for chunk in main if not chunk.preposition]
    oblique = [chunk for chunk in main if chunk.preposition not in ("", "name", "with", "without")]
    oblique += [chunk for chunk in main if chunk.preposition == "with"]
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
    if objects and (doing in kind("usual") or (doing == "travel" and verb != "like")):
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
    """What a fact says along with its main verb, as verb and thing."""
    if verb in kind("activity") and all(chunk.preposition or chunk.clause or chunk.is_time() for chunk in chunks):
        yield verb, ""  # "volunteers at a shelter" -> volunteers
    if chunks:
        yield from _implied_by_object(verb, chunks[0])
        yield from _implied_by_rest(verb, chunks)
        yield from _besides(chunks)


def _implied_by_object(verb: str, first: Chunk) -> Iterator[tuple[str, str]]:
    last = first.words[-1]
    if len(first.words) > 1:
        describing = first.words[-2].word
        if not first.preposition and (verb, last.word) in lexicon().compounds:  # "is a cat lover" -> likes cats
            yield lexicon().compounds[verb, last.word], describing
        if verb == "be" and "user" in last.traits:  # "is a shy person" -> is shy
            yield verb, describing
    if verb in kind("acquire") and not first.preposition and last.text == last.base:  # "adopted a dog" -> has a dog
        yield "have", last.word
    if verb in kind("found"):  # "launched a blog" -> started a blog
        yield "start", last.word
    if verb in kind("partake") and last.base in kind("lesson"):  # "took a class" -> attended a class
        yield "attend", last.word


def _implied_by_rest(verb: str, chunks: Sequence[Chunk]) -> Iterator[tuple[str, str]]:
    first = chunks[0]
    if verb == "prefer" and not any(chunk.preposition in ("over", "to", "than") for chunk in chunks):
        yield "like", first.head
    if verb == "work":  # "works nights as a nurse" -> is a nurse
        yield from (("be", chunk.head) for chunk in chunks if chunk.preposition == "as")
    if verb in ("go", "travel"):  # "went to Rome" -> visited Rome
        places = [chunk.head for chunk in chunks if chunk.preposition == "to" and not chunk.is_time()]
        yield from ((visiting, place) for place in places[:1] for visiting in ("visit", "attend"))
    if verb in ("like", "start") and first.second_verb():  # "loves playing chess" -> plays chess
        yield from ((predicate(first.second_verb()), thing) for thing in _objects(chunks)[:2])


def _besides(chunks: Sequence[Chunk]) -> Iterator[tuple[str, str]]:
    """What the same person does in later clauses: "is on a trip and visited friends" -> visit friend."""
    for place, chunk in enumerate(chunks):
        first = chunk.words[0]
        if not chunk.clause or chunk.preposition or first.base == "be" or first.forms not in ("s", "p", "pq"):
            continue
        objects = [*content(chunk.words[1:]), *(other.head for other in chunks[place + 1 : place + 2] if other.clause)]
        if objects:
            yield first.word, content(chunk.words)[-1] if len(chunk.words) > 1 else objects[0]
