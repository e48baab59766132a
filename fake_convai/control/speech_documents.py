"""What characters say, how fast, and when what comes of it appears, as the control plane takes it."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, StrictBool, StrictInt, StrictStr, model_validator

from fake_convai.control.documents import MAX_DELAY, Document
from fake_convai.domain.pace import Pace
from fake_convai.domain.script import check_match
from fake_convai.domain.templates import check

MAX_LAG = 31_536_000
"""Seconds: a year."""

MAX_REPLIES = 1000
"""Each is tried on all that is said."""
MAX_HEARD = 10_000

Name = Annotated[StrictStr, Field(min_length=1)]
Reply = Annotated[StrictStr, AfterValidator(check)]
"""What is said, perhaps with blanks to fill in."""


class PaceDocument(Document):
    """How fast a character answers."""

    kind = "pace"

    first_token_ms: Annotated[int | float, Field(ge=0, le=MAX_DELAY)] | None = None
    tokens_per_second: Annotated[int | float, Field(gt=0, le=100_000)] | None = None
    jitter: Annotated[int | float, Field(ge=0, le=1)] | None = None
    words_per_minute: Annotated[int | float, Field(gt=0, le=1_000_000)] | None = None

    def pace(self) -> Pace:
        """The pace."""
        return Pace(**self.model_dump())


class Late(Document):
    """Says how late something appears: after seconds of the account's clock, or after reads that do not show it."""

    seconds: Annotated[int | float, Field(ge=0, le=MAX_LAG)] | None = None
    reads: Annotated[StrictInt, Field(ge=0, le=1_000_000)] | None = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.seconds is None) == (self.reads is None):
            raise ValueError('send {"seconds": 5} or {"reads": 2}')
        return self


class LagDocument(Document):
    """Says how late what is written appears."""

    kind = "lag"

    extraction: Late | None = None
    end_users: Late | None = None
    chat_history: Late | None = None

    def lag(self) -> dict[str, Any]:
        """The lag as it is kept: what appears at once is left out."""
        return self.model_dump(exclude_none=True)


class ActionDocument(Document):
    """Something that the character does."""

    name: Name
    target: StrictStr | None = None


class EmotionDocument(Document):
    """What the character feels."""

    emotion: Name
    scale: Annotated[StrictInt, Field(ge=1, le=3)]


class ModerationDocument(Document):
    """What the moderation thinks of the user's words."""

    result: StrictBool
    reason: StrictStr | None = None


def _words(text: str) -> str:
    if not text.strip() or "\0" in text:
        raise ValueError("send words, without NUL characters")
    return text


Heard = Annotated[StrictStr, Field(max_length=MAX_HEARD), AfterValidator(_words)]


class ReplyDocument(Document):
    """What to answer when something is said."""

    match: Annotated[Name, AfterValidator(check_match)]
    reply: Reply | None = None
    replies: Annotated[list[Reply], Field(min_length=1)] | None = None
    actions: list[ActionDocument | Name] | None = None
    emotion: EmotionDocument | None = None
    narrative_section_id: Name | None = None
    moderation: ModerationDocument | None = None
    no_response: StrictStr | None = None
    visemes: StrictBool | None = None
    pace: PaceDocument | None = None
    characters: Annotated[list[Name], Field(min_length=1)] | None = None
    """Whose reply it is; everybody's without it."""
    passes: Annotated[StrictBool | None, Field(alias="pass")] = None
    """Whether the character passes in a group turn that is open, which is saying nothing."""

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        says = self.reply is not None or self.replies is not None
        is_blocked = self.moderation is not None and not self.moderation.result
        if self.reply is not None and self.replies is not None:
            raise ValueError("send reply, or replies that are said one after the other, not both")
        if says and (is_blocked or self.no_response is not None or self.passes):
            help_ = "leave the reply out: nothing is said with no_response, pass or when moderation.result is false"
            raise ValueError(help_)
        return self


class RepliesDocument(Document):
    """What characters say; `default` when nothing fits."""

    kind = "replies"

    replies: Annotated[list[ReplyDocument], Field(max_length=MAX_REPLIES)] = Field(default_factory=list)
    default: Reply | None = None
    heard: Annotated[list[Heard], Field(min_length=1, max_length=MAX_REPLIES)] | None = None
    """What a person is taken to have said by their sounds, in a conversation one after the other; then the last."""

    def script(self) -> dict[str, Any]:
        """The replies as they are kept: what was left out is left out, but for the default.

        `Invalid` for one that answers nothing.
        """
        replies = [reply.model_dump(exclude_none=True, by_alias=True) for reply in self.replies]
        for number, reply in enumerate(replies):
            if not set(reply) - {"match", "pace", "visemes", "characters"}:
                help_ = "send a text, or replies, actions, emotion, narrative_section_id, moderation or no_response"
                raise self.wrong(f"replies[{number}].reply", help_)
        heard = {} if self.heard is None else {"heard": self.heard}
        return {"replies": replies, "default": self.default, **heard}
