"""Finds the verb of an English fact and whom the fact is about. Rules of thumb over closed word classes, no grammar:
they need to read two wordings of one fact alike, not to be right about every sentence."""

from collections.abc import Sequence
from typing import NamedTuple

from fake_convai.domain.english.forms import as_verb, base_form
from fake_convai.domain.english.tables import kind, lexicon
from fake_convai.domain.english.tokens import AGE, NOTHING, NUMBER, Token

LONGEST_NAME = 4
"""Words; and how far a turned-round subject may reach ("teal is my favorite color")."""

LONGEST_OPENING = 8
"""Words of "On rainy days in spring, ..." that may stand before the sentence proper."""


class Owner(NamedTuple):
    """Whom a fact is about, or whose thing: kind is user, role, name, he, she, it or thing."""

    kind: str
    names: frozenset[str] = frozenset()


USERS = Owner("user")
"""The user as the owner, also when nobody is named."""


class Clause(NamedTuple):
    """A sentence in the usual order, active: who, does, and the rest."""

    subject: Sequence[Token]
    verb: str
    rest: list[Token]
    mood: str = ""
    past: bool = False
    plural: bool = False


def main_clause(tokens: list[Token], *, negated: bool) -> Clause:
    """The parts of a sentence."""
    tokens = _unfronted(tokens)
    place = _find_verb(tokens)
    if place < 0:
        length = user_length(tokens)
        clause = Clause(tokens[:length], "be", tokens[length:])
    else:
        finite = tokens[place]
        plural = finite.text in ("are", "were", "have", "do") or finite.forms == "b"
        clause = Clause(tokens[:place], *_verb_group(tokens[place:], negated=negated), plural)
    if clause.verb != "be":
        return clause
    if [token.text for token in clause.subject] == ["there"]:  # "there is a cat on the roof": a cat is on the roof
        end = next((at for at, token in enumerate(clause.rest) if token.isa("preposition", "break")), len(clause.rest))
        return clause._replace(subject=clause.rest[:end], rest=clause.rest[end:])
    if _turned_round(clause.subject, clause.rest):
        end = next((at for at, token in enumerate(clause.rest) if "break" in token.traits), len(clause.rest))
        clause = clause._replace(subject=clause.rest[:end], rest=[*clause.subject, *clause.rest[end:]])
    return _active(clause) or clause


def _unfronted(tokens: list[Token]) -> list[Token]:
    """ "On weekends, she paints" as "she paints, on weekends"."""
    while tokens and "break" in tokens[0].traits:
        tokens = tokens[1:]
    if not tokens or not tokens[0].isa("preposition", "conjunction", "time"):
        return tokens
    comma = next((place for place, token in enumerate(tokens[:LONGEST_OPENING]) if token.text == ","), 0)
    if not comma:
        return tokens
    opening, rest = tokens[:comma], tokens[comma + 1 :]
    end = next((place for place, token in enumerate(rest) if token.text == "."), len(rest))
    return [*rest[:end], *opening, *rest[end:]]


# Where the verb is


def _find_verb(tokens: list[Token]) -> int:
    """Where the finite verb of the sentence is; -1 when there is none."""
    start = _skip_adverbs(tokens, 0)
    place = _verb_after_user(tokens, start)
    if place < 0 and _starts_with_verb(tokens, start):
        return -1 if tokens[start].forms == "q" else start
    return place if place >= 0 else _first_finite(tokens, start)


def _skip_adverbs(tokens: Sequence[Token], place: int) -> int:
    while place < len(tokens) and "adverb" in tokens[place].traits:
        place += 1
    return place


def user_length(tokens: Sequence[Token]) -> int:
    """How many words name the user at the beginning: "the user", "I", "this trainee"; 0 for none."""
    place = 0
    while place < len(tokens) and tokens[place].text in ("the", "this"):
        place += 1
    if place == 0 and tokens and tokens[0].isa("self", "he", "she", "they"):
        return 1
    return place + 1 if place < len(tokens) and tokens[place].isa("user", "role") else 0


