"""Reads an English fact into the parts that the deduplication compares: whom it is about, what it says of them, about
which things, with which numbers, dates and negations."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from typing import NamedTuple

from fake_convai.domain.dedup.grammar import USERS, Owner, attribute, main_clause, whom
from fake_convai.domain.english.forms import doer_of, stem
from fake_convai.domain.english.tables import kind, lexicon
from fake_convai.domain.english.tokens import MAX_LENGTH, NOTHING, Token, exact_form, tokens_of

MAX_CONTENT = 30
"""Words that say something. A fact with more is a story: it is only ever merged with its repeat."""

LONGEST_VALUE = 6
"""Words of a value that may be spelt in two ways."""

MAX_CLAIMS, MAX_CLAIM_KEYS = 4, 36
"""What bounds the claims of a fact, and with them its index keys, so that what is not indexed is not merged either."""

TEXT_CACHE = 4096

NO_WORDS: frozenset[str] = frozenset()


class Claim(NamedTuple):
    """What a fact says, without the things: of the user's brother's dog (("brother", "dog")) that it barks."""

    chain: tuple[str, ...]
    verb: str

    @property
    def stems(self) -> frozenset[str]:
        """The words of the claim itself."""
        return _stems(self)


@lru_cache(TEXT_CACHE)
def _stems(claim: Claim) -> frozenset[str]:
    return frozenset(map(stem, (*claim.chain, claim.verb)))


@dataclass(slots=True)
class Chunk:
    """A run of words that belong together, with the preposition before it; `clause` when it is not part of the main
    clause, `aside` when its clause is no statement of its own: a reason, a comment."""

    preposition: str = ""
    clause: bool = False
    aside: bool = False
    count: str = ""
    words: list[Token] = field(default_factory=list)


@dataclass(eq=False)
class Fact:
    """What is compared. A text that the English rules do not read has only its `form`.

    What only a comparison looks at is worked out when it does: most facts meet no other.
    """

    form: str
    english: bool = False
    owner: Owner = USERS
    claims: Mapping[Claim, frozenset[str] | None] = field(default_factory=dict)
    """The main one first; then those that follow from it, if of certain things only: who adopted a dog has the dog."""
    core: frozenset[str] = NO_WORDS  # the content of the statements, without when and how
    words: frozenset[str] = NO_WORDS  # all content
    doing: str = ""  # the second verb: "likes to swim"
    negations: int = 0
    mood: str = ""
    describing: Mapping[str, str] = field(default_factory=dict)
    """Each word that stands right before the head of its chunk, with the head."""
    squash: str = ""  # the verb, and the content words in order, without spaces
    tokens: Sequence[Token] = ()
    content: Sequence[Token] = ()
    chunks: Sequence[Chunk] = ()

    @property
    def main(self) -> Claim:
        """What the main clause claims."""
        return next(iter(self.claims))

    @cached_property
    def main_chunks(self) -> list[Chunk]:
        """The chunks of the main clause."""
        return [chunk for chunk in self.chunks if not chunk.clause]

    @cached_property
    def heads(self) -> frozenset[str]:
        """What is described by the other words of a chunk: the objects, or without any what stands for them."""
        direct = [chunk for chunk in self.main_chunks if not chunk.preposition] or self.main_chunks
        return frozenset([words[-1].stem for chunk in direct if (words := _not_time(chunk))])

    @cached_property
    def parts(self) -> Mapping[str, str]:
        """Each word with the part that its preposition gives it."""
        table = lexicon().prepositions
        return {token.stem: table.get(chunk.preposition, "") for chunk in self.chunks for token in chunk.words}

    @cached_property
    def numbers(self) -> frozenset[str]:
        """The numbers, wherever they stand."""
        return frozenset([token.stem for token in self.tokens if "number" in token.traits])

    @cached_property
    def counts(self) -> Mapping[str, str]:
        """How many there are of a thing, where "a" is one."""
        return {chunk.words[-1].stem: chunk.count for chunk in self.main_chunks if chunk.count}

    @cached_property
    def dates(self) -> frozenset[str]:
        """Months, days, and times of day."""
        return frozenset([token.word for token in self.content if "date" in token.traits])

    @cached_property
    def opposites(self) -> frozenset[str]:
        """The words that have an opposite."""
        return frozenset([token.text for token in self.tokens if "opposite" in token.traits])

    @cached_property
    def shown(self) -> Mapping[str, str]:
        """How a word is shown to people."""
        return {token.stem: token.word for token in self.content}


def _describing(chunks: Sequence[Chunk]) -> Mapping[str, str]:
    pairs = [words[-2:] for chunk in chunks if not chunk.clause and len(words := _not_time(chunk)) > 1]
    return {word.stem: head.stem for word, head in pairs if "g" not in word.forms}


def _not_time(chunk: Chunk) -> list[Token]:
    return [token for token in chunk.words if "time" not in token.traits]


def read(text: str) -> Fact:
    """The fact that a text states."""
    return _read(text) if len(text) <= MAX_LENGTH else Fact(exact_form(text))


@lru_cache(TEXT_CACHE)
def _read(text: str) -> Fact:
    form = exact_form(text)
    tokens = tokens_of(text)
    return Fact(form) if tokens is None else _read_english(form, tokens)


def _read_english(form: str, tokens: list[Token]) -> Fact:
    said, negations = _without_negations(tokens)
    clause = main_clause(said, negated=bool(negations))
    owner, chain, extra = whom(clause.subject, plural=clause.plural)
    verb, chain = attribute(clause.verb, chain, clause.rest)
    chunks = _chunked(clause.rest)
    if negations:
        negations -= sum("negated" in token.traits for chunk in chunks if chunk.clause for token in chunk.words)
    squash = "".join([token.word for chunk in (Chunk(words=extra), *chunks) for token in chunk.words])
    squash = squash and f"{verb}:{squash}"
    is_over = clause.past and verb in kind("state")
    verb = _undisguised(verb, chunks)
    if verb == "hate":
        verb, negations = "like", negations + 1
    content = list(extra)
    for chunk in chunks:
        content += chunk.words
    if len(content) > MAX_CONTENT:
        return Fact(form)
    moods = [clause.mood] if clause.mood else []
    hints = _hints()
    moods += [hints[token.text] for token in tokens if token.text in hints]
    is_event = verb == "be" and bool(chunks) and "q" in chunks[0].words[0].forms  # "was born"
    if is_over and not is_event and not moods and not any(token.text == "never" for token in tokens):
        moods.append("over")
    return Fact(
        form,
        english=True,
        owner=owner,
        claims=_claims(Claim(chain, verb), chunks),
        core=_solid([extra, *(chunk.words for chunk in chunks if not chunk.aside)]),
        words=frozenset([token.stem for token in content]),
        doing=_second_verb(verb, chunks),
        negations=negations,
        mood=" ".join(dict.fromkeys(moods)) if moods else "",
        describing=_describing(chunks),
        squash=squash,
        tokens=tokens,
        content=content,
        chunks=chunks,
    )


@cache
def _hints() -> Mapping[str, str]:
    """What adverbs change of what is claimed, as modals do."""
    return dict.fromkeys(kind("hedge"), "maybe") | dict.fromkeys(kind("seldom"), "seldom")


def _solid(chunks: Sequence[Sequence[Token]]) -> frozenset[str]:
    """What chunks say without when and praise, unless these tell which ("the early shift") or are all there is."""
    solid = []
    for words in chunks:
        light = _WHEN if words and "time" in words[-1].traits else _PRAISE
        solid += [token.stem for token in words[:-1] if token.traits.isdisjoint(light)]
        solid += [token.stem for token in words[-1:] if "time" not in token.traits]
    return frozenset(solid or [token.stem for words in chunks for token in words])


_PRAISE = frozenset(("soft",))
_WHEN = frozenset(("soft", "time"))


def _without_negations(tokens: list[Token]) -> tuple[list[Token], int]:
    """The tokens without "not" and the like, which mark the word after them, and how many there are."""
    said: list[Token] = []
    negations = 0
    pending = False
    for token in tokens:
        if "negation" in token.traits and "preposition" not in token.traits:
            negations += 1
            pending = True
        else:
            said.append(token._replace(traits=token.traits | {"negated"}) if pending else token)
            pending = False
    return said, negations


# What follows the verb


def _chunked(tokens: list[Token]) -> list[Chunk]:
    """What follows the verb, cut at prepositions, conjunctions, commas and determiners. Adverbs come last, since they
    say how and not what."""
    current, adverbs = Chunk(), Chunk(clause=True, aside=True)
    chunks = [current]
    for place, token in enumerate(tokens):
        traits = token.traits
        if not traits.isdisjoint(_OPENING):
            opened = _opened_by(token, current, tokens[place + 1] if place + 1 < len(tokens) else NOTHING)
            if opened:
                current = opened
                chunks.append(current)
                continue
        if "number" in traits:
            if not current.words:  # "3 cats", but not "level 3"
                current.count = token.base
            current.words.append(token)
        elif "self" in traits or "user" in traits:
            current.words.append(token if token.text == "user" else USER)
        elif "content" in traits:
            (adverbs if "adverb" in traits else current).words.append(token)
    return [chunk for chunk in (*chunks, adverbs) if chunk.words]


_OPENING = frozenset(("break", "conjunction", "opener", "content"))
USER = Token("user", "user", "", "user", "user", frozenset(("user", "content")))


def _opened_by(token: Token, current: Chunk, after: Token) -> Chunk | None:
    """The chunk that begins with a token, if one does."""
    traits = token.traits
    if "break" in traits or "conjunction" in traits:
        clause = current.clause or _begins_clause(token, after)
        return Chunk(
            "" if clause else current.preposition, clause, clause and (current.aside or _is_aside(token, after))
        )
    if token.word == "name" and "q" in token.forms and current.words:  # "a dog named Luna"
        return Chunk("name", current.clause, current.aside)
    if "preposition" in traits or token.text == "of":
        preposition = "to do" if token.text == "to" and "b" in after.forms else token.text
        return Chunk(preposition, current.clause, current.aside)
    if "opener" in traits:
        count = "1" if token.text in ("a", "an", "another", "one") else ""
        return Chunk(current.preposition, current.clause, current.aside, count)
    return None


def _is_aside(token: Token, following: Token) -> bool:
    return token.text not in ("and", "but", "plus", ".", ",") or "g" in following.forms


def _begins_clause(token: Token, following: Token) -> bool:
    """Whether a new clause begins after a conjunction or comma, and not only the next thing in a list."""
    if token.text == "." or ("conjunction" in token.traits and token.text not in ("and", "or", "plus", "nor")):
        return True
    if following.isa("self", "he", "she", "they", "it"):
        return True
    forms = following.forms
    if "b" in forms and lexicon().predicates.get(following.base, following.base) in kind("state"):
        return True
    return "s" in forms or "p" in forms or "g" in forms


def _undisguised(verb: str, chunks: list[Chunk]) -> str:
    """The verb that a noun hides, which is taken out of the chunks: "is a jazz fan" says "likes jazz", "has a peanut
    allergy" says "is allergic to peanuts", "is a history teacher" says "teaches history"."""
    first = chunks[0] if chunks else Chunk()
    if verb not in _LIGHT or not first.words or first.preposition or first.clause or first.words[-1] is USER:
        return verb
    head = first.words[-1]
    found = lexicon().disguised.get((verb, head.word), "")
    if not found and verb == "be" and head.base not in lexicon().known:
        found = doer_of(head.base) or ""
    if not found or (found == "like" and len(first.words) == 1 and len(chunks) == 1):
        return verb
    first.words[:] = [word for word in first.words[:-1] if word.word != "large" or found != "like"]
    if not first.words:
        del chunks[0]
        if chunks and chunks[0].preposition in ("of", "for", "to"):
            chunks[0].preposition = ""
    return lexicon().predicates.get(found, found)


