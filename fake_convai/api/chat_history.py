"""Chat history: sessions of a character and what was said in them (docs/contract.md section 8)."""

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StrictStr
from typing_extensions import TypedDict

from fake_convai.api.characters import CharacterRequest
from fake_convai.api.endpoint import Call, Group
from fake_convai.api.interaction import as_hex
from fake_convai.backend.models import Described, Id, Wanted, WholeNumber
from fake_convai.backend.surface import Surface
from fake_convai.domain.clock import to_datetime
from fake_convai.domain.errors import Forbidden, Invalid
from fake_convai.store import accounts, characters, conversations, lag
from fake_convai.store.accounts import AccountTransaction
from fake_convai.store.conversations import Conversation, Turn

group = Group("Chat history", Surface.PRODUCTION)

PLANS = frozenset({"scale", "enterprise"})
"""The plans that include chat history (docs/contract.md section 8)."""

AT_ONCE = 200
"""Sessions that are deleted in passing; more would hold up everybody."""

_IN_TEXT = r"^(-1|[1-9][0-9]*)$"
_LIMITS = [{"type": "integer", "minimum": -1, "not": {"const": 0}}, {"type": "string", "pattern": _IN_TEXT}]


def _number_in_text(value: Any) -> Any:
    """A limit may be text, as in the vendor's own samples; no other number may, strictly."""
    return int(value) if isinstance(value, str) and re.match(_IN_TEXT, value) else value


class ListRequest(CharacterRequest):
    """Selects how many sessions of a character to list; -1 means all."""

    limit: Annotated[
        WholeNumber,
        BeforeValidator(_number_in_text),
        Described(anyOf=_LIMITS),
        Wanted('a whole number of at least 1, or "-1" for all'),
    ] = -1


class DetailsRequest(CharacterRequest):
    """Names a session and its character."""

    session_id: Id = Field(alias="sessionID")


class DeleteRequest(CharacterRequest):
    """Names sessions and their character."""

    session_ids: Annotated[list[StrictStr], Wanted("a list of session ids")] = Field(alias="sessionIDs")


class SessionSummary(TypedDict):
    """A session; date and time in UTC."""

    sessionID: str
    date: Annotated[str, Described(pattern=r"^\d{2}-\d{2}-\d{4}$", description="Day, month and year.")]
    time: Annotated[str, Described(pattern=r"^\d{2}:\d{2}:\d{2}$")]
    is_added_to_memory: bool


class Line(TypedDict):
    """The words of one side."""

    speaker: Literal["User", "Character"]
    message: str


class Interaction(TypedDict):
    """One turn."""

    timestamp: Annotated[
        str, Described(pattern=r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{6}$", description="The time in UTC.")
    ]
    interaction: list[Line]
    is_trigger_input: bool


class Deleted(TypedDict):
    """The sessions are deleted."""

    status: str


@group.post("/character/chatHistory/list", source="seed", errors=(403, 404))
async def list_(call: Call, body: ListRequest) -> list[SessionSummary]:
    """List the sessions of a character, newest first."""
    if body.limit < 1 and body.limit != -1:
        raise Invalid("Invalid parameter 'limit': send a whole number of at least 1, or \"-1\" for all.")
    found = await call.store.write(_sessions, body.character_id, call.backend.settings.plan)
    return [_summary(conversation) for conversation in found[: body.limit if body.limit > 0 else None]]


@group.post("/character/chatHistory/details", source="seed", errors=(403, 404))
async def details(call: Call, body: DetailsRequest) -> list[Interaction]:
    """List what was said in a session, oldest first."""
    found = await call.store.write(_turns, body.character_id, body.session_id, call.backend.settings.plan)
    return [_interaction(turn) for turn in found]


@group.post("/character/chatHistory/delete", source="docs", errors=(403, 404))
async def delete(call: Call, body: DeleteRequest) -> Deleted:
    """Delete sessions of a character; what became memory of them stays."""
    store = call.store if len(body.session_ids) <= AT_ONCE else call.store.long
    await store.write(_delete, body.character_id, body.session_ids, call.backend.settings.plan)
    return {"status": "SUCCESSFULLY DELETED"}


def _character_seq(tx: AccountTransaction, character_id: str, default_plan: str) -> int:
    plan = accounts.profile(tx).plan or default_plan
    if plan not in PLANS:
        raise Forbidden(f"Chat history needs the scale or enterprise plan; this account is on the {plan} plan.")
    return characters.usable(tx, character_id).character_seq


def _sessions(tx: AccountTransaction, character_id: str, default_plan: str) -> list[Conversation]:
    found = conversations.list_of_character(tx, _character_seq(tx, character_id, default_plan))
    hidden = lag.hidden(tx, "chat_history") if tx.lags else ()
    return [conversation for conversation in found if conversation.seq not in hidden] if hidden else found


def _turns(tx: AccountTransaction, character_id: str, session_id: str, default_plan: str) -> list[Turn]:
    conversation = conversations.find(tx, session_id, _character_seq(tx, character_id, default_plan))
    if tx.lags and conversation.seq in lag.hidden(tx, "chat_history"):
        raise conversations.unknown(session_id)
    return conversations.turns_of(tx, conversation.seq)


def _delete(tx: AccountTransaction, character_id: str, session_ids: list[str], default_plan: str) -> None:
    conversations.remove(tx, _character_seq(tx, character_id, default_plan), session_ids)


def _summary(conversation: Conversation) -> SessionSummary:
    started = to_datetime(conversation.started_at)
    return {
        "sessionID": as_hex(conversation.character_session_id),
        "date": started.strftime("%d-%m-%Y"),
        "time": started.strftime("%H:%M:%S"),
        "is_added_to_memory": conversation.is_added_to_memory,
    }


def _interaction(turn: Turn) -> Interaction:
    return {
        "timestamp": to_datetime(turn.at).strftime("%Y-%m-%d %H:%M:%S.%f"),
        "interaction": [
            {"speaker": "User", "message": turn.user_message},
            {"speaker": "Character", "message": turn.character_message},
        ],
        "is_trigger_input": turn.is_trigger_input,
    }
