"""Scripted replies: what an account's characters are told to answer (docs/realtime.md, "Scripted replies")."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import orjson

from fake_convai.domain.pace import Pace

MAX_SEARCHED = 1_000
"""Characters of what was said that are looked at."""

ABSTAIN = "abstain"
"""Why an instance that passes in a group turn gives no response."""

_PLAIN_TEXT_AFTER_ALL = re.compile(r"bad repetition operator: [*+?]\+")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a character answers: a text, and what goes with it.

    `moderation` is `{"result", "reason"}` and blocks the turn when its result is false; `no_response` is the reason for
    saying nothing, which may be empty. Nothing is generated or spoken then.
    """

    text: str = ""
    actions: Sequence[Any] = ()
    emotion: Mapping[str, Any] | None = None
    narrative_section_id: str | None = None
    moderation: Mapping[str, Any] | None = None
    no_response: str | None = None
    visemes: bool = False
    pace: Pace = field(default_factory=Pace)

    @property
    def is_blocked(self) -> bool:
        """Whether the moderation does not let the user's words pass."""
        return self.moderation is not None and not self.moderation["result"]

    @property
    def is_silent(self) -> bool:
        """Whether nothing is said."""
        return self.is_blocked or self.no_response is not None


@dataclass(frozen=True, slots=True)
class ScriptedReply:
    """Answer this when `match` is in what was said.

    `match` is looked for as plain text and as a regular expression, both anywhere and in any case. Of several `texts`
    each is said once in a conversation, and the last one from then on.
    """

    match: str
    texts: tuple[str, ...] = ()
    answer: Answer = field(default_factory=Answer)
    characters: tuple[str, ...] = ()
    """Whose it is; everybody's when there are none."""

    def fits(self, said: str) -> bool:
        """Whether this answers what was said."""
        said = said[:MAX_SEARCHED]
        if self.match.casefold() in said.casefold():
            return True
        pattern = _expression(self.match)
        return pattern is not None and pattern.search(said) is not None

    def said(self, times: int) -> Answer:
        """The answer when this one was given so many times before in the conversation."""
        return replace(self.answer, text=self.texts[min(times, len(self.texts) - 1)]) if self.texts else self.answer


@dataclass(frozen=True, slots=True)
class Script:
    """All that is scripted, the first that fits first, and what is said when nothing does."""

    replies: tuple[ScriptedReply, ...] = ()
    default: str | None = None
    heard: tuple[str, ...] = ()
    """What people are taken to have said by their sounds."""

    def of(self, character_id: str) -> "Script":
        """What of it is a character's."""
        mine = tuple(one for one in self.replies if not one.characters or character_id in one.characters)
        return replace(self, replies=mine)


@lru_cache(maxsize=100)
def read_script(text: str) -> Script:
    """The script that an account has stored, as JSON. It was checked before."""
    document = orjson.loads(text)
    return Script(tuple(map(_reply, document["replies"])), document["default"], tuple(document.get("heard", ())))


def _reply(document: Mapping[str, Any]) -> ScriptedReply:
    given = dict(document)
    match, texts = given.pop("match"), given.pop("replies", None)
    if texts is None:
        texts = [given.pop("reply")] if "reply" in given else []
    pace, characters = Pace(**given.pop("pace", {})), tuple(given.pop("characters", ()))
    if given.pop("pass", False):
        given["no_response"] = ABSTAIN
    return ScriptedReply(match, tuple(texts), Answer(**given, pace=pace), characters)


def check_match(match: str) -> str:
    """A match; raises `ValueError` for one that is no regular expression, saying why.

    RE2 matches in a time that grows only with the text, so there is nothing an expression can hold up.
    """
    import re2

    try:
        _compiled(match)
    except re2.error as error:
        raise ValueError(
            f"not a regular expression as RE2 knows them: {_reason(error)}; put a backslash before characters meant as "
            f"they are"
        ) from None
    return match


@lru_cache(maxsize=1_000)
def _expression(match: str) -> Any:
    """The match as a compiled expression; None when it is only plain text."""
    import re2

    try:
        return _compiled(match)
    except re2.error:
        return None


def _compiled(match: str) -> Any:
    import re2

    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    try:
        return re2.compile(match, options)
    except re2.error as error:
        if _PLAIN_TEXT_AFTER_ALL.search(_reason(error)):
            return None  # "C++" is meant as it is
        raise


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else ""
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)


def allowed_actions(actions: Iterable[Any], config: Mapping[str, Any] | None) -> tuple[list[Any], list[str]]:
    """The actions that a session's `action_config` lets a character do, and the names of those it does not."""
    kept: list[Any] = []
    refused: list[str] = []
    names, targets = _names(config, "actions"), _names(config, "objects", "characters")
    for action in actions:
        name, target = (action, None) if isinstance(action, str) else (action["name"], action.get("target"))
        fits = (names is None or name in names) and (target is None or targets is None or target in targets)
        (kept if fits else refused).append(action if fits else name)
    return kept, refused


def _names(config: Mapping[str, Any] | None, *lists: str) -> set[str] | None:
    """The names in some lists of a configuration; None when it has none of the lists."""
    found = [config[name] for name in lists if isinstance(config.get(name), list)] if config else []
    if not found:
        return None
    return {str(one.get("name")) if isinstance(one, Mapping) else str(one) for members in found for one in members}
