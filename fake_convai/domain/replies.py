"""What a character says: scripted, remembered, or a fixed line.

The fake has no language model. A test that needs certain words scripts them with `PUT /_fake/replies`; a test of memory
asks "What is my name?". The rules are explained for users in `docs/extraction.md`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from fake_convai.domain.english.tables import as_verb, base_form
from fake_convai.domain.english.tokens import make_token
from fake_convai.domain.extraction.words import regex
from fake_convai.domain.script import MAX_SEARCHED, Answer, Script
from fake_convai.domain.templates import is_template, render

UNHEARD = "(sound: fake-convai does not recognise speech)"
"""What a person is taken to have said by a sound."""


def choose_reply(
    said: str,
    *,
    memories: Sequence[str],
    script: Script,
    character_name: str,
    times: Callable[[str], int] = lambda match: 0,
    names: Callable[[], Mapping[str, Any]] = dict,
) -> Answer:
    """What the character answers to `said`.

    The first scripted reply that fits; else, to a question, the memory that answers it, put to the person ("Your name
    is Jordan."); else the script's default, if there is one; else a fixed line that names the character. `memories` are
    oldest first, so that what was told last wins a tie. `times` counts how often a reply that is a sequence was given
    before in the conversation; `names` are what blanks in a scripted text are filled in with.
    """
    for reply in script.replies:
        if reply.fits(said):
            return _filled_in(reply.said(times(reply.match) if len(reply.texts) > 1 else 0), names)
    remembered = _remember(said[:MAX_SEARCHED], memories)
    if remembered is not None:
        return Answer(remembered)
    if script.default is not None:
        return _filled_in(Answer(script.default), names)
    name = character_name.strip() or "the character"
    return Answer(f"This is {name}. I heard you, but no reply is scripted for that.")


def _filled_in(answer: Answer, names: Callable[[], Mapping[str, Any]]) -> Answer:
    return replace(answer, text=render(answer.text, names())) if is_template(answer.text) else answer


# Answering from memory

_OPENING = r"(?:(?:so|and|but|well|ok|okay|please|now|hi|hello|hey)\b[, ]+(?:[\w'-]{1,30}[, ]+)??){0,3}"
_QUESTION = (
    rf"{_OPENING}((?:what|whats|who|whos|when|where|why|how|which|whose|do|does|did|am|is|are|was|were|can|could|would|"
    r"will|have|has|tell me|remind me|remember)\b.*)"
)
_ME_AS_LISTENER = r"\b(?:tell|show|give|help|ask|remind|let|teach|answer) me\b"
_ABOUT_ME = r"\b(?:I|me|my|mine|myself|i'm)\b"
_RECALL = (
    r"\bwho (?:am I|I am)\b|\b(?:know|remember|recall|about|forgotten|forget) "
    r"(?:anything about |something about |about )?me\b"
)
_RECALLED = 3
_NO_ANSWER = (0, 0, 0, 0)

_HELPER_WORDS = (
    "a|about|again|all|am|an|and|any|anything|are|at|be|been|by|can|cannot|could|did|do|does|else|ever|for|forget|"
    "forgotten|full|give|go|has|have|he|her|his|how|i|if|in|is|it|its|know|longer|many|me|mine|much|my|myself|never|"
    "no|not|of|on|or|our|please|real|recall|remember|remind|say|she|so|still|tell|that|the|their|them|then|they|this|"
    "to|told|us|user|was|we|were|what|whats|when|where|which|who|whos|whose|why|will|with|would|you|your"
)
_HELPERS = frozenset(_HELPER_WORDS.split("|"))
_SAME = {"job": "work", "living": "work", "hate": "like", "scared": "afraid"}
"""What is no synonym, but asks for the same."""

_NEGATIVE = r"\b(?:not|no|never|cannot|hates?|dislikes?|\w+n't)\b"
_WEAK = frozenset({"name", "favorite"})
"""Words that too many memories share: "the user's name" does not answer what the dog's name is."""

_ATTRIBUTE = r"The user's (.{1,60}?) (?:is|are) "
_THE_USER = r"\bthe user('s)?\b(?:( usually| often| always| never| rarely| sometimes| no longer| only)? (\w+))?"
_SECOND_PERSON = {"is": "are", "was": "were"}


def _remember(said: str, memories: Sequence[str]) -> str | None:
    """An answer from memory to a question about the person; None when it is not one, or nothing is known."""
    question = _question(said.replace("\u2019", "'"))
    if not regex(_ABOUT_ME).search(regex(_ME_AS_LISTENER).sub(" ", question)):
        return None
    asked = frozenset(_words(question))
    if not asked:
        return _everything(memories) if regex(_RECALL).search(question) else None
    ranked = [(_rank(asked, question, memory[:MAX_SEARCHED]), index) for index, memory in enumerate(memories)]
    best, index = max(ranked, default=(_NO_ANSWER, 0))
    return None if best == _NO_ANSWER else _to_the_person(memories[index])


def _question(said: str) -> str:
    """What is asked in it, without a greeting before; empty when nothing is."""
    asked = []
    for sentence in re.split(r"(?<=[.!?])\s+", said.strip()):
        found = regex(_QUESTION).match(sentence)
        if found or sentence.endswith("?"):
            asked.append(found[1] if found else sentence)
    return " ".join(asked)


def _everything(memories: Sequence[str]) -> str | None:
    """Who the person is: the name, and what was told last."""
    names = [memory for memory in memories if memory.startswith("The user's name is ")][-1:]
    others = [memory for memory in memories if not memory.startswith("The user's name is ")]
    return " ".join(map(_to_the_person, names + others[len(names) - _RECALLED :])) or None


def _rank(asked: frozenset[str], question: str, memory: str) -> tuple[int, int, int, int]:
    """How well a memory answers: the very attribute asked for, shared words, both or neither negated, being about it.

    "The user works as a nurse." is about work; "The user likes the user's work." is about liking.
    """
    told = _words(memory)
    shared = asked & set(told)
    if not shared & (asked - _WEAK or asked):
        return _NO_ANSWER
    attribute = regex(_ATTRIBUTE).match(memory)
    exactly = attribute is not None and set(_words(attribute[1])) == asked
    same_sign = _is_negative(question) == _is_negative(memory)
    return 2 if exactly else 1, len(shared), int(same_sign), int(told[0] in asked)


def _is_negative(text: str) -> bool:
    return regex(_NEGATIVE).search(text) is not None


def _words(text: str) -> list[str]:
    """The words with content, each as the one that stands for its forms and synonyms."""
    words = re.findall(r"[^\W_]+", re.sub(r"'s\b|n't\b", "", text.casefold()))
    tokens = [make_token(word) for word in words if word not in _HELPERS]
    return [_SAME.get(token.text) or _SAME.get(token.word, token.word) for token in tokens]


def _to_the_person(memory: str) -> str:
    """`The user lives in Oslo.` becomes `You live in Oslo.`; a memory in other words is quoted."""
    if not memory.startswith(("The user ", "The user's ")):
        return f"I remember: {memory}"
    told = regex(_THE_USER).sub(_second_person, memory)
    return told[0].upper() + told[1:]


def _second_person(found: re.Match[str]) -> str:
    possessive, adverb, verb = found.groups()
    if possessive:
        return f"your{found.group()[len('the user' + possessive) :]}"
    if verb is None:
        return "you"
    known = as_verb(verb)
    if verb in _SECOND_PERSON:
        verb = _SECOND_PERSON[verb]
    elif known and "s" in known.forms and (found.start() == 0 or known.base in ("be", "have", "do", "go")):
        verb = known.base
    elif known is None and found.start() == 0:
        verb = base_form(verb)
    return f"you{adverb or ''} {verb}"
