"""Finds the verb of an English fact and whom the fact is about. Rules of thumb over closed word classes, no grammar:
they need to read two wordings of one fact alike, not to be right about every sentence."""

from collections.abc import Sequence
from typing import NamedTuple

from fake_convai.domain.dedup_tokens import AGE, NOTHING, NUMBER, Token, content, is_known, skip_adverbs
from fake_convai.domain.dedup_words import as_verb, base_form, kind, lexicon, predicate

LONGEST_NAME = 4
"""Words; and how far a turned-round subject may reach ("teal is my favorite color")."""


class Owner(NamedTuple):
    """Whom a fact is about, or whose thing: kind is user, role, name, he, she, it or thing."""

    kind: str
    names: frozenset[str] = frozenset()


USERS = Owner("user")
"""The user as the owner, also when nobody is named."""


class VerbGroup(NamedTuple):
    """The main verb with what its auxiliaries say, and the tokens that follow it."""

    verb: str
    rest: list[Token]
    mood: str = ""
    past: bool = False


# Where the verb is


def find_verb(tokens: list[Token]) -> int:
    """Where the finite verb of the sentence is; -1 when there is none."""
    start = skip_adverbs(tokens, 0)
    place = _verb_after_user(tokens, start)
    if place < 0 and _starts_with_verb(tokens, start):
        return -1 if tokens[start].forms == "q" else start
    return place if place >= 0 else _first_finite(tokens, start)


def user_length(tokens: Sequence[Token]) -> int:
    """How many words name the user at the beginning: "the user", "I", "this trainee"; 0 for none."""
    place = 0
    while place < len(tokens) and tokens[place].text in ("the", "this"):
        place += 1
    if place == 0 and tokens and ("self" in tokens[0].traits or tokens[0].text in ("he", "she", "they")):
        return 1
    return place + 1 if place < len(tokens) and tokens[place].isa("user", "role") else 0


def _verb_after_user(tokens: list[Token], start: int) -> int:
    """The verb right after the user's name, even one of no table: "the user moonlights as a barber"."""
    length = user_length(tokens[start:])
    place = skip_adverbs(tokens, start + length)
    if not length or place >= len(tokens):
        return -1
    token = tokens[place]
    if tokens[start + length].text in ("'s", "and", "or", "of", ",", ".") or not token.text.isalpha():
        return -1
    return place if token.forms or _is_modal(token) or token.text.endswith(("s", "ed")) else -1


def _starts_with_verb(tokens: Sequence[Token], start: int) -> bool:
    """Whether the subject is left out: "Likes tennis", "Born in Quito". Not so when another verb follows at once."""
    if start >= len(tokens) or not tokens[start].forms or "relation" in tokens[start].traits:
        return False
    following = tokens[start + 1] if start + 1 < len(tokens) else NOTHING
    plural = "s" not in tokens[start].forms  # "likes squash": no plural, so that "squash" is no verb
    return not _is_finite(following, plural=plural) or following.text == "like" or tokens[start].base == "have"


def _first_finite(tokens: Sequence[Token], start: int) -> int:
    opened, plural = True, False
    for place, token in enumerate(tokens[start:], start):
        if token.text == "." and place > start:
            break
        if "opener" in token.traits:
            opened = True
        elif not opened and _is_finite(token, plural):
            return place
        elif "break" not in token.traits:
            plural = plural or token.text == "and" or _is_plural(token)
            opened = "conjunction" in token.traits
    return _likely_verb(tokens)


def _is_plural(token: Token) -> bool:
    return token.text in lexicon().plurals or (token.text != token.base and token.text.endswith("s"))


def _likely_verb(tokens: Sequence[Token]) -> int:
    """What may be the verb where no form of a known one was found: a gerund after a noun ("a child swinging on a
    tire"), a word of no table after a bare name ("Nate moonlights as a barber")."""
    if tokens and "article" in tokens[0].traits:
        for place, token in enumerate(tokens[2:], 2):
            if token.isa("preposition", "break"):
                return -1
            if "g" in token.forms:
                return place
        return -1
    words = [token.text for token in tokens[:2] if token.text.isalpha() and not is_known(token.base)]
    return 1 if len(words) == 2 and words[1].endswith(("s", "ed")) else -1


def _is_finite(token: Token, plural: bool) -> bool:
    if token.base in ("be", "have", "do") and token.forms not in ("q", "g"):
        return True
    return _is_modal(token) or "s" in token.forms or "p" in token.forms or (plural and "b" in token.forms)


def _is_modal(token: Token) -> bool:
    return token.isa("can", "maybe", "must", "will", "would")


