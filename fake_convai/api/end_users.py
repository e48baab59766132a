"""End users: the people an app sends as `end_user_id` (docs/contract.md section 5)."""

from typing import Annotated, Any

from pydantic import Field, StrictStr
from starlette.responses import Response
from typing_extensions import TypedDict

from fake_convai.api.endpoint import Call, Group
from fake_convai.backend.models import (
    Described,
    EndUserId,
    EndUserMetadata,
    RequestModel,
    Timestamp,
    Wanted,
    WholeNumber,
)
from fake_convai.backend.responses import large
from fake_convai.backend.surface import Surface
from fake_convai.domain import cursor as cursors
from fake_convai.domain.clock import parse_moment, to_iso
from fake_convai.domain.cursor import Filters
from fake_convai.store import end_users
from fake_convai.store.people import Person

group = Group("End users", Surface.BETA)

Moment = Annotated[
    StrictStr,
    Described(anyOf=[{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]),
    Wanted("an ISO 8601 date or time"),
]


class ListRequest(RequestModel):
    """Selects end users and the page to begin at."""

    limit: Annotated[WholeNumber, Field(ge=1, le=200), Wanted("a whole number from 1 to 200")] = 50
    cursor: Annotated[StrictStr, Wanted("the next_cursor of the previous page")] | None = None
    active_after: Moment | None = None
    active_before: Moment | None = None


class EndUserRequest(RequestModel):
    """Names an end user."""

    end_user_id: EndUserId


class UpdateRequest(EndUserRequest):
    """The changes to an end user."""

    end_user_metadata: EndUserMetadata


class EndUserDetails(TypedDict):
    """An end user's record; a time is null until there is one."""

    end_user_id: str
    last_active_ts: Annotated[Timestamp | None, Described(description="The most recent session.")]
    last_ltm_usage_ts: Annotated[
        Timestamp | None, Described(description="The most recent reading or writing of a memory.")
    ]
    end_user_metadata: dict[str, Any]


class ListAnswer(TypedDict):
    """A page of end users; `total_count` is over all pages."""

    end_users: list[EndUserDetails]
    total_count: Annotated[int, Described(description="The number of end users on all pages that match the filters.")]
    next_cursor: Annotated[str | None, Described(description="Opaque; null on the last page.")]
    has_more: bool


class UpdateAnswer(EndUserDetails):
    """The record as it is after the change."""

    message: str


class DeleteAnswer(TypedDict):
    """Says whether there was such an end user."""

    message: str
    end_user_id: str
    deleted: bool


@group.post("/user/end-users/list", source="seed")
async def list_(call: Call, body: ListRequest) -> ListAnswer | Response:
    """List end users, page by page.

    Walking all pages yields every record that existed at the start exactly once, whatever happens meanwhile. The
    filters are exclusive; people who were never active match none.
    """
    filters = Filters(
        active_after=_moment(body.active_after, "active_after"),
        active_before=_moment(body.active_before, "active_before"),
    )
    account_id, secret = call.store.account_id, call.backend.cursor_secret
    start = (
        cursors.decode(body.cursor, account_id=account_id, filters=filters, secret=secret)
        if body.cursor is not None
        else None
    )
    page = await call.store.read(end_users.list_page, body.limit, start, filters)
    is_large = page is None
    if page is None:
        page = await call.store.long.read(end_users.list_page, body.limit, start, filters, whole=True)
        assert page is not None
    next_cursor = (
        None if page.next is None else cursors.encode(page.next, account_id=account_id, filters=filters, secret=secret)
    )
    answer: ListAnswer = {
        "end_users": [details(person) for person in page.end_users],
        "total_count": page.total_count,
        "next_cursor": next_cursor,
        "has_more": page.next is not None,
    }
    return await large(answer) if is_large else answer


@group.post("/user/end-users/get", source="seed", errors=(404,))
async def get(call: Call, body: EndUserRequest) -> EndUserDetails:
    """Get an end user's record."""
    return details(await call.store.read(end_users.get, body.end_user_id))


@group.post("/user/end-users/update", source="seed", errors=(404,))
async def update(call: Call, body: UpdateRequest) -> UpdateAnswer:
    """Change an end user's metadata.

    Keys that are not sent stay as they are; a null value removes its key.
    """
    person = await call.store.write(end_users.update, body.end_user_id, body.end_user_metadata)
    return {**details(person), "message": "End user updated successfully."}


@group.post("/user/end-users/delete", source="seed")
async def delete(call: Call, body: EndUserRequest) -> DeleteAnswer:
    """Delete an end user and everything every character remembers about them.

    An unknown end user is no error: `deleted` is false.
    """
    deleted = await call.store.write(end_users.remove, body.end_user_id)
    message = "End user and all memories deleted successfully." if deleted else "No such end user."
    return {"message": message, "end_user_id": body.end_user_id, "deleted": deleted}


def details(person: Person) -> EndUserDetails:
    """An end user's record in Convai's spelling."""
    assert person.end_user_id is not None
    return {
        "end_user_id": person.end_user_id,
        "last_active_ts": None if person.last_active_at is None else to_iso(person.last_active_at),
        "last_ltm_usage_ts": None if person.last_ltm_usage_at is None else to_iso(person.last_ltm_usage_at),
        "end_user_metadata": person.metadata,
    }


def _moment(text: str | None, parameter: str) -> int | None:
    return None if text is None else parse_moment(text, parameter)
