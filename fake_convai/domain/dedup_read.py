"""Reads an English fact into the parts that the deduplication compares. A light reading, not a grammar: it looks for
the first finite verb, what stands before it (whom the fact is about) and the first things after it (what is said)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from fake_convai.domain.dedup_text import english_words, exact_form
from fake_convai.domain.dedup_words import Phrases, as_verb, base_form, kind, lexicon, noun, predicate

MAX_ANCHORS = 8
"""How many things one fact may be about; also bounds its index keys."""

NUMBER = "#"
AGE = "#years"
BREAKS = frozenset((",", "."))


class Token(NamedTuple):
    """A word: as written, its base form, and which verb forms it may be (see `dedup_words.Verb`)."""

    text: str
    base: str
    forms: str


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom a fact is about, or whose thing: kind is user, role, name, he, she, it or thing."""

    kind: str
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Fact:
    """What is compared. A text that the English rules do not read has only its `form`."""

    form: str
    english: bool = False
    owner: Owner = Owner("user")
    chain: tuple[str, ...] = ()  # the user's brother's dog: ("brother", "dog")
    predicate: str = ""
    anchors: frozenset[str] = frozenset()  # "whom|does|what", as many as the fact has
    words: frozenset[str] = frozenset()  # the content beyond owner, chain and predicate
    parts: dict[str, str] = field(default_factory=dict, hash=False)  # word -> the part its preposition gives it
    numbers: tuple[str, ...] = ()
    dates: frozenset[str] = frozenset()
    negations: int = 0
    mood: str = ""
    former: bool = False  # the past of a state: "was a nurse"
    squash: str = ""  # the content words in order, without spaces


@dataclass(slots=True)
class Chunk:
    """A run of words that belong together, with the preposition before it."""

    preposition: str
    words: list[Token] = field(default_factory=list)
    determined: bool = False
    clause: bool = False

    def content(self) -> list[str]:
        return [content_word(token) for token in self.words]


@lru_cache(4096)
def read(text: str) -> Fact:
    """The fact that a text states."""
    form = exact_form(text)
    words = english_words(text)
    if words is None:
        return Fact(form)
    return _Reader(form, words).fact()


def content_word(token: Token) -> str:
    """The word that stands for a token's group of synonyms."""
    word = noun(token.base)
    if word == token.base and token.forms:
        word = predicate(word)
    return word


