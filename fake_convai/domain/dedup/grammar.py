"""Finds the verb of an English fact and whom the fact is about. Rules of thumb over closed word classes, no grammar:
they need to read two wordings of one fact alike, not to be right about every sentence."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from fake_convai.domain.english import kind
from fake_convai.domain.english.tables import lexicon
from fake_convai.domain.english.tokens import NOTHING, Token, make_token


class Owner(NamedTuple):
    """Whom a fact is about, or whose thing: kind is user, role, name, he, she, it, someone or thing."""

    kind: str
    names: frozenset[str] = frozenset()


USERS, THING = Owner("user"), Owner("thing")
_MARKED = kind.OWNERS | kind.POSSESSIVE | kind.PRONOUN
_MINDED = ("like", "want", "plan", "fear", "hope")


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
        return _active(Clause((), "be", tokens))
    is_late = tokens[0].kinds & (kind.PREPOSITION | kind.PARTING | kind.TIME)
    if place > 2 and (is_late or tokens[place - 2].text == "and"):
        tokens, place = _user_first(tokens, place)
    clause = Clause(tokens[:place], *_verb_group(tokens[place:], negated=negated))
    if tokens[place].base == "be" and place and lexicon().implied.get(f"of {tokens[place - 1].word}") in _MINDED:
        clause = Clause(tokens[:place], "be", tokens[place + 1 :], past=clause.past)  # "my hobby is collecting coins"
    subject, verb, rest, *_ = clause
    for at, (to, aim) in enumerate(pairwise(rest)) if verb == "use" else ():
        if to.text == "to" and "b" in aim.forms:  # "uses a spear to hunt" as "hunts with a spear"
            return clause._replace(verb=aim.verb, rest=[*rest[at + 2 :], make_token("with"), *rest[:at]])
    if verb != "be":
        felt = lexicon().implied.get(f"by {verb}", "")
        length = felt and user_length(rest, 0)  # "spiders scare the user"
        return clause._replace(subject=rest[:length], verb=felt, rest=[*subject, *rest[length:]]) if length else clause
    if (
        not rest
        or not 0 < len(subject) < 5
        or user_length(subject, 0)
        or any(token.kinds & _MARKED for token in subject)
    ):
        is_owned = any(token.kinds & (kind.OWNERS | kind.POSSESSIVE) for token in subject)
        return _active(clause, is_event=is_owned and (clause.past or tokens[place].text not in ("is", "are")))
    if rest[0].kinds & kind.POSSESSIVE or any(one.kinds & kind.OWNERS for one in rest[1 : user_length(rest, 0) + 2]):
        end = _skip(rest, 0, kind.BREAK, until=True)  # "teal is my favorite color"
        clause = clause._replace(subject=rest[:end], rest=[*subject, *rest[end:]])
    return _active(clause)


def _user_first(tokens: list[Token], place: int) -> tuple[list[Token], int]:
    """ "In May the user moved" as "the user moved in May", "my wife and I moved" as "I moved with my wife"."""
    at = next((at for at in range(1, place) if user_length(tokens, at) and not tokens[at - 1].kinds & kind.OPENER), 0)
    front = [make_token("with"), *tokens[: at - 1]] if at and tokens[at - 1].text == "and" else tokens[:at]
    return [*tokens[at:], *front], place - at


def _active(clause: Clause, *, is_event: bool = False) -> Clause:
    """ "The goal was scored by Ana" as "Ana scored the goal"; "my bike was stolen" as "someone stole my bike"."""
    subject, rest = clause.subject, clause.rest[_skip(clause.rest, 0, kind.ADVERB) :]
    if not rest or "q" not in rest[0].forms:
        return clause
    by = [*[token.text for token in rest], "by"].index("by")
    end = _skip(rest, by + 1, kind.PREPOSITION | kind.CONJUNCTION | kind.BREAK, until=True)
    agent = rest[by + 1 : end]
    if not any(token.kinds & (kind.CONTENT | kind.TIME) == kind.CONTENT for token in agent) or "g" in agent[0].forms:
        if not is_event or subject[-1].kinds & (kind.RELATION | _PERSON):
            return clause
        agent, by, end = [make_token("someone")], len(rest), len(rest)
    patient = subject or [make_token("user")]
    return clause._replace(subject=agent, verb=rest[0].verb, rest=[*patient, *rest[1:by], *rest[end:]])


def _find_verb(tokens: Sequence[Token]) -> int:
    """Where the finite verb of the sentence is; -1 when there is none."""
    start = _skip(tokens, 0, kind.ADVERB | kind.BREAK)
    length = user_length(tokens, start)
    if length:
        place = _skip(tokens, start + length, kind.ADVERB)
        if place < len(tokens) and tokens[place].kinds & kind.VERBAL:  # even of no table: "the user moonlights"
            return place
    first, following = (*tokens[start : start + 2], NOTHING, NOTHING)[:2]
    # The subject may be left out: "Likes tennis", "Born in Quito". Not so when another verb follows at once; but "likes
    # squash": no plural, so that "squash" is no verb.
    is_finite = following.kinds & kind.FINITE or ("b" in following.forms and "s" not in first.forms)
    if first.kinds & kind.MODAL or (first.forms and (not is_finite or first.kinds & (kind.BE | kind.HAVE))):
        return -1 if first.forms == "q" else start
    opened, plural = True, False
    for place, token in enumerate(tokens[start:], start):
        kinds = token.kinds
        if kinds & kind.OPENER:
            opened = True
        elif not opened and (kinds & kind.FINITE or (plural and "b" in token.forms)):
            return place
        elif not kinds & kind.BREAK:
            plural = plural or token.text == "and" or bool(kinds & kind.PLURAL)
            opened = token.text == "and"
    return -1


def _skip(tokens: Sequence[Token], place: int, kinds: int, *, until: bool = False) -> int:
    while place < len(tokens) and (not tokens[place].kinds & kinds) == until:
        place += 1
    return place


def user_length(tokens: Sequence[Token], start: int) -> int:
    """How many words from here name the user: "the user", "I", "this trainee"; 0 for none."""
    place = start
    while place < len(tokens) and tokens[place].text in ("the", "this"):
        place += 1
    if place >= len(tokens) or tokens[place].kinds & kind.POSSESSIVE:
        return 0
    return place + 1 - start if tokens[place].kinds & (kind.USER | kind.ROLE if place > start else _PERSON) else 0


_PERSON = kind.USER | kind.ROLE | kind.SELF | kind.HE | kind.SHE | kind.THEY


def _verb_group(tokens: Sequence[Token], *, negated: bool) -> tuple[str, list[Token], str, bool]:
    """The verb of tokens that begin with a finite one, what follows it, its mood, and whether it is in the past."""
    past = "p" in tokens[0].forms and "b" not in tokens[0].forms
    place, mood = _skip_helpers(tokens) if tokens[0].kinds & kind.HELPER else (0, "")
    main, rest = tokens[place], list(tokens[place + 1 :])
    verb = main.verb
    if main.base in ("get", "become"):  # "got promoted", "got a dog": how it is from then on
        verb, past = "be" if rest and "q" in rest[0].forms else verb, False
    elif verb in ("go", "stop") and rest and "g" in rest[0].forms:  # "goes hiking", "stopped smoking"
        mood, past = ("a former time", False) if verb == "stop" else (mood, past)
        verb, rest = rest[0].verb, rest[1:]
    is_skill = mood == "ability" and not negated and lexicon().kinds.get(verb, 0) & kind.SKILL
    return verb, rest, "" if is_skill else mood, past


_MODALS = ("possibility", "ability", "duty", "future", "condition")
_AHEAD = {
    "used": "a former time", "have": "duty", "need": "duty", "going": "future", "about": "future", "supposed": "duty"
}  # fmt: skip
"""The moods of words that are followed by "to" and a verb; some have a form of "be" before them."""

_HELPED = {"be": "g", "have": "q", "do": "b"}
"""In which form a verb follows a helper."""


def _skip_helpers(tokens: Sequence[Token]) -> tuple[int, str]:
    """Where the verb is that helpers help, and the mood that they give it."""
    places = [place for place, token in enumerate(tokens) if not token.kinds & kind.ADVERB]
    words = [*[tokens[place] for place in places], NOTHING, NOTHING, NOTHING]
    at, mood = 0, ""
    while at + 1 < len(places) and words[at].kinds & kind.HELPER:
        helper, *after = words[at : at + 4]
        is_be = helper.base == "be"
        ahead = _AHEAD.get(after[0].text if is_be else "used" if helper.text == "used" else helper.base)
        to, verb = after[is_be], after[is_be + 1]
        if helper.kinds & kind.MODAL:
            mood = next(mood for mood in _MODALS if helper.kinds & kind.KINDS[mood])
            at += 2 if to.text == "to" else 1
        elif ahead and to.text == "to" and "b" in verb.forms:
            mood = ahead
            at += 2 + is_be
        elif _HELPED.get(helper.base, "-") in after[0].forms or (
            after[0].kinds & kind.MODAL and not after[1].kinds & kind.NUMBER
        ):
            at += 1
        else:
            break
    return places[min(at, len(places) - 1)], mood


def whom(tokens: Sequence[Token]) -> tuple[Owner, tuple[str, ...], list[Token]]:
    """The owner, the way from there ("brother", "dog"), and what else the subject says ("old", "and her cat")."""
    if tokens and user_length(tokens, 0) == len(tokens) and tokens[-1].kinds & (kind.USER | kind.SELF):
        return USERS, (), []
    steps: list[list[Token]] = [[]]  # of "the user's brother's dog"
    extra: list[Token] = []
    for place, token in enumerate(tokens):
        if token.kinds & (kind.PREPOSITION | kind.CONJUNCTION) and not token.kinds & kind.IT:
            if token.text == "of" and tokens[0].text == "the" and len(steps) == 1:  # "the name of my dog"
                return whom([*tokens[place + 1 :], make_token("'s"), *tokens[:place]])
            extra = [token for token in tokens[place:] if token.kinds & kind.CONTENT]
            break
        if not token.kinds & (kind.BREAK | kind.ADVERB | kind.OWNERS):
            steps[-1].append(token)
        if token.kinds & (kind.OWNERS | kind.POSSESSIVE):
            steps.append([])
    owner, steps = _owner_of([step for step in steps if step])
    chain = []
    for step in steps:
        named = [token for token in step if token.kinds & kind.CONTENT]
        if named:
            head = next((token for token in reversed(named) if token.kinds & kind.RELATION), named[-1])
            chain.append(head.word)
            extra += [token for token in named if token is not head]
    return owner, tuple(chain), extra


def _owner_of(steps: list[list[Token]]) -> tuple[Owner, list[list[Token]]]:
    """The person at the beginning of the way, and the rest of the way."""
    if not steps:
        return USERS, []
    first, others = steps[0], steps[1:]
    last = first[-1]
    for pronoun in ("he", "she", "it", "someone") if len(first) == 1 and last.kinds & kind.KNOWN else ():
        if last.kinds & kind.KINDS[pronoun]:
            return Owner(pronoun), others
    is_known = first[0].text not in ("a", "an", "one", "another", "some")
    if last.kinds & (kind.SELF | kind.POSSESSIVE | kind.USER * is_known):
        return USERS, others
    if is_known and last.kinds & kind.ROLE:
        return Owner("role", frozenset((last.base,))), others
    if is_known and all(map(_may_be_name, first)):
        return Owner("name", frozenset([token.text for token in first])), others
    if not (first[0].kinds & kind.MARKED or last.kinds & kind.PLURAL):  # "shift starts at 9": the user's
        return USERS, steps
    return THING, steps


def _may_be_name(token: Token) -> bool:
    """A name has no article, is in no table, and has no ending."""
    return token.text.isalpha() and not token.kinds & kind.KNOWN and "g" not in token.forms and token.base == token.text
