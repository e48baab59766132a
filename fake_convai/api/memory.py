"""Memory: facts about a person, kept per end user and character (docs/contract.md section 4)."""

from typing import Annotated, Any, Literal

from pydantic import Field, StrictStr
from starlette.responses import Response
from typing_extensions import TypedDict

from fake_convai.api.endpoint import Call, Group
from fake_convai.backend.models import (
    NOT_BLANK,
    Described,
    EndUserId,
    Id,
    JsonObject,
    RequestModel,
    Timestamp,
    Wanted,
    WholeNumber,
)
from fake_convai.backend.responses import large
from fake_convai.backend.surface import Surface
from fake_convai.domain.clock import to_iso
from fake_convai.domain.errors import Invalid
from fake_convai.domain.text import MAX_FACT_LENGTH, MAX_FACTS, normalise_fact
from fake_convai.store import memories

group = Group("Memory", Surface.BETA)


class PartitionRequest(RequestModel):
    """Names a person and a character."""

    character_id: Id
    end_user_id: EndUserId


class AddRequest(PartitionRequest):
    """Facts to remember."""

    memories: Annotated[
        list[Annotated[StrictStr, Described(pattern=NOT_BLANK, maxLength=MAX_FACT_LENGTH)]],
        Field(min_length=1, max_length=MAX_FACTS),
        Wanted(f"a list of 1 to {MAX_FACTS} non-blank strings of at most {MAX_FACT_LENGTH} characters"),
    ]
    metadata: Annotated[JsonObject, Described(description="Kept with each fact of the call.")] = Field(
        default_factory=dict
    )


class ListRequest(PartitionRequest):
    """Selects a page of memories."""

    page: Annotated[WholeNumber, Field(ge=1, le=1000), Wanted("a whole number from 1 to 1000")] = 1
    page_size: Annotated[WholeNumber, Field(ge=1, le=100), Wanted("a whole number from 1 to 100")] = 50


class RecordRequest(PartitionRequest):
    """Names one memory."""

    memory_id: Annotated[Id, Described(description="The id that adding or listing gave.")]


class AddedMemory(TypedDict):
    """The outcome of one fact."""

    id: str
    event: Annotated[
        Literal["add", "update"],
        Described(description="Whether the fact is new or has changed a record that overlaps."),
    ]
    memory: Annotated[str, Described(description="The text as it is stored.")]


class AddAnswer(TypedDict):
    """Holds one result for each submitted fact, in order."""

    memories: list[AddedMemory]


class MemoryRecord(TypedDict):
    """A stored fact."""

    id: str
    memory: str
    created_at: Timestamp
    updated_at: Timestamp
    metadata: dict[str, Any]


class ListAnswer(TypedDict):
    """A page of memories, oldest first."""

    memories: list[MemoryRecord]
    total_count: Annotated[int, Described(description="The number of memories on all pages.")]
    page: int
    page_size: int
    has_more: bool


class DeleteAnswer(TypedDict):
    """Says whether there was such a memory."""

    message: str
    memory_id: str
    deleted: bool


class DeleteAllAnswer(TypedDict):
    """Names the person and the character whose memories are being deleted."""

    message: str
    character_id: str
    end_user_id: str


AT_ONCE = 1_000
"""Characters of facts, with the metadata of each, that are kept in passing; more would hold up everybody."""


@group.post("/memory/add", source="seed", errors=(403, 404))
async def add(call: Call, body: AddRequest) -> AddAnswer:
    """Add facts about a person.

    A fact that overlaps with one that is stored updates it. A person never seen before gets an end-user record.
    """
    facts = [_fact(number, text) for number, text in enumerate(body.memories)]
    size = sum(map(len, facts)) + len(facts) * len(repr(body.metadata))
    store = call.store if size <= AT_ONCE else call.store.long
    added = await store.write(memories.add, body.character_id, body.end_user_id, facts, body.metadata)
    call.note.explain(*({"event": one.event, "with": one.id, "because": one.because} for one in added))
    return {"memories": [{"id": one.id, "event": one.event, "memory": one.memory} for one in added]}


@group.post("/memory/list", source="seed", errors=(403, 404))
async def list_(call: Call, body: ListRequest) -> ListAnswer | Response:
    """List what a character remembers about a person, oldest first, page by page."""
    wanted = (body.character_id, body.end_user_id, body.page, body.page_size)
    found = await call.store.write(memories.list_page, *wanted)
    if found is not None:
        return _page(found, body)
    found = await call.store.long.write(memories.list_page, *wanted, whole=True)
    assert found is not None
    return await large(_page(found, body))


@group.post("/memory/get", source="seed", errors=(403, 404))
async def get(call: Call, body: RecordRequest) -> MemoryRecord:
    """Get one memory by its id."""
    return _record(await call.store.write(memories.get, body.character_id, body.end_user_id, body.memory_id))


@group.post("/memory/delete", source="seed", errors=(403, 404))
async def delete(call: Call, body: RecordRequest) -> DeleteAnswer:
    """Delete one memory by its id.

    A memory that is not there, or is another person's or character's, is no error: `deleted` is false.
    """
    deleted = await call.store.write(memories.remove, body.character_id, body.end_user_id, body.memory_id)
    message = "Memory deleted successfully." if deleted else "No such memory for this end user and character."
    return {"message": message, "memory_id": body.memory_id, "deleted": deleted}


@group.post("/memory/delete-all", source="seed", errors=(403, 404))
async def delete_all(call: Call, body: PartitionRequest) -> DeleteAllAnswer:
    """Delete everything that a character remembers about a person; the end-user record stays."""
    await call.store.write(memories.remove_all, body.character_id, body.end_user_id)
    return {
        "message": "Memory deletion in progress...",
        "character_id": body.character_id,
        "end_user_id": body.end_user_id,
    }


def _fact(number: int, text: str) -> str:
    fact = normalise_fact(text)
    if not fact or len(fact) > MAX_FACT_LENGTH:
        raise Invalid(
            f"Invalid parameter 'memories[{number}]': send a non-blank string of at most {MAX_FACT_LENGTH} characters; "
            f"none of the facts was stored.",
        )
    return fact


def _page(found: memories.MemoryPage, body: ListRequest) -> ListAnswer:
    return {
        "memories": [_record(memory) for memory in found.memories],
        "total_count": found.total_count,
        "page": body.page,
        "page_size": body.page_size,
        "has_more": body.page * body.page_size < found.total_count,
    }


def _record(memory: memories.Memory) -> MemoryRecord:
    return {
        "id": memory.id,
        "memory": memory.memory,
        "created_at": to_iso(memory.created_at),
        "updated_at": to_iso(memory.updated_at),
        "metadata": memory.metadata,
    }
