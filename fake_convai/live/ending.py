"""Ending a session without holding up everybody else, however much was said in it."""

import asyncio

from fake_convai.store import conversations, sessions
from fake_convai.store.accounts import AccountStore
from fake_convai.store.memories import Remembered

AT_ONCE = 2000
"""Characters that are understood in passing."""


async def end(store: AccountStore, session_id: str) -> list[Remembered] | None:
    """End a session and remember what its person said, which is returned; None when it had ended before, or never was.

    Much of it is understood in a thread before the transaction, which then only stores it, beside the event loop.
    """
    if await store.read(sessions.length_said, session_id) <= AT_ONCE:
        return await store.write(sessions.end, session_id)
    for message in await store.read(conversations.said_in, session_id):
        await asyncio.to_thread(sessions.facts_in, message)
    return await store.long.write(sessions.end, session_id)
