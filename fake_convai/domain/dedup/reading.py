"""Reads an English fact into the parts that the deduplication compares: whom it is about, what it says of them, about
which things, with which numbers, dates and negations."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import NamedTuple

from fake_convai.domain.dedup.grammar import USERS, Owner, main_clause, whom
from fake_convai.domain.english import kind
from fake_convai.domain.english.tables import lexicon, stem
from fake_convai.domain.english.tokens import NOTHING, Token, exact_form, make_token, tokens_of

MAX_CONTENT = 30  # words that say something: a fact with more is a story, merged only with its repeat
MAX_CLAIMING = 12  # a fact with more of them says only what it says, so that its index keys are few
TEXT_CACHE = 4096


class Claim(NamedTuple):
    """What a fact says, without the things: of the user's brother's dog (("brother", "dog")) that it barks."""

    chain: tuple[str, ...]
    verb: str


@dataclass(slots=True)
class Chunk:
    """A run of words that belong together, with the preposition before it; `aside` when it is in a clause that is no
    statement of its own: a reason, a comment."""

    preposition: str
    aside: bool
    opener: str  # the conjunction before it, or "'s"
    count: str
    words: list[Token]

    @property
    def solid(self) -> list[Token]:
        """The words without when, unless that tells which ("the night shift"), and without what goes without saying
        ("jazz music")."""
        if self.words[-1].kinds & kind.TIME:
            return [token for token in self.words if not token.kinds & kind.TIME]
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

    @property
    def done_to(self) -> str:
        """The verb of what is done to the one whom it is about ("was invited"), if anything."""
        first = self.chunks[0].words[0] if self.chunks and self.main.verb == "be" else NOTHING
        return first.verb if "q" in first.forms else ""

    @cached_property
    def said(self) -> frozenset[str]:
        """All that is said, the verb and whose it is with it."""
        return self.words | topic_of(*self.main)

    @cached_property
    def gist(self) -> frozenset[str]:
        """What is stated, whatever its grammar."""
        return topic_of(*self.main) | (self.core - {"user"} if self.owner is USERS else self.core)

    @cached_property
    def describing(self) -> Mapping[str, str]:
        """Each word that stands right before the head of its chunk, with the head."""
        pairs: list[Sequence[Token]] = []
        before = NOTHING
        for chunk in [chunk for chunk in self.chunks if not chunk.aside]:
            words = chunk.solid or chunk.words
            if len(words) > 1 and not words[-2].kinds & words[-1].kinds & kind.RELATION:
                pairs.append(words[-2:])
            if chunk.opener == "'s":  # "the brother's boat"
                pairs.append((before, words[-1]))
            elif chunk.preposition == "of" and not before.kinds & kind.GENERIC:  # "the lid of the pot"
                pairs.append((words[-1], before))
            before = words[-1]
        pairs = [pair for pair in pairs if not pair[0].kinds & kind.USER]
        return {word.stem: head.stem for word, head in pairs if "q" not in head.forms and head.kinds & ~kind.NUMBER}

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
    def values(self) -> Mapping[str, set[str]]:
        """What may be said in one way only: numbers, times, manner, and each kind of reason or comment."""
        found: dict[str, set[str]] = defaultdict(set)
        for token in self.tokens:
            for title, kinds, which in _VALUES:
                if token.kinds & kinds == which:
                    found[title].add(token.stem)
        for chunk in self.chunks:
            if chunk.aside and chunk.opener:
                found[f'clause with "{chunk.opener}"'].update([token.stem for token in chunk.words])
        return found

    @cached_property
    def made(self) -> frozenset[str]:
        """Words that make something else of a thing: "a toy tank", "a retired nurse"; but not "retired in May"."""
        pairs = [(token, after) for token, after in pairwise((*self.tokens, NOTHING)) if token.kinds & kind.PRIVATIVE]
        privative = [token for token, after in pairs if not token.forms or after.kinds & kind.CONTENT]
        return frozenset([token.stem for token in privative if not token.kinds & (kind.ROLE | kind.PREPOSITION)])

    def beyond(self, words: frozenset[str], claim: Claim) -> frozenset[str]:
        """What words say beyond a claim."""
        return words.difference(map(stem, claim.chain), (stem(claim.verb),))


_TALKS, _SAYS = (kind.SELF, kind.USER, kind.TALKING), (kind.CONTENT, kind.NUMBER)
_TIME = kind.TIME | kind.DATE | kind.HOUR
_HOW = kind.ADVERB | kind.CONTENT
_VALUES = (
    ("number", kind.NUMBER, kind.NUMBER), ("date", _TIME, kind.TIME | kind.DATE), ("hour", _TIME, _TIME),
    ("time", _TIME, kind.TIME), ("manner", _HOW | kind.TIME, _HOW),
)  # fmt: skip


@lru_cache(TEXT_CACHE)
def read(text: str) -> Fact:
    """The fact that a text states."""
    tokens, kinds = tokens_of(text)
    return _read_english(exact_form(text), tokens, kinds) if tokens else Fact(exact_form(text))


def _read_english(form: str, tokens: list[Token], kinds: int) -> Fact:
    said = tokens
    if kinds & kind.NEGATION:
        said = [token for token in tokens if token.kinds & (kind.NEGATION | kind.PREPOSITION) != kind.NEGATION]
    negations = len(tokens) - len(said)
    clause = main_clause(said, negated=negations > 0)
    owner, chain, extra = whom(clause.subject)
    chunks = _chunked(clause.rest)
    is_over = clause.past and lexicon().kinds.get(clause.verb, 0) & kind.STATE
    verb = _undisguised(clause.verb, chunks)
    if denied := lexicon().implied.get(f"not {verb}"):  # "lacks insurance", "has no insurance"
        verb, negations = denied, negations + 1
    hedge, seldom = "possibility" if kinds & kind.HEDGE else "", "exception" if kinds & kind.SELDOM else ""
    moods = {clause.mood, hedge, seldom} - {""}
    if kinds & kind.FORMER:
        is_denied = bool({token.text for token in tokens} & {"longer", "anymore"})  # "no longer smokes"
        moods |= {"a former time"} if negations or not is_denied else set()
        negations = max(negations - is_denied, 0)
    if is_over and not moods and not (verb == "be" and chunks and "q" in chunks[0].words[0].forms):  # "was born"
        moods = {"the past"}
    for chunk in chunks[1:] if verb in ("prefer", "like") else ():  # "tea to coffee", "tea over coffee"
        if chunk.preposition in ("to", "over", "than") and (verb == "prefer" or "g" not in chunk.words[0].forms):
            chunk.preposition, verb = "than", "prefer"
    if verb == "plan" and chunks and "b" in chunks[0].words[0].forms and chunks[0].preposition == "to":
        moods |= {"future"}
    content = extra + [token for chunk in chunks for token in chunk.words]
    if len(content) > MAX_CONTENT:
        return Fact(form)
    squash = f"{clause.verb}:{''.join([token.word for token in content])}" if content else ""
    stated = words = frozenset([token.stem for token in content])
    if kinds & (kind.TIME | kind.GENERIC) or (chunks and chunks[-1].aside):
        core = extra + [token for chunk in chunks if not chunk.aside for token in chunk.solid]
        stated = frozenset([token.stem for token in core]) or words
    claims, mood = _claims(chain, verb, extra, chunks), " and ".join(sorted(moods))
    return Fact(form, owner, claims, stated, words, negations, mood, clause.past, squash, tokens, chunks)


@lru_cache(TEXT_CACHE)
def topic_of(chain: tuple[str, ...], verb: str) -> frozenset[str]:
    """Of what a claim speaks: the verb, unless it is a light one, and whose it is."""
    return frozenset(map(stem, chain if lexicon().kinds.get(verb, 0) & kind.LIGHT else (*chain, verb)))


def _chunked(tokens: Sequence[Token]) -> list[Chunk]:
    """What follows the verb, cut at prepositions, conjunctions, commas and determiners. Adverbs say how, not what."""
    preposition, aside, opener, count, chunks = "", False, "", "", []
    words: list[Token] = []
    for token in tokens:
        kinds, text = token.kinds, token.text
        if kinds & kind.PARTING:
            aside = aside or text not in ("and", "or", "nor", "plus", "but", "then", ".", ",")
            opener = text if kinds & kind.CONJUNCTION else opener
            preposition, count, words = "then" if text == "then" else "", "", []
        elif kinds & kind.OPENER or (kinds & kind.NAMING and words):  # "a dog named Luna"
            preposition = "name" if kinds & kind.NAMING else text if kinds & kind.PREPOSITION else preposition
            opener = "'s" if kinds & kind.OWNERS else opener if aside else ""
            count, words = "1" if text in ("a", "an", "another", "one") else "", []
        elif (talks := kinds & (kind.TALKING | kind.GENERIC) in _TALKS) or kinds & kind.SAYING in _SAYS:
            if not words:
                count = count or (token.base if kinds & kind.NUMBER else "")  # "3 cats"; not "level 3", "a 3-room flat"
                chunks.append(Chunk(preposition, aside, opener, count, words))
            words.append(make_token("user") if talks else token)
    return chunks


def _undisguised(verb: str, chunks: list[Chunk]) -> str:
    """The verb that a noun hides, which is taken out of the chunks: "is a jazz fan" says "likes jazz", "has a peanut
    allergy" says "is allergic to peanuts", "is a history teacher" says "teaches history"."""
    if not chunks or chunks[0].preposition:
        return verb
    *words, head = chunks[0].words
    found = lexicon().implied.get(f"{verb} {head.word}")
    if not found or (head.kinds & kind.USER and not words):
        return verb
    chunks[0].words = [word for word in words if word.word != "large"]  # "is a big jazz fan"
    chunks[:] = [chunk for chunk in chunks if chunk.words]
    return lexicon().predicates.get(found, found)


