"""Reads an English fact into the parts that the deduplication compares: whom it is about, what it says of them, about
which things, with which numbers, dates and negations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import NamedTuple

from fake_convai.domain.dedup.grammar import USERS, Owner, attribute, main_clause, whom
from fake_convai.domain.english import kind
from fake_convai.domain.english.forms import doer_of, stem
from fake_convai.domain.english.tables import lexicon
from fake_convai.domain.english.tokens import MAX_LENGTH, NOTHING, Token, exact_form, make_token, tokens_of

MAX_CONTENT = 30
"""Words that say something. A fact with more is a story: it is only ever merged with its repeat."""

LONGEST_VALUE = 6
"""Words of a value that may be spelt in two ways."""

MAX_CLAIMS, MAX_CLAIM_KEYS = 4, 36
"""What bounds the claims of a fact, and with them its index keys, so that what is not indexed is not merged either."""

TEXT_CACHE = 1024

NO_WORDS: frozenset[str] = frozenset()


class Claim(NamedTuple):
    """What a fact says, without the things: of the user's brother's dog (("brother", "dog")) that it barks."""

    chain: tuple[str, ...]
    verb: str


@dataclass(slots=True)
class Chunk:
    """A run of words that belong together, with the preposition before it; `clause` when it is not part of the main
    clause, `aside` when its clause is no statement of its own: a reason, a comment."""

    preposition: str = ""
    clause: bool = False
    aside: bool = False
    count: str = ""
    words: list[Token] = field(default_factory=list)

    @property
    def solid(self) -> list[Token]:
        """The words that do not say when."""
        return [token for token in self.words if not token.kinds & kind.TIME]


@dataclass(eq=False)
class Fact:
    """What is compared. A text that the English rules do not read has only its `form`.

    What only a comparison looks at is worked out when it does: most facts meet no other.
    """

    form: str
    english: bool = False
    owner: Owner = USERS
    claims: Mapping[Claim, str] = field(default_factory=dict)
    """The main one first; then those that follow from it, if of one thing only: who adopted a dog has the dog."""
    core: frozenset[str] = NO_WORDS  # the content of the statements, without when and how
    words: frozenset[str] = NO_WORDS  # all content
    negations: int = 0
    mood: str = ""
    squash: str = ""  # the verb, and the content words in order, without spaces
    tokens: Sequence[Token] = ()
    content: Sequence[Token] = ()
    chunks: Sequence[Chunk] = ()

    @property
    def main(self) -> Claim:
        """What the main clause claims."""
        return next(iter(self.claims))

    @cached_property
    def describing(self) -> Mapping[str, str]:
        """Each word that stands right before the head of its chunk, with the head."""
        pairs = [words[-2:] for chunk in self.chunks if not chunk.clause and len(words := chunk.solid) > 1]
        return {word.stem: head.stem for word, head in pairs if "g" not in word.forms}

    @cached_property
    def heads(self) -> frozenset[str]:
        """What is described by the other words of a chunk of the main clause."""
        return frozenset([words[-1].stem for chunk in self.chunks if not chunk.clause and (words := chunk.solid)])

    @cached_property
    def parts(self) -> Mapping[str, str]:
        """Each word with the part that its preposition gives it."""
        table = lexicon().prepositions
        return {token.stem: table.get(chunk.preposition, "") for chunk in self.chunks for token in chunk.words}

    @cached_property
    def numbers(self) -> frozenset[str]:
        """The numbers, wherever they stand."""
        return frozenset([token.stem for token in self.tokens if token.kinds & kind.NUMBER])

    @cached_property
    def counts(self) -> Mapping[str, str]:
        """How many there are of a thing, where "a" is one."""
        return {chunk.words[-1].stem: chunk.count for chunk in self.chunks if chunk.count and not chunk.clause}

    @cached_property
    def opposites(self) -> frozenset[str]:
        """The words that have an opposite."""
        return frozenset([token.text for token in self.tokens if token.kinds & kind.OPPOSITE])

    @cached_property
    def shown(self) -> Mapping[str, str]:
        """How a word is shown to people."""
        return {token.stem: token.word for token in self.content}

    def dates(self, which: int) -> frozenset[str]:
        """Months and days (kind.DATE), or times of day (kind.DATE | kind.HOUR)."""
        return frozenset([token.word for token in self.content if token.kinds & (kind.DATE | kind.HOUR) == which])

    def beyond(self, words: frozenset[str], claim: Claim) -> frozenset[str]:
        """What words say beyond a claim."""
        return words.difference(map(stem, claim.chain), (stem(claim.verb),))


def read(text: str) -> Fact:
    """The fact that a text states."""
    return _read(text) if len(text) <= MAX_LENGTH else Fact(exact_form(text))


@lru_cache(TEXT_CACHE)
def _read(text: str) -> Fact:
    form = exact_form(text)
    tokens, kinds = tokens_of(text)
    return _read_english(form, tokens, kinds) if tokens else Fact(form)


def _read_english(form: str, tokens: list[Token], kinds: int) -> Fact:
    said, negations = tokens, 0
    if kinds & kind.NEGATION:
        said = [token for token in tokens if token.kinds & (kind.NEGATION | kind.PREPOSITION) != kind.NEGATION]
        negations = len(tokens) - len(said)
    clause = main_clause(said, negated=negations > 0)
    owner, chain, extra = whom(clause.subject)
    verb, chain = attribute(clause.verb, chain, clause.rest)
    chunks = _chunked(clause.rest)
    content = _content(extra, chunks)
    if len(content) > MAX_CONTENT:
        return Fact(form)
    squash = "".join([token.word for token in content])
    is_over = clause.past and lexicon().kinds.get(verb, 0) & kind.STATE
    plain = _undisguised(verb, chunks)
    if plain != verb:
        verb = plain
        content = _content(extra, chunks)
    if verb == "hate":
        verb, negations = "like", negations + 1
    moods = [clause.mood] if clause.mood else []
    if kinds & (kind.HEDGE | kind.SELDOM):
        moods += [
            "maybe" if token.kinds & kind.HEDGE else "seldom"
            for token in tokens
            if token.kinds & (kind.HEDGE | kind.SELDOM)
        ]
    is_event = verb == "be" and chunks and "q" in chunks[0].words[0].forms  # "was born"
    if (
        is_over
        and not is_event
        and not moods
        and not (kinds & kind.NEGATION and any(t.text == "never" for t in tokens))
    ):
        moods.append("over")
    words = frozenset([token.stem for token in content])
    return Fact(
        form,
        english=True,
        owner=owner,
        claims=_claims(Claim(chain, verb), chunks),
        core=_core(extra, chunks) if kinds & _BESIDE or (chunks and chunks[-1].aside) else words,
        words=words,
        negations=negations,
        mood=" ".join(dict.fromkeys(moods)),
        squash=squash and f"{clause.verb}:{squash}",
        tokens=tokens,
        content=content,
        chunks=chunks,
    )


def _content(extra: Sequence[Token], chunks: Sequence[Chunk]) -> list[Token]:
    content = list(extra)
    for chunk in chunks:
        content += chunk.words
    return content


def _core(extra: Sequence[Token], chunks: Sequence[Chunk]) -> frozenset[str]:
    """What the statements say without when, unless that tells which ("the night shift") or is all there is."""
    solid = [token.stem for token in extra]
    for chunk in chunks:
        if not chunk.aside:
            is_time = chunk.words[-1].kinds & kind.TIME
            solid += [token.stem for token in chunk.words if not (is_time and token.kinds & kind.TIME)]
    return frozenset(solid or [token.stem for chunk in chunks if not chunk.aside for token in chunk.words])


_BESIDE = kind.TIME | kind.CONJUNCTION | kind.STOP
"""Where none of these is, all is core."""


# What follows the verb


def _chunked(tokens: Sequence[Token]) -> list[Chunk]:
    """What follows the verb, cut at prepositions, conjunctions, commas and determiners. Adverbs come last, since they
    say how and not what."""
    current, adverbs = Chunk(), Chunk(clause=True, aside=True)
    chunks = [current]
    for place, token in enumerate(tokens):
        kinds = token.kinds
        if kinds & _OPENING and (not kinds & kind.NAMING or current.words):
            current = _opened_by(token, current, tokens[place + 1] if place + 1 < len(tokens) else NOTHING)
            chunks.append(current)
        elif kinds & kind.NUMBER:
            if not current.words:  # "3 cats", but not "level 3"
                current.count = token.base
            current.words.append(token)
        elif kinds & (kind.SELF | kind.USER):
            current.words.append(make_token("user"))
        elif kinds & kind.ADVERB and kinds & kind.CONTENT:
            adverbs.words.append(token)
        elif kinds & kind.CONTENT:
            current.words.append(token)
    return [chunk for chunk in (*chunks, adverbs) if chunk.words]


_OPENING = kind.BREAK | kind.CONJUNCTION | kind.PREPOSITION | kind.OPENER | kind.NAMING


def _opened_by(token: Token, current: Chunk, after: Token) -> Chunk:
    """The chunk that begins with a token."""
    kinds = token.kinds
    if kinds & (kind.BREAK | kind.CONJUNCTION):
        clause = current.clause or _begins_clause(token, after)
        aside = clause and (current.aside or token.text not in ("and", "but", "plus", ".", ","))
        return Chunk("" if clause else current.preposition, clause, aside)
    if kinds & kind.NAMING:  # "a dog named Luna"
        return Chunk("name", current.clause, current.aside)
    if kinds & kind.PREPOSITION:
        return Chunk(token.text, current.clause, current.aside)
    count = "1" if token.text in ("a", "an", "another", "one") else ""
    return Chunk(current.preposition, current.clause, current.aside, count)


def _begins_clause(token: Token, following: Token) -> bool:
    """Whether a new clause begins after a conjunction or comma, and not only the next thing in a list."""
    if token.kinds & kind.STOP or (token.kinds & kind.CONJUNCTION and token.text not in ("and", "or", "plus", "nor")):
        return True
    return bool(following.kinds & kind.PRONOUN) or "s" in following.forms or "p" in following.forms


def _undisguised(verb: str, chunks: list[Chunk]) -> str:
    """The verb that a noun hides, which is taken out of the chunks: "is a jazz fan" says "likes jazz", "has a peanut
    allergy" says "is allergic to peanuts", "is a history teacher" says "teaches history"."""
    if verb not in ("be", "have") or not chunks or chunks[0].preposition or chunks[0].clause:
        return verb
    first = chunks[0]
    head = first.words[-1]
    found = lexicon().disguised.get(f"{verb} {head.word}", "")
    if not found and verb == "be" and not head.kinds & (kind.KNOWN | kind.USER):
        found = doer_of(head.base) or ""
    if not found or (found == "like" and len(first.words) == 1 and len(chunks) == 1):
        return verb
    first.words[:] = [word for word in first.words[:-1] if word.word != "large" or found != "like"]
    if not first.words:
        del chunks[0]
        if chunks and chunks[0].preposition in ("of", "for", "to"):
            chunks[0].preposition = ""
    return lexicon().predicates.get(found, found)