def _verb_after_user(tokens: list[Token], start: int) -> int:
    """The verb right after the user's name, even one of no table: "the user moonlights as a barber"."""
    length = user_length(tokens[start:])
    place = _skip_adverbs(tokens, start + length)
    if not length or place >= len(tokens):
        return -1
    token = tokens[place]
    if tokens[start + length].isa("owner's", "break") or tokens[start + length].text in ("and", "or", "of"):
        return -1
    is_verb = token.forms or "modal" in token.traits or token.text.endswith(("s", "ed"))
    return place if is_verb and token.text.isalpha() else -1


def _starts_with_verb(tokens: Sequence[Token], start: int) -> bool:
    """Whether the subject is left out: "Likes tennis", "Born in Quito". Not so when another verb follows at once."""
    if start >= len(tokens) or not tokens[start].forms or "relation" in tokens[start].traits:
        return False
    following = tokens[start + 1] if start + 1 < len(tokens) else NOTHING
    # "likes squash": no plural, so that "squash" is no verb
    finite = "finite" in following.traits or ("b" in following.forms and "s" not in tokens[start].forms)
    return not finite or following.text == "like" or tokens[start].base == "have"


def _first_finite(tokens: Sequence[Token], start: int) -> int:
    opened, plural = True, False
    for place in range(start, len(tokens)):
        token = tokens[place]
        traits = token.traits
        if "stop" in traits and place > start:
            break
        if "opener" in traits:
            opened = True
        elif not opened and ("finite" in traits or (plural and "b" in token.forms)):
            return place
        elif "break" not in traits:
            plural = plural or token.text == "and" or "plural" in traits
            opened = "conjunction" in traits
    return _likely_verb(tokens)


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
    words = [token.text for token in tokens[:2] if token.text.isalpha() and "known" not in token.traits]
    return 1 if len(words) == 2 and words[1].endswith(("s", "ed")) else -1


# What the verb is


def _verb_group(tokens: Sequence[Token], *, negated: bool) -> tuple[str, list[Token], str, bool]:
    """The verb of tokens that begin with a finite one, what follows it, its mood, and whether it is in the past."""
    past = "p" in tokens[0].forms and "b" not in tokens[0].forms
    place, mood = _skip_auxiliaries(tokens)
    if place >= len(tokens):
        return "be", [], mood, past
    main, rest = tokens[place], list(tokens[place + 1 :])
    if main.text in ("get", "gets", "got", "gotten"):  # "got promoted", "got a dog": how it is from then on
        past = False
        if rest and _is_participle(rest[0]):
            return "be", rest, mood, past
    as_a_verb = as_verb(main.text)  # "leaves" is no leaf here
    base = as_a_verb.base if as_a_verb and main.base == base_form(main.text) else main.base
    verb = lexicon().predicates.get(base, base)
    if mood == "can" and not negated and verb in kind("skill"):
        mood = ""
    if verb == "go" and rest and "g" in rest[0].forms:  # "goes hiking"
        verb, rest = lexicon().predicates.get(rest[0].base, rest[0].base), rest[1:]
    if rest and "particle" in rest[0].traits and verb != "be":
        verb, rest = f"{verb} {rest[0].text}", rest[1:]
    return verb, rest, mood, past


def _skip_auxiliaries(tokens: Sequence[Token]) -> tuple[int, str]:
    place, mood = 0, ""
    while place < len(tokens):
        token = tokens[place]
        traits = token.traits
        if "modal" not in traits and "adverb" not in traits and token.base not in _AUXILIARY:
            break
        following = _skip_adverbs(tokens, place + 1)
        after = tokens[following] if following < len(tokens) else NOTHING
        found, taken = _mood_of(token, after, tokens[following + 1 : following + 3])
        if taken:
            mood, place = found, following + taken - 1
        elif _is_auxiliary(token, after):
            place = following
        elif "adverb" in traits and place + 1 < len(tokens):
            place += 1
        else:
            break
    return place, mood