class _Reader:
    """Takes the parts of one fact off its words, from left to right."""

    def __init__(self, form: str, words: Sequence[str]) -> None:
        self.form = form
        rest, self.numbers = take_numbers(words)
        self.whole = tuple(rest)
        tokens = rewrite(lexicon().predicate_phrases, [make_token(word) for word in rest])
        tokens = rewrite(lexicon().noun_phrases, tokens)
        negation = kind("negation")
        self.tokens = unfronted([token for token in tokens if token.text not in negation])
        self.negations = sum(token.text in negation for token in tokens)
        self.mood = "maybe" if any(token.text in _HEDGES for token in tokens) else ""
        self.past = False
        self.extra: list[str] = []

    def fact(self) -> Fact:
        subject, verb_at = self.split()
        rest = self.tokens[verb_at:] if verb_at >= 0 else self.tokens[len(subject) :]
        verb, rest = self.verb_group(rest) if verb_at >= 0 else ("be", rest)
        if verb == "be" and turned_round(subject, rest):
            end = next((i for i, token in enumerate(rest) if token.text in BREAKS), len(rest))
            subject, rest = rest[:end], [*subject, *rest[end:]]
        owner, chain = self.subject(subject)
        if verb == "hate":
            verb, self.negations = "like", self.negations + 1
        verb, chain, rest = attribute(verb, chain, rest)
        return self.said(owner, chain, verb, rest)

    def split(self) -> tuple[list[Token], int]:
        """The words before the finite verb, and where that is (-1: there is none)."""
        place = find_verb(self.tokens)
        if place >= 0:
            return self.tokens[:place], place
        return self.tokens[: alias_length(self.tokens)], -1

    def verb_group(self, tokens: list[Token]) -> tuple[str, list[Token]]:
        """Takes auxiliaries off: the main verb, and what follows it."""
        self.past = "p" in tokens[0].forms and "b" not in tokens[0].forms
        place = 0
        while place < len(tokens):
            token = tokens[place]
            following = skip_adverbs(tokens, place + 1)
            after = tokens[following] if following < len(tokens) else _NOTHING
            mood, taken = mood_of(token, after, tokens[following + 1 :])
            if taken:
                self.mood = mood
                place = following + taken - 1
            elif is_auxiliary(token, after):
                place = following
            elif is_adverb(token) and place + 1 < len(tokens):
                place += 1
            else:
                break
        if place >= len(tokens):
            return "be", []
        verb, rest = predicate(tokens[place].base), tokens[place + 1 :]
        if verb == "go" and rest and "g" in rest[0].forms:  # "goes hiking"
            verb, rest = predicate(rest[0].base), rest[1:]
        if rest and rest[0].text in kind("particle") and verb != "be":
            verb, rest = f"{verb} {rest[0].text}", rest[1:]
        return verb, rest

    def subject(self, tokens: list[Token]) -> tuple[Owner, tuple[str, ...]]:
        """Whom the fact is about: the owner, and the way from there ("brother", "dog")."""
        first, others = conjuncts(tokens)
        if any(token.text in kind("self") for token in others):  # "my wife and I"
            first, others = others, first
        self.extra += [content_word(token) for token in others if is_content(token)]
        segments, asides = possession(first)
        self.extra += [content_word(token) for token in asides if is_content(token)]
        owner, segments = owner_of(segments)
        chain = []
        for segment in segments:
            named = [content_word(token) for token in segment if is_content(token)]
            if named:
                head = head_of(named)
                chain.append(head)
                self.extra += [word for word in named if word != head]
        return owner, tuple(chain)

    def said(self, owner: Owner, chain: tuple[str, ...], verb: str, rest: list[Token]) -> Fact:
        chunks = chunked(rest)
        whom = "/".join(chain) if chain or owner.kind != "it" else "it"
        does, things, named = anchors_of(verb, chunks, attribute=bool(chain))
        anchors = [f"{whom}|{does}|{thing}" for thing in things]
        anchors += [f"{thing}|name|{name}" for thing, name in named if not chain and does == "have"]
        in_order = [*self.extra, *(word for chunk in chunks for word in chunk.content())]
        words = frozenset(in_order)
        return Fact(
            form=self.form,
            english=True,
            owner=owner,
            chain=chain,
            predicate=does,
            anchors=frozenset(anchors[:MAX_ANCHORS]),
            words=words,
            parts=parts_of(chunks),
            numbers=self.numbers,
            dates=words & kind("date"),
            negations=self.negations,
            mood=self.mood,
            former=self.past and does in kind("state") and not self.mood and "born" not in words,
            squash="".join(in_order),
        )


_NOTHING = Token("", "", "")
_HEDGES = frozenset(("maybe", "perhaps", "possibly", "probably", "allegedly", "supposedly"))


# Words to tokens


def make_token(word: str) -> Token:
    verb = as_verb(word)
    return Token(word, base_form(word), verb.forms if verb else "")