_LIGHT = frozenset(("be", "have"))


def _second_verb(verb: str, chunks: Sequence[Chunk]) -> str:
    """What somebody likes, wants, starts ... to do; nothing where it is the usual thing: "likes playing chess"."""
    if verb not in kind("catenative") or not chunks or chunks[0].clause:
        return ""
    first = chunks[0].words[0]
    is_verb = "g" in first.forms or (chunks[0].preposition == "to do")
    is_usual = first.base in kind("usual") or (first.base == "travel" and verb != "like")
    return first.stem if is_verb and not is_usual else ""


# What the fact says


Implied = Iterator[tuple[Claim, frozenset[str] | None]]


def _claims(main: Claim, chunks: Sequence[Chunk]) -> dict[Claim, frozenset[str] | None]:
    """The main claim, and what it says along with it, with the things of which it says so."""
    claims: dict[Claim, frozenset[str] | None] = {main: None}
    most = min(MAX_CLAIMS, MAX_CLAIM_KEYS // (3 + sum(len(chunk.words) for chunk in chunks)))
    for claim, things in (*_of_the_verb(*main, chunks), *_of_later_clauses(main.chain, chunks)) if chunks else ():
        if len(claims) < most:
            claims.setdefault(claim, things)
    return claims


def _of_the_verb(chain: tuple[str, ...], verb: str, chunks: Sequence[Chunk]) -> Implied:
    first, last = chunks[0], chunks[0].words[-1]
    if verb == "have" and not chain:  # "has a brown dog named Luna": the dog is named Luna, and is brown
        if len(chunks) > 1 and chunks[1].preposition == "name":
            yield Claim((last.word,), "name"), None
        if len(first.words) > 1:
            yield Claim((last.word,), "be"), None
    elif verb == "be" and chain and not first.preposition and "known" not in last.traits:  # "my dog is Luna"
        yield Claim(chain, "name"), None
    elif verb in kind("acquire") and not first.preposition:  # "adopted a dog" -> has a dog
        yield Claim(chain, "have"), frozenset((last.stem,))
    elif verb in ("like", "start") and ("g" in first.words[0].forms or first.preposition == "to do"):
        yield Claim(chain, first.words[0].word), None  # "loves playing chess" -> plays chess
    if verb in _ALSO:
        preposition, others = _ALSO[verb]
        if not preposition or any(chunk.preposition == preposition for chunk in chunks):
            yield from ((Claim(chain, other), None) for other in others)
    if verb in kind("partake") and last.base in kind("lesson"):  # "took a class" -> attended a class
        yield Claim(chain, "attend"), None


_ALSO = {
    "work": ("as", ("be",)),  # "works nights as a nurse" -> is a nurse
    "go": ("to", ("visit", "attend")),  # "went to Rome" -> visited Rome
    "travel": ("to", ("visit", "attend")),
    "prefer": ("", ("like",)),
    **dict.fromkeys(("open", "launch", "found", "establish"), ("", ("start",))),  # "launched a blog" -> started a blog
}


def _of_later_clauses(chain: tuple[str, ...], chunks: Sequence[Chunk]) -> Implied:
    """ "Is on a trip and visited friends" -> visited friends."""
    for place, chunk in enumerate(chunks):
        verbal, *objects = chunk.words
        if chunk.clause and not chunk.preposition and verbal.base != "be" and verbal.forms in ("s", "p", "pq"):
            things = objects or [token for other in chunks[place + 1 : place + 2] for token in other.words]
            yield Claim(chain, verbal.word), frozenset([token.stem for token in things[-1:]])


def beyond(words: frozenset[str], claim: Claim) -> frozenset[str]:
    """What words say beyond a claim."""
    return words - claim.stems


def is_plain_value(fact: Fact) -> bool:
    """Whether a fact says the value of an attribute and nothing else: "my boss is Ines Roth"."""
    chain, verb = fact.main
    is_attribute = verb == "name" or (verb == "be" and bool(chain))
    return (
        is_attribute
        and len(fact.words) <= LONGEST_VALUE
        and fact.words - fact.parts.keys() <= {"favorite"}
        and not any(fact.parts.values())
    )
