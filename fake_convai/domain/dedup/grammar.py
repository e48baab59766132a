"""Finds the verb of an English fact and whom the fact is about. Rules of thumb over closed word classes, no grammar:
they need to read two wordings of one fact alike, not to be right about every sentence."""

from collections.abc import Sequence
from typing import NamedTuple

from fake_convai.domain.english import kind
from fake_convai.domain.english.tables import lexicon
from fake_convai.domain.english.tokens import AGE, NOTHING, NUMERIC, Token

LONGEST_NAME = 4
"""Words; and how far a turned-round subject may reach ("teal is my favorite color")."""


class Owner(NamedTuple):
    """Whom a fact is about, or whose thing: kind is user, role, name, he, she, it or thing."""

    kind: str
    names: frozenset[str] = frozenset()


USERS, THING = Owner("user"), Owner("thing")


class Clause(NamedTuple):
    """A sentence in the usual order, active: who, does, and the rest."""

    subject: Sequence[Token]
    verb: str
    rest: list[Token]
    mood: str = ""
    past: bool = False


def main_clause(tokens: list[Token], *, negated: bool) -> Clause:
    """The parts of a sentence."""
    place = _find_verb(tokens)
    if place < 0:
        length = user_length(tokens, 0)
        clause = Clause(tokens[:length], "be", tokens[length:])
    else:
        clause = Clause(tokens[:place], *_verb_group(tokens[place:], negated=negated))
    if clause.verb != "be":
        return clause
    if _turned_round(clause.subject, clause.rest):
        end = next((at for at, token in enumerate(clause.rest) if token.kinds & kind.BREAK), len(clause.rest))
        clause = clause._replace(subject=clause.rest[:end], rest=[*clause.subject, *clause.rest[end:]])
    return _active(clause)


def _turned_round(subject: Sequence[Token], rest: Sequence[Token]) -> bool:
    """ "Teal is my favorite color" says what "my favorite color is teal" says."""
    if not 0 < len(subject) <= LONGEST_NAME or not rest or user_length(subject, 0):
        return False
    if any(token.kinds & (kind.OWNERS | kind.POSSESSIVE | kind.PRONOUN) for token in subject):
        return False
    owner = user_length(rest, 0) or 1
    return bool(rest[0].kinds & kind.POSSESSIVE) or (owner < len(rest) and bool(rest[owner].kinds & kind.OWNERS))


def _active(clause: Clause) -> Clause:
    """ "The goal was scored by Ana" as "Ana scored the goal"."""
    rest = clause.rest
    if not rest or "q" not in rest[0].forms:
        return clause
    by = next((place for place, token in enumerate(rest) if token.text == "by"), len(rest))
    end = by + 1
    while end < len(rest) and not rest[end].kinds & (kind.PREPOSITION | kind.CONJUNCTION | kind.BREAK):
        end += 1
    agent = rest[by + 1 : end]
    if (
        not agent
        or "g" in agent[0].forms
        or all(token.kinds & (kind.CONTENT | kind.TIME) != kind.CONTENT for token in agent)
    ):
        return clause
    return clause._replace(subject=agent, verb=rest[0].verb, rest=[*clause.subject, *rest[1:by], *rest[end:]])


# Where the verb is


def _find_verb(tokens: Sequence[Token]) -> int:
    """Where the finite verb of the sentence is; -1 when there is none."""
    start = _skip(tokens, 0, kind.ADVERB | kind.BREAK)
    if start >= len(tokens):
        return -1
    length = user_length(tokens, start)
    if (
        length
        and start + length < len(tokens)
        and not tokens[start + length].kinds & (kind.OWNERS | kind.BREAK | kind.CONJUNCTION)
    ):
        place = _skip(tokens, start + length, kind.ADVERB)
        if place < len(tokens) and tokens[place].kinds & kind.VERBAL:  # even of no table: "the user moonlights"
            return place
    if _starts_with_verb(tokens, start):
        return -1 if tokens[start].forms == "q" else start
    return _first_finite(tokens, start)


def _skip(tokens: Sequence[Token], place: int, kinds: int) -> int:
    while place < len(tokens) and tokens[place].kinds & kinds:
        place += 1
    return place