# What the fact says


def _claims(main: Claim, chunks: Sequence[Chunk]) -> Mapping[Claim, str]:
    """The main claim, and what it says along with it, with the thing of which it says so."""
    claims = {main: ""}
    others = _of_the_verb(*main, chunks) if chunks else []
    for place, chunk in enumerate(chunks):  # "is on a trip and visited friends" -> visited friends
        if chunk.clause and not chunk.preposition:
            verbal, *objects = chunk.words
            if verbal.base != "be" and verbal.forms in ("s", "p", "pq"):
                objects = objects or [token for other in chunks[place + 1 : place + 2] for token in other.words]
                others.append((Claim(main.chain, verbal.word), objects[-1].stem if objects else ""))
    if others:
        most = min(MAX_CLAIMS, MAX_CLAIM_KEYS // (3 + sum([len(chunk.words) for chunk in chunks])))
        for claim, thing in others:
            if len(claims) < most:
                claims.setdefault(claim, thing)
    return claims


def _of_the_verb(chain: tuple[str, ...], verb: str, chunks: Sequence[Chunk]) -> list[tuple[Claim, str]]:
    others = []
    first, last = chunks[0], chunks[0].words[-1]
    kinds = lexicon().kinds.get(verb, 0)
    if verb == "have" and not chain:  # "has a brown dog named Luna": the dog is named Luna, and is brown
        if len(chunks) > 1 and chunks[1].preposition == "name":
            others.append((Claim((last.word,), "name"), ""))
        if len(first.words) > 1:
            others.append((Claim((last.word,), "be"), ""))
    elif verb == "be" and chain and not first.preposition and not last.kinds & kind.KNOWN:  # "my dog is Luna"
        others.append((Claim(chain, "name"), ""))
    elif kinds & kind.ACQUIRE and not first.preposition:  # "adopted a dog" -> has a dog
        others.append((Claim(chain, "have"), last.stem))
    elif verb in ("like", "start") and ("g" in first.words[0].forms or first.preposition == "to"):
        others.append((Claim(chain, first.words[0].word), ""))  # "loves playing chess" -> plays chess
    if verb in _ALSO:
        preposition, verbs = _ALSO[verb]
        if not preposition or preposition in [chunk.preposition for chunk in chunks]:
            others += [(Claim(chain, other), "") for other in verbs]
    if kinds & kind.PARTAKE and lexicon().kinds.get(last.base, 0) & kind.LESSON:  # "took a class" -> attended a class
        others.append((Claim(chain, "attend"), ""))
    return others


_ALSO = {
    "work": ("as", ("be",)),  # "works nights as a nurse" -> is a nurse
    "go": ("to", ("visit", "attend")),  # "went to Rome" -> visited Rome
    "travel": ("to", ("visit", "attend")),
    "prefer": ("", ("like",)),
    **dict.fromkeys(("open", "launch", "found", "establish"), ("", ("start",))),  # "launched a blog" -> started a blog
}


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