# What the verb is


def verb_group(tokens: Sequence[Token], *, negated: bool) -> VerbGroup:
    """Takes the auxiliaries off the tokens that begin with the finite verb."""
    past = "p" in tokens[0].forms and "b" not in tokens[0].forms
    place, mood = _skip_auxiliaries(tokens)
    if place >= len(tokens):
        return VerbGroup("be", [], mood, past)
    verb, rest = predicate(_verb_base(tokens[place])), list(tokens[place + 1 :])
    if tokens[place].base == "get":  # "got promoted", "got a dog": how it is from then on
        past = False
        if rest and _is_participle(rest[0]):
            return VerbGroup("be", rest, mood, past)
    if mood == "can" and not negated and verb in kind("skill"):
        mood = ""
    if verb == "go" and rest and "g" in rest[0].forms:  # "goes hiking"
        verb, rest = predicate(rest[0].base), rest[1:]
    if rest and "particle" in rest[0].traits and verb != "be":
        verb, rest = f"{verb} {rest[0].text}", rest[1:]
    return VerbGroup(verb, rest, mood, past)


def _verb_base(token: Token) -> str:
    """The base of a token as a verb: "leaves" is no leaf here."""
    verb = as_verb(token.text)
    return verb.base if verb and token.base == base_form(token.text) else token.base


def _skip_auxiliaries(tokens: Sequence[Token]) -> tuple[int, str]:
    place, mood = 0, ""
    while place < len(tokens):
        token = tokens[place]
        following = skip_adverbs(tokens, place + 1)
        after = tokens[following] if following < len(tokens) else NOTHING
        found, taken = _mood_of(token, after, tokens[following + 1 : following + 3])
        if taken:
            mood, place = found, following + taken - 1
        elif _is_auxiliary(token, after):
            place = following
        elif "adverb" in token.traits and place + 1 < len(tokens):
            place += 1
        else:
            break
    return place, mood


def _mood_of(token: Token, after: Token, more: Sequence[Token]) -> tuple[str, int]:
    """The mood that a modal gives and how many words it takes from here; 0 words when it is none."""
    if _is_modal(token):
        mood = next(mood for mood in ("maybe", "can", "must", "will", "would") if mood in token.traits)
        return mood, 2 if after.text == "to" else 1
    infinitive = after.text == "to" and bool(more) and "b" in more[0].forms
    if token.text == "used" and infinitive:
        return "former", 2
    if token.base in ("have", "need") and infinitive:
        return "must", 2
    ahead = {"going": "will", "about": "will", "supposed": "must"}.get(after.text, "")
    if token.base == "be" and ahead and len(more) > 1 and more[0].text == "to" and "b" in more[1].forms:
        return ahead, 3
    return "", 0


def _is_auxiliary(token: Token, after: Token) -> bool:
    if token.base == "be":
        return "g" in after.forms and after.base != "be" and token.text != "being"
    if token.base == "have":
        return _is_participle(after)
    return token.base == "do" and ("b" in after.forms or _is_modal(after))


def _is_participle(token: Token) -> bool:
    return "q" in token.forms or (token.forms == "p" and token.text.endswith("ed"))


# Whom the fact is about


def is_plural_form(token: Token) -> bool:
    """Whether a finite verb has a plural subject: "whales are", "dogs like"."""
    return token.text in ("are", "were", "have", "do") or token.forms == "b"


def whom(tokens: Sequence[Token], *, plural: bool) -> tuple[Owner, tuple[str, ...], list[str]]:
    """The owner, the way from there ("brother", "dog"), and what else the subject says ("old", "and her cat")."""
    first, others = _conjuncts(tokens)
    if any("self" in token.traits for token in others):  # "my wife and I"
        first, others = others, first
    steps, aside = _steps(first)
    owner, steps = _owner_of(steps, plural=plural)
    chain, extra = [], [*content(others), *content(aside)]
    for step in steps:
        named = content(step)
        if named:
            head = _head_of(named)
            chain.append(head)
            extra += [word for word in named if word != head]
    return owner, tuple(chain), extra


def turned_round(subject: Sequence[Token], rest: Sequence[Token]) -> bool:
    """ "Teal is my favorite color" says what "my favorite color is teal" says."""
    if not 0 < len(subject) <= LONGEST_NAME or not rest or user_length(subject):
        return False
    if any(token.isa("owner's", "possessive", "self", "it", "he", "she") for token in subject):
        return False
    owner = user_length(rest) or 1
    return "possessive" in rest[0].traits or (owner < len(rest) and "owner's" in rest[owner].traits)


