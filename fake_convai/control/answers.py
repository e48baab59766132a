"""What the control plane answers."""

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from fake_convai.control.fault_document import FaultDocument

Seconds = float


class Health(TypedDict):
    """Says whether the server is ready, and if not, why."""

    status: Literal["ready", "unavailable"]
    version: str
    reason: NotRequired[str]


class Done(TypedDict):
    """The account, or every one, is as new."""

    status: Literal["reset"]


class Seeded(TypedDict):
    """Says how much was added, by part of the document."""

    status: Literal["seeded"]
    characters: int
    end_users: int
    memories: int
    sessions: int


class Snapshots(TypedDict):
    """The names of the account's snapshots."""

    snapshots: list[str]


class Snapshot(TypedDict):
    """A snapshot by its name."""

    name: str


class Clock(TypedDict):
    """The account's time; `offset` in seconds."""

    now: str
    frozen: bool
    offset: Seconds


class Freeze(TypedDict):
    """Stops the clock at a time."""

    now: str


class Advance(TypedDict):
    """Moves the clock by seconds."""

    advance: Seconds


class Shift(TypedDict):
    """Lets the clock run so many seconds ahead."""

    offset: Seconds


class ListedFault(FaultDocument):
    """A fault: `times` is how often it will still happen, `happened` how often it has, if ever."""

    times: int | None = 1
    happened: int = 0


class Faults(TypedDict):
    """The faults that wait."""

    faults: list[ListedFault]


class Verdict(TypedDict):
    """Says whether two facts are one, and why."""

    same: bool
    because: str


class Entry(TypedDict):
    """A request, as the journal has it."""

    at: str
    surface: str
    method: str
    account: str | None
    path: str
    body: Any
    status: int
    response: Any
    duration_ms: float
    fault: Any
    stub: Any
    off_surface: bool
    credential: str | None
    headers: dict[str, str]
    trace_id: str | None
    unknown_fields: list[str]
    violations: list[str]
    explanations: list[dict[str, Any]]


class Near(Entry):
    """A request that is not what was waited for, and what differed."""

    differed: list[str]


class Journal(TypedDict):
    """Requests, oldest first.

    `nearest` tells what a filter that finds nothing could have been or, after waiting, which requests came nearest.
    `complete` is there when it was waited.
    """

    requests: list[Entry]
    dropped: int
    complete: NotRequired[bool]
    nearest: NotRequired[list[str | Near]]


class Settled(TypedDict):
    """Says how much appeared that had waited."""

    settled: int


class Frame(TypedDict):
    """What was sent or received in a session; the type is null when it is no message.

    Who came in with it is the end user, who sent it out the character; null when they are gone, or nobody.
    """

    at: str
    session_id: str
    character_session_id: str | None
    character_id: str | None
    end_user_id: str | None
    direction: Literal["in", "out"]
    type: str | None
    message: Any


class NearFrame(Frame):
    """A frame that is not what was waited for, and what differed."""

    differed: list[str]


class Messages(TypedDict):
    """Frames, oldest first; `complete` and `nearest` as with requests."""

    messages: list[Frame]
    dropped: int
    complete: NotRequired[bool]
    nearest: NotRequired[list[NearFrame]]


class Accounts(TypedDict):
    """The accounts that the server has, or the one whose key was sent."""

    accounts: list[dict[str, Any]]


class Assumption(TypedDict):
    """A guess about an operation."""

    id: str
    says: str


class Operation(TypedDict):
    """An operation of the contract, with the statuses that it has and those that were met."""

    surface: str
    method: str
    path: str
    statuses: list[int]
    met: list[int]
    requests: int
    assumptions: list[Assumption]


class MetMessage(TypedDict):
    """A message of a live session, and how often it was met."""

    direction: Literal["in", "out"]
    type: str
    met: int


class Coverage(TypedDict):
    """Says which parts of the contract were met."""

    operations: list[Operation]
    met: int
    of: int
    messages: list[MetMessage]