_AUXILIARY = frozenset(("be", "have", "do", "need", "use"))


def _mood_of(token: Token, after: Token, more: Sequence[Token]) -> tuple[str, int]:
    """The mood that a modal gives and how many words it takes from here; 0 words when it is none."""
    if "modal" in token.traits:
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
    return token.base == "do" and ("b" in after.forms or "modal" in after.traits)


def _is_participle(token: Token) -> bool:
    return "q" in token.forms or (token.forms == "p" and token.text.endswith("ed"))


# Whom the fact is about


def whom(tokens: Sequence[Token], *, plural: bool) -> tuple[Owner, tuple[str, ...], list[Token]]:
    """The owner, the way from there ("brother", "dog"), and what else the subject says ("old", "and her cat")."""
    if len(tokens) == 1 and "self" in tokens[0].traits:
        return USERS, (), []
    first, others = _conjuncts(tokens)
    if any("self" in token.traits for token in others):  # "my wife and I"
        first, others = others, first
    steps, aside = _steps(first)
    owner, steps = _owner_of(steps, plural=plural)
    chain, extra = [], [token for token in (*others, *aside) if "content" in token.traits]
    for step in steps:
        named = [token for token in step if "content" in token.traits]
        if named:
            head = next((token for token in reversed(named) if "relation" in token.traits), named[-1])
            chain.append(head.word)
            extra += [token for token in named if token is not head]
    return owner, tuple(chain), extra


def _turned_round(subject: Sequence[Token], rest: Sequence[Token]) -> bool:
    """ "Teal is my favorite color" says what "my favorite color is teal" says."""
    if not 0 < len(subject) <= LONGEST_NAME or not rest or user_length(subject):
        return False
    if any(token.isa("owner's", "possessive", "self", "it", "he", "she") for token in subject):
        return False
    owner = user_length(rest) or 1
    return "possessive" in rest[0].traits or (owner < len(rest) and "owner's" in rest[owner].traits)


def _active(clause: Clause) -> Clause | None:
    """ "The goal was scored by Ana" as "Ana scored the goal"; None if it is active."""
    rest = clause.rest
    by = next((place for place, token in enumerate(rest) if token.text == "by"), 0)
    if not by or "q" not in rest[0].forms:
        return None
    end = by + 1
    while end < len(rest) and not rest[end].isa("preposition", "conjunction", "break"):
        end += 1
    agent = rest[by + 1 : end]
    if not agent or "g" in agent[0].forms or not any("content" in token.traits for token in agent):
        return None
    if any("time" in token.traits for token in agent):
        return None
    verb = lexicon().predicates.get(rest[0].base, rest[0].base)
    return clause._replace(subject=agent, verb=verb, rest=[*clause.subject, *rest[1:by], *rest[end:]], plural=False)


def attribute(verb: str, chain: tuple[str, ...], rest: list[Token]) -> tuple[str, tuple[str, ...]]:
    """Attributes that have a verb of their own: "the user's job is nurse" -> the user is a nurse."""
    if verb != "be":
        return verb, chain
    if chain and chain[-1] in lexicon().attributes:
        return lexicon().attributes[chain[-1]], chain[:-1]
    first = next((token for token in rest if "adverb" not in token.traits), NOTHING)
    is_bare = first.text == NUMBER and not any("content" in token.traits for token in rest)
    return "age" if not chain and (first.text == AGE or is_bare) else verb, chain


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
        traits = token.traits
        if "owner's" in traits:
            steps.append([])
        elif token.text == "of":
            owned, steps = [*steps, *owned], [[]]
        elif ("preposition" in traits or "conjunction" in traits) and "it" not in traits:
            return steps + owned, tokens[place + 1 :]
        elif "possessive" in traits:
            steps[-1].append(token)
            steps.append([])
        elif "break" not in traits and "adverb" not in traits:
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
    if not token.text.isalpha() or "known" in token.traits or "g" in token.forms:
        return False
    if token.base == token.text:
        return True
    return "s" not in token.forms if token.forms else not plural