def active(subject: list[Token], rest: list[Token]) -> tuple[list[Token], str, list[Token]] | None:
    """ "The goal was scored by Ana" as "Ana scored the goal": subject, verb and the rest; None if it is active."""
    by = next((place for place, token in enumerate(rest) if token.text == "by"), 0)
    if not by or "q" not in rest[0].forms:
        return None
    end = by + 1
    while end < len(rest) and not rest[end].isa("preposition", "conjunction", "break"):
        end += 1
    agent = rest[by + 1 : end]
    if not content(agent) or "g" in agent[0].forms or any("time" in token.traits for token in agent):
        return None
    return agent, predicate(rest[0].base), [*subject, *rest[1:by], *rest[end:]]


def attribute(verb: str, chain: tuple[str, ...], rest: list[Token]) -> tuple[str, tuple[str, ...], list[Token]]:
    """Attributes that have a verb of their own: "the user's job is nurse" -> the user is a nurse."""
    if verb != "be":
        return verb, chain, rest
    if chain and chain[-1] in lexicon().attributes:
        return lexicon().attributes[chain[-1]], chain[:-1], rest
    first = next((token for token in rest if "adverb" not in token.traits), NOTHING)
    if not chain and (first.text == AGE or (first.text == NUMBER and not content(rest))):
        return "age", chain, rest
    return verb, chain, rest


def _conjuncts(tokens: Sequence[Token]) -> tuple[Sequence[Token], Sequence[Token]]:
    """ "James and his family" -> James; his family."""
    for place, token in enumerate(tokens):
        if token.text in ("and", "or"):
            return tokens[:place], tokens[place + 1 :]
    return tokens, []


def _steps(tokens: Sequence[Token]) -> tuple[list[list[Token]], Sequence[Token]]:
    """The steps of "the user's brother's dog" or "the dog of the user's brother", owner first; then what another
    preposition adds ("a man in a hat").
    """
    owned: list[list[Token]] = []
    steps: list[list[Token]] = [[]]
    for place, token in enumerate(tokens):
        if "owner's" in token.traits:
            steps.append([])
        elif token.text == "of":
            owned, steps = [*steps, *owned], [[]]
        elif token.isa("preposition", "conjunction") and "it" not in token.traits:
            return steps + owned, tokens[place + 1 :]
        elif "possessive" in token.traits:
            steps[-1].append(token)
            steps.append([])
        elif not token.isa("break", "adverb"):
            steps[-1].append(token)
    return steps + owned, []


def _owner_of(steps: list[list[Token]], *, plural: bool) -> tuple[Owner, list[list[Token]]]:
    """The person at the beginning of the way, and the rest of the way."""
    steps = [[token for token in step if "title" not in token.traits] for step in steps if step]
    if not steps:
        return USERS, []
    first, others = steps[0], steps[1:]
    if not first:
        return Owner("thing"), others
    last = first[-1]
    if len(first) == 1 and last.isa("he", "she", "it", "possessive"):
        return Owner(_PRONOUNS.get(last.text, "user")), others
    if last.isa("self", "possessive", "they"):
        return USERS, others
    if first[0].text not in ("a", "an", "one", "another", "some"):
        if "user" in last.traits:
            return USERS, others
        if "role" in last.traits and len(first) < 3:
            return Owner("role", frozenset((last.base,))), others
        if user_length(first) and _is_name(first[-1:], plural=plural):  # "the user Jordan"
            return Owner("name", frozenset((last.text,))), others
        if _is_name(first, plural=plural and not others):
            return Owner("name", frozenset(token.text for token in first)), others
    return Owner("thing"), steps


_PRONOUNS = {"he": "he", "him": "he", "his": "he", "she": "she", "her": "she", "hers": "she"} | dict.fromkeys(
    ("it", "its", "itself", "this", "that", "there"), "it"
)


def _is_name(tokens: Sequence[Token], *, plural: bool) -> bool:
    """A name has no article and is in no table; what ends like a plural is one if the verb is not plural ("Lars")."""
    return len(tokens) <= LONGEST_NAME and all(_may_be_name(token, plural=plural) for token in tokens)


def _may_be_name(token: Token, *, plural: bool) -> bool:
    if not token.text.isalpha() or is_known(token.text) or is_known(token.base) or "g" in token.forms:
        return False
    if token.base == token.text:
        return True
    return "s" not in token.forms if token.forms else not plural


def _head_of(words: Sequence[str]) -> str:
    """The noun that the others describe: the relation in "my friend Tariq", else the last word."""
    relations = kind("relation")
    if words[-1] not in relations:
        for word in words:
            if word in relations:
                return word
    return words[-1]