def user_length(tokens: Sequence[Token], start: int) -> int:
    """How many words from here name the user: "the user", "I", "this trainee"; 0 for none."""
    place = start
    while place < len(tokens) and tokens[place].text in ("the", "this"):
        place += 1
    if place >= len(tokens):
        return 0
    return place + 1 - start if tokens[place].kinds & (kind.USER | kind.ROLE if place > start else _PERSON) else 0


_PERSON = kind.USER | kind.ROLE | kind.SELF | kind.HE | kind.SHE | kind.THEY


def _starts_with_verb(tokens: Sequence[Token], start: int) -> bool:
    """Whether the subject is left out: "Likes tennis", "Born in Quito". Not so when another verb follows at once."""
    first = tokens[start]
    if not first.forms or first.kinds & kind.RELATION:
        return False
    following = tokens[start + 1] if start + 1 < len(tokens) else NOTHING
    # "likes squash": no plural, so that "squash" is no verb
    finite = following.kinds & kind.FINITE or ("b" in following.forms and "s" not in first.forms)
    return not finite or following.text == "like" or first.base == "have"


def _first_finite(tokens: Sequence[Token], start: int) -> int:
    opened, plural = True, False
    for place in range(start, len(tokens)):
        token = tokens[place]
        kinds = token.kinds
        if kinds & kind.OPENER:
            opened = True
        elif not opened and (kinds & kind.FINITE or (plural and "b" in token.forms)):
            return place
        elif kinds & kind.STOP and place > start:
            break
        elif not kinds & kind.BREAK:
            plural = plural or token.text == "and" or bool(kinds & kind.PLURAL)
            opened = bool(kinds & kind.CONJUNCTION)
    return -1


# What the verb is


def _verb_group(tokens: Sequence[Token], *, negated: bool) -> tuple[str, list[Token], str, bool]:
    """The verb of tokens that begin with a finite one, what follows it, its mood, and whether it is in the past."""
    past = "p" in tokens[0].forms and "b" not in tokens[0].forms
    place, mood = _skip_helpers(tokens) if tokens[0].kinds & kind.HELPER else (0, "")
    if place >= len(tokens):
        return "be", [], mood, past
    main, rest = tokens[place], list(tokens[place + 1 :])
    verb = main.verb
    if main.text in ("get", "gets", "got", "gotten"):  # "got promoted", "got a dog": how it is from then on
        past = False
        if rest and _is_participle(rest[0]):
            return "be", rest, mood, past
    if mood == "can" and not negated and lexicon().kinds.get(verb, 0) & kind.SKILL:
        mood = ""
    if verb == "go" and rest and "g" in rest[0].forms:  # "goes hiking"
        verb, rest = rest[0].verb, rest[1:]
    return verb, rest, mood, past


def _skip_helpers(tokens: Sequence[Token]) -> tuple[int, str]:
    """Where the verb is that helpers help, and the mood that they give it."""
    place, mood = 0, ""
    while place < len(tokens) and tokens[place].kinds & (kind.HELPER | kind.ADVERB):
        token = tokens[place]
        following = _skip(tokens, place + 1, kind.ADVERB)
        after = tokens[following] if following < len(tokens) else NOTHING
        found, taken = _mood_of(token, after, tokens[following + 1 : following + 3])
        if taken:
            mood, place = found, following + taken - 1
        elif token.kinds & kind.HELPER and not _is_auxiliary(token, after):
            break
        else:
            place = following
    return place, mood


_MODALS = (("maybe", kind.MAYBE), ("can", kind.CAN), ("must", kind.MUST), ("will", kind.WILL), ("would", kind.WOULD))
_MOODS = {"used": "former", "have": "must", "need": "must", "going": "will", "about": "will", "supposed": "must"}


def _mood_of(token: Token, after: Token, more: Sequence[Token]) -> tuple[str, int]:
    """The mood that a helper gives and how many words it takes from here; 0 words when it gives none."""
    if token.kinds & kind.MODAL:
        return next(mood for mood, bit in _MODALS if token.kinds & bit), 2 if after.text == "to" else 1
    word = token.text if token.text == "used" else token.base
    taken = 2
    if word == "be":  # "is going to"
        word, after, more, taken = after.text, more[0] if more else NOTHING, more[1:], 3
    is_infinitive = after.text == "to" and bool(more) and "b" in more[0].forms
    return (_MOODS[word], taken) if word in _MOODS and is_infinitive else ("", 0)


