"""Tells a character something, asks about it in the same conversation, and prints what it says as it comes."""

import asyncio
import json
import os

import httpx


async def talk(text: str, conversation: str | None) -> str:
    """What the character says is printed; returns the id of the conversation."""
    form = {"character_id": os.environ["CHARACTER_ID"], "text_input": text}
    if conversation:
        form["character_session_id"] = conversation
    headers = {"X-API-Key": os.environ["CONVAI_API_KEY"]}
    url = "https://live.convai.com/connect/stream"
    async with (
        httpx.AsyncClient(timeout=30.0) as client,
        client.stream("POST", url, headers=headers, data=form) as response,
    ):
        async for line in response.aiter_lines():
            if line.startswith("data: "):
                event = json.loads(line[6:])
                if event.get("type") == "connection-started":
                    conversation = event["message"]["character_session_id"]
                elif event.get("type") == "bot-llm-text":
                    print(event["data"]["text"], end="", flush=True)
    print()
    assert conversation is not None
    return conversation


async def main() -> None:
    conversation = await talk("My name is Alice.", None)
    assert await talk("What is my name?", conversation) == conversation


asyncio.run(main())
