"""Reads an English fact into the parts that the deduplication compares: whom it is about, what it says of them, about
which things, with which numbers, dates and negations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import NamedTuple

from fake_convai.domain.dedup.grammar import USERS, Owner, attribute, main_clause, whom
from fake_convai.domain.english import kind
from fake_convai.domain.english.forms import stem
from fake_convai.domain.english.tables import lexicon
from fake_convai.domain.english.tokens import NOTHING, Token, exact_form, make_token, tokens_of

MAX_CONTENT = 30
"""Words that say something. A fact with more is a story: it is only ever merged with its repeat."""

MAX_CLAIM_KEYS = 36
"""What bounds the claims of a fact, and with them its index keys, so that what is not indexed is not merged either."""

TEXT_CACHE = 4096


class Claim(NamedTuple):
    """What a fact says, without the things: of the user's brother's dog (("brother", "dog")) that it barks."""

    chain: tuple[str, ...]
    verb: str


@dataclass(slots=True)
class Chunk:
    """A run of words that belong together, with the preposition before it; `aside` when it is in a clause that is no
    statement of its own: a reason, a comment."""

    preposition: str = ""
    aside: bool = False
    opener: str = ""  # the conjunction before it, or "'s"
    count: str = ""
    words: list[Token] = field(default_factory=list)

    @property
    def solid(self) -> list[Token]:
        """The words without when, unless that tells which ("the night shift"), and without what goes without saying
        ("jazz music")."""
        if self.words[-1].kinds & kind.TIME:
            return [token for token in self.words if not token.kinds & kind.TIME]
        if len(self.words) == 1:
            return self.words
        return [token for token in self.words if not token.kinds & kind.GENERIC] or self.words


@dataclass(eq=False)
class Fact:
    """What is compared; of a text that the English rules do not read only its `form`. What only a comparison looks at
    is worked out when it does: most facts meet no other."""

    form: str
    owner: Owner = USERS
    claims: Mapping[Claim, str] = field(default_factory=dict)
    """The main one first; then those that follow from it, if of one thing only: who adopted a dog has the dog."""
    core: frozenset[str] = frozenset()  # the content of the statements, without when and how
    words: frozenset[str] = frozenset()  # all content
    topic: frozenset[str] = frozenset()  # of what it speaks: the main verb, unless it is a light one, and whose it is
    gist: frozenset[str] = frozenset()  # topic and core: what is stated, whatever its grammar
    negations: int = 0
    mood: str = ""
    past: bool = False
    squash: str = ""  # the verb, and the content words in order, without spaces
    tokens: Sequence[Token] = ()
    chunks: Sequence[Chunk] = ()

    @property
    def main(self) -> Claim:
        """What the main clause claims."""
        return next(iter(self.claims))

    @cached_property
    def describing(self) -> Mapping[str, str]:
        """Each word that stands right before the head of its chunk, with the head."""
        pairs: list[Sequence[Token]] = []
        before = NOTHING
        for chunk in [chunk for chunk in self.chunks if not chunk.aside]:
            words = chunk.solid or chunk.words
            if len(words) > 1:
                pairs.append(words[-2:])
            if chunk.opener == "'s":  # "the brother's boat"
                pairs.append((before, words[-1]))
            elif chunk.preposition == "of" and not before.kinds & kind.GENERIC:  # "the lid of the pot"
                pairs.append((words[-1], before))
            before = words[-1]
        plain = [pair for pair in pairs if not pair[0].kinds & kind.USER and not pair[1].kinds & kind.NUMBER]
        return {word.stem: head.stem for word, head in plain if "q" not in head.forms and head.kinds}

    @cached_property
    def heads(self) -> frozenset[str]:
        """What is described by the other words of a chunk of the main clause."""
        return frozenset([word.stem for chunk in self.chunks if not chunk.aside for word in chunk.solid[-1:]])

    @cached_property
    def parts(self) -> Mapping[str, str]:
        """Each word with the part that its preposition gives it."""
        table = lexicon().prepositions
        parts = {stem(word): "" for word in (self.main.verb, *self.main.chain)}
        return parts | {token.stem: table.get(chunk.preposition, "") for chunk in self.chunks for token in chunk.words}

    @cached_property
    def counts(self) -> Mapping[str, str]:
        """How many there are of a thing, where "a" is one."""
        counted = [(chunk.words[-1], chunk.count) for chunk in self.chunks if chunk.count and not chunk.aside]
        return {head.stem: count for head, count in counted if not head.kinds & (kind.TIME | kind.NUMBER)}

    @cached_property
    def shown(self) -> Mapping[str, str]:
        """How a word is shown to people."""
        return {token.stem: token.word for token in self.tokens}

    @cached_property
    def bases(self) -> frozenset[str]:
        """The base forms of the content."""
        return frozenset([token.base for chunk in self.chunks for token in chunk.words])

    @cached_property
    def done(self) -> str:
        """What is done to whom the fact is about: "was invited"."""
        first = self.chunks[0].words[0] if self.chunks else NOTHING
        return stem(first.verb) if self.main.verb == "be" and "q" in first.forms else ""

    @cached_property
    def denied(self) -> frozenset[str]:
        """What is denied besides what is said: "the mayor but not the smith"."""
        places = [
            place
            for place, (before, token) in enumerate(pairwise(self.tokens), 1)
            if token.kinds & kind.NEGATION and before.kinds & kind.CONJUNCTION
        ]
        found = [[token.stem for token in self.tokens[place:] if token.kinds & kind.CONTENT][:1] for place in places]
        return frozenset([stem for some in found for stem in some])

    @cached_property
    def asides(self) -> Mapping[str, frozenset[str]]:
        """What is said along with the statement: how, when, and each kind of reason or comment."""
        found: dict[str, set[str]] = {}
        for token in self.tokens:
            if token.kinds & kind.TIME and not token.kinds & (kind.DATE | kind.HOUR):
                found.setdefault("when", set()).add(token.stem)
            elif token.kinds & kind.ADVERB and token.kinds & kind.CONTENT:
                found.setdefault("how", set()).add(token.stem)
        for chunk in self.chunks:
            if chunk.aside and chunk.opener:
                found.setdefault(chunk.opener, set()).update([token.stem for token in chunk.words])
        return {name: frozenset(words) for name, words in found.items()}

    def having(self, kinds: int, which: int) -> frozenset[str]:
        """The words that are, of these kinds, just of that one."""
        return frozenset([token.word for token in self.tokens if token.kinds & kinds == which])

    def beyond(self, words: frozenset[str], claim: Claim) -> frozenset[str]:
        """What words say beyond a claim."""
        return words.difference(map(stem, claim.chain), (stem(claim.verb),))


@lru_cache(TEXT_CACHE)
def read(text: str) -> Fact:
    """The fact that a text states."""
    tokens, kinds = tokens_of(text)
    return _read_english(exact_form(text), tokens, kinds) if tokens else Fact(exact_form(text))


def _read_english(form: str, tokens: list[Token], kinds: int) -> Fact:
    said, negations = tokens, 0
    if kinds & kind.NEGATION:
        said = [token for token in tokens if token.kinds & (kind.NEGATION | kind.PREPOSITION) != kind.NEGATION]
        negations = len(tokens) - len(said)
    clause = main_clause(said, negated=negations > 0)
    owner, chain, extra = whom(clause.subject)
    verb, chain = attribute(clause.verb, chain, clause.rest)
    chunks = _chunked(clause.rest)
    squash = "".join([token.word for some in (extra, *[chunk.words for chunk in chunks]) for token in some])
    squash = squash and f"{clause.verb}:{squash}"
    is_over = clause.past and lexicon().kinds.get(verb, 0) & kind.STATE
    verb = _undisguised(verb, chunks)
    if verb == "hate":
        verb, negations = "like", negations + 1
    moods = {clause.mood, "maybe" if kinds & kind.HEDGE else "", "seldom" if kinds & kind.SELDOM else ""} - {""}
    if kinds & kind.FORMER:
        is_denied = bool({token.text for token in tokens} & {"longer", "anymore"})  # "no longer smokes"
        moods |= {"former"} if negations or not is_denied else set()
        negations = max(negations - is_denied, 0)
    is_event = verb == "be" and chunks and "q" in chunks[0].words[0].forms  # "was born"
    if is_over and not is_event and not moods:
        moods = {"over"}
    if verb in ("prefer", "like") and kinds & kind.PREPOSITION:  # "tea to coffee", "tea over coffee"
        for chunk in chunks[1:]:
            if chunk.preposition in ("to", "over", "than") and "g" not in chunk.words[0].forms:
                chunk.preposition, verb = "than", "prefer"
    content, core = _content(extra, chunks, kinds)
    if len(content) > MAX_CONTENT:
        return Fact(form)
    words = frozenset([token.stem for token in content])
    stated = words if len(core) == len(content) else frozenset([token.stem for token in core])
    claims, mood = _claims(Claim(chain, verb), chunks), " ".join(sorted(moods))
    if chain and verb == "be" and "favorite" in stated:  # "my favorite band is Muse" -> likes Muse
        claims = {**claims, Claim(chain[:-1], "like"): ""}
    topic = topic_of(chain, verb)
    gist = topic | (stated - _THE_USER if owner is USERS else stated)
    return Fact(form, owner, claims, stated, words, topic, gist, negations, mood, clause.past, squash, tokens, chunks)


@lru_cache(TEXT_CACHE)
def topic_of(chain: tuple[str, ...], verb: str) -> frozenset[str]:
    """Of what a claim speaks: the verb, unless it is a light one, and whose it is."""
    return frozenset(map(stem, chain if lexicon().kinds.get(verb, 0) & kind.LIGHT else (*chain, verb)))


_THE_USER = frozenset(("user",))


def _content(extra: Sequence[Token], chunks: Sequence[Chunk], kinds: int) -> tuple[list[Token], list[Token]]:
    """All that is said; and the statements without when, unless that is all."""
    content, core = list(extra), list(extra)
    for chunk in chunks:
        content += chunk.words
        if not chunk.aside:
            core += chunk.solid if kinds & (kind.TIME | kind.GENERIC) else chunk.words
    return content, core or content


# What follows the verb


def _chunked(tokens: Sequence[Token]) -> list[Chunk]:
    """What follows the verb, cut at prepositions, conjunctions, commas and determiners. Adverbs say how, not what."""
    current = Chunk()
    chunks = [current]
    for token in tokens:
        kinds, text = token.kinds, token.text
        if kinds & (kind.BREAK | kind.CONJUNCTION):
            aside = current.aside or text not in ("and", "or", "nor", "plus", "but", "then", ".", ",")
            opener = text if kinds & kind.CONJUNCTION else current.opener
            current = Chunk("then" if text == "then" else "", aside, opener)
            chunks.append(current)
        elif kinds & kind.OPENER or (kinds & kind.NAMING and current.words):  # "a dog named Luna"
            preposition = "name" if kinds & kind.NAMING else text if kinds & kind.PREPOSITION else current.preposition
            opener = "'s" if kinds & kind.OWNERS else current.opener if current.aside else ""
            current = Chunk(preposition, current.aside, opener, "1" if text in ("a", "an", "another", "one") else "")
            chunks.append(current)
        elif kinds & (kind.SELF | kind.USER) and not kinds & kind.GENERIC:
            current.words.append(make_token("user"))
        elif kinds & (kind.CONTENT | kind.ADVERB | kind.NUMBER) in (kind.CONTENT, kind.NUMBER):
            if kinds & kind.NUMBER and not (current.words or current.count):  # "3 cats"; not "level 3", "a 3-room flat"
                current.count = token.base
            current.words.append(token)
    return [chunk for chunk in chunks if chunk.words]


def _undisguised(verb: str, chunks: list[Chunk]) -> str:
    """The verb that a noun hides, which is taken out of the chunks: "is a jazz fan" says "likes jazz", "has a peanut
    allergy" says "is allergic to peanuts", "is a history teacher" says "teaches history"."""
    if verb not in ("be", "have", "think") or not chunks or chunks[0].preposition:
        return verb
    *words, head = chunks[0].words
    found = lexicon().disguised.get(f"{verb} {head.word}")
    if not found or (head.kinds & kind.USER and not words):
        return verb
    chunks[0].words = [word for word in words if word.word != "large"]  # "is a big jazz fan"
    chunks[:] = [chunk for chunk in chunks if chunk.words]
    return lexicon().predicates.get(found, found)