def _claims(chain: tuple[str, ...], verb: str, extra: Sequence[Token], chunks: Sequence[Chunk]) -> Mapping[Claim, str]:
    """The main claim, and what it says along with it, with the thing of which it says so."""
    table, claims = lexicon().implied, {Claim(chain, verb): ""}
    if not chunks or sum([len(chunk.words) for chunk in chunks]) > MAX_CLAIMING:
        return claims
    first, last = chunks[0].words[0], chunks[0].words[-1]
    if chain and verb in ("be", "name"):
        if not chunks[0].preposition and (verb == "name" or not last.kinds & kind.KNOWN):  # "my dog is Luna"
            claims[Claim(chain, "name")] = ""
        for word in (chain[-1], *[token.word for token in extra]):  # "my wife is Elif", "my favorite band is Muse"
            if f"of {word}" in table:
                claims[Claim(chain[:-1], table[f"of {word}"])] = ""
    if "g" in first.forms:  # "loves playing chess", "my hobby is playing chess"
        claims |= {Claim(claim.chain, first.verb): "" for claim in claims if claim.verb in ("like", "start")}
    elif verb == "plan" and "b" in first.forms:  # "plans to move"
        claims[Claim(chain, first.verb)] = ""
    for chunk in chunks if verb in lexicon().also else ():  # "went to Rome", "adopted a dog"
        for also in table.get(f"also {verb} {chunk.preposition}".rstrip(), "").split():
            claims.setdefault(Claim(chain, also), (chunk.solid or chunk.words)[-1].stem)
    return claims
