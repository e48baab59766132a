"""The handle for asynchronous tests: the same methods, awaited, under asyncio and trio."""

from collections.abc import Awaitable, Callable
from functools import partial, update_wrapper
from types import TracebackType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Self, TypeVar

import anyio.to_thread

from fake_convai.testing.company import GroupTurn, RoomConversation
from fake_convai.testing.conversation import Conversation, Event, Turn
from fake_convai.testing.handle import FakeConvai

if TYPE_CHECKING:
    from fake_convai.testing.transport import InProcessTransport

__tracebackhide__ = True

P = ParamSpec("P")
T = TypeVar("T")


async def _in_thread(method: Callable[..., T], *arguments: Any, **named: Any) -> T:
    """The event loop of the test goes on meanwhile: the code under test may be what is waited for."""
    return await anyio.to_thread.run_sync(partial(method, *arguments, **named), abandon_on_cancel=True)


def _awaited(
    method: Callable[Concatenate[FakeConvai, P], T],
) -> "Callable[Concatenate[AsyncFakeConvai, P], Awaitable[T]]":
    async def call(self: "AsyncFakeConvai", *arguments: P.args, **named: P.kwargs) -> T:
        return await _in_thread(method, self.sync, *arguments, **named)

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

    async def say(self, text: str, **how: Any) -> Turn:
        """Say something, and listen until the character's turn is over."""
        return await _in_thread(self._conversation.say, text, **how)

    async def interrupt(self, **how: Any) -> Turn:
        """Cut the character short."""
        return await _in_thread(self._conversation.interrupt, **how)

    async def send(self, type: str, **data: Any) -> Event:
        """Send a message; returns its acknowledgement."""
        return await _in_thread(self._conversation.send, type, **data)

    async def wait_for(self, type: str, **how: Any) -> Event:
        """The next event of this type that was not waited for yet."""
        return await _in_thread(self._conversation.wait_for, type, **how)

    async def target(self, character: str | None, **how: Any) -> Event:
        """In a room of several characters, talk to another one; returns the response."""
        return await _in_thread(self.room.target, character, **how)

    async def change(self, **how: Any) -> Event:
        """In a room of several characters, let some come and go; returns the response."""
        return await _in_thread(self.room.change, **how)

    async def address(self, text: str, *characters: str, **how: Any) -> GroupTurn:
        """In a room of several characters, say something to these, or to all; returns the turn."""
        return await _in_thread(self.room.address, text, *characters, **how)

    async def end(self) -> None:
        """End the session; what was said is remembered when this returns."""
        await _in_thread(self._conversation.end)

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

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.end()


class AsyncFakeConvai:
    """One account of a fake Convai for asynchronous tests; `sync` is the same account for synchronous code."""

    def __init__(self, sync: FakeConvai) -> None:
        self.sync = sync

    character = _awaited(FakeConvai.character)
    remember = _awaited(FakeConvai.remember)
    memories = _awaited(FakeConvai.memories)
    end_user = _awaited(FakeConvai.end_user)
    end_users = _awaited(FakeConvai.end_users)
    session = _awaited(FakeConvai.session)
    seed = _awaited(FakeConvai.seed)
    state = _awaited(FakeConvai.state)
    reset = _awaited(FakeConvai.reset)
    snapshot = _awaited(FakeConvai.snapshot)
    snapshots = _awaited(FakeConvai.snapshots)
    restore = _awaited(FakeConvai.restore)
    delete_snapshot = _awaited(FakeConvai.delete_snapshot)
    requests = _awaited(FakeConvai.requests)
    clear_requests = _awaited(FakeConvai.clear_requests)
    messages = _awaited(FakeConvai.messages)
    wait_for_request = _awaited(FakeConvai.wait_for_request)
    wait_for_message = _awaited(FakeConvai.wait_for_message)
    wait_until_remembered = _awaited(FakeConvai.wait_until_remembered)
    fail = _awaited(FakeConvai.fail)
    faults = _awaited(FakeConvai.faults)
    clear_faults = _awaited(FakeConvai.clear_faults)
    stub = _awaited(FakeConvai.stub)
    clear_stubs = _awaited(FakeConvai.clear_stubs)
    unhappened = _awaited(FakeConvai.unhappened)
    replies = _awaited(FakeConvai.replies)
    set_replies = _awaited(FakeConvai.set_replies)
    now = _awaited(FakeConvai.now)
    freeze = _awaited(FakeConvai.freeze)
    advance = _awaited(FakeConvai.advance)
    offset = _awaited(FakeConvai.offset)
    unfreeze = _awaited(FakeConvai.unfreeze)
    pace = _awaited(FakeConvai.pace)
    lag = _awaited(FakeConvai.lag)
    settle = _awaited(FakeConvai.settle)
    talk = _awaited(FakeConvai.talk)

    def conversation(
        self, character_id: str | None = None, end_user_id: str | None = None, **members: Any
    ) -> AsyncConversation:
        """A session of many turns, held with `async with`; with `npcs` in a room of several characters."""
        begin: Callable[..., Conversation] = self.sync.conversation
        return AsyncConversation(partial(begin, character_id, end_user_id, **members))

    @property
    def api_key(self) -> str:
        """The key that opens this account."""
        return self.sync.api_key

    @property
    def url(self) -> str:
        """The base URL at which all three surfaces are served together."""
        return self.sync.url

    @property
    def production_url(self) -> str:
        """The base URL that stands for `https://api.convai.com`."""
        return self.sync.production_url

    @property
    def beta_url(self) -> str:
        """The base URL that stands for `https://beta.convai.com`."""
        return self.sync.beta_url

    @property
    def live_url(self) -> str:
        """The base URL that stands for `https://live.convai.com`."""
        return self.sync.live_url

    @property
    def env(self) -> dict[str, str]:
        """The variables by which programs find Convai, leading to this account."""
        return self.sync.env

    @property
    def transport(self) -> "InProcessTransport":
        """For `httpx.AsyncClient(transport=...)`: the same server without a socket."""
        return self.sync.transport