def _is_auxiliary(token: Token, after: Token) -> bool:
    if token.base == "be":
        return "g" in after.forms and after.base != "be" and token.text != "being"
    if token.base == "have":
        return _is_participle(after)
    return token.base == "do" and ("b" in after.forms or bool(after.kinds & kind.MODAL))


def _is_participle(token: Token) -> bool:
    return "q" in token.forms or (token.forms == "p" and token.text.endswith("ed"))


def attribute(verb: str, chain: tuple[str, ...], rest: Sequence[Token]) -> tuple[str, tuple[str, ...]]:
    """Attributes that have a verb of their own: "the user's job is nurse" -> the user is a nurse."""
    if verb != "be" or not rest:
        return verb, chain
    if chain:
        return (lexicon().attributes[chain[-1]], chain[:-1]) if chain[-1] in lexicon().attributes else (verb, chain)
    number = rest[_skip(rest, 0, kind.ADVERB) % len(rest)]
    is_age = number.text == AGE or (number.text == NUMERIC and not any(token.kinds & kind.CONTENT for token in rest))
    return "age" if is_age else verb, chain


# Whom the fact is about


def whom(tokens: Sequence[Token]) -> tuple[Owner, tuple[str, ...], list[Token]]:
    """The owner, the way from there ("brother", "dog"), and what else the subject says ("old", "and her cat")."""
    if tokens and tokens[-1].kinds & (kind.USER | kind.SELF) and user_length(tokens, 0) == len(tokens):
        return USERS, (), []
    steps, aside = _steps(tokens)
    if any(token.kinds & kind.SELF for token in aside):  # "my wife and I"
        return USERS, (), [token for step in steps for token in step if token.kinds & kind.CONTENT]
    owner, steps = _owner_of(steps)
    chain, extra = [], [token for token in aside if token.kinds & kind.CONTENT]
    for step in steps:
        named = [token for token in step if token.kinds & kind.CONTENT]
        if named:
            head = next((token for token in reversed(named) if token.kinds & kind.RELATION), named[-1])
            chain.append(head.word)
            extra += [token for token in named if token is not head]
    return owner, tuple(chain), extra


def _steps(tokens: Sequence[Token]) -> tuple[list[list[Token]], Sequence[Token]]:
    """The steps of "the user's brother's dog" or "the dog of the user's brother", owner first; then what another
    preposition or a conjunction adds ("a man in a hat").
    """
    owned: list[list[Token]] = []
    steps: list[list[Token]] = [[]]
    for place, token in enumerate(tokens):
        kinds = token.kinds
        if kinds & kind.OWNERS:
            steps.append([])
        elif token.text == "of":
            owned, steps = [*steps, *owned], [[]]
        elif kinds & (kind.PREPOSITION | kind.CONJUNCTION) and not kinds & kind.IT:
            return steps + owned, tokens[place + 1 :]
        elif kinds & kind.POSSESSIVE:
            steps[-1].append(token)
            steps.append([])
        elif not kinds & (kind.BREAK | kind.ADVERB | kind.TITLE):
            steps[-1].append(token)
    return steps + owned, ()


def _owner_of(steps: list[list[Token]]) -> tuple[Owner, list[list[Token]]]:
    """The person at the beginning of the way, and the rest of the way."""
    steps = [step for step in steps if step]
    if not steps:
        return USERS, []
    first, others = steps[0], steps[1:]
    last = first[-1]
    kinds = last.kinds
    if len(first) == 1 and last.text in _SOMEBODY:
        return _SOMEBODY[last.text], others
    if kinds & (kind.SELF | kind.POSSESSIVE | kind.THEY):
        return USERS, others
    if first[0].text not in ("a", "an", "one", "another", "some"):
        if kinds & kind.USER:
            return USERS, others
        if kinds & kind.ROLE and len(first) < 3:
            return Owner("role", frozenset((last.base,))), others
        if len(first) <= LONGEST_NAME and all(map(_may_be_name, first)):
            return Owner("name", frozenset([token.text for token in first])), others
    return THING, steps


_SOMEBODY = {
    **dict.fromkeys(("he", "him", "his"), Owner("he")),
    **dict.fromkeys(("she", "her", "hers"), Owner("she")),
    **dict.fromkeys(("it", "its", "itself", "this", "that", "there"), Owner("it")),
}


def _may_be_name(token: Token) -> bool:
    """A name has no article, is in no table, and has no ending."""
    return token.text.isalpha() and not token.kinds & kind.KNOWN and "g" not in token.forms and token.base == token.text
