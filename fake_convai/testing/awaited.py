"""The handle for asynchronous tests: the same methods, awaited, under asyncio and trio."""

from collections.abc import Awaitable, Callable
from functools import partial, update_wrapper
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Self, TypeVar

import anyio.to_thread

from fake_convai.control.client import ControlClient
from fake_convai.testing.company import RoomConversation
from fake_convai.testing.conversation import Conversation, Event
from fake_convai.testing.driving import Addressed
from fake_convai.testing.handle import FakeConvai

if TYPE_CHECKING:
    from fake_convai.testing.transport import InProcessTransport

__tracebackhide__ = True

P = ParamSpec("P")
S = TypeVar("S")
T = TypeVar("T")


async def _in_thread(method: Callable[..., T], *arguments: Any, **named: Any) -> T:
    """The event loop of the test goes on meanwhile: the code under test may be what is waited for."""
    return await anyio.to_thread.run_sync(partial(method, *arguments, **named), abandon_on_cancel=True)


def _awaited(method: Callable[Concatenate[S, P], T], of: str) -> Callable[Concatenate[Any, P], Awaitable[T]]:
    """The method of what stands behind `of`."""

    async def call(self: Any, *arguments: P.args, **named: P.kwargs) -> T:
        return await _in_thread(method, getattr(self, of), *arguments, **named)

    return update_wrapper(call, method)  # type: ignore[return-value] # which changes nothing but name and docstring


class AsyncConversation:
    """A live session of many turns: `async with afake.conversation(npc, person) as c: await c.say("Hello.")`."""

    def __init__(self, begin: Callable[[], Conversation]) -> None:
        self._begin = begin
        self._held: Conversation | None = None

    @property
    def events(self) -> list[Event]:
        """Every message of the server so far."""
        return self._conversation.events

    @property
    def session_id(self) -> str:
        """The id of the session."""
        return self._conversation.session_id

    say = _awaited(Conversation.say, "_conversation")
    interrupt = _awaited(Conversation.interrupt, "_conversation")
    send = _awaited(Conversation.send, "_conversation")
    wait_for = _awaited(Conversation.wait_for, "_conversation")
    end = _awaited(Conversation.end, "_conversation")
    # In a room of several characters
    target = _awaited(RoomConversation.target, "room")
    change = _awaited(RoomConversation.change, "room")
    address = _awaited(RoomConversation.address, "room")

    @property
    def room(self) -> RoomConversation:
        """The room of several characters, for what needs no waiting: `characters`, `active` and the epochs."""
        if not isinstance(self._conversation, RoomConversation):
            raise TypeError("This conversation is with one character: begin it with npcs=[...] to have several.")
        return self._conversation

    @property
    def _conversation(self) -> Conversation:
        if self._held is None:
            raise RuntimeError("This conversation has not begun: use `async with`.")
        return self._held

    async def __aenter__(self) -> Self:
        self._held = await _in_thread(self._begin)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()


class AsyncFakeConvai(Addressed):
    """One account of a fake Convai for asynchronous tests; `sync` is the same account for synchronous code."""

    def __init__(self, sync: FakeConvai) -> None:
        self.sync = sync
        self.api_key = sync.api_key

    character = _awaited(FakeConvai.character, "sync")
    remember = _awaited(FakeConvai.remember, "sync")
    memories = _awaited(FakeConvai.memories, "sync")
    end_user = _awaited(FakeConvai.end_user, "sync")
    end_users = _awaited(FakeConvai.end_users, "sync")
    session = _awaited(FakeConvai.session, "sync")
    seed = _awaited(FakeConvai.seed, "sync")
    state = _awaited(FakeConvai.state, "sync")
    reset = _awaited(FakeConvai.reset, "sync")
    snapshot = _awaited(FakeConvai.snapshot, "sync")
    snapshots = _awaited(FakeConvai.snapshots, "sync")
    restore = _awaited(FakeConvai.restore, "sync")
    delete_snapshot = _awaited(FakeConvai.delete_snapshot, "sync")
    requests = _awaited(FakeConvai.requests, "sync")
    clear_requests = _awaited(FakeConvai.clear_requests, "sync")
    messages = _awaited(FakeConvai.messages, "sync")
    wait_for_request = _awaited(FakeConvai.wait_for_request, "sync")
    wait_for_message = _awaited(FakeConvai.wait_for_message, "sync")
    wait_until_remembered = _awaited(FakeConvai.wait_until_remembered, "sync")
    fail = _awaited(FakeConvai.fail, "sync")
    faults = _awaited(FakeConvai.faults, "sync")
    clear_faults = _awaited(FakeConvai.clear_faults, "sync")
    stub = _awaited(FakeConvai.stub, "sync")
    clear_stubs = _awaited(FakeConvai.clear_stubs, "sync")
    unhappened = _awaited(FakeConvai.unhappened, "sync")
    replies = _awaited(FakeConvai.replies, "sync")
    set_replies = _awaited(FakeConvai.set_replies, "sync")
    now = _awaited(FakeConvai.now, "sync")
    freeze = _awaited(FakeConvai.freeze, "sync")
    advance = _awaited(FakeConvai.advance, "sync")
    offset = _awaited(FakeConvai.offset, "sync")
    unfreeze = _awaited(FakeConvai.unfreeze, "sync")
    pace = _awaited(FakeConvai.pace, "sync")
    lag = _awaited(FakeConvai.lag, "sync")
    settle = _awaited(FakeConvai.settle, "sync")
    talk = _awaited(FakeConvai.talk, "sync")

    def conversation(
        self, character_id: str | None = None, end_user_id: str | None = None, **members: Any
    ) -> AsyncConversation:
        """A session of many turns, held with `async with`; with `npcs` in a room of several characters."""
        begin: Callable[..., Conversation] = self.sync.conversation
        return AsyncConversation(partial(begin, character_id, end_user_id, **members))

    def _running(self) -> ControlClient:
        return self.sync._running()

    @property
    def transport(self) -> "InProcessTransport":
        """For `httpx.AsyncClient(transport=...)`: the same server without a socket."""
        return self.sync.transport
