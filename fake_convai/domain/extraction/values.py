"""What goes into the slots of the table: where a value may stand, and how it is written down.

A cleaner turns the text found in a slot into the text of the fact, or into None when it is not worth a fact; the row
is then passed over. "I like that" fits the row "I like {thing}", but nobody would know later what "that" was.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from fake_convai.domain.english.tables import as_verb
from fake_convai.domain.extraction import words
from fake_convai.domain.extraction.words import regex

Cleaner = Callable[[str], str | None]


_EDGES = ' .,;:!?…-\u2013—"“”«»„'
_COMMENT = r",? believe it or not\b.*|,? which\b.*|, (?:who|whose|where|I mean|not that)\b.*"

_POINTING = (
    r"(?:it|its|this|that|these|those|them|him|her|his|he|she|they|here|there|what|how|why|where|whether|so|too|very|"
    r"something|anything|nothing|everything|somewhere|no one|today|tomorrow|tonight|soon|coming|"
    r"the (?:idea|sound|way|look|fact|question|answer)|"
    r"to (?:think|believe|say|imagine|assume|pretend|hope|know|ask|tell|thank))\b.*"
    r"|.*\b(?:it|this|that|these|those|them|him|her|he|she|they)"
    r"|one|some|any|both|all|none|more|again|stuff|things|home|now|then|up|back|on|off|out"
)
"""Values that need the moment to be understood."""

_ADDRESSED = r".*\b(?:you|your|yours|yourself|we|if|unless|here|this|these|I (?:think|guess|suppose|hope|believe))\b.*"
"""Values about the character, about others too, about the place, or with a condition."""

_OTHERS_TOO = re.compile(r"(?<!\bthe )\bus\b")
"""Lower case only: one may well live in the US."""

_DANGLING = r".*\b(?:a|an|the|my|and|or|but|of|when|because|which|who|while|than|as|to|with my|and I|is|are)"
"""Cut off in the middle; what is half said is not remembered."""

_NARRATED = (
    r"(?:(?:to|into|out of|over|down|through|at|on) )?the (?!bus|train|tram|metro|subway|ferry|news|radio)"
    r"|(?:away|out|over|up|down|back|off|towards?|into|to me)\b"
)
"""What players say they are doing now: "I take the key", "I run to the exit"."""

_LAST_TIME = r".*\b(?:yesterday|ago|last (?:night|week|month|year))\b"
_NO_ROLE = (
    r"an? (?:bit|little|lot|few|tad|while|minute|hour|day|week|mess|moment|problem)\b.*"
    r"|the (?:same|one|first|next|last|best|worst|kind)\b.*"
)

_FIRST_PERSON = r"\b(?:I(?: (\w+))?|myself|mine|my|me|ours?)\b"
_OF_I = {"am": "is", "have": "has", "do": "does"}
_REPLACED = {
    "myself": "themselves",
    "mine": "the user's",
    "my": "the user's",
    "me": "the user",
    "our": "the user's",
    "ours": "the user's",
}
_NAME_WORD = r"[^\W\d_](?:[^\W_]|['.-](?=[^\W_]))*\.?"
_LOWER_NAME_WORDS = 3
_NAME_WORDS = 6


def third_person_verb(verb: str) -> str:
    """`watch` becomes `watches`; of several words the first one changes."""
    first, space, rest = verb.partition(" ")
    if first in _OF_I:
        first = _OF_I[first]
    elif first.endswith(("s", "sh", "ch", "x", "z", "o")):
        first += "es"
    elif first.endswith("y") and first[-2:-1] not in "aeiou":
        first = first[:-1] + "ies"
    else:
        first += "s"
    return first + space + rest


def third_person(text: str) -> str:
    """`the dog I have at my place` becomes `the dog the user has at the user's place`."""
    return regex(_FIRST_PERSON).sub(_replace_first_person, text)


def _replace_first_person(found: re.Match[str]) -> str:
    word = found.group()
    if not word.startswith("I"):
        return _REPLACED.get(word.lower(), word)
    before = found.string[: found.start()].split()[-1:]
    if before and before[0][0].isupper():
        return word  # a numeral: World War I
    verb = found.group(1)
    if verb is None:
        return "the user"
    if verb in _OF_I or _is_base(verb):
        verb = third_person_verb(verb)
    return f"the user {verb}"


def clean_thing(text: str) -> str | None:
    """Most values: trimmed, without a comment in passing, in the third person."""
    text = regex(_COMMENT).sub("", text).strip(_EDGES)
    worthless = (
        not any(map(str.isalnum, text))
        or _is(_POINTING, text)
        or _is(_ADDRESSED, text)
        or _is(_DANGLING, text)
        or _OTHERS_TOO.search(text)
    )
    return None if worthless else third_person(text)


def clean_name(text: str) -> str | None:
    """The words at the beginning that can be a name, in the case they were said in."""
    kept: list[str] = []
    for raw in text.strip("\"“”' ").split():
        word = raw.rstrip(",;:!?)\"”'")
        if not _is(_NAME_WORD, word) or _is(words.NOT_NAMES, word) or not _goes_on(kept, word):
            break
        kept.append(word)
        if word != raw or len(kept) == _NAME_WORDS:
            break
    while len(kept) > 1 and _is(words.NAME_PARTICLES, kept[-1]):
        kept.pop()
    if not kept:
        return None
    if len(kept[-1]) > 2:  # "Jordan Kim." but "Jordan K."
        kept[-1] = kept[-1].rstrip(".")
    return " ".join(kept)


def _goes_on(kept: list[str], word: str) -> bool:
    """A name written with capitals goes on with capitals; one without, as from speech-to-text, is short."""
    if not kept:
        return True
    if kept[0][0].isupper():
        return not word[0].islower() or _is(words.NAME_PARTICLES, word)
    return len(kept) < _LOWER_NAME_WORDS


def clean_proper_name(text: str) -> str | None:
    """A name that has nothing to say so but its capital: "I am Jordan", not "I am late"."""
    name = clean_name(text)
    if name is None or not name[0].isupper() or (name.isupper() and len(name) > 1):
        return None
    rest = text.strip()[len(name) :].lstrip(".")
    follows = rest == "" or rest.startswith((",", "!", " from ", " and "))
    a_name = not any(_is(f"{words.MOODS}|{words.BELONGING}|{words.LASTING}", word) for word in re.split("[ -]", name))
    return name if follows and a_name else None


def clean_belonging(text: str) -> str | None:
    """`norwegian` becomes `Norwegian`."""
    return text.title()


def clean_owned(text: str) -> str | None:
    """A possession that lasts: not "a question", not "five minutes"."""
    if any(_is(words.MOMENTARY, word) for word in text.split()[:4]):
        return None
    return clean_thing(text)


def clean_needed(text: str) -> str | None:
    """A need that lasts: not "help", not "a coffee"."""
    return None if any(_is(words.PASSING_NEEDS, word) for word in text.split()[:4]) else clean_owned(text)


def clean_role(text: str) -> str | None:
    """What someone is; "a bit tired" is no role."""
    return None if _is(_NO_ROLE, text) else clean_thing(text)


def clean_habit(text: str) -> str | None:
    """`drink tea` becomes `drinks tea`; what is no verb in the present is no habit."""
    plain = text.removeprefix("do not ")
    verb, space, rest = plain.partition(" ")
    if not verb.isalpha() or _is(f"{words.OPINIONS}|{words.NO_VERBS}|[a-z]+[^e]ed", verb) or _is_past(verb):
        return None
    clean = clean_owned if _is("have|need|want|get", verb) else clean_thing
    cleaned = clean(rest) if space else ""
    if cleaned is None:
        return None
    verb = verb.lower()
    return f"{'does not ' + verb if text != plain else third_person_verb(verb)} {cleaned}".rstrip()


def clean_formerly(text: str) -> str | None:
    """What someone used to do, if it was more than thinking."""
    return None if _is(f"(?:{words.OPINIONS}) .*", text) and not text.startswith("have ") else clean_thing(text)


def clean_rest(text: str) -> str | None:
    """What may follow or not, with the space before it."""
    cleaned = clean_thing(text) if text else ""
    return f" {cleaned}" if cleaned else cleaned


def clean_word(text: str) -> str | None:
    """One of the words of the table: lower case."""
    return " ".join(text.lower().split())


def clean_undone(text: str) -> str | None:
    """A verb that tells what somebody generally does: a known one, and not of those that tell what happens now."""
    verb = as_verb(text.lower())
    happening = f"{words.OPINIONS}|{words.NO_VERBS}|{words.HAPPENING}"
    return None if verb is None or "b" not in verb.forms or _is(happening, text) else verb.base


def clean_doing(text: str) -> str | None:
    """The same in the third person."""
    verb = clean_undone(text)
    return verb and third_person_verb(verb)


def clean_theirs(text: str) -> str | None:
    """A verb in the third person, of the same kind."""
    verb = as_verb(text.lower())
    return text.lower() if verb and "s" in verb.forms and clean_undone(verb.base) else None


class Slot(NamedTuple):
    """A named place in a row: the regular expression of what may stand there, and its cleaner."""

    pattern: str
    clean: Cleaner = clean_thing


SLOTS = {
    "theirs": Slot(r"[a-z]+s", clean_theirs),
    "doing": Slot(r"[a-z]+", clean_doing),
    "undone": Slot(r"[a-z]+", clean_undone),
    "thing": Slot(r".{1,160}"),
    "place": Slot(r".{1,160}"),
    "rest": Slot(r"(?: .{1,160})?", clean_rest),
    "not": Slot(r"(?: not)?", str.lower),
    "name": Slot(r".{1,80}", clean_name),
    "proper_name": Slot(r".{1,80}", clean_proper_name),
    "pronouns": Slot(r"[a-z]+(?:[/ ][a-z]+){0,3}", clean_word),
    "age": Slot(words.NUMBERS, clean_word),
    "measure": Slot(r"(?:about )?\d[\w.,'\" ]{0,30}"),
    "diet": Slot(words.DIETS, clean_word),
    "belonging": Slot(words.BELONGING, clean_belonging),
    "trait": Slot(words.LASTING, clean_word),
    "done": Slot(
        "been|worked|lived|known|had|played|studied|taught|driven|smoked|loved|used|owned|practi[cs]ed|spoken|served",
        clean_word,
    ),
    "span": Slot(r"for .{1,60}\b(?:years?|months?|decades?)|since .{1,60}|all my life"),
    "hours": Slot(
        r"(?:(?:the )?(?:[\w-]+ )?shifts?|nights?|days|evenings?|mornings?|weekends?|part[- ]time|full[- ]time|"
        r"remotely|freelance|from home|overtime|\d+ (?:hours|days))(?: .{1,80})?"
    ),
    "role": Slot(r"(?:an?|the) .{1,140}", clean_role),
    "attribute": Slot(words.ATTRIBUTES, clean_word),
    "past": Slot(
        "been|driven|flown|played|used|eaten|drunk|smoked|worked|lived|owned|tried|visited|broken|ridden|studied|met|"
        "travell?ed|learn(?:ed|t)|swum|had",
        clean_word,
    ),
    "object": Slot(rf"(?!{_NARRATED}|{_LAST_TIME}).{{1,160}}"),
    "charge": Slot(r"(?!(?:to|out|away|late|into|from|up|off|on)\b).{1,140}"),
    "language": Slot(r"(?!(?:the|to|with|for|up|as|of|on|at|about|out|in|too|very) ).{1,100}"),
    "skill": Slot(rf"(?:{words.SKILLS})(?: .{{1,120}})?"),
    "limit": Slot(rf"(?:{words.SKILLS}|eat|drink|tolerate|digest|walk|smell|have|see well|hear well)(?: .{{1,120}})?"),
    "owned": Slot(
        rf"(?:{words.QUANTITIES}) .{{1,120}}|(?:[\w-]+ ){{0,2}}(?:{words.BARE_POSSESSIONS})(?: .{{1,60}})?", clean_owned
    ),
    "needed": Slot(r"(?!to ).{1,120}", clean_needed),
    "favourite": Slot(r"(?:all[- ]time |least |second )?favou?rite", clean_word),
    "what": Slot(r"[\w'&-]+(?: [\w'&-]+){0,4}?"),
    "ambition": Slot(
        r"(?:become|be an?|be the|learn|study|work (?:as|in|for|at)|travel|visit|move to|live in|own|write an?|run an?)"
        r" (?!more\b).{1,140}"
    ),
    "habit": Slot(r"[a-z]+(?: .{1,160})?", clean_habit),
    "formerly": Slot(r".{1,160}", clean_formerly),
    "practice": Slot(
        r"(?:yoga|pilates|karate|judo|aikido|crossfit|gymnastics|sports?|athletics|martial arts|ballet|meditation|"
        r"volunteer work|weightlifting|parkour)(?: .{1,80})?"
    ),
    "outing": Slot(
        r"(?:\w{2,20}ing|to (?:the gym|church|the mosque|temple|synagogue|school|college|university|therapy))"
        r"(?: .{1,80})?"
    ),
    "when": Slot(r"(?:at|before|after|around|by|early|late|every)\b.{0,60}"),
    "body": Slot(
        r"(?:(?:left|right|upper|lower) )?(?:head|neck|back|shoulder|elbow|wrist|hand|hip|knee|ankle|foot|leg|arm)s?",
        clean_word,
    ),
    "year": Slot(r"\w+ (?:year|semester|term)\b.{0,100}"),
    "home": Slot(r"(?:an?|my) (?:[\w-]+ )?(?:house|flat|apartment|room|home|place|office) with .{1,100}"),
    "known": Slot(
        r"(?:some |basic )?(?:sign language|first aid|cpr|karate|judo|braille|morse code|html|python|java|javascript)"
    ),
    "relative": Slot(
        r"(?:(?:older|younger|little|big|elder|eldest|oldest|youngest|best|first|second|late|old|twin|foster|guide|"
        rf"service) )?(?:ex-|step-?|half-)?(?:{words.RELATIVES})s?(?:-in-law)?|children",
        clean_word,
    ),
    "state": Slot(
        r"(?:an?|from|allergic to|afraid of|married|divorced|retired|deaf|blind|vegetarian|vegan|pregnant)\b.{0,100}"
    ),
}
"""Every slot of the table; a slot with its own list of words, `{verb:like|love}`, is one of those words."""


def _is(pattern: str, text: str) -> bool:
    return regex(pattern).fullmatch(text) is not None


def _is_base(word: str) -> bool:
    verb = as_verb(word.lower())
    return verb is not None and "b" in verb.forms


def _is_past(word: str) -> bool:
    verb = as_verb(word.lower())
    return verb is not None and verb.forms in ("p", "q", "pq")