# What the fact says


def _claims(main: Claim, chunks: Sequence[Chunk]) -> Mapping[Claim, str]:
    """The main claim, and what it says along with it, with the thing of which it says so."""
    others = _implied(*main, chunks) if chunks else {}
    size = 3 + sum([len(chunk.words) for chunk in chunks]) if others else 0
    return {main: "", **others} if size * (len(others) + 1) <= MAX_CLAIM_KEYS else {main: ""}


def _implied(chain: tuple[str, ...], verb: str, chunks: Sequence[Chunk]) -> Mapping[Claim, str]:
    first, last = chunks[0], chunks[0].words[-1]
    is_plain = verb == "be" and not first.preposition
    is_name = verb == "name" or (is_plain and not last.kinds & kind.KNOWN)
    also = _OF_THINGS.get(chain[-1], "") if chain and (is_name or is_plain) else ""
    if chain and (is_name or also):  # "my dog is Luna", "my wife is Elif" -> is married to Elif
        claims = {Claim(chain, "name"): ""} if is_name else {}
        return claims | ({Claim(chain[:-1], also): ""} if also else {})
    if not first.preposition and lexicon().kinds.get(verb, 0) & kind.ACQUIRE:  # "adopted a dog" -> has a dog
        return {Claim(chain, "have"): last.stem}
    if verb in ("like", "start") and "g" in first.words[0].forms:  # "loves playing chess" -> plays chess
        return {Claim(chain, first.words[0].word): ""}
    preposition, others = _ALSO.get(verb, ("", ()))
    is_meant = not preposition or preposition in [chunk.preposition for chunk in chunks]
    return {Claim(chain, other): "" for other in others if is_meant}


_OF_THINGS = {**dict.fromkeys(("wife", "husband", "spouse"), "marry"), "car": "drive"}  # "my car is a Fiat"
_ALSO: Mapping[str, tuple[str, Sequence[str]]] = {
    "work": ("as", ("be",)),  # "works nights as a nurse" -> is a nurse
    "go": ("to", ("visit", "attend")),  # "went to Rome" -> visited Rome
    "prefer": ("", ("like",)),
    **dict.fromkeys(("open", "launch", "found", "establish"), ("", ("start",))),  # "launched a blog" -> started a blog
}


def is_plain_value(fact: Fact) -> bool:
    """Whether a fact says a short value of an attribute and nothing else: "my boss is Ines Roth"."""
    is_attribute = fact.main.verb == "name" or (fact.main.verb == "be" and fact.main.chain)
    return bool(is_attribute) and len(fact.words) <= 6 and not any(fact.parts.values())