def take_numbers(words: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Numbers out of the words; where one stood is marked, an age by a mark of its own."""
    rest: list[str] = []
    numbers: list[str] = []
    place = 0
    while place < len(words):
        value, taken = number_at(words, place)
        if not taken:
            rest.append(words[place])
            place += 1
            continue
        place += taken
        if value:
            numbers.append(value)
        mark = NUMBER if value else "one"
        if place + 1 < len(words) and words[place] in ("year", "years", "yr", "yrs") and words[place + 1] in ("old", "of"):
            if words[place + 1] == "of" and words[place + 2 : place + 3] != ["age"]:
                rest.append(mark)
                continue
            place += 2 + (words[place + 1] == "of")
            mark = AGE
        rest.append(mark)
    return rest, tuple(sorted(numbers))


def number_at(words: Sequence[str], place: int) -> tuple[str, int]:
    """The number that begins at a place and how many words it takes; an empty number is one that says "a"."""
    word = words[place]
    if any(char.isdigit() for char in word):
        following = words[place + 1] if place + 1 < len(words) else "."
        if word == "1" and following.isalpha() and following not in kind("weak") | lexicon().prepositions.keys():
            return "", 1
        return (str(int(word)) if word.isdecimal() and len(word) < 20 else word), 1
    table = lexicon().numbers
    total, taken = 0, 0
    for following in words[place:]:
        value = "1" if following == "one" and (not taken or total % 100 >= 20) else table.get(following, "")
        if not value.isdecimal():
            if value and not taken:
                return value, 1
            break
        number = int(value)
        if taken and not (number >= 100 or (number < 10 and total % 10 == 0 and total % 100 >= 20)):
            break
        total = max(total, 1) * number if number >= 100 else total + number
        taken += 1
    return ("", 0) if not taken or (taken == 1 and word == "one") else (str(total), taken)


def rewrite(phrases: Phrases, tokens: list[Token]) -> list[Token]:
    """Phrases in their one-word form: "is a big fan of" -> like. The form of the first word stays."""
    found: list[Token] = []
    place = 0
    while place < len(tokens):
        token = tokens[place]
        match = None
        for key in {token.base: 0, token.text: 0}:
            for phrase, replacement in phrases.get(key, ()):
                match = match or match_tokens(phrase, replacement, tokens, place)
        if match:
            found += match[0]
            place = match[1]
        else:
            found.append(token)
            place += 1
    return found


def match_tokens(
    phrase: Sequence[str], replacement: Sequence[str], tokens: Sequence[Token], place: int
) -> tuple[list[Token], int] | None:
    """What stands for a phrase found at a place, and where it ends. Articles, adverbs and "not" may stand between."""
    skipped: list[Token] = []
    first = tokens[place]
    for expected in phrase[1:]:
        place += 1
        while place < len(tokens) and expected not in (tokens[place].text, tokens[place].base):
            if not is_filler(tokens[place]):
                return None
            if tokens[place].text in kind("negation"):
                skipped.append(tokens[place])
            place += 1
        if place >= len(tokens):
            return None
    tokens_instead = [make_token(word) for word in replacement]
    if first.forms:
        tokens_instead[0] = Token(first.text, replacement[0], first.forms)
    return [*tokens_instead, *skipped], place + 1


def is_filler(token: Token) -> bool:
    return token.text in kind("article") or token.text in kind("negation") or token.text in kind("weak") or token.text.endswith("ly")


def unfronted(tokens: list[Token]) -> list[Token]:
    """ "On weekends, she paints" as "she paints, on weekends"."""
    while tokens and tokens[0].text in BREAKS:
        tokens = tokens[1:]
    if not tokens or tokens[0].text not in lexicon().prepositions.keys() | kind("conjunction"):
        return tokens
    commas = [place for place, token in enumerate(tokens) if token.text == ","]
    if not commas or commas[0] > 8:
        return tokens
    fronted, rest = tokens[: commas[0]], tokens[commas[0] + 1 :]
    end = next((place for place, token in enumerate(rest) if token.text == "."), len(rest))
    return [*rest[:end], *fronted, *rest[end:]]


# The verb


def find_verb(tokens: list[Token]) -> int:
    """Where the finite verb of the sentence is; -1 when there is none."""
    start = skip_adverbs(tokens, 0)
    length = alias_length(tokens[start:]) + start
    if start < length < len(tokens) and tokens[length].text not in _ON_WITH_SUBJECT:
        place = skip_adverbs(tokens, length)
        if place < len(tokens) and (tokens[place].forms or tokens[place].text.endswith(("s", "ed")) or is_modal(tokens[place])):
            return place
    if start < len(tokens) and starts_with_verb(tokens, start):
        return -1 if tokens[start].forms == "q" else start
    opened, plural = True, False
    for place, token in enumerate(tokens[start:], start):
        if token.text == "." and place > start:
            break
        if token.text in kind("article") | kind("determiner") | kind("possessive") | {"'s"} | lexicon().prepositions.keys():
            opened = True
        elif not opened and is_finite(token, plural):
            return place
        elif token.text not in BREAKS:
            plural = plural or token.text == "and" or (token.text != token.base and token.text.endswith("s"))
            opened = token.text in kind("conjunction")
    return unknown_verb(tokens)


_ON_WITH_SUBJECT = frozenset(("'s", "and", "or", "of", ",", "."))


def alias_length(tokens: Sequence[Token]) -> int:
    """How many words name the user at the beginning: "the user", "I", "this trainee"; 0 for none."""
    place = 0
    while place < len(tokens) and tokens[place].text in ("the", "this"):
        place += 1
    if place < len(tokens) and tokens[place].text in _PRONOUNS() and not place:
        return 1
    if place < len(tokens) and tokens[place].base in kind("user") | kind("role"):
        return place + 1
    return 0


def _PRONOUNS() -> frozenset[str]:
    return kind("self") | {"he", "she", "they"}


def is_modal(token: Token) -> bool:
    return token.text in _MOODS or token.base in _MOODS


_MOODS = {
    "can": "can", "could": "can", "may": "maybe", "might": "maybe", "must": "must", "should": "must", "ought": "must",
    "will": "will", "shall": "will", "would": "would",
}  # fmt: skip


def is_finite(token: Token, plural: bool) -> bool:
    if token.base in ("be", "have", "do") and token.forms not in ("q", "g"):
        return True
    if is_modal(token):
        return True
    return "s" in token.forms or "p" in token.forms or (plural and "b" in token.forms)


def starts_with_verb(tokens: list[Token], start: int) -> bool:
    """Whether the subject is left out: "Likes tennis", "Born in Quito". Not so when another verb follows at once."""
    if not tokens[start].forms or tokens[start].text in kind("relation"):
        return False
    following = tokens[start + 1] if start + 1 < len(tokens) else _NOTHING
    return not (is_finite(following, plural=True) and following.text != "like") or tokens[start].base == "have"


def unknown_verb(tokens: list[Token]) -> int:
    """A verb of no table, right after a bare name: "Nate moonlights as a barber"."""
    if len(tokens) > 1 and tokens[1].text.endswith(("s", "ed")) and tokens[0].base not in lexicon().known:
        if tokens[0].text.isalpha() and tokens[1].text.isalpha() and tokens[1].base not in lexicon().known:
            return 1
    return -1


def skip_adverbs(tokens: Sequence[Token], place: int) -> int:
    """The next place that holds no adverb."""
    while place < len(tokens) and is_adverb(tokens[place]):
        place += 1
    return place


def is_adverb(token: Token) -> bool:
    return token.text in kind("adverb") or (token.text.endswith("ly") and not token.forms)


def mood_of(token: Token, after: Token, more: Sequence[Token]) -> tuple[str, int]:
    """The mood that a modal gives and how many words it takes from here; 0 words when it is none."""
    if is_modal(token):
        return _MOODS.get(token.text) or _MOODS[token.base], 1 + (after.text == "to")
    infinitive = after.text == "to" and bool(more) and "b" in more[0].forms
    if token.text == "used" and infinitive:
        return "former", 2
    if token.base == "have" and infinitive:
        return "must", 2
    if token.base == "be" and after.text in ("going", "about", "supposed") and len(more) > 1 and more[0].text == "to":
        if "b" in more[1].forms:
            return ("must" if after.text == "supposed" else "will"), 3
    return "", 0


def is_auxiliary(token: Token, after: Token) -> bool:
    if token.base == "be":
        return "g" in after.forms and after.base not in ("be",) and token.text != "being"
    if token.base == "have":
        return "q" in after.forms
    return token.base == "do" and "b" in after.forms


# Whom it is about


def conjuncts(tokens: list[Token]) -> tuple[list[Token], list[Token]]:
    """ "James and his family" -> James; his family."""
    for place, token in enumerate(tokens):
        if token.text in ("and", "or", "&"):
            return tokens[:place], tokens[place + 1 :]
    return tokens, []


def possession(tokens: list[Token]) -> tuple[list[list[Token]], list[Token]]:
    """The steps of "the user's brother's dog", owner first; then what a preposition adds ("a man in a hat")."""
    segments: list[list[Token]] = [[]]
    of: list[list[Token]] = []
    target = segments
    for place, token in enumerate(tokens):
        if token.text == "'s":
            target.append([])
        elif token.text == "of":
            of.append([])
            target = of[-1:]
            of = target
        elif token.text in lexicon().prepositions or token.text in kind("conjunction") - kind("it"):
            return of + segments, tokens[place + 1 :]
        elif token.text in kind("possessive") and target is not segments[:0]:
            target[-1].append(token)
            target.append([])
        elif token.text not in BREAKS:
            target[-1].append(token)
    return of + segments, []


def owner_of(segments: list[list[Token]]) -> tuple[Owner, list[list[Token]]]:
    """The person at the beginning of the way, and the rest of the way."""
    segments = [[token for token in segment if not is_adverb(token)] for segment in segments]
    segments = [segment for segment in segments if segment]
    if not segments:
        return Owner("user"), []
    first = [token for token in segments[0] if token.text not in kind("title")]
    if not first:
        return Owner("thing"), segments[1:]
    last = first[-1]
    if last.text in kind("self") or last.text in kind("possessive") - {"his", "her", "hers", "its"} or last.text in kind("they"):
        return Owner("user"), segments[1:]
    for which, texts in (("he", kind("he") | {"his"}), ("she", kind("she") | {"her", "hers"}), ("it", kind("it") | {"its"})):
        if len(first) == 1 and last.text in texts:
            return Owner(which), segments[1:]
    indefinite = first[0].text in ("a", "an", "one", "another", "some")
    if last.base in kind("user") and not indefinite:
        return Owner("user"), segments[1:]
    if last.base in kind("role") and not indefinite and len(first) <= 2:
        return Owner("role", frozenset((last.base,))), segments[1:]
    if first[0].base in kind("user") | kind("role") | {"the"} and is_name(first[-1:]) and alias_length(first):
        return Owner("name", frozenset((last.text,))), segments[1:]
    if is_name(first):
        return Owner("name", frozenset(token.text for token in first)), segments[1:]
    return Owner("thing"), segments


def is_name(tokens: Sequence[Token]) -> bool:
    """A name has no article, is in no table and is no plural."""
    if len(tokens) > 4:
        return False
    for token in tokens:
        if token.text in kind("grammar") or token.base in lexicon().known or not token.text.isalpha():
            return False
        if token.base != token.text and not token.forms:
            return False
        if "g" in token.forms:
            return False
    return True


def head_of(words: Sequence[str]) -> str:
    """The noun that the others describe: the relation in "my friend Tariq", else the last word."""
    relations = kind("relation")
    if words[-1] not in relations:
        for word in words:
            if word in relations:
                return word
    return words[-1]


def turned_round(subject: Sequence[Token], rest: Sequence[Token]) -> bool:
    """ "Teal is my favorite color" says what "my favorite color is teal" says."""
    if not subject or len(subject) > 4 or subject[0].text in kind("self") | kind("he") | kind("she") | kind("it"):
        return False
    if any(token.text == "'s" or token.text in kind("possessive") for token in subject) or alias_length(subject):
        return False
    if not rest:
        return False
    if rest[0].text in kind("possessive"):
        return True
    length = alias_length(rest) or 1
    return length < len(rest) and rest[length].text == "'s"


def attribute(verb: str, chain: tuple[str, ...], rest: list[Token]) -> tuple[str, tuple[str, ...], list[Token]]:
    """Attributes that have a verb of their own: name, age, job."""
    first = rest[skip_adverbs(rest, 0)] if skip_adverbs(rest, 0) < len(rest) else _NOTHING
    if verb != "be":
        return verb, chain, rest
    if chain and chain[-1] in ("name", "age"):
        return chain[-1], chain[:-1], rest
    if first.text == AGE or (first.text == NUMBER and not any(is_content(token) for token in rest)):
        return "age", chain, rest
    if chain and chain[-1] == "job":
        return verb, chain[:-1], rest
    return verb, chain, rest


# What is said


def is_content(token: Token) -> bool:
    text = token.text
    if text in BREAKS or text in (NUMBER, AGE, "'s") or text in kind("weak"):
        return False
    return not any(text in kind(name) for name in _EMPTY_CLASSES) and text not in lexicon().prepositions


_EMPTY_CLASSES = ("article", "determiner", "possessive", "he", "she", "they", "it", "conjunction", "be", "do", "have")


def chunked(tokens: list[Token]) -> list[Chunk]:
    """What follows the verb, cut at prepositions, conjunctions, commas and determiners."""
    chunks = [Chunk("")]
    clause = False
    for place, token in enumerate(tokens):
        text, current = token.text, chunks[-1]
        if text in BREAKS or text in kind("conjunction"):
            following = tokens[place + 1] if place + 1 < len(tokens) else _NOTHING
            clause = clause or begins_clause(token, following)
            chunks.append(Chunk("" if not current.preposition or clause else current.preposition, clause=clause))
        elif token.base == "name" and "q" in token.forms and current.words:
            chunks.append(Chunk("name", clause=clause))
        elif text in lexicon().prepositions and (current.words or place == 0 or text != "like"):
            chunks.append(Chunk(text, clause=clause))
        elif text in kind("article") or text in kind("determiner") or text in kind("possessive"):
            if current.words:
                current = Chunk(current.preposition, clause=clause)
                chunks.append(current)
            current.determined = True
        elif text in kind("self") | kind("user"):
            current.words.append(Token("user", "user", ""))
        elif is_content(token):
            current.words.append(token)
    return [chunk for chunk in chunks if chunk.words]


def begins_clause(token: Token, following: Token) -> bool:
    if token.text == "." or token.text in kind("conjunction") - {"and", "or", "plus", "nor"}:
        return True
    if following.text in _PRONOUNS() or following.text in kind("it"):
        return True
    return "s" in following.forms or "p" in following.forms or "g" in following.forms


def is_time(chunk: Chunk) -> bool:
    return chunk.words[-1].base in kind("time")


def anchors_of(
    verb: str, chunks: list[Chunk], *, attribute: bool
) -> tuple[str, list[str], list[tuple[str, str]]]:
    """The predicate, the things it is about, and names given to such things ("a dog named Luna")."""
    said = [chunk for chunk in chunks if not chunk.clause]
    direct = [chunk for chunk in said if not chunk.preposition and not is_time(chunk)]
    oblique = [chunk for chunk in said if chunk.preposition not in ("", "name", "with", "without") and not is_time(chunk)]
    if direct and len(direct[0].words) > 1:
        for being, ending, doing in _COMPOUNDS:
            if verb == being and direct[0].words[-1].base in kind(ending):
                direct[0].words.pop()
                return doing, [direct[0].content()[-1]], []
    if verb == "name" or (verb == "be" and attribute):
        things = [word for chunk in direct or oblique[:1] for word in chunk.content()]
        return verb, list(dict.fromkeys(things)) or [""], []
    if verb in kind("catenative") or verb == "like":
        things = activities(verb, direct, oblique)
        if things:
            return verb, things, []
    if verb == "be" and direct and oblique and not direct[0].determined and oblique[0].preposition in _OF_ADJECTIVES:
        return verb, [f"{direct[0].content()[-1]} {oblique[0].content()[-1]}"], []
    heads = [chunk.content()[-1] for chunk in direct]
    names = [chunk.content() for chunk in said if chunk.preposition == "name"]
    named = [(head, name) for head in heads[:1] for words in names[:1] for name in words]
    return verb, heads or [chunk.content()[-1] for chunk in oblique[:3]] or [""], named


_COMPOUNDS = (("be", "lover", "like"), ("have", "allergy", "allergic"))
"""What is said by the last word of a compound: "is a cat lover", "has a peanut allergy"."""

_OF_ADJECTIVES = ("in", "to", "about", "of", "at")


def activities(verb: str, direct: list[Chunk], oblique: list[Chunk]) -> list[str]:
    """What somebody likes, wants, starts ... to do: the second verb, or its object when the verb is the usual one."""
    first = next(iter([*direct[:1], *oblique[:1]]), None)
    if first is None:
        return []
    doing = first.words[0]
    if not ("g" in doing.forms or (first.preposition == "to" and "b" in doing.forms)):
        return []
    done = predicate(doing.base)
    objects = [chunk.content()[-1] for chunk in [*direct, *oblique] if chunk is not first or len(chunk.words) > 1]
    if doing.base in kind("usual") and objects:
        return objects[:3]
    if verb == "like" or not objects:
        return [done]
    return [f"{done} {thing}" for thing in objects[:3]]


def parts_of(chunks: list[Chunk]) -> dict[str, str]:
    """For each word the part that its preposition gives it; "place" for plain ones."""
    table = lexicon().prepositions
    return {word: table.get(chunk.preposition, "place") for chunk in chunks for word in chunk.content()}


